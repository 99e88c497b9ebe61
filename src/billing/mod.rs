//! Plain values: what a claim is and what was said of it. No input, no output, no FHIR, no X12.

pub mod authorization;
pub mod correction;
pub mod date;
pub mod decision;
pub mod dental;
pub mod id;
pub mod inquiry;
pub mod institutional;
pub mod journal;
pub mod journey;
pub mod key;
pub mod line;
pub mod payer;
pub mod record;
pub mod remittance;
pub mod response;
pub mod review;
pub mod shape;
pub mod split;
