//! The payers of a claim (SBR, loops 2010BB, 2320 to 2330I) and what others have decided on it, as a whole and line by line.

use super::line::ProcedureCode;
use super::record::{Address, Party, QualifiedId};
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
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
    /// MOA03 to MOA07; MIA05 and MIA20 to MIA23 where there is an inpatient adjudication.
    remark_codes: Vec<String>,
    /// MOA08.
    end_stage_renal_disease_payment: Option<Decimal>,
    /// MOA09.
    non_payable_professional_component: Option<Decimal>,
    /// MIA.
    inpatient: Option<InpatientAdjudication>,
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
    /// REF*T4 of 2330B: Y, the payer has adjusted an earlier decision.
    claim_adjustment_indicator: Option<String>,
    /// REF*G3 of 2330B, in dental claims.
    predetermination_number: Option<String>,
    /// 2330C to 2330I: ids by which this payer knows providers of the claim; `role` is NM101.
    providers: Vec<Party>,
}

/// MIA: what another payer says of an inpatient stay.
pub struct InpatientAdjudication {
    /// MIA01.
    covered_days: Decimal,
    /// MIA03.
    lifetime_psychiatric_days: Option<Decimal>,
    /// MIA04.
    drg_amount: Option<Decimal>,
    /// MIA06.
    disproportionate_share: Option<Decimal>,
    /// MIA07.
    msp_pass_through: Option<Decimal>,
    /// MIA08.
    pps_capital: Option<Decimal>,
    /// MIA09.
    capital_federal_drg: Option<Decimal>,
    /// MIA10.
    capital_hospital_drg: Option<Decimal>,
    /// MIA11.
    capital_disproportionate_share_drg: Option<Decimal>,
    /// MIA12.
    old_capital: Option<Decimal>,
    /// MIA13.
    capital_indirect_teaching: Option<Decimal>,
    /// MIA14.
    operating_hospital_drg: Option<Decimal>,
    /// MIA15.
    cost_report_days: Option<Decimal>,
    /// MIA16.
    operating_federal_drg: Option<Decimal>,
    /// MIA17.
    capital_outlier: Option<Decimal>,
    /// MIA18.
    indirect_teaching: Option<Decimal>,
    /// MIA19.
    non_payable_professional_component: Option<Decimal>,
    /// MIA24.
    capital_exception: Option<Decimal>,
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

/// 2430: what another payer decided on this line.
pub struct LineAdjudication {
    /// SVD01: the payer id of that 2330B.
    payer_id: String,
    /// SVD02.
    paid: Decimal,
    /// SVD03.
    code: Option<ProcedureCode>,
    /// SVD04, in institutional claims.
    revenue_code: Option<String>,
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
