//! Every setting of `payer.yaml`, as people read it: the reference in `mappings/payers/README.md` and the schema for editors
//! are written from this table, and a test holds it against what is really read.

use serde_json::{Map, Value, json};
use std::fmt::Write;

/// One setting.
pub struct Setting {
    /// Where it stands: `tradingPartner.sender.id`; `[]` behind a list, `*` for a name that is free.
    pub path: &'static str,
    pub takes: Takes,
    /// What holds when it is absent; empty when it must be there.
    pub default: &'static str,
    pub doc: &'static str,
}

/// What a setting takes.
#[derive(Clone, Copy)]
pub enum Takes {
    Text,
    /// One of these.
    OneOf(&'static [&'static str]),
    Boolean,
    Number,
    /// `250ms`, `60s`, `15m`, `24h`, `3d`.
    Duration,
    /// Settings of their own below it.
    Group,
    /// A list of groups.
    Groups,
    /// A list of texts.
    Texts,
}

use Takes::{Boolean, Duration, Group, Groups, Number, OneOf, Text, Texts};

const fn row(path: &'static str, takes: Takes, default: &'static str, doc: &'static str) -> Setting {
    Setting { path, takes, default, doc }
}

/// Where a default is missing, the setting must be there.
const MUST: &str = "";
const NONE: &str = "none";

/// In the order of the sample.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    row("id", Text, MUST, "Name of the folder, of the queue and on the command line: a-z, 0-9 and -, at most 64 characters"),
    row("name", Text, MUST, "The payer's name as people know it, at most 60 characters"),
    row("identifiers", Groups, NONE, "Identifiers of the payor Organization (Coverage.payor, Claim.insurer) that mean this payer; a payer without any takes only claims that name it by --payer, or as CLAIMGATE_DEFAULT_PAYER"),
    row("identifiers[].value", Text, MUST, "Organization.identifier.value"),
    row("identifiers[].system", Text, "any system", "Organization.identifier.system"),
    row("payerIdSystems", Texts, NONE, "Systems of Organization.identifier by which callers name payers, beside the type `payerid`"),
    row("payerId", Text, "the Organization's", "The payer id that is written (2010BB NM109), whatever the Organization says; 2 to 80 characters"),
    row("notes", Texts, NONE, "What the companion guide says and the mappings carry out, for people; `claimgate payers show` prints it"),
    row("submitter", Group, MUST, "1000A: who sends, and whom the payer calls about a file"),
    row("submitter.name", Text, MUST, "NM103, at most 60 characters"),
    row("submitter.id", Text, MUST, "NM109: the id that this payer gave us"),
    row("submitter.contact", Group, MUST, "PER"),
    row("submitter.contact.name", Text, MUST, "PER02"),
    row("submitter.contact.telephone", Text, MUST, "PER04, ten digits"),
    row("submitter.contact.email", Text, NONE, "PER06"),
    row("receiver", Group, MUST, "1000B: who receives"),
    row("receiver.name", Text, MUST, "NM103, at most 60 characters"),
    row("receiver.id", Text, MUST, "NM109"),
    row("tradingPartner", Group, MUST, "The envelope"),
    row("tradingPartner.sender", Group, MUST, "ISA05 and ISA06"),
    row("tradingPartner.sender.qualifier", OneOf(super::lint::ENVELOPE_QUALIFIERS), MUST, "ISA05"),
    row("tradingPartner.sender.id", Text, MUST, "ISA06: letters, digits, space, - _ . and at most 15 of them"),
    row("tradingPartner.receiver", Group, MUST, "ISA07 and ISA08"),
    row("tradingPartner.receiver.qualifier", OneOf(super::lint::ENVELOPE_QUALIFIERS), MUST, "ISA07"),
    row("tradingPartner.receiver.id", Text, MUST, "ISA08: letters, digits, space, - _ . and at most 15 of them"),
    row("tradingPartner.groupSender", Text, "sender.id", "GS02, at most 15 characters"),
    row("tradingPartner.groupReceiver", Text, "receiver.id", "GS03, at most 15 characters"),
    row("tradingPartner.usage", OneOf(&["T", "P"]), "T", "ISA15: test or production; P only counts where the gateway runs with environment = production"),
    row("tradingPartner.acknowledgment", Boolean, "false", "ISA14: ask for a TA1"),
    row("delimiters", Group, "* ^ : ~", "One character each, all different, no letters or digits"),
    row("delimiters.element", Text, "*", "Between elements"),
    row("delimiters.repetition", Text, "^", "Between repetitions (ISA11)"),
    row("delimiters.component", Text, ":", "Between components (ISA16)"),
    row("delimiters.segment", Text, "~", "Behind each segment"),
    row("delimiters.newline", Boolean, "false", "A line feed behind each segment"),
    row("characterSet", OneOf(&["basic", "extended"]), "extended", "Which characters of X12.5 the payer takes. Basic: capitals, digits, space and ! \" & ' ( ) * + , - . / : ; ? =; others become a space in names and notes, and are refused elsewhere"),
    row("routes", Group, MUST, "What this payer takes: `claim.professional`, `claim.institutional`, `claim.oral`, `predetermination.oral`, `preauthorization`, `eligibility`, `statusInquiry`"),
    row("routes.*", Group, NONE, "Guide and mapping of one of them"),
    row("routes.*.format", OneOf(&["x12", "json", "csv", "fhir"]), "x12", "What is sent; fhir is a Da Vinci PAS Bundle"),
    row("routes.*.guide", Text, "none, but for x12", "Implementation guide, such as 005010X222A1"),
    row("routes.*.mapping", Text, "none for fhir", "Mapping, such as x12/837p; an overlay beside payer.yaml holds only what differs"),
    row("transport", Group, MUST, "How the bytes travel. `${CLAIMGATE_…}` is taken from the environment, so that no secret stands in a profile"),
    row("transport.kind", OneOf(&["directory", "https"]), MUST, "directory: folders, as an SFTP server or a VAN shows them; https: posted"),
    row("transport.outbound", Text, MUST, "directory: folder that interchanges are put into"),
    row("transport.inbound", Text, MUST, "directory: folder that answers are taken from"),
    row("transport.url", Text, MUST, "https: where interchanges are posted"),
    row("transport.timeout", Duration, "60s", "https: longest wait for the reply"),
    row("transport.token", Text, NONE, "https: bearer token by reference, ${CLAIMGATE_…_TOKEN} or file:/run/secrets/…; it is read when it is used"),
    row("batch", Group, "each claim at once", "How many claims travel together"),
    row("batch.claims", Number, "1", "Claims of one interchange, 1 to 5000; 1 sends each at once"),
    row("batch.wait", Duration, "0s", "Longest wait for more claims, at most 24h"),
    row("limits", Group, "the guide's", "What this payer takes less of than its guide"),
    row("limits.lines", Number, "the guide's", "Service lines of one claim; a longer one is split"),
    row("hours", Group, "always", "When the payer takes interchanges; outside of them claims wait"),
    row("hours.zone", Text, MUST, "IANA time zone, such as America/Chicago"),
    row("hours.open", Text, MUST, "Local time of day, 06:00"),
    row("hours.close", Text, MUST, "Local time of day, 22:00; before `open` it is that of the next day"),
    row("hours.days", Texts, "every day", "Days on which it opens: mon, tue, wed, thu, fri, sat, sun"),
    row("retry", Group, "12 attempts", "When sending fails"),
    row("retry.attempts", Number, "12", "Attempts in all, 1 to 100"),
    row("retry.first", Duration, "1s", "Delay before the second attempt; it doubles, with chance, up to the cap"),
    row("retry.cap", Duration, "15m", "Longest delay, at most 24h"),
    row("deadlines", Group, NONE, "When an answer is overdue; an absent one is not waited for"),
    row("deadlines.ta1", Duration, NONE, "TA1"),
    row("deadlines.999", Duration, NONE, "999"),
    row("deadlines.277ca", Duration, NONE, "277CA"),
    row("deadlines.835", Duration, NONE, "835"),
    row("defaults", Group, NONE, "Values that FHIR has no element for, where the claim says nothing in an extension x12-…"),
    row("defaults.*", Text, NONE, "clm06 signature on file, clm07 assignment, clm08 benefits assigned, clm09 release of information, clm10 signature source; oi03, oi04, oi06 the same of other payers; sbr09 claim filing indicator"),
    row("dependentsHaveOwnIds", Boolean, "false", "Dependents have member ids of their own and are billed as subscribers (2000B, SBR02 = 18)"),
    row("socialSecurityNumbers", Boolean, "false", "Social security numbers may be sent (REF*SY)"),
    row("edits", Group, "all on", "Rules that a claim must pass before it leaves"),
    row("edits.off", Texts, NONE, "Rules that this payer does not ask for: a family (CG-13nn) or a name (conformance/EDITS.md)"),
    row("edits.warn", Texts, NONE, "Rules that only warn"),
    row("edits.refuse", Texts, NONE, "Rules that refuse, also those that warn elsewhere"),
    row("edits.hold", Texts, NONE, "Families whose errors hold a claim for people to look at"),
    row("edits.authorization", Texts, NONE, "Procedure and revenue codes, or ranges (70450-70498), that need a prior authorization"),
    row("checks", Group, NONE, "How severe a check of X12 is here: `CHECK: LEVEL` (conformance/x12/CHECKS.md); levels are error, warning, note, off"),
    row("checks.*", Text, NONE, "error, warning, note or off"),
    row("csv", Group, NONE, "How rows are written, for routes with `format: csv`"),
    row("csv.delimiter", Text, ",", "Character between cells"),
    row("csv.quote", OneOf(&["needed", "always"]), "needed", "When cells are quoted"),
    row("csv.header", Boolean, "true", "A first row with the names of the columns"),
    row("csv.newline", OneOf(&["crlf", "lf"]), "crlf", "What ends a row"),
    row("secondary", OneOf(&["send", "draft", "off"]), "draft", "The claim that this payer gets after the payer before it has decided: it goes out by itself when nothing is odd, a person releases it, or none is prepared"),
    row("corrections", OneOf(&["draft", "off"]), "draft", "What this payer rejects or denies is prepared anew, with what to change; a person releases it"),
    row("canary", Group, NONE, "Only some new claims go by this version of the mappings, the others as before"),
    row("canary.percent", Number, MUST, "How many of a hundred, 0 to 100"),
    row("canary.baseline", Text, "the newest without a canary for this payer", "Version that the others go by (`/admin/mappings` lists them)"),
];

impl Takes {
    fn word(self) -> String {
        match self {
            Text => "text".into(),
            OneOf(codes) => codes.join(", "),
            Boolean => "true or false".into(),
            Number => "whole number".into(),
            Duration => "duration (ms, s, m, h, d)".into(),
            Group => "group".into(),
            Groups => "list of groups".into(),
            Texts => "list".into(),
        }
    }
}

/// The reference as a table of Markdown.
pub fn reference() -> String {
    let mut out = String::from("| setting | takes | when absent | what it is |\n|---|---|---|---|\n");
    for Setting { path, takes, default, doc } in SETTINGS {
        let default = if default.is_empty() { "**must be there**" } else { default };
        let _ = writeln!(out, "| `{path}` | {} | {default} | {doc} |", takes.word());
    }
    out
}

/// JSON schema (2020-12) of `payer.yaml`.
pub fn schema() -> Value {
    let mut schema = below("");
    schema["$schema"] = Value::from("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = Value::from("claimgate payer profile");
    schema
}

/// The object of the settings right below a path.
fn below(path: &str) -> Value {
    let (mut properties, mut required, mut free) = (Map::new(), Vec::new(), Value::Bool(false));
    for setting in SETTINGS {
        let rest = if path.is_empty() { Some(setting.path) } else { setting.path.strip_prefix(path) };
        let name =
            rest.map(|rest| if path.is_empty() { rest } else { rest.trim_start_matches("[]").trim_start_matches('.') });
        let child = rest.is_some_and(|rest| path.is_empty() || rest.starts_with(['.', '[']));
        let Some(name) = name.filter(|name| child && !name.is_empty() && !name.contains('.') && !name.contains("[]"))
        else {
            continue;
        };
        let schema = setting.schema();
        match name {
            "*" => free = schema,
            // What one kind of transport needs, another does not know.
            _ if setting.default.is_empty() && (path != "transport" || name == "kind") => {
                required.push(name);
                properties.insert(name.to_owned(), schema);
            }
            _ => drop(properties.insert(name.to_owned(), schema)),
        }
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": free})
}

impl Setting {
    fn schema(&self) -> Value {
        let mut schema = match self.takes {
            Text => json!({"type": ["string", "number"]}),
            OneOf(codes) => json!({"enum": codes}),
            Boolean => json!({"type": "boolean"}),
            Number => json!({"type": "integer"}),
            Duration => json!({"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"}),
            Group => below(self.path),
            Groups => json!({"type": "array", "items": below(self.path)}),
            Texts => json!({"type": "array", "items": {"type": "string"}}),
        };
        schema["description"] = Value::from(self.doc);
        schema
    }
}
