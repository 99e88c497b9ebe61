//! What the tests share.

pub mod claim;
pub mod rabbit;
pub mod server;
pub mod simulator;
