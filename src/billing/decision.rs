//! What a statement of a payer means for the claim.

use serde::{Deserialize, Serialize};

/// What a statement means for the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    /// TA1 or 999: the envelope or the set was taken.
    Acknowledged,
    /// Passed on to another party (A0), or received but not yet judged (A1).
    Forwarded,
    /// Taken into adjudication (A2, A5).
    Accepted,
    /// Refused before adjudication: TA1 R, 999 R, 277CA A3, A6, A7, A8, AAA.
    Rejected,
    /// In adjudication (P0 to P5), or more is asked for (R0 to R17).
    Pended,
    /// Adjudicated with money: CLP02 1, 2, 3, 19, 20, 21, 25.
    Adjudicated,
    /// Adjudicated: denied (CLP02 4).
    Denied,
    /// An earlier payment is taken back (CLP02 22).
    Reversed,
    /// Says nothing that moves the claim (D0, E0 to E4, CLP02 23).
    Informational,
}

impl Decision {
    pub fn word(self) -> &'static str {
        match self {
            Decision::Acknowledged => "acknowledged",
            Decision::Forwarded => "forwarded",
            Decision::Accepted => "accepted",
            Decision::Rejected => "rejected",
            Decision::Pended => "pended",
            Decision::Adjudicated => "adjudicated",
            Decision::Denied => "denied",
            Decision::Reversed => "reversed",
            Decision::Informational => "informational",
        }
    }

    pub fn of(word: &str) -> Decision {
        use Decision::*;
        [Acknowledged, Forwarded, Accepted, Rejected, Pended, Adjudicated, Denied, Reversed]
            .into_iter()
            .find(|decision| decision.word() == word)
            .unwrap_or(Informational)
    }
}
