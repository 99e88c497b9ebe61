//! Billing records: the worklist of what is held, and its release by hand.

use crate::billing::id::SubmissionId;
use crate::billing::journey::State;
use crate::fault::{Fault, Place, codes};
use crate::flow::{hold, next, worklist};
use crate::http::call::Call;
use crate::http::reply::Reply;

/// Records in one answer, unless `_count` says otherwise, and the most.
const COUNT: usize = 50;
const COUNT_MAX: usize = 500;

/// `?state=draft`: what is held for a person to release or discard.
const DRAFT: &str = "draft";

/// `GET /billing-records?state=held`.
pub async fn list(call: Call) -> Result<Reply, Fault> {
    let limit = call.asked("_count").and_then(|count| count.parse().ok()).unwrap_or(COUNT).clamp(1, COUNT_MAX);
    if call.asked("state") == Some(DRAFT) {
        return Ok(Reply::json(200, &worklist::drafts(&call.gateway, call.tenant(), limit).await?));
    }
    let state = match call.asked("state") {
        None => None,
        Some(word) => Some(State::of(word).ok_or_else(|| {
            let known: Vec<&str> = State::ALL.iter().map(|state| state.word()).collect();
            let hint = format!("states: {DRAFT}, {}", known.join(", "));
            Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, "there is no state of this name", hint)
        })?),
    };
    Ok(Reply::json(200, &worklist::list(&call.gateway, call.tenant(), state, limit).await?))
}

/// `GET /billing-records/{id}`: what it waits for, and the records as they were sent.
pub async fn read(call: Call) -> Result<Reply, Fault> {
    Ok(Reply::json(200, &worklist::one(&call.gateway, call.tenant(), call.param(0)).await?))
}

/// `POST /billing-records/{id}/$release`: edits only warn.
pub async fn release(call: Call) -> Result<Reply, Fault> {
    hold::release(&call.gateway, call.tenant(), &SubmissionId(call.param(0).to_owned())).await?;
    read(call).await
}

/// `POST /billing-records/{id}/$discard` with `{"reason": "…"}`: a draft that is not to be sent.
pub async fn discard(call: Call) -> Result<Reply, Fault> {
    let body = call.json()?;
    let reason = body["reason"].as_str().unwrap_or_default();
    next::discard(&call.gateway, call.tenant(), &SubmissionId(call.param(0).to_owned()), reason).await?;
    read(call).await
}
