//! The one integration binary: it links once. Run it with `tests/run.sh`, which sets up what the tests need.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod architecture;
mod documents;
mod support;

mod bad_input;
mod faults;
mod journey;
mod privacy;
mod store_crash;
mod store_sqlite;
