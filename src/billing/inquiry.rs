//! What only inquiries say: whether someone is covered and for what (270, 005010X279A1), and what has become of a claim (276,
//! 005010X212).

use super::line::ProcedureCode;
use super::record::{DateRange, QualifiedId};
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
/// An eligibility inquiry about one patient.
pub struct Eligibility {
    /// NM101 of 2100B: 1P provider, FA facility, 80 hospital.
    receiver_role: String,
    /// DTP*291 of 2100C and 2100D: absent means today.
    period: Option<DateRange>,
    /// DTP*102.
    card_issued: Option<Date>,
    /// REF of 2100C and 2100D: 6P group, EA record number, Y4 claim number and the like.
    references: Vec<QualifiedId>,
    /// INS17.
    birth_sequence: Option<u32>,
    /// PRV01 of 2100C and 2100D: the role of a provider, with its `provider_id`.
    provider_role: Option<String>,
    /// PRV02 and PRV03.
    provider_id: Option<QualifiedId>,
    /// 2110C and 2110D: at most 99.
    benefits: Vec<BenefitInquiry>,
}

/// 2110C or 2110D: one benefit that is asked about.
pub struct BenefitInquiry {
    /// EQ01.
    service_types: Vec<String>,
    /// EQ02.
    code: Option<ProcedureCode>,
    /// EQ03: FAM, the whole family.
    coverage_level: Option<String>,
    /// EQ05: places among the diagnoses, from 1.
    diagnosis_pointers: Vec<u32>,
    /// AMT*R.
    spend_down: Option<Decimal>,
    /// AMT*PB.
    spend_down_billed: Option<Decimal>,
    /// III02 with ZZ: place of service.
    place_of_service: Option<String>,
    /// REF*9F referral or REF*G1 prior authorization.
    authorization: Option<QualifiedId>,
    /// DTP*291 of 2110C and 2110D.
    period: Option<DateRange>,
}

/// An inquiry about a claim, whose own numbers, charge and dates stand in the record.
pub struct StatusInquiry {
    /// REF*D9: our trace number of the claim that is asked about.
    claim_trace_number: Option<String>,
    /// REF*BLT: type of bill, in institutional claims.
    bill_type: Option<String>,
    /// REF*XZ: number of a prescription.
    prescription_number: Option<String>,
    /// REF*LU.
    location_number: Option<String>,
    /// DTP*472 of the claim.
    period: Option<DateRange>,
}
}
