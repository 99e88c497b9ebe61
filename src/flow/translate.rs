//! The offline twin of submit: nothing is remembered, nothing is sent.

use crate::clock::Clock;
use crate::fault::{Fault, Issue};
use crate::fhir::bundle::Resources;
use crate::fhir::parse;
use crate::flow::prepare::{self, Known, Prepared};
use crate::flow::{dispatch, intake};
use crate::gateway::Translator;
use crate::store::ControlNumbers;
use crate::x12::assemble;
use jiff::Timestamp;

/// A claim in its payer's format.
pub struct Mapped {
    /// A whole interchange.
    pub bytes: Vec<u8>,
    pub warnings: Vec<Issue>,
}

/// FHIR in, a whole interchange out, numbered as asked.
pub fn map(translator: &Translator, payer: &str, bytes: &[u8], number: u32) -> Result<Mapped, Fault> {
    let now = Clock::System.now();
    let resources = read(translator, bytes)?;
    let known = known(&resources, now);
    let prepared = prepare::prepare(translator, &resources, Some(payer), &known)?;
    let bytes = interchange(translator, &prepared, number, now)?;
    Ok(Mapped { bytes, warnings: prepared.warnings })
}

/// A claim's resources, checked, with every needed reference resolved inside.
pub fn read(translator: &Translator, bytes: &[u8]) -> Result<Resources, Fault> {
    let body = parse::json(bytes, translator.config.limits.json_depth)?;
    let resources = intake::read(translator, body)?;
    intake::resolve_offline(translator, &resources)?;
    Ok(resources)
}

/// Offline the trace number is made of the claim's own number, so that the same input gives the same output.
pub fn known(resources: &Resources, now: Timestamp) -> Known {
    let number = resources.focal()["identifier"][0]["value"].as_str().unwrap_or("0");
    let trace: String = number.chars().filter(char::is_ascii_alphanumeric).take(18).collect();
    Known { trace_number: format!("CG{}", trace.to_ascii_uppercase()), original_claim_control_number: None, now }
}

fn interchange(translator: &Translator, prepared: &Prepared, number: u32, now: Timestamp) -> Result<Vec<u8>, Fault> {
    let missing =
        || Fault::ours(crate::fault::codes::CONFIGURATION, format!("guide {} is not loaded", prepared.route.guide));
    let guide = translator.guides.get(&prepared.route.guide).ok_or_else(missing)?;
    let numbers = ControlNumbers { interchange: number, group: number };
    let envelope = dispatch::envelope(prepared.profile, numbers, now);
    let header = dispatch::header(prepared.profile, numbers);
    let bodies: Vec<&str> = prepared.parts.iter().map(|part| part.body.as_str()).collect();
    Ok(assemble::assemble(guide, &envelope, &header, &bodies)?.bytes)
}
