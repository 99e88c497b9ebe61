//! Answers at the gateway: matched or kept, in any order, in pieces, taken back and corrected; over HTTP.

use crate::support::claim::bundle;
use crate::support::server::{Reply, Server, eventually};
use serde_json::{Value, json};
use std::time::Duration;

/// A payer's interchange of one set, sent in.
async fn receive(server: &Server, number: u32, group: &str, version: &str, set: &str) -> Reply {
    let isa = format!(
        "ISA*00*          *00*          *ZZ*NORTHWIND      *ZZ*CLAIMGATE      *260325*0605*^*00501*{number:09}*0*T*:~"
    );
    let text = format!(
        "{isa}GS*{group}*NORTHWIND*CLAIMGATE*20260325*0605*{number}*X*{version}~{set}GE*1*{number}~IEA*1*{number:09}~"
    );
    let headers = [("content-type", "application/edi-x12")];
    server.send("/payers/northwind/interchanges", &headers, text.into_bytes()).await.unwrap()
}

/// An 835 of some claims; every claim is CLP to its last segment.
async fn pay(server: &Server, number: u32, total: &str, claims: &str) {
    let set = format!(
        "ST*835*0001~BPR*I*{total}*C*ACH************20260325~TRN*1*EFT{number}*1999999999~DTM*405*20260324~\
         N1*PR*NORTHWIND HEALTH PLAN~N3*1 WAY~N4*MIAMI*FL*33101~PER*BL*EDI*TE*8005551212~\
         N1*PE*CLINIC*XX*1234567893~LX*1~{claims}SE*99*0001~"
    );
    let reply = receive(server, number, "HP", "005010X221A1", &set).await;
    assert!(matches!(reply.status, 200 | 204), "{}: {:#}", reply.status, reply.body);
}

/// A 277CA that says `status` of one claim, from a payer (PR) or a clearinghouse (AY).
async fn acknowledge(server: &Server, number: u32, from: &str, status: &str, claim: &str, icn: &str) {
    let set = format!(
        "ST*277*0001*005010X214~BHT*0085*08*B{number}*20260311*0700*TH~HL*1**20*1~NM1*{from}*2*SENDER*****46*999~\
         TRN*1*B{number}~HL*2*1*21*1~NM1*41*2*GATEWAY*****46*GATEWAY01~TRN*2*X~HL*3*2*19*1~\
         NM1*85*2*CLINIC*****XX*1234567893~HL*4*3*PT~NM1*QC*1*RIVERA*ANA****MI*NW00112233~TRN*2*{claim}~\
         STC*{status}*20260311*WQ*140~REF*1K*{icn}~DTP*472*D8*20260303~SE*18*0001~"
    );
    receive(server, number, "HN", "005010X214", &set).await;
}

async fn submitted(server: &Server, number: &str) -> String {
    let reply = server.post("/fhir/Claim/$submit", &bundle(number)).await;
    assert_eq!(reply.status, 201, "{:#}", reply.body);
    reply.body["request"]["reference"].as_str().unwrap().to_owned()
}

async fn steps(server: &Server, claim: &str) -> Vec<String> {
    let journey = server.get(&format!("/journeys/{claim}")).await;
    let steps = journey.body["steps"].as_array().unwrap().iter();
    steps.map(|step| step["event"].as_str().unwrap().to_owned()).collect()
}

async fn unmatched(server: &Server) -> Vec<Value> {
    server.get("/admin/responses?state=unmatched").await.body["responses"].as_array().unwrap().clone()
}

fn paid(answer: &Value) -> Option<String> {
    answer["payment"]["amount"]["value"].is_number().then(|| answer["payment"]["amount"]["value"].to_string())
}

#[tokio::test]
async fn an_answer_to_nobody_is_kept_and_matched_by_hand() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let claim = submitted(&server, "GATE1").await;
    pay(&server, 1, "60", "CLP*OTHERNUMBER*1*75*60**12*ICN1*11*1~NM1*QC*1*NOBODY*X~CAS*CO*45*15~").await;
    let waiting = unmatched(&server).await;
    let [answer] = waiting.as_slice() else { panic!("one answer waits: {waiting:?}") };
    assert_eq!((&answer["patientControlNumber"], &answer["paid"]), (&json!("OTHERNUMBER"), &json!("60")));
    assert!(!answer.to_string().contains("NOBODY"), "the list names no patient");

    let path = format!("/admin/responses/{}/match", answer["id"].as_str().unwrap());
    let reply = server.post(&path, &json!({"submission": "Claim/none"})).await;
    assert_eq!(reply.status, 404);
    let reply = server.post(&path, &json!({"submission": claim})).await;
    assert_eq!((reply.status, &reply.body["claim"]), (200, &json!(claim)), "{:#}", reply.body);
    let told = server.answered(&claim, |answer| answer["outcome"] == "complete").await;
    assert_eq!(paid(&told).as_deref(), Some("60"));
    assert!(unmatched(&server).await.is_empty());
    assert_eq!(server.post(&path, &json!({"submission": claim})).await.status, 404, "it waits no more");
}

#[tokio::test]
async fn a_later_file_finds_what_an_earlier_could_not() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let claim = submitted(&server, "GATE2").await;
    pay(&server, 1, "112", "CLP*0*1*140*112**12*ICN20*11*1~NM1*QC*1*RIVERA*ANA~CAS*CO*45*28~").await;
    assert_eq!(unmatched(&server).await.len(), 1, "no number of ours is in it");
    acknowledge(&server, 2, "PR", "A2:20", "GATE2", "ICN20").await;
    let told = server.answered(&claim, |answer| answer["outcome"] == "complete").await;
    assert_eq!(paid(&told).as_deref(), Some("112"));
    assert!(unmatched(&server).await.is_empty());
}

#[tokio::test]
async fn a_clearinghouse_passes_on_and_the_payer_takes() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let claim = submitted(&server, "GATE3").await;
    acknowledge(&server, 1, "AY", "A2:20", "GATE3", "CH1").await;
    let before = steps(&server, &claim).await;
    assert!(before.contains(&"forwarded".into()) && !before.contains(&"accepted".into()), "{before:?}");
    acknowledge(&server, 2, "PR", "A2:20", "GATE3", "ICN3").await;
    assert!(steps(&server, &claim).await.contains(&"accepted".into()));
}

#[tokio::test]
async fn a_claim_that_the_payer_took_apart_is_one_again() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let claim = submitted(&server, "GATE4").await;
    let first = "CLP*GATE4*1*100*80**12*ICN41*11*1~NM1*QC*1*RIVERA*ANA****MI*NW00112233~SVC*HC:99213*100*80~DTM*472*20260303~CAS*CO*45*20~";
    let second = "CLP*GATE4*1*40*30**12*ICN42*11*1~NM1*QC*1*RIVERA*ANA****MI*NW00112233~SVC*HC:87880*40*30~DTM*472*20260303~CAS*CO*45*10~";
    pay(&server, 1, "30", second).await;
    pay(&server, 2, "80", first).await;
    let told = server.answered(&claim, |answer| paid(answer).as_deref() == Some("110")).await;
    assert_eq!((told["outcome"].as_str(), told["item"].as_array().unwrap().len()), (Some("complete"), 2), "{told:#}");
    let numbers = told["identifier"].as_array().unwrap().iter().map(|each| each["value"].as_str().unwrap());
    let mut numbers: Vec<&str> = numbers.collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["ICN41", "ICN42"]);
}

#[tokio::test]
async fn a_reversal_cancels_and_its_correction_is_a_new_answer() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let claim = submitted(&server, "GATE5").await;
    let patient = "NM1*QC*1*RIVERA*ANA****MI*NW00112233~";
    pay(&server, 1, "80", &format!("CLP*GATE5*1*140*80**12*ICN5*11*1~CAS*CO*45*60~{patient}")).await;
    let first = server.answered(&claim, |answer| paid(answer).as_deref() == Some("80")).await;
    let corrected = format!(
        "CLP*GATE5*22*-140*-80**12*ICN5*11*1~CAS*CO*45*-60~{patient}\
         CLP*GATE5*1*140*100**12*ICN6*11*1~CAS*CO*45*40~{patient}REF*F8*ICN5~"
    );
    pay(&server, 2, "20", &corrected).await;
    let newest = eventually("the correction is told", Duration::from_secs(60), async || {
        let all = server.get(&format!("/fhir/ClaimResponse?request={claim}&status=active")).await;
        let entries = all.body["entry"].as_array().cloned().unwrap_or_default();
        entries.into_iter().map(|entry| entry["resource"].clone()).find(|each| paid(each).as_deref() == Some("100"))
    })
    .await;
    assert_ne!(newest["id"], first["id"]);
    let old = server.get(&format!("/fhir/ClaimResponse/{}", first["id"].as_str().unwrap())).await;
    assert_eq!(old.body["status"], "cancelled");
    // The same file once more changes nothing.
    let before = steps(&server, &claim).await.len();
    pay(&server, 2, "20", &corrected).await;
    assert_eq!(steps(&server, &claim).await.len(), before);
}
