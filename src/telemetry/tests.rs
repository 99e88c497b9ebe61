//! Tests of logs and metrics: what is printed, and above all what is not.

use super::*;
use crate::fault::{Place, codes};
use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn logged(text: bool, directives: &str, work: impl FnOnce()) -> String {
    let sink = Sink::default();
    let writer = sink.clone();
    let layer = layer(text, move || writer.clone(), filter(directives).unwrap());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn lines_are_json_elsewhere_than_on_a_terminal() {
    let line = logged(false, "", || tracing::info!(payer = "northwind", bytes = 12, "sent"));
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&value["message"], &value["payer"], &value["level"]),
        (&"sent".into(), &"northwind".into(), &"INFO".into())
    );
    let line = logged(true, "", || tracing::info!(payer = "northwind", "sent"));
    assert!(line.contains("sent") && line.contains("northwind"), "{line}");
}

#[test]
fn the_level_is_ours_and_libraries_only_warn() {
    let work = || {
        tracing::debug!("ours at debug");
        tracing::info!(target: "hyper", "theirs at info");
        tracing::warn!(target: "hyper", "theirs at warn");
    };
    let quiet = logged(true, "", work);
    assert!(
        !quiet.contains("ours at debug") && !quiet.contains("theirs at info") && quiet.contains("theirs at warn"),
        "{quiet}"
    );
    let loud = logged(true, "debug", work);
    assert!(loud.contains("ours at debug") && !loud.contains("theirs at info"), "{loud}");
}

#[test]
fn the_wire_is_never_printed_whatever_is_asked_for() {
    let work = || {
        tracing::trace!(target: "h2::codec", "body SMITH");
        tracing::debug!(target: "lapin", "frame SMITH");
        tracing::trace!("ours at trace");
    };
    let line = logged(true, "trace,h2=trace,lapin=debug,claimgate=trace", work);
    assert!(!line.contains("SMITH") && line.contains("ours at trace"), "{line}");
}

#[test]
fn directives_that_can_not_be_read_are_refused() {
    assert!(filter("claimgate=loud").is_err());
}

#[test]
fn a_withheld_value_is_not_shown() {
    let name = Phi("SMITH");
    let line = logged(false, "", || tracing::info!(kind = %name, reason = ?name, "seen"));
    assert!(!line.contains("SMITH") && line.contains("[withheld]"), "{line}");
    assert_eq!(name.0, "SMITH");
}

#[test]
fn of_issues_only_codes_and_places_are_shown() {
    let issue =
        Issue::error(codes::EDIT_TOTAL, Place::FhirPath("Claim.item[0]".into()), "SMITH is wrong").hint("SMITH");
    let whole = Issue { at: Place::Whole, ..issue.clone() };
    assert_eq!(Codes(&[issue.clone(), whole]).to_string(), "CG-1302 Claim.item[0], CG-1302");
    let ours = Issue::error(codes::STORE, Place::Whole, "the disk is full");
    assert_eq!(Codes(&[ours]).to_string(), "CG-9101: the disk is full");
    let many = vec![Issue { at: Place::Whole, ..issue }; Codes::SHOWN + 2];
    assert!(Codes(&many).to_string().ends_with("CG-1302 and 2 more"));
    assert!(!Codes(&many[..Codes::SHOWN]).to_string().contains("more"));
}

#[test]
fn metric_names_follow_their_kind_and_are_unique() {
    for (n, row) in METRICS.iter().enumerate() {
        assert!(METRICS[..n].iter().all(|other| other.name != row.name), "{} stands twice", row.name);
        assert_eq!(row.name.ends_with("_total"), row.kind == Kind::Counter, "{}", row.name);
        let stem = row.name.trim_end_matches("_total");
        assert_eq!(stem.ends_with("_seconds"), row.unit == Unit::Seconds, "{}", row.name);
        assert_eq!(stem.ends_with("_bytes"), row.unit == Unit::Bytes, "{}", row.name);
    }
    assert!(FIELDS.windows(2).all(|pair| pair[0].0 < pair[1].0), "the fields are sorted");
}

#[test]
fn what_is_counted_is_rendered() {
    let numbers = metrics();
    metrics::counter!(name::SENT_BYTES, "payer" => "northwind").increment(40);
    metrics::counter!(name::SENT_BYTES, "payer" => "northwind").increment(2);
    figures(&[(State::Queued, 7)], 3, 0);
    metrics::histogram!(name::STORE_SECONDS).record(std::time::Duration::from_millis(2));
    numbers.tidy();
    let text = numbers.render();
    for line in [
        "# TYPE claimgate_sent_bytes_total counter",
        "claimgate_sent_bytes_total{payer=\"northwind\"} 42",
        "# HELP claimgate_store_commit_seconds Time of one commit of the store",
        "claimgate_store_commit_seconds_bucket{le=\"0.0025\"} 1",
        "claimgate_store_commit_seconds_bucket{le=\"0.001\"} 0",
        "claimgate_submissions{state=\"queued\"} 7",
        "claimgate_outbox_due 3",
        concat!("claimgate_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
    ] {
        assert!(text.contains(line), "{line}\nin\n{text}");
    }
}
