//! All integration tests, in one binary: it links once.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod architecture;
