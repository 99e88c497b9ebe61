use super::*;
use crate::x12::acknowledge::{Numbers, acknowledge};
use crate::x12::check::check_interchange;
use crate::x12::guide::tests::shipped;
use crate::x12::reader;
use crate::x12::tokens::tests::isa;

const CLAIM: &str = "ST*837*0001*005010X222A1~BHT*0019*00*B*20250303*1200*CH~NM1*41*2*CG*****46*1X~PER*IC*A*TE*5551234567~\
    NM1*40*2*P*****46*P1~HL*1**20*1~NM1*85*2*ACME*****XX*1234567893~N3*1 MAIN~N4*TOWN*NY*100011234~REF*EI*123456789~HL*2*1*22*0~\
    SBR*P*18*******CI~NM1*IL*1*DOE*JOHN****MI*123~N3*1 ELM~N4*TOWN*NY*100011234~DMG*D8*19800101*M~NM1*PR*2*PAYER*****PI*999~\
    CLM*A1*100***11:B:7*Y*A*Y*Y~HI*ABK:J020~LX*1~SV1*HC:99213*100*UN*1***1~DTP*472*D8*20250303~SE*23*0001~";

fn interchange(body: &str, count: usize) -> String {
    let head = isa('*', '^', ':', "~");
    format!("{head}GS*HC*SENDER*RECEIVER*20250303*1200*7*X*005010X222A1~{body}GE*{count}*7~IEA*1*000000001~")
}

fn told(answer: &str, original: &str) -> Vec<Issue> {
    let words = Words::load(&Folder::ShippedMappings);
    read(shipped(), &words, &reader::read(answer).0, &reader::read(original).0)
}

fn answer(inside: &str) -> String {
    let head = isa('*', '^', ':', "~");
    format!("{head}GS*FA*R*S*20250303*1200*8*X*005010X231A1~{inside}GE*1*8~IEA*1*000000001~")
}

fn places(issues: &[Issue]) -> Vec<String> {
    issues.iter().map(|issue| format!("{issue}").lines().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_we_answer_is_read_back_to_where_it_was_found() {
    let bad = CLAIM.replace("11:B:7*Y*A", "11:B:7*Q*").replace("HI*ABK:J020~", "").replace("SE*23", "SE*22");
    let original = interchange(&bad, 1);
    let (interchanges, _) = reader::read(&original);
    let issues = check_interchange(shipped(), &interchanges[0]);
    let at = jiff::civil::date(2025, 3, 3).at(12, 0, 0, 0);
    let bytes = acknowledge(&interchanges[0], &issues, Numbers { interchange: 9, group: 8 }, at);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("IK3*REF*18*2300*I6~CTX*SITUATIONAL TRIGGER*CLM*18*2300*5:3~CTX*CLM01:A1~"), "{text}");
    let back = told(&text, &original);
    let key = |issue: &Issue| {
        let Place::X12(at) = &issue.at else { panic!("{issue}") };
        (at.segment.clone(), at.element, at.component, at.ordinal, at.offset, at.loop_id.clone(), at.error_code.clone())
    };
    let errors = issues
        .iter()
        .filter(|issue| issue.is_error() && matches!(&issue.at, Place::X12(at) if at.error_code.is_some()));
    let (mut sent, mut read): (Vec<_>, Vec<_>) = (errors.map(key).collect(), back.iter().map(key).collect());
    sent.sort();
    read.sort();
    assert_eq!(sent, read, "{text}");
    let trigger = |issue: &Issue| matches!(&issue.at, Place::X12(at) if at.trigger.is_some());
    assert_eq!(back.iter().filter(|issue| trigger(issue)).count(), 1);
}

#[test]
fn acceptance_is_no_issue_and_noted_faults_are_warnings() {
    let original = interchange(CLAIM, 1);
    let accepted = answer("ST*999*0001~AK1*HC*7~AK2*837*0001~IK5*A~AK9*A*1*1*1~SE*6*0001~");
    assert_eq!(told(&accepted, &original), []);
    let noted = answer("ST*999*0001~AK1*HC*7~AK2*837*1~IK3*CLM*18**8~IK4*5:3**7*7~IK5*E*5~AK9*E*1*1*1~SE*8*0001~");
    let issues = told(&noted, &original);
    assert_eq!(
        places(&issues),
        ["warning CG-3002 at line 1, set 0001, loop 2300, segment 18, CLM05-3: invalid code value"]
    );
}

#[test]
fn functional_acknowledgments_are_read_as_well() {
    let original = interchange(CLAIM, 1);
    let text = answer(
        "ST*997*0001~AK1*HC*7~AK2*837*0001~AK3*NM1*13*2010*8~AK4*9*67*1~AK3*N3*14**3~AK5*R*5~AK9*R*1*1*0~SE*9*0001~",
    );
    let issues = told(&text, &original);
    assert!(
        places(&issues)[0].starts_with("error CG-3002 at line 1, set 0001, loop 2010BA, segment 13, NM109:"),
        "{issues:?}"
    );
    assert!(places(&issues)[1].contains("segment 14, N3"), "{issues:?}");
    assert_eq!(issues.len(), 2);
}

#[test]
fn sets_and_groups_are_refused_as_a_whole() {
    let original = interchange(CLAIM, 1);
    let text = answer("ST*999*0001~AK1*HC*7~AK2*837*0001~IK5*R*4*3~AK9*R*1*1*0*5~SE*6*0001~");
    let issues = told(&text, &original);
    assert_eq!(issues.len(), 3, "{issues:?}");
    assert!(issues.iter().all(Issue::is_error));
    let Place::X12(group) = &issues[2].at else { panic!("{issues:?}") };
    assert_eq!((group.segment.as_deref(), group.group.as_deref()), (Some("GS"), Some("7")));
    let silent = answer("ST*999*0001~AK1*HC*7~AK9*R*1*1*0~SE*4*0001~");
    assert!(told(&silent, &original)[0].text.contains("no reason"));
    let silent = answer("ST*999*0001~AK1*HC*7~AK2*837*0001~IK5*R~AK9*R*1*1*0~SE*6*0001~");
    assert_eq!(told(&silent, &original).len(), 1);
}

#[test]
fn interchanges_are_refused_by_a_ta1() {
    let original = interchange(CLAIM, 1);
    let ta1 = |code: &str| format!("{}TA1*000000001*250303*1200*{code}~IEA*0*000000002~", isa('*', '^', ':', "~"));
    let issues = told(&ta1("R*025"), &original);
    assert!(issues[0].is_error() && issues[0].text.contains("duplicate"), "{issues:?}");
    assert!(!told(&ta1("E*014"), &original)[0].is_error());
    assert_eq!(told(&ta1("A*000"), &original), []);
}

#[test]
fn what_was_not_sent_is_a_warning_without_a_place() {
    let original = interchange(CLAIM, 1);
    for text in [
        answer("ST*999*0001~AK1*HC*99~AK2*837*0001~IK5*R*5~AK9*R*1*1*0~SE*6*0001~"),
        answer("ST*999*0001~AK1*HC*7~AK2*837*0077~IK5*A~AK9*A*1*1*1~SE*6*0001~"),
        format!("{}TA1*000000099*250303*1200*R*025~IEA*0*000000002~", isa('*', '^', ':', "~")),
    ] {
        let issues = told(&text, &original);
        assert_eq!((issues.len(), issues[0].code), (1, codes::RESPONSE_UNMATCHED), "{issues:?}");
    }
}

#[test]
fn nonsense_never_panics() {
    let original = interchange(CLAIM, 1);
    for inside in [
        "IK3*~IK4*~CTX*~IK5*~AK9*~",
        "AK1*HC*7~IK3*CLM*99999999999**8~IK4*300:300:300**~IK5*~",
        "AK1*HC*7~AK2*837*0001~IK3**0~IK4~IK5*R~AK9*R~",
    ] {
        told(&answer(&format!("ST*999*0001~{inside}SE*9*0001~")), &original);
    }
}
