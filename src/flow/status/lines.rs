//! Loop 2220D of a 277: what is known of each service line of the claim. A line without a procedure that the guide has a
//! qualifier for is left out.

use super::{Body, Known, Status, composite, outcome, service_date};
use crate::billing::response::{AdjudicatedLine, Adjudication, Decision, PayerResponse};
use crate::gateway::Translator;
use crate::responses::meaning::List;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// SVC01-1 of a 277, and that of a revenue code alone.
const QUALIFIERS: [&str; 8] = ["AD", "ER", "HC", "HP", "IV", "N4", "NU", "WK"];
const REVENUE: &str = "NU";
/// Lines that are told of one claim.
const LINES_MOST: usize = 999;

/// The lines of the newest payment, else those that a status was said of.
pub(super) fn write(body: &mut Body, translator: &Translator, known: &Known, today: Date) {
    let paid = known.said.iter().rev().find_map(|said| Some((said, said.adjudication.as_ref()?)));
    if let Some((said, adjudication)) = paid {
        let date = said.payment.as_ref().and_then(|payment| payment.date).or(said.stated).unwrap_or(today);
        for line in adjudication.lines.iter().take(LINES_MOST) {
            let codes = vec![of_state(translator, line_outcome(said, adjudication, line))];
            write_line(body, known, line, Status { codes, date: Some(date), ..Status::default() });
        }
        return;
    }
    let Some(said) = known.said.iter().rev().find(|said| !said.statuses.is_empty()) else { return };
    for (n, line) in said.lines.iter().take(LINES_MOST).enumerate() {
        let own: Vec<_> = said.statuses.iter().filter(|status| status.line == u32::try_from(n + 1).ok()).collect();
        let Some(first) = own.first() else { continue };
        let date = first.date.or(said.stated).or(Some(today));
        let codes = own.iter().take(super::COMPOSITES).map(|status| composite(status)).collect();
        write_line(body, known, line, Status { codes, date, ..Status::default() });
    }
}

/// The codes of a row of `codes/claim-state.tsv`.
fn of_state(translator: &Translator, row: &str) -> [String; 3] {
    let column = |name| translator.meanings.column(List::State, row, name).unwrap_or_default().to_owned();
    ["to", "status", "entity"].map(column)
}

/// A line that nothing is paid of is denied, unless the patient or another payer bears it.
fn line_outcome(said: &PayerResponse, claim: &Adjudication, line: &AdjudicatedLine) -> &'static str {
    let denied = Decision::of(&said.decision) == Decision::Denied;
    let borne = line.adjustments.iter().any(|each| matches!(each.group.as_str(), "PR" | "OA"));
    match () {
        () if line.paid > Decimal::ZERO => "paid",
        () if outcome(said, claim) == "reversed" => "reversed",
        () if denied || (!borne && !line.charge.is_zero()) => "denied",
        () => "unpaid",
    }
}

fn write_line(body: &mut Body, known: &Known, line: &AdjudicatedLine, status: Status) {
    let Some(code) = code(body, line) else { return };
    let money = |amount: Decimal| amount.normalize().to_string();
    let revenue = line.revenue_code.as_deref().filter(|_| !code.starts_with(REVENUE)).unwrap_or_default();
    let units = line.units_submitted.unwrap_or(line.units_paid);
    body.write(&["SVC", &code, &money(line.charge), &money(line.paid), revenue, "", "", &money(units)]);
    body.status(&status);
    if let Some(number) = line.control_number.as_deref() {
        body.write(&["REF", "FJ", number]);
    }
    let own = line.service_start.map(|start| (start, line.service_end.unwrap_or(start)));
    if let Some((first, last)) =
        own.map(|(first, last)| [first, last].map(super::compact).into()).or_else(|| service_date(known))
    {
        body.service_date(&first, &last);
    }
}

/// SVC01.
fn code(body: &Body, line: &AdjudicatedLine) -> Option<String> {
    let code = &line.code;
    let separator = char::from(body.delimiters.component).to_string();
    let qualifier = if code.qualifier.is_empty() { "HC" } else { &code.qualifier };
    if code.value.is_empty() {
        return line.revenue_code.as_ref().map(|revenue| [REVENUE, revenue].join(&separator));
    }
    let parts = [qualifier, &code.value].into_iter().chain(code.modifiers.iter().map(String::as_str));
    QUALIFIERS.contains(&qualifier).then(|| parts.collect::<Vec<_>>().join(&separator))
}
