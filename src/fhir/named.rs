//! References that only name someone: an identifier and words, and no resource that has it anywhere. What they say becomes a
//! resource that says no more, so that an NPI and a name are sent although nobody stored the practitioner.

use crate::fhir::entries::system_and_value;
use crate::fhir::reference::{Literal, Met};
use serde_json::{Value, json};

/// Types that can be told by an identifier and a name, in the order in which they are supposed where several are allowed and the
/// reference does not say its type.
const NAMEABLE: [&str; 3] = ["Organization", "Practitioner", "Location"];

/// Elements that mean a person rather than an organization.
const PEOPLE: &[&str] = &["careTeam", "individual", "practitioner", "actor", "requester"];

/// Words behind a name that are no part of it.
const TITLES: &[&str] = &["MD", "DO", "DDS", "DMD", "DPM", "DC", "NP", "PA", "RN", "PHD"];

/// The resource that a reference which leads nowhere describes.
pub fn described(met: &Met<'_, '_>) -> Option<Value> {
    let reference = met.reference;
    let identifier = reference.get("identifier").filter(|each| system_and_value(each).is_some())?;
    let words = reference.get("display").and_then(Value::as_str).map(str::trim).filter(|words| !words.is_empty())?;
    if Literal::of(reference).is_some() {
        return None;
    }
    let said = reference.get("type").and_then(Value::as_str);
    let path = met.path.text();
    let person = path.split(['.', '[']).any(|name| PEOPLE.contains(&name));
    let fits = |kind: &&&str| met.element.may_point_to(kind) && said.is_none_or(|said| said == **kind);
    let kind = if person && NAMEABLE.get(1).is_some_and(|kind| fits(&kind)) {
        "Practitioner"
    } else {
        NAMEABLE.iter().find(fits)?
    };
    let name = if kind == "Practitioner" { json!([human(words)]) } else { Value::from(words) };
    Some(json!({ "resourceType": kind, "identifier": [identifier], "name": name }))
}

/// `Ben Kildare, MD`, `Dr. Ben Kildare`, `Kildare, Ben`: the family name and the others.
fn human(words: &str) -> Value {
    let is_title = |word: &str| {
        let letters: String = word.chars().filter(char::is_ascii_alphabetic).collect();
        TITLES.contains(&letters.to_ascii_uppercase().as_str())
    };
    let (front, back) = words.split_once(',').unwrap_or((words, ""));
    let back: Vec<&str> = back.split([' ', ',']).filter(|word| !word.is_empty() && !is_title(word)).collect();
    let front =
        front.split_whitespace().filter(|word| !word.eq_ignore_ascii_case("dr.") && !word.eq_ignore_ascii_case("dr"));
    let mut front: Vec<&str> = front.collect();
    if front.len() > 1 && front.last().is_some_and(|word| is_title(word)) {
        front.pop();
    }
    let (family, given) = match (front.as_slice(), back.is_empty()) {
        (names, false) => (names.join(" "), back),
        ([given @ .., family], true) => ((*family).to_owned(), given.to_vec()),
        ([], true) => (words.to_owned(), Vec::new()),
    };
    if given.is_empty() { json!({ "family": family }) } else { json!({ "family": family, "given": given }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (words, family, given) in [
            ("Ben Kildare", "Kildare", "Ben"),
            ("Dr. Ben C Kildare MD", "Kildare", "Ben C"),
            ("Ben Kildare, M.D.", "Kildare", "Ben"),
            ("Kildare, Ben C", "Kildare", "Ben C"),
            ("van der Berg, Ida, DO", "van der Berg", "Ida"),
            ("Kildare", "Kildare", ""),
            ("Dr.", "Dr.", ""),
        ] {
            let name = human(words);
            let others: Vec<&str> = name["given"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            assert_eq!((name["family"].as_str(), others.join(" ")), (Some(family), given.to_owned()), "{words}");
        }
    }
}
