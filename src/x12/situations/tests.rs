use super::*;
use crate::x12::findings::Ranked;
use crate::x12::guide::tests::shipped;
use crate::x12::meanings::Meanings;
use crate::x12::tree::{self, tests::set};

const HEAD: &str = "ST*837*0001*005010X222A1~BHT*0019*00*B*20250303*1200*CH~NM1*41*2*CG*****46*1X~PER*IC*A*TE*5551234567~\
    NM1*40*2*P*****46*P1~HL*1**20*1~NM1*85*2*ACME*****XX*1234567893~N3*1 MAIN~N4*TOWN*NY*10001~REF*EI*123456789~HL*2*1*22*0~\
    SBR*P*18*******CI~NM1*IL*1*DOE*JOHN****MI*123~N3*1 ELM~N4*TOWN*NY*100011234~DMG*D8*19800101*M~NM1*PR*2*PAYER*****PI*999~";

/// Names and places of what the rules say of a professional claim.
fn found(claim: &str) -> Vec<String> {
    found_in("837p", &format!("{HEAD}{claim}~SE*1*0001"))
}

fn found_in(guide: &str, text: &str) -> Vec<String> {
    let (guide, set) = (shipped().get(guide).unwrap(), set(text));
    let (root, _) = tree::assign(guide, &set);
    let mut found = Ranked::default();
    check(guide, &set, &root, &[], &mut Meanings::default(), &mut found);
    let issues = found.issues;
    let show = |issue: &Issue| {
        let Place::X12(at) = &issue.at else { panic!("{issue}") };
        let (name, element) = (at.check.as_deref().unwrap_or_default(), at.element_name().unwrap_or_default());
        format!("{name} {element} {}", at.error_code.as_deref().unwrap_or_default())
    };
    issues.iter().map(show).collect()
}

const LINE: &str = "HI*ABK:J020~LX*1~SV1*HC:99213*100*UN*1***1~DTP*472*D8*20250303";

/// A claim by its CLM, and the segments between it and its lines.
fn claim(clm: &str, more: &str) -> String {
    format!("{clm}~{more}{LINE}")
}

#[test]
fn a_claim_that_follows_the_rules_has_none() {
    assert_eq!(found(&claim("CLM*A1*100***11:B:1*Y*A*Y*Y", "")), [""; 0]);
}

#[test]
fn what_a_code_demands_is_missed() {
    for (clm, more, expected) in [
        ("CLM*A1*100***11:B:1*Y*A*Y*Y**AA:::NY", "", vec!["accident-date DTP I6"]),
        ("CLM*A1*100***11:B:1*Y*A*Y*Y**OA", "DTP*439*D8*20250301~", vec![]),
        ("CLM*A1*100***11:B:1*Y*A*Y*Y**AA", "DTP*439*D8*20250301~", vec!["accident-state CLM11-4 I9"]),
        ("CLM*A1*100***11:B:1*Y*A*Y*Y**AA::::MX", "DTP*439*D8*20250301~", vec![]),
        ("CLM*A1*100***11:B:7*Y*A*Y*Y", "", vec!["original-reference REF I6"]),
        ("CLM*A1*100***11:B:7*Y*A*Y*Y", "REF*G1*123~", vec!["original-reference REF I6"]),
        ("CLM*A1*100***11:B:8*Y*A*Y*Y", "REF*F8*123~", vec![]),
        ("CLM*A1*100***21:B:1*Y*A*Y*Y", "", vec!["admission-date DTP I6"]),
        ("CLM*A1*100***11:B:1*Y*A*Y*Y", "PWK*03*EL~", vec!["paper-attachment PWK06 I9"]),
        ("CLM*A1*100***11:B:1*Y*A*Y*Y", "PWK*03*AA~", vec![]),
    ] {
        assert_eq!(found(&claim(clm, more)), expected, "{clm} {more}");
    }
}

#[test]
fn the_trigger_is_told() {
    let text = format!("{HEAD}{}~SE*1*0001", claim("CLM*A1*100***11:B:7*Y*A*Y*Y", ""));
    let (guide, set) = (shipped().get("837p").unwrap(), set(&text));
    let (root, _) = tree::assign(guide, &set);
    let mut found = Ranked::default();
    check(guide, &set, &root, &[], &mut Meanings::default(), &mut found);
    let issues = found.issues;
    let Place::X12(at) = &issues[0].at else { panic!("{issues:?}") };
    let trigger = at.trigger.as_deref().unwrap();
    assert_eq!((trigger.segment.as_str(), trigger.loop_id.as_str()), ("CLM", "2300"));
    assert_eq!((trigger.ordinal, trigger.element, trigger.component), (18, Some(5), Some(3)));
    assert!(issues[0].hint.is_some() && issues[0].is_error());
}

#[test]
fn rules_look_into_the_levels_around_a_claim() {
    let text = format!("{HEAD}{}~SE*1*0001", claim("CLM*A1*100***11:B:1*Y*A*Y*Y", ""));
    let without = text.replace("N3*1 ELM~N4*TOWN*NY*100011234~DMG*D8*19800101*M~", "");
    let expected = ["subscriber-address N3 I6", "subscriber-address N4 I6", "subscriber-birth DMG I6"];
    assert_eq!(found_in("837p", &without), expected);
    let late = text.replace("19800101", "20250304");
    assert_eq!(found_in("837p", &late), ["birth-before-service DTP03 8"]);
    let medicare = text.replace("SBR*P*18*******CI", "SBR*S*18*******MB");
    assert_eq!(found_in("837p", &medicare), ["medicare-secondary SBR05 I9"]);
}

#[test]
fn a_claim_does_not_see_into_the_levels_beside_it() {
    let own = claim("CLM*A1*100***11:B:1*Y*A*Y*Y", "");
    let text = format!("{HEAD}{own}~HL*3*2*23*0~PAT*19~{own}~SE*1*0001").replace("SBR*P*18*", "SBR*P**");
    let found: Vec<_> = found_in("837p", &text).into_iter().filter(|name| name.starts_with("claim-of")).collect();
    assert_eq!(found, ["claim-of-subscriber SBR02 I9"]);
}

#[test]
fn code_sets_belong_to_their_time() {
    let dated = |code: &str, day: &str| {
        found(&claim("CLM*A1*100***11:B:1*Y*A*Y*Y", "").replace("ABK:J020", code).replace("20250303", day))
    };
    assert_eq!(dated("BK:4660", "20150930"), [""; 0]);
    assert_eq!(dated("BK:4660", "20151001"), ["icd-9-after-its-time HI I9"]);
    assert_eq!(dated("ABK:J020", "20151001"), [""; 0]);
    assert_eq!(dated("ABK:J020", "20150930"), ["icd-10-before-its-time HI I9"]);
    let dead = format!("{HEAD}{}~SE*1*0001", claim("CLM*A1*100***11:B:1*Y*A*Y*Y", ""))
        .replace("*CI~NM1*IL", "*CI~PAT*****D8*20250302~NM1*IL");
    assert_eq!(found_in("837p", &dead), ["service-after-death DTP03 8"]);
}

#[test]
fn rules_look_at_other_payers() {
    let other = |sbr: &str, cas: &str, amt: &str| {
        claim(
            "CLM*A1*100***11:B:1*Y*A*Y*Y",
            &format!(
                "{sbr}~{cas}{amt}OI***Y***Y~NM1*IL*1*DOE*JOHN****MI*1~NM1*PR*2*OTHER*****PI*77~DTP*573*D8*20250301~"
            ),
        )
    };
    assert_eq!(found(&other("SBR*S*18*******CI", "", "")), [""; 0]);
    assert_eq!(found(&other("SBR*P*18*******CI", "", "")), ["payer-sequence-unique SBR01 I6"]);
    assert_eq!(found(&other("SBR*S*18*******CI", "CAS*CO*45*10~", "")), ["other-payer-paid AMT I6"]);
    assert_eq!(found(&other("SBR*S*18*******CI", "CAS*CO*45*10~", "AMT*D*0~")), [""; 0]);
    let adjudicated = |payer: &str| {
        format!("{}~SVD*{payer}*90*HC:99213**1~CAS*CO*45*10~DTP*573*D8*20250301", other("SBR*S*18*******CI", "", ""))
    };
    assert_eq!(found(&adjudicated("77")), [""; 0]);
    assert_eq!(found(&adjudicated("78")), ["line-payer-known SVD01 I6"]);
}

#[test]
fn lines_are_numbered_and_point_to_diagnoses() {
    let lines = |number: &str, pointer: &str| {
        format!("CLM*A1*100***11:B:1*Y*A*Y*Y~{LINE}~LX*{number}~SV1*HC:99214*0*UN*1***{pointer}~DTP*472*D8*20250303")
    };
    assert_eq!(found(&lines("2", "1")), [""; 0]);
    assert_eq!(found(&lines("3", "1")), ["line-numbers LX01 7"]);
    assert_eq!(found(&lines("2", "1:2")), ["pointer-without-diagnosis SV107 7"]);
    assert_eq!(found(&lines("2", "0")), ["pointer-without-diagnosis SV107 7"]);
}

#[test]
fn what_must_not_stand_is_found_where_it_stands() {
    let text = "ST*835*1~BPR*I*0*C*NON************20250303~TRN*1*1*1512345678~LX*1~CLP*A*22*-100*-90*-10*12*1~NM1*QC*1*DOE~\
                DTM*232*20250301~MIA*0~MOA***MA01~SE*1*1";
    let expected = ["reversal-without-patient-share CLP05 I13", "one-kind-of-remarks MOA I9"];
    assert_eq!(found_in("835", text), expected);
    let paid = text.replace("BPR*I*0*", "BPR*I*.10*").replace("*22*-100*-90*-10", "*1*100*90*10").replace("~MIA*0", "");
    assert_eq!(found_in("835", &paid), ["payment-for-nothing BPR02 I6"]);
}

#[test]
fn the_notation_is_read() {
    let term = notation::term("2010BA/DTP*439.03-1").unwrap();
    assert_eq!((term.in_loop, term.id, term.qualifier), (Some("2010BA"), "DTP", Some("439")));
    assert_eq!((term.element, term.component), (3, 1));
    for (text, id, element, component) in [
        ("NM109", "NM1", 9, 0),
        ("NM1", "NM1", 0, 0),
        ("N403", "N4", 3, 0),
        ("HI**-2", "HI", EVERY, 2),
        ("N3", "N3", 0, 0),
    ] {
        let term = notation::term(text).unwrap();
        assert_eq!((term.id, term.element, term.component), (id, element, component), "{text}");
    }
    for text in ["", "CLM05-x", "X", "CLM0x", "é", "CLMX*"] {
        assert!(notation::term(text).is_none(), "{text}");
    }
    let patterns = notation::patterns("AA J* A0425..A0434 A_B");
    let any = |value: &str| patterns.iter().any(|pattern| pattern.holds(value));
    assert!(any("AA") && any("J1") && any("A0430") && any("A B"));
    assert!(!any("AAA") && !any("A0435") && !any("A04300") && !any(""));
}

#[test]
fn mistakes_in_rule_files_are_told_with_their_lines() {
    let mistakes = |text: &str| {
        let (stanzas, mut issues) = notation::parse("x.rules", text);
        let mut guides = vec![crate::x12::guide_file::parse("x.guide", GUIDE).unwrap()];
        guides.iter_mut().for_each(|guide| guide.situations.resize_with(guide.loops.len(), Default::default));
        let found = stanzas.iter().filter_map(|stanza| compile(stanza, &mut guides).err());
        issues.extend(found.flatten());
        issues.iter().map(|issue| issue.at.to_string()).collect::<Vec<_>>()
    };
    let rule = "rule a error\n  in A\n  when NM101 = 85\n  need NM103\n  say s\n  mend m\n";
    assert_eq!(mistakes(rule), [""; 0]);
    assert_eq!(mistakes(&rule.replace("error", "fatal")), ["x.rules:1:1"]);
    assert_eq!(mistakes(&rule.replace("NM103", "NM199")), ["x.rules:1:1"]);
    assert_eq!(mistakes(&rule.replace("in A", "in B")), ["x.rules:1:1"]);
    assert_eq!(mistakes(&rule.replace("= 85", "is 85")), ["x.rules:3:1"]);
    assert_eq!(mistakes(&rule.replace("  need NM103\n", "")), ["x.rules:1:1"]);
    assert_eq!(mistakes(&rule.replace("  mend m\n", "  mende m\n")), ["x.rules:6:1", "x.rules:1:1"]);
    let outer = "rule a error\n  in ST\n  need A/NM103\n  say s\n  mend m\n";
    assert_eq!(mistakes(outer), [""; 0]);
    let unit = |text: &str| {
        let (stanzas, _) = notation::parse("x.rules", text);
        let mut guide = crate::x12::guide_file::parse("x.guide", &GUIDE.replace("title T", "title T\nunit A")).unwrap();
        guide.situations.resize_with(guide.loops.len(), Default::default);
        compile(&stanzas[0], &mut [guide]).is_ok()
    };
    assert_eq!((unit(outer), unit(&outer.replace("A/NM103", "A/"))), (false, true));
    assert_eq!(mistakes("  need N3\nbogus\n"), ["x.rules:1:1", "x.rules:2:1"]);
}

const GUIDE: &str = "guide 1\ntransaction 837\ngroup HC\ntitle T\n\nloop ST R 1 Set\n  ST R 1 Header\n    01 R ID 3/3 [837] Id\n  > A\n\n\
                     loop A under ST S >1 Loop A\n  NM1*85 R 1 Name\n    01 R ID 2/3 [85] Code\n    03 S AN 1/60 Name\n";
