//! The claim as far as an answer tells it, in the shape of a FHIR Claim: what mappings read where no claim is stored.

use crate::billing::response::PayerResponse;
use crate::billing::shape::shaped;

shaped! {
/// A Claim with nothing but what its answer says of it.
pub struct ToldClaim {
    resource_type: Option<String>,
    status: Option<String>,
    r#type: Option<Concept>,
    r#use: Option<String>,
    patient: Option<Patient>,
    identifier: Vec<Identifier>,
}

/// A CodeableConcept.
pub struct Concept {
    coding: Vec<Coding>,
}

/// A Coding.
pub struct Coding {
    system: String,
    code: String,
}

/// A Reference to a person.
pub struct Patient {
    identifier: Option<Identifier>,
    display: Option<String>,
}

/// An Identifier.
pub struct Identifier {
    value: String,
}
}

const KINDS: &str = "http://terminology.hl7.org/CodeSystem/claim-type";

impl ToldClaim {
    /// The claim that an answer is about.
    pub fn of(response: &PayerResponse) -> ToldClaim {
        let coding = Coding { system: KINDS.to_owned(), code: kind_of(response).to_owned() };
        let number = response.keys.patient_control_number.iter();
        ToldClaim {
            resource_type: Some("Claim".to_owned()),
            status: Some("active".to_owned()),
            r#type: Some(Concept { coding: vec![coding] }),
            r#use: Some("claim".to_owned()),
            identifier: number.map(|number| Identifier { value: number.clone() }).collect(),
            ..ToldClaim::with_patient(response)
        }
    }

    /// Nothing but its patient.
    pub fn with_patient(response: &PayerResponse) -> ToldClaim {
        ToldClaim { patient: Some(patient_of(response)), ..ToldClaim::default() }
    }
}

/// The patient as far as an answer tells.
fn patient_of(response: &PayerResponse) -> Patient {
    let keys = &response.keys;
    let display = match (&keys.patient_first_name, &keys.patient_last_name) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (first, last) => first.clone().or_else(|| last.clone()),
    };
    let identifier = keys.member_id.clone().map(|value| Identifier { value });
    let unknown = || identifier.is_none().then(|| "not named in the answer".to_owned());
    Patient { display: display.or_else(unknown), identifier }
}

/// Dental by its codes, institutional by what only hospitals have, else professional.
fn kind_of(response: &PayerResponse) -> &'static str {
    let adjudication = response.adjudication.as_ref();
    let mut lines = response.lines.iter().chain(adjudication.iter().flat_map(|adjudication| &adjudication.lines));
    if lines.clone().any(|line| line.code.qualifier == "AD") {
        return "oral";
    }
    let revenue = lines.any(|line| line.revenue_code.is_some() || line.code.qualifier == "NU");
    let stay = adjudication.is_some_and(|claim| {
        claim.drg.is_some() || claim.details.first().is_some_and(|detail| detail.name.starts_with("mia"))
    });
    let bill = response.references.iter().any(|reference| reference.qualifier == "BLT");
    if revenue || stay || bill { "institutional" } else { "professional" }
}
