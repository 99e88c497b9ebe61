//! What a profile must keep so that its interchanges are well-formed (005010: ISA, GS, 1000A, 1000B).

use super::document::Section;
use super::profile::*;
use crate::billing::split::CLAIMS_OF_A_SET;
use crate::retry::RetryPolicy;
use std::time::Duration;

/// ISA05 and ISA07 of the 005010 guides.
pub const ENVELOPE_QUALIFIERS: &[&str] = &["01", "14", "20", "27", "28", "29", "30", "33", "ZZ"];
/// ISA06 and ISA08.
pub const ENVELOPE_ID_LENGTH: usize = 15;
/// GS02 and GS03.
const GROUP_ID_LENGTH: usize = 15;
/// NM103 of 1000A and 1000B.
const NAME_LENGTH: usize = 60;
/// NM109.
const ID_LENGTH: std::ops::RangeInclusive<usize> = 2..=80;
/// A profile's id: it is part of a path, of a queue's name and of a metric.
pub const PROFILE_ID_LENGTH: usize = 64;
/// Claims of one interchange.
pub const BATCH_CLAIMS: u32 = CLAIMS_OF_A_SET as u32;
/// Attempts of one send.
pub const RETRY_ATTEMPTS: u32 = 100;

/// What a route may be asked for.
const ROUTES: &[&str] = &[
    "claim",
    "claim.professional",
    "claim.institutional",
    "claim.oral",
    "predetermination.oral",
    "preauthorization",
    "eligibility",
    "statusInquiry",
];

/// A family of edits, by its code.
pub fn is_edit_family(name: &str) -> bool {
    name.starts_with("CG-13") && crate::fault::row(name).is_some()
}

/// A family, or the name of a rule; which rules there are is looked up when the gateway is built.
pub fn is_edit(name: &str) -> bool {
    is_edit_family(name) || name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'0'..=b'9' | b'-'))
}

/// A procedure or revenue code, or a range of them.
pub fn is_code_range(text: &str) -> bool {
    let code = |text: &str| (3..=7).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match text.split_once('-') {
        Some((from, to)) => code(from) && code(to) && from.len() == to.len() && from <= to,
        None => code(text),
    }
}

/// Element, and the codes it takes (005010X222A1).
const DEFAULTS: &[(&str, &[&str])] = &[
    ("clm06", &["Y", "N"]),
    ("clm07", &["A", "B", "C"]),
    ("clm08", &["Y", "N", "W"]),
    ("clm09", &["Y", "I"]),
    ("clm10", &["P"]),
    ("oi03", &["Y", "N", "W"]),
    ("oi04", &["P"]),
    ("oi06", &["Y", "I"]),
    (
        "sbr09",
        &[
            "11", "12", "13", "14", "15", "16", "17", "AM", "BL", "CH", "CI", "DS", "FI", "HM", "LM", "MA", "MB", "MC",
            "OF", "TV", "VA", "WC", "ZZ",
        ],
    ),
];

pub fn profile(profile: &PayerProfile, root: &Section) {
    let folder_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !profile.id.chars().all(folder_name) {
        root.complain("id", "has other characters than a-z, 0-9 and -", "it names a folder and a queue");
    }
    length(root, "id", &profile.id, 0..=PROFILE_ID_LENGTH);
    if let Some(id) = &profile.payer_id {
        length(root, "payerId", id, ID_LENGTH);
    }
    length(root, "name", &profile.name, 0..=NAME_LENGTH);
    if profile.batch.claims > 1 && profile.routes.values().any(|route| route.format == Format::Fhir) {
        root.complain("batch", "a Bundle of PAS holds one request", "batch: { claims: 1 }");
    }
}

pub fn submitter(submitter: &Submitter, section: &Section, contact: &Section) {
    length(section, "name", &submitter.name, 0..=NAME_LENGTH);
    id(section, "id", &submitter.id);
    let telephone = &submitter.contact_telephone;
    if !telephone.is_empty() && (telephone.len() != 10 || !telephone.bytes().all(|byte| byte.is_ascii_digit())) {
        contact.complain(
            "telephone",
            format_args!("`{telephone}` is not ten digits"),
            "area code and number, digits only",
        );
    }
}

pub fn trading_partner(partner: &TradingPartner, section: &Section) {
    length(section, "groupSender", &partner.group_sender, 0..=GROUP_ID_LENGTH);
    length(section, "groupReceiver", &partner.group_receiver, 0..=GROUP_ID_LENGTH);
}

pub fn envelope_id(id: &EnvelopeId, group: &Section) {
    if !id.qualifier.is_empty() && !ENVELOPE_QUALIFIERS.contains(&id.qualifier.as_str()) {
        let text = format_args!("`{}` is not a qualifier of an interchange id", id.qualifier).to_string();
        group.complain("qualifier", text, ENVELOPE_QUALIFIERS.join(", "));
    }
    length(group, "id", &id.id, 0..=ENVELOPE_ID_LENGTH);
    if id.id.chars().any(|c| !c.is_ascii_alphanumeric() && !" -_.".contains(c)) {
        group.complain("id", "has characters that an envelope id can't hold", "letters, digits, space, - _ .");
    }
}

pub fn route(key: &str, section: &Section) {
    if !ROUTES.contains(&key) {
        let hint = super::document::nearest(key, ROUTES).map(|name| format!("did you mean `{name}`?"));
        section.complain("", "is no route", hint.unwrap_or_else(|| ROUTES.join(", ")));
    }
}

pub fn batch(batch: &Batch, group: &Section) {
    if !(1..=BATCH_CLAIMS).contains(&batch.claims) {
        group.complain("claims", format_args!("is from 1 to {BATCH_CLAIMS}"), "1 sends each claim at once");
    }
    if batch.claims > 1 && batch.wait.is_zero() {
        group.complain("wait", "is missing, so a batch of one claim would wait for ever", "wait: 60s");
    }
    day(group, "wait", batch.wait);
}

pub fn retry(policy: &RetryPolicy, group: &Section) {
    if !(1..=RETRY_ATTEMPTS).contains(&policy.attempts) {
        group.complain("attempts", format_args!("is from 1 to {RETRY_ATTEMPTS}"), "the first attempt counts");
    }
    if policy.first.is_zero() || policy.first > policy.cap {
        group.complain("first", "is more than nothing and at most `cap`", "first: 1s, cap: 15m");
    }
    day(group, "cap", policy.cap);
}

pub fn default_value(name: &str, value: &str, group: &Section) {
    match DEFAULTS.iter().find(|(known, _)| *known == name) {
        None => {
            let known: Vec<&str> = DEFAULTS.iter().map(|(known, _)| *known).collect();
            group.complain(name, "is no value that a profile can default", known.join(", "));
        }
        Some((_, codes)) if !codes.contains(&value) => {
            group.complain(name, format_args!("`{value}` is not one of its codes"), codes.join(", "));
        }
        Some(_) => {}
    }
}

fn id(section: &Section, key: &str, value: &str) {
    if !value.is_empty() {
        length(section, key, value, ID_LENGTH);
    }
}

fn length(section: &Section, key: &str, value: &str, allowed: std::ops::RangeInclusive<usize>) {
    let length = value.chars().count();
    if !allowed.contains(&length) {
        let (min, max) = allowed.into_inner();
        section.complain(
            key,
            format_args!("`{value}` has {length} characters"),
            format!("from {min} to {max} are allowed"),
        );
    }
}

fn day(group: &Section, key: &str, value: Duration) {
    if value > Duration::from_secs(86_400) {
        group.complain(key, "is longer than a day", "at most 24h");
    }
}
