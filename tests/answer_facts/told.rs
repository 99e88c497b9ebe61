//! The same facts, looked for in resources as plain JSON.

use super::raw::Kind;
use super::{Facts, count};
use rust_decimal::Decimal;
use serde_json::Value;

const OURS: &str = "https://claimgate.dev/fhir/StructureDefinition/x12-";
const PAS: &str = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-";

/// What resources say.
pub fn found(kind: Kind, resources: &[Value]) -> Facts {
    let mut facts = Facts::new();
    for resource in resources {
        match kind {
            Kind::Payment => payment(resource, &mut facts),
            Kind::Status => status(resource, &mut facts),
            Kind::Eligibility => eligibility(resource, &mut facts),
            Kind::Review => review(resource, &mut facts),
            Kind::Acknowledgment => acknowledgment(resource, &mut facts),
        }
    }
    facts
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(String::new, str::to_owned)
}

fn number(value: &Value) -> String {
    let number = value.to_string().parse::<Decimal>();
    number.map(|number| number.normalize().to_string()).unwrap_or_default()
}

/// The extensions directly on something whose url begins with ours: name and extension.
fn ours(of: &Value) -> impl Iterator<Item = (&str, &Value)> {
    list(&of["extension"]).iter().filter_map(|each| Some((each["url"].as_str()?.strip_prefix(OURS)?, each)))
}

fn sub<'v>(of: &'v Value, name: &str) -> &'v Value {
    list(&of["extension"]).iter().find(|each| each["url"] == name).unwrap_or(&Value::Null)
}

/// Every extension at any depth.
fn everywhere<'v>(value: &'v Value, take: &mut dyn FnMut(&'v Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| everywhere(item, take)),
        Value::Object(object) => {
            if object.get("url").is_some() {
                take(value);
            }
            object.values().for_each(|item| everywhere(item, take));
        }
        _ => {}
    }
}

fn day(extension: &Value) -> String {
    match &extension["valuePeriod"] {
        Value::Null if extension["valueDate"].is_null() => text(&extension["valueString"]),
        Value::Null => text(&extension["valueDate"]),
        period => format!("{}/{}", text(&period["start"]), text(&period["end"])),
    }
}

/// REF, DTM, QTY, MIA and MOA of a claim or line.
fn qualified(of: &Value, facts: &mut Facts) {
    for (name, extension) in ours(of) {
        match name.split_once('-') {
            Some(("ref", q)) => {
                count(facts, "reference", format!("{} {}", q.to_uppercase(), text(&extension["valueString"])));
            }
            Some(("dtm", q)) => count(facts, "date", format!("{} {}", q.to_uppercase(), day(extension))),
            Some(("qty", q)) => {
                count(facts, "quantity", format!("{} {}", q.to_uppercase(), number(&extension["valueDecimal"])));
            }
            Some(("amt", q)) => {
                count(facts, "amount", format!("{} {}", q.to_uppercase(), number(&extension["valueMoney"]["value"])));
            }
            None if name.starts_with("mia") || name.starts_with("moa") => {
                count(facts, "detail", format!("{name} {}", number(&extension["valueDecimal"])));
            }
            _ => {}
        }
    }
}

fn code(of: &Value) -> &str {
    of["category"]["coding"][0]["code"].as_str().unwrap_or_default()
}

/// Adjudications or totals: the named amounts by their kinds, the others by their qualifier.
fn amounts(of: &Value, kinds: &[(&str, &str)], facts: &mut Facts) {
    for each in list(of) {
        let value = number(&each["amount"]["value"]);
        let group = ours(each).find(|(name, _)| *name == "cas-group").map(|(_, group)| text(&group["valueCode"]));
        if each["amount"].is_null() && each["value"].is_null() {
            continue;
        }
        let computed = list(&each["extension"]).iter().any(|each| text(&each["url"]).ends_with("/computed"));
        if let Some(group) = group {
            let reason = text(&each["reason"]["coding"][0]["code"]);
            let quantity = if each["value"].is_null() { String::new() } else { number(&each["value"]) };
            count(facts, "adjustment", format!("{group} {reason} {value} {quantity}"));
        } else if each["category"]["coding"][0]["system"] == "https://codesystem.x12.org/005010/522" {
            count(facts, "amount", format!("{} {value}", code(each)));
        } else if code(each) == "allowedunits" {
            count(facts, "units paid", number(&each["value"]));
        } else if let Some((_, kind)) = kinds.iter().find(|(known, _)| *known == code(each) && !computed) {
            match kind.split_once(' ') {
                Some(("AMT", qualifier)) => count(facts, "amount", format!("{qualifier} {value}")),
                _ => count(facts, kind, value),
            }
        }
    }
}

fn payment(resource: &Value, facts: &mut Facts) {
    if resource["resourceType"] == "PaymentReconciliation" {
        return remittance(resource, facts);
    }
    if resource["resourceType"] == "Task" {
        return;
    }
    let number_of_claim = resource["request"]["identifier"]["value"].as_str().unwrap_or("0");
    count(facts, "claim", number_of_claim);
    list(&resource["identifier"]).iter().for_each(|each| count(facts, "payer number", text(&each["value"])));
    let totals = [("submitted", "charge"), ("benefit", "paid"), ("eligible", "AMT AU"), ("paidbypatient", "AMT F5")];
    amounts(&resource["total"], &totals, facts);
    amounts(&resource["adjudication"], &[], facts);
    if let Some(authorization) = resource["preAuthRef"].as_str() {
        count(facts, "authorization", authorization);
    }
    qualified(resource, facts);
    for item in list(&resource["item"]) {
        let kinds = [("submitted", "line charge"), ("benefit", "line paid"), ("eligible", "AMT B6"), ("tax", "AMT T")];
        amounts(&item["adjudication"], &kinds, facts);
        qualified(item, facts);
        for (name, extension) in ours(item) {
            match name {
                "service-date" => {
                    let period = &extension["valuePeriod"];
                    period["start"].as_str().into_iter().for_each(|day| count(facts, "service start", day));
                    period["end"].as_str().into_iter().for_each(|day| count(facts, "service end", day));
                }
                "svc" => count(facts, "procedure", text(&extension["valueCodeableConcept"]["coding"][0]["code"])),
                _ => {}
            }
        }
    }
    for note in list(&resource["processNote"]) {
        for (_, remark) in ours(note).filter(|(name, _)| *name == "remark") {
            let coding = &remark["valueCoding"];
            let rarc = coding["system"] == "https://x12.org/codes/remittance-advice-remark-codes";
            count(facts, "remark", format!("{} {}", if rarc { "HE" } else { "RX" }, text(&coding["code"])));
        }
    }
}

fn remittance(resource: &Value, facts: &mut Facts) {
    count(facts, "payment", number(&resource["paymentAmount"]["value"]));
    // FHIR wants a date even where the payer gave none.
    if !ours(resource).any(|(name, each)| name == "bpr" && !sub(each, "bpr16").is_null()) && said_date(resource) {
        count(facts, "payment date", text(&resource["paymentDate"]));
    }
    resource["paymentIdentifier"]["value"].as_str().into_iter().for_each(|n| count(facts, "payment trace", n));
    resource["period"]["end"].as_str().into_iter().for_each(|day| count(facts, "production date", day));
    for detail in list(&resource["detail"]) {
        let coding = &detail["type"]["coding"][0];
        if coding["system"] == "https://claimgate.dev/fhir/CodeSystem/x12-plb" {
            let amount: Decimal = detail["amount"]["value"].to_string().parse().unwrap();
            let amount = (Decimal::ZERO - amount).normalize();
            let identifier = text(&detail["identifier"]["value"]);
            count(facts, "provider adjustment", format!("{} {identifier} {amount}", text(&coding["code"])));
        }
    }
    for (name, extension) in ours(resource).filter(|(name, _)| matches!(*name, "ts3" | "ts2")) {
        let values = list(&extension["extension"]).iter();
        values.for_each(|each| count(facts, &name.to_uppercase(), text(&each["valueString"])));
    }
}

/// Whether the date of a payment is the payer's own.
fn said_date(resource: &Value) -> bool {
    let details = list(&resource["detail"]);
    details.iter().all(|detail| !detail["date"].is_null())
}

/// The codes of a status, wherever they stand.
fn codes(coding: &Value, facts: &mut Facts) {
    let of = |system: &str| {
        let found = list(coding).iter().find(|each| text(&each["system"]).ends_with(system));
        found.map(|each| text(&each["code"])).unwrap_or_default()
    };
    let status = [of("/507"), [of("/508"), of("ncpdp-reject-code"), of("loinc.org")].concat(), of("/98")].join(" ");
    count(facts, "status", status.trim_end());
}

fn status(resource: &Value, facts: &mut Facts) {
    let mut statuses = |of: &Value| {
        for (_, stc) in ours(of).filter(|(name, _)| *name == "stc") {
            let coding = &sub(stc, "status")["valueCodeableConcept"]["coding"];
            if coding.is_array() {
                codes(coding, facts);
            }
            for (name, kind) in [("date", "status date"), ("finalized", "finalized"), ("paymentDate", "payment date")] {
                sub(stc, name)["valueDate"].as_str().into_iter().for_each(|day| count(facts, kind, day));
            }
            sub(stc, "paymentNumber")["valueString"]
                .as_str()
                .into_iter()
                .for_each(|n| count(facts, "payment trace", n));
        }
    };
    statuses(resource);
    list(&resource["item"]).iter().for_each(&mut statuses);
    if resource["code"]["coding"][0]["code"] == "attachment-request-code" {
        return;
    }
    list(&resource["error"]).iter().for_each(|error| codes(&error["code"]["coding"], facts));
    for item in list(&resource["item"]) {
        amounts(&item["adjudication"], &[("submitted", "line charge")], facts);
    }
    facts.retain(|(kind, _), _| kind != "units paid");
    qualified(resource, facts);
    list(&resource["item"]).iter().for_each(|item| qualified(item, facts));
    facts.retain(|(kind, value), _| kind != "reference" && !(kind == "date" && value.starts_with("472 ")));
    traces(resource, facts);
}

fn traces(resource: &Value, facts: &mut Facts) {
    everywhere(resource, &mut |extension| {
        let url = text(&extension["url"]);
        if url == format!("{OURS}trn") || url == format!("{PAS}itemTraceNumber") {
            count(facts, "trace", text(&extension["valueIdentifier"]["value"]));
        }
    });
}

fn rejects(resource: &Value, facts: &mut Facts) {
    for error in list(&resource["error"]) {
        let url = format!("{PAS}errorFollowupAction");
        let follow_up = text(&sub(error, &url)["valueCodeableConcept"]["coding"][0]["code"]);
        count(facts, "reject", format!("{} {follow_up}", text(&error["code"]["coding"][0]["code"])).trim_end());
    }
}

fn eligibility(resource: &Value, facts: &mut Facts) {
    traces(resource, facts);
    rejects(resource, facts);
    for item in list(&resource["insurance"]).iter().flat_map(|insurance| list(&insurance["item"])) {
        let types = list(&item["benefit"][0]["type"]["coding"]).iter();
        types.skip(1).for_each(|coding| count(facts, "benefit", text(&coding["code"])));
        list(&item["category"]["coding"]).iter().for_each(|each| count(facts, "service type", text(&each["code"])));
        item["name"].as_str().into_iter().for_each(|name| count(facts, "plan", name));
        for benefit in list(&item["benefit"]) {
            let money = [&benefit["allowedMoney"], &benefit["usedMoney"]].into_iter().find(|money| money.is_object());
            money.into_iter().for_each(|money| count(facts, "amount", number(&money["value"])));
        }
        for (_, iii) in ours(item).filter(|(name, _)| *name == "iii") {
            let value = |name: &str| text(&sub(iii, name)["valueString"]);
            count(facts, "III", format!("{} {}", value("iii01"), value("iii02")).trim_end());
        }
    }
}

fn review(resource: &Value, facts: &mut Facts) {
    if resource["resourceType"] == "Task" {
        let inputs = list(&resource["input"]).iter().map(|input| &input["valueCodeableConcept"]["coding"][0]);
        let wanted = inputs.filter(|coding| text(&coding["system"]).ends_with("/755"));
        return wanted.for_each(|coding| count(facts, "attachment", text(&coding["code"])));
    }
    traces(resource, facts);
    rejects(resource, facts);
    list(&resource["processNote"]).iter().for_each(|note| count(facts, "message", text(&note["text"])));
    everywhere(resource, &mut |extension| {
        if extension["url"] != format!("{PAS}reviewAction") {
            return;
        }
        let action =
            sub(extension, &format!("{PAS}reviewActionCode"))["valueCodeableConcept"]["coding"][0]["code"].clone();
        let number = text(&sub(extension, "number")["valueString"]);
        count(facts, "decision", format!("{} {number}", text(&action)).trim_end());
        for reason in list(&extension["extension"]).iter().filter(|each| each["url"] == "reasonCode") {
            count(facts, "reason", text(&reason["valueCodeableConcept"]["coding"][0]["code"]));
        }
    });
}

fn acknowledgment(resource: &Value, facts: &mut Facts) {
    let of = |system: &str| list(&resource["identifier"]).iter().find(|each| text(&each["system"]).ends_with(system));
    // What names no set is about the whole group.
    if let (Some(group), None) = (of("x12-gs06"), of("x12-st02")) {
        count(facts, "group", text(&group["value"]));
    }
    for identifier in list(&resource["identifier"]) {
        let kinds = [("x12-isa13", "interchange"), ("x12-st02", "set")];
        let kind = kinds.iter().find(|(system, _)| text(&identifier["system"]).ends_with(system));
        kind.into_iter().for_each(|(_, kind)| count(facts, kind, text(&identifier["value"])));
    }
    for output in list(&resource["output"]) {
        let coding = &output["type"]["coding"][0];
        let kinds = [("x12-ta1-note", "note"), ("x12-ik403", "element error")];
        let kind = kinds.iter().find(|(system, _)| text(&coding["system"]).ends_with(system));
        kind.into_iter().for_each(|(_, kind)| count(facts, kind, text(&coding["code"])));
    }
}
