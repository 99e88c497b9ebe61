//! What one payer has for us, looked for again and again.

use crate::billing::id::PayerId;
use crate::flow::dispatch;
use crate::gateway::Gateway;
use crate::telemetry::Codes;
use crate::worker::{AFTER_FAULT, Shutdown, rest};
use std::sync::Arc;
use std::time::Duration;

pub async fn run(gateway: Arc<Gateway>, payer: PayerId, mut shutdown: Shutdown) {
    let pause = Duration::from_millis(gateway.translator.config.worker.collect_ms);
    loop {
        // Its way may be another one since the last look.
        let Some(transport) = gateway.transport(&payer) else {
            if rest(&mut shutdown, pause.max(AFTER_FAULT)).await {
                return;
            }
            continue;
        };
        let pause = match dispatch::collect(&gateway, &payer, transport.as_ref()).await {
            Ok(0) => pause,
            Ok(taken) => {
                tracing::info!(payer = payer.as_str(), count = taken, "answers taken in");
                Duration::ZERO
            }
            Err(fault) => {
                tracing::warn!(payer = payer.as_str(), codes = %Codes(&fault.issues), "collecting failed");
                pause.max(AFTER_FAULT)
            }
        };
        if rest(&mut shutdown, pause).await {
            return;
        }
    }
}
