//! Expected files, as the cases compare them.

pub use claimgate::flow::cases::expected::{agrees, pretty};
