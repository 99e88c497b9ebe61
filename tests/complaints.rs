//! A payer complains of loop, segment and element; the caller is told its own FHIRPath. And `explain` says the same of every
//! element before anything is sent.

use crate::support::claim::bundle;
use claimgate::billing::id::PayerId;
use claimgate::clock::Clock;
use claimgate::config::Config;
use claimgate::flow::{dispatch, lookup, prepare, receive, submit, translate};
use claimgate::gateway::Gateway;
use claimgate::store::DEFAULT_TENANT;
use serde_json::{Value, json};
use std::path::Path;

async fn open(home: &Path) -> Gateway {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mappings_dir, conformance_dir) = (root.join("mappings"), root.join("conformance"));
    let config = Config { data_dir: home.to_owned(), mappings_dir, conformance_dir, ..Config::default() };
    Gateway::open(config, Clock::fixed("2026-03-10T12:00:00Z".parse().unwrap())).await.unwrap()
}

/// Submits and seals claims in one interchange; answers the ClaimResponses' ids and the segments from ISA on.
async fn send(gateway: &Gateway, claims: Vec<Value>) -> (Vec<String>, Vec<String>) {
    let (mut ids, mut responses) = (Vec::new(), Vec::new());
    for body in claims {
        let request = submit::Request { tenant: DEFAULT_TENANT.into(), body, idempotency_key: None };
        let answer = submit::submit(gateway, request).await.unwrap();
        ids.push(answer.submission);
        responses.push(answer.response["id"].as_str().unwrap().to_owned());
    }
    let sealed = dispatch::seal(gateway, &PayerId("northwind".into()), &ids).await.unwrap();
    let interchange = gateway.store.interchange(&sealed[0]).await.unwrap().unwrap();
    let text = String::from_utf8(interchange.bytes).unwrap();
    (responses, text.split('~').map(|segment| segment.trim().to_owned()).collect())
}

/// A 999 that refuses set 0001 for one element of the segment that begins so, the n-th of them.
fn refusal(segments: &[String], start: &str, nth: usize, in_loop: &str, element: &str) -> String {
    let st = segments.iter().position(|segment| segment.starts_with("ST|")).unwrap();
    let place = segments.iter().enumerate().filter(|(_, segment)| segment.starts_with(start)).nth(nth).unwrap().0;
    let id = start.split('|').next().unwrap();
    let set = [
        "ST*999*0001*005010X231A1".to_owned(),
        "AK1*HC*1*005010X222A1".into(),
        "AK2*837*0001*005010X222A1".into(),
        format!("IK3*{id}*{}*{in_loop}*8", place - st + 1),
        format!("IK4*{element}**7"),
        "IK5*R*5".into(),
        "AK9*R*1*1*0".into(),
        "SE*8*0001".into(),
    ];
    format!(
        "ISA*00*          *00*          *30*841234567      *ZZ*CLAIMGATE      *260310*1400*^*00501*000000010*0*T*:~\
         GS*FA*NWCLAIMS*CLAIMGATE*20260310*1400*10*X*005010X231A1~{}~GE*1*10~IEA*1*000000010~",
        set.join("~")
    )
}

/// What the caller is told after this answer.
async fn told(gateway: &Gateway, response: &str, answer: String) -> Vec<String> {
    let payer = PayerId("northwind".into());
    receive::receive(gateway, &payer, "999.x12", answer.into_bytes()).await.unwrap();
    let response = lookup::read_reference(gateway, DEFAULT_TENANT, &format!("ClaimResponse/{response}")).await;
    let response = response.unwrap().unwrap();
    let errors = response["error"].as_array().unwrap_or_else(|| panic!("{response:#}"));
    errors.iter().map(|error| error["code"]["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_complaint_names_the_callers_own_element() {
    let home = tempfile::tempdir().unwrap();
    let gateway = open(home.path()).await;
    // The second claim shares the billing provider's level with the first.
    let (responses, segments) = send(&gateway, vec![bundle("FIRST"), bundle("SECOND")]).await;
    let answer = refusal(&segments, "SV1|", 3, "2400", "1:2");
    let told = told(&gateway, &responses[1], answer).await;
    assert!(
        told[0].contains("SV101-2") && told[0].contains("from Claim.item[1].productOrService.coding[0].code"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_part_of_a_split_claim_is_traced_to_the_line_of_the_whole() {
    let home = tempfile::tempdir().unwrap();
    let gateway = open(home.path()).await;
    let mut body = bundle("LONG");
    let claim = &mut body["entry"][0]["resource"];
    let line = claim["item"][1].clone();
    let lines = (1..=60).map(|n| {
        let mut line = line.clone();
        line["sequence"] = json!(n);
        line
    });
    claim["item"] = lines.collect();
    claim["total"]["value"] = json!(2400);
    let (responses, segments) = send(&gateway, vec![body]).await;
    // The fifth line of the second part is the 55th of the claim.
    let answer = refusal(&segments, "SV1|", 54, "2400", "2");
    let told = told(&gateway, &responses[0], answer).await;
    assert!(told[0].contains("from Claim.item[54].net"), "{told:?}");
}

#[tokio::test]
async fn what_the_caller_can_not_mend_is_not_laid_at_its_door() {
    let home = tempfile::tempdir().unwrap();
    let gateway = open(home.path()).await;
    let (responses, segments) = send(&gateway, vec![bundle("FIXED")]).await;
    // CLM07 comes from the payer's profile.
    let told = told(&gateway, &responses[0], refusal(&segments, "CLM|", 0, "2300", "7")).await;
    assert!(told[0].contains("CLM07") && !told[0].contains("from"), "{told:?}");
}

#[tokio::test]
async fn explain_prints_each_segment_with_rule_and_source() {
    let home = tempfile::tempdir().unwrap();
    let gateway = open(home.path()).await;
    let translator = &gateway.translator;
    let resources = translate::read(translator, bundle("EXPLAIN").to_string().as_bytes()).unwrap();
    let known = translate::known(&resources, gateway.clock.now());
    let explained = prepare::explain_segments(translator, &resources, Some("generic"), &known).unwrap();
    let segment = |start: &str| explained.iter().find(|segment| segment.text.starts_with(start)).unwrap();
    let charge = segment("SV1*").elements.iter().find(|element| element.name == "SV102").unwrap();
    assert_eq!((charge.value.as_str(), charge.sources[0].path.as_str()), ("100", "Claim.item[0].net.value"));
    assert_eq!(charge.sources[0].value, "100.00");
    assert!(charge.rule.contains("mappings/x12/837p.yaml:"), "{}", charge.rule);
    let defaulted = segment("CLM*").elements.iter().find(|element| element.name == "CLM06").unwrap();
    assert_eq!(defaulted.sources[0].path, "%payer.defaults.clm06");
    assert_eq!(defaulted.sources[0].value, "Y");
    let name = segment("NM1*IL*").elements.iter().find(|element| element.name == "NM103").unwrap();
    assert!(!name.sources[0].value.is_empty(), "{name:?}");
    // Every segment stands under its own loop, in the order in which it is sent.
    assert_eq!((explained[0].loop_id.as_str(), explained[0].text.as_str()), ("2000A", "HL*1**20*1~"));
}
