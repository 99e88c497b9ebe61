//! The one integration binary. Run it with `tests/run.sh`, which sets up what the tests need.

mod support;

mod architecture;
mod bad_input;
mod cases;
mod documents;
mod faults;
mod fhir_corpus;
mod journey;
mod privacy;
mod store_crash;
mod store_sqlite;
mod x12_corpus;
