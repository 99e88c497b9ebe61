//! What the simulated payer does with a claim, as a file that people edit (`conformance/scenarios/*.yaml`): rules from top
//! to bottom, the first that fits decides, and a claim that fits none is paid by the usual terms.

use super::claim::Claim;
use crate::assets::Folder;
use crate::fault::{Fault, Place, codes};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// The scenario that ships.
pub const DEFAULT: &str = "scenarios/default.yaml";
/// Longest delay of an answer, in seconds: a day.
pub const DELAY_MAX_S: u64 = 86_400;
/// Largest amount or percentage of a share.
pub const SHARE_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// A scenario.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Scenario {
    /// What it shows, for people.
    pub name: String,
    /// Who answers; what is left out is taken from the claim.
    pub payer: Payer,
    pub delays: Delays,
    /// What becomes of a claim that fits no rule.
    pub usual: Outcome,
    pub rules: Vec<Rule>,
}

/// The payer's own details in its answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Payer {
    pub name: Option<String>,
    pub id: Option<String>,
    /// Nine digits: TRN03 without its leading 1.
    pub tax_id: String,
    pub street: String,
    pub city: String,
    pub state: String,
    pub postal_code: String,
    pub telephone: String,
}

/// How long after receipt an answer comes: `0s`, `500ms`, `2s`, `5m`, `1h`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Delays {
    /// TA1 and 999.
    #[serde(deserialize_with = "duration")]
    pub acknowledgment: Duration,
    /// 277CA.
    #[serde(deserialize_with = "duration")]
    pub status: Duration,
    /// 277 that says a claim is pended.
    #[serde(deserialize_with = "duration")]
    pub pending: Duration,
    /// 835.
    #[serde(deserialize_with = "duration")]
    pub payment: Duration,
    /// The later 835, with reversal and correction.
    #[serde(deserialize_with = "duration")]
    pub correction: Duration,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// What it shows, for people.
    #[serde(default)]
    pub name: String,
    pub when: Condition,
    pub then: Outcome,
}

/// What a claim must be like; everything that is given must hold. In texts `*` stands for any characters.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Condition {
    /// CLM01.
    pub claim_number: Option<String>,
    /// NM109 of the subscriber.
    pub member_id: Option<String>,
    /// Procedure code of any line.
    pub code: Option<String>,
    /// CLM05-3.
    pub frequency: Option<String>,
    /// CLM02 at least.
    #[serde(deserialize_with = "maybe_amount")]
    pub charge_from: Option<Decimal>,
    /// CLM02 below.
    #[serde(deserialize_with = "maybe_amount")]
    pub charge_below: Option<Decimal>,
    /// The cents of CLM02, two digits.
    pub cents: Option<String>,
}

/// What becomes of a claim.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Outcome {
    /// TA1 R with this note (TA105): nothing of the file is read further.
    RefuseInterchange { note: String },
    /// 999 R of the claim's transaction set.
    RefuseSet(Complaint),
    /// 277CA: each status `category:code[:entity]`.
    RefuseClaim {
        statuses: Vec<String>,
        #[serde(default)]
        text: Option<String>,
        /// Statuses of lines.
        #[serde(default)]
        lines: Vec<LineStatus>,
    },
    /// 277CA and 835.
    Pay(Terms),
    /// 277CA, then a 277 that says why it waits, then 835.
    Pend { statuses: Vec<String>, then: Terms },
    /// 277CA and 835 with CLP02 4.
    Deny(Denial),
    /// 277CA and 835, and later an 835 that takes the payment back and pays anew.
    Correct { first: Terms, then: Terms },
    /// Nothing but the 999: an answer that never comes.
    Silence(Silence),
}

/// No settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {}

/// What a 999 says is wrong.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Complaint {
    /// IK301, a segment of the claim.
    pub segment: String,
    /// IK304. Default 8: the element below is in error.
    #[serde(default = "eight")]
    pub code: String,
    #[serde(default)]
    pub element: Option<ElementComplaint>,
}

/// IK4.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ElementComplaint {
    /// IK401: `5` or `5:3`.
    pub at: String,
    /// IK402: number of the data element.
    #[serde(default)]
    pub number: String,
    /// IK403. The value that is said to be wrong is the one that stands there.
    pub code: String,
}

/// Statuses of the lines with a code.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineStatus {
    pub code: String,
    pub statuses: Vec<String>,
}

/// How a claim is paid, line by line.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Terms {
    /// CO 45: what the contract takes off each charge; `20%` or an amount.
    pub contractual: Share,
    /// PR 1: off the first lines until it is used up.
    pub deductible: Share,
    /// PR 3: likewise.
    pub copay: Share,
    /// PR 2: off what is left of each line.
    pub coinsurance: Share,
    /// Lines that are denied while the rest is paid.
    pub denied: Vec<Denial>,
    /// RARC of the claim (MOA).
    pub remarks: Vec<String>,
    /// PLB L6: interest that is paid on top.
    pub interest: Share,
}

/// Why a line or a claim is denied.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Denial {
    /// Lines with this procedure code; all when absent.
    #[serde(default)]
    pub code: Option<String>,
    /// CAS01.
    #[serde(default = "contractual_obligation")]
    pub group: String,
    /// CARC.
    pub reason: String,
    /// RARC.
    #[serde(default)]
    pub remarks: Vec<String>,
}

/// An amount or a percentage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    Amount(Decimal),
    Percent(Decimal),
}

impl Default for Share {
    fn default() -> Share {
        Share::Amount(Decimal::ZERO)
    }
}

impl Share {
    /// The share of an amount: never more than all of it, in whole cents.
    pub fn of(self, whole: Decimal) -> Decimal {
        let part = match self {
            Share::Amount(amount) => amount,
            Share::Percent(percent) => (whole * percent / Decimal::ONE_HUNDRED).round_dp(2),
        };
        part.min(whole)
    }

    /// `20%`, `15.00`; not negative, at most [`SHARE_MAX`].
    fn parse(text: &str) -> Option<Share> {
        let (number, percent) = text.trim().strip_suffix('%').map_or((text, false), |number| (number, true));
        let number: Decimal =
            number.trim().parse().ok().filter(|number| (Decimal::ZERO..=SHARE_MAX).contains(number))?;
        Some(if percent { Share::Percent(number) } else { Share::Amount(number) })
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        let text = String::deserialize(deserializer)?;
        Share::parse(&text).ok_or_else(|| serde::de::Error::custom("write an amount like 15.00 or a share like 20%"))
    }
}

impl Default for Payer {
    fn default() -> Payer {
        Payer {
            name: None,
            id: None,
            tax_id: "935665544".into(),
            street: "10 SOUTH AVENUE".into(),
            city: "RAPID CITY".into(),
            state: "SD".into(),
            postal_code: "57701".into(),
            telephone: "8005551212".into(),
        }
    }
}

impl Scenario {
    /// Reads a scenario; `path` is how it is named to people.
    pub fn read(text: &str, path: &str) -> Result<Scenario, Fault> {
        let refuse = |line: u32, column: u32, text: String| {
            let at = Place::File { path: path.to_owned(), line, column };
            Fault::refuse(codes::CONFIGURATION, at, text, "the shipped scenario shows every setting")
        };
        serde_saphyr::from_str::<Scenario>(text).map_err(|error| {
            let (line, column) = error.location().map_or((0, 0), |at| (at.line() as u32, at.column() as u32));
            refuse(line, column, error.to_string())
        })
    }

    /// The scenario that ships.
    pub fn shipped(conformance: &Folder) -> Result<Scenario, Fault> {
        let text = conformance.text(DEFAULT).unwrap_or_default();
        Scenario::read(&text, &conformance.display(DEFAULT))
    }

    /// What becomes of a claim.
    pub fn outcome(&self, claim: &Claim) -> &Outcome {
        let rule = self.rules.iter().find(|rule| rule.when.fits(claim));
        rule.map_or(&self.usual, |rule| &rule.then)
    }
}

impl Condition {
    fn fits(&self, claim: &Claim) -> bool {
        let text = |pattern: &Option<String>, text: &str| pattern.as_ref().is_none_or(|pattern| matches(pattern, text));
        let cents = || format!("{:02}", (claim.charge.abs().fract() * Decimal::ONE_HUNDRED).trunc());
        text(&self.claim_number, &claim.number)
            && text(&self.member_id, &claim.member_id)
            && text(&self.frequency, &claim.frequency)
            && self.code.as_ref().is_none_or(|code| claim.lines.iter().any(|line| matches(code, line.procedure())))
            && self.charge_from.is_none_or(|from| claim.charge >= from)
            && self.charge_below.is_none_or(|below| claim.charge < below)
            && self.cents.as_ref().is_none_or(|wanted| *wanted == cents())
    }
}

impl Default for Outcome {
    fn default() -> Outcome {
        Outcome::Pay(Terms::default())
    }
}

impl Outcome {
    /// Whether a 277CA speaks of the claim.
    pub fn is_heard(&self) -> bool {
        !matches!(self, Outcome::RefuseInterchange { .. } | Outcome::RefuseSet(_) | Outcome::Silence(_))
    }

    pub fn pends(&self) -> bool {
        matches!(self, Outcome::Pend { .. })
    }

    pub fn pays(&self) -> bool {
        matches!(self, Outcome::Pay(_) | Outcome::Pend { .. } | Outcome::Deny(_) | Outcome::Correct { .. })
    }

    pub fn corrects(&self) -> bool {
        matches!(self, Outcome::Correct { .. })
    }
}

/// Whether a text fits a pattern in which `*` stands for any characters. Case does not matter.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_uppercase(), text.to_uppercase());
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

fn eight() -> String {
    "8".into()
}

fn contractual_obligation() -> String {
    "CO".into()
}

fn maybe_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| serde::de::Error::custom("write an amount like 1000 or 99.50"))
}

/// `500ms`, `2s`, `5m`, `1h`; at most [`DELAY_MAX_S`].
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: Option<u64> = text[..text.len() - unit.len()].parse().ok();
    let factor = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)].into_iter().find(|(name, _)| *name == unit);
    let millis = number.zip(factor).and_then(|(number, (_, factor))| number.checked_mul(factor));
    millis
        .filter(|millis| *millis <= DELAY_MAX_S * 1_000)
        .map(Duration::from_millis)
        .ok_or_else(|| serde::de::Error::custom("write a delay like 500ms, 2s, 5m or 1h, at most 24h"))
}
