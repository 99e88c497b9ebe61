//! The simulated payer's answers, read back by the readers of the gateway.

use super::*;
use crate::assets::Folder;
use crate::billing::response::PayerResponse;
use crate::responses::meaning::Meanings;
use crate::responses::standing::{self, Said};
use crate::responses::{self, Reading, pairing};
use rust_decimal::Decimal;
use std::sync::LazyLock;

static MEANINGS: LazyLock<Meanings> = LazyLock::new(|| Meanings::load(&Folder::ShippedMappings).unwrap());
static GUIDES: LazyLock<Guides> = LazyLock::new(|| Guides::load(&Folder::ShippedConformance).unwrap());

fn shipped() -> Scenario {
    Scenario::shipped(&Folder::ShippedConformance).unwrap()
}

fn clock() -> Clock {
    Clock::fixed("2025-03-10T09:45:00Z".parse().unwrap())
}

/// A file of one set with these claims.
fn file(claims: &str) -> String {
    let isa =
        "ISA*00*          *00*          *ZZ*GATEWAY01      *ZZ*PAYER99        *250310*0930*^*00501*000000101*1*T*:~";
    let head = "ST*837*0001*005010X222A1~BHT*0019*00*B101*20250310*0930*CH~NM1*41*2*GATEWAY*****46*GATEWAY01~\
                PER*IC*EDI*TE*8005550100~NM1*40*2*PAYER*****46*PAYER99~HL*1**20*1~NM1*85*2*KILDARE SERVICE*****XX*1234567893~\
                N3*234 SEAWAY ST~N4*MIAMI*FL*331110000~REF*EI*587654321~HL*2*1*22*0~SBR*P*18*******CI~\
                NM1*IL*1*SMITH*JANE****MI*JS001~N3*236 N MAIN ST~N4*MIAMI*FL*33413~DMG*D8*19430501*F~NM1*PR*2*KEY INSURANCE*****PI*999996666~";
    let count = head.matches('~').count() + claims.matches('~').count() + 1;
    let gs = "GS*HC*GATEWAY01*PAYER99*20250310*0930*101*X*005010X222A1~";
    format!("{isa}{gs}{head}{claims}SE*{count}*0001~GE*1*101~IEA*1*000000101~")
}

fn claim(number: &str) -> String {
    format!(
        "CLM*{number}*165***11:B:1*Y*A*Y*Y~REF*D9*GW42~HI*ABK:J020~LX*1~SV1*HC:99213:25*140*UN*1***1~DTP*472*D8*20250303~\
         REF*6R*{number}-1~LX*2~SV1*HC:J0561*25*UN*2***1~DTP*472*RD8*20250303-20250304~REF*6R*{number}-2~"
    )
}

/// The answers by name, read.
fn answers(scenario: &Scenario, file: &str) -> Vec<(String, Reading)> {
    let answers = answer(scenario, &GUIDES, file.as_bytes(), &clock());
    answers.iter().for_each(meets_its_guide);
    answers.into_iter().map(|answer| (answer.name, responses::read(&MEANINGS, &answer.bytes))).collect()
}

fn meets_its_guide(answer: &Answer) {
    let text = Text::decode(&answer.bytes);
    for interchange in &reader::read_text(&text).0 {
        let issues = crate::x12::check::check_interchange(&GUIDES, interchange);
        assert!(issues.is_empty(), "{}: {issues:?}\n{}", answer.name, String::from_utf8_lossy(&answer.bytes));
    }
}

fn decisions(answers: &[(String, Reading)]) -> Vec<(&str, Vec<&str>)> {
    answers
        .iter()
        .map(|(name, reading)| {
            let kind = name.split('-').next().unwrap_or_default();
            (kind, reading.responses.iter().map(|response| response.decision.as_str()).collect())
        })
        .collect()
}

fn sound(answers: &[(String, Reading)]) {
    for (name, reading) in answers {
        assert!(reading.issues.is_empty(), "{name}: {:?}", reading.issues);
        assert!(reading.interchanges[0].receiver == "GATEWAY01" && reading.interchanges[0].sender == "PAYER99");
        assert!(reading.remittances.iter().all(|remittance| remittance.balanced), "{name}");
        let claims = reading.responses.iter().filter_map(|response| response.adjudication.as_ref());
        assert!(claims.into_iter().all(|adjudication| adjudication.balanced), "{name}");
    }
}

/// A claim number, and what is heard: kind of answer and its decisions.
type Case = (&'static str, &'static [(&'static str, &'static [&'static str])]);

#[test]
fn every_rule_of_the_shipped_scenario_is_heard_as_it_is_meant() {
    // TA1 and 999 come in one file.
    const TAKEN: (&str, &[&str]) = ("999", &["acknowledged", "acknowledged"]);
    const ACCEPTED: (&str, &[&str]) = ("277CA", &["accepted"]);
    const PAID: (&str, &[&str]) = ("835", &["adjudicated"]);
    let cases: &[Case] = &[
        ("ACC", &[TAKEN, ACCEPTED, PAID]),
        ("ACC-TA1", &[("TA1", &["rejected"])]),
        ("ACC-999", &[("999", &["acknowledged", "rejected"])]),
        ("ACC-REJ", &[TAKEN, ("277CA", &["rejected"])]),
        ("ACC-LOST", &[TAKEN]),
        ("ACC-DENY", &[TAKEN, ACCEPTED, ("835", &["denied"])]),
        ("ACC-PEND", &[TAKEN, ACCEPTED, ("277", &["pended"]), PAID]),
        ("ACC-REV", &[TAKEN, ACCEPTED, PAID, ("835", &["reversed", "adjudicated"])]),
    ];
    for (number, expected) in cases {
        let answers = answers(&shipped(), &file(&claim(number)));
        let expected: Vec<(&str, Vec<&str>)> = expected.iter().map(|(kind, said)| (*kind, said.to_vec())).collect();
        assert_eq!(decisions(&answers), expected, "{number}");
        sound(&answers);
    }
}

#[test]
fn our_numbers_come_back() {
    let answers = answers(&shipped(), &file(&claim("ACC1")));
    let keys = |n: usize, r: usize| &answers[n].1.responses[r].keys;
    assert_eq!(keys(0, 0).interchange_control_number.as_deref(), Some("000000101"));
    assert_eq!(keys(0, 1).group_control_number.as_deref(), Some("101"));
    assert_eq!(keys(0, 1).transaction_set_control_number.as_deref(), Some("0001"));
    assert_eq!(keys(1, 0).batch_number.as_deref(), Some("B101"));
    for n in [1, 2] {
        assert_eq!(keys(n, 0).patient_control_number.as_deref(), Some("ACC1"));
        assert_eq!(keys(n, 0).member_id.as_deref(), Some("JS001"));
        assert_eq!(keys(n, 0).charge, Some(Decimal::from(165)));
        assert_eq!(
            (keys(n, 0).service_start, keys(n, 0).service_end),
            ("2025-03-03".parse().ok(), "2025-03-04".parse().ok())
        );
    }
    assert_eq!(keys(1, 0).trace_number.as_deref(), Some("GW42"));
    let paid = answers[2].1.responses[0].adjudication.as_ref().unwrap();
    let numbers: Vec<_> = paid.lines.iter().map(|line| line.control_number.as_deref()).collect();
    assert_eq!(numbers, [Some("ACC1-1"), Some("ACC1-2")]);
    let number = |n: usize| answers[n].1.responses[0].payer_claim_control_number.clone();
    assert_eq!(number(1), number(2));
}

#[test]
fn a_correction_takes_back_the_first_payment() {
    let answers = answers(&shipped(), &file(&claim("ACC-REV")));
    let first = &answers[2].1.responses[0];
    let later = &answers[3].1.responses;
    let heard = |answer: &PayerResponse| Said { part: 1, answer: answer.clone() };
    let all = [heard(&later[1]), heard(&later[0]), heard(first)];
    assert_eq!(standing::standing(&all), [&all[0]], "the correction stands, and nothing else");
    assert_eq!(pairing::pairs(later), [pairing::Pair { reversal: 0, correction: Some(1) }]);
    assert!(paid(&later[1]) > paid(first));
}

fn paid(response: &PayerResponse) -> Decimal {
    response.adjudication.as_ref().unwrap().paid
}

#[test]
fn a_void_takes_back_and_carries_forward() {
    let void = claim("ACC1").replace("11:B:1", "11:B:8").replace("REF*D9", "REF*F8*ICN77~REF*D9");
    let answers = answers(&shipped(), &file(&void));
    sound(&answers);
    let reading = &answers[2].1;
    assert_eq!(reading.responses[0].decision, "reversed");
    assert_eq!(reading.responses[0].payer_claim_control_number.as_deref(), Some("ICN77"));
    assert_eq!(reading.remittances[0].payment.total, Decimal::ZERO);
    assert_eq!(reading.remittances[0].provider_adjustments[0].reason, "FB");
}

#[test]
fn innocent_claims_of_a_refused_set_are_told_apart() {
    let answers = answers(&shipped(), &file(&format!("{}{}", claim("GOOD"), claim("BAD-999"))));
    let response = &answers[0].1.responses[1];
    assert_eq!(response.complaints.len(), 1);
    let about = |number: &str, segments| responses::correlate::concerning(&response.complaints, number, segments).len();
    assert_eq!((about("GOOD", (15, 25)), about("BAD-999", (26, 36))), (0, 1));
    assert_eq!(answers.len(), 1, "nothing further is said of a refused set");
}

#[test]
fn what_the_guides_do_not_allow_is_refused_without_a_rule() {
    let text = file(&claim("ACC1").replace("HI*ABK:J020~", "HI*QQQ:J020~"));
    let answers = answers(&shipped(), &text);
    assert_eq!(decisions(&answers), [("999", vec!["acknowledged", "rejected"])]);
    let broken = text.replace("GE*1*101", "GE*1*102").replace("IEA*1*000000101", "IEA*1*000000102");
    let refused = self::answers(&shipped(), &broken);
    assert_eq!(decisions(&refused), [("TA1", vec!["rejected"])]);
}

#[test]
fn the_same_file_has_the_same_answers_and_no_file_has_none() {
    let text = file(&claim("ACC1"));
    let twice = [0, 1].map(|_| answer(&shipped(), &GUIDES, text.as_bytes(), &clock()));
    assert_eq!(twice[0], twice[1]);
    let names: Vec<&str> = twice[0].iter().map(|answer| answer.name.as_str()).collect();
    assert_eq!(names, ["999-000000101.x12", "277CA-000000101.x12", "835-000000101.x12"]);
    assert!(answer(&shipped(), &GUIDES, b"no interchange", &clock()).is_empty());
}

#[test]
fn a_scenario_tells_where_it_is_wrong() {
    let fault = Scenario::read("name: x\nrules:\n  - when: { claimNumer: A }\n    then: { silence: {} }\n", "s.yaml")
        .unwrap_err();
    assert!(fault.to_string().contains("s.yaml:3"), "{fault}");
    for wrong in [
        "usual: { pay: { copay: 1000000001 } }",
        "usual: { pay: { copay: -1 } }",
        "delays: { payment: 25h }",
        "usual: { pay: { copay: lots } }",
    ] {
        assert!(Scenario::read(wrong, "s.yaml").is_err(), "{wrong}");
    }
    assert!(Scenario::read("usual: { pay: { copay: 1000000000 } }", "s.yaml").is_ok());
    let day = Scenario::read("delays: { payment: 24h }", "s.yaml").unwrap();
    assert_eq!(day.delays.payment, Duration::from_secs(scenario::DELAY_MAX_S));
}

#[test]
fn amounts_that_no_claim_comes_to_are_nothing() {
    assert_eq!(claim::CHARGE_MAX.to_string(), "1000000000000");
    let of = |charge: &str| {
        let text = file(&claim("ACC1").replace("ACC1*165", &format!("ACC1*{charge}")));
        let text = Text::decode(text.as_bytes());
        claim::read(&reader::read_text(&text).0[0])[0].charge
    };
    assert_eq!((of("1000000000000"), of("1000000000000.01")), (claim::CHARGE_MAX, Decimal::ZERO));
    let huge = file(&claim("ACC1")).replace("000000101", "999999999999999999");
    answer(&shipped(), &GUIDES, huge.as_bytes(), &clock());
}

#[test]
fn patterns() {
    for (pattern, text, fits) in [
        ("*-TA1", "a-ta1", true),
        ("*-TA1", "A-TA12", false),
        ("J*", "J0561", true),
        ("*", "", true),
        ("A*B*C", "AxxBC", true),
        ("A*A", "A", false),
        ("A", "AB", false),
    ] {
        assert_eq!(scenario::matches(pattern, text), fits, "{pattern} {text}");
    }
}

mod in_folders {
    use super::*;
    use crate::simulator::directory::{Options, Payer, run};
    use std::sync::Arc;

    fn options(home: &std::path::Path, hurry: bool) -> Options {
        Options {
            scenario: shipped(),
            guides: Arc::new(Guides::load(&Folder::ShippedConformance).unwrap()),
            outbound: home.join("outbound"),
            inbound: home.join("inbound"),
            pause: Duration::from_millis(5),
            hurry,
            clock: clock(),
        }
    }

    fn names(folder: &std::path::Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_answered_once_and_moved_away() {
        let home = tempfile::tempdir().unwrap();
        let mut payer = Payer::new(options(home.path(), true));
        assert_eq!(payer.round().unwrap(), 0);
        let (outbound, inbound) = (home.path().join("outbound"), home.path().join("inbound"));
        std::fs::write(outbound.join("837P-000000101.x12"), file(&claim("ACC1"))).unwrap();
        std::fs::write(outbound.join(".half.x12"), "ISA").unwrap();
        assert_eq!(payer.round().unwrap(), 3);
        assert_eq!(names(&outbound), [".half.x12"]);
        assert_eq!(names(&outbound.join("taken")), ["837P-000000101.x12"]);
        assert_eq!(names(&inbound).len(), 3);
        // It is sent once more, after the gateway took one of the answers.
        std::fs::create_dir(inbound.join("taken")).unwrap();
        std::fs::rename(inbound.join("999-000000101.x12"), inbound.join("taken/999-000000101.x12")).unwrap();
        std::fs::write(outbound.join("837P-000000101.x12"), file(&claim("ACC1"))).unwrap();
        assert_eq!(Payer::new(options(home.path(), true)).round().unwrap(), 0);
    }

    #[test]
    fn a_file_that_is_too_large_holds_up_no_other() {
        use crate::simulator::directory::FILE_BYTES_MAX;
        let home = tempfile::tempdir().unwrap();
        let outbound = home.path().join("outbound");
        std::fs::create_dir(&outbound).unwrap();
        let large = std::fs::File::create(outbound.join("a.x12")).unwrap();
        large.set_len(FILE_BYTES_MAX + 1).unwrap();
        std::fs::write(outbound.join("b.x12"), file(&claim("ACC1"))).unwrap();
        assert!(Payer::new(options(home.path(), true)).round().unwrap_err().to_string().contains("larger"));
        assert_eq!(names(&home.path().join("inbound")).len(), 3);
    }

    #[tokio::test]
    async fn it_waits_as_the_scenario_says_and_ends_when_told() {
        let home = tempfile::tempdir().unwrap();
        let mut options = options(home.path(), false);
        options.scenario.delays.status = Duration::from_millis(150);
        options.scenario.delays.payment = Duration::from_secs(3_600);
        std::fs::create_dir(home.path().join("outbound")).unwrap();
        std::fs::write(home.path().join("outbound/a.x12"), file(&claim("ACC1"))).unwrap();
        let mut payer = Payer::new(options.clone());
        assert_eq!(payer.round().unwrap(), 1, "TA1 and 999 come at once");
        let shutdown = tokio::time::sleep(Duration::from_millis(600));
        run(options, shutdown).await.unwrap();
        assert_eq!(names(&home.path().join("inbound")).len(), 2, "the 277CA has come, the 835 has not");
        assert_eq!(names(&home.path().join("outbound")), ["a.x12"]);
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn cents(range: std::ops::Range<i64>) -> impl Strategy<Value = Decimal> {
        range.prop_map(|cents| Decimal::new(cents, 2))
    }

    fn line() -> impl Strategy<Value = (String, Decimal, u32)> {
        let code = prop_oneof![Just("99213"), Just("J0561"), Just("97110"), Just("D2150")];
        (code.prop_map(str::to_owned), cents(0..500_000), 1..20_u32)
    }

    fn share() -> impl Strategy<Value = scenario::Share> {
        prop_oneof![
            cents(0..200_000).prop_map(scenario::Share::Amount),
            cents(0..15_000).prop_map(scenario::Share::Percent),
        ]
    }

    fn terms() -> impl Strategy<Value = scenario::Terms> {
        let denied = prop::option::of(Just(scenario::Denial {
            code: Some("J*".into()),
            group: "CO".into(),
            reason: "16".into(),
            remarks: vec!["M119".into()],
        }));
        (share(), share(), share(), share(), denied, share()).prop_map(
            |(contractual, deductible, copay, coinsurance, denied, interest)| scenario::Terms {
                contractual,
                deductible,
                copay,
                coinsurance,
                denied: denied.into_iter().collect(),
                remarks: vec!["MA01".into()],
                interest,
            },
        )
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            3 => terms().prop_map(Outcome::Pay),
            1 => terms().prop_map(|then| Outcome::Pend { statuses: vec!["P1:20".into()], then }),
            1 => Just(Outcome::Deny(scenario::Denial { code: None, group: "CO".into(), reason: "29".into(), remarks: vec![] })),
            1 => (terms(), terms()).prop_map(|(first, then)| Outcome::Correct { first, then }),
            1 => Just(Outcome::RefuseClaim { statuses: vec!["A3:21".into()], text: None, lines: vec![] }),
        ]
    }

    fn claim_text(number: usize, frequency: &str, lines: &[(String, Decimal, u32)]) -> String {
        let charge: Decimal = lines.iter().map(|(_, charge, _)| *charge).sum();
        let mut text = format!(
            "CLM*C{number}*{charge}***11:B:{frequency}*Y*A*Y*Y~REF*F8*OLD{number}~REF*D9*T{number}~HI*ABK:J020~"
        );
        for (n, (code, charge, units)) in lines.iter().enumerate() {
            let n = n + 1;
            text += &format!("LX*{n}~SV1*HC:{code}*{charge}*UN*{units}***1~DTP*472*D8*20250303~REF*6R*C{number}-{n}~");
        }
        text
    }

    /// What the gateway must hear of a claim, in the order of the answers' kinds.
    fn expected(outcome: &Outcome, frequency: &str) -> Vec<&'static str> {
        let paid = if frequency == "8" { "reversed" } else { "adjudicated" };
        match outcome {
            Outcome::Pay(_) => vec!["accepted", paid],
            Outcome::Pend { .. } => vec!["accepted", "pended", paid],
            Outcome::Deny(_) => vec!["accepted", "denied"],
            Outcome::Correct { .. } => vec!["accepted", "adjudicated", "reversed", "adjudicated"],
            Outcome::RefuseClaim { .. } => vec!["rejected"],
            _ => vec![],
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever the claims and the terms: answers balance, echo what was sent, and say what the scenario names.
        #[test]
        fn answers_balance_and_say_what_the_scenario_names(
            claims in prop::collection::vec(
                (prop::collection::vec(line(), 1..6), prop::sample::select(vec!["1", "7", "8"]), outcome()), 1..5)
        ) {
            let rules = claims.iter().enumerate().map(|(n, (_, _, outcome))| scenario::Rule {
                name: String::new(),
                when: scenario::Condition { claim_number: Some(format!("C{n}")), ..Default::default() },
                then: outcome.clone(),
            });
            let scenario = Scenario { rules: rules.collect(), ..Scenario::default() };
            let text: String = claims.iter().enumerate().map(|(n, (lines, frequency, _))| claim_text(n, frequency, lines)).collect();
            let answers = answers(&scenario, &file(&text));
            sound(&answers);
            let all: Vec<&PayerResponse> = answers.iter().flat_map(|(_, reading)| &reading.responses).collect();
            for (n, (lines, frequency, outcome)) in claims.iter().enumerate() {
                let number = format!("C{n}");
                let said: Vec<&PayerResponse> =
                    all.iter().copied().filter(|r| r.keys.patient_control_number.as_deref() == Some(&number)).collect();
                let charge: Decimal = lines.iter().map(|(_, charge, _)| *charge).sum();
                let decisions: Vec<&str> = said.iter().map(|r| r.decision.as_str()).collect();
                prop_assert_eq!(decisions, expected(outcome, frequency));
                for response in said {
                    prop_assert_eq!(response.keys.charge.map(|said| said.abs()), Some(charge));
                }
            }
        }
    }
}
