//! `POST /fhir/{type}/$validate`: what would be said of a resource, without keeping anything of it.

use crate::fault::{Fault, any_error};
use crate::fhir::{outcome, second_opinion, validate};
use crate::flow::{intake, prepare, translate};
use crate::http::call::Call;
use crate::http::fhir::kind;
use crate::http::reply::Reply;
use serde_json::Value;

/// Always 200 when the check could be made. With `?mode=x12` a claim is also mapped, checked as its payer's X12, and thrown
/// away.
pub async fn operation(call: Call) -> Result<Reply, Fault> {
    let kind = kind(&call)?;
    let body = call.json()?;
    let subject = subject(&body);
    let at = subject.get("resourceType").and_then(Value::as_str).unwrap_or(&kind);
    let mut issues = validate::resource(&call.gateway.translator.definitions, subject, at);
    if !any_error(&issues) {
        issues.extend(second_opinion::judge(subject));
    }
    if !any_error(&issues) && call.asked("mode").is_some_and(|mode| mode.starts_with("x12")) {
        match rehearse(&call, subject.clone()).await {
            Ok(warnings) => issues.extend(warnings),
            Err(fault) if fault.status() < 500 => issues.extend(fault.issues),
            Err(fault) => return Err(fault),
        }
    }
    let limit = call.gateway.translator.config.limits.issues;
    Ok(Reply::fhir(200, &outcome::operation_outcome(&issues, limit)))
}

/// The resource itself, or the parameter `resource`.
fn subject(body: &Value) -> &Value {
    let named = |each: &&Value| each.get("name").and_then(Value::as_str) == Some("resource");
    let parameters = body.get("resourceType").and_then(Value::as_str) == Some("Parameters");
    let list = body.get("parameter").and_then(Value::as_array).filter(|_| parameters);
    list.and_then(|list| list.iter().find(named)).and_then(|each| each.get("resource")).unwrap_or(body)
}

/// The whole way of a submission but the promise.
async fn rehearse(call: &Call, body: Value) -> Result<Vec<crate::fault::Issue>, Fault> {
    let translator = &call.gateway.translator;
    let mut resources = intake::read(translator, body)?;
    intake::resolve(&call.gateway, call.tenant(), &mut resources).await?;
    let known = translate::known(&resources, call.gateway.clock.now());
    Ok(prepare::prepare(translator, &resources, None, &known)?.warnings)
}
