//! Functions on FHIR data: references, extensions, and the choice of one among several codings, names or addresses.

use super::{Arguments, Call, Function, MANY, Returns, row};
use crate::fault::codes;
use crate::mapping::fhirpath::eval::{Outcome, Problem};
use crate::mapping::fhirpath::expr::Expr;
use crate::mapping::fhirpath::item::{Item, Items, Node};
use crate::mapping::fhirpath::types;
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
    row("coding(system, …)", (0, MANY), Returns::Fhir("Coding"), coding, "The first coding of each CodeableConcept whose system is one of those named; one that the user selected wins. Empty when none is.", "item[0].productOrService.coding('http://www.ama-assn.org/go/cpt').code = '99213'"),
    row("requireCoding(system, …)", (1, MANY), Returns::Fhir("Coding"), require_coding, "As coding(), but codings of other systems alone are an issue that names the systems accepted.", "item[0].productOrService.requireCoding('http://www.ama-assn.org/go/cpt').code = '99213'"),
    row("hasCode(code, …)", (1, MANY), Returns::Boolean, has_code, "Whether a CodeableConcept, Coding or code holds one of the codes, or `system|code`.", "type.hasCode('institutional', 'professional')"),
    row("resources(type)", (1, 1), Returns::NamedType, resources, "All resources of a type that came with the claim.", "resources('Organization').name = 'Ben Kildare Service'"),
    row("x12(element)", (1, 1), Returns::Unknown, x12, "The value of the extension `x12-<element>`, where values stand that FHIR has no element for.", "x12('clm10') = 'P'"),
    row("identifier(kind, …)", (1, MANY), Returns::Text, identifier, "The value of the first identifier, of a resource or a list of identifiers, of the first kind that there is: a system, or a code of the type (`MB`, `system|MB`).", "identifier('https://clinic.example/claims') = 'ACC26463774'"),
    row("byUse(use, …)", (1, MANY), Returns::Input, by_use, "One name, address or telecom: of the first use that there is, else the first that is neither old nor ended.", "contained.name.byUse('official', 'usual').family = 'Kildare'"),
    row("officialName()", (0, 0), Returns::Fhir("HumanName"), official_name, "The name for a claim, of a resource or a list of names: official, usual, else the first that holds.", "contained.officialName().family = 'Kildare'"),
    row("homeAddress()", (0, 0), Returns::Fhir("Address"), home_address, "The address of a person for a claim, of a resource or a list of addresses: home, else the first that holds.", "contained.address.homeAddress().city = 'Miami'"),
    row("billingAddress()", (0, 0), Returns::Fhir("Address"), billing_address, "The address where money goes: of use billing or of type postal; no other.", "contained.billingAddress().city = 'Tampa'"),
    row("workAddress()", (0, 0), Returns::Fhir("Address"), work_address, "The address of an organization or a practitioner, of a resource or a list of addresses: work, else the first that holds and is no billing address.", "contained.address.workAddress().city = 'Miami'"),
];

const fn named_type(function: Function) -> Function {
    Function { arguments: Arguments::TypeName, ..function }
}

fn resolve<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(input.iter().filter_map(|item| call.run.resolve(item)).collect())
}

/// What stands below the property `name` of an item, lists opened.
fn below<'a>(item: &Item<'a>, name: &str) -> Vec<Node<'a>> {
    let Item::Node(node) = item else { return Vec::new() };
    match node.value.get(name) {
        Some(Value::Array(values)) => values.iter().map(|value| Node { value, kind: "", ..*node }).collect(),
        Some(value) => vec![Node { value, kind: "", ..*node }],
        None => Vec::new(),
    }
}

fn string<'a>(node: &Node<'a>, name: &str) -> Option<&'a str> {
    node.value.get(name).and_then(Value::as_str)
}

fn extension<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let url = call.text(0)?;
    let extensions = input.iter().flat_map(|item| below(item, "extension"));
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
    let Item::Node(Node { value: Value::Object(map), .. }) = item else { return };
    for name in map.keys().filter(|name| *name != "resourceType") {
        below(item, name).into_iter().for_each(|node| out.push(Item::Node(node)));
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

/// The texts that all arguments give; an argument may give several.
fn texts<'a>(call: &Call<'_, 'a>) -> Result<Vec<Cow<'a, str>>, Box<Problem>> {
    let mut texts = Vec::with_capacity(call.arguments.len());
    for n in 0..call.arguments.len() {
        match call.arguments.get(n) {
            Some(Expr::Text(text)) => texts.push(Cow::Borrowed(text.as_str())),
            Some(Expr::Texts(all)) => texts.extend(all.iter().map(|text| Cow::Borrowed(text.as_str()))),
            _ => texts.extend(call.items(n)?.iter().filter_map(Item::as_text)),
        }
    }
    Ok(texts)
}

/// The codings of a CodeableConcept, or the Coding itself.
fn codings<'a>(item: &Item<'a>) -> Vec<Node<'a>> {
    match item {
        Item::Node(node) if node.value.get("coding").is_some() => below(item, "coding"),
        Item::Node(node) if node.value.get("code").is_some() || node.value.get("system").is_some() => vec![*node],
        _ => Vec::new(),
    }
}

/// The coding to take: of an accepted system, one that the user selected before all others (`fhir.md` §7).
fn accepted<'a>(item: &Item<'a>, systems: &[Cow<'a, str>]) -> Option<Node<'a>> {
    let taken = |node: &Node<'a>| {
        systems.is_empty() || string(node, "system").is_some_and(|system| systems.iter().any(|known| known == system))
    };
    let chosen = |node: &Node<'a>| node.value.get("userSelected") == Some(&Value::Bool(true));
    let all = codings(item);
    all.iter().find(|node| taken(node) && chosen(node)).or_else(|| all.iter().find(|node| taken(node))).copied()
}

fn coding<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let systems = texts(call)?;
    Ok(input.iter().filter_map(|item| accepted(item, &systems)).map(Item::Node).collect())
}

fn require_coding<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let systems = texts(call)?;
    let mut out = Items::None;
    for item in input.iter() {
        match accepted(item, &systems) {
            Some(node) => out.push(Item::Node(node)),
            None if codings(item).is_empty() => {}
            None => {
                call.run.note(item);
                return Err(Box::new(Problem {
                    code: codes::MAPPING_CODE,
                    text: "no coding of a system that is accepted here".to_owned(),
                    hint: format!("add a coding of {}", systems.join(" or ")),
                }));
            }
        }
    }
    Ok(out)
}

fn has_code<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let wanted = texts(call)?;
    let found = input.iter().any(|item| match item.as_text() {
        Some(code) => wanted.contains(&code),
        None => codings(item).iter().any(|node| wanted.iter().any(|code| is_code(node, code))),
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
    let mut all = Vec::new();
    for item in input.iter() {
        match item {
            Item::Node(node) if node.value.get("identifier").is_some() => all.extend(below(item, "identifier")),
            Item::Node(node) => all.push(*node),
            _ => {}
        }
    }
    for kind in texts(call)? {
        if let Some(node) = all.iter().find(|node| is_kind(node, &kind)) {
            return Ok(below(&Item::Node(*node), "value").into_iter().map(Item::Node).collect());
        }
    }
    Ok(Items::None)
}

fn is_kind(identifier: &Node<'_>, kind: &str) -> bool {
    if string(identifier, "system") == Some(kind) {
        return true;
    }
    let kinds = below(&Item::Node(*identifier), "type");
    kinds.iter().flat_map(|node| codings(&Item::Node(*node))).any(|coding| is_code(&coding, kind))
}

/// The item to take by its use; `shunned` uses only when they were asked for.
fn choose<'a>(input: Items<'a>, uses: &[Cow<'a, str>], shunned: &[&str]) -> Items<'a> {
    let nodes: Vec<Node<'a>> = input
        .iter()
        .filter_map(|item| match item {
            Item::Node(node) => Some(*node),
            _ => None,
        })
        .collect();
    let ended = |node: &Node<'a>| node.value.pointer("/period/end").is_some();
    for wanted in uses {
        let fits = |node: &&Node<'a>| string(node, "use") == Some(&**wanted);
        let found = nodes.iter().filter(fits).find(|node| !ended(node)).or_else(|| nodes.iter().find(fits));
        if let Some(node) = found {
            return Items::One(Item::Node(*node));
        }
    }
    let holds = |node: &&Node<'a>| !ended(node) && string(node, "use").is_none_or(|kind| !shunned.contains(&kind));
    nodes.iter().find(holds).map(|node| Item::Node(*node)).into_iter().collect()
}

fn by_use<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(choose(input, &texts(call)?, &["old"]))
}

/// The names or addresses of resources; what is one already stays.
fn of_resources<'a>(input: Items<'a>, property: &str) -> Items<'a> {
    let mut out = Items::None;
    for item in input.iter() {
        match item {
            Item::Node(node) if node.value.get("resourceType").is_some() => {
                below(item, property).into_iter().for_each(|node| out.push(Item::Node(node)));
            }
            _ => out.push(item.clone()),
        }
    }
    out
}

fn official_name<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let names = of_resources(input, "name");
    Ok(choose(names, &["official".into(), "usual".into()], &["old", "nickname", "anonymous"]))
}

fn home_address<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(choose(of_resources(input, "address"), &["home".into()], &["old", "billing"]))
}

fn work_address<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(choose(of_resources(input, "address"), &["work".into()], &["old", "billing"]))
}

fn billing_address<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let is = |item: &Item<'a>, name, wanted| item.value().and_then(|value| value.get(name)?.as_str()) == Some(wanted);
    let addresses = of_resources(input, "address");
    let billing = addresses.iter().find(|item| is(item, "use", "billing"));
    let postal = || addresses.iter().find(|item| is(item, "type", "postal") && !is(item, "use", "old"));
    Ok(billing.or_else(postal).cloned().into_iter().collect())
}

fn resources<'a>(call: &Call<'_, 'a>, _: Items<'a>) -> Outcome<'a> {
    let (Some(kind), Some(resolver)) = (call.text(0)?, call.run.resolver) else { return Ok(Items::None) };
    let all = resolver.all().into_iter();
    Ok(all.filter(|value| value.get("resourceType").and_then(Value::as_str) == Some(&*kind)).map(Item::node).collect())
}

/// Where the gateway's own extensions live (`837.md` 10.5).
const X12_EXTENSION: &str = "https://claimgate.dev/fhir/StructureDefinition/x12-";

/// Where the same stands in `supportingInfo` of a Claim: the category's system, with the element as code.
const X12_INFORMATION: &str = "https://claimgate.dev/fhir/CodeSystem/x12-info";

fn x12<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let Some(element) = call.text(0)? else { return Ok(Items::None) };
    let mut out = Items::None;
    for item in input.iter() {
        let before = out.len();
        let named =
            |node: &Node<'a>| string(node, "url").and_then(|url| url.strip_prefix(X12_EXTENSION)) == Some(&*element);
        below(item, "extension").iter().filter(|node| named(node)).for_each(|node| choices(node, &["value"], &mut out));
        if out.len() == before {
            let told = below(item, "supportingInfo").into_iter().filter(|node| is_information(node, &element));
            told.for_each(|node| choices(&node, &["value", "timing"], &mut out));
        }
    }
    Ok(out)
}

/// Whether an entry of `supportingInfo` stands for an X12 element.
fn is_information(entry: &Node<'_>, element: &str) -> bool {
    let coded = |name: &str| {
        let concepts = below(&Item::Node(*entry), name);
        concepts.into_iter().flat_map(|concept| codings(&Item::Node(concept))).collect::<Vec<_>>()
    };
    coded("category").iter().any(|coding| string(coding, "system") == Some(X12_INFORMATION))
        && coded("code").iter().any(|coding| string(coding, "code") == Some(element))
}

/// The values of choice elements: `valueCode`, `timingDate` …
fn choices<'a>(node: &Node<'a>, names: &[&str], out: &mut Items<'a>) {
    let fields = node.value.as_object().into_iter().flatten();
    let typed = |key: &str| names.iter().find_map(|name| types::choice_suffix(key, name));
    let values = fields.filter_map(|(key, value)| Some((typed(key)?, value)));
    values.for_each(|(kind, value)| out.push(Item::Node(Node { value, kind, ..*node })));
}
