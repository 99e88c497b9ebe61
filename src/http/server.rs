//! Connections: how many, how long a client may take for its headers, and how serving ends.

use crate::config::Limits;
use crate::telemetry::name;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// Pause after an accept that failed: usually there are no file handles left, and some will be closed.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// Takes connections until shutdown, then lets those that work end in the configured time.
pub async fn run(
    routes: BoxedFilter<(Response,)>,
    listener: TcpListener,
    mut shutdown: watch::Receiver<bool>,
    limits: &Limits,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let builder = Arc::new(builder(limits));
    loop {
        let next = tokio::select! {
            biased;
            _ = shutdown.wait_for(|end| *end) => break,
            next = accept(&listener, &places) => next,
        };
        let Some((stream, place)) = next else { continue };
        tokio::spawn(connection(builder.clone(), routes.clone(), stream, place, graceful.watcher()));
    }
    drop(listener);
    if tokio::time::timeout(Duration::from_millis(limits.shutdown_ms), graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests had not ended when the time for shutdown was over");
    }
}

/// A place first, a connection then: who comes when all are taken waits in the system's queue.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
            None
        }
    }
}

/// HTTP/1.1 only: the time for headers runs from the first moment of a connection, and from the end of each request.
fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_millis(limits.header_ms));
    builder
}

async fn connection(
    builder: Arc<Builder<TokioExecutor>>,
    routes: BoxedFilter<(Response,)>,
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    watcher: Watcher,
) {
    let _ = stream.set_nodelay(true);
    metrics::gauge!(name::HTTP_CONNECTIONS).increment(1);
    let service = TowerToHyperService::new(warp::service(routes));
    // Clients that go away are none of our business.
    let _ = watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned()).await;
    metrics::gauge!(name::HTTP_CONNECTIONS).decrement(1);
    drop(place);
}
