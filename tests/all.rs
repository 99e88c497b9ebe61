//! All integration tests, in one binary.

mod queue_embedded;
mod queue_rabbit;
mod store_crash;
mod store_sqlite;
mod support;
