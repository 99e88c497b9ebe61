//! The front door. A request is taken apart by warp filters made from one table ([`routes::ROUTES`]), its body is read by
//! one bounded reader, its handler calls one journey, and one place turns what comes out into a reply: a [`Reply`], or a
//! [`Fault`](crate::fault::Fault) as OperationOutcome.
//!
//! No business error is a rejection: to warp a rejection means "not this route, try the next".

use crate::fault::Fault;
use crate::gateway::Gateway;
use access::Callers;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub mod access;
mod accounting;
mod answer;
mod body;
mod call;
mod fhir;
mod media;
mod operations;
mod payer;
mod records;
pub mod reply;
pub mod routes;
mod server;
mod worklists;

/// Serves those who may call until shutdown; then requests that run may end within the configured time.
pub async fn serve(gateway: Arc<Gateway>, listener: TcpListener, shutdown: watch::Receiver<bool>) -> Result<(), Fault> {
    let limits = gateway.translator.config.limits.clone();
    let callers = Callers::open(&gateway.translator.config, listener.local_addr().ok()).await?;
    server::run(routes::filter(gateway, Arc::new(callers)), listener, shutdown, &limits).await;
    Ok(())
}
