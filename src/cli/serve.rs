//! `claimgate serve` and `claimgate work`: the gateway itself.

use crate::cli::{Exit, block_on};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::{Fault, codes};
use crate::flow::webhook;
use crate::gateway::Gateway;
use crate::{http, telemetry, worker};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Serve HTTP and work, in one process: embedded store and queue unless configured otherwise
///
/// Example: CLAIMGATE_LISTEN=127.0.0.1:8080 claimgate serve
#[derive(clap::Args)]
pub struct Serve {
    /// Serve HTTP only; run `claimgate work` beside it
    #[arg(long)]
    no_worker: bool,
}

/// Work without serving HTTP
#[derive(clap::Args)]
pub struct Work {}

impl Serve {
    pub fn run(self, mut config: Config) -> Result<Exit, Fault> {
        config.worker.enabled &= !self.no_worker;
        block_on(async move {
            let listener = listen(&config.listen).await?;
            let worker = config.worker.enabled;
            // Counting begins before the first request.
            telemetry::metrics();
            let gateway = Arc::new(Gateway::open(config, Clock::System).await?);
            webhook::enroll(&gateway).await?;
            let (shutdown, heard) = shutdown();
            let working = tokio::spawn({
                let (gateway, heard) = (gateway.clone(), heard.clone());
                async move {
                    if worker { worker::run(gateway, heard).await } else { worker::reload::run(gateway, heard).await }
                }
            });
            tracing::info!(address = %address(&listener), worker, "serving");
            http::serve(gateway, listener, heard).await?;
            let _ = shutdown.send(true);
            let _ = working.await;
            Ok(Exit::Clean)
        })
    }
}

impl Work {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        block_on(async move {
            telemetry::metrics();
            let gateway = Arc::new(Gateway::open(config, Clock::System).await?);
            webhook::enroll(&gateway).await?;
            let (_shutdown, heard) = shutdown();
            tracing::info!("working");
            worker::run(gateway, heard).await;
            Ok(Exit::Clean)
        })
    }
}

/// A listening socket; a taken address is said plainly.
pub async fn listen(address: &str) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).await.map_err(|error| {
        Fault::ours(codes::CONFIGURATION, format!("can't listen on {address}: {error} (CLAIMGATE_LISTEN)"))
    })
}

/// The address that a socket really has.
pub fn address(listener: &TcpListener) -> String {
    listener.local_addr().map(|address| address.to_string()).unwrap_or_default()
}

/// A shutdown that an interrupt or a termination signal sends.
pub fn shutdown() -> (Arc<watch::Sender<bool>>, watch::Receiver<bool>) {
    let (sender, receiver) = watch::channel(false);
    let sender = Arc::new(sender);
    let told = sender.clone();
    tokio::spawn(async move {
        signal().await;
        tracing::info!("shutting down");
        let _ = told.send(true);
    });
    (sender, receiver)
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
