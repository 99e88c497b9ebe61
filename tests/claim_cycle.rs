//! The cycle of a claim: replaced, voided, sent again after a rejection, held until the payer has answered, mended, released.

use crate::support::claim::{bundle, of};
use crate::support::house::House;
use claimgate::billing::journey::State;
use claimgate::fault::Fault;
use serde_json::{Value, json};

/// CLM05-3 and REF*F8 of the claim in a file to northwind.
fn correction(sent: &str) -> (String, Option<String>) {
    let segments: Vec<Vec<&str>> = sent.split('~').map(|segment| segment.trim().split('|').collect()).collect();
    let claim = segments.iter().find(|elements| elements[0] == "CLM").unwrap();
    let number =
        segments.iter().find(|elements| elements.starts_with(&["REF", "F8"])).map(|elements| elements[2].to_owned());
    (claim[5].rsplit('>').next().unwrap().to_owned(), number)
}

fn related(body: &mut Value, claim: &str, code: &str) {
    let relationship = json!({"coding": [{"code": code}]});
    of(body, "Claim")["related"] = json!([{"claim": {"reference": claim}, "relationship": relationship}]);
}

/// The same claim with another code on its second line.
fn mended(number: &str) -> Value {
    let mut body = bundle(number);
    of(&mut body, "Claim")["item"][1]["productOrService"]["coding"][0]["code"] = json!("87430");
    body
}

fn codes(fault: &Fault) -> Vec<&'static str> {
    fault.issues.iter().map(|issue| issue.code).collect()
}

async fn number_of(house: &House, claim: &str) -> String {
    let found = house.gateway.store.submission_of("default", claim).await.unwrap().unwrap();
    let chain = house.gateway.store.chain(&found.id).await.unwrap();
    chain.into_iter().rev().find_map(|link| link.payer_claim_control_number).unwrap()
}

#[tokio::test]
async fn a_paid_claim_is_replaced_and_the_replacement_voided() {
    let house = House::open().await;
    let first = house.submit(bundle("CYC1")).await;
    let sent = house.send(&first.submission).await;
    assert_eq!(correction(&sent), ("1".into(), None));
    house.answer(&first.submission, &sent, &["999", "277CA", "835"]).await;

    let mut body = mended("CYC1-A");
    related(&mut body, &first.claim, "prior");
    let second = house.submit(body.clone()).await;
    let replacement = house.send(&second.submission).await;
    assert_eq!(correction(&replacement), ("7".into(), Some(number_of(&house, &first.claim).await)));
    let repeated = house.submit(body).await;
    assert!(repeated.repeated && repeated.submission == second.submission);
    house.answer(&second.submission, &replacement, &["999", "277CA", "835"]).await;

    let mut void = mended("CYC1-B");
    related(&mut void, &first.claim, "prior");
    of(&mut void, "Claim")["status"] = json!("cancelled");
    let third = house.submit(void).await;
    let sent = house.send(&third.submission).await;
    assert_eq!(correction(&sent), ("8".into(), Some(number_of(&house, &second.claim).await)), "of the newest");
    house.answer(&third.submission, &sent, &["999", "277CA"]).await;

    let mut late = mended("CYC1-C");
    related(&mut late, &first.claim, "replaces");
    let refused = house.try_submit(late).await.unwrap_err();
    assert_eq!((codes(&refused), refused.status()), (vec!["CG-1404"], 422), "nothing replaces a void");
    assert!(refused.issues[0].hint.is_some());
}

#[tokio::test]
async fn what_comes_too_early_waits_for_the_payers_number() {
    let house = House::open().await;
    let first = house.submit(bundle("CYC2")).await;
    let sent = house.send(&first.submission).await;
    let mut body = mended("CYC2-A");
    related(&mut body, &first.claim, "prior");
    let second = house.submit(body).await;
    assert_eq!(house.state(&second.submission).await, State::Held);
    assert!(second.response["disposition"].as_str().unwrap().starts_with("Held: "), "{:#}", second.response);
    assert_eq!(house.missing(&second.submission).await[0]["code"], "CG-1405");
    assert_eq!(house.wait(5).await, 0, "nothing has come");
    house.answer(&first.submission, &sent, &["999"]).await;
    assert_eq!(house.wait(5).await, 0, "a 999 gives no number");
    house.answer(&first.submission, &sent, &["277CA", "835"]).await;
    assert_eq!(house.wait(0).await, 1, "it goes on by itself");
    assert_eq!(house.state(&second.submission).await, State::Queued);
    let replacement = house.send(&second.submission).await;
    assert_eq!(correction(&replacement), ("7".into(), Some(number_of(&house, &first.claim).await)));
    assert!(!replacement.contains("PENDING"));
    assert_eq!(house.steps(&second.submission).await[..3], ["received", "held", "queued"]);
    assert_eq!(house.missing(&second.submission).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_held_replacement_of_a_rejected_claim_goes_as_an_original() {
    let house = House::open().await;
    let first = house.submit(bundle("CYC3-REJ")).await;
    let sent = house.send(&first.submission).await;
    let mut body = mended("CYC3-A");
    related(&mut body, &first.claim, "prior");
    let second = house.submit(body).await;
    assert_eq!(house.state(&second.submission).await, State::Held);
    house.answer(&first.submission, &sent, &["999", "277CA"]).await;
    assert_eq!(house.state(&first.submission).await, State::Rejected);
    assert_eq!(house.wait(1).await, 1);
    assert_eq!(correction(&house.send(&second.submission).await), ("1".into(), None));
    assert_eq!(house.submission(&first.submission).await.superseded, Some(second.submission));
}

#[tokio::test]
async fn a_rejected_claim_is_sent_again_under_its_number_as_an_original() {
    let house = House::open().await;
    let first = house.submit(bundle("CYC4-REJ")).await;
    let sent = house.send(&first.submission).await;
    house.answer(&first.submission, &sent, &["999", "277CA"]).await;
    let second = house.submit(mended("CYC4-REJ")).await;
    assert_eq!(correction(&house.send(&second.submission).await), ("1".into(), None));

    let mut void = bundle("CYC4-REJ");
    of(&mut void, "Claim")["status"] = json!("cancelled");
    let refused = house.try_submit(void.clone()).await;
    assert!(refused.is_ok(), "the second is on its way: its void waits");
    let third = refused.unwrap();
    assert_eq!(house.state(&third.submission).await, State::Held);
}

#[tokio::test]
async fn the_same_number_replaces_what_the_payer_has_and_is_refused_before() {
    let house = House::open().await;
    let first = house.submit(bundle("CYC5")).await;
    let refused = house.try_submit(mended("CYC5")).await.unwrap_err();
    assert_eq!((codes(&refused), refused.status()), (vec!["CG-1402"], 409));
    let sent = house.send(&first.submission).await;
    house.answer(&first.submission, &sent, &["999", "277CA", "835"]).await;
    let mut other = mended("CYC5");
    of(&mut other, "Patient")["birthDate"] = json!("1999-09-09");
    assert_eq!(codes(&house.try_submit(other).await.unwrap_err()), ["CG-1402"], "another patient's claim");
    let second = house.submit(mended("CYC5")).await;
    let sent = house.send(&second.submission).await;
    assert_eq!(correction(&sent), ("7".into(), Some(number_of(&house, &first.claim).await)));
    assert!(house.submit(bundle("CYC5")).await.repeated, "the first content is still the first claim");
}

#[tokio::test]
async fn an_update_mends_replaces_and_voids() {
    let house = House::open().await;
    let first = house.submit(bundle("CYC6")).await;
    let stored = |claim: &str| {
        let (house, claim) = (&house, claim.to_owned());
        async move { claimgate::flow::lookup::read_reference(&house.gateway, "default", &claim).await.unwrap().unwrap() }
    };
    let claim = stored(&first.claim).await;
    assert!(house.update(claim.clone()).await.unwrap().repeated, "an update without a change changes nothing");
    let sent = house.send(&first.submission).await;
    house.answer(&first.submission, &sent, &["999", "277CA", "835"]).await;
    let mut next = claim.clone();
    next["item"][1]["productOrService"]["coding"][0]["code"] = json!("87430");
    let second = house.update(next).await.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(second.claim, first.claim, "the same Claim in its next version");
    assert_eq!(stored(&first.claim).await["meta"]["versionId"], "2");
    let sent = house.send(&second.submission).await;
    assert_eq!(correction(&sent).0, "7");
    house.answer(&second.submission, &sent, &["999", "277CA", "835"]).await;
    let mut void = stored(&first.claim).await;
    void["status"] = json!("entered-in-error");
    let third = house.update(void).await.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(correction(&house.send(&third.submission).await).0, "8");
    let nobody = json!({"resourceType": "Claim", "id": "nobody"});
    assert!(house.update(nobody).await.is_err());
}

#[tokio::test]
async fn a_void_of_what_was_never_taken_is_refused() {
    let house = House::open().await;
    let first = house.submit(bundle("CYC7-REJ")).await;
    let sent = house.send(&first.submission).await;
    house.answer(&first.submission, &sent, &["999", "277CA"]).await;
    let mut void = bundle("CYC7-V");
    related(&mut void, &first.claim, "prior");
    of(&mut void, "Claim")["status"] = json!("cancelled");
    let refused = house.try_submit(void).await.unwrap_err();
    assert_eq!(codes(&refused), ["CG-1404"]);
    let mut unknown = bundle("CYC7-E");
    of(&mut unknown, "Claim")["status"] = json!("entered-in-error");
    assert_eq!(codes(&house.try_submit(unknown).await.unwrap_err()), ["CG-1403"]);
    let mut unknown = bundle("CYC7-U");
    of(&mut unknown, "Claim")["status"] = json!("cancelled");
    assert_eq!(codes(&house.try_submit(unknown).await.unwrap_err()), ["CG-1316"], "which one?");
}

/// A house whose northwind has these edits.
async fn with_edits(edits: &str) -> (tempfile::TempDir, House) {
    let mappings = tempfile::tempdir().unwrap();
    let folder = mappings.path().join("mappings");
    crate::support::server::copy(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings"), &folder);
    let profile = folder.join("payers/northwind/payer.yaml");
    let text = std::fs::read_to_string(&profile).unwrap();
    let line = text.lines().find(|line| line.starts_with("edits:")).unwrap();
    std::fs::write(&profile, text.replace(line, &format!("edits: {edits}"))).unwrap();
    let house = House::with(|config| config.mappings_dir = folder).await;
    (mappings, house)
}

#[tokio::test]
async fn the_same_services_under_another_number_warn_or_hold_as_the_payer_has_it() {
    let house = House::open().await;
    let first = house.submit(bundle("DUP1")).await;
    let second = house.submit(bundle("DUP2")).await;
    assert_eq!(house.state(&second.submission).await, State::Queued, "a warning");
    let events = house.gateway.store.events(&second.submission).await.unwrap();
    assert!(events[0].detail.contains("\"duplicate\":true"), "{}", events[0].detail);
    assert!(!house.gateway.store.events(&first.submission).await.unwrap()[0].detail.contains("duplicate"));

    let (_folder, house) = with_edits("{ refuse: [duplicate-claim], hold: [CG-1325] }").await;
    house.submit(bundle("DUP3")).await;
    let second = house.submit(bundle("DUP4")).await;
    assert_eq!(house.state(&second.submission).await, State::Held);
    assert_eq!(house.missing(&second.submission).await[0]["code"], "CG-1325");
    let (_folder, house) = with_edits("{ refuse: [duplicate-claim] }").await;
    house.submit(bundle("DUP5")).await;
    let refused = house.try_submit(bundle("DUP6")).await.unwrap_err();
    assert_eq!((codes(&refused), refused.status()), (vec!["CG-1325"], 409));
    house.submit(mended("DUP7")).await;
}

#[tokio::test]
async fn what_is_held_for_an_edit_is_mended_or_released() {
    let (_folder, house) = with_edits("{ hold: [CG-1302, CG-1324], authorization: [87880-87881] }").await;
    let held = house.submit(bundle("HOLD1")).await;
    assert_eq!(house.state(&held.submission).await, State::Held);
    let missing = house.missing(&held.submission).await;
    assert_eq!((&missing[0]["code"], &missing[0]["at"]), (&json!("CG-1324"), &json!("Claim.item[1]")), "{missing:#?}");
    assert!(missing[0]["hint"].as_str().unwrap().contains("preAuthRef"));
    let mut whole = bundle("HOLD1");
    of(&mut whole, "Claim")["insurance"][0]["preAuthRef"] = json!(["AUTH1"]);
    let mended = house.submit(whole).await;
    assert_eq!(house.state(&mended.submission).await, State::Queued);
    assert_eq!(house.submission(&held.submission).await.superseded, Some(mended.submission));

    let other = house.submit(bundle("HOLD2")).await;
    let release = |id| claimgate::flow::hold::release(&house.gateway, "default", id);
    release(&other.submission).await.unwrap();
    assert_eq!(house.state(&other.submission).await, State::Queued);
    assert_eq!(house.steps(&other.submission).await, ["received", "held", "released"]);
    assert!(house.send(&other.submission).await.contains("CLM|HOLD2|140|"));
    assert_eq!(codes(&release(&other.submission).await.unwrap_err()), ["CG-1407"]);
    let wrong = bundle("HOLD3-X");
    let mut wrong = wrong;
    of(&mut wrong, "Claim")["total"]["value"] = json!(1);
    let held = house.submit(wrong).await;
    assert_eq!(house.missing(&held.submission).await.len(), 2, "all reasons at once");
}

#[tokio::test]
async fn an_unknown_edit_in_a_profile_is_told_at_start() {
    let mappings = tempfile::tempdir().unwrap();
    let folder = mappings.path().join("mappings");
    crate::support::server::copy(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings"), &folder);
    let profile = folder.join("payers/northwind/payer.yaml");
    let text = std::fs::read_to_string(&profile).unwrap().replace("edits: { off: []", "edits: { off: [zipp]");
    std::fs::write(&profile, text).unwrap();
    let config = claimgate::config::Config { mappings_dir: folder, ..Default::default() };
    let fault = claimgate::gateway::Translator::load(config).err().unwrap();
    assert!(fault.to_string().contains("zipp"), "{fault}");
}

#[tokio::test]
async fn repairs_come_first_and_stand_in_the_journey() {
    let house = House::open().await;
    let mut body = bundle("REP1");
    of(&mut body, "Patient")["address"][0]["state"] = json!("MA");
    of(&mut body, "Patient")["address"][0]["postalCode"] = json!("2134");
    of(&mut body, "Patient")["name"][0]["family"] = json!("De  La Cruz");
    let answer = house.submit(body).await;
    let detail = house.gateway.store.events(&answer.submission).await.unwrap()[0].detail.clone();
    let detail: Value = serde_json::from_str(&detail).unwrap();
    let repairs: Vec<&str> =
        detail["repairs"].as_array().unwrap().iter().map(|each| each["repair"].as_str().unwrap()).collect();
    assert!(repairs.contains(&"zip-zero") && repairs.contains(&"blanks"), "{detail:#}");
    assert!(!detail.to_string().contains("02134") && !detail.to_string().contains("Cruz"));
    let sent = house.send(&answer.submission).await;
    assert!(sent.contains("|MA|02134") && sent.contains("DE LA CRUZ"), "{sent}");
}

/// Over HTTP: an update, the worklist, `$bill` and a release, and a worker that lets go on by itself.
#[tokio::test]
async fn the_doors_of_the_cycle() {
    use crate::support::encounter::visit;
    use crate::support::server::{Server, eventually};
    use std::time::Duration;
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[("CLAIMGATE_WORKER__ENCOUNTER_REST_MS", "100")]).await;
    let first = server.post("/fhir/Claim/$submit", &bundle("DOOR1")).await;
    let claim = first.body["request"]["reference"].as_str().unwrap().to_owned();
    let mut next = server.get(&format!("/fhir/{claim}")).await.body;
    next["item"][1]["productOrService"]["coding"][0]["code"] = json!("87430");
    let reply = server.put(&format!("/fhir/{claim}"), &next).await;
    assert_eq!((reply.status, &reply.body["meta"]["versionId"]), (200, &json!("2")), "{:#}", reply.body);
    let held = server.get("/billing-records?state=held").await;
    assert_eq!((held.status, &held.body["total"]), (200, &json!(1)), "{:#}", held.body);
    assert_eq!(held.body["records"][0]["missing"][0]["code"], "CG-1405");
    let id = held.body["records"][0]["id"].as_str().unwrap().to_owned();
    let early = server.post(&format!("/billing-records/{id}/$release"), &json!({})).await;
    assert_eq!(early.status, 409, "{:#}", early.body);
    crate::support::simulator::answer_all(&server, "northwind").await;
    eventually("the replacement goes on by itself", Duration::from_secs(60), async || {
        let record = server.get(&format!("/billing-records/{id}")).await.body;
        (record["state"] != "held" && record["records"][0]["frequencyCode"] == "7").then_some(())
    })
    .await;
    assert_eq!(server.get("/billing-records?state=nonsense").await.status, 400);
    assert_eq!(server.get("/billing-records/nobody").await.status, 404);

    let resources = visit("DOOR2");
    for resource in resources.iter().filter(|resource| resource["resourceType"] != "Coverage") {
        let path = format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        assert_eq!(server.put(&path, resource).await.status, 201);
    }
    let asked = server.post("/fhir/Encounter/enc/$bill", &json!({})).await;
    assert_eq!(
        (asked.status, asked.body["resourceType"].as_str()),
        (202, Some("OperationOutcome")),
        "{:#}",
        asked.body
    );
    assert_eq!(asked.body["issue"][0]["expression"][0], "Coverage");
    let coverage = resources.iter().find(|resource| resource["resourceType"] == "Coverage").unwrap();
    assert_eq!(server.put("/fhir/Coverage/cov", coverage).await.status, 201);
    eventually("the encounter is billed by itself", Duration::from_secs(60), async || {
        let found = server.get("/fhir/Claim?encounter=Encounter/enc").await.body;
        (found["total"] == 1).then_some(())
    })
    .await;
    let asked = server.post("/fhir/Encounter/enc/$bill", &json!({})).await;
    assert_eq!((asked.status, asked.body["resourceType"].as_str()), (200, Some("ClaimResponse")), "{:#}", asked.body);
}
