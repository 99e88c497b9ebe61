//! The readers over answers of our own writing (`conformance/answers`); the public corpus is read in `tests/`.

use super::*;
use crate::assets::Folder;
use crate::billing::key::Key;
use crate::billing::response::{Adjudication, Complaint};
use crate::fault::codes;
use rust_decimal::Decimal;

fn read_text(text: &str) -> Reading {
    read(&Meanings::load(&Folder::ShippedMappings).unwrap(), text.as_bytes())
}

macro_rules! sample {
    ($name:literal) => {
        read_text(include_str!(concat!("../../conformance/answers/", $name, ".x12")))
    };
}

/// A set in an envelope.
fn wrapped(set: &str) -> Reading {
    let isa =
        "ISA*00*          *00*          *ZZ*PAYER99        *ZZ*GATEWAY01      *250325*0605*^*00501*000000900*0*T*:~";
    read_text(&format!("{isa}GS*HP*PAYER99*GATEWAY01*20250325*0605*900*X*005010~{set}GE*1*900~IEA*1*000000900~"))
}

fn money(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn decisions(reading: &Reading) -> Vec<&str> {
    reading.responses.iter().map(|response| response.decision.as_str()).collect()
}

fn adjudication(reading: &Reading, n: usize) -> &Adjudication {
    reading.responses[n].adjudication.as_ref().unwrap()
}

#[test]
fn a_ta1_refuses_an_interchange() {
    let reading = sample!("ta1-rejected");
    let [response] = reading.responses.as_slice() else { panic!("one statement") };
    assert_eq!((response.transaction.as_str(), response.decision.as_str()), ("TA1", "rejected"));
    assert_eq!(response.keys.interchange_control_number.as_deref(), Some("000000101"));
    assert_eq!(response.complaints[0].code, "025");
    let said = "Interchange rejected: duplicate interchange control number (TA1 R 025)";
    assert_eq!(response.disposition.as_deref(), Some(said));
    assert_eq!(reading.interchanges[0].transactions, ["TA1"]);
}

#[test]
fn a_999_takes_a_set() {
    let reading = sample!("999-accepted");
    let response = &reading.responses[0];
    assert_eq!(decisions(&reading), ["acknowledged"]);
    assert_eq!(response.keys.group_control_number.as_deref(), Some("101"));
    assert_eq!(response.keys.transaction_set_control_number.as_deref(), Some("0001"));
    assert_eq!((response.source.first_segment, response.source.last_segment), (3, 6));
    assert!(response.complaints.is_empty() && reading.issues.is_empty());
}

#[test]
fn a_999_says_what_is_wrong_and_where() {
    let reading = sample!("999-rejected");
    let response = &reading.responses[0];
    assert_eq!(decisions(&reading), ["rejected"]);
    let [first, second] = response.complaints.as_slice() else { panic!("two complaints") };
    let expected = Complaint {
        code: "7".into(),
        list: "IK403".into(),
        segment: Some("CLM".into()),
        ordinal: Some(22),
        element: Some(5),
        component: Some(3),
        data_element: Some("1325".into()),
        value: Some("Q".into()),
        context: vec!["CLM01:ACC26463774".into()],
        meaning: "CLM05-3: invalid code value".into(),
        ..Complaint::default()
    };
    assert_eq!(first, &expected);
    assert_eq!(second.meaning, "NM109: pattern match failure");
}

#[test]
fn a_999_may_leave_out_what_it_took_and_refuse_a_whole_group() {
    let taken = wrapped("ST*999*1~AK1*HC*101~AK9*A*2*2*2~SE*4*1~");
    assert_eq!(decisions(&taken), ["acknowledged"]);
    assert_eq!(taken.responses[0].keys.transaction_set_control_number, None);
    let refused = wrapped("ST*999*1~AK1*HC*101~AK2*837*0001~IK5*A~AK9*R*2*2*0*4~SE*6*1~");
    assert_eq!(decisions(&refused), ["rejected", "rejected"]);
    for response in &refused.responses {
        assert_eq!(response.complaints[0].meaning, "control number mismatch");
    }
    let partial = wrapped("ST*999*1~AK1*HC*101~AK2*837*2~IK3*REF*57**3~IK5*R*5~AK9*P*2*2*1~SE*6*1~");
    assert_eq!(decisions(&partial), ["rejected"], "an AK9 of P says nothing certain of the rest");
}

#[test]
fn a_999_that_leaves_out_what_names_its_parts_loses_no_complaint() {
    let told = |body: &str| wrapped(&format!("ST*999*1~{body}SE*9*1~")).responses;
    let no_set = told("AK1*HC*101~IK3*CLM*22**8~CTX*CLM01:A1~IK4*2*782*7*X~IK5*R*5~AK9*R*1*1*0~");
    assert_eq!((no_set.len(), no_set[0].decision.as_str(), no_set[0].complaints.len()), (1, "rejected", 1));
    assert_eq!(no_set[0].keys.group_control_number.as_deref(), Some("101"));
    let no_group = told("AK2*837*0001~IK5*R*4~AK2*837*0002~IK5*A~AK9*P*2*2*1~");
    let sets = no_group.iter().map(|said| said.keys.transaction_set_control_number.as_deref());
    assert_eq!(sets.collect::<Vec<_>>(), [Some("0001"), Some("0002")]);
    let no_segment = told("AK1*HC*101~AK2*837*0001~IK4*2*782*7*X~CTX*CLM01:A1~IK5*R*5~AK9*R*1*1*0~");
    let complaint = &no_segment[0].complaints[0];
    assert_eq!((complaint.value.as_deref(), complaint.context.as_slice()), (Some("X"), &["CLM01:A1".to_owned()][..]));
}

#[test]
fn a_997_speaks_the_same_with_other_ids() {
    let reading = wrapped("ST*997*1~AK1*HC*7~AK2*837*0001~AK3*NM1*8**8~AK4*9*67*1~AK5*R*5~AK9*R*1*1*0~SE*8*1~");
    let response = &reading.responses[0];
    assert_eq!((response.transaction.as_str(), response.decision.as_str()), ("997", "rejected"));
    assert_eq!(response.complaints[0].meaning, "NM109: required element missing");
}

#[test]
fn a_277ca_takes_a_claim() {
    let reading = sample!("277ca-accepted");
    let [response] = reading.responses.as_slice() else { panic!("the claim speaks, not the levels above") };
    assert_eq!((response.transaction.as_str(), response.decision.as_str()), ("277CA", "accepted"));
    let keys = &response.keys;
    assert_eq!(keys.batch_number.as_deref(), Some("B20250310001"));
    assert_eq!(keys.patient_control_number.as_deref(), Some("ACC26463774"));
    assert_eq!(keys.trace_number.as_deref(), Some("GW0000000042"));
    assert_eq!((keys.provider.as_deref(), keys.member_id.as_deref()), (Some("1234567893"), Some("JS00111223333")));
    assert_eq!((keys.charge, keys.service_start), (Some(money("165")), "2025-03-03".parse().ok()));
    assert_eq!(response.payer_claim_control_number.as_deref(), Some("94060555410000"));
    assert_eq!(response.payer_name.as_deref(), Some("KEY INSURANCE COMPANY"));
    let said = "Accepted into adjudication system; accepted for processing (A2:20)";
    assert_eq!(response.disposition.as_deref(), Some(said));
}

#[test]
fn a_277ca_refuses_a_claim_for_every_reason_it_gives() {
    let reading = sample!("277ca-rejected");
    let response = &reading.responses[0];
    assert_eq!(decisions(&reading), ["rejected"]);
    let said: Vec<_> =
        response.statuses.iter().map(|s| (s.category.as_str(), s.line_control_number.as_deref())).collect();
    assert_eq!(said, [("A7", None), ("A6", None), ("A7", Some("ACC26463774-3"))]);
}

#[test]
fn the_category_decides_and_the_worst_of_them() {
    let claim = |stc: &str| {
        let hl = "HL*1**20*1~NM1*PR*2*P~HL*2*1*21*1~TRN*2*B1~HL*3*2*19*1~HL*4*3*PT~NM1*QC*1*DOE~TRN*2*C1~";
        wrapped(&format!("ST*277*1*005010X214~BHT*0085*08*X*20250311*0700*TH~{hl}{stc}SE*12*1~"))
    };
    let cases = [
        ("STC*A7:562:85*20250311*WQ*10~", "rejected"),
        ("STC*A2:20*20250311*WQ*10******A3:187~", "rejected"),
        ("STC*A1:19~STC*A2:20~", "accepted"),
        ("STC*A2:20~STC*A8:187~", "rejected"),
        ("STC*Z9:1**U~", "rejected"),
        ("STC*Z9:1**WQ~", "accepted"),
        ("STC*P1:20~", "pended"),
        ("STC*D0:35~", "informational"),
    ];
    for (stc, decision) in cases {
        assert_eq!(decisions(&claim(stc)), [decision], "{stc}");
    }
    let all = claim("STC*A2:20*20250311*WQ*10******A3:187*A7:21*FREE TEXT~");
    let statuses = &all.responses[0].statuses;
    assert_eq!(statuses.iter().map(|s| s.category.as_str()).collect::<Vec<_>>(), ["A3", "A7", "A2"]);
    let texts: Vec<Option<&str>> = statuses.iter().map(|s| s.text.as_deref()).collect();
    assert_eq!(texts, [None, None, Some("FREE TEXT")], "what belongs to the whole STC stands with its first composite");
    assert_eq!(all.responses[0].charge, Some(money("10")));
}

#[test]
fn a_whole_batch_or_provider_can_be_refused() {
    let head = "ST*277*1*005010X214~BHT*0085*08*X*20250311*0700*TH~HL*1**20*1~NM1*PR*2*P~HL*2*1*21*1~TRN*2*B1~";
    let batch = wrapped(&format!("{head}STC*A3:24:41*20230321*U*150~QTY*AA*5~SE*9*1~"));
    assert_eq!(decisions(&batch), ["rejected"]);
    assert_eq!(correlate::scope(&batch.responses[0]), correlate::Scope::Batch);
    let provider = "HL*3*2*19*0~NM1*85*1*REED*****FI*122233449~TRN*1*0~STC*A3:24:85**U*150~";
    let reading = wrapped(&format!("{head}STC*A1:19:PR**WQ~{provider}SE*12*1~"));
    assert_eq!(decisions(&reading), ["rejected"], "the batch was taken, this provider was not");
    assert_eq!(correlate::scope(&reading.responses[0]), correlate::Scope::Provider);
    assert_eq!(correlate::keys(&reading.responses[0]), [Key::BatchNumber("B1".into())]);
}

#[test]
fn a_277_answers_for_the_dependent_with_the_subscribers_id() {
    let reading = sample!("277-finalized");
    let response = &reading.responses[0];
    assert_eq!((response.transaction.as_str(), response.decision.as_str()), ("277", "informational"));
    assert_eq!(response.keys.patient_control_number.as_deref(), Some("ACC26463774"));
    assert_eq!(response.keys.member_id.as_deref(), Some("JS00111223333"));
    assert_eq!((response.paid, response.lines.len()), (Some(money("66.8")), 1));
    assert_eq!(response.statuses[1].line_control_number.as_deref(), Some("ACC26463774-1"));
}

#[test]
fn an_835_tells_every_claim_with_its_money() {
    let reading = sample!("835-paid-denied-reversal-plb");
    assert_eq!(decisions(&reading), ["adjudicated", "reversed", "adjudicated"]);
    assert!(reading.issues.is_empty(), "{:?}", reading.issues);
    let claim = adjudication(&reading, 0);
    assert_eq!((claim.charge, claim.paid), (money("165"), money("66.8")));
    assert_eq!(claim.patient_responsibility, Some(money("30")));
    assert!(reading.responses.iter().all(|r| r.adjudication.as_ref().unwrap().balanced));
    let first = &claim.lines[0];
    assert_eq!(first.code.modifiers, ["25"]);
    let triples: Vec<_> = first.adjustments.iter().map(|a| (a.group.as_str(), a.reason.as_str(), a.amount)).collect();
    assert_eq!(triples, [("CO", "45", money("20")), ("PR", "1", money("10")), ("PR", "3", money("20"))]);
    assert_eq!(claim.lines[2].remarks[0].code, "M119");
    assert_eq!((claim.lines[2].units_paid, claim.lines[2].units_submitted), (Decimal::ZERO, Some(money("2"))));
    assert_eq!(claim.remarks[0].code, "MA18");
    let payment = reading.responses[0].payment.as_ref().unwrap();
    assert_eq!((payment.trace_number.as_str(), payment.total), ("71700666555", money("96.8")));
    assert_eq!(reading.responses[0].payer_identifier.as_deref(), Some("999996666"));
    assert_eq!(pairing::pairs(&reading.responses), [pairing::Pair { reversal: 1, correction: Some(2) }]);
}

#[test]
fn an_835_is_a_remittance_with_its_provider_adjustments() {
    let reading = sample!("835-paid-denied-reversal-plb");
    let remittance = &reading.remittances[0];
    assert_eq!(reading.remitted.first(), Some(&(0..3)));
    assert!(remittance.balanced);
    assert_eq!(remittance.claims.iter().map(|c| c.paid).sum::<Decimal>(), money("86.8"));
    let plb = &remittance.provider_adjustments[0];
    assert_eq!((plb.reason.as_str(), plb.amount), ("L6", money("-10")));
    assert_eq!(plb.identifier.as_deref(), Some("94060555410000"));
    assert_eq!(plb.fiscal_period, "2025-12-31".parse().ok());
}

#[test]
fn the_allowed_amount_is_said_or_reckoned_or_unknown() {
    let line = |segments: &str| {
        let reading =
            wrapped(&format!("ST*835*1~BPR*I*0*C*NON~TRN*1*T~CLP*A*1*100*0~SVC*HC:1*100*0~{segments}SE*9*1~"));
        adjudication(&reading, 0).lines[0].allowed
    };
    assert_eq!(line("CAS*CO*45*20~CAS*PR*1*80~AMT*B6*77~"), Some(money("77")));
    assert_eq!(line("CAS*CO*45*20~CAS*PR*1*80~"), Some(money("80")));
    assert_eq!(line("CAS*CO*16*100~"), None, "refused");
    assert_eq!(line("CAS*CO*45*100~"), Some(money("0")));
}

#[test]
fn what_does_not_balance_is_kept_and_flagged() {
    let set = "ST*835*1~BPR*I*50*C*ACH~TRN*1*T~CLP*A*1*100*40**12*ICN~CAS*CO*45*50~SVC*HC:99213*100*40~SE*8*1~";
    let reading = wrapped(set);
    assert!(!adjudication(&reading, 0).balanced && !reading.remittances[0].balanced);
    assert_eq!(reading.issues.iter().filter(|issue| issue.code == codes::RESPONSE_UNBALANCED).count(), 2);
}

#[test]
fn a_poor_835_is_read_all_the_same() {
    let reading = wrapped("ST*835*1~CLP*0*X7*abc**~CAS*CO*45**2~SVC~CLP~SE*5*1~");
    assert_eq!(decisions(&reading), ["adjudicated", "adjudicated"]);
    assert_eq!(reading.responses[0].keys.patient_control_number, None, "0 names no claim");
    assert_eq!(adjudication(&reading, 0).adjustments[0].reason, "45");
    assert!(reading.issues.iter().any(|issue| issue.text.contains("CLP03")));
}

#[test]
fn an_unknown_set_is_told_and_nothing_is_no_panic() {
    let reading = wrapped("ST*834*1~BGN*00~SE*3*1~");
    assert_eq!((reading.responses.len(), reading.interchanges.len()), (0, 1));
    assert!(reading.issues[0].text.contains("834"));
    for text in ["", "ISA", "hello", "ISA*"] {
        assert!(read_text(text).responses.is_empty());
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn element() -> impl Strategy<Value = String> {
        let written = [
            "",
            "0",
            "1",
            "PT",
            "22",
            "19",
            "QC",
            "MI",
            "6R",
            "472",
            "A7:20:PR",
            "HC:99213:25",
            "20250303",
            "-5.5",
            "R",
            "é",
        ];
        prop_oneof![
            prop::sample::select(written.to_vec()).prop_map(str::to_owned),
            "[0-9.E-]{0,30}",
            "[A-Z0-9:^ ]{0,12}"
        ]
    }

    fn segment() -> impl Strategy<Value = String> {
        let ids = [
            "TA1", "AK1", "AK2", "IK3", "CTX", "IK4", "IK5", "AK9", "HL", "NM1", "TRN", "STC", "QTY", "REF", "DTP",
            "SVC", "BPR", "N1", "LX", "CLP", "CAS", "MIA", "MOA", "DTM", "AMT", "LQ", "PLB", "ST", "SE", "GS", "GE",
            "",
        ];
        (prop::sample::select(ids.to_vec()), prop::collection::vec(element(), 0..20))
            .prop_map(|(id, elements)| format!("{id}*{}~", elements.join("*")))
    }

    proptest! {
        /// Any segments in any order: nothing panics, every CLP and AK2 of a set is heard.
        #[test]
        fn any_heap_of_segments_is_read(kind in prop::sample::select(vec!["999", "277", "835"]),
                                        segments in prop::collection::vec(segment(), 0..40)) {
            let reading = wrapped(&format!("ST*{kind}*1~{}SE*1*1~", segments.concat()));
            prop_assert_eq!(reading.remitted.len(), reading.remittances.len());
        }
    }
}

#[test]
fn a_271_tells_benefits_and_refusals() {
    let reading = sample!("271-active");
    let response = &reading.responses[0];
    let eligibility = response.eligibility.as_ref().unwrap();
    assert_eq!((decisions(&reading)[0], eligibility.active), ("adjudicated", Some(true)));
    assert!(!eligibility.benefits.is_empty() && reading.issues.is_empty());
    assert!(response.keys.inquiry_number.is_some());

    let reading = sample!("271-not-found");
    assert_eq!(decisions(&reading), ["rejected"]);
    let complaint = &reading.responses[0].complaints[0];
    assert_eq!((complaint.list.as_str(), complaint.follow_up.is_some()), ("AAA03", true));
}

#[test]
fn a_278_is_approved_pended_or_refused() {
    let reading = sample!("278-approved");
    let review = reading.responses[0].review.as_ref().unwrap();
    assert_eq!(decisions(&reading), ["adjudicated"]);
    assert_eq!(review.event.as_ref().unwrap().number.as_deref(), Some("AUTH778812"));
    assert_eq!((review.services.len(), review.services[0].item_sequence), (1, Some(1)));
    assert_eq!(reading.responses[0].keys.inquiry_number.as_deref(), Some("PA0001-E"));

    let reading = sample!("278-pended");
    assert_eq!(decisions(&reading), ["pended"]);
    let request = &reading.responses[0].requests[0];
    assert_eq!((request.list.as_str(), request.code.as_str()), ("PWK", "PY"));
    assert_eq!(request.control_number.as_deref(), Some("ATT0001"));

    let reading = sample!("278-rejected");
    assert_eq!(decisions(&reading), ["rejected"]);
    let complaint = &reading.responses[0].complaints[0];
    assert_eq!((complaint.code.as_str(), complaint.loop_id.as_deref()), ("75", Some("2010C")));
}

#[test]
fn what_has_no_home_is_kept_as_it_stands() {
    let set = "ST*835*1~BPR*I*0*C*NON~TRN*1*1~LX*7~TS3*NPI1*11*20251231*1*0~CLP*A*4*0*0**12*9*11*1~\
               PER*CX*DESK*TE*8005551212~ZZZ*A:B^C**D~SE*9*1~";
    let reading = wrapped(set);
    let others = &adjudication(&reading, 0).others;
    assert_eq!(others.iter().map(|other| other.id.as_str()).collect::<Vec<_>>(), ["per", "zzz"]);
    let elements: Vec<(&str, &str)> =
        others[1].elements.iter().map(|each| (each.name.as_str(), each.value.as_str())).collect();
    assert_eq!(elements, [("zzz01-1", "A"), ("zzz01-2", "B"), ("zzz01", "C"), ("zzz03", "D")]);
    let remittance = &reading.remittances[0];
    assert_eq!(remittance.others.iter().map(|other| other.id.as_str()).collect::<Vec<_>>(), ["lx", "ts3"]);
}

#[test]
fn a_bad_set_spoils_no_other() {
    let good = "ST*835*2~BPR*I*0*C*NON~TRN*1*1~CLP*B*4*0*0**12*9~SE*5*2~";
    let reading = wrapped(&format!("ST*835*1~BPR*I*0*C*NON~TRN*1*1~CLP*A*4*0*0**12*9~{good}"));
    assert_eq!(reading.responses.len(), 2);
    assert!(reading.issues.iter().any(|issue| issue.text == "the transaction set has no SE"));
    assert_eq!(reading.remitted, [0..1, 1..2]);
}
