//! The one integration binary: it links once. Run it with `tests/run.sh`, which sets up what the tests need.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]
#![allow(clippy::type_complexity, reason = "tables of cases are read row by row")]
#![allow(clippy::cloned_ref_to_slice_refs, reason = "an expected list reads better as a list")]
#![allow(clippy::disallowed_methods, reason = "tests take the machine's time, and may wait on a thread of their own")]

mod support;

mod access;
mod accounting;
mod answer_facts;
mod architecture;
mod bad_input;
mod cases;
mod claim_cycle;
mod claim_mapping;
mod complaints;
mod correlation;
mod documents;
mod drafts;
mod encounters;
mod faults;
mod fhir_corpus;
mod fhirpath_official;
mod front_door;
mod journey;
mod live_mappings;
mod mapping_tools;
mod notifications;
mod pairs;
mod privacy;
mod queue_embedded;
mod queue_rabbit;
mod requests;
mod responses_corpus;
mod responses_fhir;
mod responses_gateway;
mod store_crash;
mod store_notices;
mod store_sqlite;
mod worklists;
mod x12_acknowledged;
mod x12_conformance;
mod x12_corpus;
mod x12_faults;
mod x12_fuzz;
mod x12_size;
