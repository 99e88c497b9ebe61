//! Which line of ours a line of an 835 is about: by REF*6R; else by code, modifiers, date and charge, in the order of the
//! lines, each line of ours used once.

use crate::billing::line::{ProcedureCode, ServiceLine};
use crate::billing::response::{AdjudicatedLine, Adjudication};

/// How the lines of a claim were matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineMatches {
    /// By REF*6R.
    pub by_number: usize,
    /// By code, date and charge.
    pub by_content: usize,
    /// Lines of the payer that are none of ours: they become `addItem`.
    pub unmatched: usize,
}

/// Ways to recognise a line without its number, the strictest first.
const WAYS: &[fn(&AdjudicatedLine, &ServiceLine) -> bool] = &[
    |paid, own| {
        same_code(paid, own, true) && same_day(paid, own) && paid.charge.abs() == own.charge && same_units(paid, own)
    },
    |paid, own| same_code(paid, own, true) && same_day(paid, own) && paid.charge.abs() == own.charge,
    |paid, own| same_code(paid, own, false) && same_day(paid, own) && paid.charge.abs() == own.charge,
    |paid, own| same_code(paid, own, true) && same_day(paid, own),
    |paid, own| same_code(paid, own, false) && paid.charge.abs() == own.charge,
];

/// Fills in `item_sequence` of every line that is one of ours. Several lines with one number are one line of ours that the
/// payer took apart: they all get its sequence.
pub fn match_lines(adjudication: &mut Adjudication, own: &[ServiceLine]) -> LineMatches {
    let mut matches = LineMatches::default();
    let mut used = vec![false; own.len()];
    for line in &mut adjudication.lines {
        line.item_sequence = None;
        if let Some(n) = by_number(line, own) {
            (line.item_sequence, used[n]) = (Some(own[n].sequence), true);
            matches.by_number += 1;
        }
    }
    for way in WAYS {
        for line in adjudication.lines.iter_mut().filter(|line| line.item_sequence.is_none()) {
            if let Some(n) = (0..own.len()).find(|n| !used[*n] && way(line, &own[*n])) {
                (line.item_sequence, used[n]) = (Some(own[n].sequence), true);
                matches.by_content += 1;
            }
        }
    }
    matches.unmatched = adjudication.lines.iter().filter(|line| line.item_sequence.is_none()).count();
    matches
}

fn by_number(line: &AdjudicatedLine, own: &[ServiceLine]) -> Option<usize> {
    let number = line.control_number.as_deref()?.trim();
    own.iter().position(|own| own.control_number.eq_ignore_ascii_case(number))
}

/// The code that we sent (SVC06 when the payer paid another), with or without its modifiers. A line of a revenue code alone
/// comes back with the qualifier NU.
fn same_code(paid: &AdjudicatedLine, own: &ServiceLine, modifiers: bool) -> bool {
    let same = |code: &ProcedureCode| match &own.code {
        Some(own) => code.value.eq_ignore_ascii_case(&own.value) && (!modifiers || code.modifiers == own.modifiers),
        None => code.qualifier == "NU" && own.revenue_code.as_ref() == Some(&code.value),
    };
    same(paid.submitted_code.as_ref().unwrap_or(&paid.code)) || same(&paid.code)
}

/// A line without a date has the claim's.
fn same_day(paid: &AdjudicatedLine, own: &ServiceLine) -> bool {
    paid.service_start.is_none() || paid.service_start == own.first_day()
}

fn same_units(paid: &AdjudicatedLine, own: &ServiceLine) -> bool {
    paid.units_submitted.unwrap_or(paid.units_paid) == own.quantity
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    fn code(value: &str, modifiers: &[&str]) -> ProcedureCode {
        let modifiers = modifiers.iter().map(|text| (*text).to_owned()).collect();
        ProcedureCode { qualifier: "HC".into(), value: value.into(), modifiers, ..ProcedureCode::default() }
    }

    fn own(sequence: u32, value: &str, charge: i64) -> ServiceLine {
        ServiceLine {
            sequence,
            control_number: format!("A-{sequence}"),
            code: Some(code(value, &[])),
            charge: charge.into(),
            quantity: Decimal::ONE,
            ..ServiceLine::default()
        }
    }

    fn paid(number: Option<&str>, value: &str, charge: i64) -> AdjudicatedLine {
        AdjudicatedLine {
            control_number: number.map(str::to_owned),
            code: code(value, &[]),
            charge: charge.into(),
            units_paid: Decimal::ONE,
            ..AdjudicatedLine::default()
        }
    }

    fn sequences(lines: Vec<AdjudicatedLine>, own: &[ServiceLine]) -> (Vec<Option<u32>>, LineMatches) {
        let mut adjudication = Adjudication { lines, ..Adjudication::default() };
        let matches = match_lines(&mut adjudication, own);
        (adjudication.lines.iter().map(|line| line.item_sequence).collect(), matches)
    }

    #[test]
    fn the_number_rules_and_may_stand_twice() {
        let own = [own(1, "99213", 100), own(2, "87880", 40)];
        let lines = vec![paid(Some("a-2"), "99213", 100), paid(Some("A-2"), "X", 1), paid(None, "99213", 100)];
        let (found, matches) = sequences(lines, &own);
        assert_eq!(found, [Some(2), Some(2), Some(1)]);
        assert_eq!(matches, LineMatches { by_number: 2, by_content: 1, unmatched: 0 });
    }

    #[test]
    fn equal_lines_are_taken_in_order_and_a_stranger_is_added() {
        let own = [own(1, "97110", 50), own(2, "97110", 50), own(3, "97140", 30)];
        let lines = vec![paid(None, "97110", 50), paid(None, "97110", 50), paid(None, "G0283", 9)];
        let (found, matches) = sequences(lines, &own);
        assert_eq!((found, matches.unmatched), (vec![Some(1), Some(2), None], 1));
    }

    #[test]
    fn a_line_of_a_revenue_code_alone_comes_back_with_its_qualifier() {
        let room = |n, code: &str| ServiceLine { code: None, revenue_code: Some(code.into()), ..own(n, "", 400) };
        let mut line = paid(None, "0120", 400);
        line.code.qualifier = "NU".into();
        assert_eq!(sequences(vec![line], &[room(1, "0250"), room(2, "0120")]).0, [Some(2)]);
    }

    #[test]
    fn a_strict_fit_goes_before_a_loose_one() {
        let own = [own(1, "97110", 50), own(2, "97110", 75)];
        let (found, _) = sequences(vec![paid(None, "97110", 75), paid(None, "97110", 50)], &own);
        assert_eq!(found, [Some(2), Some(1)]);
    }

    #[test]
    fn the_code_that_was_sent_finds_a_line_that_was_paid_by_another() {
        let mut line = paid(None, "99212", 100);
        line.submitted_code = Some(code("99213", &[]));
        assert_eq!(sequences(vec![line], &[own(7, "99213", 100)]).0, [Some(7)]);
    }
}
