//! What people work through, over whole lives of claims: overdue answers, denials, the books, one claim's journey; and who
//! asks by a 276 is answered.

use crate::support::claim::bundle;
use crate::support::house::House;
use crate::support::server::{Server, eventually};
use crate::support::simulator::answer_all;
use claimgate::billing::id::PayerId;
use claimgate::fault::any_error;
use claimgate::flow::{account, denials, journal, journey, overdue, receive, status};
use claimgate::store::DEFAULT_TENANT;
use claimgate::x12::{check, reader};
use serde_json::{Value, json};
use std::process::Command;

const DAY: i64 = 24 * 3600;

async fn missing(house: &House) -> Vec<Value> {
    let asked = overdue::Asked { payer: Some("northwind"), count: 10, ..overdue::Asked::default() };
    let list = overdue::list(&house.gateway, DEFAULT_TENANT, asked).await.unwrap();
    list["overdue"].as_array().unwrap().iter().map(|row| row["missing"].clone()).collect()
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_told_once_and_listed_until_it_comes() {
    let house = House::open().await;
    let answer = house.submit(bundle("LATE1")).await;
    let id = &answer.submission;
    let sent = house.send(id).await;
    assert_eq!(overdue::round(&house.gateway).await.unwrap(), 0);
    house.wait(4 * DAY).await;
    let before = house.steps(id).await.len();
    let noticed = overdue::round(&house.gateway).await.unwrap();
    let list = missing(&house).await;
    assert!(noticed == list.len() && list.contains(&json!("999")) && list.contains(&json!("277ca")), "{list:?}");
    assert_eq!(overdue::round(&house.gateway).await.unwrap(), 0, "nothing is said twice");
    assert_eq!(house.steps(id).await.len(), before + noticed);

    house.answer(id, &sent, &["999"]).await;
    assert_eq!(missing(&house).await, [json!("277ca")]);
    house.answer(id, &sent, &["277CA"]).await;
    assert!(missing(&house).await.is_empty());
    house.wait(45 * DAY).await;
    assert_eq!(missing(&house).await, [json!("835")]);
    house.answer(id, &sent, &["835"]).await;
    assert!(missing(&house).await.is_empty());
}

async fn denied(house: &House, reason: Option<&str>) -> Value {
    let asked = denials::Asked { reason, count: 10, ..denials::Asked::default() };
    denials::list(&house.gateway, DEFAULT_TENANT, asked).await.unwrap()
}

#[tokio::test]
async fn denials_are_listed_by_reason() {
    let house = House::open().await;
    for (number, transactions) in
        [("ONE-DENY", &["999", "277CA", "835"][..]), ("TWO-DENY", &["835"]), ("SIX-REJ", &["277CA"])]
    {
        let id = house.submit(bundle(number)).await.submission;
        let sent = house.send(&id).await;
        house.answer(&id, &sent, transactions).await;
    }
    let list = denied(&house, None).await;
    let reasons = list["reasons"].as_array().unwrap();
    let find = |reason: &str| reasons.iter().find(|row| row["reason"] == reason).unwrap_or_else(|| panic!("{list:#}"));
    let refused = find("CO-16");
    assert_eq!((&refused["remark"], &refused["claims"]), (&json!("M119"), &json!(2)), "{list:#}");
    assert_eq!(refused["amount"], json!("280.00"), "{list:#}");
    assert!(refused["meaning"].is_string());
    assert_eq!(find("A7:164")["claims"], 1);
    let claims = denied(&house, Some("CO-16")).await;
    let numbers: Vec<&str> =
        claims["claims"].as_array().unwrap().iter().map(|row| row["patientControlNumber"].as_str().unwrap()).collect();
    assert!(
        numbers.contains(&"ONE-DENY") && numbers.contains(&"TWO-DENY") && !numbers.contains(&"SIX-REJ"),
        "{claims:#}"
    );
    assert!(!claims.to_string().to_lowercase().contains("rivera"), "the list names no patient");
}

#[tokio::test]
async fn the_books_of_a_claim_that_was_taken_back_and_paid_anew() {
    let house = House::open().await;
    let answer = house.submit(bundle("BOOK-REV")).await;
    let sent = house.send(&answer.submission).await;
    house.answer(&answer.submission, &sent, &["835"]).await;
    let store = house.gateway.store.as_ref();
    let rows = store.journal_of(&answer.submission).await.unwrap();
    let entries: Vec<_> = rows.iter().map(|row| journal::entry_of(row).unwrap()).collect();
    assert!(entries.iter().any(|entry| entry.claim_status.as_deref() == Some("22") && entry.amount.is_sign_negative()));
    let account = account::of(store, DEFAULT_TENANT, "BOOK-REV").await.unwrap();
    // 140 less 20 % by contract; of the 112 the patient owes 20 %.
    let expected =
        json!({"charge": "140.00", "paid": "89.6", "writtenOff": "28", "patientBalance": "22.4", "outstanding": "0"});
    for (name, amount) in expected.as_object().unwrap() {
        let number = |value: &Value| value.as_str().unwrap().parse::<rust_decimal::Decimal>().unwrap();
        assert_eq!(number(&account[name]), number(amount), "{name} of {account:#}");
    }
}

#[tokio::test]
async fn a_journey_tells_files_numbers_places_and_amounts() {
    let house = House::open().await;
    let answer = house.submit(bundle("TOLD1")).await;
    let sent = house.send(&answer.submission).await;
    house.answer(&answer.submission, &sent, &["999", "277CA", "835"]).await;
    let journey = journey::of(house.gateway.store.as_ref(), DEFAULT_TENANT, "TOLD1").await.unwrap();
    let step = |event: &str| {
        let steps = journey["steps"].as_array().unwrap();
        steps.iter().find(|step| step["event"] == event).unwrap_or_else(|| panic!("{event} in {journey:#}"))
    };
    assert_eq!((&step("received")["by"], &step("received")["detail"]["version"]), (&json!("caller"), &json!(1)));
    let sealed = &step("sealed")["detail"];
    assert!(sealed["file"].as_str().unwrap().starts_with("837P-"), "{sealed:#}");
    assert_eq!(sealed["claims"][0]["set"], "0001");
    assert!(sealed["claims"][0]["segments"][1].as_u64() > sealed["claims"][0]["segments"][0].as_u64(), "{sealed:#}");
    let paid = &step("adjudicated")["detail"];
    assert_eq!(paid["amounts"]["charge"], "140", "{paid:#}");
    assert!(paid["traceNumber"].is_string() && paid["match"].is_string() && paid["group"].is_string(), "{paid:#}");
    let text = journey::text(&journey);
    assert!(text.lines().count() > 7 && text.contains("TRN ") && text.contains("segments "), "{text}");
    assert!(!text.to_lowercase().contains("rivera") && !journey.to_string().to_lowercase().contains("rivera"));
}

/// A 276 about claims, each by its patient control number and member id.
fn inquiry(number: u32, claims: &[(&str, &str)]) -> String {
    let mut text = format!(
        "ISA*00*          *00*          *ZZ*NORTHWIND      *ZZ*CLAIMGATE      *260325*0605*^*00501*{number:09}*0*T*:~\
         GS*HR*NORTHWIND*CLAIMGATE*20260325*0605*{number}*X*005010X212~"
    );
    for (n, (claim, member)) in claims.iter().enumerate() {
        let segments = [
            format!("ST*276*{:04}*005010X212", n + 1),
            format!("BHT*0010*13*B{n}*20260325*0605"),
            "HL*1**20*1".into(),
            "NM1*PR*2*NORTHWIND HEALTH PLAN*****PI*NW001".into(),
            "HL*2*1*21*1".into(),
            "NM1*41*2*ASKER*****46*ASKER01".into(),
            "HL*3*2*19*1".into(),
            "NM1*1P*2*CLINIC*****XX*1234567893".into(),
            "HL*4*3*22*0".into(),
            "DMG*D8*19800101*F".into(),
            format!("NM1*IL*1*RIVERA*ANA****MI*{member}"),
            format!("TRN*1*ASK{n}"),
            format!("REF*EJ*{claim}"),
            "AMT*T3*140".into(),
            "DTP*472*D8*20260303".into(),
        ];
        text += &segments.join("~");
        text += &format!("~SE*{}*{:04}~", segments.len() + 1, n + 1);
    }
    text + &format!("GE*{}*{number}~IEA*1*{number:09}~", claims.len())
}

#[tokio::test]
async fn who_asks_by_a_276_gets_a_277() {
    let house = House::open().await;
    let paid = house.submit(bundle("ASKED1")).await.submission;
    let sent = house.send(&paid).await;
    house.answer(&paid, &sent, &["277CA", "835"]).await;
    let waiting = house.submit(bundle("ASKED2")).await.submission;
    house.send(&waiting).await;
    let member = "NW00112233";
    let asked = [("ASKED1", member), ("ASKED2", member), ("NOBODY", member), ("ASKED1", "OTHERMEMBER")];
    let payer = PayerId("northwind".into());
    let bytes = inquiry(9, &asked).into_bytes();
    let received = receive::receive(&house.gateway, &payer, "276.x12", bytes.clone()).await.unwrap();
    assert!(!received.acknowledgment.is_empty(), "a 999 stands beside it");
    let text = String::from_utf8(received.answer.clone()).unwrap();
    let segments: Vec<&str> = text.split('~').collect();
    let status = |trace: &str| {
        let at = segments
            .iter()
            .position(|segment| *segment == format!("TRN*2*{trace}"))
            .unwrap_or_else(|| panic!("{text}"));
        segments[at + 1]
    };
    assert!(status("ASK0").starts_with("STC*F1:65*"), "{text}");
    assert!(status("ASK0").contains("*140*"), "{text}");
    let lines: Vec<&&str> = segments.iter().filter(|segment| segment.starts_with("SVC*HC")).collect();
    let numbers = segments.iter().filter(|segment| segment.starts_with("REF*FJ*")).count();
    assert!(!lines.is_empty() && numbers == lines.len(), "what was paid of each line: {text}");
    assert!(status("ASK1").starts_with("STC*A0:16:PRP*"), "{text}");
    assert!(status("ASK2").starts_with("STC*A4:35*"), "{text}");
    assert!(status("ASK3").starts_with("STC*A4:35*"), "a claim of another member is told to nobody: {text}");
    let (interchanges, _) = reader::read(&text);
    let issues = check::check_interchange(&house.gateway.translator.guides, &interchanges[0]);
    assert!(!any_error(&issues), "{issues:?}\n{text}");
    let again = receive::receive(&house.gateway, &payer, "276.x12", bytes).await.unwrap();
    assert!(again.repeated && !again.answer.is_empty(), "a question is answered as often as it is asked");
    let other = PayerId("generic".into());
    let asked = inquiry(10, &asked[..1]).into_bytes();
    let received = receive::receive(&house.gateway, &other, "276.x12", asked).await.unwrap();
    let text = String::from_utf8(received.answer).unwrap();
    assert!(text.contains("STC*A4:35*"), "the claims of one payer are told to no other: {text}");
}

/// At the limit every inquiry is looked up; the one above is told that it was not.
#[tokio::test]
async fn a_276_with_too_many_inquiries_is_answered_to_its_end() {
    let house = House::open().await;
    let asked = vec![("NOBODY", "NW00112233"); status::INQUIRIES_MOST + 1];
    let bytes = inquiry(11, &asked).into_bytes();
    let received = receive::receive(&house.gateway, &PayerId("northwind".into()), "276.x12", bytes).await.unwrap();
    let text = String::from_utf8(received.answer).unwrap();
    let told: Vec<&str> = text.split('~').filter(|segment| segment.starts_with("STC*")).collect();
    let (last, others) = told.split_last().unwrap();
    assert_eq!(others.len(), status::INQUIRIES_MOST);
    assert!(others.iter().all(|told| told.starts_with("STC*A4:35*")), "{others:?}");
    assert!(last.starts_with("STC*E1:484*"), "{last}");
    let (interchanges, _) = reader::read(&text);
    let issues = check::check_interchange(&house.gateway.translator.guides, &interchanges[0]);
    assert!(!any_error(&issues), "{issues:?}");
}

#[tokio::test]
async fn lists_books_and_journeys_over_http_and_on_the_command_line() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let mut claims = Vec::new();
    for number in ["HTTP1", "HTTP2", "HTTP3-DENY"] {
        let reply = server.post("/fhir/Claim/$submit", &bundle(number)).await;
        claims.push(reply.body["request"]["reference"].as_str().unwrap().to_owned());
    }
    let patience = std::time::Duration::from_secs(60);
    for claim in &claims {
        eventually("it is sent", patience, async || {
            let journey = server.get(&format!("/journeys/{claim}")).await.body;
            (journey["state"] == "sent").then_some(())
        })
        .await;
    }
    answer_all(&server, "northwind").await;
    for claim in &claims {
        eventually("it is decided", patience, async || {
            let journey = server.get(&format!("/journeys/{claim}")).await.body;
            (journey["state"] == "adjudicated").then_some(())
        })
        .await;
    }
    let csv = server.get("/accounting/journal").await;
    let text = csv.body.as_str().unwrap();
    assert!(csv.status == 200 && text.starts_with("date,amount,kind,"), "{text}");
    assert!(text.contains(",charge,,northwind,HTTP1,") && text.contains(&claims[0]), "{text}");
    assert_eq!(server.get("/accounting/journal?to=2001-01-01&format=ndjson").await.body, "");
    for wrong in ["/accounting/journal?format=xml", "/accounting/journal?from=today", "/worklists/overdue?answer=820"] {
        let reply = server.get(wrong).await;
        assert_eq!((reply.status, reply.body["resourceType"].as_str()), (400, Some("OperationOutcome")), "{wrong}");
    }
    let account = server.get(&format!("/accounting/claims/{}", claims[0])).await;
    assert_eq!((account.status, account.body["charge"].as_str()), (200, Some("140.00")), "{:#}", account.body);
    assert_eq!(server.get("/accounting/claims/HTTP1").await.body["claim"], json!(claims[0]));
    let denied = server.get("/worklists/denials?reason=CO-16").await;
    assert_eq!(denied.body["claims"][0]["claim"], json!(claims[2]), "{:#}", denied.body);
    assert_eq!(server.get("/worklists/overdue?payer=northwind").await.body, json!({"overdue": []}));
    assert_eq!(server.get("/journeys/HTTP2").await.body["claim"], json!(claims[1]));

    let mut found = Vec::new();
    let mut page = Some("/fhir/Claim?_count=2".to_owned());
    while let Some(path) = page.take() {
        let bundle = server.get(&path).await.body;
        let ids = bundle["entry"].as_array().unwrap().iter().map(|entry| entry["resource"]["id"].clone());
        found.extend(ids);
        let links = bundle["link"].as_array().unwrap();
        let next = links.iter().find(|link| link["relation"] == "next").and_then(|link| link["url"].as_str());
        page = next.and_then(|url| url.strip_prefix(&server.base)).map(str::to_owned);
    }
    // The three, and the draft that takes up the denial.
    let once: std::collections::BTreeSet<String> = found.iter().map(Value::to_string).collect();
    assert_eq!((found.len(), once.len()), (4, 4), "every claim stands on one page: {found:?}");

    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_claimgate"))
            .args(arguments)
            .current_dir(&server.home)
            .env("CLAIMGATE_DATA_DIR", server.home.join("data"))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, told) = run(&["journey", "HTTP1"]);
    assert!(code == Some(0) && told.contains("adjudicated") && told.contains("TRN "), "{told}");
    let (code, told) = run(&["journal", "--payer", "northwind"]);
    assert_eq!((code, told.as_str()), (Some(0), text), "the command line tells the same");
    assert_eq!(run(&["journey", "NOBODY"]).0, Some(1));
}
