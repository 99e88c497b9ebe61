//! Reads a folder of mappings and compiles each. Nothing stops at
//! the first mistake: a folder is taken whole or not at all.

use super::Mappings;
use super::fhirpath::compile::{Compiler, Variable, VariableExpr};
use super::files::Files;
use super::guided::GuideCompiler;
use super::maker::Source;
use super::mistakes::{Mistakes, did_you_mean};
use super::needs::Words;
use super::object::ObjectCompiler;
use super::origins::Origins;
use super::record::{Common, DocumentMapping, DocumentShape, GIVEN, RecordMapping, ResponseMapping};
use super::source::{FhirTypes, Type, shape};
use super::tables::Tables;
use super::target::Target;
use super::template::{Templates, frame, parts};
use super::transaction::TransactionMapping;
use super::verdicts::Judge;
use super::yaml::{Key, Node, Spot};
use crate::assets::Folder;
use crate::fault::{Blame, Fault, Issue, Retry, any_error, codes};
use crate::fhir::definitions::Definitions;
use crate::x12::guide::Guides;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The keys of a mapping's head.
const HEADER: &[&str] = &["from", "makes", "guide", "extends", "over", "let", "templates", "body"];

impl Mappings {
    /// Reads and compiles everything below the folder; all mistakes at once.
    pub fn load(folder: &Folder, guides: &Guides, definitions: &Definitions) -> Result<Mappings, Fault> {
        match Mappings::read(folder, guides, definitions) {
            (mappings, issues) if issues.is_empty() => Ok(mappings),
            (_, issues) => Err(Fault { issues, blame: Blame::Gateway, retry: Retry::Never }),
        }
    }

    /// The same, as far as it could be understood. When anything is wrong all issues come beside it, else there are none:
    /// warnings stay with the mappings.
    pub fn read(folder: &Folder, guides: &Guides, definitions: &Definitions) -> (Mappings, Vec<Issue>) {
        let mut mistakes = Mistakes::default();
        let tables = Arc::new(Tables::load(folder, &mut mistakes.issues));
        let files = Files::read(folder, &mut mistakes);
        let whole = files.overlaid(&mut mistakes);
        let (records, transactions, responses, documents) = Default::default();
        let origins = Origins::read(folder, &mut mistakes);
        let (version, warnings) = (version(folder), Vec::new());
        let mut mappings = Mappings { version, warnings, origins, records, transactions, responses, documents };
        for (name, node) in whole.iter().filter(|(name, node)| !files.is_part(name, node)) {
            let loader = Loader { guides, definitions, tables: &tables, mistakes: &mut mistakes };
            loader.mapping(name, node, &mut mappings);
        }
        mistakes.settle();
        if any_error(&mistakes.issues) {
            return (mappings, mistakes.issues);
        }
        mappings.warnings = mistakes.issues;
        (mappings, Vec::new())
    }
}

/// The first twelve digits of the hash over all files, names and content.
fn version(folder: &Folder) -> String {
    let mut hash = Sha256::new();
    for path in
        folder.list("").iter().filter(|path| [".yaml", ".tsv", ".json"].iter().any(|ending| path.ends_with(ending)))
    {
        for part in [path.as_str(), folder.text(path).unwrap_or_default().as_str()] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

struct Loader<'l> {
    guides: &'l Guides,
    definitions: &'l Definitions,
    tables: &'l Arc<Tables>,
    mistakes: &'l mut Mistakes,
}

impl Loader<'_> {
    fn mapping(mut self, name: &str, node: &Node, mappings: &mut Mappings) {
        let Node::Map(at, entries) = node else {
            return self.mistakes.add(codes::MAPPING_SYNTAX, node.at(), "this is no mapping", "see mappings/README.md");
        };
        let Some(from) = self.from(node, at) else { return };
        let makes = node.get("makes").and_then(Node::text).unwrap_or_default();
        match (node.get("guide"), makes) {
            (Some(guide), "") => {
                if let Some(mapping) = self.transaction(entries, node, from, guide) {
                    mappings.transactions.insert(name.to_owned(), Arc::new(mapping));
                }
            }
            (None, "BillingRecord") => {
                if let Some(mapping) = self.record(entries, node, from) {
                    mappings.records.insert(name.to_owned(), Arc::new(mapping));
                }
            }
            (None, makes) if DocumentShape::named(makes).is_some() => {
                if let Some(mapping) = self.document(entries, node, from, makes) {
                    mappings.documents.insert(name.to_owned(), Arc::new(mapping));
                }
            }
            (None, makes) if self.definitions.is_resource(makes) => {
                if let Some(mapping) = self.response(entries, node, from, makes) {
                    mappings.responses.insert(name.to_owned(), Arc::new(mapping));
                }
            }
            _ => {
                let text = "it is not said what this mapping makes";
                let hint = "write `guide: 005010X222A1`, `makes: BillingRecord`, `makes: JSON`, `makes: CSV`, or `makes:` and a FHIR resource type";
                self.mistakes.add(codes::MAPPING_SYNTAX, at, text, hint);
            }
        }
    }

    /// The type that is read.
    fn from(&mut self, node: &Node, at: &Spot) -> Option<(Type, Source, String)> {
        let Some(from) = node.get("from") else {
            self.mistakes.add(
                codes::MAPPING_SYNTAX,
                at,
                "`from` is missing",
                "write `from: Claim` or `from: BillingRecord`",
            );
            return None;
        };
        let name = from.text().unwrap_or_default();
        match shape(name) {
            Some(shape) if name == "BillingRecord" => Some((Type::Record(shape), Source::Record, String::new())),
            Some(shape) => Some((Type::Record(shape), Source::Answer, String::new())),
            None if name == "Bundle" => Some((Type::Any, Source::Fhir, name.to_owned())),
            None if self.definitions.is_resource(name) => Some((Type::fhir(name), Source::Fhir, name.to_owned())),
            None => {
                let known =
                    self.definitions.resource_types().chain(["BillingRecord", "PayerResponse", "Remittance", "Bundle"]);
                let hint = did_you_mean(name, known);
                self.mistakes.add(codes::MAPPING_SOURCE, from.at(), format!("`{name}` can't be read"), hint);
                None
            }
        }
    }

    fn record(&mut self, entries: &[(Key, Node)], node: &Node, from: (Type, Source, String)) -> Option<RecordMapping> {
        let target = Target::Record(shape("BillingRecord")?);
        let (common, rules) = self.object(entries, node, from, &target)?;
        Some(RecordMapping { common, rules })
    }

    fn response(
        &mut self,
        entries: &[(Key, Node)],
        node: &Node,
        from: (Type, Source, String),
        makes: &str,
    ) -> Option<ResponseMapping> {
        let (common, rules) = self.object(entries, node, from, &Target::Fhir(makes.to_owned()))?;
        Some(ResponseMapping { common, rules, makes: makes.to_owned() })
    }

    fn document(
        &mut self,
        entries: &[(Key, Node)],
        node: &Node,
        from: (Type, Source, String),
        makes: &str,
    ) -> Option<DocumentMapping> {
        let shape = DocumentShape::named(makes)?;
        let (common, rules) = self.object(entries, node, from, &Target::Any)?;
        Some(DocumentMapping { common, rules, shape })
    }

    fn object(
        &mut self,
        entries: &[(Key, Node)],
        node: &Node,
        (kind, source, root): (Type, Source, String),
        target: &Target,
    ) -> Option<(Common, super::object::Rules)> {
        self.check_header(entries);
        let Some(body) = node.get("body") else {
            self.mistakes.add(
                codes::MAPPING_SYNTAX,
                node.at(),
                "`body` is missing",
                "write the template below `body:`",
            );
            return None;
        };
        let templates = self.templates(node);
        let types: &dyn FhirTypes = self.definitions;
        let mut compiler = compiler(types, self.tables, &kind, self.mistakes);
        let head = head(entries);
        let parts = parts(node.at(), &head, &templates, &|_| false, compiler.mistakes);
        let (frame, _) = frame(&mut compiler, &parts, &kind);
        let rules =
            ObjectCompiler { compiler: &mut compiler, templates: &templates, types }.rules(body, target, false, &kind);
        let Compiler { slots, words, .. } = compiler;
        let judge = Judge::default();
        Some((Common { tables: self.tables.clone(), slots, words, judge, source, root, frame }, rules))
    }

    fn transaction(
        &mut self,
        entries: &[(Key, Node)],
        node: &Node,
        (kind, source, root): (Type, Source, String),
        guide: &Node,
    ) -> Option<TransactionMapping> {
        let id = guide.text().unwrap_or_default();
        let Some(found) = self.guides.get(id) else {
            let hint = did_you_mean(id, self.guides.iter().map(|guide| &guide.id));
            self.mistakes.add(codes::MAPPING_TARGET, guide.at(), format!("there is no guide {id}"), hint);
            return None;
        };
        let templates = self.templates(node);
        let mut compiler = compiler(self.definitions, self.tables, &kind, self.mistakes);
        let head = head(entries);
        let parts = parts(node.at(), &head, &templates, &|_| false, compiler.mistakes);
        let (frame, _) = frame(&mut compiler, &parts, &kind);
        let body: Vec<(Key, Node)> =
            entries.iter().filter(|(key, _)| !HEADER.contains(&key.name.as_str())).cloned().collect();
        let mut guided =
            GuideCompiler { compiler: &mut compiler, templates: &templates, guide: found, ruled: BTreeSet::new() };
        let loops = guided.top(&body, guide.at(), &kind);
        let Compiler { slots, words, .. } = compiler;
        let judge = Judge::default();
        let common = Common { tables: self.tables.clone(), slots, words, judge, source, root, frame };
        Some(TransactionMapping { guide: found.clone(), common, loops })
    }

    fn check_header(&mut self, entries: &[(Key, Node)]) {
        for (key, _) in entries.iter().filter(|(key, _)| !HEADER.contains(&key.name.as_str())) {
            let text = format!("`{}` is no key of a mapping's head", key.name);
            self.mistakes.add(codes::MAPPING_TARGET, &key.at, text, did_you_mean(&key.name, HEADER));
        }
    }

    fn templates<'n>(&mut self, node: &'n Node) -> Templates<'n> {
        match node.get("templates") {
            Some(Node::Map(_, entries)) => entries.iter().map(|(key, node)| (key.name.as_str(), node)).collect(),
            Some(other) => {
                let hint = "write names with objects below `templates:`";
                self.mistakes.add(codes::MAPPING_SYNTAX, other.at(), "`templates` takes objects by name", hint);
                Templates::new()
            }
            None => Templates::new(),
        }
    }
}

/// The `let` of the head, as an object of its own.
pub fn head(entries: &[(Key, Node)]) -> Vec<(Key, Node)> {
    entries.iter().filter(|(key, _)| key.name == "let").cloned().collect()
}

/// A compiler with the variables that every mapping has.
pub fn compiler<'c>(
    types: &'c dyn FhirTypes,
    tables: &'c Tables,
    from: &Type,
    mistakes: &'c mut Mistakes,
) -> Compiler<'c> {
    let given = |name: &str| match name {
        "claim" => Type::fhir("Claim"),
        "previous" => Type::fhir("ClaimResponse"),
        "record" => shape("BillingRecord").map_or(Type::Any, Type::Record),
        _ => Type::Any,
    };
    let mut variables: Vec<Variable> = [
        ("now", Type::Time, VariableExpr::Now),
        ("index", Type::Integer, VariableExpr::EachIndex),
        ("context", from.clone(), VariableExpr::Context),
        ("resource", Type::Any, VariableExpr::Resource),
    ]
    .into_iter()
    .map(|(name, kind, expr)| Variable { name: name.to_owned(), kind, expr })
    .collect();
    for (slot, name) in GIVEN.iter().enumerate() {
        variables.push(Variable { name: (*name).to_owned(), kind: given(name), expr: VariableExpr::Slot(slot) });
    }
    Compiler { types: Some(types), tables, variables, slots: GIVEN.len(), words: Words::default(), mistakes }
}
