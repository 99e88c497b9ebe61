//! Functions on FHIR data: references, extensions, and the choice of one among several codings, names or addresses.

use super::{Arguments, Call, Function, MANY, Returns, row};
use crate::billing::shape::View;
use crate::fault::codes;
use crate::json::property;
use crate::mapping::fhirpath::eval::{Outcome, Problem};
use crate::mapping::fhirpath::expr::Expr;
use crate::mapping::fhirpath::item::{Item, Items, Node, Plain};
use crate::mapping::fhirpath::types;
use crate::mapping::fhirpath::walk::{below, string, walk_plain};
use serde_json::Value;
use std::borrow::Cow;

#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    row("resolve()", (0, 0), Returns::Resource, resolve, "The resources that references point to: contained, in the bundle, or stored; what is not found is left out.", "provider.resolve().name = 'Ben Kildare Service'"),
    row("extension(url)", (1, 1), Returns::Fhir("Extension"), extension, "The extensions with this url, also of primitives (`birthDate.extension(…)`).", "extension('urn:x').value = 'Y'"),
    row("hasValue()", (0, 0), Returns::Boolean, has_value, "Whether there is one primitive with a value.", "use.hasValue()"),
    row("getValue()", (0, 0), Returns::Input, get_value, "The value of one primitive.", "use.getValue() = 'claim'"),
    named_type(row("ofType(type)", (1, 1), Returns::NamedType, of_type, "The items of a type.", "provider.resolve().ofType(Organization).exists()")),
    named_type(row("is(type)", (1, 1), Returns::Boolean, is, "Whether the item is of a type.", "provider.resolve().is(Organization)")),
    named_type(row("as(type)", (1, 1), Returns::NamedType, of_type, "The item when it is of a type, as `ofType`.", "item.first().serviced.as(date) = @2025-03-03")),
    row("children()", (0, 0), Returns::Unknown, children, "All direct properties.", "total.children().count() = 2"),
    row("descendants()", (0, 0), Returns::Unknown, descendants, "All properties at every depth.", "total.descendants().count() = 2"),
    of_texts(row("coding(system, …)", (0, MANY), Returns::Fhir("Coding"), coding, "The first coding of each CodeableConcept whose system is one of those named; one that the user selected wins. Empty when none is.", "item[0].productOrService.coding('http://www.ama-assn.org/go/cpt').code = '99213'")),
    of_texts(row("requireCoding(system, …)", (1, MANY), Returns::Fhir("Coding"), require_coding, "As coding(), but codings of other systems alone are an issue that names the systems accepted.", "item[0].productOrService.requireCoding('http://www.ama-assn.org/go/cpt').code = '99213'")),
    of_texts(row("hasCode(code, …)", (1, MANY), Returns::Boolean, has_code, "Whether a CodeableConcept, Coding or code holds one of the codes, or `system|code`.", "type.hasCode('institutional', 'professional')")),
    row("resources(type)", (1, 1), Returns::NamedType, resources, "All resources of a type that came with the claim.", "resources('Organization').name = 'Ben Kildare Service'"),
    row("x12(element)", (1, 1), Returns::Unknown, x12, "The value of the extension `x12-<element>`, where values stand that FHIR has no element for.", "x12('clm10') = 'P'"),
    of_texts(row("identifier(kind, …)", (1, MANY), Returns::Text, identifier, "The value of the first identifier, of a resource or a list of identifiers, of the first kind that there is: a system, or a code of the type (`MB`, `system|MB`).", "identifier('https://clinic.example/claims') = 'ACC26463774'")),
    of_texts(row("byUse(use, …)", (1, MANY), Returns::Input, by_use, "One name, address or telecom: of the first use that there is, else the first that is neither old nor ended.", "contained.name.byUse('official', 'usual').family = 'Kildare'")),
    row("officialName()", (0, 0), Returns::Fhir("HumanName"), official_name, "The name for a claim, of a resource or a list of names: official, usual, else the first that holds.", "contained.officialName().family = 'Kildare'"),
    row("homeAddress()", (0, 0), Returns::Fhir("Address"), home_address, "The address of a person for a claim, of a resource or a list of addresses: home, else the first that holds.", "contained.address.homeAddress().city = 'Miami'"),
    row("billingAddress()", (0, 0), Returns::Fhir("Address"), billing_address, "The address where money goes: of use billing or of type postal; no other.", "contained.billingAddress().city = 'Tampa'"),
    row("workAddress()", (0, 0), Returns::Fhir("Address"), work_address, "The address of an organization or a practitioner, of a resource or a list of addresses: work, else the first that holds and is no billing address.", "contained.address.workAddress().city = 'Miami'"),
];

const fn of_texts(function: Function) -> Function {
    Function { arguments: Arguments::Texts, ..function }
}

const fn named_type(function: Function) -> Function {
    Function { arguments: Arguments::TypeName, ..function }
}

fn resolve<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(input.iter().filter_map(|item| call.run.resolve(item)).collect())
}

/// What stands below a property of an item.
fn of_item<'a>(item: &Item<'a>, name: &str) -> impl Iterator<Item = Node<'a>> + use<'a> {
    let node = if let Item::Node(node) = item { Some(*node) } else { None };
    node.map(|node| below(node, name)).into_iter().flatten()
}

fn extension<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let url = call.text(0)?;
    let extensions = input.iter().flat_map(|item| of_item(item, "extension"));
    Ok(extensions.filter(|node| string(node, "url") == url.as_deref()).map(Item::Node).collect())
}

fn has_value<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(Items::boolean(input.len() == 1 && input.iter().all(|item| item.as_text().is_some())))
}

fn get_value<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(if input.len() == 1 { input.into_iter().filter(|item| item.as_text().is_some()).collect() } else { Items::None })
}

fn of_type<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let Some(name) = call.text(0)? else { return Ok(Items::None) };
    Ok(input.into_iter().filter(|item| types::is(item, &name)).collect())
}

fn is<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let (item, name) = (call.one(input)?, call.text(0)?);
    Ok(item.zip(name).map(|(item, name)| Item::Boolean(types::is(&item, &name))).into_iter().collect())
}

fn children<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let mut out = Items::None;
    for item in input.iter() {
        push_children(item, &mut out);
    }
    Ok(out)
}

fn push_children<'a>(item: &Item<'a>, out: &mut Items<'a>) {
    if let Item::Plain(Plain { view: View::Object(object), .. }) = item {
        let views = (0..object.names().len()).filter_map(|place| object.property(place));
        return views.for_each(|view| {
            walk_plain(Plain { view, kind: "" }, &[], out);
        });
    }
    let Item::Node(Node { value: Value::Object(map), .. }) = item else { return };
    for name in map.keys().filter(|name| *name != "resourceType") {
        of_item(item, name).for_each(|node| out.push(Item::Node(node)));
    }
}

fn descendants<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let (mut out, mut wave) = (Items::None, children(call, input)?);
    while !wave.is_empty() {
        out.append(wave.clone());
        wave = children(call, wave)?;
    }
    Ok(out)
}

/// The texts that the arguments of a call give.
struct Texts<'a> {
    fixed: &'a [String],
    made: Vec<Cow<'a, str>>,
}

impl<'a> Texts<'a> {
    fn of(call: &Call<'_, 'a>) -> Result<Texts<'a>, Box<Problem>> {
        if let [Expr::Texts(fixed)] = call.arguments {
            return Ok(Texts { fixed, made: Vec::new() });
        }
        let mut made = Vec::new();
        for n in 0..call.arguments.len() {
            made.extend(call.items(n)?.iter().filter_map(Item::as_text));
        }
        Ok(Texts { fixed: &[], made })
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        self.fixed.iter().map(String::as_str).chain(self.made.iter().map(|text| &**text))
    }

    fn has(&self, wanted: &str) -> bool {
        self.iter().any(|text| text == wanted)
    }

    fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.made.is_empty()
    }
}

/// The codings of a CodeableConcept, or the Coding itself.
fn codings<'a>(node: Node<'a>) -> impl Iterator<Item = Node<'a>> + Clone {
    let held = below(node, "coding");
    let none = held.clone().next().is_none();
    let own = none && (property(node.value, "code").is_some() || property(node.value, "system").is_some());
    held.chain(own.then_some(node))
}

/// The coding to take: of an accepted system, one that the user selected before all others (`fhir.md` §7).
fn accepted<'a>(item: &Item<'a>, systems: &Texts<'a>) -> Option<Node<'a>> {
    let Item::Node(node) = item else { return None };
    let taken =
        |node: &Node<'a>| systems.is_empty() || string(node, "system").is_some_and(|system| systems.has(system));
    let chosen = |node: &Node<'a>| property(node.value, "userSelected") == Some(&Value::Bool(true));
    let all = codings(*node);
    all.clone().find(|node| taken(node) && chosen(node)).or_else(|| all.clone().find(taken))
}

fn coding<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let systems = Texts::of(call)?;
    Ok(input.iter().filter_map(|item| accepted(item, &systems)).map(Item::Node).collect())
}

fn require_coding<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let systems = Texts::of(call)?;
    let mut out = Items::None;
    for item in input.iter() {
        match (accepted(item, &systems), item) {
            (Some(node), _) => out.push(Item::Node(node)),
            (None, Item::Node(node)) if codings(*node).next().is_some() => {
                call.run.note(item);
                return Err(Box::new(Problem {
                    code: codes::MAPPING_CODE,
                    text: "no coding of a system that is accepted here".to_owned(),
                    hint: format!("add a coding of {}", systems.iter().collect::<Vec<_>>().join(" or ")),
                }));
            }
            _ => {}
        }
    }
    Ok(out)
}

fn has_code<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let wanted = Texts::of(call)?;
    let found = input.iter().any(|item| match (item.as_text(), item) {
        (Some(code), _) => wanted.has(&code),
        (None, Item::Node(node)) => codings(*node).any(|node| wanted.iter().any(|code| is_code(&node, code))),
        _ => false,
    });
    Ok(Items::boolean(found))
}

/// `code` or `system|code`.
fn is_code(coding: &Node<'_>, wanted: &str) -> bool {
    let code = |wanted| string(coding, "code") == Some(wanted);
    match wanted.rsplit_once('|') {
        Some((system, wanted)) => string(coding, "system") == Some(system) && code(wanted),
        None => code(wanted),
    }
}

fn identifier<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let nodes = || input.iter().filter_map(|item| if let Item::Node(node) = item { Some(*node) } else { None });
    let held = |node: Node<'a>| {
        let own = property(node.value, "identifier").is_none().then_some(node);
        below(node, "identifier").chain(own)
    };
    for kind in Texts::of(call)?.iter() {
        if let Some(node) = nodes().flat_map(held).find(|node| is_kind(*node, kind)) {
            return Ok(below(node, "value").map(Item::Node).collect());
        }
    }
    Ok(Items::None)
}

fn is_kind(identifier: Node<'_>, kind: &str) -> bool {
    string(&identifier, "system") == Some(kind)
        || below(identifier, "type").flat_map(codings).any(|coding| is_code(&coding, kind))
}

/// The item to take by its use; `shunned` uses only when they were asked for.
fn choose<'a, 'u>(input: &Items<'a>, uses: impl Iterator<Item = &'u str>, shunned: &[&str]) -> Items<'a> {
    let nodes = || input.iter().filter_map(|item| if let Item::Node(node) = item { Some(*node) } else { None });
    let ended =
        |node: &Node<'a>| property(node.value, "period").is_some_and(|period| property(period, "end").is_some());
    for wanted in uses {
        let fits = |node: &Node<'a>| string(node, "use") == Some(wanted);
        let found = nodes().filter(fits).find(|node| !ended(node)).or_else(|| nodes().find(fits));
        if let Some(node) = found {
            return Items::One(Item::Node(node));
        }
    }
    let holds = |node: &Node<'a>| !ended(node) && string(node, "use").is_none_or(|kind| !shunned.contains(&kind));
    nodes().find(holds).map(Item::Node).into_iter().collect()
}

fn by_use<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(choose(&input, Texts::of(call)?.iter(), &["old"]))
}

/// The names or addresses of resources; what is one already stays.
fn of_resources<'a>(input: Items<'a>, name: &str) -> Items<'a> {
    let mut out = Items::None;
    for item in input.iter() {
        match item {
            Item::Node(node) if property(node.value, "resourceType").is_some() => {
                below(*node, name).for_each(|node| out.push(Item::Node(node)));
            }
            _ => out.push(item.clone()),
        }
    }
    out
}

fn official_name<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let names = of_resources(input, "name");
    Ok(choose(&names, ["official", "usual"].into_iter(), &["old", "nickname", "anonymous"]))
}

fn home_address<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(choose(&of_resources(input, "address"), std::iter::once("home"), &["old", "billing"]))
}

fn work_address<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(choose(&of_resources(input, "address"), std::iter::once("work"), &["old", "billing"]))
}

fn billing_address<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let is =
        |item: &Item<'a>, name, wanted| item.value().and_then(|value| property(value, name)?.as_str()) == Some(wanted);
    let addresses = of_resources(input, "address");
    let billing = addresses.iter().find(|item| is(item, "use", "billing"));
    let postal = || addresses.iter().find(|item| is(item, "type", "postal") && !is(item, "use", "old"));
    Ok(billing.or_else(postal).cloned().into_iter().collect())
}

fn resources<'a>(call: &Call<'_, 'a>, _: Items<'a>) -> Outcome<'a> {
    let (Some(kind), Some(resolver)) = (call.text(0)?, call.run.resolver) else { return Ok(Items::None) };
    let all = resolver.all().into_iter();
    Ok(all
        .filter(|value| property(value, "resourceType").and_then(Value::as_str) == Some(&*kind))
        .map(Item::node)
        .collect())
}

/// Where the gateway's own extensions live (`837.md` 10.5).
pub const X12_EXTENSION: &str = "https://claimgate.dev/fhir/StructureDefinition/x12-";

/// Where the same stands in `supportingInfo` of a Claim: the category's system, with the element as code.
const X12_INFORMATION: &str = "https://claimgate.dev/fhir/CodeSystem/x12-info";

fn x12<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let Some(element) = call.text(0)? else { return Ok(Items::None) };
    let mut out = Items::None;
    for item in input.iter() {
        let before = out.len();
        let named =
            |node: &Node<'a>| string(node, "url").and_then(|url| url.strip_prefix(X12_EXTENSION)) == Some(&*element);
        of_item(item, "extension").filter(named).for_each(|node| choices(&node, &["value"], &mut out));
        if out.len() == before {
            let told = of_item(item, "supportingInfo").filter(|node| is_information(node, &element));
            told.for_each(|node| choices(&node, &["value", "timing"], &mut out));
        }
    }
    Ok(out)
}

/// Whether an entry of `supportingInfo` stands for an X12 element.
fn is_information(entry: &Node<'_>, element: &str) -> bool {
    let coded = |name: &str| below(*entry, name).flat_map(codings);
    coded("category").any(|coding| string(&coding, "system") == Some(X12_INFORMATION))
        && coded("code").any(|coding| string(&coding, "code") == Some(element))
}

/// The values of choice elements: `valueCode`, `timingDate` …
fn choices<'a>(node: &Node<'a>, names: &[&str], out: &mut Items<'a>) {
    let fields = node.value.as_object().into_iter().flatten();
    let typed = |key: &str| names.iter().find_map(|name| types::choice_suffix(key, name));
    let values = fields.filter_map(|(key, value)| Some((typed(key)?, value)));
    values.for_each(|(kind, value)| out.push(Item::Node(Node { value, kind, ..*node })));
}
