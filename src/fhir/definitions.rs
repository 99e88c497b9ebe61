//! HL7's definitions of FHIR R4, read once from `conformance/fhir/`: types, their elements, and the codes of the value sets
//! that are bound as required. Names become numbers here, so that a check of a resource only compares and indexes.

use crate::assets::Folder;
use crate::fault::{Fault, Issue, Place, codes};
use crate::fhir::primitive::{self, Primitive};
use crate::fhir::suggest;
use crate::lexicon::Lexicon;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Number of a type.
pub type TypeIx = u16;
/// Number of a value set.
pub type ValueSetIx = u16;

/// Most elements of one type that can be told apart in a [`Seen`].
const ELEMENTS_MAX: usize = 128;

/// Which elements of a type were met: a bit an element.
pub type Seen = u128;

/// All of FHIR that claimgate knows.
pub struct Definitions {
    types: Vec<TypeDefinition>,
    /// Names of the types, by their number.
    names: Lexicon,
    value_sets: Vec<ValueSet>,
    pub(super) element: TypeIx,
}

/// A resource type, a data type, or the type of an element with elements of its own (`Claim.item`).
#[derive(Debug, Default)]
pub struct TypeDefinition {
    pub name: String,
    pub kind: Kind,
    pub elements: Vec<ElementDefinition>,
    /// Names as they stand in JSON, shortest first: `valueQuantity` beside `valueString`.
    properties: Vec<Property>,
    /// Those names, by the place of their property.
    names: Lexicon,
    pub(super) required: Seen,
}

/// What a type is.
#[derive(Debug, Clone, Copy, Default)]
pub enum Kind {
    #[default]
    Complex,
    Resource,
    Primitive(&'static Primitive),
    /// Any resource: `Bundle.entry.resource`.
    AnyResource,
}

/// One element of a type.
#[derive(Debug, Clone, Default)]
pub struct ElementDefinition {
    /// `item`; of a choice the name without type: `value`.
    pub name: String,
    /// Whether the type stands in the JSON name (`value[x]`).
    pub choice: bool,
    /// Types that its value can have; `Claim.item` for elements that have elements of their own.
    pub types: Vec<ElementType>,
    pub min: u32,
    /// Whether several are allowed: a JSON array.
    pub list: bool,
    /// Resource types that a Reference may point to; empty or `Resource` is any.
    pub targets: Vec<String>,
    /// Required binding, when its codes are known.
    pub binding: Option<ValueSetIx>,
    pub modifier: bool,
}

/// One type of an element.
#[derive(Debug, Clone)]
pub struct ElementType {
    pub name: String,
    pub ix: TypeIx,
    /// As it stands in JSON: `valueQuantity`.
    pub property: String,
}

/// A name in JSON: which element it is, and of which type.
#[derive(Debug, Clone)]
pub struct Property {
    pub name: String,
    pub element: u8,
    pub of: TypeIx,
}

/// Pairs of system and code.
type Codes = Vec<(Box<str>, Box<str>)>;

/// A value set whose codes are known.
#[derive(Debug, Default)]
pub struct ValueSet {
    pub name: String,
    /// Sorted.
    codes: Codes,
    /// The codes without their systems.
    bare: Lexicon,
}

impl Definitions {
    /// Reads `fhir/elements.tsv` and `fhir/codes.tsv` of the conformance folder.
    pub fn load(folder: &Folder) -> Result<Definitions, Fault> {
        let codes = text(folder, "fhir/codes.tsv")?;
        let elements = text(folder, "fhir/elements.tsv")?;
        let value_sets = value_sets(&rows(&codes));
        let rows = rows(&elements);
        let mut loader = Loader::new(&rows, value_sets);
        loader.types(&rows);
        for row in &rows {
            loader.element(row);
        }
        loader.inherit(&rows);
        loader.finish(folder)
    }

    pub fn has_type(&self, name: &str) -> bool {
        self.names.number(name).is_some()
    }

    /// Whether it is the name of a resource type that can be sent.
    pub fn is_resource(&self, name: &str) -> bool {
        self.type_of(name).is_some_and(|found| matches!(found.kind, Kind::Resource))
    }

    pub fn type_of(&self, name: &str) -> Option<&TypeDefinition> {
        self.ix(name).map(|ix| self.at(ix))
    }

    /// An element by its name: `item`, `value`, `value[x]` or `valueQuantity`.
    pub fn element(&self, type_name: &str, name: &str) -> Option<&ElementDefinition> {
        let of = self.type_of(type_name)?;
        let bare = name.strip_suffix("[x]").unwrap_or(name);
        let named = of.elements.iter().find(|element| element.name == bare);
        named.or_else(|| of.property(name).and_then(|property| of.elements.get(usize::from(property.element))))
    }

    /// All types, in the order of the file.
    pub fn types(&self) -> impl Iterator<Item = &TypeDefinition> {
        self.types.iter()
    }

    /// Names of all resource types.
    pub fn resource_types(&self) -> impl Iterator<Item = &str> {
        self.types.iter().filter(|each| matches!(each.kind, Kind::Resource)).map(|each| each.name.as_str())
    }

    /// A resource type that was meant.
    pub fn nearest_resource(&self, name: &str) -> Option<&str> {
        suggest::nearest(name, self.resource_types())
    }

    pub fn value_set(&self, ix: ValueSetIx) -> Option<&ValueSet> {
        self.value_sets.get(usize::from(ix))
    }

    pub(super) fn ix(&self, name: &str) -> Option<TypeIx> {
        self.names.number(name).and_then(|number| TypeIx::try_from(number).ok())
    }

    /// The type of a number that these definitions gave.
    pub fn at(&self, ix: TypeIx) -> &TypeDefinition {
        &self.types[usize::from(ix)]
    }
}

impl TypeDefinition {
    /// A name as it stands in JSON.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.names.number(name).and_then(|at| self.properties.get(at as usize))
    }

    /// Names as they stand in JSON.
    pub fn property_names(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().map(|property| property.name.as_str())
    }

    pub fn is_primitive(&self) -> bool {
        matches!(self.kind, Kind::Primitive(_))
    }
}

impl ElementDefinition {
    /// Whether a Reference here may point to a resource of this type.
    pub fn may_point_to(&self, kind: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|target| target == kind || target == "Resource")
    }
}

impl ValueSet {
    pub fn has_code(&self, code: &str) -> bool {
        self.bare.number(code).is_some()
    }

    pub fn has(&self, system: &str, code: &str) -> bool {
        self.codes.binary_search_by(|(s, c)| (&**s, &**c).cmp(&(system, code))).is_ok()
    }

    /// The codes, for a hint; at most so many.
    pub fn some(&self, most: usize) -> String {
        let codes: Vec<&str> = self.codes.iter().take(most).map(|(_, code)| &**code).collect();
        let more = if self.codes.len() > most { " …" } else { "" };
        codes.join(", ") + more
    }

    /// The codes of the set, without their systems.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().map(|(_, code)| &**code)
    }
}

/// A line of a table, cut into its columns.
struct Row<'t> {
    columns: [&'t str; COLUMNS],
}

/// Most columns of a table.
const COLUMNS: usize = 6;

impl<'t> Row<'t> {
    fn get(&self, n: usize) -> &'t str {
        self.columns.get(n).copied().unwrap_or_default()
    }
}

fn text(folder: &Folder, path: &str) -> Result<String, Fault> {
    folder.text(path).ok_or_else(|| broken(folder, path, "the table is missing"))
}

/// The lines of a table behind its heading; `#` begins a remark.
fn rows(text: &str) -> Vec<Row<'_>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).skip(1);
    let cut = |line| {
        let mut columns = [""; COLUMNS];
        columns.iter_mut().zip(str::split(line, '\t')).for_each(|(column, text)| *column = text);
        Row { columns }
    };
    lines.map(cut).collect()
}

fn broken(folder: &Folder, path: &str, text: &str) -> Fault {
    let at = Place::File { path: folder.display(path), line: 0, column: 0 };
    Fault { issues: vec![Issue::error(codes::CONFIGURATION, at, text)], ..Fault::ours(codes::CONFIGURATION, "") }
}

fn value_sets(rows: &[Row<'_>]) -> Vec<ValueSet> {
    let mut sets: BTreeMap<&str, Codes> = BTreeMap::new();
    for row in rows {
        let codes = row.get(2).split(' ').map(|code| (row.get(1).into(), code.into()));
        sets.entry(row.get(0)).or_default().extend(codes);
    }
    let sets = sets.into_iter().map(|(name, mut codes)| {
        codes.sort();
        let mut bare = Lexicon::default();
        for (_, code) in &codes {
            bare.enter(code);
        }
        ValueSet { name: name.to_owned(), codes, bare }
    });
    sets.collect()
}

struct Loader<'t> {
    definitions: Definitions,
    /// Rows that begin a type of their own: path → base.
    bases: HashMap<&'t str, &'t str>,
    mistakes: Vec<String>,
}

impl<'t> Loader<'t> {
    /// A path is a type when its row has no cardinality, or when other rows stand below it.
    fn new(rows: &[Row<'t>], value_sets: Vec<ValueSet>) -> Loader<'t> {
        let parents: HashSet<&str> = rows.iter().filter_map(|row| Some(row.get(0).rsplit_once('.')?.0)).collect();
        let begins = rows.iter().filter(|row| row.get(1).is_empty() || parents.contains(row.get(0)));
        let bases = begins.map(|row| (row.get(0), row.get(2))).collect();
        let definitions = Definitions { types: Vec::new(), names: Lexicon::default(), value_sets, element: 0 };
        Loader { definitions, bases, mistakes: Vec::new() }
    }

    fn types(&mut self, rows: &[Row<'t>]) {
        for row in rows {
            if !self.bases.contains_key(row.get(0)) {
                continue;
            }
            self.definitions.names.enter(row.get(0));
            let kind = self.kind(row.get(0), row.get(2));
            self.definitions.types.push(TypeDefinition { name: row.get(0).to_owned(), kind, ..Default::default() });
        }
        self.definitions.element = self.definitions.ix("Element").unwrap_or_default();
    }

    fn kind(&mut self, name: &str, base: &str) -> Kind {
        match (name, base) {
            ("Resource" | "DomainResource", _) => Kind::AnyResource,
            (_, "Resource" | "DomainResource") => Kind::Resource,
            (_, base) if base.starts_with("primitive ") => match primitive::find(name) {
                Some(primitive) => Kind::Primitive(primitive),
                None => {
                    self.mistakes.push(format!("primitive type {name} is not known"));
                    Kind::Complex
                }
            },
            _ => Kind::Complex,
        }
    }

    fn element(&mut self, row: &Row<'t>) {
        let Some((parent, name)) = row.get(0).rsplit_once('.') else { return };
        let Some(parent_ix) = self.definitions.ix(parent) else {
            return self.mistakes.push(format!("{} stands below a type that is not known", row.get(0)));
        };
        let (min, max) = row.get(1).split_once("..").unwrap_or(("0", "1"));
        let bare = name.strip_suffix("[x]").unwrap_or(name);
        let element = ElementDefinition {
            name: bare.to_owned(),
            choice: bare != name,
            types: self.element_types(row, bare, bare != name),
            min: min.parse().unwrap_or_default(),
            list: max != "1",
            targets: row.get(3).split_whitespace().map(str::to_owned).collect(),
            binding: self.binding(row.get(4)),
            modifier: row.get(5) == "modifier",
        };
        self.definitions.types[usize::from(parent_ix)].elements.push(element);
    }

    fn element_types(&mut self, row: &Row<'t>, name: &str, choice: bool) -> Vec<ElementType> {
        let own = [row.get(0)];
        let listed: Vec<&str> = if self.bases.contains_key(row.get(0)) {
            own.to_vec()
        } else {
            row.get(2).split(' ').map(|each| each.trim_start_matches('#')).collect()
        };
        let mut types = Vec::new();
        for each in listed {
            match self.definitions.ix(each) {
                Some(ix) => {
                    types.push(ElementType { name: each.to_owned(), ix, property: property(name, each, choice) })
                }
                None => self.mistakes.push(format!("{} is of type {each}, which is not known", row.get(0))),
            }
        }
        types
    }

    fn binding(&self, name: &str) -> Option<ValueSetIx> {
        let at = self.definitions.value_sets.binary_search_by(|set| set.name.as_str().cmp(name));
        at.ok().and_then(|at| ValueSetIx::try_from(at).ok())
    }

    /// Puts the elements of the base types before a type's own.
    fn inherit(&mut self, rows: &[Row<'t>]) {
        for row in rows.iter().filter(|row| self.bases.contains_key(row.get(0))) {
            let Some(ix) = self.definitions.ix(row.get(0)) else { continue };
            let mut inherited = Vec::new();
            let mut base = self.bases.get(row.get(0)).copied();
            while let Some(parent) = base.and_then(|base| self.definitions.ix(base.trim_start_matches("primitive "))) {
                let parent = self.definitions.at(parent);
                let before: Vec<_> = parent.elements.iter().filter(|each| !has(&inherited, each)).cloned().collect();
                inherited.splice(0..0, before);
                base = self.bases.get(parent.name.as_str()).copied();
            }
            let own = &mut self.definitions.types[usize::from(ix)].elements;
            inherited.retain(|each| !has(own, each));
            own.splice(0..0, inherited);
        }
    }

    fn finish(mut self, folder: &Folder) -> Result<Definitions, Fault> {
        for each in &mut self.definitions.types {
            index(each);
            if each.elements.len() > ELEMENTS_MAX {
                self.mistakes.push(format!("{} has more than {ELEMENTS_MAX} elements", each.name));
            }
        }
        let issues: Vec<Issue> =
            self.mistakes.iter().flat_map(|text| broken(folder, "fhir/elements.tsv", text).issues).collect();
        if issues.is_empty() {
            Ok(self.definitions)
        } else {
            Err(Fault { issues, ..Fault::ours(codes::CONFIGURATION, "") })
        }
    }
}

fn has(elements: &[ElementDefinition], wanted: &ElementDefinition) -> bool {
    elements.iter().any(|each| each.name == wanted.name)
}

/// `value` and `Quantity` make `valueQuantity`.
fn property(name: &str, of: &str, choice: bool) -> String {
    let mut letters = of.chars();
    match letters.next() {
        Some(first) if choice => format!("{name}{}{}", first.to_ascii_uppercase(), letters.as_str()),
        _ => name.to_owned(),
    }
}

fn index(of: &mut TypeDefinition) {
    for (n, element) in of.elements.iter().enumerate().take(ELEMENTS_MAX) {
        of.properties.extend(element.types.iter().map(|each| Property {
            name: each.property.clone(),
            element: n as u8,
            of: each.ix,
        }));
        if element.min > 0 {
            of.required |= 1 << n;
        }
    }
    of.properties.sort_by(|a, b| (a.name.len(), &a.name).cmp(&(b.name.len(), &b.name)));
    of.properties.dedup_by(|a, b| a.name == b.name);
    for property in &of.properties {
        of.names.enter(&property.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Definitions {
        Definitions::load(&Folder::ShippedConformance).unwrap()
    }

    #[test]
    fn knows_the_types_of_elements() {
        let definitions = shipped();
        let of = |type_name, name: &str| definitions.element(type_name, name).unwrap().types[0].name.clone();
        assert_eq!(of("Claim", "item"), "Claim.item");
        assert_eq!(of("Claim.item", "productOrService"), "CodeableConcept");
        assert_eq!(of("Claim", "id"), "id");
        assert_eq!(of("Claim.item", "id"), "string");
        assert_eq!(of("Bundle.entry", "link"), "Bundle.link");
        assert_eq!(of("Age", "value"), "decimal");
        assert_eq!(of("Timing.repeat", "count"), "positiveInt");
        assert!(definitions.element("Claim", "items").is_none());
        assert!(definitions.element("Nothing", "id").is_none());
    }

    #[test]
    fn a_choice_goes_by_three_names() {
        let definitions = shipped();
        for name in ["value", "value[x]", "valueQuantity"] {
            let element = definitions.element("Claim.supportingInfo", name).unwrap();
            assert!(element.choice && !element.list);
            assert_eq!(element.types.len(), 5);
        }
    }

    #[test]
    fn knows_what_is_required() {
        let definitions = shipped();
        let claim = definitions.type_of("Claim").unwrap();
        let required: Vec<_> =
            claim.elements.iter().filter(|each| each.min > 0).map(|each| each.name.as_str()).collect();
        assert_eq!(required, ["status", "type", "use", "patient", "created", "provider", "priority", "insurance"]);
        assert_eq!(claim.required.count_ones(), 8);
    }

    #[test]
    fn knows_codes() {
        let definitions = shipped();
        let status = definitions.element("Claim", "status").unwrap().binding.unwrap();
        let set = definitions.value_set(status).unwrap();
        assert!(set.has_code("active") && !set.has_code("Active"));
        assert!(set.has("http://hl7.org/fhir/fm-status", "draft") && !set.has("http://example.org", "draft"));
    }

    #[test]
    fn all_of_r4_is_there() {
        let definitions = shipped();
        assert_eq!(definitions.resource_types().count(), 147);
        assert!(definitions.is_resource("Provenance") && !definitions.is_resource("DomainResource"));
        assert_eq!(definitions.nearest_resource("Pateint"), Some("Patient"));
    }

    #[test]
    fn a_missing_table_is_named() {
        let empty = tempfile::tempdir().unwrap();
        let fault = Definitions::load(&Folder::Disk(empty.path().to_owned())).err().unwrap();
        assert!(fault.to_string().contains("codes.tsv"), "{fault}");
    }
}
