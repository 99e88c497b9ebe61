//! What a payer says, told in FHIR by the mappings of `mappings/response/`: the worked examples, and every answer of the
//! public corpus judged by the FHIR definitions.

use crate::support::bless::{agrees, pretty};
use claimgate::assets::Folder;
use claimgate::billing::line::ServiceLine;
use claimgate::billing::record::BillingRecord;
use claimgate::billing::response::PayerResponse;
use claimgate::fhir::definitions::Definitions;
use claimgate::fhir::validate;
use claimgate::mapping::{Input, Mappings, Scope};
use claimgate::responses::{self, lines, meaning::Meanings};
use claimgate::x12::guide::Guides;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

struct Loaded {
    definitions: Definitions,
    mappings: Mappings,
    meanings: Meanings,
}

static LOADED: LazyLock<Loaded> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (folder, conformance) = (Folder::Disk(root.join("mappings")), Folder::Disk(root.join("conformance")));
    let guides = Guides::load(&conformance).unwrap();
    let definitions = Definitions::load(&conformance).unwrap();
    let mappings = Mappings::load(&folder, &guides, &definitions).unwrap_or_else(|fault| panic!("{fault}"));
    Loaded { definitions, mappings, meanings: Meanings::load(&folder).unwrap() }
});

fn claim() -> Value {
    json!({
        "resourceType": "Claim",
        "status": "active",
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
        "use": "claim",
        "patient": {"reference": "Patient/ted"},
        "insurer": {"reference": "Organization/key"},
        "provider": {"reference": "Organization/bks"},
        "insurance": [{"sequence": 1, "focal": true, "coverage": {"reference": "Coverage/cov"}}]
    })
}

fn make(mapping: &str, input: &Value, vars: &[(&str, &Value)]) -> Value {
    let none = Value::Null;
    let vars: Vec<(&str, Input<'_>)> = vars.iter().map(|(name, value)| (*name, (*value).into())).collect();
    let scope = Scope { payer: &none, now: "2025-03-25T06:05:00Z", vars: &vars, resources: None };
    let (made, issues) = LOADED.mappings.response(mapping).unwrap().make(input, &scope);
    assert!(issues.is_empty(), "{issues:?}");
    let wrong = validate::resource(&LOADED.definitions, &made, made["resourceType"].as_str().unwrap());
    assert!(wrong.is_empty(), "{wrong:?}\n{made:#}");
    made
}

/// The worked example: paid, denied, reversed, corrected, and interest.
fn example() -> responses::Reading {
    responses::read(&LOADED.meanings, include_bytes!("../conformance/answers/835-paid-denied-reversal-plb.x12"))
}

fn told(response: &PayerResponse, record: &BillingRecord) -> Value {
    let mut response = response.clone();
    if let Some(adjudication) = &mut response.adjudication {
        lines::match_lines(adjudication, &record.service_lines);
    }
    let (claim, record) = (claim(), serde_json::to_value(record).unwrap());
    let (previous, submission) = (json!({}), json!({"claim": "Claim/c1"}));
    let vars = [("claim", &claim), ("record", &record), ("previous", &previous), ("submission", &submission)];
    make("response/claim-response", &serde_json::to_value(&response).unwrap(), &vars)
}

fn record() -> BillingRecord {
    let line =
        |n: u32| ServiceLine { sequence: n, control_number: format!("ACC26463774-{n}"), ..ServiceLine::default() };
    BillingRecord { service_lines: vec![line(1), line(2), line(3)], ..BillingRecord::default() }
}

fn expected(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/answers").join(name)
}

#[test]
fn the_worked_remittance_is_told_as_written_down() {
    let reading = example();
    let all: Vec<Value> = reading.responses.iter().map(|response| told(response, &record())).collect();
    agrees(&expected("claim-responses.json"), &pretty(&Value::from(all))).unwrap();
    let remittance = serde_json::to_value(&reading.remittances[0]).unwrap();
    let reconciliation = make("response/payment-reconciliation", &remittance, &[]);
    agrees(&expected("payment-reconciliation.json"), &pretty(&reconciliation)).unwrap();
}

/// Category, code and amount of every adjudication of an item, as the worked example writes them.
fn adjudications(item: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let all = item["adjudication"].as_array().unwrap();
    all.iter()
        .map(|each| {
            let reason = each["reason"]["coding"][0]["code"].as_str().unwrap_or_default();
            (text(&each["category"]["coding"][0]["code"]), reason.to_owned(), text(&each["amount"]["value"]))
        })
        .collect()
}

#[test]
fn money_stands_under_its_categories() {
    let paid = told(&example().responses[0], &record());
    let row = |category: &str, reason: &str, amount: &str| (category.to_owned(), reason.to_owned(), amount.to_owned());
    let first = [
        row("submitted", "", "100"),
        row("eligible", "", "80"),
        row("discount", "45", "20"),
        row("deductible", "1", "10"),
        row("copay", "3", "20"),
        row("benefit", "", "50"),
        row("allowedunits", "", "null"),
    ];
    assert_eq!(adjudications(&paid["item"][0]), first);
    assert_eq!(adjudications(&paid["item"][2])[1], row("noncovered", "16", "25"));
    assert_eq!(paid["item"][2]["noteNumber"], json!([1]));
    assert_eq!(paid["processNote"][0]["text"], "RARC M119: NDC missing, bad or withdrawn");
    let totals: Vec<String> =
        paid["total"].as_array().unwrap().iter().map(|total| total["amount"]["value"].to_string()).collect();
    assert_eq!(totals, ["165", "30", "43.2", "25", "66.8"]);
}

#[test]
fn without_the_claim_the_payers_lines_are_counted() {
    let response = serde_json::to_value(&example().responses[0]).unwrap();
    let (claim, none) = (claim(), json!({}));
    let vars = [("claim", &claim), ("record", &none), ("previous", &none), ("submission", &none)];
    let made = make("response/claim-response", &response, &vars);
    let items = made["item"].as_array().unwrap();
    assert_eq!(items.iter().map(|item| item["itemSequence"].to_string()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!(items[0]["extension"][0]["valueCodeableConcept"]["text"], "99213 25");
    assert!(made["addItem"].is_null());
}

#[test]
fn the_details_of_a_reconciliation_add_up() {
    let remittance = serde_json::to_value(&example().remittances[0]).unwrap();
    let made = make("response/payment-reconciliation", &remittance, &[]);
    let amount = |value: &Value| value["value"].to_string().parse::<Decimal>().unwrap();
    let details: Decimal = made["detail"].as_array().unwrap().iter().map(|detail| amount(&detail["amount"])).sum();
    assert_eq!(details, amount(&made["paymentAmount"]));
}

#[test]
fn refusals_say_why_and_where() {
    let of = |text: &[u8]| {
        let reading = responses::read(&LOADED.meanings, text);
        told(&reading.responses[0], &record())
    };
    let refused = of(include_bytes!("../conformance/answers/277ca-rejected.x12"));
    assert_eq!(refused["outcome"], "error");
    assert_eq!(refused["error"].as_array().unwrap().len(), 3);
    assert_eq!(refused["error"][0]["code"]["coding"][1]["code"], "164");
    assert_eq!(refused["error"][2]["itemSequence"], 3);
    let refused = of(include_bytes!("../conformance/answers/999-rejected.x12"));
    assert_eq!(refused["error"][0]["code"]["text"], "CLM05-3: invalid code value (Q)");
    assert_eq!(refused["error"][0]["code"]["coding"][0]["system"], "https://claimgate.dev/fhir/CodeSystem/x12-ik403");
    let refused = of(include_bytes!("../conformance/answers/ta1-rejected.x12"));
    assert_eq!(
        refused["error"][0]["code"]["coding"][0]["system"],
        "https://claimgate.dev/fhir/CodeSystem/x12-ta1-note"
    );
    let taken = of(include_bytes!("../conformance/answers/277ca-accepted.x12"));
    assert_eq!((taken["outcome"].as_str(), taken["error"].is_null()), (Some("queued"), true));
    assert_eq!(taken["identifier"][0]["value"], "94060555410000");
}

#[test]
fn the_first_answer_is_queued() {
    let mut claim = claim();
    claim["id"] = "c1".into();
    let queued = make("response/queued", &claim, &[]);
    assert_eq!(
        (queued["outcome"].as_str(), queued["request"]["reference"].as_str()),
        (Some("queued"), Some("Claim/c1"))
    );
    claim.as_object_mut().unwrap().shift_remove("insurer");
    let payer = json!({"id": "northwind", "name": "Northwind Health Plan", "payerId": "NW001"});
    let scope = Scope { payer: &payer, now: "2025-03-25T06:05:00Z", vars: &[], resources: None };
    let (queued, issues) = LOADED.mappings.response("response/queued").unwrap().make(&claim, &scope);
    assert!(issues.is_empty(), "{issues:?}");
    let insurer = &queued["insurer"];
    assert_eq!(
        (&insurer["identifier"]["value"], &insurer["display"]),
        (&json!("NW001"), &json!("Northwind Health Plan"))
    );
}
