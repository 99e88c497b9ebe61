//! Properties of JSON objects, found quickly: most objects hold a handful, and a look at each name is cheaper than a hash.

use serde_json::{Map, Value};

/// Up to this many properties a walk over the names is quicker than hashing the one that is looked for.
const FEW: usize = 24;

/// A property of an object.
pub fn get<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if map.len() <= FEW {
        map.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value)
    } else {
        map.get(name)
    }
}

/// A property of a value, which may be no object.
pub fn property<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object().and_then(|map| get(map, name))
}

/// The text of a property.
pub fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    property(value, name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn few_and_many_properties_are_found_alike() {
        for many in [1, FEW, FEW + 1] {
            let object: Value =
                (0..many).map(|n| (format!("p{n}"), json!(n.to_string()))).collect::<Map<_, _>>().into();
            assert_eq!((text(&object, "p0"), text(&object, "q")), (Some("0"), None));
            assert_eq!(property(&object, &format!("p{}", many - 1)), Some(&json!((many - 1).to_string())));
        }
        assert_eq!(property(&json!(["p0"]), "p0"), None);
    }
}
