//! The journeys, one page each, the stations in order. A leg reads once, decides with pure functions, writes once; legs
//! meet only in rows of the store.
//!
//! * [`prepare`] is the pure middle of submit: resources in, payer format out. `claimgate map` is its offline twin.
//! * [`submit`] takes a claim in and promises to carry it.
//! * [`dispatch`] puts submissions into interchanges and sends them.
//! * [`receive`] takes in what a payer answers.
//! * [`cases`] walks lives of claims that are kept as data, for those who edit mappings.
//! * [`lookup`] tells callers what is known.

pub mod acknowledge;
pub mod cases;
pub mod compare;
pub mod complaint;
pub mod dispatch;
pub mod exchange;
pub mod intake;
pub mod lookup;
pub mod naming;
pub mod prepare;
pub mod receive;
pub mod store;
pub mod submit;
pub mod tell;
pub mod translate;
pub mod trial;
