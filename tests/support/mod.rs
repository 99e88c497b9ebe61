//! What several tests share.

pub mod queue_contract;
pub mod rabbit;
pub mod store_contract;
