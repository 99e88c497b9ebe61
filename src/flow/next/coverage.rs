//! Who pays next: the coverage that comes after the one that has decided.

use crate::fhir::bundle::Resources;
use serde_json::{Value, json};

/// The insurances of a claim with the one that is next.
#[derive(Debug, Clone, PartialEq)]
pub struct NextCoverage {
    /// `Claim.insurance`, with a stored coverage that the claim did not name.
    pub insurance: Vec<Value>,
    /// Position of the one that has decided, and of the next.
    pub decided: usize,
    pub next: usize,
    /// 2 secondary, 3 tertiary …
    pub place: usize,
}

/// The coverage after the focal one: of those that the claim names, and of the patient's others in `known` (`Coverage/…`),
/// the first by order that has not decided. `None` when there is none.
pub fn after(resources: &Resources, known: &[(String, Value)]) -> Option<NextCoverage> {
    let claim = resources.focal();
    let mut insurance = claim["insurance"].as_array()?.clone();
    let decided = insurance.iter().position(|each| each["focal"] == true).unwrap_or(0);
    let mut orders: Vec<u64> = insurance.iter().map(|each| order_of(resources, claim, each)).collect();
    let named: Vec<&Value> = insurance.iter().filter_map(|each| resources.resolve(claim, &each["coverage"])).collect();
    let day = service_day(claim);
    let mut others: Vec<(u64, Value)> = known
        .iter()
        .filter(|(_, coverage)| !named.iter().any(|each| each["id"] == coverage["id"]))
        .filter(|(_, coverage)| is_usable(coverage, day.as_deref()))
        .filter_map(|(reference, coverage)| Some((coverage["order"].as_u64()?, json!({ "reference": reference }))))
        .collect();
    others.sort_by_key(|(order, _)| *order);
    let last = insurance.iter().filter_map(|each| each["sequence"].as_u64()).max().unwrap_or(0);
    for (sequence, (order, coverage)) in (last + 1..).zip(others) {
        orders.push(order);
        insurance.push(json!({"sequence": sequence, "focal": false, "coverage": coverage}));
    }
    let own = *orders.get(decided)?;
    let waits = |n: &usize| *n != decided && orders[*n] > own && insurance[*n]["claimResponse"].is_null();
    let next = (0..insurance.len()).filter(waits).min_by_key(|n| orders[*n])?;
    // What comes after the next is found again when the next has decided.
    let kept = insurance.len().min(next.max(claim["insurance"].as_array().map_or(0, Vec::len).saturating_sub(1)) + 1);
    let place = orders.iter().filter(|order| **order < orders[next]).count() + 1;
    insurance.truncate(kept);
    Some(NextCoverage { insurance, decided, next, place })
}

/// `Coverage.order`, else the place in the claim.
fn order_of(resources: &Resources, claim: &Value, insurance: &Value) -> u64 {
    let coverage = resources.resolve(claim, &insurance["coverage"]);
    let order = coverage.and_then(|coverage| coverage["order"].as_u64());
    order.or(insurance["sequence"].as_u64()).unwrap_or(1)
}

/// Active on the day of service, and paid by somebody else than the patient.
fn is_usable(coverage: &Value, day: Option<&str>) -> bool {
    let payor = coverage["payor"][0]["reference"].as_str().unwrap_or_default();
    let by_a_person = payor.starts_with("Patient/") || payor.starts_with("RelatedPerson/");
    let bound = |name: &str| coverage["period"][name].as_str().map(|text| text.get(..10).unwrap_or(text));
    let covers = day
        .is_none_or(|day| bound("start").is_none_or(|start| start <= day) && bound("end").is_none_or(|end| day <= end));
    coverage["status"] == "active" && !by_a_person && covers
}

/// The first day of service that the claim names.
fn service_day(claim: &Value) -> Option<String> {
    let items = claim["item"].as_array().map(Vec::as_slice).unwrap_or_default();
    let days =
        items.iter().filter_map(|item| item["servicedDate"].as_str().or(item["servicedPeriod"]["start"].as_str()));
    let day = days.min().or(claim["billablePeriod"]["start"].as_str())?;
    day.get(..10).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(insurance: Value, coverages: &[Value]) -> Resources {
        let claim = json!({"resourceType": "Claim", "id": "c", "insurance": insurance,
            "item": [{"sequence": 1, "servicedDate": "2026-03-03"}]});
        let entry = |resource: &Value| {
            let url = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
            json!({"fullUrl": url, "resource": resource})
        };
        let entries: Vec<Value> = std::iter::once(&claim).chain(coverages).map(entry).collect();
        Resources::collect(json!({"resourceType": "Bundle", "type": "collection", "entry": entries}), 100).unwrap()
    }

    fn named(n: u64, focal: bool) -> Value {
        json!({"sequence": n, "focal": focal, "coverage": {"reference": format!("Coverage/{n}")}})
    }

    fn coverage(id: &str, order: Option<u64>) -> Value {
        let mut coverage = json!({"resourceType": "Coverage", "id": id, "status": "active",
            "payor": [{"reference": "Organization/o"}]});
        if let Some(order) = order {
            coverage["order"] = order.into();
        }
        coverage
    }

    #[test]
    fn the_next_is_found_by_order_then_by_place() {
        let two = resources(json!([named(1, true), named(2, false)]), &[coverage("1", None), coverage("2", None)]);
        let found = after(&two, &[]).unwrap();
        assert_eq!((found.decided, found.next, found.place), (0, 1, 2));
        let turned =
            resources(json!([named(1, false), named(2, true)]), &[coverage("1", Some(2)), coverage("2", Some(1))]);
        let found = after(&turned, &[]).unwrap();
        assert_eq!((found.decided, found.next, found.place), (1, 0, 2));
        let last = resources(json!([named(1, false), named(2, true)]), &[coverage("1", None), coverage("2", None)]);
        assert_eq!(after(&last, &[]), None);
    }

    #[test]
    fn a_stored_coverage_of_the_patient_comes_into_play() {
        let alone = resources(json!([named(1, true)]), &[coverage("1", Some(1))]);
        let stored = |coverage: Value| vec![(format!("Coverage/{}", coverage["id"].as_str().unwrap()), coverage)];
        let found = after(&alone, &stored(coverage("9", Some(2)))).unwrap();
        assert_eq!((found.next, found.place), (1, 2));
        assert_eq!(found.insurance[1]["coverage"]["reference"], "Coverage/9");
        assert_eq!(after(&alone, &stored(coverage("1", Some(1)))), None, "the one that has decided");
        assert_eq!(after(&alone, &stored(coverage("9", None))), None, "nobody says that it comes later");
        let mut over = coverage("9", Some(2));
        over["period"] = json!({"end": "2026-01-31"});
        assert_eq!(after(&alone, &stored(over)), None, "it has ended");
        let mut own = coverage("9", Some(2));
        own["payor"] = json!([{"reference": "Patient/p"}]);
        assert_eq!(after(&alone, &stored(own)), None, "the patient pays");
    }

    #[test]
    fn a_third_payer_comes_after_the_second() {
        let mut first = named(1, false);
        first["claimResponse"] = json!({"reference": "ClaimResponse/a"});
        let three = resources(
            json!([first, named(2, true), named(3, false)]),
            &[coverage("1", Some(1)), coverage("2", Some(2)), coverage("3", Some(3))],
        );
        let found = after(&three, &[]).unwrap();
        assert_eq!((found.decided, found.next, found.place), (1, 2, 3));
    }
}
