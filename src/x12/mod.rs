//! X12 005010 and nothing else: read, understood by its guide, checked, acknowledged and written.
//!
//! * [`text`], [`delimiters`], [`isa`], [`segment`], [`wrapping`], [`tokens`] and [`envelope`] take an interchange apart; [`reader`]
//!   does so with what is in memory, [`stream`] with a file of any length; [`portions`] and [`split`] take a set apart.
//! * [`guide`] says what a transaction may hold; [`tree`] sorts the segments of a set into its loops.
//! * [`build`] is what a mapping makes; [`writer`] and [`assemble`] put it on the wire.
//! * [`check`] finds what is wrong (SNIP 1 to 5: [`situations`] and [`code_sets`] are the last two), [`audit`] does in a
//!   file of any length; [`policy`] is what one payer makes of it, and [`acknowledge`] tells the sender (TA1, 999);
//!   [`acknowledged`] reads what a receiver told us.
//! * [`sets`] are the sets of a file one by one; [`json`], [`document`] and [`format`] show an interchange to people and programs.

pub mod acknowledge;
pub mod acknowledged;
mod amount;
pub mod assemble;
pub mod audit;
mod balance;
pub mod build;
pub mod check;
pub mod code_sets;
pub mod delimiters;
pub mod document;
pub mod envelope;
mod findings;
mod fit;
pub mod format;
pub mod guide;
mod guide_file;
pub mod isa;
pub mod json;
mod known;
mod levels;
mod mark;
mod meanings;
mod needs;
mod numbering;
mod plain;
pub mod policy;
pub mod portions;
pub mod problem;
pub mod reader;
mod routes;
mod rulebook;
mod rules;
pub mod segment;
pub mod sets;
mod short;
pub mod situations;
pub mod split;
mod spots;
pub mod strangers;
pub mod stream;
pub mod text;
pub mod tokens;
mod totals;
pub mod tree;
mod words;
pub mod wrapping;
pub mod writer;

#[cfg(test)]
mod properties;
