//! A payer complains about loop, segment and element; the caller knows its own resource. The lineage of what was sent leads
//! from one to the other. It is not stored: the claim, its billing record and the version of the mappings are, and by them it
//! is made again, only when somebody complains.

use crate::billing::response::{Complaint, PayerResponse};
use crate::fault::{Fault, Place, X12Place, codes};
use crate::fhir::bundle::Resources;
use crate::flow::prepare::{self, Known};
use crate::flow::receive::Claim;
use crate::flow::{intake, lookup};
use crate::gateway::Gateway;
use crate::store::{SealedClaim, Submission};
use serde_json::Value;

/// The answer with the caller's FHIRPath in the words of each complaint that a part of the claim can be found for.
pub async fn in_callers_words(gateway: &Gateway, claim: &Claim, response: &PayerResponse) -> PayerResponse {
    let mut told = response.clone();
    if told.complaints.iter().all(|complaint| complaint.segment.is_none()) {
        return told;
    }
    let submission = &claim.found.submission;
    let paths = match paths(gateway, submission, claim, &told.complaints).await {
        Ok(paths) => paths,
        Err(_) => {
            tracing::warn!(submission = submission.id.as_str(), "a complaint could not be traced to the claim");
            return told;
        }
    };
    for (complaint, path) in told.complaints.iter_mut().zip(paths) {
        if let Some(path) = path {
            complaint.meaning = format!("{}, from {path}", complaint.meaning);
        }
    }
    told
}

async fn paths(
    gateway: &Gateway,
    submission: &Submission,
    claim: &Claim,
    complaints: &[Complaint],
) -> Result<Vec<Option<String>>, Fault> {
    let gone = || Fault::ours(codes::STORE, "the resources of a submission can't be read");
    let focal = lookup::read_reference(gateway, &submission.tenant, &submission.focal).await?.ok_or_else(gone)?;
    let mut resources = Resources::collect(focal, gateway.translator.config.limits.bundle_entries)?;
    intake::resolve(gateway, &submission.tenant, &mut resources).await?;
    let translator = gateway.translator.version(&submission.mapping_version).unwrap_or(&gateway.translator);
    let part = submission.parts.iter().find(|part| part.number == claim.found.part).ok_or_else(gone)?;
    let record: Value = serde_json::from_str(&part.record).map_err(|_| gone())?;
    let trace_number = part.trace_number.clone();
    let known = Known {
        trace_number,
        original_claim_control_number: None,
        frequency: None,
        lenient: true,
        inquiry: None,
        now: submission.received,
    };
    let lineage = prepare::lineage_of(translator, &resources, submission.payer.as_str(), &known, &record)?;
    let sealed = claim.found.sealed.as_ref();
    Ok(complaints.iter().map(|complaint| lineage.source_of(&place(complaint, sealed, lineage.segments()))).collect())
}

/// The place of a complaint as the lineage counts: from the first segment that the mapping made. What a 999 counts from ST is
/// set off against the claim's last segment, because levels before it may be shared with other claims.
fn place(complaint: &Complaint, sealed: Option<&SealedClaim>, segments: u32) -> Place {
    let small = |number: Option<u32>| number.and_then(|number| u8::try_from(number).ok());
    let own = complaint
        .ordinal
        .zip(sealed)
        .filter(|(ordinal, sealed)| (sealed.first_segment..=sealed.last_segment).contains(ordinal));
    let ordinal = own.and_then(|(ordinal, sealed)| segments.checked_sub(sealed.last_segment - ordinal));
    Place::X12(X12Place {
        loop_id: complaint.loop_id.clone(),
        segment: complaint.segment.clone(),
        ordinal,
        element: small(complaint.element),
        component: small(complaint.component),
        ..X12Place::default()
    })
}
