use super::*;
use crate::x12::check::check_interchange;
use crate::x12::guide::tests::shipped;
use crate::x12::reader;
use crate::x12::tokens::tests::isa;

const CLAIM: &str = "ST*837*0001*005010X222A1~BHT*0019*00*B*20250303*1200*CH~NM1*41*2*CG*****46*1X~PER*IC*A*TE*5551234567~\
    NM1*40*2*P*****46*P1~HL*1**20*1~NM1*85*2*ACME*****XX*1234567893~N3*1 MAIN~N4*TOWN*NY*10001~REF*EI*123456789~HL*2*1*22*0~\
    SBR*P*18*******CI~NM1*IL*1*DOE*JOHN****MI*123~N3*1 ELM~N4*TOWN*NY*10001~DMG*D8*19800101*M~NM1*PR*2*PAYER*****PI*999~CLM*A1*100***11:B:1*Y*A*Y*Y~HI*ABK:J020~LX*1~\
    SV1*HC:99213*100*UN*1***1~DTP*472*D8*20250303~SE*23*0001~";

fn answer(asked: bool, body: &str) -> String {
    let head = isa('*', '^', ':', "~").replace("*0*T*", if asked { "*1*T*" } else { "*0*T*" });
    let text = format!("{head}{body}IEA*1*000000001~");
    let (interchanges, _) = reader::read(&text);
    let issues = check_interchange(shipped(), &interchanges[0]);
    let at = jiff::civil::date(2025, 3, 3).at(14, 30, 0, 0);
    let bytes = acknowledge(&interchanges[0], &issues, Numbers { interchange: 9, group: 8 }, at);
    let answer = String::from_utf8(bytes).unwrap();
    let (read, _) = reader::read(&answer);
    let own: Vec<_> = read.iter().flat_map(|read| check_interchange(shipped(), read)).collect();
    assert!(own.is_empty(), "{answer}\n{own:?}");
    answer
}

fn group(sets: &str, count: usize) -> String {
    format!("GS*HC*SENDER*RECEIVER*20250303*1200*7*X*005010X222A1~{sets}GE*{count}*7~")
}

/// The segments between ST and SE.
fn content(answer: &str) -> Vec<&str> {
    let all = answer.split('~').skip_while(|raw| !raw.starts_with("AK1"));
    all.take_while(|raw| !raw.starts_with("SE")).collect()
}

#[test]
fn a_clean_group_is_accepted() {
    let text = answer(false, &group(CLAIM, 1));
    assert!(text.starts_with(
        "ISA*00*          *00*          *ZZ*RECEIVER       *ZZ*SENDER         *250303*1430*^*00501*000000009*0*T*:~\
         GS*FA*RECEIVER*SENDER*20250303*1430*8*X*005010X231A1~ST*999*0001*005010X231A1~"
    ));
    assert_eq!(content(&text), ["AK1*HC*7*005010X222A1", "AK2*837*0001*005010X222A1", "IK5*A", "AK9*A*1*1*1"]);
    assert!(answer(true, &group(CLAIM, 1)).contains("~TA1*000000001*250303*1200*A*000~GS*FA"));
}

#[test]
fn errors_are_named_with_segment_element_and_claim() {
    let bad = CLAIM
        .replace("0001", "0002")
        .replace("11:B:1*Y*A", "11:B:QQ*Y*")
        .replace("HI*ABK:J020~", "")
        .replace("SE*23", "SE*22");
    let text = answer(false, &group(&format!("{CLAIM}{bad}"), 2));
    let expected = [
        "AK1*HC*7*005010X222A1",
        "AK2*837*0001*005010X222A1",
        "IK5*A",
        "AK2*837*0002*005010X222A1",
        "IK3*HI*18*2300*3",
        "CTX*CLM01:A1",
        "IK3*CLM*18*2300*8",
        "CTX*CLM01:A1",
        "IK4*5:3**5*QQ",
        "IK4*7**1",
        "IK5*R*5",
        "AK9*P*2*2*1",
    ];
    assert_eq!(content(&text), expected);
}

#[test]
fn counts_and_numbers_of_the_envelope_are_named() {
    let text = answer(false, &group(&CLAIM.replace("SE*23*0001", "SE*21*0009"), 3));
    assert_eq!(content(&text)[2..], ["IK5*R*4*3", "AK9*R*3*1*0*5"]);
}

#[test]
fn a_broken_envelope_is_rejected_whole() {
    let text =
        answer(false, &group(CLAIM, 1).replace("GE*1*7~", "GE*1*7~GS*HC***20250303*1200*8*X*005010X222A1~GE*0*8~"));
    assert!(text.contains("TA1*000000001*250303*1200*R*021~IEA*0*000000009~"), "{text}");
}

#[test]
fn acknowledgments_are_not_acknowledged() {
    let fa = "GS*FA*A*B*20250303*1200*7*X*005010X231A1~ST*999*0001*005010X231A1~AK1*HC*7*005010X222A1~AK9*A*1*1*1~SE*4*0001~GE*1*7~";
    assert_eq!(answer(true, fa), "");
}

#[test]
fn the_notes_of_a_set_are_limited() {
    for (lines, notes) in [(MAX_NOTES, MAX_NOTES), (MAX_NOTES + 1, MAX_NOTES)] {
        let zzz = "ZZZ*1~".repeat(lines);
        let set = format!("ST*837*0001*005010X222A1~{zzz}SE*{}*0001~", lines + 2);
        let (interchange, at) =
            (format!("{}{}IEA*1*000000001~", isa('*', '^', ':', "~"), group(&set, 1)), jiff::civil::date(2025, 3, 3));
        let (interchanges, _) = reader::read(&interchange);
        let mut issues = check_interchange(shipped(), &interchanges[0]);
        issues.retain(|issue| issue.to_string().contains("knows no such"));
        let bytes = acknowledge(&interchanges[0], &issues, Numbers { interchange: 1, group: 1 }, at.at(0, 0, 0, 0));
        assert_eq!(String::from_utf8(bytes).unwrap().matches("IK3*").count(), notes);
    }
}
