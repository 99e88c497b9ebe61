//! An inquiry about a claim that was sent (276, 005010X212), from the billing record that is kept with it: what finds the
//! claim at the payer is what the payer was told.

use super::PreparedPart;
use crate::billing::record::BillingRecord;
use crate::fault::{Fault, any_error, codes};
use crate::gateway::Translator;
use crate::mapping::Scope;
use crate::payers::{PayerProfile, Route};
use crate::x12::{build, writer};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The route of inquiries, where the payer takes them.
pub fn route<'a>(profile: &'a PayerProfile, record: &Value) -> Option<&'a Route> {
    profile.route("statusInquiry", record["claimType"].as_str().unwrap_or_default())
}

/// The inquiry about one claim on the wire. It bears the claim's own trace number, which the payer returns in its 277, so that the
/// answer is about the claim. `payer_number` is the payer's own number of it, from its newest answer.
pub fn inquire(
    translator: &Translator,
    profile: &PayerProfile,
    route: &Route,
    sent: &Value,
    payer_number: Option<&str>,
    now: Timestamp,
) -> Result<PreparedPart, Fault> {
    let missing = || Fault::ours(codes::INTERNAL, format!("no mapping {} is loaded", route.mapping));
    let mapping = translator.mappings.transaction(&profile.id, &route.mapping).ok_or_else(missing)?;
    let value = asked(sent, payer_number);
    let now = now.to_string();
    let scope = Scope { payer: translator.facts(&profile.id), now: &now, vars: &[], resources: None };
    let (mut node, mut issues) = mapping.make_with(&value, &scope, &profile.delimiters);
    build::arrange(&mapping.guide, &mut node);
    issues.extend(build::check(&mapping.guide, &node));
    if any_error(&issues) {
        return Err(Fault::caller(issues));
    }
    let mut body = Vec::with_capacity(2048);
    writer::write_loop(&mapping.guide, &node, &profile.delimiters, &mut body);
    let unreadable = |_| Fault::ours(codes::INTERNAL, "an inquiry can't be made of the claim's record");
    let record: Box<BillingRecord> =
        serde::Deserialize::deserialize(&value).map_err(|_| Fault::ours(codes::INTERNAL, "a record can't be read"))?;
    Ok(PreparedPart { record, value, body: String::from_utf8(body).map_err(unreadable)? })
}

/// The record of the inquiry.
fn asked(sent: &Value, payer_number: Option<&str>) -> Value {
    let mut value = sent.clone();
    value["intent"] = json!("statusInquiry");
    let mut inquiry = json!({});
    if sent["traceNumber"].is_string() {
        inquiry["claimTraceNumber"] = sent["traceNumber"].clone();
    }
    let text = |name: &str| sent[name].as_str().unwrap_or_default();
    if text("claimType") == "institutional" {
        inquiry["billType"] = Value::from(format!("0{}{}", text("placeOfService"), text("frequencyCode")));
    }
    if let Some(period) = period(sent) {
        inquiry["period"] = period;
    }
    value["statusInquiry"] = inquiry;
    // A replacement names the claim before it; what is asked about is the claim itself.
    if let Some(object) = value.as_object_mut() {
        object.remove("payerClaimControlNumber");
    }
    if let Some(number) = payer_number {
        value["payerClaimControlNumber"] = Value::from(number);
    }
    value
}

/// The statement period, else that of the lines.
fn period(sent: &Value) -> Option<Value> {
    if sent["statementPeriod"]["start"].is_string() {
        return Some(sent["statementPeriod"].clone());
    }
    let lines = sent["serviceLines"].as_array().map(Vec::as_slice).unwrap_or_default();
    let day = |line: &Value, name: &str| line["serviceDate"][name].as_str().map(str::to_owned);
    let start = lines.iter().filter_map(|line| day(line, "start")).min()?;
    let end = lines.iter().filter_map(|line| day(line, "end").or_else(|| day(line, "start"))).max()?;
    Some(json!({"start": start, "end": end}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_of_an_inquiry_is_that_of_the_claim() {
        let sent = json!({"intent": "claim", "claimType": "institutional", "placeOfService": "11", "frequencyCode": "7",
            "traceNumber": "CG1", "payerClaimControlNumber": "OLD",
            "serviceLines": [{"serviceDate": {"start": "2026-03-03"}}, {"serviceDate": {"start": "2026-03-01", "end": "2026-03-05"}}]});
        let value = asked(&sent, Some("ICN9"));
        assert_eq!(value["payerClaimControlNumber"], "ICN9");
        let inquiry = json!({"claimTraceNumber": "CG1", "billType": "0117", "period": {"start": "2026-03-01", "end": "2026-03-05"}});
        assert_eq!(value["statusInquiry"], inquiry);
        assert_eq!(
            asked(&sent, None)["payerClaimControlNumber"],
            Value::Null,
            "the number of the claim before is not its own"
        );
    }
}
