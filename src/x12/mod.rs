//! X12 005010 and nothing else: read, understood by its guide, checked, acknowledged and written.
//!
//! * [`text`], [`delimiters`], [`segment`], [`tokens`] and [`envelope`] take an interchange apart; [`reader`] does so with
//!   what is in memory, [`stream`] with a file of any length; [`portions`] and [`split`] take a set apart.
//! * [`guide`] says what a transaction may hold; [`tree`] sorts the segments of a set into its loops.
//! * [`build`] is what a mapping makes; [`writer`] and [`assemble`] put it on the wire.
//! * [`check`] finds what is wrong (SNIP 1 to 3), [`audit`] does in a file of any length; [`acknowledge`] tells the sender (TA1, 999).
//! * [`json`] and [`format`] show an interchange to people and programs.

pub mod acknowledge;
pub mod assemble;
pub mod audit;
mod balance;
pub mod build;
pub mod check;
pub mod delimiters;
pub mod envelope;
pub mod format;
pub mod guide;
mod guide_file;
pub mod json;
mod levels;
pub mod portions;
pub mod reader;
mod rules;
pub mod segment;
pub mod split;
pub mod stream;
pub mod text;
pub mod tokens;
mod totals;
pub mod tree;
pub mod writer;

#[cfg(test)]
mod properties;
