//! `GET /fhir/metadata`: the CapabilityStatement.

use crate::fault::Fault;
use crate::fhir::capability::{self, Offered};
use crate::flow::store::STORED;
use crate::http::call::Call;
use crate::http::reply::Reply;

const READ: &[&str] = &["read", "vread", "history-instance", "search-type"];
const WRITE: &[&str] = &["create", "update", "read", "vread", "history-instance", "search-type"];
const SUBMIT: &[&str] = &["create", "update", "read", "vread", "history-instance", "search-type"];

const VALIDATE: (&str, &str) = ("validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate");
const SUBMISSION: (&str, &str) = ("submit", "http://hl7.org/fhir/OperationDefinition/Claim-submit");

const BILLING: (&str, &str) = ("bill", "https://claimgate.dev/fhir/OperationDefinition/Encounter-bill");
const BILLED: &[(&str, &str)] = &[BILLING, VALIDATE];
const CHECKED: &[(&str, &str)] = &[VALIDATE];
const INQUIRY: (&str, &str) = ("inquire", "http://hl7.org/fhir/us/davinci-pas/OperationDefinition/Claim-inquiry");
const ELIGIBILITY: (&str, &str) =
    ("submit", "http://hl7.org/fhir/OperationDefinition/CoverageEligibilityRequest-submit");

const SUBSCRIBE: &[&str] = &["create", "update", "delete", "read", "vread", "history-instance", "search-type"];
const STATUS: (&str, &str) =
    ("status", "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status");
const EVENTS: (&str, &str) =
    ("events", "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-events");

/// What the gateway makes itself and others read.
const MADE_HERE: &[&str] = &["ClaimResponse", "CoverageEligibilityResponse", "PaymentReconciliation"];

pub async fn read(call: Call) -> Result<Reply, Fault> {
    let today = call.gateway.clock.now().strftime("%Y-%m-%d").to_string();
    let topics: Vec<&str> = call.gateway.topics.all().map(|topic| topic.url.as_str()).collect();
    Ok(Reply::fhir(200, &capability::statement(&call.base, &today, &offered(), &topics)))
}

fn offered() -> Vec<Offered<'static>> {
    let claim = Offered { kind: "Claim", interactions: SUBMIT, operations: &[SUBMISSION, INQUIRY, VALIDATE] };
    let eligibility =
        Offered { kind: "CoverageEligibilityRequest", interactions: SUBMIT, operations: &[ELIGIBILITY, VALIDATE] };
    let made = MADE_HERE.iter().map(|kind| Offered { kind, interactions: READ, operations: &[VALIDATE] });
    let operations = |kind: &str| if kind == "Encounter" { BILLED } else { CHECKED };
    let stored = STORED.iter().map(|kind| Offered { kind, interactions: WRITE, operations: operations(kind) });
    let subscription =
        Offered { kind: "Subscription", interactions: SUBSCRIBE, operations: &[STATUS, EVENTS, VALIDATE] };
    [claim, eligibility, subscription].into_iter().chain(made).chain(stored).collect()
}
