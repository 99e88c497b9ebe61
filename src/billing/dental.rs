//! What only dental claims say (837D, 005010X224A2): teeth, surfaces, orthodontics.

use super::record::DateRange;
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
/// The dental part of a claim.
pub struct Dental {
    /// DTP*472 of the claim: the day of all lines, which then have none of their own.
    service_date: Option<DateRange>,
    /// DTP*452: at most five.
    appliance_placements: Vec<Date>,
    /// DN1.
    orthodontics: Option<Orthodontics>,
    /// DN2: at most 35.
    tooth_status: Vec<ToothStatus>,
    /// REF*G3: the payer's number of the predetermination.
    predetermination_number: Option<String>,
}

/// DN1.
pub struct Orthodontics {
    /// DN101.
    months: Option<Decimal>,
    /// DN102.
    months_remaining: Option<Decimal>,
    /// DN104: Y, the services are orthodontic.
    indicator: Option<String>,
}

/// DN2.
pub struct ToothStatus {
    /// Universal tooth designation: 1 to 32, A to T, AS to TS, 51 to 82.
    tooth: String,
    /// E to be extracted, M missing.
    status: String,
}

/// The dental part of a line.
pub struct DentalLine {
    /// SV304: areas of the oral cavity, at most five.
    oral_cavities: Vec<String>,
    /// SV305: I initial, R replacement.
    prosthesis: Option<String>,
    /// TOO: at most 32.
    teeth: Vec<Tooth>,
    /// DTP*441.
    prior_placement: Option<Date>,
    /// DTP*139: the same, estimated.
    estimated_prior_placement: Option<Date>,
    /// DTP*452.
    appliance_placement: Option<Date>,
    /// DTP*446.
    replacement: Option<Date>,
    /// DTP*196.
    treatment_start: Option<Date>,
    /// DTP*198.
    treatment_completion: Option<Date>,
}

/// TOO.
pub struct Tooth {
    /// TOO02: universal tooth designation.
    number: String,
    /// TOO03: B buccal, D distal, F facial, I incisal, L lingual, M mesial, O occlusal; at most five.
    surfaces: Vec<String>,
}
}
