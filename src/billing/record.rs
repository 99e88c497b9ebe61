//! The billing record: our one internal record of a claim, between FHIR and what a payer wants to read.
//!
//! It stands in the field's own words and holds values ready to be written: codes without dots, ids without hyphens are
//! the mapping's work. The element that a field feeds in an 837P (005010X222A1) is named in its doc comment.

use super::date::Moment;
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
/// One claim, complete.
pub struct BillingRecord {
    /// What is asked: `claim`, `preauthorization`, `predetermination`, `statusInquiry`, `eligibility`.
    intent: String,
    /// `professional`, `institutional`, `oral`.
    claim_type: String,
    /// CLM01: the caller's number of the claim, returned by the payer in every answer.
    patient_control_number: String,
    /// CLM02: the sum of the line charges.
    total_charge: Decimal,
    /// CLM05-1: CMS place of service, two digits; for institutional claims the first two digits of the type of bill.
    place_of_service: Option<String>,
    /// CLM05-3: 1 original, 7 replacement, 8 void.
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
    /// CLM11-5.
    accident_country: Option<String>,
    /// CLM12: 02, 03, 05, 09.
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
    /// DTP*096.
    discharge: Option<Moment>,
    /// DTP*090.
    assumed_care: Option<Date>,
    /// DTP*091.
    relinquished_care: Option<Date>,
    /// DTP*444.
    first_contact: Option<Date>,
    /// DTP*050.
    repricer_received: Option<Date>,
    /// The period that the claim covers; the default of line dates.
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
    /// REF*LX.
    investigational_device: Option<String>,
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
    /// NTE of the claim.
    note: Option<Note>,
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

    /// 2010AA.
    billing_provider: Party,
    /// 2010AB: only when it differs from the billing provider's address.
    pay_to_address: Option<Address>,
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
    /// SBR and 2010BB of the destination payer.
    coverage: Coverage,

    /// 2310A: the referring provider, then the primary care provider.
    referring_providers: Vec<Party>,
    /// 2310B: only when it differs from the billing provider.
    rendering_provider: Option<Party>,
    /// 2310C: only when it differs from the billing provider's address.
    service_facility: Option<Party>,
    /// 2310D.
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
    /// NM101 where one loop takes several kinds: DN or P3 in 2310A.
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

/// SBR and the payer of the destination (2000B, 2010BB).
pub struct Coverage {
    /// SBR01: P, S, T, A to H, U.
    payer_sequence: String,
    /// SBR03.
    group_number: Option<String>,
    /// SBR04.
    group_name: Option<String>,
    /// SBR05: Medicare secondary payer type.
    insurance_type: Option<String>,
    /// SBR09.
    claim_filing_indicator: Option<String>,
    /// NM103 of 2010BB.
    payer_name: String,
    /// NM109 of 2010BB.
    payer_id: String,
    /// NM108: PI or XV.
    payer_id_qualifier: Option<String>,
    payer_address: Option<Address>,
    /// REF of 2010BB: 2U, EI, FY, NF.
    payer_secondary_ids: Vec<QualifiedId>,
}

/// PWK.
pub struct Attachment {
    /// PWK01.
    report_type: String,
    /// PWK02.
    transmission: String,
    /// PWK06.
    control_number: Option<String>,
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

/// NTE.
pub struct Note {
    /// NTE01: ADD, CER, DCP, DGN, TPO.
    code: String,
    text: String,
}

/// CR1.
pub struct Ambulance {
    /// CR102, in pounds.
    patient_weight: Option<Decimal>,
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
    /// `icd10` or `icd9`; one claim never mixes them.
    code_set: String,
    /// Y, N, U, W (institutional).
    present_on_admission: Option<String>,
}

/// A date, or a range of dates with its last day.
pub struct DateRange {
    start: Option<Date>,
    end: Option<Date>,
}

/// 2320: another payer of this claim, with what it has decided already.
pub struct OtherPayer {
    /// SBR of 2320 and 2330B.
    coverage: Coverage,
    /// SBR02: 18 when the patient is the subscriber.
    relationship: String,
    /// CAS of the claim.
    adjustments: Vec<Adjustment>,
    /// AMT*D.
    paid: Option<Decimal>,
    /// AMT*A8.
    non_covered: Option<Decimal>,
    /// AMT*EAF.
    patient_liability: Option<Decimal>,
    /// OI03.
    benefits_assigned: Option<String>,
    /// OI04.
    patient_signature_source: Option<String>,
    /// OI06.
    release_of_information: Option<String>,
    /// MOA01.
    reimbursement_rate: Option<Decimal>,
    /// MOA02.
    hcpcs_payable: Option<Decimal>,
    /// MOA03 to MOA07.
    remark_codes: Vec<String>,
    /// 2330A.
    subscriber: Party,
    /// DTP*573 of 2330B: adjudicated at claim level only.
    check_date: Option<Date>,
    /// REF*F8 of 2330B.
    payer_claim_control_number: Option<String>,
    /// REF*G1 of 2330B.
    prior_authorization: Option<String>,
    /// REF*9F of 2330B.
    referral_number: Option<String>,
}

/// One reason why a payer paid another amount than was charged (a triple of CAS).
pub struct Adjustment {
    /// CAS01: CO, PR, OA, PI, CR.
    group: String,
    /// CARC.
    reason: String,
    /// Positive reduces the payment.
    amount: Decimal,
    quantity: Option<Decimal>,
}

/// What was done: SV101.
pub struct ProcedureCode {
    /// SV101-1: HC, ER, IV, WK.
    qualifier: String,
    /// SV101-2.
    value: String,
    /// SV101-3 to -6: at most four.
    modifiers: Vec<String>,
    /// SV101-7.
    description: Option<String>,
}

/// 2400.
pub struct ServiceLine {
    /// Position of the line in the caller's claim, as the caller numbers it (`Claim.item.sequence`).
    sequence: u32,
    code: ProcedureCode,
    /// SV102.
    charge: Decimal,
    /// SV103: UN or MJ.
    unit: String,
    /// SV104.
    quantity: Decimal,
    /// SV105: only when it differs from the claim's.
    place_of_service: Option<String>,
    /// SV107: positions in the claim's diagnoses, from 1; at most four.
    diagnosis_pointers: Vec<u32>,
    /// SV109: Y.
    emergency: Option<String>,
    /// SV111: Y.
    epsdt: Option<String>,
    /// SV112: Y.
    family_planning: Option<String>,
    /// SV115: 0.
    copay_status: Option<String>,
    /// SV5.
    equipment: Option<Equipment>,
    attachments: Vec<Attachment>,
    ambulance: Option<Ambulance>,
    condition_indicators: Vec<ConditionIndicator>,
    /// DTP*472.
    service_date: DateRange,
    /// DTP*471.
    prescription_date: Option<Date>,
    /// DTP*607.
    recertification_date: Option<Date>,
    /// DTP*463.
    begin_therapy: Option<Date>,
    /// DTP*461.
    last_certification: Option<Date>,
    /// DTP*304.
    last_seen: Option<Date>,
    /// DTP*738.
    hemoglobin_test: Option<Date>,
    /// DTP*739.
    creatinine_test: Option<Date>,
    /// DTP*011.
    shipped: Option<Date>,
    /// DTP*455.
    last_xray: Option<Date>,
    /// DTP*454.
    initial_treatment: Option<Date>,
    /// QTY*PT.
    ambulance_patients: Option<Decimal>,
    /// QTY*FL.
    obstetric_units: Option<Decimal>,
    /// MEA.
    test_results: Vec<TestResult>,
    contract: Option<Contract>,
    /// REF*6R: our number of the line.
    control_number: String,
    /// REF*G1.
    prior_authorizations: Vec<String>,
    /// REF*9F.
    referral_numbers: Vec<String>,
    /// REF*EW.
    mammography_certification: Option<String>,
    /// REF*X4.
    clia_number: Option<String>,
    /// REF*F4.
    referring_clia_number: Option<String>,
    /// REF*BT.
    immunization_batch: Option<String>,
    /// AMT*T.
    sales_tax: Option<Decimal>,
    /// AMT*F4.
    postage: Option<Decimal>,
    /// K3.
    file_information: Vec<String>,
    /// NTE.
    note: Option<Note>,
    /// NTE*TPO.
    third_party_note: Option<String>,
    /// PS1.
    purchased_service: Option<PurchasedService>,
    /// 2410.
    drug: Option<Drug>,
    /// 2420A.
    rendering_provider: Option<Party>,
    /// 2420B.
    purchased_service_provider: Option<Party>,
    /// 2420C.
    service_facility: Option<Party>,
    /// 2420D.
    supervising_provider: Option<Party>,
    /// 2420E.
    ordering_provider: Option<Party>,
    /// 2420F.
    referring_providers: Vec<Party>,
    /// 2420G.
    pick_up: Option<Address>,
    /// 2420H.
    drop_off: Option<Party>,
    /// 2430.
    adjudications: Vec<LineAdjudication>,
}

/// SV5.
pub struct Equipment {
    /// SV501-2.
    code: String,
    /// SV503: days of medical necessity.
    days: Decimal,
    /// SV504.
    rental_price: Option<Decimal>,
    /// SV505.
    purchase_price: Option<Decimal>,
    /// SV506: 1 weekly, 4 monthly, 6 daily.
    rental_frequency: Option<String>,
}

/// MEA.
pub struct TestResult {
    /// MEA01: OG or TR.
    identification: String,
    /// MEA02: HT, R1 to R4.
    qualifier: String,
    /// MEA03.
    value: Decimal,
}

/// PS1.
pub struct PurchasedService {
    provider_id: String,
    charge: Decimal,
}

/// 2410.
pub struct Drug {
    /// LIN03: eleven digits, 5-4-2.
    national_drug_code: String,
    /// CTP04.
    quantity: Decimal,
    /// CTP05: F2, GR, ME, ML, UN.
    unit: String,
    /// REF*XZ or REF*VY.
    prescription: Option<QualifiedId>,
}

/// 2430: what another payer decided on this line.
pub struct LineAdjudication {
    /// SVD01: the payer id of that 2330B.
    payer_id: String,
    /// SVD02.
    paid: Decimal,
    /// SVD03.
    code: ProcedureCode,
    /// SVD05.
    quantity: Decimal,
    /// SVD06.
    bundled_line: Option<u32>,
    adjustments: Vec<Adjustment>,
    /// DTP*573.
    date: Option<Date>,
    /// AMT*EAF.
    patient_liability: Option<Decimal>,
}
}

#[cfg(test)]
mod tests {
    use super::*;
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
