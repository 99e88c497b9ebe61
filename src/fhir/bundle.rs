//! What one submission consists of: the focal resource and everything that its references lead to, from the caller's own
//! Bundle or from the store.

use crate::fault::{Fault, Issue, Place, Severity, codes};
use crate::fhir::definitions::Definitions;
use crate::fhir::entries::{Entry, Given, contained, has_id, identifiers, kind, system_and_value};
use crate::fhir::named;
use crate::fhir::path::Path;
use crate::fhir::reference::{self, Literal, Met};
use crate::fhir::validate;
use crate::json;
use serde_json::Value;
use std::collections::HashSet;

/// The resources of one submission.
pub struct Resources {
    given: Given,
    focal: usize,
    /// What the store lent.
    stored: Vec<Entry>,
}

/// A reference that leads nowhere yet: what the store should be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where the reference stands.
    pub path: String,
    /// `Reference.reference` as it is written.
    pub text: Option<String>,
    /// Type and id, of a relative reference.
    pub reference: Option<(String, String)>,
    /// System and value, of a logical reference.
    pub identifier: Option<(String, String)>,
    /// Resource types that the element allows; empty is any.
    pub kinds: Vec<String>,
}

impl Resources {
    /// One submission from a Bundle of at most so many entries, from Parameters with a `resource`, or from a lone resource.
    pub fn collect(body: Value, entries_max: usize) -> Result<Resources, Fault> {
        let given = Given::take(body, entries_max)?;
        match given.focals().as_slice() {
            [focal] => Ok(Resources { focal: *focal, given, stored: Vec::new() }),
            [] => {
                let text = "there is nothing to submit: no Claim, CoverageEligibilityRequest or Encounter";
                let hint = "send a Claim, alone or as the first entry of a Bundle with the resources it refers to";
                Err(Fault::refuse(codes::BUNDLE_SHAPE, Place::Whole, text, hint))
            }
            several => {
                let text = format!("the Bundle holds {} resources to be submitted; one is taken here", several.len());
                let hint = "post them as a Bundle of type batch to /fhir, or send one Bundle each";
                Err(Fault::refuse(codes::BUNDLE_SHAPE, Place::FhirPath("Bundle.entry".into()), text, hint))
            }
        }
    }

    /// Resources that are only to be stored: no submission has to be among them.
    pub fn gather(body: Value, entries_max: usize) -> Result<Resources, Fault> {
        let given = Given::take(body, entries_max)?;
        if given.entries.is_empty() {
            let text = "the Bundle holds no resource";
            return Err(Fault::refuse(
                codes::BUNDLE_SHAPE,
                Place::FhirPath("Bundle.entry".into()),
                text,
                "add an entry",
            ));
        }
        Ok(Resources { focal: given.focals().first().copied().unwrap_or(0), given, stored: Vec::new() })
    }

    /// The resource that is submitted.
    pub fn focal(&self) -> &Value {
        &self.given.entries[self.focal].value
    }

    /// Its type, which is its path.
    pub fn focal_path(&self) -> &str {
        kind(self.focal())
    }

    /// The caller's own resources, each with its path.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.given.entries.iter().map(|entry| (self.path(entry), &entry.value))
    }

    /// The caller's own resources, in the order of the Bundle.
    pub fn handed_in(&self) -> impl Iterator<Item = &Value> {
        self.given.entries.iter().map(|entry| &entry.value)
    }

    /// What the store lent: reference and resource.
    pub fn stored(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.stored.iter().filter_map(|entry| Some((entry.full_url.as_deref()?, &entry.value)))
    }

    fn path<'a>(&'a self, entry: &'a Entry) -> &'a str {
        if std::ptr::eq(&entry.value, self.focal()) { self.focal_path() } else { &entry.path }
    }

    /// The caller's Bundle without its resources.
    pub fn shell(&self) -> Option<&Value> {
        self.given.shell.as_ref()
    }

    fn all(&self) -> impl Iterator<Item = &Entry> {
        self.given.entries.iter().chain(&self.stored)
    }

    /// Lends a resource of the store that a [`Wanted`] asked for.
    pub fn add_stored(&mut self, kind: &str, id: &str, value: Value) {
        self.stored.push(Entry {
            full_url: Some(format!("{kind}/{id}")),
            value,
            path: format!("{kind}.where(id='{id}')"),
            number: 0,
        });
    }

    /// Makes resources of the references that only name someone whom nobody knows better.
    pub fn add_named(&mut self, definitions: &Definitions) {
        let mut found = Vec::new();
        self.walk(definitions, &mut |_, met, target| {
            if let (None, Some(value)) = (target, named::described(met)) {
                found.push(Entry { full_url: None, value, path: format!("{}.resolve()", met.path.text()), number: 0 });
            }
        });
        self.stored.extend(found);
    }

    /// Where a resource stands, for issues: `Claim`, `Bundle.entry[3].resource.ofType(Coverage)`; of a stored one its name.
    pub fn path_of(&self, resource: &Value) -> Option<String> {
        let (entry, contained) = self.holder(resource)?;
        let at = self.path(entry);
        Some(match contained {
            Some(n) => format!("{at}.contained[{n}].ofType({})", kind(resource)),
            None => at.to_owned(),
        })
    }

    /// The entry that a resource is or is contained in.
    fn holder(&self, resource: &Value) -> Option<(&Entry, Option<usize>)> {
        if let Some(entry) = self.all().find(|entry| std::ptr::eq(&entry.value, resource)) {
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
            let holder = &holder?.value;
            return if id.is_empty() { Some(holder) } else { contained(holder).find(|each| has_id(each, id)) };
        }
        let from = holder.and_then(|entry| entry.full_url.as_deref());
        let given = self.given.literal(from, literal).and_then(|n| self.given.entries.get(n));
        let found = given.or_else(|| self.lent(literal));
        found.map(|entry| &entry.value).or_else(|| self.logical(reference))
    }

    fn lent(&self, literal: Literal<'_>) -> Option<&Entry> {
        let Literal::Relative(relative) = literal else { return None };
        self.stored.iter().find(|entry| entry.full_url.as_deref() == Some(relative))
    }

    fn logical(&self, reference: &Value) -> Option<&Value> {
        let wanted = json::property(reference, "identifier").and_then(system_and_value)?;
        let of = json::text(reference, "type");
        let fits = |value: &&Value| {
            of.is_none_or(|of| kind(value) == of)
                && identifiers(value).any(|each| system_and_value(each) == Some(wanted))
        };
        self.all().map(|entry| &entry.value).find(fits)
    }

    /// Everything that is wrong with the structure of what the caller sent.
    pub fn validate(&self, definitions: &Definitions) -> Vec<Issue> {
        let mut issues = self.given.shell.as_ref().map(|shell| validate::shell(definitions, shell)).unwrap_or_default();
        for (at, resource) in self.entries() {
            issues.extend(validate::resource(definitions, resource, at));
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

    /// Visits every Reference that the focal resource leads to, over any number of steps. To an Encounter belongs also what
    /// refers to it, which is everything that came along.
    fn walk<'a>(&'a self, definitions: &Definitions, visit: &mut dyn FnMut(bool, &Met<'a, '_>, Option<&'a Value>)) {
        let mut todo = vec![self.focal()];
        if self.focal_path() == "Encounter" {
            todo.extend(self.all().map(|entry| &entry.value).filter(|value| !std::ptr::eq(*value, self.focal())));
        }
        let mut seen: HashSet<*const Value> = todo.iter().map(|value| std::ptr::from_ref(*value)).collect();
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
        self.references(definitions).0
    }

    /// References that lead nowhere yet, and complaints about those that lead to a resource of a type that is not allowed
    /// there.
    pub fn references(&self, definitions: &Definitions) -> (Vec<Wanted>, Vec<Issue>) {
        let (mut wanted, mut issues) = (Vec::new(), Vec::new());
        self.walk(definitions, &mut |focal, met, target| match target.map(kind) {
            None => wanted.extend(want(met)),
            Some(kind) if met.element.may_point_to(kind) => {}
            Some(kind) => issues.push(wrong_target(focal, met, kind)),
        });
        (wanted, issues)
    }
}

/// A reference to a resource of the wrong type. Beside what is submitted it is only said.
fn wrong_target(focal: bool, met: &Met<'_, '_>, kind: &str) -> Issue {
    let text = format!("the reference leads to a {kind}");
    let hint = format!("point to one of: {}", met.element.targets.join(", "));
    let issue = Issue::error(codes::REFERENCE_TYPE, Place::FhirPath(met.path.text()), text).hint(hint);
    if focal { issue } else { Issue { severity: Severity::Warning, ..issue } }
}

fn want(met: &Met<'_, '_>) -> Option<Wanted> {
    let literal = Literal::of(met.reference);
    let identifier = json::property(met.reference, "identifier").and_then(system_and_value);
    if literal.is_none() && identifier.is_none() {
        return None;
    }
    let relative = literal.filter(|literal| matches!(literal, Literal::Relative(_)));
    let pair = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
    Some(Wanted {
        path: met.path.text(),
        text: json::text(met.reference, "reference").map(str::to_owned),
        reference: relative.and_then(Literal::kind_and_id).map(pair),
        identifier: identifier.map(pair),
        kinds: met.element.targets.clone(),
    })
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
        Resources::collect(body, 1000).unwrap()
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
        assert_eq!(wanted[0].kinds, ["Patient"]);
        resources.add_stored("Patient", "p", json!({ "resourceType": "Patient", "id": "p" }));
        assert_eq!(resources.unresolved(&definitions).len(), 2);
        let patient = resources.resolve(resources.focal(), &json!({ "reference": "Patient/p" })).unwrap();
        assert_eq!(resources.path_of(patient).unwrap(), "Patient.where(id='p')");
    }

    #[test]
    fn references_of_what_is_referred_to_are_followed() {
        let wanted = collected(bundle()).unresolved(&definitions());
        assert_eq!(wanted.len(), 1);
        assert_eq!(wanted[0].path, "Bundle.entry[0].resource.ofType(Patient).managingOrganization");
    }

    #[test]
    fn a_reference_to_the_wrong_type_is_named() {
        let mut body = bundle();
        body["entry"][1]["resource"]["patient"] =
            json!({ "reference": "urn:uuid:5d9588d8-3cd6-4b32-8fb7-ad13694e069d" });
        let issues = collected(body).references(&definitions()).1;
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
        let refused = |body| Resources::collect(body, 1000).err().map(|fault| fault.issues[0].code);
        assert_eq!(
            refused(json!({ "resourceType": "Bundle", "type": "searchset", "entry": [] })),
            Some(codes::BUNDLE_SHAPE)
        );
        assert_eq!(refused(json!({ "resourceType": "Bundle", "type": "collection" })), Some(codes::BUNDLE_SHAPE));
        assert_eq!(refused(json!({ "resourceType": "Patient" })), Some(codes::BUNDLE_SHAPE));
        assert_eq!(refused(json!({ "resourceType": "Parameters" })), Some(codes::BUNDLE_SHAPE));
        assert_eq!(refused(json!([])), Some(codes::NOT_A_RESOURCE));
        assert_eq!(refused(json!({ "a": 1 })), Some(codes::NOT_A_RESOURCE));
        let parameters =
            json!({ "resourceType": "Parameters", "parameter": [{ "name": "resource", "resource": bundle() }] });
        assert_eq!(refused(parameters), None);
    }

    #[test]
    fn entries_are_limited() {
        assert!(Resources::collect(bundle(), 4).is_ok());
        assert_eq!(Resources::collect(bundle(), 3).err().unwrap().issues[0].code, codes::TOO_MANY);
    }

    #[test]
    fn one_claim_is_one_submission_but_a_replaced_one_is_past() {
        let mut body = bundle();
        let second = json!({ "resource": { "resourceType": "Claim", "id": "d" } });
        body["entry"].as_array_mut().unwrap().push(second);
        assert!(Resources::collect(body.clone(), 1000).is_err());
        body["entry"][1]["resource"]["related"] = json!([{ "claim": { "reference": "Claim/d" } }]);
        assert_eq!(collected(body).focal()["id"], "c");
    }
}
