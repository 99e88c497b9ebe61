//! Configuration: `claimgate.toml`, then the environment (`CLAIMGATE_…`). Every knob has a unit, a default and a limit in
//! its doc comment, and is checked at start, all mistakes at once.

use crate::fault::{Fault, Issue, Place, codes};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// All of it. Environment names are those of the fields in upper case behind `CLAIMGATE_`, groups joined by two
/// underscores (`CLAIMGATE_LIMITS__BODY_BYTES`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address to listen on. Default `127.0.0.1:8080`; port 0 takes a free one.
    pub listen: String,
    /// Folder of the store and of the payer directories. Default `./data`.
    pub data_dir: PathBuf,
    /// Folder of mappings, payers and code tables. Default `./mappings`; those in the binary serve when it is absent.
    pub mappings_dir: PathBuf,
    /// Folder of guides and FHIR tables. Default `./conformance`; those in the binary serve when it is absent.
    pub conformance_dir: PathBuf,
    /// RabbitMQ, `amqp://user:password@host:port/vhost`. Absent: the embedded queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amqp_url: Option<String>,
    /// PostgreSQL. Absent: SQLite in the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_url: Option<String>,
    /// Payer of claims whose payer has no profile. Absent: they are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_payer: Option<String>,
    /// Folder of code lists that are not shipped: whole code sets (`icd-10-cm.txt`, `hcpcs.csv`), NCCI pairs, unit limits.
    /// Absent: codes are checked by the lists and forms that ship.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes_dir: Option<PathBuf>,
    /// `test` or `production`: only production writes ISA15 = P. Default `test`.
    pub environment: String,
    /// Whether strangers may call at an address that others than this machine can reach. Default false.
    pub allow_anonymous: bool,
    /// Who may call, `[[callers]]` each with `name`, `token` (`env:NAME` or `file:PATH` of the token, or of `sha256:` and its
    /// hash) and `scopes` (`submit`, `read`, `payer:ID`, `admin`). Absent: everybody may do everything; at most 1 000.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<Caller>,
    /// Receivers of webhooks, `[[webhooks]]` each with `name`, `url`, `secret` (`env:NAME` or `file:PATH` of a `whsec_…`) and
    /// `events` (all when left out). Absent: none; at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    pub limits: Limits,
    pub worker: Worker,
    pub notify: Notify,
}

/// Most webhooks.
pub const WEBHOOKS_MOST: usize = 100;

/// A receiver of signed JSON messages (Standard Webhooks) that hold ids and states, and nothing of a patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Letters, digits, `-` and `_`; in logs it stands for the receiver.
    pub name: String,
    pub url: String,
    /// Where the secret stands: `env:NAME` or `file:PATH`. Two, with a space between, while one takes the place of the other.
    pub secret: String,
    /// Types of messages; all when empty.
    #[serde(default)]
    pub events: Vec<String>,
}

impl Webhook {
    /// Whether it is written the way a webhook is; its address and its events are judged by those who know them.
    fn is_plain(&self) -> bool {
        is_name(&self.name) && is_place(&self.secret)
    }
}

/// Most callers.
pub const CALLERS_MOST: usize = 1_000;

/// Somebody who may call, known by a bearer token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// Letters, digits, `-` and `_`; in logs it stands for the caller.
    pub name: String,
    /// Where the token stands: `env:NAME` or `file:PATH`.
    pub token: String,
    pub scopes: Vec<String>,
}

impl Caller {
    fn is_plain(&self) -> bool {
        let known = |scope: &String| {
            ["submit", "read", "admin"].contains(&scope.as_str())
                || scope.strip_prefix("payer:").is_some_and(|payer| !payer.is_empty())
        };
        is_name(&self.name) && is_place(&self.token) && self.scopes.iter().all(known)
    }
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

/// Where a secret stands; never the secret.
fn is_place(text: &str) -> bool {
    text.split_once(':').is_some_and(|(kind, at)| ["env", "file"].contains(&kind) && !at.is_empty())
}

/// Notifications to subscribers and webhooks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// Whether endpoints may be plain `http:`. Default false.
    pub allow_http: bool,
    /// Whether endpoints may lie at private, loopback or link-local addresses. Default false.
    pub allow_private: bool,
    /// Subscriptions of one caller. Default 100, at most 10 000.
    pub subscriptions: usize,
    /// Notifications on their way at the same time. Default 16, at most 1 000.
    pub concurrency: usize,
    /// Events in one notification, unless a subscription asks for fewer. Default 20, at most 1 000.
    pub events: usize,
    /// Size at which a notification takes up no further event, in bytes. Default 1 MiB.
    pub body_bytes: usize,
    /// Time for one notification, unless a subscription asks for less, in milliseconds. Default 10 000.
    pub timeout_ms: u64,
    /// Attempts that fail one after the other before a subscription is in error. Default 10.
    pub attempts: u32,
    /// Pause after the first failure, in milliseconds; it doubles with each. Default 1 000.
    pub retry_ms: u64,
    /// Longest pause between two attempts, in milliseconds. Default 600 000.
    pub retry_ms_max: u64,
    /// Events that are kept of each subscription after they were delivered, for `$events`. Default 1 000.
    pub kept: u64,
    /// Events that wait for a subscriber before it is given up. Default 100 000.
    pub waiting: u64,
}

/// Named limits; each is tested at the limit and just above.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest request body, in bytes. Default 5 MiB, at most 256 MiB.
    pub body_bytes: u64,
    /// Largest inbound X12 file, in bytes. Default 64 MiB, at most 4 GiB.
    pub interchange_bytes: u64,
    /// Deepest JSON nesting. Default 64, at most 120.
    pub json_depth: usize,
    /// Entries of a Bundle. Default 1 000.
    pub bundle_entries: usize,
    /// Service lines of one claim before it is refused (it is split at the guide's own limit). Default 1 000.
    pub claim_lines: usize,
    /// Issues in one reply; what is over is counted. Default 200.
    pub issues: usize,
    /// Time for one request, in milliseconds. Default 30 000.
    pub request_ms: u64,
    /// Time for a client to send its headers, in milliseconds. Default 10 000.
    pub header_ms: u64,
    /// Open connections. Default 1 024.
    pub connections: usize,
    /// Submissions waiting to be sent before new ones are answered 503. Default 1 000 000.
    pub queued: u64,
    /// Time for running requests to end at shutdown, in milliseconds. Default 10 000.
    pub shutdown_ms: u64,
}

/// The back door's pace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Worker {
    /// Whether `serve` runs the worker too. Default true.
    pub enabled: bool,
    /// Pause between two looks at the outbox, in milliseconds. Default 50.
    pub relay_ms: u64,
    /// Age at which published but unsealed work is published again, in milliseconds. Default 60 000.
    pub republish_ms: u64,
    /// Pause between two looks into a payer's inbound directory, in milliseconds. Default 1 000.
    pub collect_ms: u64,
    /// Lines of the outbox published at once. Default 1 000, at most 1 000.
    pub relay_batch: usize,
    /// How long an Encounter that was stored by itself rests after the last of its resources came, before it is billed, in
    /// milliseconds: charges come one by one. Default 2 000.
    pub encounter_rest_ms: u64,
    /// Longest wait for a full batch whatever a payer's profile says, in milliseconds. Default 3 600 000.
    pub batch_wait_ms_max: u64,
    /// Pause between two looks at the folder of mappings for edits, in milliseconds; 0 never looks. Default 1 000.
    pub reload_ms: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: "127.0.0.1:8080".into(),
            data_dir: "./data".into(),
            mappings_dir: "./mappings".into(),
            conformance_dir: "./conformance".into(),
            amqp_url: None,
            postgres_url: None,
            default_payer: None,
            codes_dir: None,
            environment: "test".into(),
            allow_anonymous: false,
            callers: Vec::new(),
            webhooks: Vec::new(),
            limits: Limits::default(),
            worker: Worker::default(),
            notify: Notify::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes: 5 << 20,
            interchange_bytes: 64 << 20,
            json_depth: 64,
            bundle_entries: 1_000,
            claim_lines: 1_000,
            issues: 200,
            request_ms: 30_000,
            header_ms: 10_000,
            connections: 1_024,
            queued: 1_000_000,
            shutdown_ms: 10_000,
        }
    }
}

impl Default for Worker {
    fn default() -> Worker {
        Worker {
            enabled: true,
            relay_ms: 50,
            republish_ms: 60_000,
            collect_ms: 1_000,
            relay_batch: 1_000,
            encounter_rest_ms: 2_000,
            batch_wait_ms_max: 3_600_000,
            reload_ms: 1_000,
        }
    }
}

impl Default for Notify {
    fn default() -> Notify {
        Notify {
            allow_http: false,
            allow_private: false,
            subscriptions: 100,
            concurrency: 16,
            events: 20,
            body_bytes: 1 << 20,
            timeout_ms: 10_000,
            attempts: 10,
            retry_ms: 1_000,
            retry_ms_max: 600_000,
            kept: 1_000,
            waiting: 100_000,
        }
    }
}

impl Config {
    /// Reads `claimgate.toml` (when it exists) and the environment.
    pub fn read(file: &Path) -> Result<Config, Fault> {
        let figment = Figment::from(Serialized::defaults(Config::default()))
            .merge(Toml::file(file))
            .merge(Env::prefixed("CLAIMGATE_").filter(|key| is_knob(key.as_str())).split("__"));
        let config: Config = figment.extract().map_err(|errors| {
            let issues = errors
                .into_iter()
                .map(|error| {
                    Issue::error(codes::CONFIGURATION, at(file), error.to_string()).hint("see `claimgate config show`")
                })
                .collect();
            Fault { issues, ..Fault::ours(codes::CONFIGURATION, "") }
        })?;
        let issues = config.check(file);
        if issues.is_empty() { Ok(config) } else { Err(Fault { issues, ..Fault::ours(codes::CONFIGURATION, "") }) }
    }

    fn check(&self, file: &Path) -> Vec<Issue> {
        let (limits, notify) = (&self.limits, &self.notify);
        let names: BTreeSet<&str> = self.webhooks.iter().map(|webhook| webhook.name.as_str()).collect();
        let callers: BTreeSet<&str> = self.callers.iter().map(|caller| caller.name.as_str()).collect();
        let rules = [
            (self.callers.len() <= CALLERS_MOST, "there are at most 1 000 callers"),
            (callers.len() == self.callers.len(), "each of the callers has a name of its own"),
            (
                self.callers.iter().all(Caller::is_plain),
                "a caller has a name of letters, digits, - and _, a token `env:NAME` or `file:PATH`, and scopes of `submit`, \
                 `read`, `payer:ID` and `admin`",
            ),
            (self.environment == "test" || self.environment == "production", "environment is `test` or `production`"),
            (limits.body_bytes <= 256 << 20, "limits.body_bytes is at most 256 MiB"),
            (limits.interchange_bytes <= 4 << 30, "limits.interchange_bytes is at most 4 GiB"),
            ((1..=120).contains(&limits.json_depth), "limits.json_depth is from 1 to 120"),
            (self.codes_dir.as_ref().is_none_or(|folder| folder.is_dir()), "codes_dir is a folder that exists"),
            (limits.connections > 0, "limits.connections is at least 1"),
            (self.worker.relay_batch > 0, "worker.relay_batch is at least 1"),
            ((1..=10_000).contains(&notify.subscriptions), "notify.subscriptions is from 1 to 10 000"),
            ((1..=1_000).contains(&notify.concurrency), "notify.concurrency is from 1 to 1 000"),
            ((1..=1_000).contains(&notify.events), "notify.events is from 1 to 1 000"),
            (notify.attempts > 0, "notify.attempts is at least 1"),
            (notify.waiting > 0, "notify.waiting is at least 1"),
            (self.webhooks.len() <= WEBHOOKS_MOST, "there are at most 100 webhooks"),
            (names.len() == self.webhooks.len(), "each of the webhooks has a name of its own"),
            (
                self.webhooks.iter().all(Webhook::is_plain),
                "a webhook has a name of letters, digits, - and _, and a secret `env:NAME` or `file:PATH`",
            ),
            (self.postgres_url.is_none(), "postgres_url is not served by this version: leave it out, SQLite is used"),
        ];
        let broken = rules.into_iter().filter(|(holds, _)| !holds);
        broken.map(|(_, rule)| Issue::error(codes::CONFIGURATION, at(file), rule)).collect()
    }
}

/// Whether a variable `CLAIMGATE_…` is one of ours to read here. Others serve the log and the tests, or hold a payer's secret
/// that a profile names; all else must be a knob, so that a misspelt one is told.
fn is_knob(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !OTHER_VARIABLES.contains(&name.as_str()) && !SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

const OTHER_VARIABLES: &[&str] = &["log", "bless", "corpus", "pyx12"];
const SECRET_ENDINGS: &[&str] = &["_token", "_password", "_secret"];

fn at(file: &Path) -> Place {
    Place::File { path: file.display().to_string(), line: 0, column: 0 }
}

impl Limits {
    pub fn request_time(&self) -> Duration {
        Duration::from_millis(self.request_ms)
    }
}
