//! Which rules have given something since the mappings were loaded, and which elements of a guide have been made:
//! `claimgate mapping coverage` asks after all cases have been walked.

use super::Mappings;
use super::record::Common;
use super::template::Rule;
use super::transaction::{LoopRules, TransactionMapping};
use crate::x12::guide::{ElementKind, ElementSpec, Guide, LoopIx, SegmentIx, SegmentSpec, Usage};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The coverage of all mappings of a folder.
#[derive(Debug, Serialize)]
pub struct Coverage {
    pub files: Vec<FileCoverage>,
    pub guides: Vec<GuideCoverage>,
}

/// One mapping file. A rule that several mappings share (by `extends`, or in a template) counts once, where it stands.
#[derive(Debug, Serialize)]
pub struct FileCoverage {
    pub file: String,
    pub rules: usize,
    pub used: usize,
    /// Rules that never gave anything, in the order of their lines.
    pub never: Vec<UnusedRule>,
}

/// A rule that never gave anything.
#[derive(Debug, Serialize)]
pub struct UnusedRule {
    pub line: u32,
    pub column: u32,
    pub rule: String,
}

/// The elements of a guide that mappings make, from the first HL down.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GuideCoverage {
    pub guide: String,
    /// Elements and components that the guide uses.
    pub elements: usize,
    pub made: usize,
    /// No rule makes them: `2300 CLM12`.
    pub without_rule: Vec<String>,
    /// A rule stands there, and never made them.
    pub never_made: Vec<String>,
}

impl Coverage {
    pub fn rules(&self) -> usize {
        self.files.iter().map(|file| file.rules).sum()
    }

    pub fn used(&self) -> usize {
        self.files.iter().map(|file| file.used).sum()
    }

    /// How many of a hundred rules were used; 100 when there are none.
    pub fn percent(&self) -> u32 {
        (self.used() * 100).checked_div(self.rules()).map_or(100, |percent| percent as u32)
    }
}

impl Mappings {
    /// What has been used since they were loaded.
    pub fn coverage(&self) -> Coverage {
        Coverage { files: self.files(), guides: self.guides() }
    }

    fn files(&self) -> Vec<FileCoverage> {
        let mut spots: BTreeMap<(&str, u32, u32), (bool, &str)> = BTreeMap::new();
        self.rules(&mut |rule| {
            let spot = spots.entry((&rule.at.file, rule.at.line, rule.at.column)).or_insert((false, &rule.text));
            spot.0 |= rule.used.is_marked();
        });
        let mut files: Vec<FileCoverage> = Vec::new();
        for ((file, line, column), (used, text)) in spots {
            if files.last().is_none_or(|last| last.file != file) {
                files.push(FileCoverage { file: file.to_owned(), rules: 0, used: 0, never: Vec::new() });
            }
            let Some(last) = files.last_mut() else { continue };
            last.rules += 1;
            last.used += usize::from(used);
            if !used {
                last.never.push(UnusedRule { line, column, rule: text.to_owned() });
            }
        }
        files
    }

    /// Every rule of every mapping; one that is shared comes several times.
    fn rules<'r>(&'r self, visit: &mut dyn FnMut(&'r Rule)) {
        let head = |common: &'r Common, visit: &mut dyn FnMut(&'r Rule)| common.frame.rules(visit);
        for mapping in self.records.values() {
            head(&mapping.common, visit);
            mapping.rules.rules(visit);
        }
        for mapping in self.responses.values() {
            head(&mapping.common, visit);
            mapping.rules.rules(visit);
        }
        for mapping in self.documents.values() {
            head(&mapping.common, visit);
            mapping.rules.rules(visit);
        }
        for mapping in self.transactions.values() {
            head(&mapping.common, visit);
            mapping.loops.iter().for_each(|rules| rules.rules(visit));
        }
    }

    fn guides(&self) -> Vec<GuideCoverage> {
        let mut guides: BTreeMap<&str, Elements> = BTreeMap::new();
        for mapping in self.transactions.values() {
            let elements = guides.entry(&mapping.guide.id).or_insert_with(|| Elements::of(&mapping.guide));
            elements.take(mapping);
        }
        guides.into_iter().map(|(id, elements)| elements.coverage(id)).collect()
    }
}

/// A place of a guide: segment (of one loop), element, component.
type ElementPlace = (SegmentIx, usize, usize);

struct Elements {
    /// In the order of the guide, with the name that people know.
    all: Vec<(ElementPlace, String)>,
    ruled: BTreeSet<ElementPlace>,
    made: BTreeSet<ElementPlace>,
}

impl Elements {
    fn of(guide: &Guide) -> Elements {
        let mut all = Vec::new();
        for (ix, spec) in guide.loop_ixs().filter(|(ix, spec)| is_mapped(guide, *ix, &spec.id)) {
            for (segment, found) in guide.segments_of(ix).filter(|(_, found)| found.usage != Usage::NotUsed) {
                all.extend(elements(&spec.id, segment, found));
            }
        }
        Elements { all, ruled: BTreeSet::new(), made: BTreeSet::new() }
    }

    fn take(&mut self, mapping: &TransactionMapping) {
        mapping.loops.iter().for_each(|rules| self.take_loop(&mapping.guide, rules));
    }

    fn take_loop(&mut self, guide: &Guide, rules: &LoopRules) {
        for segment in &rules.segments {
            let places = segment.places().map(|(n, c, rule)| ((segment.spec, n, c), rule.used.is_marked()));
            let mut places: Vec<(ElementPlace, bool)> = places.collect();
            let used = places.iter().any(|(_, used)| *used);
            // What the guide or the key says by itself is made with the segment.
            let constants = &guide.segment_at(segment.spec).constants;
            places.extend(constants.iter().map(|(n, c, _)| ((segment.spec, *n, *c), used)));
            places.extend(segment.qualifier.iter().map(|(n, c, _)| ((segment.spec, *n, *c), used)));
            for (place, used) in places {
                self.ruled.insert(place);
                self.made.extend(used.then_some(place));
            }
        }
        rules.loops.iter().for_each(|inner| self.take_loop(guide, inner));
    }

    fn coverage(self, guide: &str) -> GuideCoverage {
        let named = |wanted: &dyn Fn(&ElementPlace) -> bool| -> Vec<String> {
            self.all.iter().filter(|(place, _)| wanted(place)).map(|(_, name)| name.clone()).collect()
        };
        GuideCoverage {
            guide: guide.to_owned(),
            elements: self.all.len(),
            made: self.all.iter().filter(|(place, _)| self.made.contains(place)).count(),
            without_rule: named(&|place| !self.ruled.contains(place)),
            never_made: named(&|place| self.ruled.contains(place) && !self.made.contains(place)),
        }
    }
}

/// Whether a loop is the mapping's work: set header, submitter and receiver are made with the envelope.
fn is_mapped(guide: &Guide, ix: LoopIx, id: &str) -> bool {
    ix != guide.root() && !id.starts_with("1000")
}

/// The elements of a segment that the guide uses; HL and LX are numbered by the writer.
fn elements(in_loop: &str, ix: SegmentIx, spec: &SegmentSpec) -> Vec<(ElementPlace, String)> {
    let used = |spec: &ElementSpec| spec.usage != Usage::NotUsed;
    let mut found = Vec::new();
    if matches!(spec.id.as_str(), "HL" | "LX") {
        return found;
    }
    let name = |n: usize| format!("{in_loop} {}-{n:02}", spec.key());
    for (n, element) in (1..).zip(&spec.elements).filter(|(_, element)| used(element)) {
        if element.kind != ElementKind::Composite {
            found.push(((ix, n, 0), name(n)));
            continue;
        }
        let components = (1..).zip(&element.components).filter(|(_, component)| used(component));
        found.extend(components.map(|(c, _)| ((ix, n, c), format!("{}-{c}", name(n)))));
    }
    found
}
