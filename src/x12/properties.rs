//! What holds for any input at all.

use crate::fault::Issue;
use crate::x12::acknowledge::{Numbers, acknowledge};
use crate::x12::build::{LoopNode, arrange, check, problem_of, tests::claim, text_of};
use crate::x12::check::check_interchange;
use crate::x12::delimiters::Delimiters;
use crate::x12::guide::tests::shipped;
use crate::x12::guide::{ElementKind, ElementSpec};
use crate::x12::portions::{Portion, Visitor};
use crate::x12::reader::{self, Interchange};
use crate::x12::stream::{Segments, Step};
use crate::x12::text::Text;
use crate::x12::tokens::Tokens;
use crate::x12::tokens::tests::isa;
use crate::x12::writer::{write_loop, write_segment};
use crate::x12::{audit, format, json, portions, text, tree};
use proptest::prelude::*;
use std::ops::ControlFlow;

/// A small interchange with a claim and a remittance, to be broken.
fn sample() -> String {
    let (guide, mut node) = claim();
    arrange(guide, &mut node);
    let mut body = Vec::new();
    let count = write_loop(guide, &node, &Delimiters::default(), &mut body) + 2;
    let body = String::from_utf8(body).unwrap();
    format!(
        "{}GS*HC*A*B*20250303*1200*1*X*005010X222A1~ST*837*0001*005010X222A1~{body}SE*{count}*0001~GE*1*1~\
         GS*HP*A*B*20250303*1200*2*X*005010X221A1~ST*835*0001~BPR*I*10*C*CHK~N1*PR*A~LX*1~CLP*A1*1*20*10**12*X~CAS*CO*45*10~\
         PLB*1*20251231*WO:1*5~SE*8*0001~GE*1*2~IEA*2*000000001~",
        isa('*', '^', ':', "~")
    )
}

/// Everything that is done with what was read.
fn use_all(found: &Interchange<'_>) {
    let issues = check_interchange(shipped(), found);
    issues.iter().for_each(|issue| _ = issue.to_string());
    json::interchange(shipped(), found);
    let at = jiff::civil::date(2025, 3, 3).at(0, 0, 0, 0);
    let answer = acknowledge(found, &issues, Numbers { interchange: 1, group: 1 }, at);
    let answer = String::from_utf8(answer).unwrap();
    let (read, stray) = reader::read(&answer);
    assert!(answer.is_empty() || (read.len() == 1 && stray.is_empty() && read[0].issues.is_empty()), "{answer}");
}

fn rewritten(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    format::as_read(bytes, &mut out).unwrap().unwrap();
    out
}

fn streamed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut segments = Segments::new(bytes);
    let mut all = Vec::new();
    while let Ok(Some(step)) = segments.next_segment() {
        if !step.garbage {
            all.push(text::encode(step.segment.raw(), step.segment.latin1).into_owned());
        }
    }
    all
}

/// How many segments were new in any portion, and all issues.
fn in_portions(bytes: &[u8]) -> (usize, Vec<String>) {
    struct News(usize);
    impl Visitor for News {
        fn segment(&mut self, _: &Step<'_>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
        fn portion(&mut self, portion: &Portion<'_>) -> ControlFlow<()> {
            self.0 += portion.news().count();
            ControlFlow::Continue(())
        }
        fn envelope(&mut self, _: Vec<Issue>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }
    let mut news = News(0);
    portions::visit(shipped(), bytes, &mut news).unwrap();
    let mut issues = Vec::new();
    let told = audit::audit(shipped(), bytes, |issue| {
        issues.push(format!("{issue:?}"));
        ControlFlow::Continue(())
    });
    told.unwrap();
    issues.sort();
    (news.0, issues)
}

/// Text without the delimiters of [`Delimiters::default`].
fn value() -> impl Strategy<Value = String> {
    "[A-Z0-9 .é/-]{0,12}"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_panic_and_written_as_they_were(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = Text::decode(&bytes);
        let (interchanges, _) = reader::read_text(&text);
        interchanges.iter().for_each(use_all);
        prop_assert_eq!(rewritten(&bytes), bytes);
    }

    #[test]
    fn a_broken_interchange_is_read_without_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0usize..3), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = sample().into_bytes();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => _ = bytes.remove(at),
            }
        }
        bytes.truncate(cut.index(bytes.len()) + bytes.len() / 2);
        let text = Text::decode(&bytes);
        let (interchanges, strays) = reader::read_text(&text);
        interchanges.iter().for_each(use_all);
        prop_assert_eq!(rewritten(&bytes), bytes.clone());
        let tokens = Tokens::new(&bytes).filter(|token| token.kind.is_segment());
        let tokens: Vec<_> = tokens.map(|token| token.sent().into_owned()).collect();
        prop_assert_eq!(streamed(&bytes), tokens);
        // What is checked portion by portion is what is checked as a whole.
        let in_sets: usize = interchanges.iter().flat_map(|found| found.sets()).map(|set| set.segments.len()).sum();
        let found = interchanges.iter().flat_map(|found| check_interchange(shipped(), found)).chain(strays);
        let mut found: Vec<_> = found.map(|issue| format!("{issue:?}")).collect();
        found.sort();
        prop_assert_eq!(in_portions(&bytes), (in_sets, found));
    }

    #[test]
    fn what_is_written_is_read_back(
        segments in prop::collection::vec(("[A-Z][A-Z0-9]{1,2}", prop::collection::vec(value(), 1..6)), 0..20),
        newline in any::<bool>(),
    ) {
        let end = if newline { "~\n" } else { "~" };
        let fine = |id: &str| !matches!(id, "ISA" | "IEA" | "GS" | "GE" | "ST" | "SE" | "TA1" | "BIN" | "BDS");
        let raws: Vec<_> = segments.iter().filter(|(id, _)| fine(id)).map(|(id, values)| format!("{id}*{}", values.join("*"))).collect();
        let body: String = raws.iter().map(|raw| format!("{raw}{end}")).collect();
        let text = format!(
            "{}GS*HC{end}ST*999*0001{end}{body}SE*{}*0001{end}GE*1*{end}IEA*1*000000001{end}",
            isa('*', '^', ':', end),
            raws.len() + 2
        );
        let (interchanges, issues) = reader::read(&text);
        prop_assert!(issues.is_empty());
        let found = &interchanges[0];
        let mut out = Vec::new();
        write_segment(&found.isa, &mut out);
        for group in &found.groups {
            write_segment(&group.gs, &mut out);
            group.sets.iter().flat_map(|set| &set.segments).for_each(|segment| write_segment(segment, &mut out));
            group.ge.iter().for_each(|ge| write_segment(ge, &mut out));
        }
        found.iea.iter().for_each(|iea| write_segment(iea, &mut out));
        prop_assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn no_segment_is_lost_in_the_loops(order in Just((0..40usize).collect::<Vec<_>>()).prop_shuffle()) {
        let text = sample();
        let (interchanges, _) = reader::read(&text);
        let set = interchanges[0].sets().next().unwrap();
        let guide = shipped().get("837p").unwrap();
        let shuffled: Vec<_> = order.iter().filter_map(|n| set.segments.get(*n)).copied().collect();
        let shuffled = reader::TransactionSet::new(shuffled, "");
        let (root, _) = tree::assign(guide, &shuffled);
        let mut found: Vec<_> = root.descend().flat_map(|found| &found.segments).map(|segment| segment.ordinal).collect();
        found.sort_unstable();
        let all: Vec<_> = set.segments.iter().map(|segment| segment.ordinal).collect();
        prop_assert_eq!(found, all);
        let mut node = LoopNode::of(&root);
        arrange(guide, &mut node);
        check(guide, &node);
    }

    #[test]
    fn a_value_that_is_taken_can_stand_in_its_element(raw in any::<String>(), kind in 0usize..6, free in any::<bool>()) {
        let kinds = [ElementKind::AN, ElementKind::ID, ElementKind::N0, ElementKind::R, ElementKind::DT, ElementKind::TM];
        let content = if free { crate::x12::guide::Content::FreeText } else { crate::x12::guide::Content::Exact };
        let spec = ElementSpec { kind: kinds[kind], min: 1, max: 20, content, ..ElementSpec::unused() };
        let delimiters = Delimiters::default();
        if let Ok(text) = text_of(&spec, &raw, &delimiters) {
            prop_assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !delimiters.contains(byte)));
            prop_assert!(text.is_empty() || problem_of(&spec, &text).is_none());
        }
    }

    #[test]
    fn numbers_keep_their_value(raw in "-?[0-9]{1,9}(\\.[0-9]{1,6})?") {
        let spec = ElementSpec { kind: ElementKind::R, min: 1, max: 18, ..ElementSpec::unused() };
        let text = text_of(&spec, &raw, &Delimiters::default()).unwrap();
        let value = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
        prop_assert_eq!(value(&text), value(&raw));
    }
}
