//! The denial worklist: for which reasons claims were not paid, how much money that is, and which claims.

use crate::billing::id::PayerId;
use crate::fault::Fault;
use crate::flow::journal::{amount, date};
use crate::gateway::Gateway;
use crate::responses::meaning::{List, Meanings};
use crate::store::{DenialFilter, DenialRow, ReasonSum};
use serde_json::{Value, json};

/// What a caller asks for.
#[derive(Default)]
pub struct Asked<'a> {
    pub payer: Option<&'a str>,
    pub from: Option<&'a str>,
    pub to: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub remark: Option<&'a str>,
    /// Behind this row of the claims.
    pub after: i64,
    pub count: usize,
}

/// The reasons, that of the most money first; and, when a reason is asked for, its claims.
pub async fn list(gateway: &Gateway, tenant: &str, asked: Asked<'_>) -> Result<Value, Fault> {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let mut filter = DenialFilter {
        tenant: tenant.to_owned(),
        payer: asked.payer.map(|payer| PayerId(payer.to_owned())),
        from: date("from", asked.from)?,
        to: date("to", asked.to)?,
        reason: text(asked.reason),
        remark: text(asked.remark),
        after: asked.after,
        limit: REASONS_MOST,
    };
    let meanings = &gateway.translator.meanings;
    let reasons = gateway.store.reasons(&filter).await?;
    let mut list = json!({ "reasons": reasons.iter().map(|sum| reason(meanings, sum)).collect::<Vec<_>>() });
    if asked.reason.is_some() {
        filter.limit = asked.count + 1;
        let mut rows = gateway.store.denials(&filter).await?;
        let more = rows.len() > asked.count;
        rows.truncate(asked.count);
        list["claims"] = rows.iter().map(claim).collect();
        if let Some(last) = rows.last().filter(|_| more) {
            list["next"] = Value::from(last.row);
        }
    }
    Ok(list)
}

/// Reasons in one answer.
const REASONS_MOST: usize = 1_000;

fn reason(meanings: &Meanings, sum: &ReasonSum) -> Value {
    json!({
        "reason": sum.reason,
        "remark": Some(&sum.remark).filter(|remark| !remark.is_empty()),
        "meaning": meaning(meanings, &sum.reason),
        "claims": sum.claims,
        "times": sum.times,
        "amount": amount(sum.amount),
    })
}

/// Words for `CO-50`, or for `A7:562`.
fn meaning(meanings: &Meanings, reason: &str) -> Option<String> {
    if let Some((_, carc)) = reason.split_once('-') {
        return meanings.of(List::Adjustment, carc).map(str::to_owned);
    }
    let (category, status) =
        reason.split_once(':').map_or((reason, None), |(category, status)| (category, Some(status)));
    Some(meanings.status(category, status, None))
}

fn claim(row: &DenialRow) -> Value {
    let denial = &row.denial;
    json!({
        "submission": row.submission.as_str(),
        "claim": row.focal,
        "claimResponse": row.response,
        "part": row.part,
        "patientControlNumber": row.claim_number,
        "payerClaimControlNumber": row.number,
        "payer": row.payer.as_str(),
        "date": denial.date.to_string(),
        "reason": denial.reason,
        "remark": Some(&denial.remark).filter(|remark| !remark.is_empty()),
        "line": denial.line,
        "procedure": denial.procedure,
        "amount": amount(denial.amount),
        "said": if denial.by_status { "status" } else { "835" },
    })
}
