//! Which claim an answer is about, and what it changes: numbers that payers alter or lose, answers in any order, money that is
//! taken back, said twice or said in pieces.

use crate::support::claim::{bundle, of};
use crate::support::house::House;
use claimgate::billing::id::{PayerId, SubmissionId};
use claimgate::billing::journey::State;
use claimgate::flow::{account, dispatch, lookup, receive, unmatched};
use claimgate::store::{DEFAULT_TENANT, DenialFilter, Query};
use serde_json::{Value, json};

const PATIENT: &str = "NM1*QC*1*RIVERA*ANA****MI*NW00112233~";

fn envelope(number: u32, group: &str, version: &str, set: &str) -> String {
    let isa = format!(
        "ISA*00*          *00*          *ZZ*NORTHWIND      *ZZ*CLAIMGATE      *260325*0605*^*00501*{number:09}*0*T*:~"
    );
    format!(
        "{isa}GS*{group}*NORTHWIND*CLAIMGATE*20260325*0605*{number}*X*{version}~{set}GE*1*{number}~IEA*1*{number:09}~"
    )
}

/// An 835 of a day of March 2026; its claims are CLP to their last segments.
fn remittance(number: u32, day: u32, trace: &str, claims: &str) -> String {
    let set = format!(
        "ST*835*0001~BPR*I*0*C*ACH************202603{day:02}~TRN*1*{trace}*1999999999~N1*PR*NORTHWIND HEALTH PLAN~\
         N1*PE*CLINIC*XX*1234567893~LX*1~{claims}SE*99*0001~"
    );
    envelope(number, "HP", "005010X221A1", &set)
}

/// 140 dollars, of which some are paid; the rest is written off.
fn claim(number: &str, status: &str, paid: i64, icn: &str, more: &str) -> String {
    let sign = if status == "22" { -1 } else { 1 };
    let (charge, written_off, paid) = (140 * sign, (140 - paid) * sign, paid * sign);
    format!(
        "CLP*{number}*{status}*{charge}*{paid}**12*{icn}*11*1~CAS*CO*45*{written_off}~{PATIENT}{more}DTM*232*20260303~"
    )
}

/// A 277CA of a day of March 2026 from a payer (PR) or a clearinghouse (AY).
fn acknowledgment(number: u32, day: u32, from: &str, status: &str, claim: &str, icn: &str) -> String {
    let set = format!(
        "ST*277*0001*005010X214~BHT*0085*08*B{number}*202603{day:02}*0700*TH~HL*1**20*1~NM1*{from}*2*SENDER*****46*999~\
         TRN*1*B{number}~HL*2*1*21*1~NM1*41*2*GATEWAY*****46*GATEWAY01~TRN*2*X~HL*3*2*19*1~\
         NM1*85*2*CLINIC*****XX*1234567893~HL*4*3*PT~NM1*QC*1*RIVERA*ANA****MI*NW00112233~TRN*2*{claim}~\
         STC*{status}*202603{day:02}*WQ*140~REF*1K*{icn}~DTP*472*D8*20260303~SE*18*0001~"
    );
    envelope(number, "HN", "005010X214", &set)
}

async fn hear(house: &House, file: &str) -> receive::Received {
    receive::receive(&house.gateway, &PayerId("northwind".into()), "answer.x12", file.as_bytes().to_vec())
        .await
        .unwrap()
}

async fn sent(house: &House, number: &str) -> SubmissionId {
    let id = house.submit(bundle(number)).await.submission;
    house.send(&id).await;
    id
}

/// All resources of a type that name the claim.
async fn told(house: &House, id: &SubmissionId, kind: &str) -> Vec<Value> {
    let claim = house.submission(id).await.focal;
    let conditions = match kind {
        "ClaimResponse" => vec![("request".to_owned(), vec![claim])],
        _ => Vec::new(),
    };
    let query = Query { kind: kind.into(), conditions, limit: 50, ..Query::default() };
    let found = lookup::search(&house.gateway, DEFAULT_TENANT, &query).await.unwrap();
    found["entry"].as_array().into_iter().flatten().map(|entry| entry["resource"].clone()).collect()
}

/// The one ClaimResponse that is active: outcome and payment.
async fn active(house: &House, id: &SubmissionId) -> (String, Option<String>) {
    let all = told(house, id, "ClaimResponse").await;
    let active: Vec<&Value> = all.iter().filter(|each| each["status"] == "active").collect();
    let [only] = active.as_slice() else { panic!("one is active: {all:#?}") };
    let paid = only["payment"]["amount"]["value"].as_number().map(ToString::to_string);
    (only["outcome"].as_str().unwrap_or_default().to_owned(), paid)
}

async fn paid(house: &House, id: &SubmissionId) -> String {
    let account = account::of(house.gateway.store.as_ref(), DEFAULT_TENANT, id.as_str()).await.unwrap();
    account["paid"].as_str().map_or_else(|| account["paid"].to_string(), str::to_owned)
}

/// Why the last step of a kind was matched.
async fn reason(house: &House, id: &SubmissionId, step: &str) -> String {
    let events = house.gateway.store.events(id).await.unwrap();
    let last = events.iter().rfind(|event| event.kind.word() == step);
    let detail: Value = serde_json::from_str(&last.unwrap_or_else(|| panic!("{step}: {events:#?}")).detail).unwrap();
    detail["match"].as_str().unwrap().to_owned()
}

async fn waiting(house: &House) -> Vec<Value> {
    let list = unmatched::list(&house.gateway, None, 0, 50).await.unwrap();
    list["responses"].as_array().unwrap().clone()
}

/// All orders of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    match count {
        0 => vec![Vec::new()],
        _ => orders(count - 1)
            .into_iter()
            .flat_map(|order| {
                (0..count).map(move |at| [&order[..at], &[count - 1], &order[at..]].concat()).collect::<Vec<_>>()
            })
            .collect(),
    }
}

#[tokio::test]
async fn a_correction_outlives_its_reversal_on_whichever_side_of_it_they_stand() {
    for correction_first in [false, true] {
        let house = House::open().await;
        let id = sent(&house, "REV1").await;
        hear(&house, &remittance(1, 12, "EFT1", &claim("REV1", "1", 80, "ICN1", ""))).await;
        let (reversal, correction) =
            (claim("REV1", "22", 80, "ICN1", ""), claim("REV1", "1", 100, "ICN2", "REF*F8*ICN1~"));
        let both = if correction_first { correction + &reversal } else { reversal + &correction };
        hear(&house, &remittance(2, 20, "EFT2", &both)).await;
        assert_eq!(active(&house, &id).await, ("complete".into(), Some("100".into())), "{correction_first}");
        assert_eq!(told(&house, &id, "ClaimResponse").await.len(), 2, "the cancelled one and the new one");
        assert_eq!(paid(&house, &id).await, "100.00");
    }
}

#[tokio::test]
async fn payment_reversal_and_correction_come_in_any_order() {
    for order in orders(3) {
        let house = House::open().await;
        let id = sent(&house, "REV2").await;
        let files = [
            remittance(1, 12, "EFT1", &claim("REV2", "1", 80, "ICN1", "")),
            remittance(2, 20, "EFT2", &claim("REV2", "22", 80, "ICN1", "")),
            remittance(3, 20, "EFT3", &claim("REV2", "1", 100, "ICN1", "REF*F8*ICN1~")),
        ];
        for n in &order {
            assert_eq!(hear(&house, &files[*n]).await.matched, 1);
        }
        assert_eq!(active(&house, &id).await, ("complete".into(), Some("100".into())), "{order:?}");
        assert_eq!(paid(&house, &id).await, "100.00", "{order:?}");
        assert_eq!(house.state(&id).await, State::Adjudicated);
    }
}

#[tokio::test]
async fn the_payers_number_of_a_claim_is_that_of_the_payment_that_stands() {
    for order in orders(3) {
        let house = House::open().await;
        let id = sent(&house, "ICN1").await;
        let files = [
            remittance(1, 12, "EFT1", &claim("ICN1", "1", 80, "FIRST", "")),
            remittance(2, 20, "EFT2", &claim("ICN1", "22", 80, "FIRST", "")),
            remittance(3, 20, "EFT3", &claim("ICN1", "1", 100, "SECOND", "REF*F8*FIRST~")),
        ];
        for n in &order {
            hear(&house, &files[*n]).await;
        }
        let links = house.gateway.store.chain(&id).await.unwrap();
        assert_eq!(links[0].payer_claim_control_number.as_deref(), Some("SECOND"), "{order:?}");
    }
}

#[tokio::test]
async fn acknowledgments_that_come_after_the_money_change_nothing() {
    let house = House::open().await;
    let id = house.submit(bundle("LATE1")).await.submission;
    let file = house.send(&id).await;
    hear(&house, &remittance(1, 20, "EFT1", &claim("LATE1", "1", 80, "ICN1", ""))).await;
    let before = told(&house, &id, "ClaimResponse").await;
    hear(&house, &acknowledgment(2, 12, "PR", "A2:20", "LATE1", "ICN1")).await;
    house.answer(&id, &file, &["999"]).await;
    assert_eq!(told(&house, &id, "ClaimResponse").await, before);
    assert_eq!(house.state(&id).await, State::Adjudicated);
    let steps = house.steps(&id).await;
    for step in ["adjudicated", "accepted", "acknowledged"] {
        assert!(steps.contains(&step), "{step}: {steps:?}");
    }
}

#[tokio::test]
async fn an_older_payment_that_comes_late_does_not_take_the_place_of_a_newer_one() {
    let house = House::open().await;
    let id = sent(&house, "OLD1").await;
    hear(&house, &remittance(2, 20, "EFT2", &claim("OLD1", "1", 100, "ICN2", ""))).await;
    let newer = told(&house, &id, "ClaimResponse").await;
    let denied = claim("OLD1", "4", 0, "ICN1", "").replace("CO*45", "CO*197");
    hear(&house, &remittance(1, 12, "EFT1", &denied)).await;
    assert_eq!(told(&house, &id, "ClaimResponse").await, newer);
    let filter = DenialFilter { tenant: DEFAULT_TENANT.into(), limit: 9, ..DenialFilter::default() };
    assert!(house.gateway.store.denials(&filter).await.unwrap().is_empty(), "nobody has to work on it");
    assert!(house.steps(&id).await.contains(&"denied"), "and yet it was said");
}

#[tokio::test]
async fn the_same_payment_in_another_file_counts_once() {
    let house = House::open().await;
    let id = sent(&house, "TWICE1").await;
    let money = claim("TWICE1", "1", 80, "ICN1", "");
    hear(&house, &remittance(1, 12, "EFT1", &money)).await;
    let before = told(&house, &id, "ClaimResponse").await;
    let again = remittance(7, 12, "EFT1", &money).replace("ST*835*0001", "ST*835*0009").replace("*0001~GE", "*0009~GE");
    let received = hear(&house, &again).await;
    assert_eq!((received.repeated, received.matched), (false, 1), "other bytes");
    assert_eq!(told(&house, &id, "ClaimResponse").await, before);
    assert_eq!(paid(&house, &id).await, "80.00");
    assert_eq!(told(&house, &id, "PaymentReconciliation").await.len(), 1);
    let steps = house.steps(&id).await;
    assert_eq!(steps.iter().filter(|step| **step == "adjudicated").count(), 1, "{steps:?}");
    assert_eq!(steps.last(), Some(&"noted"));
}

#[tokio::test]
async fn a_piece_that_is_taken_back_leaves_the_other_and_its_correction_makes_it_whole() {
    let house = House::open().await;
    let id = sent(&house, "PIECE1").await;
    let line = |status: &str, code: &str, charge: i64, paid: i64, icn: &str| {
        let rest = charge - paid;
        format!(
            "CLP*PIECE1*{status}*{charge}*{paid}**12*{icn}*11*1~{PATIENT}SVC*HC:{code}*{charge}*{paid}~\
             DTM*472*20260303~CAS*CO*45*{rest}~"
        )
    };
    hear(&house, &remittance(1, 12, "EFT1", &line("1", "87880", 40, 30, "ICN42"))).await;
    hear(&house, &remittance(2, 13, "EFT2", &line("1", "99213", 100, 80, "ICN41"))).await;
    assert_eq!(active(&house, &id).await, ("complete".into(), Some("110".into())));
    hear(&house, &remittance(3, 20, "EFT3", &line("22", "87880", -40, -30, "ICN42"))).await;
    assert_eq!(active(&house, &id).await.1, Some("80".into()), "the other piece stands");
    hear(&house, &remittance(4, 21, "EFT4", &line("1", "87880", 40, 35, "ICN43"))).await;
    assert_eq!(active(&house, &id).await, ("complete".into(), Some("115".into())));
    assert_eq!(paid(&house, &id).await, "115.00");
}

#[tokio::test]
async fn a_number_that_was_altered_or_lost_still_finds_its_claim() {
    let cases = [
        ("ACC-26-000123456", "claim number matches"),
        ("acc-26-000123456", "claim number matches"),
        ("0000ACC-26-000123456", "claim number matches"),
        ("ACC-26-000123456    ", "claim number matches"),
        ("ACC26000123456", "claim number matches"),
        ("ACC-26-00012", "weak: the claim number was cut"),
        ("ACC-26-000123465", "weak: no number matches; member id"),
        ("0", "weak: no number matches; member id"),
        ("", "weak: no number matches; member id"),
    ];
    let house = House::open().await;
    for (n, (said, expected)) in cases.iter().enumerate() {
        let mut body = bundle(&format!("ACC-26-000123456{n}"));
        of(&mut body, "Coverage")["subscriberId"] = json!(format!("NW-{n}"));
        let id = house.submit(body).await.submission;
        house.send(&id).await;
        let said = match *said {
            "ACC-26-00012" => format!("ACC-26-000123456{n}")[..15].to_owned(),
            "0" | "" | "ACC-26-000123465" => (*said).to_owned(),
            whole => whole.replace("3456", &format!("3456{n}")),
        };
        let money = claim(&said, "1", 80, &format!("ICN{n}"), "").replace("NW00112233", &format!("NW-{n}"));
        let received = hear(&house, &remittance(n as u32 + 1, 20, &format!("EFT{n}"), &money)).await;
        assert_eq!((received.matched, received.unmatched), (1, 0), "{said:?}");
        let why = reason(&house, &id, "adjudicated").await;
        assert!(why.starts_with(expected), "{said:?}: {why}");
    }
}

#[tokio::test]
async fn the_payers_own_number_finds_the_claim() {
    let house = House::open().await;
    let (id, _) = (sent(&house, "ICN-A").await, sent(&house, "ICN-B").await);
    hear(&house, &acknowledgment(1, 12, "PR", "A2:20", "ICN-A", "PAYERS-OWN-1")).await;
    hear(&house, &remittance(2, 20, "EFT1", &claim("0", "1", 80, "PAYERS-OWN-1", ""))).await;
    assert_eq!(active(&house, &id).await, ("complete".into(), Some("80".into())));
    assert!(reason(&house, &id, "adjudicated").await.starts_with("payer claim control number matches"));
}

#[tokio::test]
async fn what_fits_two_claims_equally_well_waits_for_a_person() {
    let house = House::open().await;
    let both = [sent(&house, "ALIKE-A").await, sent(&house, "ALIKE-B").await];
    let received = hear(&house, &remittance(1, 20, "EFT1", &claim("0", "1", 80, "ICN1", ""))).await;
    assert_eq!((received.matched, received.unmatched), (0, 1));
    let list = waiting(&house).await;
    assert_eq!(list[0]["reason"], "2 claims fit equally well");
    let mut candidates: Vec<&str> =
        list[0]["candidates"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    candidates.sort_unstable();
    assert_eq!(candidates, [both[0].as_str(), both[1].as_str()]);
    unmatched::match_by_hand(&house.gateway, list[0]["id"].as_str().unwrap(), candidates[1], None).await.unwrap();
    assert_eq!(active(&house, &both[1]).await.1, Some("80".into()));
    assert_eq!(active(&house, &both[0]).await, ("queued".into(), None));
    assert_eq!(reason(&house, &both[1], "adjudicated").await, "by hand");
    assert!(waiting(&house).await.is_empty());
}

#[tokio::test]
async fn answers_may_come_before_the_sending_is_written_down() {
    let house = House::open().await;
    let id = house.submit(bundle("EARLY1")).await.submission;
    let payer = house.submission(&id).await.payer;
    let sealed = dispatch::seal(&house.gateway, &payer, std::slice::from_ref(&id)).await.unwrap();
    let file = house.gateway.store.interchange(&sealed[0]).await.unwrap().unwrap();
    house.answer(&id, &String::from_utf8(file.bytes).unwrap(), &["999", "277CA"]).await;
    assert_eq!(house.state(&id).await, State::Accepted);
    dispatch::send(&house.gateway, &sealed[0]).await.unwrap();
    assert_eq!(house.state(&id).await, State::Accepted, "it has gone out, and nothing goes back");
    assert!(house.steps(&id).await.contains(&"sent"));
}

#[tokio::test]
async fn a_clearinghouse_does_not_overrule_the_payer_nor_an_older_status_a_newer_one() {
    let house = House::open().await;
    let id = sent(&house, "WORD1").await;
    hear(&house, &acknowledgment(1, 14, "PR", "A7:21", "WORD1", "ICN1")).await;
    let rejected = told(&house, &id, "ClaimResponse").await;
    assert_eq!(rejected[0]["outcome"], "error");
    hear(&house, &acknowledgment(2, 14, "AY", "A1:19", "WORD1", "CH1")).await;
    hear(&house, &acknowledgment(3, 12, "PR", "A1:19", "WORD1", "ICN1")).await;
    assert_eq!(told(&house, &id, "ClaimResponse").await, rejected);
    assert!(house.steps(&id).await.contains(&"forwarded"));
    hear(&house, &acknowledgment(4, 16, "PR", "A2:20", "WORD1", "ICN1")).await;
    assert_ne!(active(&house, &id).await.0, "error", "the newest word counts");
}

#[tokio::test]
async fn an_answer_goes_to_the_claim_that_was_mended_not_to_the_one_that_was_refused() {
    let house = House::open().await;
    let first = sent(&house, "MEND1").await;
    hear(&house, &acknowledgment(1, 12, "PR", "A7:21", "MEND1", "ICN1")).await;
    let mut mended = bundle("MEND1");
    of(&mut mended, "Claim")["item"][0]["locationCodeableConcept"]["coding"][0]["code"] = json!("22");
    let second = house.submit(mended).await.submission;
    assert_ne!(first, second);
    house.send(&second).await;
    let received = hear(&house, &remittance(2, 20, "EFT1", &claim("MEND1", "1", 80, "ICN2", ""))).await;
    assert_eq!((received.matched, received.unmatched), (1, 0), "{:#?}", waiting(&house).await);
    assert!(house.steps(&second).await.contains(&"adjudicated"));
    assert!(!house.steps(&first).await.contains(&"adjudicated"));
}

#[tokio::test]
async fn the_list_of_answers_to_nobody_goes_on_page_by_page() {
    let house = House::open().await;
    let claims: String = (0..120).map(|n| claim(&format!("NOBODY{n}"), "1", 80, &format!("ICN{n}"), "")).collect();
    hear(&house, &remittance(1, 12, "EFT1", &claims)).await;
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = unmatched::list(&house.gateway, Some("northwind"), after, 50).await.unwrap();
        let numbers = page["responses"].as_array().unwrap().iter();
        seen.extend(numbers.map(|each| each["patientControlNumber"].as_str().unwrap().to_owned()));
        match page["next"].as_i64() {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen, (0..120).map(|n| format!("NOBODY{n}")).collect::<Vec<_>>());
    // What a later file may find is tried in turns: the last of the list is reached by the second file.
    let (id, other) = (sent(&house, "NOBODY119").await, sent(&house, "OTHER1").await);
    assert_eq!(house.gateway.store.submission(&other).await.unwrap().unwrap().state, State::Sent);
    for (n, day) in [(2, 13), (3, 14)] {
        hear(&house, &acknowledgment(n, day, "PR", "A2:20", "OTHER1", "ICN-O")).await;
    }
    assert!(house.steps(&id).await.contains(&"adjudicated"));
    assert!(reason(&house, &id, "adjudicated").await.starts_with("later: claim number matches"));
}

#[tokio::test]
async fn a_refusal_that_is_told_again_sends_no_innocent_claim_twice() {
    let house = House::open().await;
    let (bad, good) = (house.submit(bundle("BAD1")).await.submission, house.submit(bundle("GOOD1")).await.submission);
    let payer = house.submission(&bad).await.payer;
    let sealed = dispatch::seal(&house.gateway, &payer, &[bad.clone(), good.clone()]).await.unwrap();
    dispatch::send(&house.gateway, &sealed[0]).await.unwrap();
    let file = house.gateway.store.interchange(&sealed[0]).await.unwrap().unwrap();
    let (group, set) = (file.group_control_number, &file.claims[0].transaction_set);
    let refusal = format!(
        "ST*999*0001*005010X231A1~AK1*HC*{group}*005010X222A1~AK2*837*{set}*005010X222A1~IK3*CLM*20**8~CTX*CLM01:BAD1~\
         IK4*2*782*7*X~IK5*R*5~AK9*R*1*1*0~SE*8*0001~"
    );
    hear(&house, &envelope(1, "FA", "005010X231A1", &refusal)).await;
    assert_eq!((house.state(&bad).await, house.state(&good).await), (State::Rejected, State::Queued));
    house.send(&good).await;
    hear(&house, &envelope(2, "FA", "005010X231A1", &refusal)).await;
    assert_eq!((house.state(&bad).await, house.state(&good).await), (State::Rejected, State::Sent));
}
