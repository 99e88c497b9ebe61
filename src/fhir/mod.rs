//! FHIR R4 (4.0.1) in and out: JSON read, checked against HL7's own definitions, references resolved, complaints written
//! as OperationOutcome. In memory FHIR is `serde_json::Value`, so that nothing the caller sent is lost or re-spelled.
//!
//! Absent on purpose: X12, and what a claim means for billing.

pub mod bundle;
pub mod capability;
pub mod definitions;
mod entries;
pub mod index;
mod named;
pub mod notification;
pub mod outcome;
pub mod parse;
pub mod path;
pub mod primitive;
mod quick;
pub mod reference;
pub mod second_opinion;
pub mod subscription;
pub mod suggest;
pub mod topics;
pub mod validate;
