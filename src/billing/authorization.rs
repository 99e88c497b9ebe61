//! What only a request for authorization says (278 request, 005010X217): the event as a whole (loop 2000E) and each service
//! of it (loop 2000F).

use super::record::{DateRange, Party, QualifiedId};
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
/// Loop 2000E: what is asked for, and the patient's condition that asks for it.
pub struct Review {
    /// UM01: AR admission, HS health services, IN individual, SC specialty care.
    category: String,
    /// UM02: I initial, R renewal, S revised, 1 and 2 appeals, 3 cancel, 4 extension, N reconsideration.
    certification_type: String,
    /// UM03: service type.
    service_type: Option<String>,
    /// UM04-1: place of service, or two digits of the type of bill.
    facility_type: Option<String>,
    /// UM04-2: A type of bill, B place of service.
    facility_qualifier: Option<String>,
    /// UM05-1 to -3: AA auto accident, AP another party, EM employment.
    related_causes: Vec<String>,
    /// UM06: 03 emergency, E elective, U urgent.
    level_of_service: Option<String>,
    /// UM07.
    condition: Option<String>,
    /// UM08.
    prognosis: Option<String>,
    /// UM09: A, I, M, O, Y.
    release_of_information: Option<String>,
    /// TRN02 and TRN03 of the caller: its own number of the request, and who gave it.
    callers_trace: Option<QualifiedId>,
    /// REF*BB: the payer's number of an earlier authorization.
    previous_authorization: Option<String>,
    /// REF*NT: the payer's administrative number of an earlier request.
    previous_reference: Option<String>,
    /// DTP*AAH.
    event: Option<DateRange>,
    /// DTP*ABC.
    estimated_birth_date: Option<Date>,
    /// HI: at most twelve.
    diagnoses: Vec<ReviewDiagnosis>,
    /// HSD.
    delivery: Option<Delivery>,
    /// CL104.
    nursing_home_status: Option<String>,
    /// CR2.
    spinal_treatment: Option<SpinalTreatment>,
    /// CR5.
    oxygen: Option<Oxygen>,
    /// CR6.
    home_health: Option<HomeHealth>,
    /// MSG01.
    message: Option<String>,
    /// INS08 of the subscriber.
    military_status: Option<String>,
    /// 2010EA: providers of the whole event, with their `role` (NM101).
    providers: Vec<Party>,
    /// 2010EB: where a transport goes from and to, with its `role`: PW, ND, R3, FS, 45.
    stops: Vec<Party>,
}

/// HI of 2000E.
pub struct ReviewDiagnosis {
    /// HI01-1: ABK principal, ABF other, ABJ admitting, APR reason for visit; BK, BF, BJ, PR in ICD-9; DR, LOI.
    qualifier: String,
    /// HI01-2.
    code: String,
    /// HI01-4: when it was found.
    date: Option<Date>,
}

/// HSD: how often and how long.
pub struct Delivery {
    /// HSD01: DY days, FL units, HS hours, MN months, VS visits.
    unit: Option<String>,
    /// HSD02.
    count: Option<Decimal>,
    /// HSD03: DA, MO, WK.
    period_unit: Option<String>,
    /// HSD04: so many in each period.
    frequency: Option<Decimal>,
    /// HSD05: 6 hour, 7 day, 21 years, 26 episode, 27 visit, 29 remaining, 34 month, 35 week.
    duration_unit: Option<String>,
    /// HSD06: for so many of them.
    duration: Option<u32>,
    /// HSD07.
    calendar_pattern: Option<String>,
    /// HSD08.
    delivery_pattern: Option<String>,
}

/// CR2 of a request, which tells more than that of a claim.
pub struct SpinalTreatment {
    /// CR201.
    treatment_number: Option<u32>,
    /// CR202.
    treatment_count: Option<Decimal>,
    /// CR203 and CR204.
    subluxation_levels: Vec<String>,
    /// CR205 and CR206.
    period_unit: Option<String>,
    period_count: Option<Decimal>,
    /// CR207.
    monthly_treatments: Option<Decimal>,
    /// CR208.
    patient_condition: Option<String>,
    /// CR209: Y or N.
    complication: Option<String>,
    /// CR210 and CR211.
    description: Option<String>,
    second_description: Option<String>,
    /// CR212: Y or N.
    xray_available: Option<String>,
}

/// CR5.
pub struct Oxygen {
    /// CR503, CR504 and CR518.
    equipment_types: Vec<String>,
    /// CR505.
    reason: Option<String>,
    /// CR506, in litres a minute.
    flow_rate: Decimal,
    /// CR507.
    daily_uses: Option<Decimal>,
    /// CR508, in hours.
    hours_of_use: Option<Decimal>,
    /// CR509.
    therapist_orders: Option<String>,
    /// CR510.
    arterial_blood_gas: Option<Decimal>,
    /// CR511.
    saturation: Option<Decimal>,
    /// CR512: E, R, S.
    test_condition: Option<String>,
    /// CR513 to CR515.
    findings: Vec<String>,
    /// CR516.
    portable_flow_rate: Option<Decimal>,
    /// CR517: A to E.
    delivery_system: String,
}

/// CR6.
pub struct HomeHealth {
    /// CR601.
    prognosis: String,
    /// CR602.
    start: Date,
    /// CR604.
    certification_period: Option<DateRange>,
    /// CR607: N, U, W, Y.
    medicare_coverage: String,
    /// CR608: as UM02.
    certification_type: String,
}

/// Loop 2000F: what a service asks beside its code, charge, quantity and date.
pub struct ServiceReview {
    /// TRN02.
    trace_number: Option<String>,
    /// UM01: HS or SC.
    category: Option<String>,
    /// UM02.
    certification_type: Option<String>,
    /// UM03.
    service_type: Option<String>,
    /// UM04-1.
    facility_type: Option<String>,
    /// REF*BB.
    previous_authorization: Option<String>,
    /// REF*NT.
    previous_reference: Option<String>,
    /// SV103 and SV104, SV204 and SV205, SV306: where the caller tells a number of units.
    unit: Option<String>,
    quantity: Option<Decimal>,
    /// SV101-8, SV202-8: the last code of a range.
    last_code: Option<String>,
    /// SV206.
    rate: Option<Decimal>,
    /// SV120.
    level_of_care: Option<String>,
    /// HSD.
    delivery: Option<Delivery>,
    /// MSG01.
    message: Option<String>,
    /// 2010F: providers of this service, with their `role` (NM101).
    providers: Vec<Party>,
}
}
