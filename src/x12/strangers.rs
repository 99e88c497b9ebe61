//! Files that are no X12 as they are, and what they may be instead: a person who is told can mend it.

/// What a file seems to be, how its first bytes tell, and how to mend it.
type Row = (&'static str, fn(&[u8]) -> bool, &'static str);

const STRANGERS: [Row; 9] = [
    ("is text of two or four bytes a character (UTF-16 or UTF-32)", is_wide, "save it as plain ASCII or UTF-8"),
    ("is compressed (gzip)", |bytes| bytes.starts_with(b"\x1F\x8B"), "uncompress it first"),
    ("is an archive (zip)", |bytes| bytes.starts_with(b"PK\x03\x04"), "take the files out of it first"),
    ("is a PDF", |bytes| bytes.starts_with(b"%PDF"), "ask the sender for the X12 file itself"),
    ("is EDIFACT", |bytes| bytes.starts_with(b"UNA") || bytes.starts_with(b"UNB+"), "ask the sender for X12 005010"),
    ("is EBCDIC", |bytes| bytes.starts_with(b"\xC9\xE2\xC1"), "transfer it as text, so that it becomes ASCII"),
    (
        "is X12 with ids in lower case",
        |bytes| bytes.get(..3).is_some_and(|id| id != b"ISA" && id.eq_ignore_ascii_case(b"ISA")),
        "ids of segments are capitals; something on the way has changed them",
    ),
    (
        "is X12 without its envelope",
        |bytes| bytes.starts_with(b"GS") || bytes.starts_with(b"ST"),
        "an interchange begins with an ISA segment of 106 characters and ends with IEA",
    ),
    (
        "begins with an ISA that is cut off or broken",
        |bytes| bytes.starts_with(b"ISA"),
        "an ISA is 106 characters wide, its terminator included",
    ),
];

/// What a file that begins so may be, and how to mend it.
pub(crate) fn guess(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    STRANGERS.iter().find(|(_, is_it, _)| is_it(bytes)).map(|(what, _, mend)| (*what, *mend))
}

/// A mark of UTF-16 or UTF-32, or a zero before or behind each of the first letters.
fn is_wide(bytes: &[u8]) -> bool {
    let is_marked = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    is_marked || bytes.starts_with(b"I\0S\0A") || bytes.starts_with(b"I\0\0\0S")
}

#[cfg(test)]
mod tests {
    use crate::x12::reader;

    #[test]
    fn what_is_no_x12_is_named() {
        for (text, what) in [
            ("I\0S\0A\0*\0", "UTF-16"),
            ("PK\u{3}\u{4}....", "zip"),
            ("isa*00*", "lower case"),
            ("GS*HC*A*B~", "without its envelope"),
            ("ISA*00*    ", "cut off"),
        ] {
            let issue = reader::read(text).1.pop().unwrap();
            assert!(issue.text.contains(what) && issue.hint.is_some(), "{issue}");
        }
        assert_eq!(reader::read("hello").1.pop().unwrap().text, "the text holds no X12 interchange");
    }
}
