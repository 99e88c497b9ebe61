//! The journeys, one page each, the stations in order. A leg reads once, decides with pure functions, writes once; legs
//! meet only in rows of the store.
//!
//! * [`prepare`] is the pure middle of submit: resources in, payer format out. `claimgate map` is its offline twin.
//! * [`submit`] takes a claim in and promises to carry it.
//! * [`dispatch`] puts submissions into interchanges, or [`document`]s of the payer's own format, and sends them.
//! * [`inquire`] asks a payer what has become of a claim.
//! * [`receive`] takes in what a payer answers.
//! * [`lookup`] tells callers what is known.

pub mod acknowledge;
pub mod dispatch;
pub mod document;
pub mod exchange;
pub mod inquire;
pub mod intake;
pub mod lookup;
pub mod naming;
pub mod prepare;
pub mod receive;
pub mod store;
pub mod submit;
pub mod tell;
pub mod translate;
