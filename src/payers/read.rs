//! From `payer.yaml` to a profile, with every mistake of the file told at once.

use super::document::{Mistakes, Node, Section};
use super::profile::*;
use super::{Hours, Surroundings, hours, lint};
use crate::fault::codes;
use crate::retry::RetryPolicy;
use crate::x12::delimiters::Delimiters;
use crate::x12::policy::Policy;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Reads one profile; what could not be read has its default, and the mistake is in `mistakes`.
pub fn profile(folder: &str, document: &Node, mistakes: &Mistakes, surroundings: &Surroundings) -> PayerProfile {
    let root = Section::root(document, mistakes);
    let profile = PayerProfile {
        id: root.text("id", "the name of the folder"),
        name: root.text("name", "the payer's name as people know it"),
        identifiers: identifiers(&root),
        payer_id_systems: root.texts("payerIdSystems").into_iter().map(|(text, _)| text).collect(),
        payer_id: root.optional("payerId"),
        submitter: submitter(&root.section("submitter", "name, id and contact of the sender (1000A)")),
        receiver: receiver(&root.section("receiver", "name and id of the receiver (1000B)")),
        trading_partner: trading_partner(
            &root.section("tradingPartner", "sender and receiver of the envelope"),
            surroundings,
        ),
        delimiters: delimiters(&root),
        routes: routes(&root),
        csv: csv(&root),
        transport: transport(&root.section("transport", "kind: directory or https"), surroundings),
        batch: batch(&root),
        retry: retry(&root),
        deadlines: deadlines(&root),
        defaults: defaults(&root),
        dependents_have_own_ids: root.boolean("dependentsHaveOwnIds", false),
        social_security_numbers: root.boolean("socialSecurityNumbers", false),
        edits: edits(&root, mistakes),
        checks: checks(&root, mistakes),
        notes: root.texts("notes").into_iter().map(|(text, _)| text).collect(),
        character_set: character_set(&root),
        lines: lines(&root),
        hours: hours(&root),
        canary: canary(&root),
        secondary: secondary(&root),
        corrections: !matches!(corrections(&root).as_deref(), Some("off")),
    };
    if !profile.id.is_empty() && profile.id != folder {
        root.complain("id", format_args!("`{}` stands in the folder `{folder}`", profile.id), "name both alike");
    }
    lint::profile(&profile, &root);
    root.done();
    profile
}

fn identifiers(root: &Section) -> Vec<PayerIdentifier> {
    let read = |section: Section| {
        let value = section.text("value", "the value of the payor Organization's identifier");
        let identifier = PayerIdentifier { system: section.optional("system"), value };
        section.done();
        identifier
    };
    root.sections("identifiers").into_iter().map(read).collect()
}

fn submitter(section: &Section) -> Submitter {
    let contact = section.section("contact", "name and telephone that the payer may call");
    let submitter = Submitter {
        name: section.text("name", "the sender's name (NM103)"),
        id: section.text("id", "the sender's id at this payer (NM109)"),
        contact_name: contact.text("name", "a name (PER02)"),
        contact_telephone: contact.text("telephone", "ten digits (PER04)"),
        contact_email: contact.optional("email"),
    };
    lint::submitter(&submitter, section, &contact);
    contact.done();
    submitter
}

fn receiver(section: &Section) -> Receiver {
    let name = section.text("name", "the receiver's name (NM103)");
    Receiver { name, id: section.text("id", "the receiver's id (NM109)") }
}

fn trading_partner(section: &Section, surroundings: &Surroundings) -> TradingPartner {
    let sender = envelope_id(section, "sender");
    let receiver = envelope_id(section, "receiver");
    let usage = section.parsed("usage", "T or P", |text| ["T", "P"].contains(&text).then(|| text.to_owned()));
    let production = surroundings.production && usage.as_deref() == Some("P");
    let partner = TradingPartner {
        group_sender: section.optional("groupSender").unwrap_or_else(|| sender.id.clone()),
        group_receiver: section.optional("groupReceiver").unwrap_or_else(|| receiver.id.clone()),
        usage: if production { 'P' } else { 'T' },
        acknowledgment_requested: section.boolean("acknowledgment", false),
        sender,
        receiver,
    };
    lint::trading_partner(&partner, section);
    partner
}

fn envelope_id(section: &Section, key: &'static str) -> EnvelopeId {
    let group = section.section(key, "qualifier and id");
    let qualifier = group.text("qualifier", "01, 14, 20, 27 to 30, 33 or ZZ");
    let id = EnvelopeId { qualifier, id: group.text("id", "at most 15 characters") };
    lint::envelope_id(&id, &group);
    group.done();
    id
}

fn delimiters(root: &Section) -> Delimiters {
    let usual = Delimiters::default();
    let Some(group) = root.optional_section("delimiters") else { return usual };
    let byte = |key: &'static str| group.parsed(key, "one character", one_byte);
    let delimiters = Delimiters {
        element: byte("element").unwrap_or(usual.element),
        component: byte("component").unwrap_or(usual.component),
        repetition: byte("repetition").or(usual.repetition),
        terminator: byte("segment").unwrap_or(usual.terminator),
        newline: group.boolean("newline", usual.newline),
    };
    if let Some(fault) = delimiters.fault() {
        group.complain("element", fault, "usual are * : ^ ~");
    }
    group.done();
    delimiters
}

fn one_byte(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    }
}

fn routes(root: &Section) -> BTreeMap<String, Route> {
    let group = root.section("routes", "claim.professional: { guide: 005010X222A1, mapping: x12/837p }");
    let read = |(key, section): (&str, Section)| {
        let route = route(&section);
        lint::route(key, &section);
        section.done();
        (key.to_owned(), route)
    };
    group.named().into_iter().map(read).collect()
}

/// X12 names its guide and mapping, JSON and CSV their mapping, FHIR neither.
fn route(section: &Section) -> Route {
    let format = section.parsed("format", "x12, json, csv or fhir", Format::named).unwrap_or(Format::X12);
    let guide = match format {
        Format::X12 => section.text("guide", "the implementation guide, such as 005010X222A1"),
        other => other.name().to_owned(),
    };
    let mapping = match format {
        Format::Fhir => String::new(),
        _ => section.text("mapping", "the mapping, such as x12/837p"),
    };
    Route { format, guide, mapping }
}

fn csv(root: &Section) -> CsvRules {
    let usual = CsvRules::default();
    let Some(group) = root.optional_section("csv") else { return usual };
    let quote = group.parsed("quote", "needed or always", |text| {
        Some(text == "always").filter(|_| ["needed", "always"].contains(&text))
    });
    let end =
        group.parsed("newline", "crlf or lf", |text| Some(text == "crlf").filter(|_| ["crlf", "lf"].contains(&text)));
    let delimiter = group.parsed("delimiter", "one character that is no quote", |text| {
        let mut all = text.chars();
        all.next().filter(|c| all.next().is_none() && !"\"\r\n".contains(*c))
    });
    let rules = CsvRules {
        delimiter: delimiter.unwrap_or(usual.delimiter),
        header: group.boolean("header", usual.header),
        quote_always: quote.unwrap_or(usual.quote_always),
        carriage_return: end.unwrap_or(usual.carriage_return),
    };
    group.done();
    rules
}

fn transport(section: &Section, surroundings: &Surroundings) -> TransportProfile {
    let kind = section.text("kind", "directory or https");
    match kind.as_str() {
        "https" => https(section, surroundings),
        "directory" | "" => directory(section, surroundings),
        other => {
            section.complain("kind", format_args!("`{other}` is not a transport"), "directory or https");
            directory(section, surroundings)
        }
    }
}

fn directory(section: &Section, surroundings: &Surroundings) -> TransportProfile {
    let path = |key: &'static str| PathBuf::from(expanded(section, key, &section.text(key, "a folder"), surroundings));
    TransportProfile::Directory { outbound: path("outbound"), inbound: path("inbound") }
}

fn https(section: &Section, surroundings: &Surroundings) -> TransportProfile {
    let url = expanded(section, "url", &section.text("url", "where interchanges are posted"), surroundings);
    let token = section.optional("token").and_then(|text| secret(section, "token", &text));
    if !url.is_empty() && !url.starts_with("https://") && !is_loopback(&url) {
        section.complain("url", "claims must not travel in the clear", "use https:// (http:// only on this machine)");
    }
    TransportProfile::Https { url, timeout: section.duration("timeout").unwrap_or(Duration::from_secs(60)), token }
}

/// `${NAME}` or `file:/path`, and nothing else: a secret is never written in a profile, and is read when it is used.
fn secret(section: &Section, key: &str, text: &str) -> Option<SecretSource> {
    if let Some(path) = text.trim().strip_prefix("file:") {
        return Some(SecretSource::File(path.into()));
    }
    let name = text.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let name = name.filter(|name| name.starts_with("CLAIMGATE_"));
    if name.is_none() {
        let hint = "name a variable of the environment, ${CLAIMGATE_…_TOKEN}, or a file, file:/run/secrets/…";
        section.complain(key, "a secret must not stand here", hint);
    }
    name.map(|name| SecretSource::Environment(name.to_owned()))
}

fn is_loopback(url: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| url.starts_with(start))
}

/// Replaces `${NAME}`: `CLAIMGATE_DATA_DIR` by the configured folder, other names by the environment.
fn expanded(section: &Section, key: &str, text: &str, surroundings: &Surroundings) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let name = &rest[start + 2..start + length];
        out.push_str(&rest[..start]);
        match surroundings.variable(name) {
            Some(value) => out.push_str(&value),
            None => section.complain(
                key,
                format_args!("${{{name}}} is not set"),
                format!("set the environment variable {name}"),
            ),
        }
        rest = &rest[start + length + 1..];
    }
    out + rest
}

fn batch(root: &Section) -> Batch {
    let usual = Batch { claims: 1, wait: Duration::ZERO };
    let Some(group) = root.optional_section("batch") else { return usual };
    let claims = group.number("claims").unwrap_or(usual.claims);
    let batch = Batch { claims, wait: group.duration("wait").unwrap_or(usual.wait) };
    lint::batch(&batch, &group);
    group.done();
    batch
}

fn retry(root: &Section) -> RetryPolicy {
    let usual = RetryPolicy::default();
    let Some(group) = root.optional_section("retry") else { return usual };
    let policy = RetryPolicy {
        attempts: group.number("attempts").unwrap_or(usual.attempts),
        first: group.duration("first").unwrap_or(usual.first),
        cap: group.duration("cap").unwrap_or(usual.cap),
    };
    lint::retry(&policy, &group);
    group.done();
    policy
}

fn deadlines(root: &Section) -> Deadlines {
    let Some(group) = root.optional_section("deadlines") else { return Deadlines::default() };
    let deadlines = Deadlines {
        ta1: group.duration("ta1"),
        implementation_999: group.duration("999"),
        acknowledgment_277ca: group.duration("277ca"),
        remittance_835: group.duration("835"),
    };
    group.done();
    deadlines
}

fn defaults(root: &Section) -> BTreeMap<String, String> {
    let Some(group) = root.optional_section("defaults") else { return BTreeMap::new() };
    let texts = group.named_texts();
    for (name, value, _) in &texts {
        lint::default_value(name, value, &group);
    }
    texts.into_iter().map(|(name, value, _)| (name.to_owned(), value.to_owned())).collect()
}

fn edits(root: &Section, mistakes: &Mistakes) -> Edits {
    let Some(group) = root.optional_section("edits") else { return Edits::default() };
    let list = |key: &'static str, fits: fn(&str) -> bool, hint: &str| {
        let named = group.texts(key);
        for (name, at) in named.iter().filter(|(name, _)| !fits(name)) {
            mistakes.add(codes::MAPPING_TARGET, *at, format!("`{name}` is none that `{key}` takes"), hint);
        }
        named.into_iter().map(|(name, _)| name).collect()
    };
    let edits = Edits {
        off: list("off", lint::is_edit, RULES),
        warn: list("warn", lint::is_edit, RULES),
        refuse: list("refuse", lint::is_edit, RULES),
        hold: list("hold", lint::is_edit_family, "edits are the codes CG-13nn of the error catalogue"),
        authorization: list("authorization", lint::is_code_range, "write a code, or a range as 70450-70498"),
    };
    group.done();
    edits
}

const RULES: &str = "edits are the codes CG-13nn of the error catalogue, and the names in conformance/EDITS.md";

/// Whether the checks are known is told when the guides are there too.
fn checks(root: &Section, mistakes: &Mistakes) -> Policy {
    let mut policy = Policy::default();
    let Some(group) = root.optional_section("checks") else { return policy };
    for (key, level, at) in group.named_texts() {
        if policy.add(key, level, mistakes.place(at)).is_none() {
            let text = format!("`{key}: {level}` is not understood");
            let hint =
                "a line is `CHECK: LEVEL` or `CG-150n LOOP ELEMENT: LEVEL`; levels are error, warning, note, off";
            mistakes.add(codes::MAPPING_TARGET, at, text, hint);
        }
    }
    policy
}

fn character_set(root: &Section) -> CharacterSet {
    let named = |text: &str| match text {
        "basic" => Some(CharacterSet::Basic),
        "extended" => Some(CharacterSet::Extended),
        _ => None,
    };
    root.parsed("characterSet", "basic or extended", named).unwrap_or_default()
}

fn lines(root: &Section) -> Option<u32> {
    let group = root.optional_section("limits")?;
    let lines = group.number("lines");
    if lines == Some(0) {
        group.complain("lines", "a claim has at least one line", "leave it out, or write how many the payer takes");
    }
    group.done();
    lines.filter(|lines| *lines > 0)
}

fn hours(root: &Section) -> Option<Hours> {
    let group = root.optional_section("hours")?;
    let zone = group.parsed("zone", "an IANA time zone such as America/Chicago", hours::zone);
    let time = |key: &'static str| group.parsed(key, "a time of day such as 06:00", hours::time);
    let (open, close) = (time("open"), time("close"));
    for (key, given) in [("zone", zone.is_some()), ("open", open.is_some()), ("close", close.is_some())] {
        if !given && !group.has(key) {
            group.complain(key, "is missing", "hours: { zone: America/Chicago, open: \"06:00\", close: \"22:00\" }");
        }
    }
    let days = group.texts("days");
    let mut wanted = Vec::new();
    for (text, at) in &days {
        match hours::day(text) {
            Some(day) => wanted.push(day),
            None => group.wrong_at(*at, format!("`{text}` is no day"), "mon, tue, wed, thu, fri, sat, sun"),
        }
    }
    group.done();
    Some(Hours { zone: zone?, open: open?, close: close?, days: wanted })
}

fn canary(root: &Section) -> Option<Canary> {
    let group = root.optional_section("canary")?;
    let (percent, baseline) = (group.number("percent"), group.optional("baseline"));
    if percent.is_none_or(|percent| percent > 100) {
        group.complain("percent", "is from 0 to 100", "canary: { percent: 10 }");
    }
    group.done();
    Some(Canary { percent: percent?.min(100), baseline })
}

fn secondary(root: &Section) -> Secondary {
    let named = |text: &str| Secondary::ALL.iter().find(|(name, _)| *name == text).map(|(_, secondary)| *secondary);
    root.parsed("secondary", "send, draft or off", named).unwrap_or_default()
}

fn corrections(root: &Section) -> Option<String> {
    root.parsed("corrections", "draft or off", |text| ["draft", "off"].contains(&text).then(|| text.to_owned()))
}
