//! Why each element is what it is: the rule that made it and, read through the record, the caller's own elements.

use super::{Known, Station, route};
use crate::fault::{Fault, Place, codes};
use crate::fhir::bundle::Resources;
use crate::gateway::Translator;
use crate::mapping::{Lineage, LineageRow};
use crate::x12::build::{LoopNode, arrange};
use crate::x12::delimiters::Delimiters;
use crate::x12::guide::Guide;
use crate::x12::writer;
use serde::Serialize;
use serde_json::Value;

/// One segment of what would be sent.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// Loop of the guide: `2300`.
    #[serde(rename = "loop")]
    pub loop_id: String,
    /// As it is written, in the usual delimiters.
    pub text: String,
    pub elements: Vec<ExplainedElement>,
}

/// One element of it that a rule made.
#[derive(Debug, Serialize)]
pub struct ExplainedElement {
    /// `CLM05-1`.
    pub name: String,
    pub value: String,
    /// `mappings/x12/837.yaml:45`.
    pub rule: String,
    pub sources: Vec<ExplainedSource>,
}

/// A part of what the caller sent (`Claim.item[0].net.value`), or of the payer's profile (`%payer.defaults.clm06`).
#[derive(Debug, Serialize)]
pub struct ExplainedSource {
    pub path: String,
    pub value: String,
}

/// The lineage of the made transaction sets: each element with its rule and the caller's paths.
pub fn explain(
    translator: &Translator,
    resources: &Resources,
    payer: Option<&str>,
    known: &Known,
) -> Result<Vec<LineageRow>, Fault> {
    let station = station(translator, resources, payer, known)?;
    let (value, _) = station.record()?;
    Ok(station.rows(&value))
}

/// The same segment by segment, with the values of the sources.
pub fn explain_segments(
    translator: &Translator,
    resources: &Resources,
    payer: Option<&str>,
    known: &Known,
) -> Result<Vec<Explained>, Fault> {
    let station = station(translator, resources, payer, known)?;
    let (value, _) = station.record()?;
    let rows = station.rows(&value);
    let Some(mapping) = station.form.transaction() else {
        // The payer's own formats have no segments: all that is made stands in one.
        let elements = rows.iter().map(|row| station.element("", row, &value)).collect();
        return Ok(vec![Explained { loop_id: String::new(), text: String::new(), elements }]);
    };
    let guide = &mapping.guide;
    let (mut tree, _) = mapping.make(&value, &station.scope());
    arrange(guide, &mut tree);
    let mut segments = Vec::new();
    written(guide, &tree, &mut segments);
    for (ordinal, (explained, id)) in (1u32..).zip(&mut segments) {
        let own = rows.iter().filter(|row| row.ordinal == Some(ordinal));
        explained.elements = own.map(|row| station.element(id, row, &value)).collect();
    }
    Ok(segments.into_iter().map(|(explained, _)| explained).collect())
}

/// The lineage of a claim that was sent: from places of its segments to the caller's paths.
pub struct SentLineage {
    record: Lineage,
    transaction: Lineage,
    /// For each line of the part its place in the whole claim, when the claim was split.
    lines: Vec<usize>,
    segments: u32,
}

/// Makes the lineage of one part of a claim again; `record` is what is kept of the part.
pub fn lineage_of(
    translator: &Translator,
    resources: &Resources,
    payer: &str,
    known: &Known,
    record: &Value,
) -> Result<SentLineage, Fault> {
    let station = station(translator, resources, Some(payer), known)?;
    let (whole, _) = station.record()?;
    let sequences = |record: &Value| -> Vec<Value> {
        record["serviceLines"].as_array().into_iter().flatten().map(|line| line["sequence"].clone()).collect()
    };
    let all = sequences(&whole);
    let place = |sequence: Value| all.iter().position(|other| *other == sequence).unwrap_or_default();
    let no_segments = || Fault::ours(codes::INTERNAL, "what was sent has no segments");
    let mapping = station.form.transaction().ok_or_else(no_segments)?;
    let (mut tree, _) = mapping.make(record, &station.scope());
    arrange(&mapping.guide, &mut tree);
    Ok(SentLineage {
        record: station.record_mapping.lineage(resources.focal(), &station.scope()),
        transaction: mapping.lineage(record, &station.scope()),
        lines: sequences(record).into_iter().map(place).collect(),
        segments: count(&tree),
    })
}

/// The billing record of a claim, and where each part of it comes from.
pub fn record_of(
    translator: &Translator,
    resources: &Resources,
    payer: &str,
    known: &Known,
) -> Result<(Value, Lineage), Fault> {
    let station = station(translator, resources, Some(payer), known)?;
    let (record, _) = station.record()?;
    Ok((record, station.record_mapping.lineage(resources.focal(), &station.scope())))
}

fn count(node: &LoopNode) -> u32 {
    node.segments.len() as u32 + node.children.iter().map(count).sum::<u32>()
}

impl SentLineage {
    /// How many segments the mapping made.
    pub fn segments(&self) -> u32 {
        self.segments
    }

    /// The caller's path for a place in the transaction set; nothing for what the caller could not mend.
    pub fn source_of(&self, at: &Place) -> Option<String> {
        if let Place::X12(place) = at
            && self.transaction.is_fixed(place)
        {
            return None;
        }
        let path = self.in_the_whole(self.transaction.source_of_place(at)?);
        self.record.source_of_place(&Place::Record(path))
    }

    /// `serviceLines[0]` of a part is another line of the whole claim.
    fn in_the_whole(&self, path: String) -> String {
        let line = path.strip_prefix("serviceLines[").and_then(|rest| rest.split_once(']'));
        let place = line.and_then(|(n, rest)| Some((self.lines.get(n.parse::<usize>().ok()?)?, rest)));
        place.map_or_else(|| path.clone(), |(n, rest)| format!("serviceLines[{n}]{rest}"))
    }
}

fn station<'a>(
    translator: &'a Translator,
    resources: &'a Resources,
    payer: Option<&str>,
    known: &'a Known,
) -> Result<Station<'a>, Fault> {
    let profile = route::payer(translator, resources, payer)?;
    let route = route::of(profile, resources, route::intent(resources, known))?;
    Station::new(translator, profile, route, resources, known)
}

/// Every segment in the order in which it is written, with its id.
fn written(guide: &Guide, node: &LoopNode, out: &mut Vec<(Explained, String)>) {
    let plain = Delimiters { newline: false, ..Delimiters::default() };
    for segment in &node.segments {
        let mut bytes = Vec::new();
        writer::write_node(guide, segment, &plain, &mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let loop_id = guide.loop_at(node.spec).id.to_string();
        out.push((Explained { loop_id, text, elements: Vec::new() }, guide.segment_at(segment.spec).id.clone()));
    }
    node.children.iter().for_each(|child| written(guide, child, out));
}

impl Station<'_> {
    /// The lineage of what the record becomes, with the caller's paths in the place of the record's.
    fn rows(&self, record: &Value) -> Vec<LineageRow> {
        let back = self.record_mapping.lineage(self.resources.focal(), &self.scope());
        let mut rows = self.form_lineage(record).rows;
        for row in &mut rows {
            let sources = row.sources.iter().flat_map(|path| caller_paths(&back, path));
            row.sources = sources.collect();
        }
        rows
    }

    fn element(&self, segment: &str, row: &LineageRow, record: &Value) -> ExplainedElement {
        let element = row.target.rsplit('/').next().unwrap_or_default();
        let source = |path: &String| ExplainedSource { path: path.clone(), value: self.value_of(path, record) };
        ExplainedElement {
            name: format!("{segment}{element}"),
            value: row.value.clone(),
            rule: row.rule.clone(),
            sources: row.sources.iter().map(source).collect(),
        }
    }

    /// What stands at the path of a source; an object as JSON.
    fn value_of(&self, path: &str, record: &Value) -> String {
        let facts = self.translator.facts(&self.profile.id);
        let own = self.resources.entries().chain(self.resources.stored());
        let roots = own.chain([("%payer", facts)]);
        let below = |(root, value)| path.strip_prefix(root).map(|rest: &str| (rest.len(), rest, value));
        let fits = roots.filter_map(below).filter(|(_, rest, _)| rest.is_empty() || rest.starts_with('.'));
        let found = fits.min_by_key(|(length, ..)| *length).and_then(|(_, rest, value)| at(value, rest));
        match found.or_else(|| at(record, path)) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        }
    }
}

/// The caller's paths of a part of the record; what the record has by itself keeps its name there.
fn caller_paths(back: &Lineage, path: &str) -> Vec<String> {
    let found = back.source_of(path);
    if found.is_empty() { vec![path.to_owned()] } else { found.into_iter().map(str::to_owned).collect() }
}

/// The part of a value at `.item[0].net`.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(value, |value, step| {
        let mut parts = step.split(['[', ']']).filter(|part| !part.is_empty());
        let named = value.get(parts.next()?)?;
        parts.try_fold(named, |value, index| value.get(index.parse::<usize>().ok()?))
    })
}
