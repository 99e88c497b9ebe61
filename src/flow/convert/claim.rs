//! The claim as far as an answer tells it, in the shape of a FHIR Claim: what mappings read where no claim is stored.

use crate::billing::record::Party;
use crate::billing::response::{PayerResponse, ResponseParty};
use crate::billing::shape::shaped;

shaped! {
/// A Claim with nothing but what its answer says of it.
pub struct ToldClaim {
    resource_type: Option<String>,
    status: Option<String>,
    r#type: Option<Concept>,
    r#use: Option<String>,
    patient: Option<Named>,
    identifier: Vec<Identifier>,
    provider: Option<Named>,
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

/// A Reference to a person or an organization.
pub struct Named {
    identifier: Option<Identifier>,
    display: Option<String>,
}

/// An Identifier.
pub struct Identifier {
    system: Option<String>,
    value: String,
}
}

const KINDS: &str = "http://terminology.hl7.org/CodeSystem/claim-type";
const NPI: &str = "http://hl7.org/fhir/sid/us-npi";
/// NM101 of the patient, the nearest first.
const PATIENTS: [&str; 3] = ["QC", "03", "IL"];
/// NM101 of the billing or service provider.
const PROVIDERS: [&str; 2] = ["85", "1P"];

impl ToldClaim {
    /// The claim that an answer is about.
    pub fn of(response: &PayerResponse) -> ToldClaim {
        let coding = Coding { system: KINDS.to_owned(), code: kind_of(response).to_owned() };
        let number = response.keys.patient_control_number.iter();
        let provider = response.parties.iter().find(|party| PROVIDERS.contains(&party.entity.as_str()));
        ToldClaim {
            resource_type: Some("Claim".to_owned()),
            status: Some("active".to_owned()),
            r#type: Some(Concept { coding: vec![coding] }),
            r#use: Some("claim".to_owned()),
            identifier: number.map(|number| Identifier { system: None, value: number.clone() }).collect(),
            provider: provider.map(provider_of),
            ..ToldClaim::with_patient(response)
        }
    }

    /// Nothing but its patient.
    pub fn with_patient(response: &PayerResponse) -> ToldClaim {
        ToldClaim { patient: Some(patient_of(response)), ..ToldClaim::default() }
    }
}

/// The patient as far as an answer tells: whom it names (NM1*QC, else the insured), or what it gives to find the claim by.
fn patient_of(response: &PayerResponse) -> Named {
    let keys = &response.keys;
    let parties = || response.adjudication.iter().flat_map(|claim| &claim.parties).chain(&response.parties);
    let named = PATIENTS.iter().find_map(|entity| parties().find(|party| party.entity == *entity));
    let name = match named {
        Some(named) => name_of(&named.party),
        None => spelt([&keys.patient_first_name, &keys.patient_last_name]),
    };
    let number = named.and_then(|named| named.id.as_ref()).or(keys.member_id.as_ref());
    let identifier = number.map(|value| Identifier { system: None, value: value.clone() });
    let unknown = || identifier.is_none().then(|| UNKNOWN.to_owned());
    Named { display: name.or_else(unknown), identifier }
}

/// The provider as a 277CA or 277 names it.
fn provider_of(named: &ResponseParty) -> Named {
    let system = named.id_qualifier.as_deref().filter(|qualifier| *qualifier == "XX").map(|_| NPI.to_owned());
    let identifier = named.id.as_ref().map(|value| Identifier { system, value: value.clone() });
    Named { display: Some(name_of(&named.party).unwrap_or_else(|| UNKNOWN.to_owned())), identifier }
}

const UNKNOWN: &str = "not named in the answer";

fn name_of(party: &Party) -> Option<String> {
    spelt([&party.first_name, &party.middle_name, &party.last_name, &party.suffix])
}

fn spelt<const N: usize>(parts: [&Option<String>; N]) -> Option<String> {
    let mut name = String::new();
    for part in parts.into_iter().flatten() {
        name.push_str(if name.is_empty() { "" } else { " " });
        name.push_str(part);
    }
    (!name.is_empty()).then_some(name)
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
