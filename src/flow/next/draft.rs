//! Drafts as submissions: held, with the claim, what it is for and what to change; released and discarded by people.

use super::coverage::NextCoverage;
use super::{Kind, answered, change, claim, codes, count, resources, sends, today};
use crate::billing::id::{PayerId, SubmissionId};
use crate::billing::journey::{EventKind, State};
use crate::billing::response::{Decision, PayerResponse};
use crate::fault::{Blame, Fault, Issue, Place, codes as faults};
use crate::fhir::bundle::Resources;
use crate::flow::correct::Placed;
use crate::flow::naming::{self, Named};
use crate::flow::prepare::{self, Known, Prepared};
use crate::flow::receive::event;
use crate::flow::tell::Told;
use crate::flow::{derive, duplicate, hold, intake, submit};
use crate::gateway::Gateway;
use crate::payers::Secondary;
use crate::responses::next_step::{Advice, Step};
use crate::store::{Held, KeyKind, NewEvent, NewSubmission, Submission};
use serde_json::{Value, json};
use std::time::Duration;

/// Longest reason of a discard, in characters.
const REASON_MOST: usize = 500;

/// How often a draft is mended before nobody looks further.
const MENDED_MOST: usize = 16;

/// The business key of a submission's draft: a later answer takes its place.
pub fn key(kind: Kind, of: &SubmissionId) -> String {
    format!("next:{}:{of}", kind.word())
}

/// Whether a held submission is a draft, by its content.
pub fn is_draft(content: &Value) -> bool {
    content["draft"].is_object()
}

/// What a held submission's content tells of the draft that it is.
pub fn of_held(held: &Held) -> Option<Value> {
    let content: Value = serde_json::from_str(&held.content).ok()?;
    is_draft(&content).then(|| content["draft"].clone())
}

/// A draft that is released is a claim to be sent.
pub fn activate(content: &Value, resource: &mut Value) {
    if is_draft(content) && resource["resourceType"] == "Claim" && resource["status"] == "draft" {
        resource["status"] = Value::from("active");
    }
}

/// The claim for the next payer; `true` when there is one now.
pub async fn secondary(
    gateway: &Gateway,
    told: &mut Told,
    said: &PayerResponse,
    advice: &Advice,
    next: &NextCoverage,
) -> Result<bool, Fault> {
    let response = told.response_reference();
    let claim = claim::secondary(&answered(told, said, &response), next, today(gateway));
    let Some(place) = placed(gateway, told, Kind::Secondary, &claim).await? else { return Ok(false) };
    let plan = Plan { kind: Kind::Secondary, claim, changes: Vec::new(), known: place.known(gateway), place };
    write(gateway, told, advice, plan).await
}

/// The claim once more, with the changes that the payer asks for.
pub async fn replacement(
    gateway: &Gateway,
    told: &mut Told,
    said: &PayerResponse,
    advice: &Advice,
) -> Result<bool, Fault> {
    let response = told.response_reference();
    let rejected = Decision::of(&said.decision) == Decision::Rejected;
    let number = told.number().map(str::to_owned);
    let (as_new, was) = (advice.is_unprocessable(), answered(told, said, &response));
    let claim = if as_new { claim::anew(&was, today(gateway)) } else { claim::replacement(&was, today(gateway)) };
    let Some(place) = placed(gateway, told, Kind::Replacement, &claim).await? else { return Ok(false) };
    let frequency = if rejected || as_new { "1" } else { "7" };
    let placed = Placed { frequency: Some(frequency), number, ..Placed::default() };
    let known = submit::known(gateway, &placed, false);
    let resources = resources(gateway, told).await?;
    let changes = change::list(&gateway.translator, &resources, told.submission.payer.as_str(), &known, advice);
    let corrects = (!as_new).then(|| told.submission.id.clone());
    let place = Standing { corrects, ..place };
    write(gateway, told, advice, Plan { kind: Kind::Replacement, claim, changes, known, place }).await
}

/// A draft before it is a submission.
struct Plan {
    kind: Kind,
    claim: Value,
    changes: Vec<Value>,
    known: Known,
    place: Standing,
}

impl Plan {
    fn step(&self, advice: &Advice) -> Step {
        if self.kind == Kind::Secondary { Step::BillNextPayer } else { advice.step() }
    }
}

/// Where a draft stands among those of before.
struct Standing {
    key: String,
    hash: String,
    /// The submission of the same claim that it mends.
    corrects: Option<SubmissionId>,
}

impl Standing {
    fn known(&self, gateway: &Gateway) -> Known {
        let frequency = self.corrects.as_ref().map(|_| "7");
        submit::known(gateway, &Placed { frequency, early: self.corrects.clone(), ..Placed::default() }, false)
    }
}

/// `None` when the same was drafted before, whatever became of it, or when what was drafted is on its way and can't be
/// drafted anew.
async fn placed(gateway: &Gateway, told: &Told, kind: Kind, claim: &Value) -> Result<Option<Standing>, Fault> {
    let tenant = &told.submission.tenant;
    let mut bare = claim.clone();
    for changing in ["id", "created"] {
        bare.as_object_mut().map(|bare| bare.shift_remove(changing));
    }
    let decided =
        ["adjudication", "item", "addItem", "error", "total", "payment"].map(|part| told.current[part].clone());
    let hash = submit::content_hash(&json!([bare, decided]));
    let key = key(kind, &told.submission.id);
    let Some((holder, content)) = gateway.store.known(tenant, KeyKind::Business, &key).await? else {
        return Ok(Some(Standing { key, hash, corrects: None }));
    };
    if content == hash {
        return Ok(None);
    }
    let Some(newest) = newest(gateway, &holder).await? else { return Ok(None) };
    let waits = matches!(newest.state, State::Held | State::Rejected | State::Failed | State::Discarded);
    if waits && newest.id == holder {
        return Ok(Some(Standing { key, hash, corrects: None }));
    }
    // The next payer has a claim by what was decided before: a replacement tells it what is decided now.
    let key = format!("{key}|{hash}");
    let new = kind == Kind::Secondary && gateway.store.known(tenant, KeyKind::Business, &key).await?.is_none();
    Ok(new.then_some(Standing { key, hash, corrects: Some(newest.id) }))
}

/// The submission, or what has taken its place: a draft that was mended goes on as another.
async fn newest(gateway: &Gateway, id: &SubmissionId) -> Result<Option<Submission>, Fault> {
    let mut found = gateway.store.submission(id).await?;
    for _ in 0..MENDED_MOST {
        let Some(by) = found.as_ref().and_then(|found| found.superseded.clone()) else { break };
        found = gateway.store.submission(&by).await?;
    }
    Ok(found)
}

/// Writes the draft beside the answer, and says so in both journeys.
async fn write(gateway: &Gateway, told: &mut Told, advice: &Advice, mut plan: Plan) -> Result<bool, Fault> {
    naming::set_id(&mut plan.claim, &uuid::Uuid::now_v7().to_string());
    let resources = with_answer(gateway, told, &plan.claim).await?;
    let trial = Trial::of(gateway, &resources, &plan.known)?;
    let setting = trial.secondary.filter(|_| plan.kind == Kind::Secondary);
    if setting == Some(Secondary::Off) {
        return Ok(false);
    }
    let by_itself = setting.is_some_and(|setting| sends(setting, advice)) && plan.place.corrects.is_none();
    let new = match trial.prepared {
        Some(prepared) if by_itself => sent(&prepared, told, &plan)?,
        _ => held(gateway, told, advice, &plan, &trial)?,
    };
    let outcome = if new.held.is_some() { "drafted" } else { "sent" };
    count(plan.kind.word(), outcome);
    let detail = json!({
        "next": plan.kind.word(),
        "codes": codes(advice.reasons.iter().filter(|reason| reason.row.step == advice.step())),
        "submission": new.id.as_str(),
        "claim": new.focal,
        "outcome": outcome,
    });
    told.note(event(EventKind::Drafted, None, gateway.clock.now(), &detail));
    told.drafts.push(new);
    Ok(true)
}

/// The draft as it would be sent, with the answer as it will stand and everything that is stored.
async fn with_answer(gateway: &Gateway, told: &Told, claim: &Value) -> Result<Resources, Fault> {
    let mut active = claim.clone();
    active["status"] = Value::from("active");
    let entry = |resource: &Value| json!({"fullUrl": derive::reference_of(resource), "resource": resource});
    let bundle =
        json!({"resourceType": "Bundle", "type": "collection", "entry": [entry(&active), entry(&told.current)]});
    let mut resources = Resources::collect(bundle, gateway.translator.config.limits.bundle_entries)?;
    intake::complete(gateway, &told.submission.tenant, &mut resources).await?;
    Ok(resources)
}

/// The draft, tried: what would go out, or what stands in the way.
struct Trial<'g> {
    prepared: Option<Prepared<'g>>,
    payer: PayerId,
    guide: String,
    secondary: Option<Secondary>,
    issues: Vec<Issue>,
}

impl<'g> Trial<'g> {
    fn of(gateway: &'g Gateway, resources: &Resources, known: &Known) -> Result<Trial<'g>, Fault> {
        let profile = prepare::payer(&gateway.translator, resources, None);
        let secondary = profile.as_ref().ok().map(|profile| profile.secondary);
        let payer = profile.map_or_else(|_| PayerId(String::new()), |profile| profile.payer_id());
        match prepare::prepare(&gateway.translator, resources, None, known) {
            Ok(prepared) => {
                let (guide, issues) = (prepared.route.guide.clone(), prepared.warnings.clone());
                Ok(Trial { prepared: Some(prepared), payer, guide, secondary, issues })
            }
            Err(fault) if fault.blame == Blame::Caller => {
                Ok(Trial { prepared: None, payer, guide: String::new(), secondary, issues: fault.issues })
            }
            Err(fault) => Err(fault),
        }
    }
}

/// A promise like any other: nobody has to look at it.
fn sent(prepared: &Prepared, told: &Told, plan: &Plan) -> Result<NewSubmission, Fault> {
    let mut claim = plan.claim.clone();
    claim["status"] = Value::from("active");
    let reference = derive::reference_of(&claim);
    let promise =
        submit::promise(&told.submission.tenant, prepared, Named::alone(&reference, claim), &plan.known, None)?;
    let mut events = vec![begun(told, plan)];
    events.extend(promise.events.iter().cloned());
    Ok(NewSubmission {
        events,
        business_key: Some((plan.place.key.clone(), plan.place.hash.clone())),
        services: duplicate::services(prepared, &Placed::default()),
        ..promise
    })
}

/// Held until a person says what becomes of it: it waits for nothing else.
fn held(gateway: &Gateway, told: &Told, advice: &Advice, plan: &Plan, trial: &Trial) -> Result<NewSubmission, Fault> {
    let now = gateway.clock.now();
    let reference = derive::reference_of(&plan.claim);
    let content = json!({
        "resources": [reference],
        "draft": {
            "kind": plan.kind.word(),
            "of": {
                "submission": told.submission.id.as_str(),
                "claim": told.submission.focal,
                "claimResponse": told.response_reference(),
            },
            "step": plan.step(advice).word(),
            "because": change::because(advice),
            "changes": plan.changes,
        },
    });
    let held = Held {
        content: content.to_string(),
        issues: hold::told(&trial.issues).to_string(),
        waits: Vec::new(),
        patience: Duration::ZERO,
        due: None,
    };
    Ok(NewSubmission {
        id: SubmissionId::make(),
        tenant: told.submission.tenant.clone(),
        focal: reference,
        payer: trial.payer.clone(),
        guide: trial.guide.clone(),
        mapping_version: gateway.translator.mappings.version().to_owned(),
        parts: Vec::new(),
        resources: vec![submit::write(plan.claim.clone())],
        response: String::new(),
        idempotency: None,
        business_key: Some((plan.place.key.clone(), plan.place.hash.clone())),
        events: vec![begun(told, plan), event(EventKind::Held, None, now, &json!({"reasons": [faults::DRAFT]}))],
        received: now,
        frequency: plan.known.frequency.unwrap_or("1").to_owned(),
        corrects: plan.place.corrects.clone(),
        supersedes: Vec::new(),
        services: None,
        references: Vec::new(),
        held: Some(held),
    })
}

/// How a draft's own journey begins.
fn begun(told: &Told, plan: &Plan) -> NewEvent {
    let detail = json!({
        "next": plan.kind.word(),
        "of": {"submission": told.submission.id.as_str(), "claim": told.submission.focal},
    });
    event(EventKind::Drafted, None, plan.known.now, &detail)
}

/// `$discard`: a person has decided that the draft is not sent.
pub async fn discard(gateway: &Gateway, tenant: &str, id: &SubmissionId, reason: &str) -> Result<(), Fault> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MOST {
        let text = format!("a discard needs a reason of at most {REASON_MOST} characters");
        let at = Place::FhirPath("reason".into());
        return Err(Fault::refuse(faults::CARDINALITY, at, text, "send {\"reason\": \"written off\"}"));
    }
    let found = gateway.store.submission(id).await?.filter(|found| found.tenant == tenant);
    let Some(found) = found else {
        let text = format!("there is no billing record {id}");
        return Err(Fault::refuse(
            faults::NOT_FOUND,
            Place::Whole,
            text,
            "GET /billing-records?state=draft lists drafts",
        ));
    };
    let Some(draft) = draft_of(gateway, &found).await? else {
        let text = format!("the submission is {}, and no draft", found.state.word());
        let hint = "only drafts are discarded; a held claim is mended or released, a sent one voided";
        return Err(Fault::refuse(faults::NOT_HELD, Place::Whole, text, hint));
    };
    let now = gateway.clock.now();
    let discarded = event(EventKind::Discarded, None, now, &json!({ "reason": reason }));
    gateway.store.append(id, vec![discarded], Vec::new()).await?;
    count(kind_of(&draft), "discarded");
    let original = SubmissionId(draft["of"]["submission"].as_str().unwrap_or_default().to_owned());
    let detail = json!({"next": "discarded", "submission": id.as_str(), "claim": found.focal});
    gateway.store.append(&original, vec![event(EventKind::Noted, None, now, &detail)], Vec::new()).await.map(drop)
}

/// What a submission tells of the draft that it is, while it is one.
pub async fn draft_of(gateway: &Gateway, submission: &Submission) -> Result<Option<Value>, Fault> {
    if submission.state != State::Held || submission.superseded.is_some() {
        return Ok(None);
    }
    Ok(gateway.store.held(&submission.id).await?.as_ref().and_then(of_held))
}

/// The kind that a draft was made as, for a label.
pub fn kind_of(draft: &Value) -> &'static str {
    match draft["kind"] == Kind::Secondary.word() {
        true => Kind::Secondary.word(),
        false => Kind::Replacement.word(),
    }
}
