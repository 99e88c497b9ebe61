//! The billing record: our one internal record of a claim, between FHIR and what a payer wants to read.
//!
//! It stands in the field's own words and holds values ready to be written: codes without dots, ids without hyphens are
//! the mapping's work. The element that a field feeds in an 837P (005010X222A1) is named in its doc comment, and where it
//! differs that in an 837I (005010X223A2) or 837D (005010X224A2).

use super::authorization::Review;
use super::date::Moment;
use super::dental::Dental;
use super::inquiry::{Eligibility, StatusInquiry};
use super::institutional::Institutional;
use super::line::ServiceLine;
use super::payer::{Coverage, OtherPayer};
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
/// One claim, complete.
pub struct BillingRecord {
    /// What is asked: `claim`, `preauthorization`, `predetermination`, `statusInquiry`, `eligibility`.
    intent: String,
    /// `professional`, `institutional`, `oral`; `none` in an eligibility inquiry.
    claim_type: String,
    /// CUR02: ISO 4217, only when the amounts are not in US dollars.
    currency: Option<String>,
    /// CLM01: the caller's number of the claim, returned by the payer in every answer.
    patient_control_number: String,
    /// CLM02: the sum of the line charges.
    total_charge: Decimal,
    /// CLM05-1: CMS place of service, two digits; for institutional claims the first two digits of the type of bill.
    place_of_service: Option<String>,
    /// CLM05-3: 1 original, 7 replacement, 8 void; for institutional claims the last digit of the type of bill.
    frequency_code: String,
    /// CLM06: Y or N.
    provider_signature_on_file: Option<String>,
    /// CLM07: A assigned, B assigned for laboratory services only, C not assigned.
    assignment_code: Option<String>,
    /// CLM08: Y, N, W.
    benefits_assigned: Option<String>,
    /// CLM09: Y or I.
    release_of_information: Option<String>,
    /// CLM10: P.
    patient_signature_source: Option<String>,
    /// CLM11-1 to -3: AA auto accident, EM employment, OA other accident.
    related_causes: Vec<String>,
    /// CLM11-4: state of an auto accident.
    accident_state: Option<String>,
    /// CLM11-5, and outside the United States.
    accident_country: Option<String>,
    /// CLM12: 01, 02, 03, 05, 09.
    special_program: Option<String>,
    /// CLM20.
    delay_reason: Option<String>,

    /// DTP*431.
    onset: Option<Date>,
    /// DTP*454.
    initial_treatment: Option<Date>,
    /// DTP*304.
    last_seen: Option<Date>,
    /// DTP*453.
    acute_manifestation: Option<Date>,
    /// DTP*439.
    accident_date: Option<Date>,
    /// DTP*484.
    last_menstrual_period: Option<Date>,
    /// DTP*455.
    last_xray: Option<Date>,
    /// DTP*471 of the claim: hearing and vision prescription.
    prescription_date: Option<Date>,
    /// DTP*360 start, DTP*361 end, DTP*314 both.
    disability: Option<DateRange>,
    /// DTP*297.
    last_worked: Option<Date>,
    /// DTP*296.
    return_to_work: Option<Date>,
    /// DTP*435.
    admission: Option<Moment>,
    /// DTP*096: the day, in institutional claims the hour.
    discharge: Option<Moment>,
    /// DTP*090.
    assumed_care: Option<Date>,
    /// DTP*091.
    relinquished_care: Option<Date>,
    /// DTP*444.
    first_contact: Option<Date>,
    /// DTP*050.
    repricer_received: Option<Date>,
    /// The period that the claim covers: DTP*434 of institutional claims; elsewhere the default of line dates.
    statement_period: Option<DateRange>,

    /// PWK of the claim.
    attachments: Vec<Attachment>,
    /// CN1.
    contract: Option<Contract>,
    /// AMT*F5.
    patient_paid: Option<Decimal>,
    /// REF*4N.
    service_authorization_exception: Option<String>,
    /// REF*F5.
    medicare_crossover: Option<String>,
    /// REF*EW.
    mammography_certification: Option<String>,
    /// REF*9F.
    referral_number: Option<String>,
    /// REF*G1.
    prior_authorization: Option<String>,
    /// REF*F8: the payer's number of the claim that this one replaces or voids.
    payer_claim_control_number: Option<String>,
    /// REF*X4.
    clia_number: Option<String>,
    /// REF*9A.
    repriced_claim_number: Option<String>,
    /// REF*9C.
    adjusted_repriced_claim_number: Option<String>,
    /// REF*LX: at most five in institutional claims, one in others.
    investigational_devices: Vec<String>,
    /// REF*D9: our own trace number, returned by payers that keep it.
    trace_number: Option<String>,
    /// REF*EA.
    medical_record_number: Option<String>,
    /// REF*P4.
    demonstration_project: Option<String>,
    /// REF*1J.
    care_plan_oversight: Option<String>,
    /// K3.
    file_information: Vec<String>,
    /// NTE of the claim: one in professional claims, five in dental ones, ten and a billing note in institutional ones.
    notes: Vec<Note>,
    /// CR1 of the claim.
    ambulance: Option<Ambulance>,
    /// CR2.
    spinal_manipulation: Option<SpinalManipulation>,
    /// CRC of the claim.
    condition_indicators: Vec<ConditionIndicator>,
    /// HI: the first is the principal diagnosis; line pointers count in this order.
    diagnoses: Vec<Diagnosis>,
    /// HI*BP and HI*BO.
    anesthesia_procedures: Vec<String>,
    /// HI*BG.
    condition_codes: Vec<String>,
    /// HCP of the claim.
    pricing: Option<Pricing>,
    /// What only institutional claims say.
    institutional: Option<Institutional>,
    /// What only dental claims say.
    dental: Option<Dental>,
    /// What only a request for authorization says.
    review: Option<Review>,
    /// What only an eligibility inquiry says.
    eligibility: Option<Eligibility>,
    /// What only an inquiry about a claim says.
    status_inquiry: Option<StatusInquiry>,

    /// 2010AA.
    billing_provider: Party,
    /// 2010AB: only when it differs from the billing provider's address.
    pay_to_address: Option<Address>,
    /// 2010AC: a plan that has paid and wants the money back.
    pay_to_plan: Option<PayToPlan>,
    /// Whether the patient is the subscriber: SBR02 is 18, and the claim hangs under 2000B.
    patient_is_subscriber: bool,
    /// PAT01 of 2000C: 01 spouse, 19 child, 20 employee, 21 unknown, 39, 40, 53 life partner, G8 other.
    relationship: Option<String>,
    /// 2010BA.
    subscriber: Party,
    /// 2010CA, also given when the patient is the subscriber.
    patient: Party,
    /// PAT05 and PAT06.
    patient_death_date: Option<Date>,
    /// PAT08, in pounds.
    patient_weight: Option<Decimal>,
    /// PAT09: Y.
    pregnancy_indicator: Option<String>,
    /// The number of a property and casualty claim: REF*Y4 of the subscriber or patient.
    property_casualty_claim_number: Option<String>,
    /// REF*1W or REF*SY of 2010CA, in property and casualty claims.
    property_casualty_patient_id: Option<QualifiedId>,
    /// SBR and 2010BB of the destination payer.
    coverage: Coverage,

    /// 2310A of institutional claims: who is responsible for the patient's care.
    attending_provider: Option<Party>,
    /// 2310B of institutional claims.
    operating_physician: Option<Party>,
    /// 2310C of institutional claims.
    other_operating_physician: Option<Party>,
    /// 2310D of dental claims.
    assistant_surgeon: Option<Party>,
    /// 2310A (institutional 2310F): the referring provider, then the primary care provider.
    referring_providers: Vec<Party>,
    /// 2310B (institutional 2310D): only when it differs from the billing provider.
    rendering_provider: Option<Party>,
    /// 2310C (institutional 2310E): only when it differs from the billing provider's address.
    service_facility: Option<Party>,
    /// 2310D (dental 2310E).
    supervising_provider: Option<Party>,
    /// 2310E.
    pick_up: Option<Address>,
    /// 2310F.
    drop_off: Option<Party>,
    /// 2320: other payers in the order of their payer sequence.
    other_payers: Vec<OtherPayer>,
    /// 2400.
    service_lines: Vec<ServiceLine>,
}

/// A person or an organization with a part in the claim (NM1, N3, N4, PRV, REF, PER, DMG).
pub struct Party {
    /// NM102 is 2: an organization, whose name is `last_name`.
    organization: bool,
    /// NM101 where one loop takes several kinds: DN or P3 in 2310A, any in `OtherPayer.providers`.
    role: Option<String>,
    /// NM103.
    last_name: Option<String>,
    /// NM104.
    first_name: Option<String>,
    /// NM105.
    middle_name: Option<String>,
    /// NM107.
    suffix: Option<String>,
    /// NM109 with XX.
    npi: Option<String>,
    /// NM109 with MI: the member id.
    member_id: Option<String>,
    /// PRV03: taxonomy.
    taxonomy: Option<String>,
    /// REF*EI, nine digits.
    employer_id: Option<String>,
    /// REF*SY, nine digits.
    social_security_number: Option<String>,
    /// REF*0B, 1G, G2, LU and the like.
    secondary_ids: Vec<QualifiedId>,
    address: Option<Address>,
    /// DMG02.
    birth_date: Option<Date>,
    /// DMG03: F, M, U.
    sex: Option<String>,
    /// PER.
    contact: Option<Contact>,
}

/// An id with the qualifier that says what it is (REF01, REF02).
pub struct QualifiedId {
    qualifier: String,
    value: String,
    /// REF04-2 with 2U: the payer that gave the id, when it is not the one that is billed (loops 2420).
    payer_id: Option<String>,
}

/// N3 and N4.
pub struct Address {
    line1: Option<String>,
    line2: Option<String>,
    city: Option<String>,
    /// Two letters.
    state: Option<String>,
    /// Five or nine digits.
    postal_code: Option<String>,
    /// N404: only outside the United States.
    country: Option<String>,
    /// N407: only outside the United States and Canada.
    subdivision: Option<String>,
}

/// PER.
pub struct Contact {
    name: Option<String>,
    /// Ten digits.
    telephone: Option<String>,
    extension: Option<String>,
    /// A second number of ten digits.
    other_telephone: Option<String>,
    fax: Option<String>,
    email: Option<String>,
}

/// 2010AC.
pub struct PayToPlan {
    /// NM103.
    name: String,
    /// NM109.
    payer_id: String,
    /// NM108: PI or XV.
    payer_id_qualifier: Option<String>,
    address: Option<Address>,
    /// REF*EI, nine digits.
    employer_id: Option<String>,
    /// REF*2U, FY, NF.
    secondary_ids: Vec<QualifiedId>,
}

/// PWK.
pub struct Attachment {
    /// PWK01.
    report_type: String,
    /// PWK02.
    transmission: String,
    /// PWK06.
    control_number: Option<String>,
    /// PWK07, in requests for authorization.
    description: Option<String>,
}

/// CN1.
pub struct Contract {
    contract_type: String,
    amount: Option<Decimal>,
    percentage: Option<Decimal>,
    code: Option<String>,
    terms_discount: Option<Decimal>,
    version: Option<String>,
}

/// HCP: what a repricer made of the charge.
pub struct Pricing {
    /// HCP01.
    methodology: String,
    /// HCP02.
    allowed: Decimal,
    /// HCP03.
    saving: Option<Decimal>,
    /// HCP04.
    organization_id: Option<String>,
    /// HCP05: per diem or flat rate.
    rate: Option<Decimal>,
    /// HCP06: ambulatory patient group or DRG.
    approved_group: Option<String>,
    /// HCP07.
    approved_amount: Option<Decimal>,
    /// HCP08.
    approved_revenue_code: Option<String>,
    /// HCP09 and HCP10, of a line.
    approved_code: Option<QualifiedId>,
    /// HCP11.
    unit: Option<String>,
    /// HCP12.
    quantity: Option<Decimal>,
    /// HCP13: T1 to T6.
    reject_reason: Option<String>,
    /// HCP14: 1 to 5.
    policy_compliance: Option<String>,
    /// HCP15: 1 to 6.
    exception: Option<String>,
}

/// NTE.
pub struct Note {
    /// NTE01: ADD, CER, DCP, DGN, TPO, and those of institutional claims.
    code: String,
    text: String,
}

/// CR1.
pub struct Ambulance {
    /// CR102, in pounds.
    patient_weight: Option<Decimal>,
    /// CR103, in requests for authorization: I initial, R return, T transfer, X round trip.
    transport_code: Option<String>,
    /// CR104.
    transport_reason: String,
    /// CR106, in miles.
    distance: Decimal,
    /// CR109.
    round_trip_purpose: Option<String>,
    /// CR110.
    stretcher_purpose: Option<String>,
}

/// CR2.
pub struct SpinalManipulation {
    /// CR208.
    patient_condition: String,
    /// CR210.
    description: Option<String>,
    /// CR211.
    second_description: Option<String>,
}

/// CRC.
pub struct ConditionIndicator {
    /// CRC01: 07, 09, 11, 70, 75, E1, E2, E3, ZZ.
    category: String,
    /// CRC02: Y or N.
    applies: String,
    /// CRC03 to CRC07.
    codes: Vec<String>,
}

/// One diagnosis of HI.
pub struct Diagnosis {
    /// Upper case, without the dot.
    code: String,
    /// `icd10` or `icd9`, which one claim never mixes; `snodent` in dental claims.
    code_set: String,
    /// Y, N, U, W (institutional).
    present_on_admission: Option<String>,
}

/// A date, or a range of dates with its last day.
pub struct DateRange {
    start: Option<Date>,
    end: Option<Date>,
}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::line::ServiceLine;
    use crate::billing::shape::{Shape, Shaped};

    #[test]
    fn shape_and_json_agree() {
        let record = BillingRecord { service_lines: vec![ServiceLine::default()], ..BillingRecord::default() };
        let json = serde_json::to_value(&record).unwrap();
        let shape = BillingRecord::shape();
        for (name, _) in json.as_object().unwrap() {
            assert!(shape.field(name).is_some(), "{name} is in the JSON but not in the shape");
        }
        let Shape::Object(_, fields) = &shape else { panic!("a record is an object") };
        for field in fields.iter().filter(|field| field.required) {
            assert!(json.get(&field.name).is_some(), "{} is required but left out", field.name);
        }
        assert!(shape.field("serviceLines").unwrap().shape.field("controlNumber").unwrap().required);
    }
}
