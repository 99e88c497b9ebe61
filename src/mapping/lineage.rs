//! Where each made value came from, and the same table read backwards.

use crate::fault::{Place, X12Place};
use serde::Serialize;

/// One made value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LineageRow {
    /// `serviceLines[1].charge` in a record, `2300/2400[1]/SV1/02` in a transaction.
    pub target: String,
    /// `mappings/record/claim.yaml:45`.
    pub rule: String,
    /// Paths of the parts of the source that it was made of; none for fixed values.
    pub sources: Vec<String>,
    pub value: String,
    /// Of an element: which segment it stands in, counted from 1 at the first one that the mapping made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<u32>,
}

/// Every made value of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Lineage {
    pub rows: Vec<LineageRow>,
}

impl Lineage {
    pub fn new(rows: Vec<LineageRow>) -> Lineage {
        Lineage { rows }
    }

    /// Gives the rows from one to another (not included) the ordinal of their segment.
    pub fn number(&mut self, from: usize, to: usize, ordinal: u32) {
        if let Some(rows) = self.rows.get_mut(from..to) {
            rows.iter_mut().for_each(|row| row.ordinal = Some(ordinal));
        }
    }

    /// The sources of a target and of what stands below it. Of a target that was not made, the part of the source that most
    /// of what stands around it came from.
    pub fn source_of(&self, target: &str) -> Vec<&str> {
        let mut wanted = target;
        loop {
            let found = self.below(wanted);
            match wanted.rfind(['.', '[', '/']) {
                _ if wanted == target && !found.is_empty() => return found,
                _ if !found.is_empty() => return shared(&found).into_iter().collect(),
                Some(end) => wanted = &wanted[..end],
                None => return Vec::new(),
            }
        }
    }

    fn below(&self, target: &str) -> Vec<&str> {
        let fits = |row: &&LineageRow| {
            row.target
                .strip_prefix(target)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '/', '-']))
        };
        let mut found: Vec<&str> = Vec::new();
        for source in self.rows.iter().filter(fits).flat_map(|row| &row.sources) {
            if !found.contains(&source.as_str()) {
                found.push(source);
            }
        }
        found
    }

    /// The source of the place that an issue names, when this mapping made it.
    pub fn source_of_place(&self, at: &Place) -> Option<String> {
        match at {
            Place::Record(path) => {
                self.source_of(path).into_iter().find(|source| is_mendable(source)).map(str::to_owned)
            }
            Place::X12(place) => self.source_of_x12(place),
            _ => None,
        }
    }

    /// Whether the element that an X12 place names was made of nothing that the caller could mend: a fixed text, or a value of
    /// the payer's profile.
    pub fn is_fixed(&self, place: &X12Place) -> bool {
        let here = |row: &&LineageRow| {
            let there = if place.ordinal.is_some() { row.ordinal == place.ordinal } else { is_in_loop(row, place) };
            there && is_segment(row, place) && is_element(row, place)
        };
        let mut made = self.rows.iter().filter(here).peekable();
        place.element.is_some() && made.peek().is_some() && made.all(|row| !row.sources.iter().any(|s| is_mendable(s)))
    }

    /// An X12 place: by ordinal, segment and element, else by loop, segment and element, the first of them when the segment
    /// stands several times; when the element is not made, by the segment.
    fn source_of_x12(&self, place: &X12Place) -> Option<String> {
        let first = |fits: &dyn Fn(&LineageRow) -> bool| {
            let sources = self.rows.iter().filter(|row| fits(row)).flat_map(|row| &row.sources);
            sources.into_iter().find(|source| is_mendable(source)).cloned()
        };
        let here = |row: &LineageRow| row.ordinal.is_some() && row.ordinal == place.ordinal && is_segment(row, place);
        first(&|row| here(row) && is_element(row, place))
            .or_else(|| first(&|row| here(row)))
            .or_else(|| first(&|row| is_in_loop(row, place) && is_segment(row, place) && is_element(row, place)))
            .or_else(|| first(&|row| is_in_loop(row, place) && is_segment(row, place)))
    }
}

/// Whether a source is the caller's own: `%payer.defaults.clm06` is not.
fn is_mendable(source: &str) -> bool {
    !source.starts_with('%')
}

/// The longest beginning that at least half of the paths share, and that is none of them whole.
fn shared<'s>(paths: &[&'s str]) -> Option<&'s str> {
    let beginnings = paths.iter().flat_map(|path| path.match_indices('.').map(|(end, _)| &path[..end]));
    let held = |start: &&str| {
        let below = |path: &&&str| path.strip_prefix(*start).is_some_and(|rest| rest.starts_with('.'));
        paths.iter().filter(below).count() * 2 >= paths.len()
    };
    beginnings.filter(held).max_by_key(|start| start.len()).or(paths.first().copied())
}

/// The last names of a target, from the inside out: element, segment, loop.
fn nth_name(row: &LineageRow, n: usize) -> &str {
    row.target.rsplit('/').nth(n).unwrap_or_default()
}

fn is_segment(row: &LineageRow, place: &X12Place) -> bool {
    bare(nth_name(row, 1)).split('*').next() == place.segment.as_deref()
}

fn is_in_loop(row: &LineageRow, place: &X12Place) -> bool {
    Some(bare(nth_name(row, 2))) == place.loop_id.as_deref()
}

/// `2400[1]` → `2400`.
fn bare(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

/// Whether `05-1` is the element that a place names, or inside it.
fn is_element(row: &LineageRow, place: &X12Place) -> bool {
    let element = nth_name(row, 0);
    let (number, component) = element.split_once('-').unwrap_or((element, ""));
    let same = |wanted: Option<u8>, text: &str| wanted.is_none_or(|wanted| text.parse() == Ok(wanted));
    same(place.element, number) && (component.is_empty() || same(place.component, component))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage() -> Lineage {
        let row = |target: &str, source: &str| LineageRow {
            target: target.into(),
            rule: "m.yaml:1".into(),
            sources: vec![source.into()],
            value: "x".into(),
            ordinal: None,
        };
        Lineage::new(vec![
            row("serviceLines[1].charge", "Claim.item[1].net.value"),
            row("2300/CLM/05-1", "placeOfService"),
            row("2300/2400[1]/SV1/02", "serviceLines[1].charge"),
        ])
    }

    #[test]
    fn targets_lead_to_sources() {
        let lineage = lineage();
        assert_eq!(lineage.source_of("serviceLines[1].charge"), ["Claim.item[1].net.value"]);
        assert_eq!(lineage.source_of("serviceLines[1]"), ["Claim.item[1].net.value"]);
        assert_eq!(lineage.source_of("serviceLines[1].unit"), ["Claim.item[1].net"]);
        assert!(lineage.source_of("subscriber.npi").is_empty());
    }

    #[test]
    fn what_was_not_made_leads_to_where_its_neighbours_came_from() {
        let paths = ["Claim.item[1].net.value", "Claim.item[1].quantity.value", "Claim.identifier[0].value"];
        assert_eq!(shared(&paths), Some("Claim.item[1]"));
        assert_eq!(shared(&["Claim"]), Some("Claim"));
    }

    #[test]
    fn x12_places_lead_to_sources() {
        let place = |loop_id: &str, segment: &str, element| {
            Place::X12(X12Place {
                loop_id: Some(loop_id.into()),
                segment: Some(segment.into()),
                element,
                ..X12Place::default()
            })
        };
        let lineage = lineage();
        assert_eq!(lineage.source_of_place(&place("2300", "CLM", Some(5))).as_deref(), Some("placeOfService"));
        assert_eq!(lineage.source_of_place(&place("2400", "SV1", Some(2))).as_deref(), Some("serviceLines[1].charge"));
        assert_eq!(lineage.source_of_place(&place("2400", "SV1", Some(3))).as_deref(), Some("serviceLines[1].charge"));
        assert_eq!(lineage.source_of_place(&place("2400", "SV2", Some(2))), None);
    }
}
