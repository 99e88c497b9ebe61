//! All integration tests, in one binary.

mod store_crash;
mod store_sqlite;
mod support;
