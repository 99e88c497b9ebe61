//! What operators see: log lines on stderr and numbers for Prometheus. Neither ever holds PHI.
//!
//! The discipline: a log line's message is a fixed text, its values stand in named fields, and only the fields of
//! [`FIELDS`] are written; a metric is a row of [`METRICS`] with the labels of its row. `tests/architecture.rs` reads every
//! call and names the line that breaks this. Values that could hold something of a patient are wrapped in [`Phi`], and of
//! complaints only [`Codes`] are logged: their texts may quote what a caller sent.

use crate::billing::journey::State;
use crate::fault::{Issue, Place};
use metrics::Unit;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::fmt;
use std::io::IsTerminal;
use std::sync::OnceLock;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as lines};

/// The variable that says how much is logged: a level (`info` by default), or directives such as
/// `info,claimgate::queue=debug`.
pub const LOG_VARIABLE: &str = "CLAIMGATE_LOG";
const LOG_DEFAULT: &str = "info";

/// Logs to stderr from now on: text on a terminal, one JSON object a line elsewhere. The second call changes nothing.
pub fn log_to_stderr() {
    let directives = std::env::var(LOG_VARIABLE).unwrap_or_default();
    let filter = filter(&directives);
    let text = std::io::stderr().is_terminal();
    let layer = layer(text, std::io::stderr, filter.clone().unwrap_or_else(|_| EnvFilter::new(widened(LOG_DEFAULT))));
    let _ = tracing_subscriber::registry().with(layer).try_init();
    if let Err(error) = filter {
        tracing::warn!(%error, variable = LOG_VARIABLE, "the variable can't be read: the default level holds");
    }
}

fn filter(directives: &str) -> Result<EnvFilter, String> {
    let directives = if directives.trim().is_empty() { LOG_DEFAULT } else { directives.trim() };
    EnvFilter::try_new(widened(directives)).map_err(|error| error.to_string())
}

/// A lone level is meant for us; of the libraries only warnings are of interest.
fn widened(directives: &str) -> String {
    match directives.parse::<Level>() {
        Ok(level) => format!("warn,claimgate={level}"),
        Err(_) => directives.to_owned(),
    }
}

/// Libraries write what goes over the wire at `debug` and `trace`, bodies with PHI and credentials included: whatever the
/// variable says, that is not printed.
fn no_wire(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("claimgate") || *metadata.level() <= Level::INFO
}

fn layer<S, W>(text: bool, to: W, filter: EnvFilter) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = lines::layer().with_writer(to);
    match text {
        true => layer.with_filter(filter.and(filter_fn(no_wire))).boxed(),
        false => layer.json().flatten_event(true).with_filter(filter.and(filter_fn(no_wire))).boxed(),
    }
}

/// A value that may hold something of a patient. It can be used, but neither printed nor logged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Phi<T>(pub T);

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[withheld]")
    }
}

impl<T> fmt::Display for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[withheld]")
    }
}

/// Issues as they may be logged: codes and places. Only of our own faults (CG-9nnn) the texts too, which hold the system's
/// reasons; all others may quote what a caller or a payer wrote. At most [`Codes::SHOWN`] are shown, the others counted.
pub struct Codes<'a>(pub &'a [Issue]);

/// How the codes of our own faults begin.
const OURS: &str = "CG-9";

impl Codes<'_> {
    pub const SHOWN: usize = 8;
}

impl fmt::Display for Codes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, issue) in self.0.iter().take(Codes::SHOWN).enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{}", issue.code)?;
            if issue.at != Place::Whole {
                write!(f, " {}", issue.at)?;
            }
            if issue.code.starts_with(OURS) {
                write!(f, ": {}", issue.text)?;
            }
        }
        match self.0.len().saturating_sub(Codes::SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// The fields of log lines: ids, counts, names of ours, reasons of the system. Whoever adds one vouches that it never
/// holds what a caller or a payer wrote about a patient.
pub const FIELDS: &[(&str, &str)] = &[
    ("address", "a socket address of ours or of a peer"),
    ("attempt", "which attempt it was, the first being 1"),
    ("attempts", "how many attempts failed"),
    ("body_bytes", "size of a body"),
    ("bytes", "a size"),
    ("caller", "the name of a caller in the configuration"),
    ("code", "the stable code of an issue"),
    ("codes", "codes and places of issues (`telemetry::Codes`)"),
    ("count", "how many"),
    ("delay_ms", "time until the next attempt"),
    ("elapsed_ms", "time that something took"),
    ("error", "a reason of the system or of a library, which knows no claim"),
    ("file", "the name of a file of ours or in a payer's folder"),
    ("group", "GS06 of a functional group"),
    ("intent", "claim, preauthorization …"),
    ("interchange", "our id of an interchange, or ISA13"),
    ("jobs", "how many writes stood in a group"),
    ("kind", "a word from a closed list"),
    ("limit_bytes", "the limit that was met"),
    ("mapping", "the name of a mapping"),
    ("method", "HTTP method"),
    ("outcome", "a word from a closed list"),
    ("payer", "id of a payer's profile"),
    ("queue", "name of a queue"),
    ("reason", "why a transport or a queue failed (`SendError`)"),
    ("request", "id of a request, in the reply's X-Request-Id"),
    ("route", "the pattern of the path, never the path itself"),
    ("state", "a state of a submission or a connection"),
    ("status", "HTTP status"),
    ("step", "what was asked of the broker"),
    ("submission", "our id of a submission"),
    ("subscriber", "our id of a Subscription, or the name of a webhook in the configuration"),
    ("trace", "id that a reply showed for an internal fault"),
    ("variable", "the name of an environment variable"),
    ("version", "version of the program or of the mappings"),
    ("worker", "whether the worker runs in this process too"),
];

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often a value fell into which range.
    Histogram,
}

/// One metric.
pub struct MetricRow {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    /// Labels, each with few values; no id of a claim or a person is a label.
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

/// Declares each metric once: as a constant for those who count, and as a row for those who describe.
macro_rules! metrics_table {
    ($($name:ident = $text:literal $kind:ident $unit:ident [$($label:literal),*] $help:literal;)*) => {
        /// Names of the metrics: `metrics::counter!(name::SUBMISSIONS, "outcome" => "accepted").increment(1)`.
        pub mod name {
            $(#[doc = $help] pub const $name: &str = $text;)*
        }
        /// All metrics.
        pub const METRICS: &[MetricRow] = &[
            $(MetricRow { name: $text, kind: Kind::$kind, unit: Unit::$unit, labels: &[$($label),*], help: $help },)*
        ];
    };
}

metrics_table! {
    BUILD = "claimgate_build_info" Gauge Count ["version"] "1; the label is the running version";
    HTTP_REQUESTS = "claimgate_http_requests_total" Counter Count ["method", "route", "status"] "HTTP requests answered";
    HTTP_SECONDS = "claimgate_http_request_seconds" Histogram Seconds ["route"] "Time from a request's headers to its reply";
    HTTP_CONNECTIONS = "claimgate_http_connections" Gauge Count [] "Open HTTP connections";
    DENIED = "claimgate_denied_total" Counter Count ["route", "reason"] "Requests denied: whose caller is unknown, or lacks the scope";
    SUBMISSIONS = "claimgate_submissions_total" Counter Count ["intent", "outcome"] "Submissions by how they were answered: accepted, repeated, refused";
    SUBMISSIONS_BY_STATE = "claimgate_submissions" Gauge Count ["state"] "Submissions by the state that they are in";
    NEXT_STEPS = "claimgate_next_steps_total" Counter Count ["kind", "outcome"] "What comes after payers' answers: secondary and replacement claims drafted, sent, released, discarded or overtaken, and claims that the payer forwarded";
    STATION_SECONDS = "claimgate_station_seconds" Histogram Seconds ["station"] "Time of one station of a submission: read, resolve, prepare, promise, commit";
    ISSUES = "claimgate_issues_total" Counter Count ["code"] "Issues told to callers and found in payers' files, by code";
    OUTBOX_DUE = "claimgate_outbox_due" Gauge Count [] "Work that waits to be published or sent";
    QUEUE_PUBLISHED = "claimgate_queue_published_total" Counter Count ["outcome"] "Messages handed to the queue: confirmed, or failed (refused, unroutable, not answered) and due again";
    QUEUE_DEPTH = "claimgate_queue_depth" Gauge Count ["payer"] "Messages that wait in a payer's queue";
    QUEUE_CONNECTED = "claimgate_queue_connected" Gauge Count [] "1 while the broker can be reached";
    QUEUE_RECONNECTS = "claimgate_queue_reconnects_total" Counter Count [] "Connections to the broker built anew";
    SENDS = "claimgate_sends_total" Counter Count ["payer", "outcome"] "Attempts to send an interchange: delivered, retry, never";
    SEND_SECONDS = "claimgate_send_seconds" Histogram Seconds ["payer"] "Time of one attempt to send";
    SENT_BYTES = "claimgate_sent_bytes_total" Counter Bytes ["payer"] "Bytes of interchanges delivered";
    DEAD_LETTERS = "claimgate_dead_letters_total" Counter Count ["payer"] "Interchanges and submissions given up";
    RECEIVED = "claimgate_received_total" Counter Count ["payer", "outcome"] "Files that came from payers: taken, repeated";
    RECEIVED_BYTES = "claimgate_received_bytes_total" Counter Bytes ["payer"] "Bytes that came from payers";
    STATEMENTS = "claimgate_statements_total" Counter Count ["kind", "outcome"] "Statements of payers, by transaction: matched, unmatched";
    OVERDUE = "claimgate_overdue_total" Counter Count ["payer", "answer"] "Answers that did not come in the payer's time: ta1, 999, 277ca, 835";
    UNMATCHED = "claimgate_unmatched" Gauge Count [] "Statements of payers that belong to no known submission";
    NOTIFICATIONS = "claimgate_notifications_total" Counter Count ["kind", "outcome"] "Notifications, by kind of subscriber (subscription, webhook): delivered, failed, given up";
    NOTIFICATION_SECONDS = "claimgate_notification_seconds" Histogram Seconds ["kind"] "Time of one attempt to notify";
    SUBSCRIBERS = "claimgate_subscribers" Gauge Count ["kind", "state"] "Subscriptions and webhooks by the state that they are in";
    NOTICES_DUE = "claimgate_notices_due" Gauge Count ["kind"] "Events that wait to be told";
    STORE_SECONDS = "claimgate_store_commit_seconds" Histogram Seconds [] "Time of one commit of the store";
    STORE_GROUP = "claimgate_store_commit_jobs" Histogram Count [] "Writes that shared one commit";
}

/// Upper ends of the ranges, in seconds, of histograms of time.
const SECONDS: &[&str] = &[
    "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30",
    "60",
];
/// Upper ends of the ranges of histograms of numbers.
const COUNTS: &[&str] = &["1", "2", "4", "8", "16", "32", "64", "128", "256", "512", "1024"];

/// The numbers of this process.
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// All numbers as Prometheus reads them (text format 0.0.4).
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds what was measured since; to be called now and then, lest values pile up when nobody reads the numbers.
    pub fn tidy(&self) {
        self.handle.run_upkeep();
    }
}

/// The numbers of this process; the first call begins counting.
pub fn metrics() -> &'static Metrics {
    static PROCESS: OnceLock<Metrics> = OnceLock::new();
    PROCESS.get_or_init(|| {
        let recorder = ranges().unwrap_or_default().build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::error!("another recorder of metrics was installed before: /metrics stays empty");
        }
        METRICS.iter().for_each(describe);
        metrics::gauge!(name::BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1);
        Metrics { handle }
    })
}

/// Sets the figures that the store counts: submissions by state, work that waits, statements without a submission.
pub fn figures(by_state: &[(State, u64)], outbox: u64, unmatched: u64) {
    for (state, count) in by_state {
        metrics::gauge!(name::SUBMISSIONS_BY_STATE, "state" => format!("{state:?}").to_lowercase()).set(whole(*count));
    }
    metrics::gauge!(name::OUTBOX_DUE).set(whole(outbox));
    metrics::gauge!(name::UNMATCHED).set(whole(unmatched));
}

/// Counts issues by their codes.
pub fn issues(found: &[Issue]) {
    for issue in found {
        metrics::counter!(name::ISSUES, "code" => issue.code).increment(1);
    }
}

/// A count as gauges take it: exact up to four thousand millions, and no claim house has more in one state.
pub fn whole(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn describe(row: &MetricRow) {
    match row.kind {
        Kind::Counter => metrics::describe_counter!(row.name, row.unit, row.help),
        Kind::Gauge => metrics::describe_gauge!(row.name, row.unit, row.help),
        Kind::Histogram => metrics::describe_histogram!(row.name, row.unit, row.help),
    }
}

/// The builder with the ranges of each histogram; refused could only be an empty list.
fn ranges() -> Result<PrometheusBuilder, BuildError> {
    let mut histograms = METRICS.iter().filter(|row| row.kind == Kind::Histogram);
    histograms.try_fold(PrometheusBuilder::new(), |builder, row| {
        let ends = if row.unit == Unit::Seconds { SECONDS } else { COUNTS };
        let ends: Vec<_> = ends.iter().filter_map(|end| end.parse().ok()).collect();
        builder.set_buckets_for_metric(Matcher::Full(row.name.into()), &ends)
    })
}

#[cfg(test)]
mod tests;
