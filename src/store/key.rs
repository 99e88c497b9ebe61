//! The keys that submissions are recognised and found by.

use super::{SealedClaim, Submission};

/// The ways to see that something was handed in before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The caller's `Idempotency-Key`.
    Idempotency,
    /// Caller and `Claim.identifier`.
    Business,
    /// What is billed: patient, payer, provider, services.
    Services,
}

/// A submission found by a key, and which of its parts.
#[derive(Debug, Clone)]
pub struct Found {
    pub submission: Submission,
    pub part: u32,
    /// Where it stands in the interchange, when it has been sealed.
    pub sealed: Option<SealedClaim>,
    pub payer_claim_control_number: Option<String>,
}
