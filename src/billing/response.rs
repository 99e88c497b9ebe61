//! What a payer said: one [`PayerResponse`] is one statement about one claim (or about a whole interchange, group or
//! transaction set), read from a TA1, 999, 277CA, 277, 278 or 835. It holds what was said, not what we make of it.

use super::date::Moment;
use super::line::ProcedureCode;
use super::payer::Adjustment;
use super::record::Party;
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

shaped! {
/// One statement of a payer.
pub struct PayerResponse {
    /// `TA1`, `999`, `277CA`, `277`, `278`, `271`, `835`.
    transaction: String,
    /// What it means for the claim: one of the words of [`Decision`].
    decision: String,
    /// The date of the statement itself (277CA STC02, 835 BPR16, else the interchange's date).
    stated: Option<Date>,
    /// Where it stands in the payer's file.
    source: SourceRange,
    /// What it gives to find our submission by.
    keys: CorrelationKeys,
    /// 277CA and 277: STC of the claim, each composite apart, worst first.
    statuses: Vec<ClaimStatus>,
    /// TA1 and 999: what was found wrong.
    complaints: Vec<Complaint>,
    /// 835: the money.
    adjudication: Option<Adjudication>,
    /// 835: the payment that this claim belongs to.
    payment: Option<Payment>,
    /// Who said it: NM1*PR or N1*PR.
    payer_name: Option<String>,
    /// Its id: NM109, or TRN03 without the leading 1.
    payer_identifier: Option<String>,
    /// REF*1K, CLP07: the payer's own number of the claim.
    payer_claim_control_number: Option<String>,
    /// Words for people: the meaning of the statuses, the note of the TA1.
    disposition: Option<String>,
}

/// Where a statement stands in the file that brought it.
pub struct SourceRange {
    /// ISA13.
    interchange_control_number: Option<String>,
    /// GS06.
    group_control_number: Option<String>,
    /// ST02.
    transaction_set_control_number: Option<String>,
    /// Ordinal of the first and last segment in the set, ST = 1.
    first_segment: u32,
    last_segment: u32,
}

/// What a statement gives to find our submission by. Numbers of ours come first.
pub struct CorrelationKeys {
    /// TA101: our ISA13.
    interchange_control_number: Option<String>,
    /// AK102: our GS06.
    group_control_number: Option<String>,
    /// AK202: our ST02.
    transaction_set_control_number: Option<String>,
    /// 277CA 2200B TRN02: our BHT03.
    batch_number: Option<String>,
    /// 277CA 2100C: NPI or tax number of the billing provider, else its name.
    provider: Option<String>,
    /// CLM01 as echoed: CLP01, 2200D TRN02, CTX CLM01.
    patient_control_number: Option<String>,
    /// REF*D9.
    trace_number: Option<String>,
    /// REF*F8 of an 835: the payer's number of the claim that this one corrects.
    original_claim_control_number: Option<String>,
    member_id: Option<String>,
    patient_last_name: Option<String>,
    patient_first_name: Option<String>,
    charge: Option<Decimal>,
    service_start: Option<Date>,
    service_end: Option<Date>,
}

/// One composite of STC (277CA, 277).
pub struct ClaimStatus {
    /// STC01-1: category, for example A7.
    category: String,
    /// STC01-2: status code.
    code: Option<String>,
    /// STC01-3: entity.
    entity: Option<String>,
    date: Option<Date>,
    /// STC03: WQ accept, U reject.
    action: Option<String>,
    charge: Option<Decimal>,
    paid: Option<Decimal>,
    /// STC12.
    text: Option<String>,
    /// REF*FJ of the line that it is about.
    line_control_number: Option<String>,
    /// Words of ours for the category, code and entity.
    meaning: Option<String>,
}

/// One complaint of a TA1 or 999 about what we sent.
pub struct Complaint {
    /// IK304, IK403, IK502, AK905 or TA105.
    code: String,
    /// The list that the code is of: `IK304`, `IK403`, `IK502`, `AK905`, `TA105`.
    list: String,
    /// IK301.
    segment: Option<String>,
    /// IK302: ordinal in our transaction set, ST = 1.
    ordinal: Option<u32>,
    /// IK303.
    loop_id: Option<String>,
    /// IK401-1.
    element: Option<u32>,
    /// IK401-2.
    component: Option<u32>,
    /// IK401-3.
    repetition: Option<u32>,
    /// IK404: the value that was found wrong.
    value: Option<String>,
    /// CTX: `CLM01:…` and the like.
    context: Vec<String>,
    /// Words of ours for it.
    meaning: String,
}

/// The money part of an 835 claim (loop 2100).
pub struct Adjudication {
    /// CLP02.
    status: String,
    /// CLP03.
    charge: Decimal,
    /// CLP04.
    paid: Decimal,
    /// CLP05.
    patient_responsibility: Option<Decimal>,
    /// CLP06.
    claim_filing_indicator: Option<String>,
    /// CLP08.
    facility_code: Option<String>,
    /// CLP09.
    frequency_code: Option<String>,
    /// CLP11.
    drg: Option<String>,
    /// CAS of the claim.
    adjustments: Vec<Adjustment>,
    /// AMT of the claim.
    amounts: Vec<QualifiedAmount>,
    /// QTY of the claim.
    quantities: Vec<QualifiedAmount>,
    /// MIA05, 20 to 23 and MOA03 to 07: RARC.
    remarks: Vec<Remark>,
    /// REF of the claim.
    references: Vec<Reference>,
    /// DTM of the claim.
    dates: Vec<QualifiedDate>,
    /// NM1 of the claim: QC, IL, 74, 82, TT, PR, GB.
    parties: Vec<ResponseParty>,
    lines: Vec<AdjudicatedLine>,
    /// Whether charge, adjustments and payment agree, line by line and for the claim.
    balanced: bool,
    /// True while only some parts of a claim that was sent in several have been answered.
    incomplete: Option<bool>,
}

/// Loop 2110.
pub struct AdjudicatedLine {
    /// REF*6R.
    control_number: Option<String>,
    /// Our item, found by the control number or by code, date and charge; filled in by correlation.
    item_sequence: Option<u32>,
    /// SVC01: the code that was paid.
    code: ProcedureCode,
    /// SVC06: the code that was sent, when it differs.
    submitted_code: Option<ProcedureCode>,
    /// SVC04.
    revenue_code: Option<String>,
    charge: Decimal,
    paid: Decimal,
    /// SVC05, 1 when absent.
    units_paid: Decimal,
    /// SVC07.
    units_submitted: Option<Decimal>,
    service_start: Option<Date>,
    service_end: Option<Date>,
    adjustments: Vec<Adjustment>,
    amounts: Vec<QualifiedAmount>,
    quantities: Vec<QualifiedAmount>,
    remarks: Vec<Remark>,
    references: Vec<Reference>,
    /// AMT*B6; else the charge less CO adjustments of a contractual kind.
    allowed: Option<Decimal>,
    balanced: bool,
}

/// AMT or QTY.
pub struct QualifiedAmount {
    qualifier: String,
    value: Decimal,
}

/// REF.
pub struct Reference {
    qualifier: String,
    value: String,
}

/// DTM or DTP.
pub struct QualifiedDate {
    qualifier: String,
    start: Option<Date>,
    end: Option<Date>,
}

/// NM1 in an answer.
pub struct ResponseParty {
    /// NM101.
    entity: String,
    party: Party,
    /// NM108.
    id_qualifier: Option<String>,
    /// NM109.
    id: Option<String>,
}

/// A RARC.
pub struct Remark {
    code: String,
    /// `HE` RARC, `RX` NCPDP reject code.
    list: String,
    text: Option<String>,
    /// True for a RARC that informs and explains no adjustment.
    alert: Option<bool>,
}

/// BPR and TRN of an 835.
pub struct Payment {
    /// TRN02: check or EFT number.
    trace_number: String,
    /// TRN03.
    originator: Option<String>,
    /// BPR16.
    date: Option<Date>,
    /// BPR02: the whole payment, not this claim's share.
    total: Decimal,
    /// BPR01.
    handling: Option<String>,
    /// BPR04: ACH, CHK, NON …
    method: Option<String>,
    /// N1*PE: name and NPI.
    payee_name: Option<String>,
    payee_npi: Option<String>,
    /// DTM*405.
    production_date: Option<Date>,
    currency: Option<String>,
}

/// A whole 835 transaction set, for the PaymentReconciliation.
pub struct Remittance {
    source: SourceRange,
    payment: Payment,
    payer_name: Option<String>,
    payer_identifier: Option<String>,
    /// One for each CLP, in order.
    claims: Vec<RemittedClaim>,
    provider_adjustments: Vec<ProviderAdjustment>,
    /// BPR02 = Σ CLP04 − Σ PLB.
    balanced: bool,
    /// When it was read.
    received: Option<Moment>,
}

/// One CLP of a remittance, as the payment sees it.
pub struct RemittedClaim {
    patient_control_number: String,
    payer_claim_control_number: Option<String>,
    status: String,
    paid: Decimal,
    /// `Claim/…` and `ClaimResponse/…`, filled in by correlation.
    request: Option<String>,
    response: Option<String>,
}

/// One pair of PLB.
pub struct ProviderAdjustment {
    provider: String,
    fiscal_period: Option<Date>,
    reason: String,
    identifier: Option<String>,
    /// Positive reduces the payment.
    amount: Decimal,
}
}

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
