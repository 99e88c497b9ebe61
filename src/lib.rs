//! claimgate: a FHIR R4 gateway for US health-care claims. The modules, in the order of the data:
//!
//! * [`http`] is the front door: it takes a request apart, calls a journey and turns its result into a reply.
//! * [`worker`] is the back door: it works at its own pace through what was accepted.
//! * [`flow`] holds the journeys, one page each: submit, dispatch, receive, lookup.
//! * [`gateway`] holds everything that lives long, built once and lent to the journeys.
//! * [`fhir`] reads and writes FHIR; [`mapping`] is the bridge between FHIR, the billing record and X12.
//! * [`edits`] are the rules that a claim must pass; [`payers`] are the profiles of those who get it.
//! * [`responses`] reads what a payer answered; [`store`] keeps everything; [`queue`] carries ids; [`transport`] moves bytes.
//! * [`billing`] are plain values; [`x12`] is X12 005010 and nothing else.
//! * [`simulator`] is the payer that answers, for demonstrations and tests; [`cli`] is the command line.
//! * [`config`], [`assets`], [`fault`], [`code_forms`], [`json`], [`lexicon`], [`digits`], [`retry`], [`clock`], [`span`] and [`telemetry`] serve all of
//!   them.
//!
//! Imports run down only; `tests/architecture.rs` holds the table.

pub mod assets;
pub mod billing;
pub mod cli;
pub mod clock;
pub mod code_forms;
pub mod config;
pub mod digits;
pub mod edits;
pub mod fault;
pub mod fhir;
pub mod flow;
pub mod gateway;
pub mod http;
pub mod json;
pub mod lexicon;
pub mod mapping;
pub mod payers;
pub mod queue;
pub mod responses;
pub mod retry;
pub mod simulator;
pub mod span;
pub mod store;
pub mod telemetry;
pub mod transport;
pub mod worker;
pub mod x12;
