//! Subscriptions and webhooks, against an endpoint that really takes what is posted: handshake, order, retries, error, restart,
//! signatures, limits; and nothing of the patient where it must not be.

use crate::support::claim::{bundle, of};
use crate::support::receiver::{Got, Receiver};
use crate::support::server::{Server, eventually};
use crate::support::simulator::answer_all;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

const TOPIC: &str = "https://claimgate.dev/fhir/SubscriptionTopic/claim-response-changed";
const BACKPORT: &str = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition";
/// Endpoints on this machine, and no long waits.
const HERE: &[(&str, &str)] = &[
    ("CLAIMGATE_NOTIFY__ALLOW_HTTP", "true"),
    ("CLAIMGATE_NOTIFY__ALLOW_PRIVATE", "true"),
    ("CLAIMGATE_NOTIFY__RETRY_MS", "50"),
    ("CLAIMGATE_NOTIFY__RETRY_MS_MAX", "100"),
    ("CLAIMGATE_NOTIFY__ATTEMPTS", "3"),
];

fn subscription(endpoint: &str, content: &str, filters: &[&str]) -> Value {
    let filters: Vec<Value> = filters
        .iter()
        .map(|filter| json!({"url": format!("{BACKPORT}/backport-filter-criteria"), "valueString": filter}))
        .collect();
    let mut subscription = json!({
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "to know how claims fare",
        "criteria": TOPIC,
        "channel": {
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": format!("{BACKPORT}/backport-payload-content"), "valueCode": content}]},
        },
    });
    if !filters.is_empty() {
        subscription["_criteria"] = json!({"extension": filters});
    }
    subscription
}

async fn subscribe(server: &Server, subscription: &Value) -> String {
    let reply = server.post("/fhir/Subscription", subscription).await;
    assert_eq!((reply.status, reply.body["status"].as_str()), (201, Some("requested")), "{:#}", reply.body);
    reply.body["id"].as_str().unwrap().to_owned()
}

async fn in_state(server: &Server, id: &str, state: &str) -> Value {
    eventually(&format!("the subscription is {state}"), Duration::from_secs(30), async || {
        let found = server.get(&format!("/fhir/Subscription/{id}")).await.body;
        (found["status"] == state).then_some(found)
    })
    .await
}

async fn submit(server: &Server, number: &str) -> Value {
    let reply = server.post("/fhir/Claim/$submit", &bundle(number)).await;
    assert_eq!(reply.status, 201, "{:#}", reply.body);
    reply.body
}

fn numbers(taken: &[Got]) -> Vec<u64> {
    taken.iter().flat_map(Got::events).map(|(number, _)| number).collect()
}

fn code(outcome: &Value) -> &str {
    outcome["issue"][0]["details"]["coding"][0]["code"].as_str().unwrap_or_default()
}

/// Handshake, events by id in order, what is asked about afterwards, and the end.
#[tokio::test]
async fn a_subscriber_shakes_hands_and_hears_of_every_change_by_its_id() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), HERE).await;
    let receiver = Receiver::start().await;
    let mut wanted = subscription(&receiver.url("/ids"), "id-only", &[]);
    wanted["channel"]["header"] = json!(["Authorization: Bearer told-to-nobody"]);
    let id = subscribe(&server, &wanted).await;
    let active = in_state(&server, &id, "active").await;
    assert_eq!(active["channel"]["header"], json!(["Authorization: ********"]));
    let handshake = &receiver.wait(1).await[0];
    assert_eq!((handshake.status_parameter("type"), handshake.path.as_str()), ("handshake".into(), "/ids"));
    assert_eq!(handshake.header("authorization"), "Bearer told-to-nobody");
    assert_eq!(handshake.header("content-type"), "application/fhir+json");
    assert!(handshake.events().is_empty());

    let answer = submit(&server, "NOTIFY1").await;
    let claim = answer["request"]["reference"].as_str().unwrap().to_owned();
    answer_all(&server, "northwind").await;
    server.answered(&claim, |answer| answer["outcome"] == "complete").await;
    let history = server.get(&format!("/fhir/ClaimResponse/{}/_history", answer["id"].as_str().unwrap())).await.body;
    let versions = history["entry"].as_array().unwrap().len();
    eventually("every version is told", Duration::from_secs(30), async || {
        (numbers(&receiver.taken()).len() == versions).then_some(())
    })
    .await;
    let taken = receiver.taken();
    assert_eq!(numbers(&taken), (1..=versions as u64).collect::<Vec<_>>());
    for got in &taken[1..] {
        assert_eq!(got.status_parameter("type"), "event-notification");
        assert_eq!(got.status_parameter("topic"), TOPIC);
        assert!(
            got.events()
                .iter()
                .all(|(_, focus)| focus.ends_with(&format!("/fhir/ClaimResponse/{}", answer["id"].as_str().unwrap())))
        );
        assert!(got.json()["entry"].as_array().unwrap()[1..].iter().all(|entry| entry.get("resource").is_none()));
        let told = server.post("/fhir/Bundle/$validate", &got.json()).await;
        assert!(!told.body.to_string().contains("\"error\""), "{:#}", told.body);
    }

    let status = server.get(&format!("/fhir/Subscription/{id}/$status")).await.body;
    let parameters = status["entry"][0]["resource"]["parameter"].to_string();
    assert!(parameters.contains("query-status") && parameters.contains(&format!("\"valueString\":\"{versions}\"")));
    assert_eq!(server.get("/fhir/Subscription/$status?status=error").await.body["total"], 0);
    let again =
        server.get(&format!("/fhir/Subscription/{id}/$events?eventsSinceNumber=2&eventsUntilNumber=2")).await.body;
    assert_eq!((again["type"].as_str(), again["entry"].as_array().map(Vec::len)), (Some("history"), Some(2)));
    // What was asked for by id is not given away by content later.
    let more = server.get(&format!("/fhir/Subscription/{id}/$events?content=full-resource")).await.body;
    assert!(more["entry"][1].get("resource").is_none(), "{more:#}");

    let log = server.log();
    assert!(!log.contains("told-to-nobody"));
    assert_eq!(delete(&server, &id).await, 204);
    assert_eq!(server.get(&format!("/fhir/Subscription/{id}")).await.status, 404);
    assert_eq!(delete(&server, &id).await, 404);
    submit(&server, "NOTIFY2").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(numbers(&receiver.taken()).len(), versions);
}

async fn delete(server: &Server, id: &str) -> u16 {
    let request = reqwest::Client::new().delete(format!("{}/fhir/Subscription/{id}", server.base));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn filters_choose_and_the_whole_resource_comes_when_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), HERE).await;
    let (paid, mine, authorizations) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let first = submit(&server, "FILTER1").await;
    let claim = first["request"]["reference"].as_str().unwrap().to_owned();
    let outcome = subscription(&paid.url("/"), "full-resource", &["ClaimResponse?outcome=complete,error"]);
    let request =
        subscription(&mine.url("/"), "empty", &[&format!("ClaimResponse?request={claim}"), "Task?status=requested"]);
    assert_eq!(server.post("/fhir/Subscription", &request).await.status, 422, "a filter about another type");
    let request =
        subscription(&mine.url("/"), "empty", &[&format!("request={}/fhir/{claim}&status=active", server.base)]);
    let mut pas = subscription(&authorizations.url("/"), "id-only", &[]);
    pas["criteria"] = json!("http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic");
    for wanted in [&outcome, &request, &pas] {
        let id = subscribe(&server, wanted).await;
        in_state(&server, &id, "active").await;
    }
    submit(&server, "FILTER2").await;
    answer_all(&server, "northwind").await;
    server.answered(&claim, |answer| answer["outcome"] == "complete").await;
    let taken = paid.wait(2).await;
    for got in &taken[1..] {
        let bundle = got.json();
        for entry in &bundle["entry"].as_array().unwrap()[1..] {
            assert_eq!(entry["resource"]["outcome"], "complete");
            let version = entry["resource"]["meta"]["versionId"].as_str().unwrap();
            assert_eq!(entry["response"]["etag"], format!("W/\"{version}\""));
        }
    }
    let told = mine.wait(2).await;
    assert!(told[1..].iter().all(|got| got.json()["entry"].as_array().unwrap().len() == 1), "empty means empty");
    assert!(!told[1].text.contains("ClaimResponse"));
    assert_eq!(authorizations.taken().len(), 1, "no claim is a request for authorization");
}

/// An endpoint that takes nothing is tried again, then left alone; asked anew it gets everything, in order.
#[tokio::test]
async fn what_fails_is_tried_again_then_in_error_and_goes_on_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), HERE).await;
    let receiver = Receiver::start().await;
    let mut wanted = subscription(&receiver.url("/"), "id-only", &[]);
    wanted["channel"]["extension"] = json!([{"url": format!("{BACKPORT}/backport-max-count"), "valuePositiveInt": 2}]);
    let id = subscribe(&server, &wanted).await;
    in_state(&server, &id, "active").await;
    receiver.answer(503);
    for number in ["RETRY1", "RETRY2", "RETRY3"] {
        submit(&server, number).await;
    }
    let failed = in_state(&server, &id, "error").await;
    assert_eq!(failed["error"], "the endpoint answered 503");
    let tried = receiver.got().len();
    assert_eq!(tried, 1 + 3, "the handshake, and three attempts");
    submit(&server, "RETRY4").await;
    receiver.answer(200);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(receiver.got().len(), tried, "it is left alone");
    wanted["id"] = json!(id);
    let reply = server.put(&format!("/fhir/Subscription/{id}"), &wanted).await;
    assert_eq!((reply.status, reply.body["status"].as_str()), (200, Some("requested")), "{:#}", reply.body);
    in_state(&server, &id, "active").await;
    eventually("all is told", Duration::from_secs(30), async || (numbers(&receiver.taken()).len() >= 4).then_some(()))
        .await;
    let taken = receiver.taken();
    assert!(numbers(&taken).starts_with(&[1, 2, 3, 4]), "{:?}", numbers(&taken));
    assert!(taken.iter().all(|got| got.events().len() <= 2), "no more at once than was asked for");
    receiver.answer(302);
    submit(&server, "RETRY5").await;
    in_state(&server, &id, "error").await;
    assert!(receiver.got().iter().all(|got| got.path == "/"), "redirects are not followed");

    let counted = [
        r#"claimgate_notifications_total{kind="subscription",outcome="delivered"} "#,
        r#"claimgate_notifications_total{kind="subscription",outcome="failed"} "#,
        r#"claimgate_notification_seconds_count{kind="subscription"} "#,
        r#"claimgate_subscribers{kind="subscription",state="error"} 1"#,
        r#"claimgate_notices_due{kind="subscription"} 1"#,
    ];
    eventually("all is counted", Duration::from_secs(30), async || {
        let metrics = server.get("/metrics").await.body;
        let lines: Vec<&str> = metrics.as_str().unwrap().lines().collect();
        counted.iter().all(|line| lines.iter().any(|found| found.starts_with(line))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_kill_loses_no_event_and_no_order() {
    let home = tempfile::tempdir().unwrap();
    let lasting: Vec<(&str, &str)> = HERE.iter().copied().chain([("CLAIMGATE_NOTIFY__ATTEMPTS", "1000")]).collect();
    let mut server = Server::start(home.path(), &lasting).await;
    let receiver = Receiver::start().await;
    let id = subscribe(&server, &subscription(&receiver.url("/"), "id-only", &[])).await;
    in_state(&server, &id, "active").await;
    receiver.answer(503);
    for number in 0..5 {
        submit(&server, &format!("KILL{number}")).await;
    }
    server.kill();
    server.again().await;
    for number in 5..8 {
        submit(&server, &format!("KILL{number}")).await;
    }
    receiver.answer(200);
    eventually("all is told", Duration::from_secs(30), async || (numbers(&receiver.taken()).len() >= 8).then_some(()))
        .await;
    // Killed again in the middle of telling: what was on its way may come twice, nothing is left out.
    for number in 8..12 {
        submit(&server, &format!("KILL{number}")).await;
    }
    server.kill();
    server.again().await;
    eventually("all is told", Duration::from_secs(30), async || {
        (numbers(&receiver.taken()).last() >= Some(&12)).then_some(())
    })
    .await;
    let told = numbers(&receiver.taken());
    let mut first_told: Vec<u64> = Vec::new();
    for number in told.iter().filter(|number| **number <= 12) {
        if !first_told.contains(number) {
            first_told.push(*number);
        }
    }
    assert_eq!(first_told, (1..=12).collect::<Vec<u64>>(), "{told:?}");
}

#[tokio::test]
async fn heartbeats_come_and_the_end_ends_it() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), HERE).await;
    let (receiver, refusing) = (Receiver::start().await, Receiver::start().await);
    let mut wanted = subscription(&receiver.url("/"), "id-only", &[]);
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(4);
    wanted["end"] = json!(end.to_string());
    wanted["channel"]["extension"] =
        json!([{"url": format!("{BACKPORT}/backport-heartbeat-period"), "valueUnsignedInt": 1}]);
    let id = subscribe(&server, &wanted).await;
    receiver.wait(3).await;
    assert_eq!(receiver.taken()[1].status_parameter("type"), "heartbeat");
    in_state(&server, &id, "off").await;
    let count = receiver.got().len();
    submit(&server, "ENDED1").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(receiver.got().len(), count, "nothing is told after the end");

    refusing.answer(404);
    let id = subscribe(&server, &subscription(&refusing.url("/"), "id-only", &[])).await;
    in_state(&server, &id, "error").await;
    assert_eq!(refusing.got().len(), 1, "a handshake is tried once");
}

/// HMAC-SHA256 (RFC 2104), written out.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36), text.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().chain([0, 0].iter()).take(3).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let digit =
            |n: usize| if n <= three.len() { char::from(DIGITS[(bits >> (18 - 6 * n)) as usize & 63]) } else { '=' };
        (0..4).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

const MARKS: &[&str] = &["Zyxwvu", "Qqmark", "MEMBERMARK77", "1971-02-03"];

fn marked(number: &str) -> Value {
    let mut body = bundle(number);
    let patient = of(&mut body, "Patient");
    patient["name"] = json!([{"use": "official", "family": "Zyxwvu", "given": ["Qqmark"]}]);
    patient["birthDate"] = json!("1971-02-03");
    of(&mut body, "Coverage")["subscriberId"] = json!("MEMBERMARK77");
    body
}

#[tokio::test]
async fn webhooks_are_signed_told_again_and_hold_nothing_of_the_patient() {
    let home = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    let (old, new) = ([1_u8; 24], [2_u8; 32]);
    let secrets = format!("whsec_{} whsec_{}", base64(&old), base64(&new));
    std::fs::write(home.path().join("secret"), &secrets).unwrap();
    let config = format!(
        "[[webhooks]]\nname = \"all\"\nurl = \"{}\"\nsecret = \"file:{}\"\n\n[[webhooks]]\nname = \"money\"\nurl = \"{}\"\n\
         secret = \"env:CLAIMGATE_MONEY_SECRET\"\nevents = [\"payment_reconciliation.created\"]\n",
        receiver.url("/all"),
        home.path().join("secret").display(),
        receiver.url("/money"),
    );
    std::fs::write(home.path().join("claimgate.toml"), config).unwrap();
    let money = format!("whsec_{}", base64(&new));
    let mut environment = HERE.to_vec();
    environment.extend([("CLAIMGATE_MONEY_SECRET", money.as_str()), ("CLAIMGATE_LOG", "trace")]);
    let mut server = Server::start(home.path(), &environment).await;
    receiver.answer(500);
    let reply = server.post("/fhir/Claim/$submit", &marked("HOOK1")).await;
    assert_eq!(reply.status, 201, "{:#}", reply.body);
    let claim = reply.body["request"]["reference"].as_str().unwrap().to_owned();
    eventually("it is tried", Duration::from_secs(30), async || (receiver.got().len() > 1).then_some(())).await;
    server.kill();
    receiver.answer(204);
    server.again().await;
    answer_all(&server, "northwind").await;
    server.answered(&claim, |answer| answer["outcome"] == "complete").await;
    let taken = eventually("the money is told", Duration::from_secs(30), async || {
        let taken = receiver.taken();
        let told = |path: &str| {
            taken.iter().any(|got| got.path == path && got.text.contains("payment_reconciliation.created"))
        };
        (told("/all") && told("/money")).then_some(taken.clone())
    })
    .await;
    for got in &taken {
        let signed = format!("{}.{}.{}", got.header("webhook-id"), got.header("webhook-timestamp"), got.text);
        let by = |key: &[u8]| format!("v1,{}", base64(&hmac(key, signed.as_bytes())));
        let expected = if got.path == "/all" { format!("{} {}", by(&old), by(&new)) } else { by(&new) };
        assert_eq!(got.header("webhook-signature"), expected);
        let age = jiff::Timestamp::now().as_second() - got.header("webhook-timestamp").parse::<i64>().unwrap();
        assert!((0..120).contains(&age), "{age}");
        let body = got.json();
        let names: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["type", "timestamp", "data"]);
    }
    let first = taken.iter().find(|got| got.path == "/all").unwrap();
    let body = first.json();
    assert_eq!(
        (body["type"].as_str(), body["data"]["outcome"].as_str()),
        (Some("claim_response.changed"), Some("queued"))
    );
    assert_eq!((body["data"]["request"].as_str(), body["data"]["version"].as_u64()), (Some(claim.as_str()), Some(1)));
    // The same message at every attempt.
    let ids: Vec<String> =
        receiver.got().iter().filter(|got| got.text == first.text).map(|got| got.header("webhook-id").into()).collect();
    assert!(ids.len() > 1 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    for mark in MARKS {
        assert!(!server.log().contains(mark), "{mark} stands in the log");
        assert!(
            receiver.got().iter().all(|got| !got.text.contains(mark) && !format!("{:?}", got.headers).contains(mark))
        );
    }
    assert!(!receiver.got().iter().any(|got| got.text.contains("Patient/")));
    assert!(!server.log().contains(&base64(&old)) && !server.log().contains(&base64(&new)));
}

#[tokio::test]
async fn mistakes_are_told_all_at_once_and_limits_hold() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[("CLAIMGATE_NOTIFY__SUBSCRIPTIONS", "2")]).await;
    for (endpoint, wanted) in [
        ("http://ehr.example/hook", "CG-1032"),
        ("https://127.0.0.1/hook", "CG-1032"),
        ("https://[::ffff:169.254.169.254]/hook", "CG-1032"),
        ("https://localhost/hook", "CG-1032"),
        ("https://me:secret@ehr.example/hook", "CG-1032"),
    ] {
        let reply = server.post("/fhir/Subscription", &subscription(endpoint, "id-only", &[])).await;
        assert_eq!((reply.status, code(&reply.body)), (422, wanted), "{endpoint}: {:#}", reply.body);
        assert!(!reply.body.to_string().contains("secret@"));
    }
    let mut wrong = subscription("ftp://x", "everything", &["ClaimResponse?colour=red"]);
    wrong["channel"]["type"] = json!("email");
    wrong["channel"]["payload"] = json!("application/fhir+xml");
    wrong["channel"]["header"] = json!(["Host: other"]);
    let reply = server.post("/fhir/Subscription", &wrong).await;
    assert_eq!((reply.status, reply.body["issue"].as_array().unwrap().len()), (422, 6), "{:#}", reply.body);
    let mut unknown = subscription("https://ehr.example/hook", "id-only", &[]);
    unknown["criteria"] = json!("Observation?code=x");
    let reply = server.post("/fhir/Subscription", &unknown).await;
    assert_eq!((reply.status, code(&reply.body)), (422, "CG-1031"));

    let good = |headers: usize, filters: usize| {
        let mut good = subscription("https://ehr.invalid/hook", "id-only", &vec!["status=active"; filters]);
        good["channel"]["header"] = (0..headers).map(|n| format!("X-{n}: a")).collect();
        good
    };
    for (headers, filters) in [(21, 0), (1, 21)] {
        assert_eq!(server.post("/fhir/Subscription", &good(headers, filters)).await.status, 422);
    }
    let first = subscribe(&server, &good(20, 20)).await;
    let second = subscribe(&server, &subscription("https://ehr.invalid/hook", "id-only", &[])).await;
    let shown = server.get(&format!("/fhir/Subscription/{second}")).await.body;
    let told = server.post("/fhir/Subscription/$validate", &shown).await.body;
    assert!(!told.to_string().contains("\"error\""), "{told:#}");
    let above = server.post("/fhir/Subscription", &good(1, 1)).await;
    assert_eq!((above.status, code(&above.body)), (422, "CG-1020"), "{:#}", above.body);
    // Changing one is no new one; and a value that was withheld stays what it was.
    let mut shown = in_state(&server, &first, "error").await;
    shown["reason"] = json!("another");
    let reply = server.put(&format!("/fhir/Subscription/{first}"), &shown).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    assert_eq!(delete(&server, &first).await, 204);
    subscribe(&server, &good(1, 1)).await;

    let topics = server.get("/fhir/SubscriptionTopic").await.body;
    let metadata = server.get("/fhir/metadata").await.body.to_string();
    for entry in topics["entry"].as_array().unwrap() {
        let url = entry["resource"]["extension"][0]["valueUri"].as_str().unwrap();
        assert!(metadata.contains(&format!("\"valueCanonical\":\"{url}\"")), "{url}");
    }
}

#[test]
fn the_hmac_and_base64_of_these_tests_are_right() {
    // RFC 4231, case 2; RFC 4648, section 10.
    let expected = [0x5b_u8, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e];
    assert!(hmac(b"Jefe", b"what do ya want for nothing?").starts_with(&expected));
    assert_eq!([base64(b"f"), base64(b"fo"), base64(b"foo")], ["Zg==", "Zm8=", "Zm9v"]);
}

/// Da Vinci PAS: who subscribes to results of requests for authorization gets a Response Bundle, the ClaimResponse and whatever it
/// refers to.
#[tokio::test]
async fn a_decision_about_services_comes_as_a_pas_response_bundle() {
    let home = tempfile::tempdir().unwrap();
    let environment = [HERE, &[("CLAIMGATE_DEFAULT_PAYER", "generic")]].concat();
    let server = Server::start(home.path(), &environment).await;
    let receiver = Receiver::start().await;
    let mut wanted = subscription(&receiver.url("/"), "full-resource", &[]);
    wanted["criteria"] = json!("http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic");
    let id = subscribe(&server, &wanted).await;
    in_state(&server, &id, "active").await;
    let request = include_str!("../conformance/requests/authorization-dental/request.json");
    let reply = server.post("/fhir/Claim/$submit", &serde_json::from_str(request).unwrap()).await;
    assert_eq!(reply.status, 201, "{:#}", reply.body);
    let sent = eventually("the request is sent", Duration::from_secs(30), async || {
        let files = server.files("generic", "outbound").into_iter();
        files.map(|file| std::fs::read_to_string(file).unwrap()).find(|text| text.contains("ST*278*"))
    })
    .await;
    let trace = sent.split("TRN*1*").nth(1).unwrap().split(['*', '~']).next().unwrap();
    let answer = include_str!("../conformance/answers/278-approved.x12").replace("PA0001-E", trace);
    let x12 = [("content-type", "application/edi-x12")];
    let taken = server.send("/payers/generic/interchanges", &x12, answer.into_bytes()).await.unwrap();
    assert!(taken.status < 300, "{} {:#}", taken.status, taken.body);

    let got = receiver.wait(2).await[1].json();
    let (entry, response) = (&got["entry"][1], reply.body["id"].as_str().unwrap());
    let bundle = &entry["resource"];
    assert_eq!((&bundle["resourceType"], &bundle["type"]), (&json!("Bundle"), &json!("collection")), "{got:#}");
    assert!(bundle["meta"]["profile"][0].as_str().unwrap().ends_with("/profile-pas-response-bundle"));
    assert_eq!(entry["fullUrl"], format!("{}/fhir/Bundle/{response}", server.base));
    let focus = got["entry"][0]["resource"]["parameter"].to_string();
    assert!(focus.contains(&format!("/fhir/Bundle/{response}\"")), "{focus}");
    let inside = bundle["entry"].as_array().unwrap();
    let (first, number) = (&inside[0]["resource"], "AUTH778812");
    assert_eq!((&first["resourceType"], &first["preAuthRef"]), (&json!("ClaimResponse"), &json!(number)), "{bundle:#}");
    for name in ["patient", "request", "requestor"] {
        let reference = first[name]["reference"].as_str().unwrap_or_else(|| panic!("{name}: {first:#}"));
        let url = format!("{}/fhir/{reference}", server.base);
        assert!(inside.iter().any(|entry| entry["fullUrl"] == url), "{reference} is in the Bundle");
    }
    let told = server.post("/fhir/Bundle/$validate", &got).await;
    assert!(!told.body.to_string().contains("\"error\""), "{:#}", told.body);
    // Told again the same way; by ids, the answer itself is named.
    let again = server.get(&format!("/fhir/Subscription/{id}/$events?content=full-resource")).await.body;
    assert_eq!(again["entry"][1]["resource"]["entry"], bundle["entry"]);
    let named = server.get(&format!("/fhir/Subscription/{id}/$events?content=id-only")).await.body;
    assert_eq!(named["entry"][1]["fullUrl"], format!("{}/fhir/ClaimResponse/{response}", server.base));
}
