//! What only institutional claims say (837I, 005010X223A2): admission, discharge, and the codes of the UB-04.

use super::record::Diagnosis;
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
/// The stay or visit. The diagnoses of the record are the principal one (HI*ABK), then the others (HI*ABF).
pub struct Institutional {
    /// CL101: 1 emergency, 2 urgent, 3 elective, 4 newborn, 5 trauma, 9 unknown.
    admission_type: Option<String>,
    /// CL102: point of origin.
    point_of_origin: Option<String>,
    /// CL103: discharge status, two digits.
    patient_status: Option<String>,
    /// HI*ABJ.
    admitting_diagnosis: Option<Diagnosis>,
    /// HI*APR: at most three.
    reasons_for_visit: Vec<Diagnosis>,
    /// HI*ABN: at most twelve.
    external_causes: Vec<Diagnosis>,
    /// HI*DR.
    diagnosis_related_group: Option<String>,
    /// HI*BBR, then HI*BBQ: at most 24 others.
    procedures: Vec<InpatientProcedure>,
    /// HI*BI.
    occurrence_spans: Vec<OccurrenceSpan>,
    /// HI*BH.
    occurrences: Vec<Occurrence>,
    /// HI*BE.
    values: Vec<ValueCode>,
    /// HI*TC.
    treatment_codes: Vec<String>,
    /// AMT*F3.
    estimated_amount_due: Option<Decimal>,
    /// REF*G4: approval number of a peer review organization.
    peer_review_approval: Option<String>,
}

/// A procedure with its day.
pub struct InpatientProcedure {
    /// ICD-10-PCS, seven characters.
    code: String,
    /// `icd10` or `icd9`.
    code_set: String,
    date: Option<Date>,
}

/// HI*BI.
pub struct OccurrenceSpan {
    code: String,
    start: Option<Date>,
    end: Option<Date>,
}

/// HI*BH.
pub struct Occurrence {
    code: String,
    date: Option<Date>,
}

/// HI*BE: an amount, or a number of days, pints and the like.
pub struct ValueCode {
    code: String,
    amount: Decimal,
}
}
