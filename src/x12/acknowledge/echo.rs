//! What an acknowledgment repeats of what it answers. A sender may have written anything; what is repeated is as near to it as
//! X12 and the guides of the TA1 and 999 allow, so that the answer can be read whatever the fault.

use super::{ACKNOWLEDGMENTS, plain};
use crate::code_forms::is_digits;
use crate::x12::build::{is_date, is_time};
use crate::x12::delimiters::Delimiters;
use crate::x12::isa;
use crate::x12::segment::Segment;
use crate::x12::totals::is_group_number;
use crate::x12::tree::is_id;
use jiff::civil::DateTime;

/// Functional groups that a 999 may answer (AK101), and the first transaction of each.
const GROUPS: [(&str, &str); 11] = [
    ("HC", "837"),
    ("HP", "835"),
    ("HS", "270"),
    ("HB", "271"),
    ("HR", "276"),
    ("HN", "277"),
    ("HI", "278"),
    ("BE", "834"),
    ("RA", "820"),
    ("AG", "824"),
    ("PI", "275"),
];
/// Transactions that a 999 may name besides (AK201).
const OTHERS: [&str; 2] = ["269", "274"];
/// Sets that are acknowledgments.
const ANSWERS: [&str; 2] = ["997", "999"];
/// What stands for a segment whose id is none.
const NO_ID: &str = "ZZZ";
/// What stands for a version that is none.
const NO_VERSION: &str = "005010";
/// Longest count or position.
const MAX_COUNT: u32 = 999_999;

/// Whether a group is one of acknowledgments: by its GS01 or, where that names no group, by its first set.
pub(super) fn is_acknowledgment(id: &str, transaction: &str) -> bool {
    id == ACKNOWLEDGMENTS || (!is_group(id) && ANSWERS.contains(&transaction))
}

fn is_group(id: &str) -> bool {
    GROUPS.iter().any(|(known, _)| *known == id)
}

/// TA101 to TA103.
pub(super) fn interchange(isa: &Segment<'_>, at: DateTime) -> [String; 3] {
    let number: String = isa::control_number(isa).chars().filter(char::is_ascii_digit).take(9).collect();
    let (day, time) = (isa.element(9), isa.element(10));
    let day = Some(day.to_owned()).filter(|day| is_date(day) && is_digits(day, 6));
    let time = Some(time.to_owned()).filter(|time| is_time(time) && is_digits(time, 4));
    let day = day.unwrap_or_else(|| at.strftime("%y%m%d").to_string());
    [format!("{number:0>9}"), day, time.unwrap_or_else(|| "0000".to_owned())]
}

/// ISA05 and ISA07.
pub(super) fn qualifier(text: &str) -> String {
    if isa::is_id_qualifier(text) { text.to_owned() } else { "ZZ".to_owned() }
}

/// GS02 and GS03, of an id of the interchange.
pub(super) fn group_id(id: &str) -> String {
    format!("{id:0>2}")
}

/// AK101 to AK103, of GS01, GS06 and GS08 and the transaction of the first set.
pub(super) fn group(id: &str, number: &str, version: &str, transaction: &str, delimiters: Delimiters) -> [String; 3] {
    let of_set = GROUPS.iter().find(|(_, own)| *own == transaction).map_or(GROUPS[0].0, |(id, _)| *id);
    let id = if is_group(id) { id } else { of_set };
    let digits: String = number.chars().filter(char::is_ascii_digit).take(9).collect();
    let number = match is_group_number(number) {
        true => number.to_owned(),
        false => format!("{digits:0>1}"),
    };
    [id.to_owned(), number, plain(version, 12, NO_VERSION, delimiters)]
}

/// AK201 to AK203, of ST01 to ST03 of a set in a group of this GS01.
pub(super) fn set(named: &[String; 3], group: &str, delimiters: Delimiters) -> [String; 3] {
    let [id, number, version] = named;
    let is_known = GROUPS.iter().any(|(_, own)| own == id) || OTHERS.contains(&id.as_str());
    let of_group = GROUPS.iter().find(|(known, _)| *known == group).map_or(GROUPS[0].1, |(_, own)| *own);
    let number = plain(number, 9, "", delimiters);
    let id = if is_known { id } else { of_group };
    [id.to_owned(), format!("{number:0>4}"), plain(version, 35, "", delimiters)]
}

/// IK301.
pub(super) fn segment_id(id: &str) -> String {
    let known = id.trim().to_ascii_uppercase();
    if is_id(&known) { known } else { NO_ID.to_owned() }
}

/// A count or position that has room in six digits.
pub(super) fn count(count: u32) -> String {
    count.min(MAX_COUNT).to_string()
}
