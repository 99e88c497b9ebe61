//! FHIR R4 ConceptMaps as code tables. A row is `element.code` → the first `target.code` that is not `unmatched` or
//! `disjoint`; it is found by the code alone and, where lists of several systems share a code, by `system|code`.
//! `group.unmapped` of mode `fixed` stands for every other code.

use super::Table;
use crate::fault::{Issue, Place, codes};
use serde_json::Value;
use std::collections::HashSet;

/// Reads the text of a ConceptMap; what is wrong is added to the issues, each with the path of its element.
pub fn parse(name: &str, path: &str, text: &str, issues: &mut Vec<Issue>) -> Table {
    let mut map = Map { path, table: Table::empty(name), several: HashSet::new(), issues };
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value["resourceType"] == "ConceptMap" => map.take(&value),
        Ok(_) => map.wrong(1, 1, "this is no ConceptMap", "set resourceType to ConceptMap"),
        Err(error) => {
            let text = format!("this is not JSON: {error}");
            map.wrong(error.line() as u32, error.column() as u32, &text, "correct the file");
        }
    }
    map.table
}

struct Map<'m> {
    path: &'m str,
    table: Table,
    /// Codes with different translations in different systems: found by `system|code` only.
    several: HashSet<String>,
    issues: &'m mut Vec<Issue>,
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

impl Map<'_> {
    fn wrong(&mut self, line: u32, column: u32, text: &str, hint: &str) {
        let at = Place::File { path: self.path.to_owned(), line, column };
        self.issues.push(Issue::error(codes::MAPPING_SYNTAX, at, text).hint(hint));
    }

    fn take(&mut self, map: &Value) {
        for (g, group) in list(&map["group"]).iter().enumerate() {
            let system = group["source"].as_str();
            for (e, element) in list(&group["element"]).iter().enumerate() {
                let Some(code) = element["code"].as_str() else {
                    self.wrong(1, 1, &format!("group[{g}].element[{e}] has no code"), "add the code");
                    continue;
                };
                let meant = |target: &&Value| !matches!(target["equivalence"].as_str(), Some("unmatched" | "disjoint"));
                let target = list(&element["target"]).iter().find(meant).and_then(|target| target["code"].as_str());
                if let Some(target) = target {
                    self.row(system, code, target);
                }
            }
            if group["unmapped"]["mode"] == "fixed" {
                self.table.fallback = group["unmapped"]["code"].as_str().map(str::to_owned);
            }
        }
        if self.table.is_empty() {
            self.wrong(1, 1, "the ConceptMap translates nothing", "add group.element with target.code");
        }
    }

    fn row(&mut self, system: Option<&str>, code: &str, target: &str) {
        if let Some(system) = system {
            self.table.put(&format!("{system}|{code}"), target);
        }
        if !self.several.contains(code) && self.table.put(code, target) {
            self.table.take_out(code);
            self.several.insert(code.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r#"{"resourceType": "ConceptMap", "status": "active", "group": [
        {"source": "urn:a", "target": "urn:t", "element": [
            {"code": "x", "target": [{"code": "1", "equivalence": "equivalent"}]},
            {"code": "y", "target": [{"equivalence": "unmatched"}, {"code": "2", "equivalence": "wider"}]},
            {"code": "z", "target": [{"equivalence": "unmatched"}]}],
         "unmapped": {"mode": "fixed", "code": "9"}},
        {"source": "urn:b", "element": [{"code": "x", "target": [{"code": "3", "equivalence": "equal"}]}]}]}"#;

    #[test]
    fn concept_maps_translate() {
        let mut issues = Vec::new();
        let table = parse("t", "codes/t.json", MAP, &mut issues);
        assert_eq!(issues, []);
        let found = ["y", "z", "other", "urn:a|x", "urn:b|x", "x"].map(|code| table.get(code));
        // By its code alone x means two things: only with its system it is translated.
        assert_eq!(found, [Some("2"), Some("9"), Some("9"), Some("1"), Some("3"), Some("9")]);
    }

    #[test]
    fn what_is_no_concept_map_is_told() {
        let told = |text: &str| {
            let mut issues = Vec::new();
            parse("t", "codes/t.json", text, &mut issues);
            issues.iter().map(|issue| format!("{} {}", issue.at, issue.text)).collect::<Vec<_>>()
        };
        assert_eq!(told("{\n]"), ["codes/t.json:2:1 this is not JSON: key must be a string at line 2 column 1"]);
        assert_eq!(told("{}"), ["codes/t.json:1:1 this is no ConceptMap"]);
        assert_eq!(told(r#"{"resourceType": "ConceptMap"}"#), ["codes/t.json:1:1 the ConceptMap translates nothing"]);
    }
}
