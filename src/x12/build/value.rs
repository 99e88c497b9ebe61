//! Values as the elements of a guide want them written (x12-005010 data types AN, ID, N0, R, DT, TM).

use crate::x12::delimiters::Delimiters;
use crate::x12::guide::{Content, ElementKind, ElementSpec};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::borrow::Cow;

/// Most digits of an amount of money, cents included (implementation note of 005010X222A1 and X221A1).
pub const MONEY_DIGITS: usize = 10;
/// Most decimals of an amount of money.
pub const MONEY_DECIMALS: usize = 2;

/// Why a value can't stand in an element. Holds nothing of the value but a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementProblem {
    TooShort(u16),
    TooLong(u16),
    /// None of the codes that the guide allows.
    Code,
    /// No number, or not of this kind.
    Number,
    /// More decimals than an amount of money has.
    Decimals,
    Date,
    Time,
    /// A character that X12 can't carry here.
    Character(char),
    /// A space before or after the text.
    Spaces,
}

impl ElementProblem {
    /// IK403 of a 999.
    pub fn error_code(self) -> &'static str {
        match self {
            ElementProblem::TooShort(_) => "4",
            ElementProblem::TooLong(_) => "5",
            ElementProblem::Code => "7",
            ElementProblem::Date => "8",
            ElementProblem::Time => "9",
            ElementProblem::Number | ElementProblem::Character(_) | ElementProblem::Spaces => "6",
            ElementProblem::Decimals => "I12",
        }
    }

    /// What is wrong, for people.
    pub fn text(self, spec: &ElementSpec) -> String {
        match self {
            ElementProblem::TooShort(min) => format!("is shorter than {min}"),
            ElementProblem::TooLong(max) => format!("is longer than {max}"),
            ElementProblem::Code => format!("is none of the codes {}", listed(&spec.codes)),
            ElementProblem::Number => "is no number as X12 writes it".to_owned(),
            ElementProblem::Decimals => format!("has more than {MONEY_DECIMALS} decimals"),
            ElementProblem::Date if spec.max == 6 => "is no date (YYMMDD)".to_owned(),
            ElementProblem::Date => "is no full date (CCYYMMDD)".to_owned(),
            ElementProblem::Time => "is no time of day (HHMM)".to_owned(),
            ElementProblem::Character(character) => format!("holds {character:?}, which can't be sent"),
            ElementProblem::Spaces => "begins or ends with a space".to_owned(),
        }
    }
}

/// The codes, as many as one can read.
fn listed(codes: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = codes.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if codes.len() > SHOWN { format!("{shown} …") } else { shown }
}

/// `raw` as the element wants it written; empty when nothing is left of it. Borrowed when nothing had to change.
///
/// Numbers lose what does not count (`100.00` → `100`), dates and times their marks (`2025-03-03` → `20250303`), text is
/// transliterated, trimmed and set in upper case (not e-mail and web addresses). What can't be sent becomes a space in
/// free text and is refused elsewhere.
pub fn text_of<'r>(spec: &ElementSpec, raw: &'r str, delimiters: &Delimiters) -> Result<Cow<'r, str>, ElementProblem> {
    let raw = raw.trim();
    let text = match spec.kind {
        _ if raw.is_empty() => return Ok(Cow::Borrowed("")),
        ElementKind::R => decimal(raw)?,
        ElementKind::N0 => integer(raw, spec.min)?,
        ElementKind::N(decimals) => implied(raw, decimals, spec.min)?,
        ElementKind::DT => date(raw, spec.max)?,
        ElementKind::TM => time(raw)?,
        ElementKind::B => Cow::Borrowed(raw),
        ElementKind::AN | ElementKind::ID | ElementKind::Composite => {
            written(raw, spec.content == Content::FreeText, delimiters)?
        }
    };
    // What was made just now holds no odd characters, dates or times.
    let problem = length_problem(spec, &text).or_else(|| code_problem(spec, &text));
    match problem {
        Some(problem) if !text.is_empty() => Err(problem),
        _ => Ok(text),
    }
}

/// What is wrong with a value as it stands in a segment, if anything.
pub fn problem_of(spec: &ElementSpec, text: &str) -> Option<ElementProblem> {
    problem_among(spec, text, false)
}

/// As [`problem_of`]; `are_printed` when the value is known to hold nothing but printed characters.
pub(crate) fn problem_among(spec: &ElementSpec, text: &str, are_printed: bool) -> Option<ElementProblem> {
    match is_plainly_right(spec, text, are_printed) {
        true => None,
        false => every_problem(spec, text),
    }
}

/// Whether one look at the bytes of a value is enough to take it: it is for most.
fn is_plainly_right(spec: &ElementSpec, text: &str, are_printed: bool) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < usize::from(spec.min) || bytes.len() > usize::from(spec.max) {
        return false;
    }
    let is_open = spec.codes.is_empty() || spec.external.is_some();
    let are_printed = || are_printed || bytes.iter().all(is_printed);
    match spec.kind {
        ElementKind::ID => (is_open || spec.codes.iter().any(|code| code == text)) && are_printed(),
        ElementKind::AN => is_open && bytes.first() != Some(&b' ') && bytes.last() != Some(&b' ') && are_printed(),
        ElementKind::N0 => is_open && is_short_number(bytes),
        // The point is no digit.
        ElementKind::R if bytes.len() > usize::from(spec.min) && is_short_amount(bytes) => is_open,
        ElementKind::R => is_open && is_short_number(bytes),
        ElementKind::DT => is_open && is_early_day(bytes),
        _ => false,
    }
}

fn is_short_number(bytes: &[u8]) -> bool {
    (1..=MONEY_DIGITS).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit)
}

/// Digits, a point and two digits.
fn is_short_amount(bytes: &[u8]) -> bool {
    match bytes {
        [whole @ .., b'.', tenths, hundredths] => {
            whole.len() + MONEY_DECIMALS <= MONEY_DIGITS
                && whole.iter().chain([tenths, hundredths]).all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// CCYYMMDD of a day that every month has.
fn is_early_day(bytes: &[u8]) -> bool {
    match bytes {
        [b'1'..=b'2', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', month @ .., day_1, day_2] => {
            let is_month = matches!(month, [b'0', b'1'..=b'9'] | [b'1', b'0'..=b'2']);
            is_month && matches!([*day_1, *day_2], [b'0', b'1'..=b'9'] | [b'1', b'0'..=b'9'] | [b'2', b'0'..=b'8'])
        }
        _ => false,
    }
}

fn is_printed(byte: &u8) -> bool {
    (b' '..=b'~').contains(byte)
}

fn every_problem(spec: &ElementSpec, text: &str) -> Option<ElementProblem> {
    length_problem(spec, text).or_else(|| code_problem(spec, text)).or_else(|| content_problem(spec, text))
}

fn length_problem(spec: &ElementSpec, text: &str) -> Option<ElementProblem> {
    let length = match spec.kind {
        ElementKind::R | ElementKind::N0 | ElementKind::N(_) => match number_digits(text, spec) {
            Ok(digits) => digits,
            Err(problem) => return Some(problem),
        },
        _ if text.is_ascii() => text.len(),
        _ => text.chars().count(),
    };
    if length > usize::from(spec.max) {
        return Some(ElementProblem::TooLong(spec.max));
    }
    (length < usize::from(spec.min)).then_some(ElementProblem::TooShort(spec.min))
}

fn code_problem(spec: &ElementSpec, text: &str) -> Option<ElementProblem> {
    let closed = !spec.codes.is_empty() && spec.external.is_none();
    (closed && !spec.codes.iter().any(|code| code == text)).then_some(ElementProblem::Code)
}

fn content_problem(spec: &ElementSpec, text: &str) -> Option<ElementProblem> {
    match spec.kind {
        ElementKind::AN if text.starts_with(' ') || text.ends_with(' ') => Some(ElementProblem::Spaces),
        ElementKind::AN | ElementKind::ID if !text.as_bytes().iter().all(is_printed) => {
            text.chars().find(|character| character.is_control()).map(ElementProblem::Character)
        }
        ElementKind::DT => (!is_date(text)).then_some(ElementProblem::Date),
        ElementKind::TM => (!is_time(text)).then_some(ElementProblem::Time),
        _ => None,
    }
}

/// How many digits a number has: sign and point do not count.
fn number_digits(text: &str, spec: &ElementSpec) -> Result<usize, ElementProblem> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = numeric(whole) && numeric(decimals) && !(whole.is_empty() && decimals.is_empty());
    let pointless = spec.kind == ElementKind::R || !digits.contains('.');
    if !fits || !pointless {
        return Err(ElementProblem::Number);
    }
    let length = whole.len() + decimals.len();
    let significant = whole.trim_start_matches('0').len() + decimals.trim_end_matches('0').len();
    match spec.content == Content::Money {
        true if decimals.trim_end_matches('0').len() > MONEY_DECIMALS => Err(ElementProblem::Decimals),
        true if significant > MONEY_DIGITS => Err(ElementProblem::TooLong(MONEY_DIGITS as u16)),
        _ => Ok(length),
    }
}

/// Canonical R: no plus, no leading zeros, no trailing zeros after the point.
fn decimal(raw: &str) -> Result<Cow<'_, str>, ElementProblem> {
    let plain = raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain && !raw.contains('.') && (raw == "0" || !raw.starts_with('0')) {
        return Ok(Cow::Borrowed(raw));
    }
    let number =
        Decimal::from_str_exact(raw).or_else(|_| Decimal::from_scientific(raw)).map_err(|_| ElementProblem::Number)?;
    let number = number.normalize();
    Ok(Cow::Owned(if number.is_zero() { "0".to_owned() } else { number.to_string() }))
}

/// N0: digits, with leading zeros only where the element asks for that many.
fn integer(raw: &str, min: u16) -> Result<Cow<'_, str>, ElementProblem> {
    let digits = raw.strip_prefix('+').unwrap_or(raw);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let whole = digits.strip_suffix(".0").unwrap_or(digits);
    if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ElementProblem::Number);
    }
    let short = whole.trim_start_matches('0');
    let width = usize::from(min).max(1);
    match short.len() == raw.len() && short.len() >= width {
        true => Ok(Cow::Borrowed(raw)),
        false => Ok(Cow::Owned(format!("{sign}{short:0>width$}"))),
    }
}

/// Nn: the point is left out.
fn implied(raw: &str, decimals: u8, min: u16) -> Result<Cow<'_, str>, ElementProblem> {
    let number: Decimal = raw.parse().map_err(|_| ElementProblem::Number)?;
    let scale = Decimal::from(10u64.checked_pow(u32::from(decimals)).ok_or(ElementProblem::Number)?);
    let shifted =
        number.checked_mul(scale).filter(|shifted| shifted.fract().is_zero()).ok_or(ElementProblem::Number)?;
    Ok(Cow::Owned(integer(&shifted.trunc().to_string(), min)?.into_owned()))
}

/// `2025-03-03`, `20250303` or a date with a time → CCYYMMDD, or YYMMDD where only six fit.
fn date(raw: &str, max: u16) -> Result<Cow<'_, str>, ElementProblem> {
    let day = raw.split_once('T').map_or(raw, |(day, _)| day);
    let digits: Cow<'_, str> = match day.len() == 10 && day.as_bytes()[4] == b'-' && day.as_bytes()[7] == b'-' {
        true => Cow::Owned(day.replace('-', "")),
        false => Cow::Borrowed(day),
    };
    if digits.len() != 8 || !is_date(&digits) {
        return Err(ElementProblem::Date);
    }
    match max < 8 {
        true => Ok(Cow::Owned(digits.get(2..).unwrap_or_default().to_owned())),
        false => Ok(digits),
    }
}

/// `14:30:00`, `1430`, or the time of a date with a time → HHMM, with seconds where there are any.
fn time(raw: &str) -> Result<Cow<'_, str>, ElementProblem> {
    let clock = raw.split_once('T').map_or(raw, |(_, clock)| clock);
    let end = clock.find(['Z', '+', '-', '.']).unwrap_or(clock.len());
    let digits = clock.get(..end).unwrap_or_default().replace(':', "");
    let digits = if digits.len() == 6 { digits.strip_suffix("00").unwrap_or(&digits).to_owned() } else { digits };
    if is_time(&digits) { Ok(Cow::Owned(digits)) } else { Err(ElementProblem::Time) }
}

/// CCYYMMDD or YYMMDD, of a day that exists.
pub(crate) fn is_date(text: &str) -> bool {
    let number = |from, to| text.get(from..to).and_then(|digits: &str| digits.parse::<i16>().ok());
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let year = match text.len() {
        8 => number(0, 4),
        6 => number(0, 2).map(|year| year + 2000),
        _ => None,
    };
    let (month, day) = (
        number(text.len().wrapping_sub(4), text.len().wrapping_sub(2)),
        number(text.len().wrapping_sub(2), text.len()),
    );
    let (Some(year), Some(month), Some(day), true) = (year, month, day, digits) else { return false };
    Date::new(year, month as i8, day as i8).is_ok()
}

/// HHMM, HHMMSS, with up to two decimals of a second.
pub(crate) fn is_time(text: &str) -> bool {
    let below = |at: usize, limit: u8| {
        let digits = text.get(at..at + 2).unwrap_or("00");
        digits.parse::<u8>().is_ok_and(|number| number < limit)
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && matches!(text.len(), 4 | 6 | 7 | 8) && below(0, 24) && below(2, 60) && below(4, 60)
}

/// Text for AN and ID.
fn written<'r>(raw: &'r str, free: bool, delimiters: &Delimiters) -> Result<Cow<'r, str>, ElementProblem> {
    let keeps_case = raw.contains('@') || raw.contains("://");
    if is_written(raw, keeps_case, delimiters) {
        return Ok(Cow::Borrowed(raw));
    }
    let ascii = if raw.is_ascii() { Cow::Borrowed(raw) } else { Cow::Owned(deunicode::deunicode_with_tofu(raw, " ")) };
    let mut text = String::with_capacity(ascii.len());
    for character in ascii.chars() {
        let sendable = character.is_ascii_graphic() && !delimiters.contains(character as u8);
        match sendable {
            true if keeps_case => text.push(character),
            true => text.push(character.to_ascii_uppercase()),
            false if character == ' ' || free => push_space(&mut text),
            false => return Err(ElementProblem::Character(character)),
        }
    }
    text.truncate(text.trim_end().len());
    Ok(Cow::Owned(text))
}

/// Whether nothing has to change. Looks at every byte without leaving early, which a processor does many at a time.
fn is_written(raw: &str, keeps_case: bool, delimiters: &Delimiters) -> bool {
    let Delimiters { element, component, terminator, .. } = *delimiters;
    let repetition = delimiters.repetition.unwrap_or(element);
    let odd = raw.bytes().fold(false, |odd, byte| {
        let outside = !(b' '..=b'~').contains(&byte) | (!keeps_case & byte.is_ascii_lowercase());
        odd | outside | (byte == element) | (byte == component) | (byte == terminator) | (byte == repetition)
    });
    !odd
}

/// A space that follows no other and does not begin the text.
fn push_space(text: &mut String) {
    if !text.is_empty() && !text.ends_with(' ') {
        text.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(kind: ElementKind, min: u16, max: u16) -> ElementSpec {
        ElementSpec { kind, min, max, ..ElementSpec::unused() }
    }

    fn text(spec: &ElementSpec, raw: &str) -> Result<String, ElementProblem> {
        text_of(spec, raw, &Delimiters::default()).map(Cow::into_owned)
    }

    #[test]
    fn the_short_look_takes_nothing_that_the_long_one_refuses() {
        let kinds =
            [ElementKind::AN, ElementKind::ID, ElementKind::R, ElementKind::N0, ElementKind::DT, ElementKind::TM];
        let values = [
            "",
            "A",
            " A",
            "A ",
            "ABCDE",
            "123",
            "12345678901",
            "-1",
            "1.50",
            "1.505",
            ".50",
            "12345678.50",
            "123456789.50",
            "1.2.50",
            "20250303",
            "20250229",
            "20250028",
            "20251301",
            "00000101",
            "1260",
            "é",
            "a\tb",
            "~",
        ];
        for (kind, value) in kinds.iter().flat_map(|kind| values.iter().map(move |value| (*kind, *value))) {
            for content in [Content::Exact, Content::Money] {
                for codes in [vec![], vec!["A".to_owned(), "123".to_owned()]] {
                    for (min, max) in [(1, 11), (4, 8)] {
                        let spec = ElementSpec { content, codes: codes.clone(), ..spec(kind, min, max) };
                        assert_eq!(problem_of(&spec, value), every_problem(&spec, value), "{kind:?} {value:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_are_written_canonically() {
        let quantity = spec(ElementKind::R, 1, 15);
        for (raw, written) in [
            ("100.00", "100"),
            ("100.50", "100.5"),
            ("0.5", "0.5"),
            (".5", "0.5"),
            ("-0.00", "0"),
            ("+7", "7"),
            ("007", "7"),
            ("-12.30", "-12.3"),
            ("1e2", "100"),
            ("", ""),
        ] {
            assert_eq!(text(&quantity, raw).as_deref(), Ok(written), "{raw}");
        }
        for raw in ["1,000", "abc", "1.2.3", "$5", "--1"] {
            assert_eq!(text(&quantity, raw), Err(ElementProblem::Number), "{raw}");
        }
    }

    #[test]
    fn money_has_two_decimals_and_ten_digits() {
        let money = ElementSpec { content: Content::Money, ..spec(ElementKind::R, 1, 18) };
        assert_eq!(text(&money, "99999999.99").as_deref(), Ok("99999999.99"));
        assert_eq!(text(&money, "100000000.01"), Err(ElementProblem::TooLong(10)));
        assert_eq!(text(&money, "1.005"), Err(ElementProblem::Decimals));
        assert_eq!(problem_of(&money, "0000000100.00"), None);
    }

    #[test]
    fn whole_numbers_are_padded_and_shifted() {
        assert_eq!(text(&spec(ElementKind::N0, 9, 9), "42").as_deref(), Ok("000000042"));
        assert_eq!(text(&spec(ElementKind::N0, 1, 9), "0042").as_deref(), Ok("42"));
        assert_eq!(text(&spec(ElementKind::N0, 1, 9), "0").as_deref(), Ok("0"));
        assert_eq!(text(&spec(ElementKind::N(2), 1, 9), "123.45").as_deref(), Ok("12345"));
        assert_eq!(text(&spec(ElementKind::N0, 1, 9), "1.5"), Err(ElementProblem::Number));
    }

    #[test]
    fn dates_and_times_lose_their_marks() {
        let day = spec(ElementKind::DT, 8, 8);
        assert_eq!(text(&day, "2025-03-03").as_deref(), Ok("20250303"));
        assert_eq!(text(&day, "2025-03-03T23:59:00-05:00").as_deref(), Ok("20250303"));
        assert_eq!(text(&spec(ElementKind::DT, 6, 6), "2025-03-03").as_deref(), Ok("250303"));
        for raw in ["2025", "2025-03", "2025-02-30", "03/03/2025"] {
            assert_eq!(text(&day, raw), Err(ElementProblem::Date), "{raw}");
        }
        let clock = spec(ElementKind::TM, 4, 8);
        assert_eq!(text(&clock, "14:30:00").as_deref(), Ok("1430"));
        assert_eq!(text(&clock, "2025-03-03T14:30:05Z").as_deref(), Ok("143005"));
        assert_eq!(text(&clock, "25:00"), Err(ElementProblem::Time));
    }

    #[test]
    fn free_text_is_cleaned_and_identifiers_are_not_altered() {
        let name = ElementSpec { content: Content::FreeText, ..spec(ElementKind::AN, 1, 60) };
        let id = spec(ElementKind::AN, 1, 50);
        assert_eq!(text(&name, " Muñoz–Groß~*  & Söhne\n").as_deref(), Ok("MUNOZ-GROSS & SOHNE"));
        assert_eq!(text(&id, "ab-12"), Ok("AB-12".to_owned()));
        assert_eq!(text(&id, "A*12"), Err(ElementProblem::Character('*')));
        assert_eq!(text(&id, "A\n12"), Err(ElementProblem::Character('\n')));
        assert_eq!(text(&id, "Ann@Example.org").as_deref(), Ok("Ann@Example.org"));
        assert!(matches!(text_of(&id, "A12", &Delimiters::default()), Ok(Cow::Borrowed("A12"))));
    }

    #[test]
    fn lengths_and_codes_are_checked_at_the_limit_and_beyond() {
        let code = ElementSpec { codes: vec!["EI".to_owned()], ..spec(ElementKind::ID, 2, 3) };
        assert_eq!(text(&code, "ei").as_deref(), Ok("EI"));
        assert_eq!(text(&code, "SY"), Err(ElementProblem::Code));
        let short = spec(ElementKind::AN, 2, 3);
        assert_eq!(text(&short, "ABC").as_deref(), Ok("ABC"));
        assert_eq!(text(&short, "ABCD"), Err(ElementProblem::TooLong(3)));
        assert_eq!(text(&short, "A"), Err(ElementProblem::TooShort(2)));
    }
}
