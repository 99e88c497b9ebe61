//! Edited mappings are taken up while the gateway runs.

use crate::gateway::Gateway;
use crate::telemetry::Codes;
use crate::worker::{Shutdown, rest};
use std::sync::Arc;
use std::time::Duration;

/// Looks at the folder of mappings until shutdown; never when the pause is 0.
pub async fn run(gateway: Arc<Gateway>, mut shutdown: Shutdown) {
    let pause = Duration::from_millis(gateway.translator.config.worker.reload_ms);
    if pause.is_zero() {
        return;
    }
    while !rest(&mut shutdown, pause).await {
        let looking = gateway.clone();
        // Files are read, and mappings compiled: not on the threads of the runtime.
        let looked = tokio::task::spawn_blocking(move || looking.translator.look()).await;
        match looked {
            Ok(Ok(None)) | Err(_) => {}
            Ok(Ok(Some(version))) => tracing::info!(version, "edited mappings are active"),
            Ok(Err(fault)) => {
                let count = fault.issues.len();
                tracing::error!(count, codes = %Codes(&fault.issues), "edited mappings are faulty and kept away");
            }
        }
    }
}
