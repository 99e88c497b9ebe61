//! The service lines of a claim (loop 2400 and what hangs under it).

use super::authorization::ServiceReview;
use super::dental::DentalLine;
use super::payer::LineAdjudication;
use super::record::{
    Address, Ambulance, Attachment, ConditionIndicator, Contract, DateRange, Note, Party, Pricing, QualifiedId,
};
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
/// 2400.
pub struct ServiceLine {
    /// Position of the line in the caller's claim, as the caller numbers it (`Claim.item.sequence`).
    sequence: u32,
    /// SV101, SV202, SV301. Institutional lines may do with their revenue code.
    code: Option<ProcedureCode>,
    /// SV201: four digits.
    revenue_code: Option<String>,
    /// SV102, SV203, SV302.
    charge: Decimal,
    /// SV103: UN or MJ; SV204: UN or DA.
    unit: String,
    /// SV104, SV205, SV306.
    quantity: Decimal,
    /// SV207.
    non_covered_charge: Option<Decimal>,
    /// SV105, SV303: only when it differs from the claim's.
    place_of_service: Option<String>,
    /// SV107, SV311: positions in the claim's diagnoses, from 1; at most four.
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
    /// CR3.
    certification: Option<EquipmentCertification>,
    /// What only dental lines say.
    dental: Option<DentalLine>,
    /// What only a request for authorization says.
    review: Option<ServiceReview>,
    /// PWK of the line.
    attachments: Vec<Attachment>,
    /// CR1 of the line.
    ambulance: Option<Ambulance>,
    condition_indicators: Vec<ConditionIndicator>,
    /// DTP*472.
    service_date: Option<DateRange>,
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
    /// REF*9B.
    repriced_line_number: Option<String>,
    /// REF*9D.
    adjusted_repriced_line_number: Option<String>,
    /// REF*G3, in dental claims.
    predeterminations: Vec<LineReference>,
    /// REF*G1.
    prior_authorizations: Vec<LineReference>,
    /// REF*9F.
    referral_numbers: Vec<LineReference>,
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
    /// AMT*GT.
    service_tax: Option<Decimal>,
    /// AMT*N8.
    facility_tax: Option<Decimal>,
    /// K3.
    file_information: Vec<String>,
    /// NTE.
    note: Option<Note>,
    /// NTE*TPO.
    third_party_note: Option<String>,
    /// PS1.
    purchased_service: Option<PurchasedService>,
    /// HCP of the line.
    pricing: Option<Pricing>,
    /// 2410.
    drug: Option<Drug>,
    /// 2420A of institutional claims.
    operating_physician: Option<Party>,
    /// 2420B of institutional claims.
    other_operating_physician: Option<Party>,
    /// 2420B of dental claims.
    assistant_surgeon: Option<Party>,
    /// 2420A (institutional 2420C).
    rendering_provider: Option<Party>,
    /// 2420B.
    purchased_service_provider: Option<Party>,
    /// 2420C (dental 2420D).
    service_facility: Option<Party>,
    /// 2420D (dental 2420C).
    supervising_provider: Option<Party>,
    /// 2420E.
    ordering_provider: Option<Party>,
    /// 2420F (institutional 2420D).
    referring_providers: Vec<Party>,
    /// 2420G.
    pick_up: Option<Address>,
    /// 2420H.
    drop_off: Option<Party>,
    /// 2430.
    adjudications: Vec<LineAdjudication>,
    /// 2440.
    forms: Vec<Form>,
}

/// A number of an authorization, referral or predetermination of the line (REF02).
pub struct LineReference {
    value: String,
    /// REF04-2 with 2U: another payer of the claim, which gave the number.
    payer_id: Option<String>,
}

/// What was done: SV101.
pub struct ProcedureCode {
    /// SV101-1: HC, ER, IV, WK; HP in SV202-1; AD in SV301-1.
    qualifier: String,
    /// SV101-2.
    value: String,
    /// SV101-3 to -6: at most four.
    modifiers: Vec<String>,
    /// SV101-7.
    description: Option<String>,
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

/// CR3.
pub struct EquipmentCertification {
    /// CR301: I initial, R renewal, S revised.
    certification_type: String,
    /// CR303, in months.
    months: Decimal,
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

/// 2440: a form in answers to its questions.
pub struct Form {
    /// LQ01: AS or UT.
    qualifier: String,
    /// LQ02.
    code: String,
    /// FRM.
    answers: Vec<FormAnswer>,
}

/// FRM.
pub struct FormAnswer {
    /// FRM01.
    question: String,
    /// FRM02: Y, N, W.
    response: Option<String>,
    /// FRM03.
    text: Option<String>,
    /// FRM04.
    date: Option<Date>,
    /// FRM05.
    percentage: Option<Decimal>,
}
}

impl ServiceLine {
    /// The procedure code; `""` where a revenue code stands alone.
    pub fn procedure(&self) -> &str {
        self.code.as_ref().map_or("", |code| code.value.as_str())
    }

    pub fn modifiers(&self) -> &[String] {
        self.code.as_ref().map_or(&[], |code| &code.modifiers)
    }

    pub fn first_day(&self) -> Option<Date> {
        self.service_date.as_ref()?.start
    }

    pub fn last_day(&self) -> Option<Date> {
        let range = self.service_date.as_ref()?;
        range.end.or(range.start)
    }
}
