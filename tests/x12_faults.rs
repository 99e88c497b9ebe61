//! One fault is one issue, that says what is wrong and where: files as senders break them, and what is said of each.

use crate::support::x12::{claims, remittance};
use crate::x12_corpus::{corpus, files, guides};
use claimgate::fault::Issue;
use claimgate::x12::audit::audit;
use claimgate::x12::check::check_interchange;
use claimgate::x12::guide::Guides;
use claimgate::x12::split::split;
use claimgate::x12::{format, reader, strangers};
use std::ops::ControlFlow;

fn told(guides: &Guides, bytes: &[u8]) -> Vec<Issue> {
    let mut found = Vec::new();
    let done = audit(guides, bytes, |issue| {
        found.push(issue);
        ControlFlow::Continue(())
    });
    assert!(done.is_ok());
    let mut out = Vec::new();
    format::as_read(bytes, &mut out).unwrap().unwrap();
    assert_eq!(out, bytes);
    found
}

/// What is done to a file of claims, and words of the one issue that comes of it.
type Fault = (&'static str, fn(&str) -> String, &'static str);

const FAULTS: [Fault; 38] = [
    ("a short ISA06", |text| text.replacen("*SENDER  ", "*SENDER ", 1), "ISA06 has 14 characters instead of 15"),
    ("a long ISA09", |text| text.replacen("*250303*", "*20250303*", 1), "ISA09 has 8 characters instead of 6"),
    (
        "a trimmed ISA",
        |text| text.replacen("          ", "", 2).replacen("         *", "*", 1),
        "do not have their width",
    ),
    ("no ISA14", |text| text.replacen("*0*T*", "*T*", 1), "15 elements instead of 16: ISA14"),
    ("an element too many in the ISA", |text| text.replacen("*0*T*", "*0*0*T*", 1), "17 elements instead of 16"),
    ("no ISA16", |text| text.replacen("*T*:~", "*T~", 1), "15 elements instead of 16: ISA16"),
    ("an empty ISA16", |text| text.replacen("*T*:~", "*T*~", 1), "ISA16 has 0 characters instead of 1"),
    ("a cut ISA", |text| text.replacen(&text[50..105], "", 1), "elements instead of 16"),
    ("an ISA without terminator", |text| text.replacen("*T*:~", "*T*:", 1), "the ISA has no terminator"),
    ("blanks before the terminator of the ISA", |text| text.replacen("*T*:~", "*T*: ~", 1), "ISA16 has 2 characters"),
    ("no GS", |text| without(text, "GS*"), "a transaction set outside of any group"),
    ("no ST", |text| without(text, "ST*"), "a segment outside of any transaction set"),
    ("no SE", |text| without(text, "SE*"), "the transaction set has no SE"),
    ("no GE", |text| without(text, "GE*"), "the group has no GE"),
    ("no IEA", |text| without(text, "IEA*"), "the interchange has no IEA"),
    ("no GE and IEA", |text| text[..text.find("GE*").unwrap()].to_owned(), "ends without a GE and its IEA"),
    (
        "cut between segments",
        |text| text[..text.find("CLM*").unwrap()].to_owned(),
        "without the SE of set 0001, a GE and its IEA",
    ),
    ("cut within a segment", |text| text[..text.find("CLM*").unwrap() + 9].to_owned(), "ends within a segment"),
    (
        "no terminator at a line end",
        |text| text.replacen("HI*ABK:J020~", "HI*ABK:J020", 1),
        "the segment has no terminator",
    ),
    ("an ST without terminator", |text| text.replacen("*005010X222A1~\nBHT", "*005010X222A1\nBHT", 1), "no terminator"),
    (
        "an IEA without terminator",
        |text| text.trim_end().trim_end_matches('~').to_owned(),
        "the segment has no terminator",
    ),
    (
        "a terminator twice",
        |text| text.replacen("HI*ABK:J020~", "HI*ABK:J020~~", 1),
        "two terminators stand one after the other",
    ),
    ("each terminator twice", |text| text.replace('~', "~~"), "each terminator stands twice"),
    ("a wrong SE01", |text| text.replacen("SE*", "SE*9", 1), "SE01 is not the number of segments"),
    ("a wrong GE01", |text| text.replacen("GE*1", "GE*2", 1), "GE01 is not the number of transaction sets"),
    ("a wrong IEA01", |text| text.replacen("IEA*1", "IEA*2", 1), "IEA01 is not the number of groups"),
    ("an empty ST02", |text| text.replacen("ST*837*0001", "ST*837*", 1), "ST02 is missing"),
    ("a GS06 of letters", |text| text.replacen("*1200*1*X*", "*1200*A*X*", 1), "GS06 is no number"),
    ("a GS04 of six digits", |text| text.replacen("RECEIVER*20250303*", "RECEIVER*250303*", 1), "GS04 is no date"),
    (
        "a version that is not known",
        |text| text.replace("X222A1", "X222A9"),
        "005010X222A9 is no version that is known",
    ),
    ("an old version", |text| text.replace("005010X222A1", "004010X098A1"), "envelope and syntax only"),
    ("a wrong parent", |text| text.replacen("HL*3*1*", "HL*3*9*", 1), "HL02 does not name the level"),
    (
        "no parent",
        |text| text.replacen("HL*3*1*", "HL*3**", 1),
        "Hierarchical Parent ID Number is required and missing",
    ),
    ("a wrong number of a level", |text| text.replacen("HL*3*1*", "HL*9*1*", 1), "not numbered 1, 2, 3"),
    (
        "a wrong number of a level with others below",
        |text| text.replacen("HL*1**", "HL*7**", 1),
        "has another number in its HL01",
    ),
    ("a wrong code of a level", |text| text.replacen("HL*3*1*22", "HL*3*1*2X", 1), "Hierarchical Level Code"),
    (
        "no HL",
        |text| count_of_set(&without(text, "HL*2")),
        "HL*22 (Subscriber Hierarchical Level), which begins loop 2000B, is missing",
    ),
    ("an id in small letters", |text| text.replacen("HI*ABK", "hi*ABK", 1), "this is no segment id"),
];

/// Without the first segment that begins so.
fn without(text: &str, begins: &str) -> String {
    let at = text.find(&format!("\n{begins}")).unwrap() + 1;
    let end = at + text[at..].find('\n').unwrap() + 1;
    text[..at].to_owned() + &text[end..]
}

/// One segment fewer in SE01.
fn count_of_set(text: &str) -> String {
    let at = text.find("\nSE*").unwrap() + 4;
    let end = at + text[at..].find('*').unwrap();
    let count: usize = text[at..end].parse().unwrap();
    format!("{}{}{}", &text[..at], count - 1, &text[end..])
}

#[test]
fn one_fault_is_one_issue() {
    let (guides, text) = (guides(), claims(1_000).collect::<String>());
    assert_eq!(told(&guides, text.as_bytes()), []);
    for (name, spoil, words) in FAULTS {
        let spoilt = spoil(&text);
        assert_ne!(spoilt, text, "{name}");
        let found = told(&guides, spoilt.as_bytes());
        let shown: Vec<_> = found.iter().map(Issue::to_string).collect();
        assert!(found.len() == 1 && shown[0].contains(words) && found[0].hint.is_some(), "{name}: {shown:#?}");
    }
}

/// As [`Fault`], of a TA1, with the element that it names.
type Ta1Fault = (&'static str, &'static str, &'static str);

const TA1: &str = "TA1*000000001*250303*1200*R*022";
const TA1_FAULTS: [Ta1Fault; 17] = [
    ("TA1*1*250303*1200*R*022", "TA101", "Interchange Control Number is shorter than 9"),
    ("TA1*0000000001*250303*1200*R*022", "TA101", "longer than 9"),
    ("TA1*00000000A*250303*1200*R*022", "TA101", "is no number"),
    ("TA1**250303*1200*R*022", "TA101", "required and missing"),
    ("TA1*000000001*20250303*1200*R*022", "TA102", "Interchange Date is longer than 6"),
    ("TA1*000000001*250230*1200*R*022", "TA102", "is no date (YYMMDD)"),
    ("TA1*000000001**1200*R*022", "TA102", "required and missing"),
    ("TA1*000000001*250303*2500*R*022", "TA103", "Interchange Time is no time of day"),
    ("TA1*000000001*250303*12*R*022", "TA103", "shorter than 4"),
    ("TA1*000000001*250303**R*022", "TA103", "required and missing"),
    ("TA1*000000001*250303*1200*Q*022", "TA104", "is none of the codes A, E, R"),
    ("TA1*000000001*250303*1200**022", "TA104", "required and missing"),
    ("TA1*000000001*250303*1200*R*077", "TA105", "Interchange Note Code is none of the codes 000, 001"),
    ("TA1*000000001*250303*1200*R*22", "TA105", "shorter than 3"),
    ("TA1*000000001*250303*1200*R", "TA105", "required and missing"),
    ("TA1*000000001*250303*1200*R*022*X", "TA106", "stands after the last element"),
    ("TA1*000000001*250303*1200*R*022*", "TA106", "is empty at the end"),
];

#[test]
fn each_element_of_a_ta1_is_checked() {
    let guides = guides();
    let claims = claims(1_000).collect::<String>();
    let isa = &claims[..106];
    for claims in ["", &claims[claims.find("GS*").unwrap()..claims.find("IEA*").unwrap()]] {
        let groups = usize::from(!claims.is_empty());
        let file = |ta1: &str| format!("{isa}\n{ta1}~\n{claims}IEA*{groups}*{}~\n", &isa[90..99]);
        let good = file(TA1);
        assert_eq!(told(&guides, good.as_bytes()), []);
        for (ta1, element, words) in TA1_FAULTS {
            let text = file(ta1);
            let found = told(&guides, text.as_bytes());
            let shown: Vec<_> = found.iter().map(Issue::to_string).collect();
            let is_named =
                |shown: &str| shown.contains(&format!("line 2, segment 2, {element}")) && shown.contains(words);
            assert!(found.len() == 1 && is_named(&shown[0]) && found[0].hint.is_some(), "{ta1}: {shown:#?}");
            assert_eq!(found[0].is_error(), !ta1.ends_with('*'), "{ta1}");
            let whole: Vec<_> =
                reader::read(&text).0.iter().flat_map(|found| check_interchange(&guides, found)).collect();
            assert_eq!(whole, found);
            // In an interchange of an earlier release nothing of it is an error.
            let earlier = told(&guides, text.replacen("*00501*", "*00401*", 1).as_bytes());
            assert!(earlier.iter().all(|issue| !issue.is_error()) && earlier.len() == 2, "{earlier:#?}");
        }
        let twice = told(&guides, good.replacen(TA1, &format!("{TA1}~\n{TA1}"), 1).as_bytes());
        assert_eq!(twice, []);
        // That it is cut is all that is wrong with it.
        let cut = &good[..good.find("*R*022").unwrap()];
        let shown: Vec<_> = told(&guides, cut.as_bytes()).iter().map(Issue::to_string).collect();
        assert!(shown.len() == 1 && shown[0].contains("within a segment"), "{shown:#?}");
        let (read, _) = reader::read(cut);
        assert_eq!(check_interchange(&guides, &read[0]).len(), 1);
    }
}

#[test]
fn binary_data_are_taken_by_their_length() {
    let (guides, claims) = (guides(), claims(1_000).collect::<String>());
    let (isa, number) = (&claims[..106], &claims[90..99]);
    let file = |data: &str| {
        format!(
            "{isa}\nGS*PI*SENDER*RECEIVER*20250303*1200*1*X*005010X210~\nST*275*0001*005010X210~\n{data}~\nSE*3*0001~\n\
             GE*1*1~\nIEA*1*{number}~\n"
        )
    };
    // Whatever they hold, and as many bytes, not characters.
    for data in ["BIN*5*a~b*c", "BIN*0*", "BIN*10*~\nSE*1*1~\n", "BIN*2*\u{e9}", "BDS*B64*4*~~~~"] {
        let found = told(&guides, file(data).as_bytes());
        assert!(found.len() == 1 && found[0].text.contains("envelope and syntax only"), "{data:?}: {found:#?}");
    }
    for (data, words) in [
        ("BIN*2*abc", "BIN01 is not the length of the data behind it"),
        ("BIN*9*abc", "BIN01 is not the length of the data behind it"),
        ("BIN*X*abc", "BIN01 is not the length of the data behind it"),
        ("BDS*B64*2*abc", "BDS02 is not the length of the data behind it"),
    ] {
        let found = told(&guides, file(data).as_bytes());
        let errors: Vec<_> = found.iter().filter(|issue| issue.is_error()).collect();
        assert!(errors.len() == 1 && errors[0].text == words, "{data:?}: {found:#?}");
    }
}

#[test]
fn the_notes_of_a_ta1_are_those_of_the_table() {
    let guides = guides();
    let (_, spec) = guides.of_segment("TA1").unwrap();
    let table =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/codes/ta1-note-codes.tsv")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    let codes: Vec<_> = rows.filter_map(|row| row.split('\t').next()).collect();
    assert_eq!(spec.elements[4].codes, codes);
}

#[test]
fn lines_may_be_cut_at_any_width() {
    let guides = guides();
    for text in [claims(3_000).collect::<String>(), remittance(3_000).collect()] {
        let text = text.replace('\n', "");
        for width in [12, 40, 72, 76, 80, 100, 105, 106, 107, 128, 132, 255, 256, 500, 1_000, 1_024] {
            for line_end in ["\n", "\r\n"] {
                let lines: Vec<_> =
                    text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
                for end in ["", line_end] {
                    let found = told(&guides, (lines.join(line_end) + end).as_bytes());
                    let shown: Vec<_> = found.iter().map(Issue::to_string).collect();
                    assert!(found.len() == 1 && shown[0].contains("the lines are cut"), "{width}: {shown:#?}");
                }
            }
        }
    }
}

#[test]
fn what_is_no_x12_is_named_in_one_issue() {
    let guides = guides();
    for (bytes, what) in [
        (b"MSH|^~\\&|A|B|C|D|20250303||DFT^P03|1|P|2.5\r".as_slice(), "HL7"),
        (b"UNB+UNOA:1+A+B+250303:1200+1'", "EDIFACT"),
        (b"<?xml version=\"1.0\"?><a/>", "XML"),
        (b"[{\"a\": 1}]", "JSON"),
        (b"PK\x03\x04\x14\0\0\0", "zip"),
        (b"\x1F\x8B\x08\0\0", "gzip"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\xFF\xFEI\0S\0A\0*\0", "UTF-16"),
    ] {
        let found = told(&guides, bytes);
        assert!(found.len() == 1 && found[0].text.contains(what) && found[0].hint.is_some(), "{what}: {found:?}");
        assert_eq!(found[0], strangers::no_interchange(bytes));
    }
}

/// CLM01 and CLP01 of a file, in its order.
fn claims_of(bytes: &[u8]) -> Vec<String> {
    let mut segments = claimgate::x12::stream::Segments::new(bytes);
    let mut found = Vec::new();
    while let Some(step) = segments.next_segment().unwrap() {
        let is_claim = step.role.in_set() && matches!(step.segment.id(), "CLM" | "CLP");
        found.extend(is_claim.then(|| step.segment.element(1).to_owned()));
    }
    found
}

/// Every claim of every file is in exactly one part, and no part has an error of its envelope that the file has not.
#[test]
fn every_corpus_claim_is_in_one_part() {
    let guides = guides();
    let envelope = |issues: Vec<Issue>| {
        let errors = issues.into_iter().filter(|issue| issue.is_error() && issue.code == "CG-1501");
        errors.map(|issue| issue.text).collect::<Vec<_>>()
    };
    for kind in ["835", "837p", "837i", "837d", "mixed", "envelope-errors"] {
        for path in files(&corpus().join(kind)) {
            let bytes = std::fs::read(&path).unwrap();
            let own = envelope(told(&guides, &bytes));
            let (mut parts, mut unlike) = (Vec::new(), Vec::new());
            let found = split(&guides, bytes.as_slice(), |part| {
                parts.extend(claims_of(&part.bytes));
                let errors = envelope(told(&guides, &part.bytes));
                unlike.extend(errors.into_iter().filter(|error| !own.contains(error)));
                true
            });
            assert!(found.unwrap().an_interchange || parts.is_empty());
            assert_eq!(parts, claims_of(&bytes), "{}", path.display());
            assert_eq!(unlike, [""; 0], "{}", path.display());
        }
    }
}
