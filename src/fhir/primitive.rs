//! The primitive types of FHIR R4 (<http://hl7.org/fhir/R4/datatypes.html>): which JSON they are, and which texts they allow.

/// What a primitive is in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Json {
    Boolean,
    Number,
    String,
}

/// One primitive type.
#[derive(Debug)]
pub struct Primitive {
    pub name: &'static str,
    pub json: Json,
    /// Whether a text (of a number: its digits) is allowed.
    pub allows: fn(&str) -> bool,
    /// What is allowed, for people.
    pub what: &'static str,
}

/// Longest string: FHIR's own limit of 1 MiB.
pub const STRING_BYTES_MAX: usize = 1 << 20;

macro_rules! primitives {
    ($($name:literal $json:ident $allows:path, $what:literal;)*) => {
        /// All of them.
        pub static PRIMITIVES: &[Primitive] =
            &[$(Primitive { name: $name, json: Json::$json, allows: $allows, what: $what }),*];
    };
}

primitives! {
    "base64Binary" String base64, "base64 text, padded";
    "boolean" Boolean anything, "true or false, without quotes";
    "canonical" String uri, "a URL, with |version if wanted";
    "code" String code, "a code without spaces around it or doubled inside";
    "date" String date, "YYYY, YYYY-MM or YYYY-MM-DD";
    "dateTime" String date_time, "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an offset";
    "decimal" Number decimal, "a JSON number, without quotes";
    "id" String id, "1 to 64 letters, digits, hyphens and dots";
    "instant" String instant, "YYYY-MM-DDThh:mm:ss.sss with Z or an offset";
    "integer" Number integer, "a whole number from -2147483648 to 2147483647, without quotes";
    "markdown" String string, "text of at most 1 MiB that is not blank";
    "oid" String oid, "urn:oid: and an OID";
    "positiveInt" Number positive, "a whole number from 1 to 2147483647, without quotes";
    "string" String string, "text of at most 1 MiB that is not blank";
    "time" String time, "hh:mm:ss";
    "unsignedInt" Number unsigned, "a whole number from 0 to 2147483647, without quotes";
    "uri" String uri, "a URI without spaces";
    "url" String uri, "a URL without spaces";
    "uuid" String uuid, "urn:uuid: and a UUID";
    "xhtml" String xhtml, "a <div> of XHTML";
}

/// The row of a type.
pub fn find(name: &str) -> Option<&'static Primitive> {
    PRIMITIVES.iter().find(|primitive| primitive.name == name)
}

fn anything(_: &str) -> bool {
    true
}

fn string(text: &str) -> bool {
    text.len() <= STRING_BYTES_MAX && text.bytes().any(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

fn xhtml(text: &str) -> bool {
    string(text) && text.trim_start().starts_with('<')
}

fn uri(text: &str) -> bool {
    !text.is_empty() && text.len() <= STRING_BYTES_MAX && !text.bytes().any(|byte| byte.is_ascii_whitespace())
}

fn code(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edges = [bytes.first(), bytes.last()];
    edges.iter().all(|edge| edge.is_some_and(|byte| !byte.is_ascii_whitespace()))
        && !bytes.windows(2).any(|pair| pair[0].is_ascii_whitespace() && pair[1].is_ascii_whitespace())
}

/// `Resource.id`: what may stand in a URL.
pub fn id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

fn uuid(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("urn:uuid:") else { return false };
    rest.len() == 36
        && rest.bytes().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn oid(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("urn:oid:") else { return false };
    let mut arcs = rest.split('.');
    arcs.next().is_some_and(|arc| matches!(arc, "0" | "1" | "2"))
        && rest.contains('.')
        && arcs.all(|arc| !arc.is_empty() && digits(arc) && (arc == "0" || !arc.starts_with('0')))
}

fn base64(text: &str) -> bool {
    let mut letters = 0usize;
    let mut padding = 0usize;
    for byte in text.bytes() {
        match byte {
            b'=' => padding += 1,
            _ if byte.is_ascii_whitespace() => continue,
            _ if padding == 0 && (byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/') => letters += 1,
            _ => return false,
        }
    }
    letters > 0 && padding <= 2 && (letters + padding).is_multiple_of(4)
}

fn decimal(text: &str) -> bool {
    !text.is_empty()
}

fn whole(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if unsigned.len() > 10 || !digits(unsigned) { None } else { text.parse().ok() }
}

fn integer(text: &str) -> bool {
    whole(text).is_some_and(|value| i32::try_from(value).is_ok())
}

fn unsigned(text: &str) -> bool {
    !text.starts_with('-') && integer(text)
}

fn positive(text: &str) -> bool {
    unsigned(text) && text != "0"
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of exactly so many digits.
fn number(text: &str, width: usize) -> Option<u32> {
    if text.len() == width && digits(text) { text.parse().ok() } else { None }
}

fn date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let year = parts.next().and_then(|part| number(part, 4));
    let month = parts.next().map(|part| number(part, 2));
    let day = parts.next().map(|part| number(part, 2));
    match (year, month, day) {
        (Some(1..), None, None) => true,
        (Some(1..), Some(Some(1..=12)), None) => true,
        (Some(year @ 1..), Some(Some(month @ 1..=12)), Some(Some(day))) => (1..=days(year, month)).contains(&day),
        _ => false,
    }
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn date_time(text: &str) -> bool {
    match text.split_once('T') {
        None => date(text),
        Some(_) => instant(text),
    }
}

fn instant(text: &str) -> bool {
    let Some((day, clock)) = text.split_once('T') else { return false };
    let Some(zone) = clock.find(['Z', '+', '-']) else { return false };
    day.len() == 10 && date(day) && time(&clock[..zone]) && offset(&clock[zone..])
}

fn offset(text: &str) -> bool {
    let Some(clock) = text.strip_prefix(['+', '-']) else { return text == "Z" };
    let Some((hours, minutes)) = clock.split_once(':') else { return false };
    matches!((number(hours, 2), number(minutes, 2)), (Some(0..=13), Some(0..=59)) | (Some(14), Some(0)))
}

/// `hh:mm:ss`, with a fraction if wanted; FHIR allows the leap second.
fn time(text: &str) -> bool {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, rest)| (clock, Some(rest)));
    let mut parts = clock.split(':');
    let mut part = || parts.next().and_then(|part| number(part, 2));
    matches!((part(), part(), part()), (Some(0..=23), Some(0..=59), Some(0..=60)))
        && parts.next().is_none()
        && fraction.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type, texts that it allows, texts that it does not.
    const CASES: &[(&str, &[&str], &[&str])] = &[
        (
            "date",
            &["2025", "2025-02", "2024-02-29", "1899-12-31"],
            &[
                "",
                "25",
                "2025-13",
                "2025-02-29",
                "2025-00-01",
                "2025-1-1",
                "0000",
                "2025-01-01T00:00:00Z",
                "2025-01-01-01",
                "+025",
            ],
        ),
        (
            "dateTime",
            &["2025", "2025-01-02T03:04:05Z", "2025-01-02T03:04:05.678-05:00", "2016-12-31T23:59:60Z"],
            &[
                "2025-01-02T03:04Z",
                "2025-01-02T03:04:05",
                "2025-01-02T24:00:00Z",
                "2025-01T03:04:05Z",
                "2025-01-02 03:04:05Z",
                "2025-01-02T03:04:05+15:00",
                "2025-01-02T03:04:05.Z",
            ],
        ),
        (
            "instant",
            &["2025-01-02T03:04:05.678Z", "2025-01-02T03:04:05+14:00"],
            &["2025-01-02", "IGNORED_FIELD", "2025-01-02T03:04:05+14:01"],
        ),
        ("time", &["03:04:05", "23:59:59.9"], &["24:00:00", "03:04", "03:04:05Z", "03:04:05:06"]),
        (
            "id",
            &["a", "A-1.b", "1234567890123456789012345678901234567890123456789012345678901234"],
            &["", "a_b", "a b", "12345678901234567890123456789012345678901234567890123456789012345"],
        ),
        ("code", &["a", "a b"], &["", " a", "a ", "a  b"]),
        ("string", &["a", " a\n"], &["", " ", "\n\t"]),
        ("uri", &["urn:oid:1.2", "http://x"], &["", "http://x y"]),
        (
            "uuid",
            &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
            &["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:c757873d"],
        ),
        ("oid", &["urn:oid:1.2.840.0"], &["urn:oid:3.1", "urn:oid:1", "urn:oid:1.02", "1.2"]),
        ("base64Binary", &["QQ==", "QUJD", "QUJD\nQUJD"], &["", "...", "QQ=", "QQ==QQ=="]),
        ("integer", &["0", "-1", "2147483647", "-2147483648"], &["1.0", "2147483648", "1e3", "99999999999999999999"]),
        ("positiveInt", &["1", "2147483647"], &["0", "-1", "1.5", "2147483648"]),
        ("unsignedInt", &["0", "7"], &["-1", "-0"]),
        ("decimal", &["0", "-1.10", "1.0e+2"], &[]),
        ("xhtml", &["<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"], &["x", ""]),
    ];

    #[test]
    fn formats() {
        for (name, good, bad) in CASES {
            let primitive = find(name).unwrap();
            for text in *good {
                assert!((primitive.allows)(text), "{name} allows {text:?}");
            }
            for text in *bad {
                assert!(!(primitive.allows)(text), "{name} refuses {text:?}");
            }
        }
    }

    #[test]
    fn a_string_of_one_mebibyte_is_the_longest() {
        let longest = "x".repeat(STRING_BYTES_MAX);
        assert!(string(&longest));
        assert!(!string(&format!("{longest}x")));
    }
}
