//! Held submissions whose time has come, tried again and again.

use crate::flow::hold;
use crate::gateway::Gateway;
use crate::telemetry::Codes;
use crate::worker::{AFTER_FAULT, Shutdown, rest};
use std::sync::Arc;
use std::time::Duration;

/// Pause between two looks: people and payers are slower.
const PAUSE: Duration = Duration::from_millis(200);

pub async fn run(gateway: Arc<Gateway>, mut shutdown: Shutdown) {
    loop {
        let pause = match hold::round(&gateway).await {
            Ok(_) => PAUSE,
            Err(fault) => {
                tracing::warn!(codes = %Codes(&fault.issues), "held submissions could not be looked at");
                AFTER_FAULT
            }
        };
        if rest(&mut shutdown, pause).await {
            return;
        }
    }
}
