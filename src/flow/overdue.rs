//! Answers that did not come in the payer's time: said once in the claim's journey, counted, and listed for people.

use crate::billing::id::PayerId;
use crate::billing::journey::Awaited;
use crate::fault::{Fault, Place, codes};
use crate::gateway::Gateway;
use crate::store::{Overdue, OverdueFilter};
use crate::telemetry::name;
use serde_json::{Value, json};

/// Answers that are noticed in one round.
const ROUND: usize = 500;

/// Notices what has become overdue; how many answers.
pub async fn round(gateway: &Gateway) -> Result<usize, Fault> {
    let now = gateway.clock.now();
    let late = gateway.store.late(now, ROUND).await?;
    if late.is_empty() {
        return Ok(0);
    }
    let noticed = gateway.store.notice(late, now).await?;
    for each in &noticed {
        let payer = each.payer.as_str().to_owned();
        metrics::counter!(name::OVERDUE, "payer" => payer, "answer" => each.answer.word()).increment(1);
    }
    Ok(noticed.len())
}

/// What people do about an answer that does not come.
const ADVICE: &[(Awaited, &str)] = &[
    (Awaited::Ta1, "ask the payer's EDI desk whether the interchange arrived, by its control number"),
    (
        Awaited::Implementation999,
        "ask the payer's EDI desk whether the interchange arrived; send it again when it did not",
    ),
    (Awaited::Acknowledgment277ca, "ask by Claim/$inquire (276); send the claim again when the payer does not know it"),
    (Awaited::Remittance835, "ask by Claim/$inquire (276), and look among the unmatched answers: /admin/responses"),
];

/// What a caller asks for.
#[derive(Default)]
pub struct Asked<'a> {
    pub payer: Option<&'a str>,
    /// `ta1`, `999`, `277ca`, `835`.
    pub answer: Option<&'a str>,
    pub skip: usize,
    pub count: usize,
}

/// The list, those due longest first; `next` is how many have been told, when there are more.
pub async fn list(gateway: &Gateway, tenant: &str, asked: Asked<'_>) -> Result<Value, Fault> {
    let answer = asked.answer.map(|word| Awaited::of(word).ok_or_else(unknown)).transpose()?;
    let filter = OverdueFilter {
        tenant: tenant.to_owned(),
        now: gateway.clock.now(),
        payer: asked.payer.map(|payer| PayerId(payer.to_owned())),
        answer,
        skip: asked.skip,
        limit: asked.count + 1,
    };
    let mut rows = gateway.store.overdue(&filter).await?;
    let more = rows.len() > asked.count;
    rows.truncate(asked.count);
    let mut list = json!({ "overdue": rows.iter().map(shown).collect::<Vec<_>>() });
    if more {
        list["next"] = Value::from(asked.skip + asked.count);
    }
    Ok(list)
}

fn unknown() -> Fault {
    let known: Vec<&str> = Awaited::ALL.iter().map(|answer| answer.word()).collect();
    let hint = format!("answers: {}", known.join(", "));
    Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, "there is no answer of this name", hint)
}

fn shown(overdue: &Overdue) -> Value {
    let advice = ADVICE.iter().find(|(answer, _)| *answer == overdue.answer).map(|(_, advice)| *advice);
    let sent = overdue.interchange.as_ref().map(|sent| {
        json!({
            "id": sent.id.as_str(),
            "file": sent.name,
            "interchangeControlNumber": sent.interchange_control_number,
            "groupControlNumber": sent.group_control_number,
            "transactionSet": sent.transaction_set,
        })
    });
    json!({
        "missing": overdue.answer.word(),
        "submission": overdue.submission.as_str(),
        "claim": overdue.focal,
        "part": overdue.part,
        "patientControlNumber": overdue.claim_number,
        "payer": overdue.payer.as_str(),
        "state": overdue.state,
        "sent": overdue.since.to_string(),
        "due": overdue.due.to_string(),
        "interchange": sent,
        "advice": advice,
    })
}
