//! The journeys, one page each, the stations in order. A leg reads once, decides with pure functions, writes once; legs
//! meet only in rows of the store.
//!
//! * [`prepare`] is the pure middle of submit: resources in, payer format out. `claimgate map` is its offline twin.
//! * [`derive`] makes the claim of an Encounter; [`bill`] is the journey of an Encounter until it is a claim.
//! * [`correct`] places a claim among those sent before it; [`hold`] keeps what can't go yet, and lets it go on.
//! * [`submit`] takes a claim in and promises to carry it.
//! * [`dispatch`] puts submissions into interchanges, or [`document`]s of the payer's own format, and sends them.
//! * [`inquire`] asks a payer what has become of a claim.
//! * [`next`] prepares what a biller does next: the claim for the next payer, the one that mends what was refused.
//! * [`receive`] takes in what a payer answers; [`convert`] is its offline twin,
//!   [`unmatched`] keeps what belongs to nobody yet.
//! * [`subscribe`] takes in who wants to be told of changes; [`notify`] tells them, also by [`webhook`].
//! * [`status`] answers who asks by a 276; [`journey`] tells one claim's life.
//! * [`overdue`] and [`denials`] are lists that people work through; [`journal`] posts the money for accounting, [`account`]
//!   says what of a claim is still owed.
//! * [`cases`] walks lives of claims that are kept as data, for those who edit mappings.
//! * [`worklist`] shows billing records, [`lookup`] tells callers what is known.

pub mod account;
pub mod acknowledge;
pub mod bill;
pub mod cases;
pub mod compare;
pub mod complaint;
pub mod convert;
pub mod correct;
pub mod denials;
pub mod derive;
pub mod dispatch;
pub mod document;
pub mod duplicate;
pub mod exchange;
pub mod hold;
pub mod inquire;
pub mod intake;
pub mod journal;
pub mod journey;
pub mod lookup;
pub mod naming;
pub mod next;
pub mod notify;
pub mod overdue;
pub mod pas_response;
pub mod prepare;
pub mod receive;
pub mod status;
pub mod store;
pub mod submit;
pub mod subscribe;
pub mod tell;
pub mod translate;
pub mod trial;
pub mod unmatched;
pub mod webhook;
pub mod worklist;
