//! That no element of an answer is lost: each value of some length stands in the FHIR that is made of the file, as it was
//! written, as a FHIR date or as an equal number. Where it stands is the business of the facts.

use super::raw::{date, segments};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeSet;

/// Envelope and hierarchy, and what repeats our own numbers.
const SILENT: &[&str] =
    &["ISA", "IEA", "GS", "GE", "ST", "SE", "ISB", "ISE", "BHT", "HL", "LX", "LS", "LE", "AK1", "AK2"];
/// Shorter values are codes, which FHIR often says in words.
const LEAST: usize = 4;

#[derive(Default)]
struct Said {
    text: String,
    numbers: BTreeSet<Decimal>,
}

impl Said {
    fn hear(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.hear(item)),
            Value::Object(object) => object.values().for_each(|item| self.hear(item)),
            Value::String(text) => {
                self.text.push_str(text);
                self.text.push('\n');
                self.numbers.extend(text.parse::<Decimal>());
                // EB08 is a share of one.
                let share = text.strip_suffix('%').and_then(|share| share.parse::<Decimal>().ok());
                self.numbers.extend(share.map(|share| share / Decimal::ONE_HUNDRED));
            }
            Value::Number(number) => {
                let number: Option<Decimal> = number.to_string().parse().ok();
                self.numbers.extend(number.iter().flat_map(|number| [*number, -*number]));
            }
            _ => {}
        }
    }

    fn says(&self, value: &str) -> bool {
        let days: Option<Vec<String>> = value.split('-').map(date).collect();
        // Some files hold a separator that is none of theirs.
        let mut parts = value.split('>').filter(|part| part.len() >= LEAST);
        parts.all(|part| self.text.contains(part))
            || days.is_some_and(|days| days.iter().all(|day| self.text.contains(day)))
            || value.parse::<Decimal>().is_ok_and(|number| self.numbers.contains(&number))
    }
}

/// Lines about values that stand nowhere.
pub fn lost(name: &str, bytes: &[u8], resources: &[Value]) -> Vec<String> {
    let mut said = Said::default();
    resources.iter().for_each(|resource| said.hear(resource));
    let mut lost = Vec::new();
    for segment in segments(bytes).iter().filter(|segment| !SILENT.contains(&segment.id())) {
        let values = segment.values().into_iter().filter(|value| value.len() >= LEAST && !said.says(value));
        lost.extend(values.map(|value| format!("{name}: {} {value} stands nowhere", segment.id())));
    }
    lost
}
