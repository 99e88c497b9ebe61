//! What one submission consists of: the focal resource and everything that its references lead to, from the caller's own
//! Bundle or from the store.

use crate::config::Limits;
use crate::fault::{Fault, Issue, Place, Severity, codes};
use crate::fhir::definitions::Definitions;
use crate::fhir::entries::{Entry, Given, contained, has_id, identifiers, kind, system_and_value};
use crate::fhir::path::Path;
use crate::fhir::reference::{self, Literal, Met};
use crate::fhir::validate;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;

/// References of a focal resource without which it can't be billed.
const NEEDED: &[&str] = &[
    "Claim.patient",
    "Claim.provider",
    "Claim.insurer",
    "Claim.facility",
    "Claim.referral",
    "Claim.payee.party",
    "Claim.careTeam.provider",
    "Claim.diagnosis.diagnosis",
    "Claim.procedure.procedure",
    "Claim.insurance.coverage",
    "Claim.item.location",
    "CoverageEligibilityRequest.patient",
    "CoverageEligibilityRequest.provider",
    "CoverageEligibilityRequest.insurer",
    "CoverageEligibilityRequest.insurance.coverage",
    "Encounter.subject",
    "Encounter.serviceProvider",
];

/// The resources of one submission.
#[derive(Clone)]
pub struct Resources {
    given: Arc<Given>,
    focal: usize,
    /// What the store lent: reference path, resource.
    stored: Vec<Entry>,
    /// Several submissions came in one Bundle.
    one_of_several: bool,
}

/// A reference that leads nowhere yet: what the store should be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where the reference stands.
    pub path: String,
    /// Type and id, of a relative reference.
    pub reference: Option<(String, String)>,
    /// System and value, of a logical reference.
    pub identifier: Option<(String, String)>,
    /// Resource types that the element allows; empty is any.
    pub kinds: Vec<String>,
    /// Whether the submission is of no use without it.
    pub needed: bool,
}

/// One submission from a Bundle, from Parameters with a `resource`, or from a lone resource.
pub fn collect(body: Value, limits: &Limits) -> Result<Resources, Fault> {
    let given = Arc::new(Given::take(body, limits)?);
    match given.focals().as_slice() {
        [focal] => Ok(Resources { given: given.clone(), focal: *focal, stored: Vec::new(), one_of_several: false }),
        [] => Err(no_focal()),
        several => {
            let text =
                format!("the Bundle holds {} resources that are to be submitted; one is taken here", several.len());
            let hint = "post the Bundle as batch or transaction to /fhir, or send one Bundle each";
            Err(Fault::refuse(codes::BUNDLE_SHAPE, Place::FhirPath("Bundle.entry".into()), text, hint))
        }
    }
}

/// All submissions of a Bundle; they share its other resources.
pub fn collect_each(body: Value, limits: &Limits) -> Result<Vec<Resources>, Fault> {
    let given = Arc::new(Given::take(body, limits)?);
    let focals = given.focals();
    let one_of_several = focals.len() > 1;
    let each = |focal| Resources { given: given.clone(), focal, stored: Vec::new(), one_of_several };
    if focals.is_empty() { Err(no_focal()) } else { Ok(focals.into_iter().map(each).collect()) }
}

fn no_focal() -> Fault {
    let text = "there is nothing to submit: no Claim, CoverageEligibilityRequest or Encounter";
    let hint = "send a Claim, alone or as the first entry of a Bundle with the resources it refers to";
    Fault::refuse(codes::BUNDLE_SHAPE, Place::Whole, text, hint)
}

impl Resources {
    /// The resource that is submitted.
    pub fn focal(&self) -> &Value {
        &self.given.entries[self.focal].value
    }

    /// Its type, which is its path.
    pub fn focal_path(&self) -> &str {
        kind(self.focal())
    }

    /// Number of the focal resource in the caller's Bundle.
    pub fn focal_number(&self) -> usize {
        self.given.entries[self.focal].number
    }

    /// All resources, the caller's first: fullUrl and resource.
    pub fn entries(&self) -> impl Iterator<Item = (Option<&str>, &Value)> {
        self.all().map(|entry| (entry.full_url.as_deref(), &*entry.value))
    }

    /// The caller's own resources: all of them, or, when several submissions share a Bundle, those that this one uses.
    pub fn handed_in(&self, definitions: &Definitions) -> Vec<&Value> {
        let used: Option<Vec<&Value>> = self.one_of_several.then(|| self.reachable(definitions));
        let own = self.given.entries.iter().map(|entry| &*entry.value);
        own.filter(|value| used.as_ref().is_none_or(|used| used.iter().any(|each| std::ptr::eq(*each, *value)))).collect()
    }

    /// What the store lent: `Type/id` and resource.
    pub fn lent(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.stored.iter().map(|entry| (entry.full_url.as_deref().unwrap_or_default(), &*entry.value))
    }

    /// The caller's Bundle without its resources.
    pub fn shell(&self) -> Option<&Value> {
        self.given.shell.as_ref()
    }

    fn all(&self) -> impl Iterator<Item = &Entry> {
        self.given.entries.iter().chain(&self.stored)
    }

    /// Lends a resource of the store, found for a [`Wanted`].
    pub fn add_stored(&mut self, kind: &str, id: &str, value: Value, wanted: &Wanted) {
        let full_url = Some(format!("{kind}/{id}"));
        self.stored.push(Entry {
            full_url,
            value: Arc::new(value),
            path: format!("{}.resolve()", wanted.path),
            number: 0,
        });
    }

    /// Where a resource stands, for issues: `Claim`, `Bundle.entry[3].resource.ofType(Coverage)`.
    pub fn path_of(&self, resource: &Value) -> Option<String> {
        let focal = self.focal();
        if std::ptr::eq(focal, resource) {
            return Some(self.focal_path().to_owned());
        }
        let (entry, contained) = self.holder(resource)?;
        let at = if std::ptr::eq(&*entry.value, focal) { self.focal_path() } else { &entry.path };
        Some(match contained {
            Some(n) => format!("{at}.contained[{n}].ofType({})", kind(resource)),
            None => at.to_owned(),
        })
    }

    /// The entry that a resource is or is contained in.
    fn holder(&self, resource: &Value) -> Option<(&Entry, Option<usize>)> {
        if let Some(entry) = self.all().find(|entry| std::ptr::eq(&*entry.value, resource)) {
            return Some((entry, None));
        }
        let inside = |entry: &Entry| contained(&entry.value).position(|each| std::ptr::eq(each, resource));
        self.all().find_map(|entry| inside(entry).map(|n| (entry, Some(n))))
    }

    /// What a Reference of `container` leads to: contained, by fullUrl, by type and id, from the store, by identifier.
    pub fn resolve<'a>(&'a self, container: &Value, reference: &Value) -> Option<&'a Value> {
        let holder = self.holder(container).map(|(entry, _)| entry);
        let Some(literal) = Literal::of(reference) else { return self.logical(reference) };
        if let Literal::Contained(id) = literal {
            let holder = &*holder?.value;
            return if id.is_empty() { Some(holder) } else { contained(holder).find(|each| has_id(each, id)) };
        }
        let from = holder.and_then(|entry| entry.full_url.as_deref());
        let given = self.given.literal(from, literal).and_then(|n| self.given.entries.get(n));
        let found = given.or_else(|| self.from_store(literal));
        found.map(|entry| &*entry.value).or_else(|| self.logical(reference))
    }

    fn from_store(&self, literal: Literal<'_>) -> Option<&Entry> {
        let Literal::Relative(relative) = literal else { return None };
        self.stored.iter().find(|entry| entry.full_url.as_deref() == Some(relative))
    }

    fn logical(&self, reference: &Value) -> Option<&Value> {
        let wanted = reference.get("identifier").and_then(system_and_value)?;
        let of = reference.get("type").and_then(Value::as_str);
        let fits = |value: &&Value| {
            of.is_none_or(|of| kind(value) == of)
                && identifiers(value).any(|each| system_and_value(each) == Some(wanted))
        };
        self.all().map(|entry| &*entry.value).find(fits)
    }

    /// Everything that is wrong with the structure: of all resources, or, when several submissions share a Bundle, of those
    /// that this one uses.
    pub fn validate(&self, definitions: &Definitions) -> Vec<Issue> {
        let mut issues = self.given.shell.as_ref().map(|shell| validate::shell(definitions, shell)).unwrap_or_default();
        let used: Option<Vec<&Value>> = self.one_of_several.then(|| self.reachable(definitions));
        for entry in &self.given.entries {
            let value = &*entry.value;
            if used.as_ref().is_some_and(|used| !used.iter().any(|each| std::ptr::eq(*each, value))) {
                continue;
            }
            let at = if std::ptr::eq(value, self.focal()) { self.focal_path() } else { &entry.path };
            issues.extend(validate::resource(definitions, value, at));
        }
        issues.extend(self.ambiguous());
        issues
    }

    /// Two different resources under one fullUrl, or under one type and id.
    fn ambiguous(&self) -> Vec<Issue> {
        let clash = |(n, entry): &(usize, &Entry)| {
            let first = entry.full_url.as_ref().and_then(|url| self.given.by_url.get(url)).filter(|first| *first != n);
            first.and_then(|n| self.given.entries.get(*n)).is_some_and(|first| first.value != entry.value)
        };
        let clashes = self.given.entries.iter().enumerate().filter(clash).map(|(_, entry)| entry);
        let issue = |entry: &Entry| {
            let at = Place::FhirPath(format!("Bundle.entry[{}].fullUrl", entry.number));
            let text = "another entry has this fullUrl, with another resource";
            Issue::error(codes::REFERENCE_AMBIGUOUS, at, text)
                .hint("give each entry a fullUrl of its own, e.g. urn:uuid:…")
        };
        clashes.map(issue).collect()
    }

    /// The resources that the focal one leads to, itself first.
    pub fn reachable(&self, definitions: &Definitions) -> Vec<&Value> {
        let mut reached = vec![self.focal()];
        self.walk(definitions, &mut |_, _, target| {
            if let Some(target) = target {
                reached.push(target);
            }
        });
        let mut seen = HashSet::new();
        reached.retain(|each| seen.insert(std::ptr::from_ref::<Value>(each)));
        reached
    }

    /// Visits every Reference that the focal resource leads to, over any number of steps.
    fn walk<'a>(&'a self, definitions: &Definitions, visit: &mut dyn FnMut(bool, &Met<'a, '_>, Option<&'a Value>)) {
        let mut todo = vec![self.focal()];
        let mut seen: HashSet<*const Value> = HashSet::from([std::ptr::from_ref(self.focal())]);
        while let Some(resource) = todo.pop() {
            let at = self.path_of(resource).unwrap_or_default();
            let focal = std::ptr::eq(resource, self.focal());
            reference::each(definitions, resource, &Path::root(&at), &mut |met| {
                let target = self.resolve(resource, met.reference);
                visit(focal, &met, target);
                // Contained resources are walked with the one that holds them.
                let whole = target.filter(|target| self.holder(target).is_some_and(|(_, inside)| inside.is_none()));
                todo.extend(whole.filter(|target| seen.insert(std::ptr::from_ref(*target))));
            });
        }
    }

    /// References that lead nowhere yet.
    pub fn unresolved(&self, definitions: &Definitions) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        self.walk(definitions, &mut |focal, met, target| {
            if target.is_none() {
                wanted.extend(want(focal, met));
            }
        });
        wanted
    }

    /// References to a resource of a type that is not allowed there.
    pub fn check_targets(&self, definitions: &Definitions) -> Vec<Issue> {
        let mut issues = Vec::new();
        self.walk(definitions, &mut |focal, met, target| {
            let wrong = target.map(kind).filter(|kind| !met.element.may_point_to(kind));
            if let Some(kind) = wrong {
                let text = format!("the reference leads to a {kind}");
                let hint = format!("point to one of: {}", met.element.targets.join(", "));
                let issue = Issue::error(codes::REFERENCE_TYPE, Place::FhirPath(met.path.text()), text).hint(hint);
                issues.push(if focal { issue } else { Issue { severity: Severity::Warning, ..issue } });
            }
        });
        issues
    }
}

/// What is left to say of references that the store could not serve either.
pub fn unresolved_issues(wanted: &[Wanted]) -> Vec<Issue> {
    wanted.iter().filter(|each| each.identifier.is_none() || each.needed).map(unresolved_issue).collect()
}

fn unresolved_issue(wanted: &Wanted) -> Issue {
    let kinds = if wanted.kinds.is_empty() { "resource".to_owned() } else { wanted.kinds.join(" or ") };
    let hint = match &wanted.reference {
        Some((kind, _)) => format!("add the {kind} to the Bundle, or post it to /fhir/{kind} first"),
        None => format!("add the {kinds} to the Bundle; references to other systems are never fetched"),
    };
    let severity = if wanted.needed { Severity::Error } else { Severity::Warning };
    let at = Place::FhirPath(wanted.path.clone());
    Issue { severity, ..Issue::error(codes::REFERENCE_UNRESOLVED, at, "the reference leads nowhere").hint(hint) }
}

fn want(focal: bool, met: &Met<'_, '_>) -> Option<Wanted> {
    let path = met.path.text();
    let literal = Literal::of(met.reference);
    let identifier = met.reference.get("identifier").and_then(system_and_value);
    if literal.is_none() && identifier.is_none() {
        return None;
    }
    let relative = literal.filter(|literal| matches!(literal, Literal::Relative(_)));
    let reference = relative.and_then(Literal::kind_and_id);
    let pair = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
    Some(Wanted {
        // A reference that has an identifier too can do without its target.
        needed: focal && identifier.is_none() && NEEDED.contains(&plain(&path).as_str()),
        path,
        reference: reference.map(pair),
        identifier: identifier.map(pair),
        kinds: met.element.targets.clone(),
    })
}

/// A path without its numbers and types: `Claim.diagnosis[0].diagnosis.ofType(Reference)` → `Claim.diagnosis.diagnosis`.
fn plain(path: &str) -> String {
    let steps = path.split('.').filter(|step| !step.starts_with("ofType("));
    let names: Vec<&str> = steps.map(|step| step.split_once('[').map_or(step, |(name, _)| name)).collect();
    names.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Folder;
    use serde_json::json;

    fn definitions() -> Definitions {
        Definitions::load(&Folder::ShippedConformance).unwrap()
    }

    fn claim() -> Value {
        json!({
            "resourceType": "Claim", "id": "c",
            "patient": { "reference": "Patient/p" },
            "provider": { "reference": "urn:uuid:5d9588d8-3cd6-4b32-8fb7-ad13694e069d" },
            "insurance": [{ "sequence": 1, "focal": true, "coverage": { "reference": "#cov" } }],
            "insurer": { "identifier": { "system": "s", "value": "payer" } },
            "contained": [{ "resourceType": "Coverage", "id": "cov", "beneficiary": { "reference": "#pat" } },
                          { "resourceType": "Patient", "id": "pat" }],
        })
    }

    fn bundle() -> Value {
        json!({ "resourceType": "Bundle", "type": "collection", "entry": [
            { "fullUrl": "https://ehr/fhir/Patient/p", "resource": { "resourceType": "Patient", "id": "p",
              "managingOrganization": { "reference": "Organization/o" } } },
            { "fullUrl": "https://ehr/fhir/Claim/c", "resource": claim() },
            { "fullUrl": "urn:uuid:5d9588d8-3cd6-4b32-8fb7-ad13694e069d", "resource": { "resourceType": "Organization" } },
            { "resource": { "resourceType": "Organization", "identifier": [{ "system": "s", "value": "payer" }] } },
        ]})
    }

    fn collected(body: Value) -> Resources {
        collect(body, &Limits::default()).unwrap()
    }

    #[test]
    fn resolves_by_every_way_of_writing() {
        let resources = collected(bundle());
        let focal = resources.focal();
        let kind_of = |reference: &Value| resources.resolve(focal, reference).map(kind);
        assert_eq!(kind_of(&focal["patient"]), Some("Patient"));
        assert_eq!(kind_of(&focal["provider"]), Some("Organization"));
        assert_eq!(kind_of(&focal["insurance"][0]["coverage"]), Some("Coverage"));
        assert_eq!(kind_of(&focal["insurer"]), Some("Organization"));
        assert_eq!(kind_of(&json!({ "reference": "https://ehr/fhir/Patient/p/_history/2" })), Some("Patient"));
        assert_eq!(kind_of(&json!({ "reference": "https://other/fhir/Patient/p" })), None);
        assert_eq!(kind_of(&json!({ "display": "somebody" })), None);
        let coverage = resources.resolve(focal, &json!({ "reference": "#cov" })).unwrap();
        assert_eq!(resources.resolve(coverage, &coverage["beneficiary"]).map(kind), Some("Patient"));
        assert_eq!(resources.resolve(coverage, &json!({ "reference": "#" })).map(kind), Some("Claim"));
    }

    #[test]
    fn places_are_those_of_the_caller() {
        let resources = collected(bundle());
        let focal = resources.focal();
        let at = |reference| resources.path_of(resources.resolve(focal, &reference).unwrap()).unwrap();
        assert_eq!(resources.focal_path(), "Claim");
        assert_eq!(at(json!({ "reference": "Patient/p" })), "Bundle.entry[0].resource.ofType(Patient)");
        assert_eq!(at(json!({ "reference": "#cov" })), "Claim.contained[0].ofType(Coverage)");
    }

    #[test]
    fn the_store_is_asked_for_what_is_missing_and_lends_it() {
        let definitions = definitions();
        let mut resources = collected(claim());
        let wanted = resources.unresolved(&definitions);
        let paths: Vec<&str> = wanted.iter().map(|each| each.path.as_str()).collect();
        assert_eq!(paths, ["Claim.patient", "Claim.provider", "Claim.insurer"]);
        assert_eq!(wanted[0].reference, Some(("Patient".into(), "p".into())));
        assert_eq!(wanted[2].identifier, Some(("s".into(), "payer".into())));
        let issues = unresolved_issues(&wanted);
        assert_eq!(issues.len(), 2);
        assert!(issues.iter().all(|issue| issue.code == codes::REFERENCE_UNRESOLVED && issue.is_error()));
        resources.add_stored("Patient", "p", json!({ "resourceType": "Patient", "id": "p" }), &wanted[0]);
        assert_eq!(resources.unresolved(&definitions).len(), 2);
        let patient = resources.resolve(resources.focal(), &json!({ "reference": "Patient/p" })).unwrap();
        assert_eq!(resources.path_of(patient).unwrap(), "Claim.patient.resolve()");
    }

    #[test]
    fn what_is_far_from_the_claim_is_a_warning() {
        let definitions = definitions();
        let wanted = collected(bundle()).unresolved(&definitions);
        assert_eq!(wanted.len(), 1);
        assert_eq!(wanted[0].path, "Bundle.entry[0].resource.ofType(Patient).managingOrganization");
        assert!(!wanted[0].needed && !unresolved_issues(&wanted)[0].is_error());
    }

    #[test]
    fn a_reference_to_the_wrong_type_is_named() {
        let mut body = bundle();
        body["entry"][1]["resource"]["patient"] =
            json!({ "reference": "urn:uuid:5d9588d8-3cd6-4b32-8fb7-ad13694e069d" });
        let issues = collected(body).check_targets(&definitions());
        assert_eq!(issues.len(), 1);
        assert_eq!((issues[0].code, &issues[0].at), (codes::REFERENCE_TYPE, &Place::FhirPath("Claim.patient".into())));
    }

    #[test]
    fn one_fullurl_is_one_resource() {
        let mut body = bundle();
        body["entry"][3]["fullUrl"] = json!("https://ehr/fhir/Patient/p");
        let issues = collected(body).validate(&definitions());
        assert!(issues.iter().any(|issue| issue.code == codes::REFERENCE_AMBIGUOUS));
    }

    #[test]
    fn refuses_what_is_no_submission() {
        let refused = |body| collect(body, &Limits::default()).err().map(|fault| fault.issues[0].code);
        assert_eq!(
            refused(json!({ "resourceType": "Bundle", "type": "searchset", "entry": [] })),
            Some(codes::BUNDLE_SHAPE)
        );
        assert_eq!(refused(json!({ "resourceType": "Bundle", "type": "collection" })), Some(codes::BUNDLE_SHAPE));
        assert_eq!(refused(json!({ "resourceType": "Patient" })), Some(codes::BUNDLE_SHAPE));
        assert_eq!(refused(json!({ "resourceType": "Parameters" })), Some(codes::BUNDLE_SHAPE));
        assert_eq!(refused(json!([])), Some(codes::BUNDLE_SHAPE));
        let parameters =
            json!({ "resourceType": "Parameters", "parameter": [{ "name": "resource", "resource": bundle() }] });
        assert_eq!(refused(parameters), None);
    }

    #[test]
    fn entries_are_limited() {
        let limits = Limits { bundle_entries: 4, ..Limits::default() };
        assert!(collect(bundle(), &limits).is_ok());
        let limits = Limits { bundle_entries: 3, ..limits };
        assert_eq!(collect(bundle(), &limits).err().unwrap().issues[0].code, codes::TOO_MANY);
    }

    #[test]
    fn several_claims_share_a_bundle_but_a_replaced_one_is_past() {
        let mut body = bundle();
        let second = json!({ "resource": { "resourceType": "Claim", "id": "d" } });
        body["entry"].as_array_mut().unwrap().push(second);
        assert!(collect(body.clone(), &Limits::default()).is_err());
        let each = collect_each(body.clone(), &Limits::default()).unwrap();
        assert_eq!(each.iter().map(Resources::focal_number).collect::<Vec<_>>(), [1, 4]);
        // Each is judged by what it uses itself.
        assert!(each[1].validate(&definitions()).iter().all(|issue| !issue.at.to_string().contains("Patient")));
        body["entry"][1]["resource"]["related"] = json!([{ "claim": { "reference": "Claim/d" } }]);
        assert_eq!(collected(body).focal_number(), 1);
    }
}
