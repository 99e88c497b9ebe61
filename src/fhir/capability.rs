//! What claimgate offers, told by itself: the CapabilityStatement, made from the routes and the search parameters.

use crate::fhir::index::{self, Kind};
use serde_json::{Value, json};

/// What a server of topics promises (Subscriptions R5 Backport 1.1, R4).
const SUBSCRIPTIONS: &str =
    "http://hl7.org/fhir/uv/subscriptions-backport/CapabilityStatement/backport-subscription-server-r4";
/// How it names its topics.
const TOPIC: &str =
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/capabilitystatement-subscriptiontopic-canonical";
const SUBSCRIPTION_PROFILE: &str =
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription";

/// What the front door offers for one resource type.
pub struct Offered<'a> {
    pub kind: &'a str,
    /// Codes of <http://hl7.org/fhir/restful-interaction>: `read`, `create` …
    pub interactions: &'a [&'a str],
    /// Name of the operation and the canonical URL of its definition.
    pub operations: &'a [(&'a str, &'a str)],
}

/// `base` is the address of the FHIR service as callers reach it; `date` is the day of the build.
/// `topics` are the canonical URLs of those that can be subscribed to.
pub fn statement(base: &str, date: &str, offered: &[Offered<'_>], topics: &[&str]) -> Value {
    let resources: Vec<Value> = offered.iter().map(|offered| resource(offered, topics)).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "instantiates": [SUBSCRIPTIONS],
        "software": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "A gateway between FHIR and the X12 of US payers", "url": base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [{
            "mode": "server",
            "resource": resources,
            "interaction": [{ "code": "batch" }, { "code": "transaction" }],
        }],
    })
}

fn resource(offered: &Offered<'_>, topics: &[&str]) -> Value {
    let interactions: Vec<Value> = offered.interactions.iter().map(|code| json!({ "code": code })).collect();
    let mut out =
        json!({ "type": offered.kind, "interaction": interactions, "versioning": "versioned", "readHistory": true });
    if offered.kind == "Subscription" {
        out["supportedProfile"] = json!([SUBSCRIPTION_PROFILE]);
        let topic = |url: &&str| json!({ "url": TOPIC, "valueCanonical": url });
        out["extension"] = topics.iter().map(topic).collect();
    } else if offered.interactions.contains(&"create") {
        out["conditionalCreate"] = json!(true);
    }
    let parameters: Vec<Value> = index::parameters(offered.kind)
        .map(|parameter| json!({ "name": parameter.name, "type": search_type(parameter.kind) }))
        .collect();
    if !parameters.is_empty() {
        out["searchParam"] = json!(parameters);
    }
    let operations: Vec<Value> =
        offered.operations.iter().map(|(name, url)| json!({ "name": name, "definition": url })).collect();
    if !operations.is_empty() {
        out["operation"] = json!(operations);
    }
    out
}

fn search_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Identifier | Kind::Code => "token",
        Kind::Reference => "reference",
        Kind::Day => "date",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Folder;
    use crate::fhir::definitions::Definitions;
    use crate::fhir::{second_opinion, validate};

    #[test]
    fn is_valid_itself() {
        let claim = Offered {
            kind: "Claim",
            interactions: &["read", "create"],
            operations: &[("submit", "http://hl7.org/fhir/OperationDefinition/Claim-submit")],
        };
        let subscription = Offered { kind: "Subscription", interactions: &["create", "delete"], operations: &[] };
        let topics = ["https://claimgate.dev/fhir/SubscriptionTopic/a"];
        let statement = statement("http://localhost/fhir", "2026-01-01", &[claim, subscription], &topics);
        let definitions = Definitions::load(&Folder::ShippedConformance).unwrap();
        assert_eq!(validate::resource(&definitions, &statement, "CapabilityStatement"), []);
        assert_eq!(second_opinion::judge(&statement), []);
        assert_eq!(statement["rest"][0]["resource"][0]["conditionalCreate"], true);
        assert_eq!(statement["rest"][0]["resource"][1]["extension"][0]["valueCanonical"], topics[0]);
    }
}
