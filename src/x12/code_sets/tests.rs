use super::*;
use crate::assets::Folder;
use crate::fault::{Place, Severity, codes};
use crate::x12::guide::Guides;
use crate::x12::guide::tests::shipped;
use crate::x12::tree::{self, tests::set};

/// Names and places of what is found in one loop of a guide, that holds the segments given.
fn found_with(guides: &Guides, guide: &str, in_loop: &str, segments: &str) -> Vec<String> {
    let guide = guides.get(guide).unwrap();
    let set = set(segments);
    let ix = guide.loop_ix(in_loop).unwrap();
    let (root, _) = tree::assign(guide, &set);
    let mut issues = Vec::new();
    for segment in &set.segments {
        let named = guide.segments_of(ix).filter(|(_, spec)| spec.id == segment.id());
        let (spec, _) = named
            .into_iter()
            .find(|(_, spec)| {
                spec.answers_to(segment.element(1))
                    || spec.qualifiers.is_empty()
                    || spec.answers_to(segment.component(1, 1))
            })
            .unwrap();
        check_segment(guide, spec, &set, &root, segment, &mut issues);
    }
    let show = |issue: &Issue| {
        let Place::X12(at) = &issue.at else { panic!("{issue}") };
        format!("{} {}", at.check.as_deref().unwrap_or_default(), at.element_name().unwrap_or_default())
    };
    issues.iter().map(show).collect()
}

fn found(guide: &str, in_loop: &str, segments: &str) -> Vec<String> {
    found_with(shipped(), guide, in_loop, segments)
}

#[test]
fn codes_of_claims() {
    for (in_loop, segment, expected) in [
        ("2010AA", "NM1*85*2*ACME*****XX*1234567893", vec![]),
        ("2010AA", "NM1*85*2*ACME*****XX*1234567890", vec!["npi-form NM109"]),
        ("2010BB", "NM1*PR*2*PAYER*****PI*1234567890", vec![]),
        ("2010AA", "N4*TOWN*NY*100011234", vec![]),
        ("2010AA", "N4*TOWN*XX*100011234", vec!["state N402"]),
        ("2010AA", "N4*TOWN*NY*10001", vec!["billing-zip N403"]),
        ("2010BA", "N4*TOWN*NY*10001", vec![]),
        ("2010BA", "N4*TOWN***ZQ", vec!["country N404"]),
        ("2000A", "PRV*BI*PXC*207Q00000X", vec![]),
        ("2000A", "PRV*BI*PXC*207Q", vec!["taxonomy-form PRV03"]),
        ("2300", "CLM*A*100***11:B:1", vec![]),
        ("2300", "CLM*A*100***00:B:1", vec!["place-of-service CLM05-1"]),
        ("2300", "HI*ABK:J020*ABF:J02.0*ABF:S72001A", vec!["diagnosis-form HI02-2"]),
        ("2300", "HI*BK:4660*BF:J020", vec!["diagnosis-form-icd-9 HI02-2"]),
        ("2300", "HI*BG:17*BG:171", vec!["nubc-form HI02-2"]),
        ("2300", "DTP*439*D8*20250230", vec!["qualified-date DTP03"]),
        ("2300", "DTP*434*RD8*20250201-20250230", vec![]),
        ("2400", "SV1*HC:JXXXX:25:A*100*UN*1", vec!["procedure-form SV101-2", "modifier-form SV101-4"]),
        ("2410", "LIN**N4*0006-4943-0", vec!["drug-form LIN03"]),
    ] {
        let own = if segment.starts_with("DTP*434") { "837i" } else { "837p" };
        let expected = if own == "837i" { vec!["qualified-period DTP03"] } else { expected };
        assert_eq!(found(own, in_loop, segment), expected, "{segment}");
    }
}

#[test]
fn codes_of_answers() {
    for (guide, in_loop, segment, expected) in [
        ("835", "2110", "CAS*CO*45*10**A1*5", vec![]),
        (
            "835",
            "2110",
            "CAS*CO*XX*10**299999*5",
            vec![
                "adjustment-reason-form CAS02",
                "adjustment-reason CAS02",
                "adjustment-reason-form CAS05",
                "adjustment-reason CAS05",
            ],
        ),
        ("835", "2110", "LQ*HE*N130", vec![]),
        ("835", "2110", "LQ*HE*XYZ", vec!["remark LQ02"]),
        ("835", "ST", "PLB*1*20251231*WO:1*10*QQ:2*5", vec!["provider-adjustment PLB05-1"]),
        ("277ca", "2200D", "STC*A2:20*20250303", vec![]),
        ("277ca", "2200D", "STC*Z9:20*20250303", vec!["status-category STC01-1"]),
        ("278-request", "2000E", "UM*HS*I*ZZ", vec!["service-type UM03"]),
    ] {
        assert_eq!(found(guide, in_loop, segment), expected, "{segment}");
    }
}

#[test]
fn whole_lists_of_the_user_take_the_place_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("icd-10-cm.txt"), "# of the year\nA00.0 Cholera\nJ020\tPharyngitis\n").unwrap();
    std::fs::write(folder.path().join("carc.csv"), "\"45\",charge\n").unwrap();
    let lists = Lists { whole: Some(folder.path().to_owned()), ..Lists::shipped() };
    let guides = Guides::load_with(&Folder::ShippedConformance, &lists).unwrap();
    assert_eq!(found_with(&guides, "837p", "2300", "HI*ABK:J020*ABF:A000*ABF:S72001A"), ["diagnosis-form HI03-2"]);
    assert_eq!(found_with(&guides, "835", "2110", "CAS*CO*45*10**1*5"), ["adjustment-reason CAS05"]);
}

#[test]
fn every_check_has_a_name_of_its_own_and_words() {
    let names: Vec<_> = shipped().checks().map(|check| check.name.as_str()).collect();
    assert!(names.len() > 80, "{}", names.len());
    for check in shipped().checks() {
        assert_eq!(names.iter().filter(|name| **name == check.name).count(), 1, "{}", check.name);
        assert!(check.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        let ends = |text: &str| text.ends_with(['.', '…']) || check.code == codes::X12_BALANCE;
        assert!(ends(&check.say) && ends(&check.mend), "{}", check.name);
        assert!(check.severity <= Severity::Error);
    }
}
