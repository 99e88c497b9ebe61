//! Identifiers of our own making. They say nothing of the patient, so they may stand in logs, queues and URLs.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[doc = $doc:literal])* $name:ident)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub String);
            impl $name {
                /// A new one, ordered by time of making.
                pub fn make() -> $name {
                    $name(uuid::Uuid::now_v7().to_string())
                }
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }
        )*
    };
}

ids! {
    /// A submission: what a caller handed in and we promised to carry.
    SubmissionId
    /// An interchange: one file or message on the wire, in either direction.
    InterchangeId
}

/// The folder name of a payer under `mappings/payers/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PayerId(pub String);

impl PayerId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
