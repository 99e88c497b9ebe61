//! All that is special about one payer, as `mappings/payers/<id>/payer.yaml` says it. The commented sample is that of the
//! payer `northwind`.

use super::hours::Hours;
use crate::billing::id::PayerId;
use crate::fault::{Issue, Severity};
use crate::retry::RetryPolicy;
use crate::x12::delimiters::Delimiters;
use crate::x12::policy::Policy;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A payer, or the clearing house that takes claims for it.
#[derive(Debug, Clone, PartialEq)]
pub struct PayerProfile {
    /// Name of the folder, of the queue and on the command line.
    pub id: String,
    pub name: String,
    /// Identifiers of the payor Organization that mean this payer.
    pub identifiers: Vec<PayerIdentifier>,
    /// Systems of Organization.identifier by which callers name payers, beside the type `payerid`.
    pub payer_id_systems: Vec<String>,
    /// NM109 of 2010BB when it is to be the same for every claim.
    pub payer_id: Option<String>,
    pub submitter: Submitter,
    pub receiver: Receiver,
    pub trading_partner: TradingPartner,
    pub delimiters: Delimiters,
    pub routes: BTreeMap<String, Route>,
    pub csv: CsvRules,
    pub transport: TransportProfile,
    pub batch: Batch,
    pub retry: RetryPolicy,
    pub deadlines: Deadlines,
    /// Values without a home in FHIR, used where the claim says nothing: `clm06`, `clm07` …
    pub defaults: BTreeMap<String, String>,
    /// Dependents have member ids of their own: they are billed as subscribers (2000B, SBR02 = 18).
    pub dependents_have_own_ids: bool,
    /// Social security numbers may leave the gateway (REF*SY).
    pub social_security_numbers: bool,
    pub edits: Edits,
    /// What it asks of the checks of X12.
    pub checks: Policy,
    /// What the companion guide says, for people.
    pub notes: Vec<String>,
    pub character_set: CharacterSet,
    /// Service lines of one claim, when the payer takes fewer than its guide.
    pub lines: Option<u32>,
    /// When it takes interchanges; absent: always.
    pub hours: Option<Hours>,
    pub canary: Option<Canary>,
    /// What becomes of the claim that this payer gets after the payer before it has decided.
    pub secondary: Secondary,
    /// Whether what this payer rejects or denies is prepared anew.
    pub corrections: bool,
}

/// What becomes of the claim that a payer gets after the payer before it has decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Secondary {
    /// It goes out by itself, when nothing is odd.
    Send,
    /// A person releases it.
    #[default]
    Draft,
    /// None is prepared.
    Off,
}

impl Secondary {
    pub const ALL: [(&'static str, Secondary); 3] =
        [("send", Secondary::Send), ("draft", Secondary::Draft), ("off", Secondary::Off)];
}

/// The characters of X12.5 that a payer takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CharacterSet {
    Basic,
    #[default]
    Extended,
}

/// Only some new claims go by this version of the mappings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// How many of a hundred.
    pub percent: u32,
    /// Version that the others go by; absent: the newest without a canary for this payer.
    pub baseline: Option<String>,
}

/// What a payer wants of the edits. Families stand by their code (`CG-1309`), single rules by their name (`zip`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edits {
    /// Not asked for.
    pub off: Vec<String>,
    /// They only warn.
    pub warn: Vec<String>,
    /// They refuse, also those that only warn elsewhere.
    pub refuse: Vec<String>,
    /// Families whose errors don't refuse a claim but hold it, for people to look at.
    pub hold: Vec<String>,
    /// Procedure and revenue codes that need a prior authorization, or ranges of them (`70450-70498`).
    pub authorization: Vec<String>,
}

impl Edits {
    /// How severe a rule is here, of its family's code and its name; `None` when it is not asked for.
    pub fn severity(&self, code: &str, rule: &str, usual: Severity) -> Option<Severity> {
        let named = |list: &[String]| list.iter().any(|each| each == code || each == rule);
        match () {
            () if named(&self.off) => None,
            () if named(&self.refuse) => Some(Severity::Error),
            () if named(&self.warn) => Some(Severity::Warning),
            () => Some(usual),
        }
    }
}

/// One identifier of a payor Organization.
#[derive(Debug, Clone, PartialEq)]
pub struct PayerIdentifier {
    /// Absent: any system.
    pub system: Option<String>,
    pub value: String,
}

/// 1000A: who sends, and whom the payer calls about a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Submitter {
    /// NM103.
    pub name: String,
    /// NM109 with 46.
    pub id: String,
    /// PER02.
    pub contact_name: String,
    /// PER04 with TE, ten digits.
    pub contact_telephone: String,
    /// PER06 with EM.
    pub contact_email: Option<String>,
}

/// 1000B: who receives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Receiver {
    /// NM103.
    pub name: String,
    /// NM109 with 46.
    pub id: String,
}

/// The envelope (ISA, GS).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TradingPartner {
    /// ISA05 and ISA06.
    pub sender: EnvelopeId,
    /// ISA07 and ISA08.
    pub receiver: EnvelopeId,
    /// GS02; ISA06 when absent.
    pub group_sender: String,
    /// GS03; ISA08 when absent.
    pub group_receiver: String,
    /// ISA15, already lowered to T outside production.
    pub usage: char,
    /// ISA14: a TA1 is asked for.
    pub acknowledgment_requested: bool,
}

/// A qualified id of the envelope.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EnvelopeId {
    pub qualifier: String,
    pub id: String,
}

/// What a claim of one intent and type becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub format: Format,
    /// `005010X222A1`; of other formats than X12 their name.
    pub guide: String,
    /// `x12/837p`; the payer's own overlay of it wins. Empty where the format needs none (FHIR).
    pub mapping: String,
}

/// In which form a claim is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    X12,
    /// A JSON document of the payer's own shape.
    Json,
    /// Rows of the payer's own columns.
    Csv,
    /// A Da Vinci PAS Bundle.
    Fhir,
}

impl Format {
    pub const ALL: [(&'static str, Format); 4] =
        [("x12", Format::X12), ("json", Format::Json), ("csv", Format::Csv), ("fhir", Format::Fhir)];

    pub fn name(self) -> &'static str {
        Format::ALL.iter().find(|(_, format)| *format == self).map_or("x12", |(name, _)| name)
    }

    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }
}

/// How rows are written (RFC 4180, and what payers make of it).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CsvRules {
    pub delimiter: char,
    /// The first row names the columns.
    pub header: bool,
    /// Every value stands in quotes, not only those that need them.
    pub quote_always: bool,
    /// Rows end with a carriage return before the line feed.
    pub carriage_return: bool,
}

impl Default for CsvRules {
    fn default() -> CsvRules {
        CsvRules { delimiter: ',', header: true, quote_always: false, carriage_return: true }
    }
}

/// How the bytes travel.
#[derive(Debug, Clone, PartialEq)]
pub enum TransportProfile {
    Directory {
        outbound: PathBuf,
        inbound: PathBuf,
    },
    Https {
        url: String,
        timeout: Duration,
        /// Where the bearer token is.
        token: Option<SecretSource>,
    },
}

/// Where a secret is kept: never in the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// Name of an environment variable.
    Environment(String),
    File(PathBuf),
}

/// How many claims travel together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batch {
    /// Claims of one interchange; 1 is real time.
    pub claims: u32,
    /// Longest wait for more claims.
    pub wait: Duration,
}

/// When an answer is overdue; absent: it is not waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Deadlines {
    pub ta1: Option<Duration>,
    pub implementation_999: Option<Duration>,
    pub acknowledgment_277ca: Option<Duration>,
    pub remittance_835: Option<Duration>,
}

impl PayerProfile {
    /// The route of an intent (`claim`, `preauthorization` …) and claim type (`professional` …): the key with the type wins
    /// over that without.
    pub fn route(&self, intent: &str, claim_type: &str) -> Option<&Route> {
        self.routes.get(&format!("{intent}.{claim_type}")).or_else(|| self.routes.get(intent))
    }

    pub fn payer_id(&self) -> PayerId {
        PayerId(self.id.clone())
    }

    /// Whose control numbers its interchanges count in: one sequence for each pair of envelope ids.
    pub fn partner(&self) -> String {
        let TradingPartner { sender, receiver, .. } = &self.trading_partner;
        format!("{}:{}>{}:{}", sender.qualifier, sender.id, receiver.qualifier, receiver.id)
    }

    /// Whether all that refuses a claim is to be looked at by people instead.
    pub fn holds(&self, issues: &[Issue]) -> bool {
        let mut errors = issues.iter().filter(|issue| issue.is_error()).peekable();
        errors.peek().is_some() && errors.all(|issue| self.edits.hold.iter().any(|code| code == issue.code))
    }

    /// What mappings see as `%payer`.
    pub fn facts(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "payerId": self.payer_id,
            "payerIdSystems": self.payer_id_systems,
            "submitterName": self.submitter.name,
            "submitterId": self.submitter.id,
            "traceAssigner": self.trace_assigner(),
            "defaults": self.defaults,
            "dependentsHaveOwnIds": self.dependents_have_own_ids,
            "socialSecurityNumbers": self.social_security_numbers,
        })
    }

    /// TRN03 of what we ask: ten characters, a 9 before what is no tax id.
    fn trace_assigner(&self) -> String {
        let id = self.submitter.id.chars().filter(char::is_ascii_alphanumeric).chain("000000000".chars());
        std::iter::once('9').chain(id).take(10).collect::<String>().to_ascii_uppercase()
    }

    /// Whether a payor Organization with these identifiers (`value`, or `system|value`) is this payer.
    pub fn is_meant_by(&self, identifiers: &[String]) -> bool {
        identifiers.iter().any(|given| {
            let (system, value) = given.rsplit_once('|').map_or((None, given.as_str()), |(s, v)| (Some(s), v));
            self.identifiers
                .iter()
                .any(|own| own.value == value && (own.system.is_none() || own.system.as_deref() == system))
        })
    }
}
