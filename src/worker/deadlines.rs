//! Answers that don't come in the payer's time, noticed.

use crate::flow::overdue;
use crate::gateway::Gateway;
use crate::telemetry::Codes;
use crate::worker::{AFTER_FAULT, Shutdown, rest};
use std::sync::Arc;
use std::time::Duration;

/// Pause between two looks: the shortest deadlines are hours, those of tests seconds.
const PAUSE: Duration = Duration::from_secs(1);

pub async fn run(gateway: Arc<Gateway>, mut shutdown: Shutdown) {
    loop {
        let pause = match overdue::round(&gateway).await {
            Ok(0) => PAUSE,
            Ok(count) => {
                tracing::warn!(count, "answers of payers are overdue");
                Duration::ZERO
            }
            Err(fault) => {
                tracing::warn!(codes = %Codes(&fault.issues), "overdue answers could not be looked for");
                AFTER_FAULT
            }
        };
        if rest(&mut shutdown, pause).await {
            return;
        }
    }
}
