//! Billing records as people look at them: which there are, what each of them waits for, and what it holds.

use crate::billing::id::SubmissionId;
use crate::billing::journey::State;
use crate::fault::{Fault, Place, codes};
use crate::flow::{lookup, next};
use crate::gateway::Gateway;
use crate::store::{Filter, Held, Submission};
use serde_json::{Value, json};

/// The submissions of a state (or all), those longest in their state first; of a held one what is missing.
pub async fn list(gateway: &Gateway, tenant: &str, state: Option<State>, limit: usize) -> Result<Value, Fault> {
    let filter = Filter { tenant: Some(tenant.to_owned()), state, limit, ..Filter::default() };
    let mut rows = Vec::new();
    for submission in gateway.store.submissions(&filter).await? {
        let held = gateway.store.held(&submission.id).await?;
        // What another has taken the place of is nobody's work any more.
        if state != Some(State::Held) || submission.superseded.is_none() {
            rows.push(head(&submission, held.as_ref()));
        }
    }
    Ok(json!({ "total": rows.len(), "records": rows }))
}

/// Drafts that wait for a person, the oldest first.
pub async fn drafts(gateway: &Gateway, tenant: &str, limit: usize) -> Result<Value, Fault> {
    let (tenant, state) = (Some(tenant.to_owned()), Some(State::Held));
    let filter = Filter { tenant, state, drafts: true, limit, ..Filter::default() };
    let mut rows = Vec::new();
    for submission in gateway.store.submissions(&filter).await? {
        let held = gateway.store.held(&submission.id).await?;
        rows.push(head(&submission, held.as_ref()));
    }
    Ok(json!({ "total": rows.len(), "records": rows }))
}

/// One of them, with the billing record of each of its claims.
pub async fn one(gateway: &Gateway, tenant: &str, id: &str) -> Result<Value, Fault> {
    let found = gateway.store.submission(&SubmissionId(id.to_owned())).await?.filter(|found| found.tenant == tenant);
    let Some(submission) = found else {
        let hint = "GET /billing-records lists them";
        return Err(Fault::refuse(codes::NOT_FOUND, Place::Whole, format!("there is no billing record {id}"), hint));
    };
    let held = gateway.store.held(&submission.id).await?;
    let mut out = head(&submission, held.as_ref());
    let records = submission.parts.iter().map(|part| serde_json::from_str(&part.record).unwrap_or(Value::Null));
    out["records"] = records.collect();
    if let Some(held) = held {
        out["waitsFor"] = held.waits.into();
    }
    if out["draft"].is_object() {
        out["claim"] = lookup::read_reference(gateway, tenant, &submission.focal).await?.unwrap_or(Value::Null);
    }
    Ok(out)
}

fn head(submission: &Submission, held: Option<&Held>) -> Value {
    let missing = held.and_then(|held| serde_json::from_str::<Value>(&held.issues).ok());
    let mut out = json!({
        "id": submission.id.as_str(),
        "state": submission.state.word(),
        "since": submission.since.to_string(),
        "received": submission.received.to_string(),
        "resource": submission.focal,
        "claimResponse": submission.response,
        "payer": submission.payer.as_str(),
        "guide": submission.guide,
    });
    if let Some(missing) = missing {
        out["missing"] = missing;
    }
    if let Some(draft) = held.and_then(next::of_held) {
        out["draft"] = draft;
    }
    if let Some(by) = &submission.superseded {
        out["supersededBy"] = Value::from(by.as_str());
    }
    out
}
