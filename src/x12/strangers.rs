//! Files that are no X12 as they are, and what they may be instead: a person who is told can mend it.

use crate::fault::{Issue, Place, codes};

const NO_INTERCHANGE: &str = "the text holds no X12 interchange";

/// What a file seems to be, how its first bytes tell, and how to mend it.
type Row = (&'static str, fn(&[u8]) -> bool, &'static str);

const STRANGERS: [Row; 18] = [
    ("is text of two or four bytes a character (UTF-16 or UTF-32)", is_wide, "save it as plain ASCII or UTF-8"),
    ("is compressed (gzip)", |bytes| bytes.starts_with(b"\x1F\x8B"), "uncompress it first"),
    ("is an archive (zip)", |bytes| bytes.starts_with(b"PK\x03\x04"), "take the files out of it first"),
    ("is a PDF", |bytes| bytes.starts_with(b"%PDF"), "ask the sender for the X12 file itself"),
    ("is HL7 version 2", is_hl7, "ask the sender for X12 005010; claims are not HL7 messages"),
    ("is a web page (HTML)", is_html, "download the X12 file itself; this may be a page that asks for a login"),
    ("is XML", |bytes| bytes.starts_with(b"<"), "ask the sender for X12 005010, or take the X12 out of it"),
    ("is JSON", |bytes| matches!(bytes.first(), Some(b'{' | b'[')), "ask the sender for X12 005010"),
    ("is a mail or a MIME message", is_mail, "take the X12 file out of it first"),
    ("is encrypted (PGP)", |bytes| bytes.starts_with(b"-----BEGIN PGP"), "decrypt it first"),
    ("is Base64", |bytes| bytes.starts_with(b"SVNB"), "decode it first"),
    ("is an old Office document", |bytes| bytes.starts_with(b"\xD0\xCF\x11\xE0"), "save it as plain text"),
    ("is a 7z archive", |bytes| bytes.starts_with(b"7z\xBC\xAF"), "take the files out of it first"),
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

/// No interchange was found in a file that begins so: what it may be, and how to mend it.
pub fn no_interchange(head: &[u8]) -> Issue {
    issue(guess(start(head)))
}

/// As [`no_interchange`], for what was guessed.
pub(crate) fn issue(guess: Option<(&'static str, &'static str)>) -> Issue {
    let (text, hint) = match guess {
        Some((what, mend)) => (format!("{NO_INTERCHANGE}: it {what}"), mend),
        None => (NO_INTERCHANGE.to_owned(), "an interchange begins with an ISA segment of 106 characters"),
    };
    Issue::error(codes::X12_ENVELOPE, Place::Whole, text).hint(hint)
}

/// What stands behind a byte order mark and white space.
fn start(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start()
}

/// What a file that begins so may be, and how to mend it.
pub(crate) fn guess(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    STRANGERS.iter().find(|(_, is_it, _)| is_it(bytes)).map(|(what, _, mend)| (*what, *mend))
}

/// A message, or a batch of them.
fn is_hl7(bytes: &[u8]) -> bool {
    [b"MSH|".as_slice(), b"FHS|", b"BHS|"].iter().any(|id| bytes.starts_with(id))
}

fn is_html(bytes: &[u8]) -> bool {
    let begins = |with: &[u8]| bytes.get(..with.len()).is_some_and(|own| own.eq_ignore_ascii_case(with));
    begins(b"<!DOCTYPE HTML") || begins(b"<HTML")
}

fn is_mail(bytes: &[u8]) -> bool {
    let headers = [b"MIME-Version:".as_slice(), b"Content-Type:", b"Received:", b"Return-Path:", b"From:"];
    headers.iter().any(|header| bytes.starts_with(header))
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
            ("MSH|^~\\&|A|B|", "HL7"),
            ("<?xml version=\"1.0\"?>", "XML"),
            ("{\"resourceType\":\"Claim\"}", "JSON"),
            ("UNA:+.? 'UNB+UNOA:1", "EDIFACT"),
            ("\u{feff} <!doctype html><html>", "HTML"),
            ("SVNBKjAwKiAgICAg", "Base64"),
        ] {
            let issue = reader::read(text).1.pop().unwrap();
            assert!(issue.text.contains(what) && issue.hint.is_some(), "{issue}");
            assert_eq!(super::no_interchange(text.as_bytes()), issue);
        }
        assert_eq!(reader::read("hello").1.pop().unwrap().text, "the text holds no X12 interchange");
    }
}
