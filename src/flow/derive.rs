//! From an Encounter to the claim that bills it: what is needed is looked for, all of it at once, then `record/encounter` makes
//! a Claim, which goes the way of every other claim. Pure: the command line and the server say the same.

use crate::fault::{Fault, Issue, Place, any_error, codes};
use crate::fhir::bundle::Resources;
use crate::fhir::validate;
use crate::flow::{intake, naming};
use crate::gateway::Translator;
use crate::mapping::{Lineage, Scope};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The claim of an encounter.
pub struct Derived {
    /// The Claim, focal, among everything that the Encounter came with.
    pub resources: Resources,
    /// From paths of the Claim to those of the Encounter and its resources.
    lineage: Lineage,
}

impl Derived {
    /// Complaints about the claim, as complaints about what the caller sent.
    pub fn in_callers_words(&self, issues: Vec<Issue>) -> Vec<Issue> {
        in_callers_words(&self.lineage, issues)
    }
}

/// Which bill of an encounter a claim is: the only one, or one of several of a stay that goes on.
#[derive(Debug, Default, Clone)]
pub struct Bill {
    /// ChargeItems of earlier bills.
    pub billed: Vec<String>,
    /// Bills before this one.
    pub earlier: usize,
}

impl Bill {
    /// The last digit of the type of bill: 2 first, 3 continuing, 4 last of several; `None` of the only one.
    pub fn frequency(&self, encounter: &Value) -> Option<&'static str> {
        match (is_finished(encounter), self.earlier) {
            (true, 0) => None,
            (true, _) => Some("4"),
            (false, 0) => Some("2"),
            (false, _) => Some("3"),
        }
    }
}

/// The mapping that makes the claim.
const MAPPING: &str = "record/encounter";

/// Statuses that are billed, and those of a stay that goes on, whose bill is an interim one.
const FINISHED: &[&str] = &["finished"];
const GOING_ON: &[&str] = &["in-progress", "onleave"];

/// Whether an encounter is over: then it is billed without being asked.
pub fn is_finished(encounter: &Value) -> bool {
    encounter["status"].as_str().is_some_and(|status| FINISHED.contains(&status))
}

/// Whether a bill of it can be asked for.
pub fn is_billable(encounter: &Value) -> bool {
    is_finished(encounter) || encounter["status"].as_str().is_some_and(|status| GOING_ON.contains(&status))
}

/// Gives every resource that came along its name, so that the claim can refer to it.
pub fn settle(translator: &Translator, resources: &Resources) -> Result<Resources, Fault> {
    let named = naming::name(resources);
    let stored = resources.stored().map(|(reference, value)| (reference.to_owned(), value.clone())).collect();
    gathered(translator, named.resources, stored)
}

/// Resources under their own names, with what the store lends.
pub fn gathered(translator: &Translator, own: Vec<Value>, stored: Vec<(String, Value)>) -> Result<Resources, Fault> {
    let entry = |resource: Value| json!({"fullUrl": reference_of(&resource), "resource": resource});
    let entries: Vec<Value> = own.into_iter().map(entry).collect();
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    // The claim comes on top of what the caller may send.
    let mut resources = Resources::collect(bundle, translator.config.limits.bundle_entries + 1)?;
    for (reference, value) in stored {
        if let Some((kind, id)) = reference.split_once('/') {
            resources.add_stored(kind, id, value);
        }
    }
    Ok(resources)
}

/// `Type/id`.
pub fn reference_of(resource: &Value) -> String {
    let text = |name: &str| resource[name].as_str().unwrap_or_default();
    format!("{}/{}", text("resourceType"), text("id"))
}

/// The claim of a settled encounter. Everything that is missing is told at once.
pub fn derive(translator: &Translator, resources: &Resources, bill: &Bill, now: Timestamp) -> Result<Derived, Fault> {
    let encounter = resources.focal();
    let mut missing = missing(resources);
    missing.extend(intake::missing_of_encounter(translator, resources));
    if !missing.is_empty() {
        return Err(Fault::caller(missing));
    }
    let absent = || Fault::ours(codes::INTERNAL, format!("no mapping {MAPPING} is loaded"));
    let mapping = translator.mappings.response(MAPPING).ok_or_else(absent)?;
    let number = (bill.earlier > 0).then_some(bill.earlier + 1);
    let submission = json!({ "frequency": bill.frequency(encounter), "bill": number });
    let vars = [("submission", (&submission).into())];
    let now = now.to_string();
    let scope = Scope { payer: &Value::Null, now: &now, vars: &vars, resources: Some(resources) };
    let (mut claim, mut issues) = mapping.make(encounter, &scope);
    let lineage = mapping.lineage(encounter, &scope);
    if !any_error(&issues) {
        naming::set_id(&mut claim, &uuid::Uuid::now_v7().to_string());
        let wrong = validate::resource(&translator.definitions, &claim, "Claim");
        issues.extend(in_callers_words(&lineage, wrong));
    }
    if any_error(&issues) {
        return Err(Fault::caller(issues));
    }
    let mut own: Vec<Value> = resources.handed_in().cloned().collect();
    own.push(claim);
    let stored = resources.stored().map(|(reference, value)| (reference.to_owned(), value.clone())).collect();
    let mut resources = gathered(translator, own, stored)?;
    let resolved = intake::resolve_offline(translator, &mut resources);
    let derived = Derived { resources, lineage };
    resolved.map_err(|fault| Fault { issues: derived.in_callers_words(fault.issues), ..fault })?;
    Ok(derived)
}

fn in_callers_words(lineage: &Lineage, issues: Vec<Issue>) -> Vec<Issue> {
    let source = |at: &Place| {
        let Place::FhirPath(path) = at else { return None };
        let path = path.strip_prefix("Claim.")?;
        let found = lineage.source_of_place(&Place::Record(path.to_owned()));
        Some(Place::FhirPath(found.unwrap_or_else(|| "Encounter".to_owned())))
    };
    let told = |issue: Issue| match source(&issue.at) {
        Some(at) => Issue { at, ..issue },
        None if matches!(&issue.at, Place::FhirPath(path) if path == "Claim") => {
            Issue { at: Place::FhirPath("Encounter".into()), ..issue }
        }
        None => issue,
    };
    issues.into_iter().map(told).collect()
}

/// One thing that an encounter can't be billed without.
struct Need {
    at: &'static str,
    is_met: fn(&Resources) -> bool,
    text: &'static str,
    hint: &'static str,
}

/// All of them.
const NEEDS: &[Need] = &[
    Need {
        at: "Encounter.status",
        is_met: |resources| is_billable(resources.focal()),
        text: "the encounter is neither finished nor in progress",
        hint: "send it again when it is finished; only what was done is billed",
    },
    Need {
        at: "Encounter.subject",
        is_met: |resources| is_a(resources, resources.focal(), "subject", &["Patient"]),
        text: "the patient is not known",
        hint: "name the Patient in Encounter.subject, and send or store it",
    },
    Need {
        at: "Encounter.period.start",
        is_met: |resources| resources.focal()["period"]["start"].is_string(),
        text: "it is not said when the encounter began",
        hint: "give Encounter.period.start",
    },
    Need {
        at: "Encounter.serviceProvider",
        is_met: has_provider,
        text: "nobody bills: neither an organization nor a practitioner is known",
        hint: "name the Organization in Encounter.serviceProvider, or the Practitioner in Encounter.participant.individual",
    },
    Need {
        at: "Coverage",
        is_met: has_coverage,
        text: "the patient has no active coverage by a payer",
        hint: "send or store a Coverage with beneficiary, status active and the payer's Organization in payor",
    },
    Need {
        at: "ChargeItem",
        is_met: |resources| any(resources, "ChargeItem", is_charge) || any(resources, "Procedure", is_done),
        text: "there is nothing to be billed: no ChargeItem of this encounter",
        hint: "send or store a ChargeItem with context (this Encounter), code, status billable and priceOverride",
    },
    Need {
        at: "Condition",
        is_met: has_diagnosis,
        text: "the encounter has no diagnosis",
        hint: "send or store a Condition with its ICD-10-CM code, and name it in Encounter.diagnosis, or the encounter in it",
    },
];

/// What is missing, all at once; charges without a price one by one.
fn missing(resources: &Resources) -> Vec<Issue> {
    let issue = |at: String, text: &str, hint: &str| {
        Issue::error(codes::ENCOUNTER_INCOMPLETE, Place::FhirPath(at), text).hint(hint)
    };
    let needs = NEEDS.iter().filter(|need| !(need.is_met)(resources));
    let mut issues: Vec<Issue> = needs.map(|need| issue(need.at.into(), need.text, need.hint)).collect();
    for charge in all(resources, "ChargeItem").filter(|charge| is_charge(resources, charge)) {
        if !charge["priceOverride"]["value"].is_number() && charge["service"].is_null() && charge["code"].is_null() {
            let at = resources.path_of(charge).unwrap_or_else(|| "ChargeItem".into());
            issues.push(issue(at, "a charge has neither code nor price", "give ChargeItem.code and priceOverride"));
        }
    }
    issues
}

fn all<'r>(resources: &'r Resources, kind: &'static str) -> impl Iterator<Item = &'r Value> {
    let given = resources.handed_in().chain(resources.stored().map(|(_, value)| value));
    given.filter(move |value| value["resourceType"] == kind)
}

fn any(resources: &Resources, kind: &'static str, holds: fn(&Resources, &Value) -> bool) -> bool {
    all(resources, kind).any(|value| holds(resources, value))
}

/// Whether a reference leads to a resource of one of these types.
fn is_a(resources: &Resources, holder: &Value, name: &str, kinds: &[&str]) -> bool {
    let found = resources.resolve(holder, &holder[name]);
    found.is_some_and(|found| found["resourceType"].as_str().is_some_and(|kind| kinds.contains(&kind)))
}

/// Whether a reference leads to the encounter.
fn is_of(resources: &Resources, holder: &Value, name: &str) -> bool {
    resources.resolve(holder, &holder[name]).is_some_and(|found| std::ptr::eq(found, resources.focal()))
}

fn is_charge(resources: &Resources, charge: &Value) -> bool {
    let open = matches!(charge["status"].as_str(), Some("billable" | "unknown"));
    open && (charge["context"].is_null() || is_of(resources, charge, "context"))
}

fn is_done(resources: &Resources, procedure: &Value) -> bool {
    let done = matches!(procedure["status"].as_str(), Some("completed" | "unknown"));
    // Without charges only what has a price in the fee schedule is billed; the mapping looks there.
    done && is_of(resources, procedure, "encounter") && all(resources, "ChargeItem").next().is_none()
}

fn has_provider(resources: &Resources) -> bool {
    let encounter = resources.focal();
    let people = encounter["participant"].as_array().map(Vec::as_slice).unwrap_or_default();
    let known = |person: &Value| resources.resolve(encounter, &person["individual"]).is_some();
    is_a(resources, encounter, "serviceProvider", &["Organization"]) || people.iter().any(known)
}

fn has_coverage(resources: &Resources) -> bool {
    let patient = resources.resolve(resources.focal(), &resources.focal()["subject"]);
    let pays = |coverage: &Value| {
        let payors = coverage["payor"].as_array().map(Vec::as_slice).unwrap_or_default();
        payors.iter().any(|payor| {
            let found = resources.resolve(coverage, payor);
            found.is_none_or(|found| !matches!(found["resourceType"].as_str(), Some("Patient" | "RelatedPerson")))
        })
    };
    all(resources, "Coverage").any(|coverage| {
        let of = resources.resolve(coverage, &coverage["beneficiary"]);
        let his = patient.is_some_and(|patient| of.is_some_and(|of| std::ptr::eq(of, patient)));
        coverage["status"] == "active" && his && pays(coverage)
    })
}

fn has_diagnosis(resources: &Resources) -> bool {
    let encounter = resources.focal();
    let named = |list: &str, name: Option<&str>| {
        let items = encounter[list].as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().any(|item| {
            let reference = name.map_or(item, |name| &item[name]);
            resources.resolve(encounter, reference).is_some_and(|found| found["resourceType"] == "Condition")
        })
    };
    named("diagnosis", Some("condition"))
        || named("reasonReference", None)
        || all(resources, "Condition").any(|condition| is_of(resources, condition, "encounter"))
}
