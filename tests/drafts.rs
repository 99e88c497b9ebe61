//! What comes after a payer's answer: the claim for the next payer, balanced and held; the claim to be mended; what people do
//! with them.

use crate::support::claim::{bundle, of};
use crate::support::house::House;
use crate::support::server::{Server, copy};
use claimgate::billing::id::{PayerId, SubmissionId};
use claimgate::billing::journey::State;
use claimgate::billing::payer::{Adjustment, LineAdjudication};
use claimgate::billing::record::BillingRecord;
use claimgate::config::Config;
use claimgate::flow::next::offline;
use claimgate::flow::{hold, journey, next, prepare, receive, translate, worklist};
use claimgate::gateway::Translator;
use claimgate::store::DEFAULT_TENANT;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::path::Path;

/// The claim with further coverages of the patient, each by a payer without a profile of its own.
fn insured(number: &str, more: u64) -> Value {
    let mut bundle = bundle(number);
    for n in 2..=more + 1 {
        let (coverage, payer) = (format!("cov{n}"), format!("payer{n}"));
        let order = format!("Coverage/{coverage}");
        of(&mut bundle, "Claim")["insurance"]
            .as_array_mut()
            .unwrap()
            .push(json!({"sequence": n, "focal": false, "coverage": {"reference": order}}));
        let mut second = of(&mut bundle, "Coverage").clone();
        second["id"] = json!(coverage);
        second["order"] = json!(n);
        second["subscriberId"] = json!(format!("M{n}"));
        second["payor"] = json!([{"reference": format!("Organization/{payer}")}]);
        let payer = json!({"resourceType": "Organization", "id": payer, "name": format!("Payer {n}"),
            "identifier": [{"type": {"coding": [{"code": "payerid"}]}, "value": format!("PAYER{n}")}]});
        for resource in [second, payer] {
            let (kind, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
            let url = format!("https://ehr.example/fhir/{kind}/{id}");
            bundle["entry"].as_array_mut().unwrap().push(json!({"fullUrl": url, "resource": resource}));
        }
    }
    bundle
}

/// An 835 of one claim, CLP to its last segment.
fn remittance(number: u32, total: &str, claim: &str) -> Vec<u8> {
    let isa = format!(
        "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLAIMGATE      *260325*0605*^*00501*{number:09}*0*T*:~"
    );
    format!(
        "{isa}GS*HP*PAYER*CLAIMGATE*20260325*0605*{number}*X*005010X221A1~ST*835*0001~BPR*I*{total}*C*CHK************20260325~\
         TRN*1*EFT{number}*1999999999~DTM*405*20260324~N1*PR*SOME PAYER~N3*1 WAY~N4*MIAMI*FL*33101~\
         PER*BL*EDI*TE*8005551212~N1*PE*CLINIC*XX*1234567893~LX*1~{claim}SE*99*0001~GE*1*{number}~IEA*1*{number:09}~"
    )
    .into_bytes()
}

const PATIENT: &str = "NM1*QC*1*RIVERA*ANA****MI*NW00112233~";

/// 140 dollars: 100 are the patient's deductible, 40 are written off. Nothing is paid.
fn deductible(number: &str, icn: &str) -> String {
    format!(
        "CLP*{number}*1*140*0*100*12*{icn}*11*1~{PATIENT}SVC*HC:99213*100*0~DTM*472*20260303~CAS*PR*1*100~\
         SVC*HC:87880*40*0~DTM*472*20260303~CAS*CO*45*40~"
    )
}

/// What the second payer makes of it.
const SECOND_ANSWER: &str = "CLP*TWO1-2*2*140*60*40*12*ICN2*11*1~NM1*QC*1*RIVERA*ANA~SVC*HC:99213*100*60~DTM*472*20260303~\
     CAS*PR*2*40~SVC*HC:87880*40*0~DTM*472*20260303~CAS*OA*23*40~";

/// 80 dollars are paid, 20 are the patient's.
fn coinsurance(number: &str, icn: &str) -> String {
    format!(
        "CLP*{number}*1*140*80*20*12*{icn}*11*1~{PATIENT}SVC*HC:99213*100*80~DTM*472*20260303~CAS*PR*2*20~\
         SVC*HC:87880*40*0~DTM*472*20260303~CAS*CO*45*40~"
    )
}

async fn pay(house: &House, payer: &str, number: u32, total: &str, claim: &str) {
    let bytes = remittance(number, total, claim);
    let received = receive::receive(&house.gateway, &PayerId(payer.into()), "835.x12", bytes).await.unwrap();
    assert_eq!((received.matched, received.unmatched), (1, 0), "{claim}");
}

async fn drafts(house: &House) -> Vec<Value> {
    let list = worklist::drafts(&house.gateway, DEFAULT_TENANT, 50).await.unwrap();
    list["records"].as_array().unwrap().clone()
}

fn id(draft: &Value) -> SubmissionId {
    SubmissionId(draft["id"].as_str().unwrap().to_owned())
}

async fn only_draft(house: &House) -> Value {
    let found = drafts(house).await;
    assert_eq!(found.len(), 1, "one draft waits: {found:#?}");
    worklist::one(&house.gateway, DEFAULT_TENANT, found[0]["id"].as_str().unwrap()).await.unwrap()
}

async fn sent(house: &House, body: Value) -> SubmissionId {
    let answer = house.submit(body).await;
    house.send(&answer.submission).await;
    answer.submission
}

/// In the usual delimiters, whichever the payer has.
fn starred(text: &str) -> String {
    text.replace('|', "*").replace('>', ":")
}

#[tokio::test]
async fn a_deductible_goes_on_to_the_second_payer_and_from_there_to_the_third() {
    let house = House::open().await;
    let first = sent(&house, insured("TWO1", 2)).await;
    pay(&house, "northwind", 1, "0", &deductible("TWO1", "ICN1")).await;
    let draft = only_draft(&house).await;
    assert_eq!(
        (&draft["draft"]["kind"], &draft["state"], &draft["missing"]),
        (&json!("secondary"), &json!("held"), &json!([]))
    );
    assert_eq!((&draft["claim"]["status"], &draft["payer"]), (&json!("draft"), &json!("generic")));
    assert_eq!(house.wait(3600).await, 0, "it waits for a person, not for time");
    assert!(house.steps(&first).await.contains(&"drafted"));

    let second = id(&draft);
    hold::release(&house.gateway, DEFAULT_TENANT, &second).await.unwrap();
    let text = house.send(&second).await;
    let paid = [
        "CLM*TWO1-2*140",
        "SBR*P*18",
        "AMT*D*0~",
        "AMT*EAF*100~",
        "REF*F8*ICN1~",
        "SVD*NW001*0*HC:99213**1~",
        "CAS*PR*1*100~",
        "CAS*CO*45*40~",
    ];
    for segment in paid {
        assert!(text.contains(segment), "{segment} is not in {text}");
    }
    assert_eq!(text.matches("DTP*573*D8*20260325~").count(), 2, "nothing was paid, and yet it was decided on a day");
    assert_eq!(house.steps(&second).await[..3], ["drafted", "held", "released"]);

    pay(&house, "generic", 2, "60", SECOND_ANSWER).await;
    let third = id(&only_draft(&house).await);
    hold::release(&house.gateway, DEFAULT_TENANT, &third).await.unwrap();
    let text = house.send(&third).await;
    for segment in ["CLM*TWO1-3*140", "SBR*T*18", "SVD*NW001*0*", "SVD*PAYER2*60*", "AMT*D*60~", "REF*F8*ICN2~"] {
        assert!(text.contains(segment), "{segment} is not in {text}");
    }
}

#[tokio::test]
async fn a_stored_coverage_of_the_patient_is_a_next_payer() {
    let house = House::open().await;
    let answer = house.submit(bundle("TWO2")).await;
    house.send(&answer.submission).await;
    let claim =
        house.gateway.store.read(DEFAULT_TENANT, "Claim", answer.claim.split_once('/').unwrap().1).await.unwrap();
    let claim: Value = serde_json::from_str(&claim.unwrap().body).unwrap();
    let mut coverage = of(&mut bundle("TWO2"), "Coverage").clone();
    coverage["id"] = json!("later");
    coverage["order"] = json!(2);
    for name in ["beneficiary", "subscriber"] {
        coverage[name] = claim["patient"].clone();
    }
    coverage["payor"] = json!([{"identifier": {"value": "PAYER2"}, "display": "Payer 2"}]);
    let write = claimgate::flow::submit::write(coverage);
    house.gateway.store.put(DEFAULT_TENANT, vec![write], house.gateway.clock.now()).await.unwrap();
    pay(&house, "northwind", 1, "80", &coinsurance("TWO2", "ICN1")).await;
    let draft = only_draft(&house).await;
    assert_eq!(draft["claim"]["insurance"][1]["coverage"]["reference"], "Coverage/later");
    assert_eq!(draft["claim"]["insurance"][1]["focal"], true);
}

#[tokio::test]
async fn what_is_told_again_drafts_nothing_and_what_is_taken_back_discards() {
    let house = House::open().await;
    sent(&house, insured("TWO3", 1)).await;
    pay(&house, "northwind", 1, "0", &deductible("TWO3", "ICN1")).await;
    let first = id(&only_draft(&house).await);
    pay(&house, "northwind", 2, "0", &deductible("TWO3", "ICN1")).await;
    assert_eq!(id(&only_draft(&house).await), first, "the same remittance in another file");

    let reversal = format!(
        "CLP*TWO3*22*-140*0**12*ICN1*11*1~{PATIENT}SVC*HC:99213*-100*0~DTM*472*20260303~CAS*PR*1*-100~\
         SVC*HC:87880*-40*0~DTM*472*20260303~CAS*CO*45*-40~"
    );
    pay(&house, "northwind", 3, "0", &reversal).await;
    assert!(drafts(&house).await.is_empty());
    assert_eq!(house.state(&first).await, State::Discarded);

    pay(&house, "northwind", 4, "80", &coinsurance("TWO3", "ICN2")).await;
    let second = id(&only_draft(&house).await);
    hold::release(&house.gateway, DEFAULT_TENANT, &second).await.unwrap();
    assert!(house.send(&second).await.contains("AMT*D*80~"));
}

#[tokio::test]
async fn a_later_decision_replaces_what_the_next_payer_has() {
    let house = House::open().await;
    sent(&house, insured("TWO4", 1)).await;
    pay(&house, "northwind", 1, "0", &deductible("TWO4", "ICN1")).await;
    let first = id(&only_draft(&house).await);
    hold::release(&house.gateway, DEFAULT_TENANT, &first).await.unwrap();
    house.send(&first).await;
    pay(
        &house,
        "generic",
        2,
        "10",
        "CLP*TWO4-2*2*140*10*90*12*ICNB*11*1~NM1*QC*1*RIVERA*ANA~CAS*OA*23*40~CAS*PR*1*90~",
    )
    .await;
    pay(&house, "northwind", 3, "80", &coinsurance("TWO4", "ICN1")).await;
    let second = id(&only_draft(&house).await);
    assert_ne!(first, second);
    hold::release(&house.gateway, DEFAULT_TENANT, &second).await.unwrap();
    let text = house.send(&second).await;
    assert!(text.contains(":B:7*") && text.contains("REF*F8*ICNB~") && text.contains("AMT*D*80~"), "{text}");
}

#[tokio::test]
async fn a_denial_is_mended_and_goes_out_as_a_replacement() {
    let house = House::open().await;
    sent(&house, bundle("DEN1")).await;
    let denied = format!(
        "CLP*DEN1*4*140*0**12*ICN1*11*1~{PATIENT}SVC*HC:99213*100*0~DTM*472*20260303~CAS*CO*4*100~\
         SVC*HC:87880*40*0~DTM*472*20260303~CAS*CO*45*40~"
    );
    pay(&house, "northwind", 1, "0", &denied).await;
    let draft = only_draft(&house).await;
    let changes = draft["draft"]["changes"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[0]["code"], &changes[0]["lines"]), (1, &json!("4"), &json!([1])));
    assert_eq!(draft["draft"]["step"], "replace");

    let mut claim = draft["claim"].clone();
    claim["status"] = json!("active");
    claim["item"][0]["modifier"] = json!([{"coding": [{"code": "25"}]}]);
    let answer = house.update(claim).await.unwrap_or_else(|fault| panic!("{fault}"));
    assert!(drafts(&house).await.is_empty(), "the mended claim has taken its place");
    let text = starred(&house.send(&answer.submission).await);
    assert!(text.contains(":B:7*") && text.contains("REF*F8*ICN1~") && text.contains("HC:99213:25"), "{text}");
    let told = journey::of(house.gateway.store.as_ref(), DEFAULT_TENANT, &answer.claim).await.unwrap();
    let told = journey::text(&told);
    let others: Vec<&str> = told.lines().filter(|line| line.contains("of the same claim")).collect();
    assert_eq!(others.len(), 2, "itself is no other: {told}");
    assert!(others[0].ends_with("adjudicated") && others[1].ends_with("held, superseded"), "{told}");
}

#[tokio::test]
async fn what_could_not_be_processed_is_a_new_claim() {
    let house = House::open().await;
    sent(&house, bundle("DEN2")).await;
    let denied = format!(
        "CLP*DEN2*4*140*0**12*ICN1*11*1~{PATIENT}MOA***MA130~SVC*HC:99213*100*0~DTM*472*20260303~CAS*CO*16*100~LQ*HE*M51~\
         SVC*HC:87880*40*0~DTM*472*20260303~CAS*CO*16*40~"
    );
    pay(&house, "northwind", 1, "0", &denied).await;
    let draft = only_draft(&house).await;
    let places: Vec<&str> =
        draft["draft"]["changes"].as_array().unwrap().iter().map(|change| change["at"].as_str().unwrap()).collect();
    assert_eq!(places, ["Claim.item[0].productOrService.coding[0].code"]);
    hold::release(&house.gateway, DEFAULT_TENANT, &id(&draft)).await.unwrap();
    let text = starred(&house.send(&id(&draft)).await);
    assert!(text.contains("CLM*DEN2-R*140***11:B:1*") && !text.contains("REF*F8"), "{text}");
}

#[tokio::test]
async fn a_draft_is_discarded_with_a_reason_and_stays_so() {
    let house = House::open().await;
    let first = sent(&house, insured("TWO5", 1)).await;
    pay(&house, "northwind", 1, "0", &deductible("TWO5", "ICN1")).await;
    let draft = id(&only_draft(&house).await);
    let discard = |id: SubmissionId, reason: &'static str| {
        let gateway = &house.gateway;
        async move { next::discard(gateway, DEFAULT_TENANT, &id, reason).await }
    };
    assert!(discard(draft.clone(), " ").await.is_err(), "without a reason");
    assert!(discard(first.clone(), "no draft").await.is_err(), "what was sent is no draft");
    discard(draft.clone(), "written off").await.unwrap();
    assert_eq!(house.state(&draft).await, State::Discarded);
    assert!(discard(draft.clone(), "again").await.is_err());
    assert!(hold::release(&house.gateway, DEFAULT_TENANT, &draft).await.is_err());
    pay(&house, "northwind", 2, "0", &deductible("TWO5", "ICN1")).await;
    assert!(drafts(&house).await.is_empty(), "the same answer brings it not back");
    assert_eq!(house.steps(&draft).await, ["drafted", "held", "discarded"]);
}

/// A house whose generic payer has another setting of `secondary`.
async fn with_setting(setting: &str) -> (House, tempfile::TempDir) {
    let mappings = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings"), mappings.path());
    let file = mappings.path().join("payers/generic/payer.yaml");
    let text = std::fs::read_to_string(&file).unwrap() + &format!("\nsecondary: {setting}\n");
    std::fs::write(&file, text).unwrap();
    let house = House::with(|config: &mut Config| config.mappings_dir = mappings.path().into()).await;
    (house, mappings)
}

#[tokio::test]
async fn the_payers_profile_says_what_becomes_of_it() {
    let (house, _mappings) = with_setting("send").await;
    let first = sent(&house, insured("TWO6", 1)).await;
    pay(&house, "northwind", 1, "80", &coinsurance("TWO6", "ICN1")).await;
    assert!(drafts(&house).await.is_empty());
    let events = house.gateway.store.events(&first).await.unwrap();
    let drafted: Value = serde_json::from_str(&events.last().unwrap().detail).unwrap();
    assert_eq!(drafted["outcome"], "sent");
    let second = SubmissionId(drafted["submission"].as_str().unwrap().to_owned());
    assert!(house.send(&second).await.contains("AMT*D*80~"));

    let (house, _mappings) = with_setting("off").await;
    sent(&house, insured("TWO7", 1)).await;
    pay(&house, "northwind", 1, "80", &coinsurance("TWO7", "ICN1")).await;
    assert!(drafts(&house).await.is_empty());
}

#[tokio::test]
async fn drafts_are_seen_released_and_discarded_over_http() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[("CLAIMGATE_DEFAULT_PAYER", "generic")]).await;
    let mut claims = Vec::new();
    for (n, number) in (1..).zip(["WEB1", "WEB2"]) {
        let reply = server.post("/fhir/Claim/$submit", &insured(number, 1)).await;
        assert_eq!(reply.status, 201, "{:#}", reply.body);
        claims.push(reply.body["request"]["reference"].as_str().unwrap().to_owned());
        let headers = [("content-type", "application/edi-x12")];
        let bytes = remittance(n, "80", &coinsurance(number, &format!("ICN{n}")));
        let reply = server.send("/payers/northwind/interchanges", &headers, bytes).await.unwrap();
        assert_eq!(reply.status, 200);
    }
    let list = server.get("/billing-records?state=draft").await.body;
    assert_eq!(list["total"], 2, "{list:#}");
    let of_claim = |claim: &String| {
        let records = list["records"].as_array().unwrap();
        let found = records.iter().find(|record| record["draft"]["of"]["claim"] == claim.as_str());
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (of_claim(&claims[0]), of_claim(&claims[1]));
    let seen = server.get(&format!("/billing-records/{first}")).await.body;
    assert_eq!(seen["claim"]["identifier"][0]["value"], "WEB1-2", "{seen:#}");
    let released = server.post(&format!("/billing-records/{first}/$release"), &json!({})).await;
    assert_eq!((released.status, released.body["state"] != "held"), (200, true), "{:#}", released.body);
    let nothing = server.post(&format!("/billing-records/{second}/$discard"), &json!({})).await;
    assert_eq!(nothing.status, 422, "{:#}", nothing.body);
    let discarded =
        server.post(&format!("/billing-records/{second}/$discard"), &json!({"reason": "written off"})).await;
    assert_eq!((discarded.status, &discarded.body["state"]), (200, &json!("discarded")), "{:#}", discarded.body);
    assert_eq!(server.get("/billing-records?state=draft").await.body["total"], 0);
    let metrics = server.get("/metrics").await.body;
    for outcome in ["drafted", "released", "discarded"] {
        let line = format!(r#"claimgate_next_steps_total{{kind="secondary",outcome="{outcome}"}}"#);
        assert!(metrics.as_str().unwrap().contains(&line), "{line}");
    }
}

/// A line as a payer may decide it: what is paid and what is taken off make up the charge.
fn decided(charge: u32) -> impl Strategy<Value = (u32, Vec<(&'static str, &'static str, i64)>)> {
    let reason =
        prop::sample::select(vec![("CO", "45"), ("PR", "1"), ("PR", "2"), ("OA", "94"), ("CO", "253"), ("PI", "104")]);
    (0..=charge, prop::collection::vec((reason, -500i64..3000), 0..4)).prop_map(move |(paid, parts)| {
        let mut left = i64::from(charge) - i64::from(paid);
        let mut taken = Vec::new();
        for ((group, code), amount) in parts.into_iter().filter(|(_, amount)| *amount != 0) {
            if taken.iter().all(|(known, other, _)| (*known, *other) != (group, code)) {
                left -= amount;
                taken.push((group, code, amount));
            }
        }
        if left != 0 {
            taken.push(("PR", "3", left));
        }
        (paid, taken)
    })
}

fn cents(amount: i64) -> Decimal {
    Decimal::new(amount, 2).normalize()
}

fn sum(adjustments: &[Adjustment]) -> Decimal {
    adjustments.iter().map(|each| each.amount).sum()
}

#[test]
fn the_next_payers_claim_balances_whatever_a_balanced_835_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = Config {
        mappings_dir: root.join("mappings"),
        conformance_dir: root.join("conformance"),
        default_payer: Some("generic".into()),
        ..Config::default()
    };
    let translator = Translator::load(config).unwrap();
    let claim = insured("BAL1", 1).to_string();
    let config = proptest::test_runner::Config { cases: 48, failure_persistence: None, ..Default::default() };
    let lines = (decided(10_000), decided(4_000), 0i64..2_000);
    TestRunner::new(config)
        .run(&lines, |(one, two, whole)| {
            let answer = balanced(&one, &two, whole);
            let told = offline::next(&translator, "northwind", claim.as_bytes(), &answer).unwrap();
            let Some(next) = told.get("bundle") else { return Ok(()) };
            prop_assert_eq!(&told["kind"], "secondary");
            let record = record_of(&translator, next);
            let first = &record.other_payers[0];
            let of_lines: Decimal = record
                .service_lines
                .iter()
                .flat_map(|line| &line.adjudications)
                .map(|each| sum(&each.adjustments))
                .sum();
            prop_assert_eq!(record.total_charge, first.paid.unwrap() + sum(&first.adjustments) + of_lines);
            for line in &record.service_lines {
                let each = |decided: &LineAdjudication| decided.paid + sum(&decided.adjustments);
                prop_assert_eq!(line.adjudications.len(), 1);
                prop_assert_eq!(line.charge, line.adjudications.iter().map(each).sum::<Decimal>());
            }
            Ok(())
        })
        .unwrap();
}

/// The 835 of two lines with an adjustment of the claim as a whole, in cents.
fn balanced(one: &(u32, Vec<(&str, &str, i64)>), two: &(u32, Vec<(&str, &str, i64)>), whole: i64) -> Vec<u8> {
    // A payer takes no more off the claim than it has paid on the lines.
    let whole = whole.min(i64::from(one.0) + i64::from(two.0));
    let paid = i64::from(one.0) + i64::from(two.0) - whole;
    let mut claim = format!("CLP*BAL1*1*140*{}**12*ICN1*11*1~", cents(paid));
    if whole != 0 {
        claim += &format!("CAS*PR*85*{}~", cents(whole));
    }
    claim += PATIENT;
    for (code, charge, (paid, taken)) in [("99213", 100, one), ("87880", 40, two)] {
        claim += &format!("SVC*HC:{code}*{charge}*{}~DTM*472*20260303~", cents(i64::from(*paid)));
        for (group, reason, amount) in taken {
            claim += &format!("CAS*{group}*{reason}*{}~", cents(*amount));
        }
    }
    remittance(1, &cents(paid).to_string(), &claim)
}

fn record_of(translator: &Translator, bundle: &Value) -> BillingRecord {
    let resources = translate::read(translator, bundle.to_string().as_bytes()).unwrap();
    let known = translate::known(&resources, "2026-04-01T12:00:00Z".parse().unwrap());
    let prepared = prepare::prepare(translator, &resources, None, &known).unwrap();
    *prepared.parts[0].record.clone()
}
