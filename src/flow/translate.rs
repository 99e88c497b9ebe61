//! The offline twin of submit: nothing is remembered, nothing is sent.

use crate::clock::Clock;
use crate::fault::{Fault, Issue};
use crate::fhir::bundle::Resources;
use crate::fhir::parse;
use crate::flow::derive::{self, Bill};
use crate::flow::prepare::{self, Inquiry, Known, Prepared};
use crate::flow::{dispatch, document, intake};
use crate::gateway::Translator;
use crate::payers::Format;
use crate::store::ControlNumbers;
use crate::x12::assemble;
use jiff::Timestamp;

/// A claim in its payer's format.
pub struct Mapped {
    /// A whole interchange, or the payer's own document.
    pub bytes: Vec<u8>,
    /// Ending of a file that holds them: `x12`, `json`, `csv`.
    pub ending: &'static str,
    pub warnings: Vec<Issue>,
}

/// FHIR in, a whole interchange out, numbered as asked.
pub fn map(translator: &Translator, payer: &str, bytes: &[u8], number: u32) -> Result<Mapped, Fault> {
    map_as(translator, payer, bytes, number, None)
}

/// The same of a claim that is asked about.
pub fn map_as(
    translator: &Translator,
    payer: &str,
    bytes: &[u8],
    number: u32,
    inquiry: Option<Inquiry>,
) -> Result<Mapped, Fault> {
    let now = Clock::System.now();
    let body = parse::json(bytes, translator.config.limits.json_depth)?;
    let mut resources = intake::read(translator, body)?;
    intake::resolve_offline(translator, &mut resources)?;
    if resources.focal()["resourceType"] == "Encounter" {
        return map_encounter(translator, payer, &resources, number, now);
    }
    let known = Known { inquiry, ..known(&resources, now) };
    let prepared = prepare::prepare(translator, &resources, Some(payer), &known)?;
    let bytes = interchange(translator, &prepared, number, now)?;
    let warnings = [prepared.repaired, prepared.warnings].concat();
    Ok(Mapped { bytes, ending: document::ending(prepared.route.format), warnings })
}

/// The claim that bills an encounter; one that goes on gets a first interim bill.
fn map_encounter(
    translator: &Translator,
    payer: &str,
    resources: &Resources,
    number: u32,
    now: Timestamp,
) -> Result<Mapped, Fault> {
    let settled = derive::settle(translator, resources)?;
    let derived = derive::derive(translator, &settled, &Bill::default(), now)?;
    let told = |fault: Fault| Fault { issues: derived.in_callers_words(fault.issues), ..fault };
    let known = known(&derived.resources, now);
    let prepared = prepare::prepare(translator, &derived.resources, Some(payer), &known).map_err(told)?;
    let bytes = interchange(translator, &prepared, number, now)?;
    let warnings = derived.in_callers_words([prepared.repaired, prepared.warnings].concat());
    Ok(Mapped { bytes, ending: document::ending(prepared.route.format), warnings })
}

/// A claim's resources (of an Encounter, those of the claim that bills it), checked, with every needed reference resolved inside.
pub fn read(translator: &Translator, bytes: &[u8]) -> Result<Resources, Fault> {
    let body = parse::json(bytes, translator.config.limits.json_depth)?;
    let mut resources = intake::read(translator, body)?;
    intake::resolve_offline(translator, &mut resources)?;
    if resources.focal()["resourceType"] != "Encounter" {
        return Ok(resources);
    }
    let settled = derive::settle(translator, &resources)?;
    Ok(derive::derive(translator, &settled, &Bill::default(), Clock::System.now())?.resources)
}

/// Offline the trace number is made of the claim's own number, so that the same input gives the same output.
pub fn known(resources: &Resources, now: Timestamp) -> Known {
    let number = resources.focal()["identifier"][0]["value"].as_str().unwrap_or("0");
    let trace: String = number.chars().filter(char::is_ascii_alphanumeric).take(18).collect();
    Known {
        trace_number: format!("CG{}", trace.to_ascii_uppercase()),
        original_claim_control_number: None,
        frequency: None,
        lenient: false,
        inquiry: None,
        now,
    }
}

fn interchange(translator: &Translator, prepared: &Prepared, number: u32, now: Timestamp) -> Result<Vec<u8>, Fault> {
    let bodies: Vec<&str> = prepared.parts.iter().map(|part| part.body.as_str()).collect();
    if prepared.route.format != Format::X12 {
        return document::assemble(prepared.route.format, prepared.profile, &bodies);
    }
    let missing =
        || Fault::ours(crate::fault::codes::CONFIGURATION, format!("guide {} is not loaded", prepared.route.guide));
    let guide = translator.guides.get(&prepared.route.guide).ok_or_else(missing)?;
    let numbers = ControlNumbers { interchange: number, group: number };
    let envelope = dispatch::envelope(prepared.profile, numbers, now);
    let header = dispatch::header(prepared.profile, guide, numbers);
    Ok(assemble::assemble(guide, &envelope, &header, &bodies)?.bytes)
}
