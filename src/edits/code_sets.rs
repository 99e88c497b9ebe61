//! The code lists that rules look into: those of `mappings/codes/`, taken in when the gateway is built, and ranges of codes
//! that mean something to a rule. The forms of codes are in [`crate::code_forms`].

use crate::code_forms::is_digits;
use std::collections::HashSet;
use std::sync::LazyLock;

static PLACES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| translations(include_str!("../../mappings/codes/place-of-service.tsv")));
static STATES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| translations(include_str!("../../mappings/codes/states.tsv")));
static FILING_INDICATORS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| translations(include_str!("../../mappings/codes/claim-filing-indicator.tsv")));

/// The second column of a code table.
fn translations(table: &'static str) -> HashSet<&'static str> {
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.starts_with("from\t"));
    rows.filter_map(|line| line.split('\t').nth(1)).collect()
}

static BILLS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| translations(include_str!("../../mappings/codes/type-of-bill.tsv")));

/// Facility and classification of a type of bill, its second and third digit.
pub fn is_bill(code: &str) -> bool {
    BILLS.contains(code)
}

pub fn is_place(code: &str) -> bool {
    PLACES.contains(code)
}

pub fn is_state(code: &str) -> bool {
    STATES.contains(code)
}

pub fn is_filing_indicator(code: &str) -> bool {
    FILING_INDICATORS.contains(code)
}

/// A tooth of the universal designation: 1 to 32, A to T; supernumerary 51 to 82, AS to TS.
pub fn is_tooth(code: &str) -> bool {
    let number = code.parse::<u32>().is_ok_and(|n| (1..=32).contains(&n) || (51..=82).contains(&n));
    let letter = code.strip_suffix('S').unwrap_or(code);
    number || (letter.len() == 1 && letter.bytes().all(|byte| (b'A'..=b'T').contains(&byte)))
}

/// A surface of a tooth (TOO03).
pub fn is_surface(code: &str) -> bool {
    ["B", "D", "F", "I", "L", "M", "O"].contains(&code)
}

/// An area of the oral cavity (SV304): the whole, the jaws, sextants and quadrants.
pub fn is_oral_cavity(code: &str) -> bool {
    const AREAS: &[&str] =
        &["00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "20", "30", "40", "L", "R"];
    AREAS.contains(&code)
}

/// CDT procedures that are done to one tooth: fillings and crowns, endodontics, implants, pontics, extractions.
pub fn is_of_one_tooth(code: &str) -> bool {
    const RANGES: &[(&str, &str)] =
        &[("D2140", "D2971"), ("D3110", "D3353"), ("D6010", "D6077"), ("D6205", "D6794"), ("D7111", "D7251")];
    RANGES.iter().any(|(from, to)| (*from..=*to).contains(&code))
}

/// CPT's anesthesia codes.
pub fn is_anesthesia(code: &str) -> bool {
    is_digits(code, 5) && ("00100".."02000").contains(&code)
}

/// Anesthesia codes that count services and not minutes: daily management, burns by area, obstetric add-ons.
pub fn is_untimed_anesthesia(code: &str) -> bool {
    ["01953", "01968", "01969", "01995", "01996"].contains(&code)
}

/// Codes for what has no code of its own.
pub fn is_unlisted(code: &str) -> bool {
    const OTHERS: &[&str] = &[
        "A9270", "A9999", "B9999", "C9399", "E1399", "J3490", "J3590", "J7199", "J7599", "J7699", "J7799", "J7999",
        "J8498", "J8499", "J8999", "J9999", "K0108", "Q4100", "S9999", "V2799",
    ];
    OTHERS.contains(&code) || (is_digits(code, 5) && code.ends_with("99") && !is_anesthesia(code))
}

/// Ambulance transport and mileage (HCPCS A0425 to A0436).
pub fn is_ambulance(code: &str) -> bool {
    code.len() == 5 && ("A0425".."A0437").contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_codes() {
        assert!(is_anesthesia("00142") && is_anesthesia("01999") && !is_anesthesia("02000") && !is_anesthesia("00099"));
        assert!(is_unlisted("64999") && is_unlisted("J3490") && !is_unlisted("01999") && !is_unlisted("99213"));
        assert!(is_ambulance("A0427") && !is_ambulance("A0424") && !is_ambulance("A0437"));
    }

    #[test]
    fn lists_are_taken_in() {
        assert!(is_place("11") && is_place("02") && !is_place("00") && !is_place("meaning"));
        assert!(is_state("FL") && is_state("PR") && !is_state("ST") && !is_state("to"));
        assert!(is_filing_indicator("CI") && !is_filing_indicator("ZX"));
    }
}
