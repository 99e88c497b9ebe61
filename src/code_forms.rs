//! The forms of codes whose lists are too long, change too often, or are not ours to ship.

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

/// Codes of states' own (HCPCS level III, which some Medicaid programs still use): W to Z and four digits.
pub fn is_local_procedure(code: &str) -> bool {
    code.strip_prefix(['W', 'X', 'Y', 'Z']).is_some_and(|digits| is_digits(digits, 4))
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

/// National drug code as X12 carries it: eleven digits (5-4-2, no hyphens).
pub fn is_ndc(code: &str) -> bool {
    is_digits(code, 11)
}

/// Revenue code (NUBC): four digits.
pub fn is_revenue(code: &str) -> bool {
    is_digits(code, 4)
}

/// Provider taxonomy (NUCC): ten letters and digits.
pub fn is_taxonomy(code: &str) -> bool {
    code.len() == 10 && code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// ZIP code of the United States: five or nine digits, no hyphen.
pub fn is_zip(code: &str) -> bool {
    is_digits(code, 5) || is_digits(code, 9)
}

/// ZIP+4.
pub fn is_full_zip(code: &str) -> bool {
    is_digits(code, 9)
}

/// Employer or social security number: nine digits, no hyphens.
pub fn is_tax_id(code: &str) -> bool {
    is_digits(code, 9)
}

/// Telephone number of North America: ten digits, no punctuation.
pub fn is_telephone(code: &str) -> bool {
    is_digits(code, 10)
}

/// Diagnosis related group: three digits (MS-DRG), four (with the severity, APR-DRG).
pub fn is_drg(code: &str) -> bool {
    is_digits(code, 3) || is_digits(code, 4)
}

/// Claim adjustment reason (CARC): one to three digits, or a letter before them.
pub fn is_adjustment_reason(code: &str) -> bool {
    let digits = code.strip_prefix(|first: char| first.is_ascii_uppercase()).unwrap_or(code);
    (1..=3).contains(&digits.len()) && is_digits(digits, digits.len())
}

/// Remittance advice remark (RARC): M, MA or N and one to four digits.
pub fn is_remark(code: &str) -> bool {
    let digits = ["MA", "M", "N"].iter().find_map(|prefix| code.strip_prefix(prefix)).unwrap_or_default();
    (1..=4).contains(&digits.len()) && is_digits(digits, digits.len())
}

/// Condition, occurrence and value codes (NUBC): two letters or digits.
pub fn is_nubc(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
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
        assert!(is_ndc("00006494300") && !is_ndc("0006-4943-00") && is_zip("100011234") && !is_zip("10001-1234"));
        assert!(is_local_procedure("Z7500") && !is_local_procedure("A7500") && !is_local_procedure("Z75"));
        assert!(is_taxonomy("207Q00000X") && !is_taxonomy("207Q00000") && !is_taxonomy("207q00000X"));
        assert!(["1", "45", "253", "A1", "B16", "P14"].iter().all(|code| is_adjustment_reason(code)));
        assert!(!["", "A", "4500", "AA1", "4 "].iter().any(|code| is_adjustment_reason(code)));
        assert!(["M1", "MA130", "N522"].iter().all(|code| is_remark(code)));
        assert!(!["", "M", "X12", "N12345", "45"].iter().any(|code| is_remark(code)));
    }
}
