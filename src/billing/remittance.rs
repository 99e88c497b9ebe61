//! What an 835 says: the money of each claim and line, and the payment that they belong to (005010X221A1).

use super::date::Moment;
use super::line::ProcedureCode;
use super::payer::Adjustment;
use super::record::Address;
use super::response::{
    OtherElement, OtherSegment, QualifiedAmount, QualifiedDate, Reference, ResponseParty, SourceRange,
};
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
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
    /// CLP12.
    drg_weight: Option<Decimal>,
    /// CLP13: percentage of the DRG that is paid at discharge.
    discharge_fraction: Option<Decimal>,
    /// MIA and MOA but for their remarks: `mia01`, `moa02` …
    details: Vec<OtherElement>,
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
    /// PER, and whatever else stood there.
    others: Vec<OtherSegment>,
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
    /// DTM but for those of the service.
    dates: Vec<QualifiedDate>,
    /// Whatever else stood there.
    others: Vec<OtherSegment>,
    /// AMT*B6; else the charge less CO adjustments of a contractual kind.
    allowed: Option<Decimal>,
    balanced: bool,
    /// Of a 277: what its SVC leaves out, `charge`, `paid`, `unitsPaid`. What stands for it here was said by nobody.
    unstated: Vec<String>,
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
    /// BPR03: C credit, D debit.
    direction: Option<String>,
    /// BPR04: ACH, CHK, NON …
    method: Option<String>,
    /// N1*PE: name and NPI.
    payee_name: Option<String>,
    payee_npi: Option<String>,
    /// N1*PE with another qualifier than XX: FI, XV.
    payee_qualifier: Option<String>,
    payee_id: Option<String>,
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
    /// N1 to PER of the payer, then of the payee.
    parties: Vec<RemittanceParty>,
    /// REF of the header: EV receiver, F2 version.
    references: Vec<Reference>,
    /// One for each CLP, in order.
    claims: Vec<RemittedClaim>,
    provider_adjustments: Vec<ProviderAdjustment>,
    /// Bank data of BPR, LX with TS3 and TS2, and whatever else stood there.
    others: Vec<OtherSegment>,
    /// BPR02 = Σ CLP04 − Σ PLB.
    balanced: bool,
    /// When it was read.
    received: Option<Moment>,
}

/// Loop 1000A or 1000B.
pub struct RemittanceParty {
    /// N101: PR, PE.
    entity: String,
    name: Option<String>,
    id_qualifier: Option<String>,
    id: Option<String>,
    address: Option<Address>,
    references: Vec<Reference>,
    contacts: Vec<ResponseContact>,
    others: Vec<OtherSegment>,
}

/// PER.
pub struct ResponseContact {
    /// PER01: CX claims, BL technical, IC website.
    function: String,
    name: Option<String>,
    numbers: Vec<ContactNumber>,
}

/// PER03 and PER04, and so on.
pub struct ContactNumber {
    /// TE telephone, EX extension, FX fax, EM mail, UR website.
    kind: String,
    value: String,
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
