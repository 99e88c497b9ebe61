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

/// A key to find submissions by, strongest first in the caller's order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// Our ISA13 for a partner.
    InterchangeControlNumber(u32),
    /// Our GS06, and ST02 when known.
    GroupControlNumber(u32, Option<String>),
    /// Our BHT03.
    BatchNumber(String),
    /// CLM01, exactly.
    PatientControlNumber(String),
    /// A CLM01 that begins so (some payers cut it).
    PatientControlNumberPrefix(String),
    /// REF*D9.
    TraceNumber(String),
    /// REF*1K, CLP07 of an earlier answer.
    PayerClaimControlNumber(String),
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
