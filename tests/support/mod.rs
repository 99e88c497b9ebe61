//! What the tests share.

pub mod bless;
pub mod claim;
pub mod corpus;
pub mod encounter;
pub mod gateway;
pub mod house;
pub mod queue_contract;
pub mod rabbit;
pub mod receiver;
pub mod server;
pub mod simulator;
pub mod store_contract;
pub mod waiting_contract;
pub mod worklists_contract;
pub mod x12;
