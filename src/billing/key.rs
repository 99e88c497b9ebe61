//! The keys that a payer's answer names a claim by: what `responses` looks for, and what the store finds.

/// A key to find submissions by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// Our ISA13 for a partner: TA101.
    InterchangeControlNumber(u32),
    /// Our GS06, and ST02 when known: AK102, AK202.
    GroupControlNumber(u32, Option<String>),
    /// Our BHT03: 277CA 2200B TRN02.
    BatchNumber(String),
    /// CLM01, exactly.
    PatientControlNumber(String),
    /// A CLM01 that begins so (some payers cut it).
    PatientControlNumberPrefix(String),
    /// REF*D9.
    TraceNumber(String),
    /// REF*1K, CLP07, REF*F8.
    PayerClaimControlNumber(String),
}
