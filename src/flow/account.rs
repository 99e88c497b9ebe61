//! What of a claim is paid, written off, the patient's and still owed, over all its submissions and payers.

use crate::billing::id::PayerId;
use crate::billing::journal::Entry;
use crate::fault::Fault;
use crate::flow::journal::{self, amount};
use crate::flow::lookup;
use crate::store::{Key, Store, Submission};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The account of what [`lookup::submission`] finds.
///
/// Money that a payer paid counts whoever paid it. What is written off and what is the patient's counts once a payer: as its
/// newest submission says. The patient's share is that of the payer who spoke last.
pub async fn of(store: &dyn Store, tenant: &str, of: &str) -> Result<Value, Fault> {
    let submission = lookup::submission(store, tenant, of).await?;
    let submissions = submissions(store, &submission).await?;
    let mut account = Account::default();
    for submission in &submissions {
        let entries: Result<Vec<Entry>, Fault> =
            store.journal_of(&submission.id).await?.iter().map(journal::entry_of).collect();
        account.add(submission, &entries?);
    }
    let charge = submissions.iter().rev().map(charge).find(|charge| !charge.is_zero()).unwrap_or_default();
    Ok(account.shown(&submission, charge))
}

/// All submissions of the claim, oldest first: those that correct one another, and those of the same number to other payers.
async fn submissions(store: &dyn Store, submission: &Submission) -> Result<Vec<Submission>, Fault> {
    let mut all: Vec<Submission> = store.chain(&submission.id).await?.into_iter().map(|link| link.submission).collect();
    for part in &submission.parts {
        let number = part.patient_control_number.clone();
        let found = store.find(None, &Key::PatientControlNumber(number)).await?;
        let own = found.into_iter().map(|found| found.submission).filter(|found| found.tenant == submission.tenant);
        for found in own {
            if all.iter().all(|known| known.id != found.id) {
                all.push(found);
            }
        }
    }
    all.sort_by(|one, other| one.received.cmp(&other.received).then_with(|| one.id.cmp(&other.id)));
    Ok(all)
}

/// What is billed in all parts.
fn charge(submission: &Submission) -> Decimal {
    let of_part = |part: &crate::store::ClaimPart| {
        let record: Value = serde_json::from_str(&part.record).ok()?;
        record["totalCharge"].as_str()?.parse::<Decimal>().ok()
    };
    submission.parts.iter().filter_map(of_part).sum()
}

/// What one payer has said.
struct OfPayer {
    payer: PayerId,
    paid: Decimal,
    written_off: Decimal,
    other: Decimal,
    patient: Decimal,
}

#[derive(Default)]
struct Account {
    /// The one that spoke last is the last.
    payers: Vec<OfPayer>,
}

impl Account {
    fn add(&mut self, submission: &Submission, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        let sum =
            |fits: &dyn Fn(&Entry) -> bool| entries.iter().filter(|entry| fits(entry)).map(|entry| entry.amount).sum();
        let adjusted = |entry: &Entry, own: bool| {
            entry.kind == "adjustment" && (entry.category.as_deref() == Some("other")) != own
        };
        let before = self.payers.iter().position(|known| known.payer == submission.payer);
        let paid = before.map_or(Decimal::ZERO, |n| self.payers.remove(n).paid);
        self.payers.push(OfPayer {
            payer: submission.payer.clone(),
            paid: paid + sum(&|entry| entry.kind == "payment"),
            written_off: sum(&|entry| adjusted(entry, true)),
            other: sum(&|entry| adjusted(entry, false)),
            patient: sum(&|entry| entry.kind == "patientResponsibility"),
        });
    }

    fn shown(&self, submission: &Submission, charge: Decimal) -> Value {
        let sum = |of: fn(&OfPayer) -> Decimal| self.payers.iter().map(of).sum::<Decimal>();
        let (paid, written_off) = (sum(|payer| payer.paid), sum(|payer| payer.written_off));
        let patient = self.payers.last().map_or(Decimal::ZERO, |payer| payer.patient);
        json!({
            "submission": submission.id.as_str(),
            "claim": submission.focal,
            "patientControlNumber": submission.parts.first().map(|part| &part.patient_control_number),
            "state": submission.state.word(),
            "charge": amount(charge),
            "paid": amount(paid),
            "writtenOff": amount(written_off),
            "patientBalance": amount(patient),
            "outstanding": amount(charge - paid - written_off - patient),
            "payers": self.payers.iter().map(|payer| json!({
                "payer": payer.payer.as_str(),
                "paid": amount(payer.paid),
                "writtenOff": amount(payer.written_off),
                "otherAdjustments": amount(payer.other),
                "patientResponsibility": amount(payer.patient),
            })).collect::<Vec<_>>(),
        })
    }
}
