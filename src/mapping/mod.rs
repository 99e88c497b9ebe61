//! wip
pub mod fhirpath;
pub mod mistakes;
pub mod source;
pub mod tables;
pub mod yaml;
