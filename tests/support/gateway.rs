//! The way of a claim from FHIR to X12, without store and queue: what the gateway does before it promises anything.

use claimgate::assets::Folder;
use claimgate::billing::record::BillingRecord;
use claimgate::billing::split::{LINES_OF_A_CLAIM, split};
use claimgate::edits;
use claimgate::fault::{Fault, Issue, Place, codes};
use claimgate::fhir::bundle::Resources;
use claimgate::fhir::definitions::Definitions;
use claimgate::mapping::{Mappings, Scope};
use claimgate::payers::{PayerProfile, Payers, Surroundings};
use claimgate::x12::assemble::{BatchHeader, Envelope, assemble};
use claimgate::x12::build::{arrange, check};
use claimgate::x12::guide::Guides;
use claimgate::x12::writer::write_loop;
use jiff::Timestamp;
use std::path::Path;

/// Everything that people edit.
pub struct Content {
    pub guides: Guides,
    pub definitions: Definitions,
    pub mappings: Mappings,
    pub payers: Payers,
}

/// What became of a claim: an interchange, and everything that was said of it. With errors among the issues it would be
/// refused; the interchange is made all the same where it can be, so that it can be looked at.
pub struct Prepared {
    pub interchange: Vec<u8>,
    pub issues: Vec<Issue>,
}

impl Prepared {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.interchange).into_owned()
    }
}

impl Content {
    /// What the binary ships.
    pub fn shipped() -> Content {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (mappings, conformance) = (Folder::Disk(root.join("mappings")), Folder::Disk(root.join("conformance")));
        let guides = Guides::load(&conformance).unwrap_or_else(|fault| panic!("{fault}"));
        let definitions = Definitions::load(&conformance).unwrap_or_else(|fault| panic!("{fault}"));
        let surroundings = Surroundings { data_dir: "data".into(), production: false };
        let payers = Payers::load(&mappings, &surroundings).unwrap_or_else(|fault| panic!("{fault}"));
        let mappings = Mappings::load(&mappings, &guides, &definitions).unwrap_or_else(|fault| panic!("{fault}"));
        Content { guides, definitions, mappings, payers }
    }

    /// Maps one claim for a payer.
    pub fn prepare(&self, payer: &str, body: &[u8]) -> Prepared {
        let profile = self.payers.get(payer).expect("the payer");
        let resources = claimgate::fhir::parse::json(body, 64).and_then(|value| Resources::collect(value, 1_000));
        match resources {
            Ok(resources) => self.map(profile, &resources),
            Err(Fault { issues, .. }) => Prepared { interchange: Vec::new(), issues },
        }
    }

    fn map(&self, profile: &PayerProfile, resources: &Resources) -> Prepared {
        let mut issues = resources.validate(&self.definitions);
        let facts = profile.facts();
        let now = "2026-11-24T12:00:00Z".parse::<Timestamp>().expect("a time");
        let scope = Scope { payer: &facts, now, vars: &[], resources: Some(resources) };
        let mapping = self.mappings.record(&profile.id, "record/claim").expect("record/claim");
        let (record, found) = mapping.make(resources.focal(), &scope);
        issues.extend(found);
        let interchange = match serde_json::from_value::<BillingRecord>(record) {
            Ok(typed) => self.write(profile, typed, &scope, &mut issues),
            Err(error) => {
                issues.push(Issue::error(codes::MAPPING_VALUE, Place::Whole, error.to_string()));
                Vec::new()
            }
        };
        Prepared { interchange, issues }
    }

    fn write(
        &self,
        profile: &PayerProfile,
        record: BillingRecord,
        scope: &Scope<'_>,
        issues: &mut Vec<Issue>,
    ) -> Vec<u8> {
        issues.extend(edits::check(&record, |code| profile.wants_edit(code), jiff::civil::date(2026, 11, 24)));
        let Some(route) = profile.route(&record.intent, &record.claim_type) else {
            let at = Place::Record("claimType".into());
            issues.push(Issue::error(codes::ROUTE_MISSING, at, "the payer has no route for this claim"));
            return Vec::new();
        };
        let mapping = self.mappings.transaction(&profile.id, &route.mapping).expect("the mapping");
        let mut bodies = Vec::new();
        for part in split(record, LINES_OF_A_CLAIM) {
            let part = serde_json::to_value(part).expect("a record is JSON");
            let (mut node, found) = mapping.make_with(&part, scope, &profile.delimiters);
            issues.extend(found);
            arrange(&mapping.guide, &mut node);
            issues.extend(check(&mapping.guide, &node));
            let mut text = Vec::new();
            write_loop(&mapping.guide, &node, &profile.delimiters, &mut text);
            bodies.push(String::from_utf8(text).expect("X12 is text"));
        }
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        match assemble(&mapping.guide, &envelope(profile), &header(profile), &bodies) {
            Ok(assembled) => assembled.bytes,
            Err(fault) => {
                issues.extend(fault.issues);
                Vec::new()
            }
        }
    }
}

fn envelope(profile: &PayerProfile) -> Envelope {
    let partner = &profile.trading_partner;
    Envelope {
        sender_qualifier: partner.sender.qualifier.clone(),
        sender_id: partner.sender.id.clone(),
        receiver_qualifier: partner.receiver.qualifier.clone(),
        receiver_id: partner.receiver.id.clone(),
        group_sender: partner.group_sender.clone(),
        group_receiver: partner.group_receiver.clone(),
        usage: partner.usage,
        acknowledgment_requested: partner.acknowledgment_requested,
        at: jiff::civil::date(2026, 11, 24).at(12, 0, 0, 0),
        interchange_control_number: 1,
        group_control_number: 1,
        delimiters: profile.delimiters,
    }
}

fn header(profile: &PayerProfile) -> BatchHeader {
    BatchHeader {
        batch_number: "1".into(),
        purpose: "00".into(),
        kind: "CH".into(),
        submitter_name: profile.submitter.name.clone(),
        submitter_id: profile.submitter.id.clone(),
        contact_name: profile.submitter.contact_name.clone(),
        contact_telephone: profile.submitter.contact_telephone.clone(),
        receiver_name: profile.receiver.name.clone(),
        receiver_id: profile.receiver.id.clone(),
    }
}
