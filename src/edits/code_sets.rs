//! The code lists that rules look into: those of `mappings/codes/`, taken in when the gateway is built, and the forms of
//! codes whose lists are too long or not ours to ship.

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

pub fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Ten digits that begin with 1 or 2, whose check digit is Luhn's over 80840 and the first nine (45 CFR 162.406).
pub fn is_npi(text: &str) -> bool {
    if !is_digits(text, 10) || !matches!(text.as_bytes()[0], b'1' | b'2') {
        return false;
    }
    // The prefix 80840 adds 24 to Luhn's sum.
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let digits = text.bytes().map(|byte| u32::from(byte - b'0')).enumerate();
    let sum: u32 = digits.map(|(n, digit)| if n % 2 == 0 { doubled(digit) } else { digit }).sum();
    (sum + 24).is_multiple_of(10)
}

/// The form of an ICD-10-CM code, without the dot: a letter, a digit, a digit or A or B, and at most four more.
pub fn is_icd10(code: &str) -> bool {
    let bytes = code.as_bytes();
    (3..=7).contains(&bytes.len())
        && bytes[0].is_ascii_uppercase()
        && bytes[1].is_ascii_digit()
        && (bytes[2].is_ascii_digit() || matches!(bytes[2], b'A' | b'B'))
        && bytes[3..].iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// The form of an ICD-10-PCS code: seven digits and letters, never I or O.
pub fn is_icd10_procedure(code: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'O'));
    code.len() == 7 && code.bytes().all(fits)
}

/// The form of an ICD-9-CM procedure, without the dot: three or four digits.
pub fn is_icd9_procedure(code: &str) -> bool {
    is_digits(code, 3) || is_digits(code, 4)
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

/// The form of an ICD-9-CM diagnosis, without the dot: 3 to 5 digits, V and 2 to 4, E and 3 or 4.
pub fn is_icd9(code: &str) -> bool {
    let digits = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && is_digits(text, text.len())
    };
    match code.as_bytes().first() {
        Some(b'V') => digits(&code[1..], 2..=4),
        Some(b'E') => digits(&code[1..], 3..=4),
        Some(_) => digits(code, 3..=5),
        None => false,
    }
}

/// CPT: five digits, or four and a letter (category II, III, …). HCPCS level II: a letter and four digits.
pub fn is_procedure(code: &str) -> bool {
    let bytes = code.as_bytes();
    bytes.len() == 5
        && bytes[1..4].iter().all(u8::is_ascii_digit)
        && matches!((bytes[0], bytes[4]), (b'0'..=b'9', b'0'..=b'9' | b'A'..=b'Z') | (b'A'..=b'V', b'0'..=b'9'))
}

/// CDT: D and four digits.
pub fn is_dental_procedure(code: &str) -> bool {
    code.strip_prefix('D').is_some_and(|digits| is_digits(digits, 4))
}

/// HIPPS: five letters and digits, of skilled nursing, home health and inpatient rehabilitation payment groups.
pub fn is_hipps(code: &str) -> bool {
    code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

pub fn is_modifier(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
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
    fn npis_have_a_check_digit() {
        for npi in ["1234567893", "1999996667", "1679576722", "2366554857"] {
            assert!(is_npi(npi), "{npi}");
        }
        for npi in ["1234567890", "3234567893", "123456789", "12345678933", "123456789A", "", "0000000006"] {
            assert!(!is_npi(npi), "{npi}");
        }
    }

    #[test]
    fn forms_of_codes() {
        assert!(["J020", "Z1159", "S72001A", "U071", "C4A10", "O9A211", "A00"].iter().all(|code| is_icd10(code)));
        assert!(!["J0", "j020", "J02.0", "7215", "S72001AAA", ""].iter().any(|code| is_icd10(code)));
        assert!(["7215", "36616", "599", "V700", "E8859"].iter().all(|code| is_icd9(code)));
        assert!(!["72", "721.5", "721555", "X700", "V7", ""].iter().any(|code| is_icd9(code)));
        assert!(["99213", "0001F", "0042T", "0001U", "J0561", "G0008"].iter().all(|code| is_procedure(code)));
        assert!(!["9921", "992130", "W1234", "D0120X", "J056A", "99é13", ""].iter().any(|code| is_procedure(code)));
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
