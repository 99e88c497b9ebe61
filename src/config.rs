//! Configuration: `claimgate.toml`, then the environment (`CLAIMGATE_…`). Every knob has a unit, a default and a limit in
//! its doc comment, and is checked at start, all mistakes at once.

use crate::fault::{Fault, Issue, Place, codes};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
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
    /// Folder of code lists that are not shipped: code sets, NCCI pairs, unit limits. Absent: codes are checked in form only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes_dir: Option<PathBuf>,
    /// `test` or `production`: only production writes ISA15 = P. Default `test`.
    pub environment: String,
    pub limits: Limits,
    pub worker: Worker,
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
            limits: Limits::default(),
            worker: Worker::default(),
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
        let limits = &self.limits;
        let rules = [
            (self.environment == "test" || self.environment == "production", "environment is `test` or `production`"),
            (limits.body_bytes <= 256 << 20, "limits.body_bytes is at most 256 MiB"),
            (limits.interchange_bytes <= 4 << 30, "limits.interchange_bytes is at most 4 GiB"),
            ((1..=120).contains(&limits.json_depth), "limits.json_depth is from 1 to 120"),
            (limits.connections > 0, "limits.connections is at least 1"),
            (self.worker.relay_batch > 0, "worker.relay_batch is at least 1"),
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
