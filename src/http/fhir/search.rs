//! `GET /fhir/{type}?…`: a search by the parameters that claimgate keeps an index of.

use crate::fault::{Fault, Place, codes};
use crate::fhir::index;
use crate::flow::lookup;
use crate::http::call::Call;
use crate::http::fhir::kind;
use crate::http::reply::Reply;
use crate::store::{PLACE, Query};
use serde_json::{Value, json};

/// Resources in one answer, unless `_count` says otherwise.
const COUNT: usize = 50;
/// Most resources in one answer.
const COUNT_MAX: usize = 200;

/// Parameters about the answer, which choose nothing; `_sort` is taken when it asks for the order that there is.
const ABOUT_THE_ANSWER: &[&str] = &["_count", "_format", "_pretty", "_total", "_sort", AFTER];
/// The id of the last resource of the page before; stands in the link to the next.
const AFTER: &str = "_after";
const NEWEST_FIRST: &[&str] = &["-_lastUpdated", "-created"];

pub async fn by_type(call: Call) -> Result<Reply, Fault> {
    let kind = kind(&call)?;
    let limit = count(&call)?;
    order(&call)?;
    // One more than a page, to see whether there is a next.
    let mut query = asked(&call, &kind, &call.query, limit + 1)?;
    let after = call.asked(AFTER);
    query.conditions.extend(after.map(|id| (PLACE.to_owned(), vec![id.to_owned()])));
    let mut bundle = lookup::search(&call.gateway, call.tenant(), &query).await?;
    let next = next_page(&mut bundle, limit);
    // Of a part nobody has counted the whole.
    if (next.is_some() || after.is_some())
        && let Some(object) = bundle.as_object_mut()
    {
        object.shift_remove("total");
    }
    with_base(&mut bundle, &call.base);
    let mut links = vec![json!({ "relation": "self", "url": this(&call, &kind, after) })];
    if let Some(next) = next {
        links.push(json!({ "relation": "next", "url": this(&call, &kind, Some(&next)) }));
    }
    bundle["link"] = Value::from(links);
    Ok(Reply::fhir(200, &bundle))
}

/// Cuts a page; the id of its last resource, when more come behind it.
fn next_page(bundle: &mut Value, limit: usize) -> Option<String> {
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut).filter(|entries| entries.len() > limit)?;
    entries.truncate(limit);
    entries.last()?["resource"]["id"].as_str().map(str::to_owned)
}

/// What is asked for, in the words of the index.
pub fn asked(call: &Call, kind: &str, pairs: &[(String, String)], limit: usize) -> Result<Query, Fault> {
    let definitions = &call.gateway.translator.definitions;
    let mut query = Query { kind: kind.to_owned(), limit, ..Query::default() };
    for (name, value) in pairs.iter().filter(|(name, _)| !ABOUT_THE_ANSWER.contains(&name.as_str())) {
        if name == "_id" {
            query.conditions.push(("_id".to_owned(), value.split(',').map(str::to_owned).collect()));
        } else if let Some(spans) = index::spans(kind, name, value) {
            query.spans.push(spans?);
        } else {
            query.conditions.push(index::condition(definitions, kind, name, value)?);
        }
    }
    Ok(query)
}

/// Name and value pairs of a query that stands in a header.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// Without its percent escapes.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = tail.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn refuse<T>(text: String, hint: &str) -> Result<T, Fault> {
    Err(Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, text, hint))
}

fn count(call: &Call) -> Result<usize, Fault> {
    match call.asked("_count").map(str::parse::<usize>) {
        None => Ok(COUNT),
        Some(Ok(count)) if count > 0 => Ok(count.min(COUNT_MAX)),
        Some(_) => refuse("`_count` is not a number above 0".into(), "leave it out, or ask for 1 to 200"),
    }
}

fn order(call: &Call) -> Result<(), Fault> {
    match call.asked("_sort") {
        Some(order) if !NEWEST_FIRST.contains(&order) => {
            refuse("this order is not offered".into(), "leave _sort out: the newest come first")
        }
        _ => Ok(()),
    }
}

/// What was asked, as it was understood, from a place on.
fn this(call: &Call, kind: &str, after: Option<&str>) -> String {
    let asked =
        call.query.iter().filter(|(name, _)| name != AFTER).map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs = asked.chain(after.map(|id| (AFTER, id)));
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let mark = if pairs.is_empty() { "" } else { "?" };
    format!("{}/{kind}{mark}{}", call.base, pairs.join("&"))
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/|:,".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Makes the `fullUrl`s absolute.
pub fn with_base(bundle: &mut Value, base: &str) {
    for entry in bundle.get_mut("entry").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(relative) = entry.get("fullUrl").and_then(Value::as_str) {
            entry["fullUrl"] = Value::from(format!("{base}/{relative}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_in_headers_are_read_like_those_in_urls() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            pairs("identifier=http%3A%2F%2Fs%7C1&name=a+b"),
            [pair("identifier", "http://s|1"), pair("name", "a b")]
        );
        assert_eq!(pairs("?x=%zz%"), [pair("x", "%zz%")]);
        assert_eq!(pairs("nothing"), []);
        assert_eq!(encoded("a b&c"), "a%20b%26c");
    }
}
