//! What a 271 (005010X279A1) says of benefits and a 278 (005010X217) of services, and what payers ask for.

use super::line::ProcedureCode;
use super::response::{OtherSegment, QualifiedDate, Reference, ResponseParty, Trace};
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
/// 271: what a subscriber or dependent is entitled to.
pub struct Eligibility {
    /// BHT03 of the answer.
    number: Option<String>,
    /// 2100C, 2100D: who it is about; N3, N4 and DMG with it.
    subscriber: Option<ResponseParty>,
    dependent: Option<ResponseParty>,
    /// Whether there is coverage: true by EB01 1 to 5, false by 6 to 8.
    active: Option<bool>,
    /// DTP 291, 307, 346 to 349, 356, 357.
    benefit_start: Option<Date>,
    benefit_end: Option<Date>,
    benefits: Vec<Benefit>,
}

/// 271 loop 2110.
pub struct Benefit {
    /// EB01.
    code: String,
    /// EB02.
    coverage_level: Option<String>,
    /// EB03, each of its repetitions.
    service_types: Vec<String>,
    /// EB04.
    insurance_type: Option<String>,
    /// EB05.
    plan: Option<String>,
    /// EB06.
    period: Option<String>,
    /// EB07.
    amount: Option<Decimal>,
    /// EB08, as a fraction.
    percent: Option<Decimal>,
    /// EB09.
    quantity_qualifier: Option<String>,
    /// EB10.
    quantity: Option<Decimal>,
    /// EB11: Y, N, U.
    authorization: Option<String>,
    /// EB12: Y, N, W, U.
    network: Option<String>,
    /// EB13.
    procedure: Option<ProcedureCode>,
    /// EB14: places of the diagnoses.
    diagnoses: Vec<String>,
    references: Vec<Reference>,
    dates: Vec<QualifiedDate>,
    messages: Vec<String>,
    /// Loops 2120: NM1 or N1 of others who are concerned.
    parties: Vec<ResponseParty>,
    /// HSD, III, addresses and contacts of others, and whatever else stood there.
    others: Vec<OtherSegment>,
}

/// 278: what was decided about a request for services.
pub struct Review {
    /// BHT02, BHT03 and BHT06 of the answer.
    purpose: Option<String>,
    number: Option<String>,
    status: Option<String>,
    /// 2010C, 2010D.
    subscriber: Option<ResponseParty>,
    dependent: Option<ResponseParty>,
    /// 2000E.
    event: Option<ReviewedService>,
    /// 2000F.
    services: Vec<ReviewedService>,
}

/// 278 loop 2000E or 2000F.
pub struct ReviewedService {
    /// Our item, found by its trace number or its place; filled in by correlation.
    item_sequence: Option<u32>,
    /// HCR01.
    action: Option<String>,
    /// HCR02: the authorization number.
    number: Option<String>,
    /// HCR03, each of its repetitions.
    reasons: Vec<String>,
    /// HCR04: Y, N.
    second_opinion: Option<String>,
    /// UM01, UM02, UM03.
    category: Option<String>,
    certification: Option<String>,
    service_type: Option<String>,
    /// UM04, as it stands: `11:B`.
    facility: Option<String>,
    /// UM06.
    level: Option<String>,
    /// SV1, SV2 or SV3: procedure, its end when it is a range, revenue code, charge, unit and quantity.
    code: Option<ProcedureCode>,
    code_end: Option<String>,
    revenue_code: Option<String>,
    charge: Option<Decimal>,
    unit: Option<String>,
    quantity: Option<Decimal>,
    /// HSD01 and HSD02: the certified quantity.
    certified_unit: Option<String>,
    certified_quantity: Option<Decimal>,
    traces: Vec<Trace>,
    references: Vec<Reference>,
    dates: Vec<QualifiedDate>,
    messages: Vec<String>,
    parties: Vec<ResponseParty>,
    /// HI, HSD03 and on, CL1, CR and whatever else stood there.
    others: Vec<OtherSegment>,
}

/// Something that a payer asks for.
pub struct InformationRequest {
    /// `PWK` report type, `LOI` LOINC code, `STC` claim status, `HE` RARC, `CARC`.
    list: String,
    code: String,
    /// Category of a claim status; CARC that a RARC explains.
    category: Option<String>,
    entity: Option<String>,
    /// PWK02.
    transmission: Option<String>,
    /// PWK06.
    control_number: Option<String>,
    /// PWK07.
    text: Option<String>,
    /// The line that it is about: its place among those of the answer, our item once correlation has found it.
    line: Option<u32>,
    /// Its number: REF*FJ, REF*6R or the service's trace number.
    line_control_number: Option<String>,
    /// Words of ours for it.
    meaning: Option<String>,
    /// Until when: DTP*106.
    due: Option<Date>,
}
}
