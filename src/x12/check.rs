//! What is wrong with an interchange: its envelope (SNIP 1), its guide (SNIP 2), its balances (SNIP 3), its situations
//! (SNIP 4) and its codes (SNIP 5).

use crate::fault::{Issue, Place, Severity, X12Place, codes};
use crate::x12::balance::{self, Sums};
use crate::x12::code_sets;
use crate::x12::findings::{Findings, Ranked};
use crate::x12::fit;
use crate::x12::guide::{Guide, Guides, SegmentIx, SegmentSpec};
use crate::x12::known::Known;
use crate::x12::meanings::{Meaning, Quiet, Word};
use crate::x12::numbering::Numbering;
use crate::x12::plain;
use crate::x12::reader::{Group, Interchange, TransactionSet};
use crate::x12::rules::{self, Finding, LoopFault, Read};
use crate::x12::segment::Segment;
use crate::x12::situations::{self, Seen};
use crate::x12::totals::Totals;
use crate::x12::tree::{self, Builder, Loop, Part, Placer};

/// All issues of an interchange. Where a 999 or TA1 has a code for one, its place holds it.
pub fn check_interchange(guides: &Guides, interchange: &Interchange<'_>) -> Vec<Issue> {
    let mut issues = check_envelope(interchange);
    for ta1 in interchange.ta1.iter().filter(|ta1| !interchange.open_ta1.contains(&ta1.offset)) {
        check_ta1(guides, interchange.isa.element(12), interchange.place(ta1), ta1, &mut issues);
    }
    let mut known = Known::default();
    for group in &interchange.groups {
        for set in &group.sets {
            let mut found = fit::check(guides, group.functional_id(), group.version(), set);
            found.extend(check_known(guides, set, &mut known));
            locate(&mut found, interchange, group);
            issues.append(&mut found);
        }
    }
    issues
}

/// The envelope alone: shape, counts and control numbers.
pub fn check_envelope(interchange: &Interchange<'_>) -> Vec<Issue> {
    let mut issues = interchange.issues.clone();
    let mut totals = Totals::default();
    totals.isa(&interchange.isa, &mut issues);
    for group in &interchange.groups {
        totals.gs(&group.gs, &mut issues);
        for set in &group.sets {
            set.segments.first().into_iter().for_each(|st| totals.st(st, true, &mut issues));
            set.se().into_iter().for_each(|se| totals.se(se, &mut issues));
        }
        if let Some(ge) = &group.ge {
            let within = group.gs.offset..ge.offset;
            interchange.strays.iter().filter(|stray| within.contains(&stray.offset)).for_each(|_| totals.stray());
            totals.ge(ge, &mut issues);
        }
    }
    interchange.iea.iter().for_each(|iea| totals.iea(iea, &mut issues));
    issues
}

/// Says in which interchange and group the issues are.
fn locate(issues: &mut [Issue], interchange: &Interchange<'_>, group: &Group<'_>) {
    for issue in issues {
        if let Place::X12(at) = &mut issue.at {
            at.interchange = Some(interchange.control_number().to_owned());
            at.group = Some(group.control_number().to_owned());
        }
    }
}

/// The elements of a TA1 in an interchange of this version (ISA12). No code of an answer goes with them: a TA1 is not
/// acknowledged.
pub(crate) fn check_ta1(guides: &Guides, version: &str, at: X12Place, ta1: &Segment<'_>, issues: &mut Vec<Issue>) {
    let Some((guide, spec)) = guides.of_segment("TA1") else { return };
    let elements = ta1.elements().map(|text| Read { text, delimiters: ta1.delimiters });
    rules::check_elements(spec, ta1.len(), elements, &mut |finding| {
        let issue = element_issue(spec, at.clone(), &finding);
        // By an earlier release it may be right.
        let severity = if version == guide.id { issue.severity } else { Severity::Warning };
        issues.push(Issue { severity, ..issue });
    });
}

/// The guide, the balances, the situations and the codes of one transaction set.
pub fn check_set(guides: &Guides, set: &TransactionSet<'_>) -> Vec<Issue> {
    check_known(guides, set, &mut Known::default())
}

fn check_known(guides: &Guides, set: &TransactionSet<'_>, known: &mut Known) -> Vec<Issue> {
    let Some(guide) = guides.for_transaction(set) else {
        return plain::check(guides, set);
    };
    known.follow(guide, &set.segments);
    let (mut placer, mut builder) = (Placer::new(guide), Builder::new(guide));
    let (mut issues, mut findings, mut memory) = (Vec::new(), Findings::default(), Memory::default());
    for segment in &set.segments {
        let placed = placer.place(segment);
        if builder.ends_piece(placed.keep) {
            let piece = builder.piece(placed.keep);
            piece.into_iter().for_each(|root| check_part(guide, set, root, &mut memory, known, &mut findings));
            builder.go_on(placed.keep);
        }
        let is_broken_off = set.is_broken_off(segment);
        builder.take(*segment, &placed, false, is_broken_off);
        if let Some(problem) = placed.problem.filter(|_| !is_broken_off) {
            issues.push(problem.issue(guide, placed.in_loop, set, segment));
        }
    }
    builder.end(set.ending);
    check_part(guide, set, &builder.finish(), &mut memory, known, &mut findings);
    issues.extend(findings.in_order());
    issues
}

/// What is remembered of a set from part to part.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    sums: Sums,
    numbering: Numbering,
}

/// The guide, the balances and the situations of the new part of a set, whose guide `known` follows; `memory` is of the parts
/// before.
pub(crate) fn check_part(
    guide: &Guide,
    set: &TransactionSet<'_>,
    root: &Loop<'_>,
    memory: &mut Memory,
    known: &mut Known,
    findings: &mut Findings,
) {
    let seen = check_tree(guide, set, root, known, &mut findings.contents);
    balance::check(set, root, &mut memory.sums, &mut findings.balances);
    situations::check(guide, set, root, &seen, &mut known.meanings, &mut findings.situations);
    memory.numbering.check(guide, set, root, &mut findings.numbers);
}

/// What the guide says about the segments and loops of a set, and its codes; gives back what the situational rules see of
/// each loop, in the order of [`Loop::descend`].
fn check_tree(
    guide: &Guide,
    set: &TransactionSet<'_>,
    root: &Loop<'_>,
    known: &mut Known,
    found: &mut Ranked,
) -> Vec<Seen> {
    let mut tree = Tree { guide, set, known, found, depth: 0, seen: Vec::new(), words: Vec::new() };
    tree.check(root);
    tree.seen
}

struct Tree<'c> {
    guide: &'c Guide,
    set: &'c TransactionSet<'c>,
    known: &'c mut Known,
    found: &'c mut Ranked,
    /// How many loops are around.
    depth: usize,
    seen: Vec<Seen>,
    /// The words of the loops that are open.
    words: Vec<u32>,
}

impl Tree<'_> {
    fn check(&mut self, found: &Loop<'_>) -> Seen {
        let (at, start) = (self.seen.len(), self.words.len());
        self.seen.push(Seen::default());
        self.words.push(Word::Loop.of(found.spec.0));
        self.check_segments(found);
        self.found.of_segments(found, self.depth);
        let before = self.found.issues.len();
        self.depth += 1;
        let Part { is_context, is_open, left_out, .. } = &found.part;
        let is_whole = self.check_children(found) && !is_context && !is_open && left_out.is_empty();
        self.depth -= 1;
        // What is cut says more than is here.
        let own = self.words.get(start..).filter(|_| !found.part.is_cut).unwrap_or_default();
        let meaning = self.known.meanings.of(own);
        self.words.truncate(start);
        if found.part.is_complete() {
            self.check_counts(found, before, meaning, is_whole);
        }
        let seen = Seen { meaning, loops: self.seen.len() - at, is_whole };
        self.seen[at] = seen;
        seen
    }

    /// Checks the segments of a loop; what the situational rules see of them are words of its meaning.
    fn check_segments(&mut self, found: &Loop<'_>) {
        for (n, (segment, spec)) in found.segments.iter().zip(&found.specs).enumerate() {
            let Some(ix) = *spec else { continue };
            let sense = match self.known.has(ix, segment) {
                Some(sense) => sense,
                // What was told is not checked again.
                None if n < found.part.told => self.known.sense(self.guide, ix, segment),
                None => self.check_segment(found, ix, segment),
            };
            self.words.push(sense);
        }
    }

    /// Checks the loops in a loop, words of its meaning as well; false when some of them say more than these tell.
    fn check_children(&mut self, found: &Loop<'_>) -> bool {
        let mut are_whole = true;
        for child in &found.children {
            let seen = self.check(child);
            let is_apart = self.guide.sight.is_apart(child.spec);
            are_whole &= seen.is_whole && !is_apart;
            let word = if is_apart { Word::Apart.of(child.spec.0) } else { seen.meaning.word() };
            // How many loops stand apart no rule sees.
            if !is_apart || self.words.last() != Some(&word) {
                self.words.push(word);
            }
        }
        are_whole
    }

    /// Checks a segment that is not known, and gives back what the situational rules see of it.
    fn check_segment(&mut self, found: &Loop<'_>, ix: SegmentIx, segment: &Segment<'_>) -> u32 {
        let Tree { guide, set, .. } = *self;
        if let Some(sense) = self.known.has_like(guide, ix, segment) {
            return sense;
        }
        let issues = &mut self.found.issues;
        let spec = guide.segment_at(ix);
        let before = issues.len();
        let elements = segment.elements().map(|text| Read { text, delimiters: segment.delimiters });
        rules::check_elements(spec, segment.len(), elements, &mut |finding| {
            if !is_of_envelope(segment, finding.element) {
                let at = place(set, found, segment, finding.fault.error_code());
                issues.push(element_issue(spec, at, &finding));
            }
        });
        code_sets::check_segment(guide, ix, set, found, segment, issues);
        let sense = self.known.sense(guide, ix, segment);
        if issues.len() == before {
            self.known.keep(ix, segment, sense);
        } else if let Some(next) = lines_of(segment) {
            issues.truncate(before);
            issues.push(lost_terminator(set, found, segment, next));
        }
        sense
    }

    /// Counts what a loop holds, when no other said the same. What is found goes `before` that of the loops inside.
    fn check_counts(&mut self, found: &Loop<'_>, before: usize, meaning: Meaning, is_whole: bool) {
        if is_whole && self.known.meanings.is(Quiet::COUNTS, meaning) {
            return;
        }
        let Tree { guide, set, .. } = *self;
        let mut issues = Vec::new();
        let segments = found.specs.iter().flatten().copied();
        let left_out = found.part.left_out.iter().flat_map(|(ix, count)| std::iter::repeat_n(*ix, *count as usize));
        let children = found.children.iter().map(|child| child.spec).chain(left_out);
        rules::check_counts(guide, found.spec, segments, children, &mut |fault| {
            // A set without SE is the envelope's business, and a loop whose beginning is missing was told when it was met.
            let is_told =
                |ix| guide.segment_at(ix).id == "SE" || guide.loop_at(found.spec).segments.first() == Some(&ix);
            if matches!(fault, LoopFault::SegmentMissing(ix) if is_told(ix)) {
                return;
            }
            issues.push(loop_issue(guide, set, found, fault));
        });
        if is_whole && issues.is_empty() {
            self.known.meanings.set(Quiet::COUNTS, meaning);
        }
        self.found.insert(before, issues, found, self.depth);
    }
}

/// Whether an element of a header or trailer is compared with others as a part of the envelope, which tells what is wrong.
fn is_of_envelope(segment: &Segment<'_>, element: usize) -> bool {
    match element {
        1 => segment.is("SE"),
        2 => segment.is("SE") || (segment.is("ST") && segment.element(2).is_empty()),
        _ => false,
    }
}

/// The element in which a segment goes on in the next line, and what begins there.
fn lines_of<'a>(segment: &Segment<'a>) -> Option<(u8, &'a str)> {
    let element = segment.delimiters.element;
    let (line, next) = segment.raw().split_once(['\r', '\n'])?;
    let next = next.trim_start().split(char::from(element)).next()?;
    let count = memchr::memchr_iter(element, line.as_bytes()).count();
    tree::is_id(next).then_some((u8::try_from(count).unwrap_or(u8::MAX), next))
}

/// All that is wrong with such a segment is wrong for this reason.
fn lost_terminator(set: &TransactionSet<'_>, found: &Loop<'_>, segment: &Segment<'_>, (n, next): (u8, &str)) -> Issue {
    let at = Place::X12(X12Place { element: Some(n), ..place(set, found, segment, "6") });
    let text = format!("the segment has no terminator: {next} of the next line is read as part of it");
    Issue::error(codes::X12_SYNTAX, at, text).hint(format!("end it before {next}"))
}

fn place(set: &TransactionSet<'_>, found: &Loop<'_>, segment: &Segment<'_>, error_code: &str) -> X12Place {
    X12Place {
        transaction_set: Some(set.control_number().to_owned()),
        loop_id: Some(found.id.to_string()),
        error_code: Some(error_code.to_owned()),
        ..segment.place()
    }
}

/// `segment` is the place of the segment.
fn element_issue(spec: &SegmentSpec, segment: X12Place, finding: &Finding) -> Issue {
    let position = |n: usize| (n > 0).then(|| u8::try_from(n).unwrap_or(u8::MAX));
    let at = X12Place {
        element: position(finding.element),
        component: position(finding.component),
        repetition: position(finding.repetition),
        ..segment
    };
    let element = spec.element(finding.element, finding.component);
    let name = element.map_or("the element", |element| element.name.as_str());
    let code = if finding.fault.is_syntax() { codes::X12_SYNTAX } else { codes::X12_GUIDE };
    let make = if finding.fault.is_harmless() { Issue::warning } else { Issue::error };
    let hint = finding.fault.hint(at.element_name().as_deref().unwrap_or("the element"));
    make(code, Place::X12(at), format!("{name} {}", finding.fault.text(element))).hint(hint)
}

/// A fault of a loop stands at the first segment of the loop; one of too many, at the first that is too many.
fn loop_issue(guide: &Guide, set: &TransactionSet<'_>, found: &Loop<'_>, fault: LoopFault) -> Issue {
    let excess = match fault {
        LoopFault::SegmentTooOften(ix, max) => {
            let all = found.segments.iter().zip(&found.specs).filter(|(_, spec)| **spec == Some(ix));
            all.map(|(segment, _)| segment).nth(max as usize)
        }
        LoopFault::LoopTooOften(ix, max) => {
            let mut all = found.children.iter().filter(|child| child.spec == ix);
            let first_over = match found.part.left_out_of(ix) {
                0 => all.nth(max as usize),
                // The first, and perhaps the one that is sought, are remembered of those that came before.
                before => match all.nth(1) {
                    Some(second) if second.part.is_context => Some(second),
                    second => second.into_iter().chain(all).nth(max.saturating_sub(before + 1) as usize),
                },
            };
            first_over.and_then(|child| child.segments.first())
        }
        _ => None,
    };
    let first = found.descend().filter_map(|inner| inner.segments.first()).min_by_key(|segment| segment.ordinal);
    let at = match excess.or(first) {
        Some(segment) => place(set, found, segment, fault.error_code()),
        None => X12Place { error_code: Some(fault.error_code().to_owned()), ..X12Place::default() },
    };
    let named = fault.segment(guide).map(|ix| guide.segment_at(ix).id.clone());
    let at = X12Place { segment: named.or(at.segment), ..at };
    Issue::error(codes::X12_GUIDE, Place::X12(at), fault.text(guide)).hint(fault.hint(guide))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;
    use crate::x12::reader;
    use crate::x12::tokens::tests::isa;

    fn told(isa: &str, gs: &str, st: &str) -> Vec<String> {
        let text = format!("{isa}GS*{gs}~ST*{st}~SE*2*0001~GE*1*7~IEA*1*000000001~");
        let (interchanges, _) = reader::read(&text);
        let issues = check_interchange(shipped(), &interchanges[0]);
        let envelope = issues.into_iter().filter(|issue| issue.code == codes::X12_ENVELOPE);
        envelope.map(|issue| format!("{:?} {}", issue.severity, issue.text)).collect()
    }

    #[test]
    fn the_elements_of_the_isa_are_checked() {
        let (gs, st) = ("HC*SND*RCV*20250303*1200*7*X*005010X222A1", "837*0001*005010X222A1");
        let good = isa('*', '^', ':', "~");
        assert_eq!(told(&good, gs, st), [""; 0]);
        for (from, to, text) in [
            ("ISA*00*", "ISA*09*", "ISA01"),
            ("*ZZ*SENDER  ", "*QQ*SENDER  ", "ISA05"),
            ("*RECEIVER       *", "*               *", "ISA08"),
            ("*1200*", "*2500*", "ISA10"),
            ("*0*T*", "*7*T*", "ISA14"),
            ("*0*T*", "*0*X*", "ISA15"),
        ] {
            let issues = told(&good.replacen(from, to, 1), gs, st);
            assert_eq!(issues.len(), 1, "{to}: {issues:?}");
            assert!(issues[0].starts_with("Warning") && issues[0].contains(text), "{issues:?}");
        }
    }

    #[test]
    fn a_set_belongs_into_its_group() {
        let good = isa('*', '^', ':', "~");
        let other = told(&good, "HC*SND*RCV*20250303*1200*7*X*005010X222A1", "837*0001*005010X223A2");
        assert_eq!(other, ["Warning ST03 names another guide than GS08"]);
        let wrong = told(&good, "HP*SND*RCV*20250303*1200*7*X*005010X222A1", "837*0001*005010X222A1");
        assert_eq!(wrong, ["Warning GS01 is not HC, that of transaction 837"]);
        assert_eq!(told(&good, "HC*SND*RCV*20250303*1200*7*X*005010X222A1", "837*0001"), [""; 0]);
    }

    #[test]
    fn one_fault_is_one_issue() {
        let good = "ST*999*0001*005010X231A1~AK1*HC*1*005010X222A1~AK9*A*1*1*1~SE*4*0001~";
        let told = |set: &str| {
            let head = isa('*', '^', ':', "~");
            let text = format!("{head}GS*FA*SND*RCV*20250303*1200*7*X*005010X231A1~{set}GE*1*7~IEA*1*000000001~");
            let (interchanges, _) = reader::read(&text);
            check_interchange(shipped(), &interchanges[0]).into_iter().map(|issue| issue.text).collect::<Vec<_>>()
        };
        assert_eq!(told(good), [""; 0]);
        for (from, to, text) in [
            ("X222A1~", "X222A1*A*B*C*D~", "stands after the last element"),
            ("AK9*", "ak9*", "no segment id"),
            ("SE*4*0001~", "", "has no SE"),
            ("SE*4*", "~SE*4*", "two terminators"),
            ("SE*4*", "ZZZ*A~SE*5*", "knows no such segment"),
            ("*1*1*1~", "*1^1^1*1*1~", "may not repeat"),
        ] {
            let issues = told(&good.replacen(from, to, 1));
            assert!(issues.len() == 1 && issues[0].contains(text), "{to}: {issues:?}");
        }
    }

    #[test]
    fn a_lost_terminator_is_told_at_the_element_that_goes_on() {
        let head = isa('*', '^', ':', "~");
        let text = format!(
            "{head}GS*FA*SND*RCV*20250303*1200*7*X*005010X231A1~\nST*999*0001*005010X231A1~\nAK1*HC*1*005010X222A1\n\
             AK9*A*1*1*1~\nSE*4*0001~\nGE*1*7~\nIEA*1*000000001~"
        );
        let (interchanges, _) = reader::read(&text);
        let issues = check_interchange(shipped(), &interchanges[0]);
        let told: Vec<_> = issues.iter().map(Issue::to_string).filter(|issue| issue.contains("AK103")).collect();
        assert!(told.len() == 1 && told[0].contains("AK9 of the next line is read as part of it"), "{issues:#?}");
    }

    /// Claims, some of which are changed.
    fn claims(count: usize, change: (&str, &str), is_changed: impl Fn(usize) -> bool) -> Vec<String> {
        const HEAD: &str = "ST*837*0001*005010X222A1~BHT*0019*00*1*20250303*1200*CH~NM1*41*2*SENDER*****46*123~\
            PER*IC*JOHN DOE*TE*8005551212~NM1*40*2*RECEIVER*****46*456~HL*1**20*1~NM1*85*2*CLINIC*****XX*1234567893~\
            N3*1 MAIN ST~N4*HARTFORD*CT*061030001~REF*EI*123456789~";
        const CLAIM: &str = "SBR*P*18*******CI~NM1*IL*1*DOE*JANE****MI*M{n}~N3*2 OAK ST~N4*HARTFORD*CT*061030002~\
            DMG*D8*19700101*F~NM1*PR*2*PAYER*****PI*P1~CLM*C{n}*100***11:B:1*Y*A*Y*Y~HI*ABK:J020~LX*1~\
            SV1*HC:99213*100*UN*1***1~DTP*472*D8*20250201~";
        let claim = |n: usize| {
            let text = if is_changed(n) { CLAIM.replace(change.0, change.1) } else { CLAIM.to_owned() };
            format!("HL*{}*1*22*0~{}", n + 2, text.replace("{n}", &n.to_string()))
        };
        let set: String = std::iter::once(HEAD.to_owned()).chain((0..count).map(claim)).collect();
        let (isa, end) = (isa('*', '^', ':', "~"), set.matches('~').count() + 1);
        let text =
            format!("{isa}GS*HC*SND*RCV*20250303*1200*7*X*005010X222A1~{set}SE*{end}*0001~GE*1*7~IEA*1*000000001~");
        let (interchanges, _) = reader::read(&text);
        let issues = check_interchange(shipped(), &interchanges[0]);
        let mut told: Vec<_> = issues.into_iter().map(|issue| issue.text).collect();
        told.sort();
        told
    }

    #[test]
    fn what_is_wrong_is_told_among_many_that_are_right() {
        // They are judged in more than one piece.
        assert_eq!(claims(120, ("", ""), |_| false), [""; 0]);
        for change in [
            ("11:B:1", "11:B:7"),
            ("DMG*D8*19700101*F~", ""),
            ("N3*2 OAK ST~", ""),
            ("20250201", "19690201"),
            ("*UN*1***1~", "*UN*1***2~"),
            ("SV1*HC:99213*100*UN*1***1~", ""),
            ("LX*1~", "LX*1~LX*1~"),
            ("M{n}~", "M{n} ~"),
            ("C{n}*100", "C{n}*99"),
            ("*MI*M{n}", "*XX*M{n}"),
            ("061030002", "1"),
        ] {
            let alone = claims(1, change, |_| true);
            let twice: Vec<_> = alone.iter().flat_map(|text| [text.clone(), text.clone()]).collect();
            assert!(!alone.is_empty(), "{change:?}");
            assert_eq!(claims(120, change, |n| n == 5 || n == 110), twice, "{change:?}");
        }
    }
}
