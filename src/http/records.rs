//! Billing records: the worklist of what is held, and its release by hand.

use crate::billing::id::SubmissionId;
use crate::billing::journey::State;
use crate::fault::{Fault, Place, codes};
use crate::flow::{hold, worklist};
use crate::http::call::Call;
use crate::http::reply::Reply;

/// Records in one answer, unless `_count` says otherwise, and the most.
const COUNT: usize = 50;
const COUNT_MAX: usize = 500;

/// `GET /billing-records?state=held`.
pub async fn list(call: Call) -> Result<Reply, Fault> {
    let state = match call.asked("state") {
        None => None,
        Some(word) => Some(State::of(word).ok_or_else(|| {
            let known: Vec<&str> = State::ALL.iter().map(|state| state.word()).collect();
            let hint = format!("states: {}", known.join(", "));
            Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, "there is no state of this name", hint)
        })?),
    };
    let limit = call.asked("_count").and_then(|count| count.parse().ok()).unwrap_or(COUNT).clamp(1, COUNT_MAX);
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
