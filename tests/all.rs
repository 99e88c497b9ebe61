//! The one integration binary: it links once. Run it with `tests/run.sh`, which sets up what the tests need.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod architecture;
mod documents;
mod support;

mod bad_input;
mod cases;
mod faults;
mod fhir_corpus;
mod journey;
mod privacy;
mod store_crash;
mod store_sqlite;
//! The one integration test binary; each part is a module.

mod x12_corpus;
