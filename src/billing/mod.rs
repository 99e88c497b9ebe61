//! Plain values: what a claim is and what was said of it. No input, no output, no FHIR, no X12.

pub mod date;
pub mod id;
pub mod journey;
pub mod record;
pub mod response;
pub mod shape;
pub mod split;
