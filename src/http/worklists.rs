//! Lists that people work through.

use crate::fault::{Fault, Place, codes};
use crate::flow::{denials, overdue, unmatched};
use crate::http::call::Call;
use crate::http::reply::Reply;
use std::str::FromStr;

/// Rows in one answer, unless `_count` says otherwise, and the most.
const COUNT: usize = 50;
const COUNT_MAX: usize = 500;

/// `GET /worklists/overdue?payer=&answer=&_count=&after=`: answers that did not come in the payer's time.
pub async fn overdue(call: Call) -> Result<Reply, Fault> {
    let asked = overdue::Asked {
        payer: call.asked("payer"),
        answer: call.asked("answer"),
        skip: number(&call, "after")?.unwrap_or(0),
        count: count(&call)?,
    };
    Ok(Reply::json(200, &overdue::list(&call.gateway, call.tenant(), asked).await?))
}

/// `GET /worklists/denials?payer=&from=&to=&reason=&remark=&_count=&after=`: reasons why claims were not paid; with a reason
/// its claims too.
pub async fn denials(call: Call) -> Result<Reply, Fault> {
    let asked = denials::Asked {
        payer: call.asked("payer"),
        from: call.asked("from"),
        to: call.asked("to"),
        reason: call.asked("reason"),
        remark: call.asked("remark"),
        after: number(&call, "after")?.unwrap_or(0),
        count: count(&call)?,
    };
    Ok(Reply::json(200, &denials::list(&call.gateway, call.tenant(), asked).await?))
}

/// `GET /admin/responses?state=unmatched&payer=&_count=&after=`: answers of payers that belong to nobody yet.
pub async fn responses(call: Call) -> Result<Reply, Fault> {
    if call.asked("state").is_some_and(|state| state != "unmatched") {
        let text = "only unmatched answers are listed; matched ones stand in the journeys of their claims";
        return Err(Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, text, "ask for ?state=unmatched"));
    }
    let (after, count) = (number(&call, "after")?.unwrap_or(0), count(&call)?);
    Ok(Reply::json(200, &unmatched::list(&call.gateway, call.asked("payer"), after, count).await?))
}

fn count(call: &Call) -> Result<usize, Fault> {
    Ok(number(call, "_count")?.unwrap_or(COUNT).clamp(1, COUNT_MAX))
}

fn number<N: FromStr>(call: &Call, name: &str) -> Result<Option<N>, Fault> {
    let wrong = |_| {
        let text = format!("`{name}` is no number");
        Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, text, "take it from the `next` of the answer before")
    };
    call.asked(name).map(|text| text.parse().map_err(wrong)).transpose()
}
