//! What a payer said: one [`PayerResponse`] is one statement about one claim (or about a whole interchange, group or
//! transaction set), read from a TA1, 999, 277CA, 277, 271, 278, 835 or FHIR. It holds what was said, not what we make of it: what has no
//! typed home here is kept element by element ([`OtherSegment`]), so that nothing that a payer sends is lost.

pub use super::decision::Decision;
use super::record::Party;
pub use super::remittance::*;
pub use super::review::*;
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

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
    /// 277CA and 277: STC04 and STC05 of the claim, from the first STC that gives them.
    charge: Option<Decimal>,
    paid: Option<Decimal>,
    /// 277CA and 277: the lines of the claim (SVC); their statuses are among `statuses`.
    lines: Vec<AdjudicatedLine>,
    /// TA1 and 999: what was found wrong. 271 and 278: AAA.
    complaints: Vec<Complaint>,
    /// 271: the subject's benefits.
    eligibility: Option<Eligibility>,
    /// 278: the decision.
    review: Option<Review>,
    /// Documents and facts that the payer asks for: PWK and HI*LOI of a 278, R categories of a 277.
    requests: Vec<InformationRequest>,
    /// TRN of the claim or subject; the one that carries our number is among them.
    traces: Vec<Trace>,
    /// REF, DTP, AMT and QTY of a 277CA, 277, 271 or 278 claim or subject.
    references: Vec<Reference>,
    dates: Vec<QualifiedDate>,
    amounts: Vec<QualifiedAmount>,
    quantities: Vec<QualifiedAmount>,
    /// NM1 of the levels: payer, receiver, provider, patient, insured.
    parties: Vec<ResponseParty>,
    /// MSG.
    messages: Vec<String>,
    /// Whatever else stood there.
    others: Vec<OtherSegment>,
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
    /// TRN02 of our inquiry, as echoed by a 277, 271 or 278.
    inquiry_number: Option<String>,
    /// REF*F8 of an 835: the payer's number of the claim that this one corrects.
    original_claim_control_number: Option<String>,
    member_id: Option<String>,
    patient_last_name: Option<String>,
    patient_first_name: Option<String>,
    charge: Option<Decimal>,
    service_start: Option<Date>,
    service_end: Option<Date>,
}

/// One composite of STC (277CA, 277). Date, action, money and text are said once a segment: the first composite has them.
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
    /// STC06 and STC08: adjudicated, paid.
    finalized: Option<Date>,
    payment_date: Option<Date>,
    /// STC09: number of the check or transfer.
    payment_number: Option<String>,
    /// STC12.
    text: Option<String>,
    /// STC01-4: the code list of the status, RX for NCPDP reject codes.
    list: Option<String>,
    /// REF*FJ of the line that it is about.
    line_control_number: Option<String>,
    /// Place of that line among `lines`, from 1.
    line: Option<u32>,
    /// Words of ours for the category, code and entity.
    meaning: Option<String>,
}

/// One complaint of a TA1, 999, 271 or 278 about what we sent.
pub struct Complaint {
    /// IK304, IK403, IK502, AK905, TA105 or AAA03.
    code: String,
    /// The list that the code is of: `IK304`, `IK403`, `IK502`, `AK905`, `TA105`, `AAA03`.
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
    /// IK402: the data element that the value should have been.
    data_element: Option<String>,
    /// IK404: the value that was found wrong.
    value: Option<String>,
    /// CTX: `CLM01:…` and the like.
    context: Vec<String>,
    /// AAA04: what to do next.
    follow_up: Option<String>,
    /// Place among the benefits (271) or services (278) of what it is about, from 1.
    line: Option<u32>,
    /// Words of ours for it.
    meaning: String,
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
    /// REF03.
    text: Option<String>,
}

/// TRN.
pub struct Trace {
    /// TRN01: 1 of the payer, 2 as we sent it.
    kind: String,
    /// TRN02.
    number: String,
    /// TRN03, TRN04.
    assigner: Option<String>,
    division: Option<String>,
}

/// A segment that has no typed home, element by element.
pub struct OtherSegment {
    /// Its id in small letters: `per`.
    id: String,
    elements: Vec<OtherElement>,
}

/// One element, or one component of it.
pub struct OtherElement {
    /// `per04`, `hi01-2`.
    name: String,
    value: String,
}

/// DTM or DTP.
pub struct QualifiedDate {
    qualifier: String,
    start: Option<Date>,
    end: Option<Date>,
    /// As it was written, where it is neither a date nor a range of dates.
    text: Option<String>,
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
    /// What else its NM1 says, and what hangs on it: N3, N4, PER, PRV.
    others: Vec<OtherSegment>,
}
}
