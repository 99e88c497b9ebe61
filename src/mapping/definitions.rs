//! FHIR's definitions, as the checks of mappings ask them.

use super::source::{FhirElement, FhirTypes};
use crate::fhir::bundle::Resources;
use crate::fhir::definitions::{Definitions, ElementDefinition};
use crate::mapping::fhirpath::eval::Resolver;
use serde_json::Value;

impl FhirTypes for Definitions {
    fn knows(&self, name: &str) -> bool {
        self.has_type(name)
    }

    fn element(&self, of: &str, name: &str) -> Option<FhirElement> {
        Definitions::element(self, of, name).filter(|element| element.name == name).map(element_of)
    }

    fn names(&self, of: &str) -> Vec<String> {
        let elements = self.type_of(of).map(|found| found.elements.as_slice()).unwrap_or_default();
        elements.iter().map(|element| element.name.clone()).collect()
    }
}

fn element_of(element: &ElementDefinition) -> FhirElement {
    FhirElement {
        types: element.types.iter().map(|kind| kind.name.clone()).collect(),
        choice: element.choice,
        targets: element.targets.clone(),
        required: element.min > 0,
        many: element.list,
    }
}

impl Resolver for Resources {
    fn resolve<'a>(&'a self, container: &Value, reference: &Value) -> Option<&'a Value> {
        Resources::resolve(self, container, reference)
    }

    fn all(&self) -> Vec<&Value> {
        self.entries().chain(self.stored()).map(|(_, resource)| resource).collect()
    }

    fn path_of(&self, resource: &Value) -> Option<String> {
        Resources::path_of(self, resource)
    }
}
