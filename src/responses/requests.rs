//! What a payer asks for: documents and facts, each a request of its own, whichever transaction asks.

use super::context::*;
use super::meaning::{List, Meanings};
use crate::billing::response::{
    AdjudicatedLine, Adjudication, ClaimStatus, Decision, InformationRequest, PayerResponse, QualifiedDate,
};
use crate::x12::segment::Segment;
use jiff::civil::Date;

/// DTP qualifier: until when it is wanted.
const REQUIRED_BY: &str = "106";
/// The list of an R category's status code, and of the documents that are named by LOINC.
const STATUS: &str = "STC";
const LOINC: &str = "LOI";

/// One answer for each thing asked for: what names the claim, and the request alone.
pub fn each(response: &PayerResponse) -> impl Iterator<Item = PayerResponse> {
    response.requests.iter().map(|request| PayerResponse {
        transaction: response.transaction.clone(),
        decision: response.decision.clone(),
        stated: response.stated,
        source: response.source.clone(),
        keys: response.keys.clone(),
        requests: vec![request.clone()],
        traces: response.traces.clone(),
        payer_name: response.payer_name.clone(),
        payer_identifier: response.payer_identifier.clone(),
        payer_claim_control_number: response.payer_claim_control_number.clone(),
        disposition: response.disposition.clone(),
        ..PayerResponse::default()
    })
}

/// 277 and 277CA: a status of an R category asks for something, and so does one that holds the claim up for want of a
/// document. `decision` is what the composite decides.
pub(super) fn of_status(meanings: &Meanings, status: &ClaimStatus, decision: Decision) -> Option<InformationRequest> {
    let code = status.code.clone().unwrap_or_default();
    let is_loinc = status.list.as_deref() == Some(LOINC);
    let wanted = if is_loinc { None } else { meanings.of(List::Document, &format!("STC {code}")) };
    let held_up = matches!(decision, Decision::Rejected | Decision::Pended | Decision::Denied);
    let asks = status.category.starts_with('R') || is_loinc || (held_up && wanted.is_some());
    asks.then(|| InformationRequest {
        list: if is_loinc { LOINC } else { STATUS }.into(),
        code,
        category: Some(status.category.clone()),
        entity: status.entity.clone(),
        line: status.line,
        line_control_number: status.line_control_number.clone(),
        text: status.text.clone(),
        meaning: status.meaning.clone(),
        ..InformationRequest::default()
    })
}

/// 277: until when, by the dates of the claim; a line's own date comes first.
pub(super) fn until(requests: &mut [InformationRequest], claim: &[QualifiedDate], lines: &[AdjudicatedLine]) {
    let day = |dates: &[QualifiedDate]| -> Option<Date> {
        let wanted = dates.iter().find(|date| date.qualifier == REQUIRED_BY)?;
        wanted.end.or(wanted.start)
    };
    for request in requests {
        let line = request.line.and_then(|line| lines.get((line as usize).checked_sub(1)?));
        request.due = line.and_then(|line| day(&line.dates)).or_else(|| day(claim));
    }
}

/// 835: what a remark names as missing, with the reason that it explains; a reason that speaks of documents where no remark
/// says which. What is taken back asks for nothing.
pub(super) fn of_adjudication(meanings: &Meanings, paid: &Adjudication, decision: Decision) -> Vec<InformationRequest> {
    if decision == Decision::Reversed {
        return Vec::new();
    }
    let wanted = |list: &str, code: &str| meanings.of(List::Document, &format!("{list} {code}"));
    let mut found: Vec<InformationRequest> = Vec::new();
    let places = std::iter::once((None, &paid.adjustments, &paid.remarks))
        .chain(paid.lines.iter().map(|line| (line.control_number.as_ref(), &line.adjustments, &line.remarks)));
    for (n, (number, adjustments, remarks)) in places.enumerate() {
        let line = u32::try_from(n).ok().filter(|n| *n > 0);
        let request = |list: &str, code: &str, meaning: &str| InformationRequest {
            list: list.into(),
            code: code.to_owned(),
            meaning: Some(meaning.to_owned()),
            line,
            line_control_number: number.cloned(),
            ..InformationRequest::default()
        };
        let reason = adjustments.iter().find(|each| each.reason == "16" || wanted("CARC", &each.reason).is_some());
        let named = remarks.iter().filter(|remark| remark.list == "HE");
        let mut here: Vec<InformationRequest> = named
            .filter_map(|remark| Some(request("HE", &remark.code, wanted("RARC", &remark.code)?)))
            .map(|asked| InformationRequest { category: reason.map(|reason| reason.reason.clone()), ..asked })
            .collect();
        if let (true, Some(reason)) = (here.is_empty(), reason) {
            here.extend(wanted("CARC", &reason.reason).map(|meaning| request("CARC", &reason.reason, meaning)));
        }
        found.extend(here);
    }
    found
}

/// PWK of a 278 or 277: a report of a type.
pub(super) fn attachment(pwk: &Segment, line: Option<u32>, number: Option<String>) -> InformationRequest {
    InformationRequest {
        list: "PWK".into(),
        code: pwk.element(1).trim().to_owned(),
        transmission: text(pwk, 2),
        control_number: text(pwk, 6),
        text: text(pwk, 7),
        line,
        line_control_number: number,
        ..InformationRequest::default()
    }
}

/// HI*LOI of a 278: documents named by LOINC.
pub(super) fn documents(hi: &Segment, line: Option<u32>, number: Option<&String>) -> Vec<InformationRequest> {
    let request = |n: usize| {
        Some(InformationRequest {
            list: LOINC.into(),
            code: part(hi, n, 2)?,
            line,
            line_control_number: number.cloned(),
            ..InformationRequest::default()
        })
    };
    (1..=12).filter_map(request).collect()
}
