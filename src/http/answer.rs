//! From request to response: id, media types, body, time, handler, reply, log line. Whatever happens on the way, the caller
//! gets an answer.

use crate::fault::{Blame, Fault, Issue, Place, codes};
use crate::gateway::Gateway;
use crate::http::access::Callers;
use crate::http::call::{Call, header};
use crate::http::reply::{self, Reply};
use crate::http::routes::{self, Route, Takes};
use crate::http::{body, media};
use crate::telemetry::{self, Codes, name};
use futures_util::{FutureExt, Stream};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;
use warp::Buf;
use warp::host::Authority;
use warp::http::{HeaderMap, Method};
use warp::reply::Response;

/// What the filters took out of a request.
pub struct Parts {
    pub route: &'static Route,
    pub params: Vec<String>,
    pub method: Method,
    pub headers: HeaderMap,
    pub query: Vec<(String, String)>,
    pub host: Option<Authority>,
}

/// Answers a request that has a route.
pub async fn answer<S, B>(gateway: Arc<Gateway>, callers: Arc<Callers>, parts: Parts, stream: S) -> Response
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    let begun = Instant::now();
    let (route, method) = (parts.route, parts.method.clone());
    let id = RequestId::of(&parts.headers);
    let limits = gateway.translator.config.limits.clone();
    let param = parts.params.first().map_or("", String::as_str);
    let admitted = callers.admit(route, header(&parts.headers, "authorization"), param);
    let taken = match tokio::time::timeout(limits.request_time(), take(gateway, admitted, parts, stream)).await {
        Ok(taken) => taken,
        Err(_late) => Err(slow(limits.request_ms)),
    };
    let done = match taken {
        Ok(call) => handle(route, call, limits.request_time()).await,
        Err(fault) => Err(fault),
    };
    let reply = done.unwrap_or_else(|fault| {
        note(&fault, &id.logged);
        reply::refusal(&fault, limits.issues, route.takes == Takes::X12, &id.logged)
    });
    count(route.pattern, &method, reply.status, begun.elapsed(), &id.logged);
    reply.response(&id.told)
}

/// Takes the whole request in, headers and body, before anything is done with it; nothing of one that is not admitted.
async fn take<S, B>(gateway: Arc<Gateway>, admitted: Result<(), Fault>, parts: Parts, stream: S) -> Result<Call, Fault>
where
    S: Stream<Item = Result<B, warp::Error>> + Send,
    B: Buf + Send,
{
    admitted?;
    let Parts { route, params, headers, query, host, .. } = parts;
    let text = |name: &str| header(&headers, name);
    media::check(route.takes, text("content-type"), text("content-encoding"))?;
    if route.pattern.starts_with("/fhir") {
        let format = query.iter().find(|(name, _)| name == "_format").map(|(_, value)| value.as_str());
        media::acceptable(format, text("accept"))?;
    }
    let limits = &gateway.translator.config.limits;
    let declared = text("content-length").and_then(|length| length.parse().ok());
    let body = match route.takes {
        Takes::Nothing => Vec::new(),
        Takes::Fhir => body::read(stream, limits.body_bytes, declared).await?,
        Takes::X12 => body::read(stream, limits.interchange_bytes, declared).await?,
    };
    let base = base(host, &headers, &gateway.translator.config.listen);
    Ok(Call { gateway, params, query, headers, body, base })
}

fn slow(limit_ms: u64) -> Fault {
    let text = format!("the body did not arrive within {limit_ms} ms");
    Fault::refuse(codes::SLOW_BODY, Place::Whole, text, "send it again; with an Idempotency-Key nothing happens twice")
}

/// Calls the handler, for as long as a request may take. A panic is this request's trouble and nobody else's.
async fn handle(route: &Route, call: Call, time: Duration) -> Result<Reply, Fault> {
    let work = AssertUnwindSafe((route.handler)(call)).catch_unwind();
    match tokio::time::timeout(time, work).await {
        Ok(Ok(done)) => done,
        Ok(Err(_panic)) => Err(Fault::ours(codes::INTERNAL, "a handler panicked")),
        Err(_late) => Err(Fault::ours(codes::TIMEOUT, "the request took longer than limits.request_ms")),
    }
}

/// The FHIR service as the caller reached it; a proxy in front tells by `X-Forwarded-Proto` when it was https.
fn base(host: Option<Authority>, headers: &HeaderMap, listen: &str) -> String {
    let secure = header(headers, "x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    let scheme = if secure { "https" } else { "http" };
    let host = host.map_or_else(|| listen.to_owned(), |host| host.to_string());
    format!("{scheme}://{host}/fhir")
}

/// Answers a request that has no route: 405 when its path takes other methods, else 404.
pub fn unrouted(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    let id = RequestId::of(headers);
    let allowed = routes::allowed(path);
    let fault = match allowed.is_empty() {
        true => Fault::refuse(codes::NOT_FOUND, Place::Whole, "there is nothing at this path", "see /fhir/metadata"),
        false => {
            let hint = format!("use {}", allowed.join(", "));
            Fault::refuse(codes::METHOD, Place::Whole, "the method is not offered on this path", hint)
        }
    };
    let reply = reply::refusal(&fault, 1, false, &id.logged);
    let reply = if allowed.is_empty() { reply } else { reply.header(warp::http::header::ALLOW, allowed.join(", ")) };
    count("none", method, reply.status, Duration::ZERO, &id.logged);
    reply.response(&id.told)
}

/// The id of a request. The caller's own is told back; in the log it stands only when it is a UUID, for nobody knows what
/// else people put there.
struct RequestId {
    told: String,
    logged: String,
}

/// Longest `X-Request-Id` that is told back.
const REQUEST_ID_MAX: usize = 128;

impl RequestId {
    fn of(headers: &HeaderMap) -> RequestId {
        let plain = |id: &&str| {
            (1..=REQUEST_ID_MAX).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        };
        let given = header(headers, "x-request-id").filter(plain);
        let own = || Uuid::now_v7().to_string();
        let logged = given.and_then(|id| Uuid::try_parse(id).ok()).map_or_else(own, |id| id.to_string());
        RequestId { told: given.map_or_else(|| logged.clone(), str::to_owned), logged }
    }
}

/// A refusal in the log: codes and places, never texts.
fn note(fault: &Fault, request: &str) {
    telemetry::issues(&fault.issues);
    let issues: Vec<Issue> = fault.issues.iter().take(Codes::SHOWN + 1).map(loggable).collect();
    let codes = Codes(&issues);
    match fault.blame {
        Blame::Gateway => tracing::error!(request, %codes, "a request failed by a fault of ours"),
        Blame::Caller | Blame::Payer => tracing::info!(request, %codes, "a request was refused"),
    }
}

/// The place of an unknown element is a name that the caller made up: it could be anything.
fn loggable(issue: &Issue) -> Issue {
    let at = if issue.code == codes::UNKNOWN_ELEMENT { Place::Whole } else { issue.at.clone() };
    Issue { at, ..issue.clone() }
}

fn count(route: &'static str, method: &Method, status: u16, elapsed: Duration, request: &str) {
    let method = known(method);
    metrics::counter!(name::HTTP_REQUESTS, "method" => method, "route" => route, "status" => status.to_string())
        .increment(1);
    metrics::histogram!(name::HTTP_SECONDS, "route" => route).record(elapsed);
    let elapsed_ms = elapsed.as_millis() as u64;
    tracing::info!(request, method, route, status, elapsed_ms, "answered");
}

/// A method as a label: those that we know, and one word for all that callers invent.
fn known(method: &Method) -> &'static str {
    const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    METHODS.iter().find(|each| method == **each).copied().unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: &str) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", value.parse().unwrap());
        RequestId::of(&headers)
    }

    #[test]
    fn the_callers_request_id_is_told_back_but_not_logged_unless_it_is_a_uuid() {
        let uuid = "0190b6a0-0000-7000-8000-000000000000";
        assert_eq!((id(uuid).told.as_str(), id(uuid).logged.as_str()), (uuid, uuid));
        let name = id("ANA-RIVERA");
        assert_eq!(name.told, "ANA-RIVERA");
        assert!(!name.logged.contains("RIVERA"));
        assert_ne!(id("a b").told, "a b");
        assert_eq!(id(&"a".repeat(REQUEST_ID_MAX)).told.len(), REQUEST_ID_MAX);
        assert_eq!(id(&"a".repeat(REQUEST_ID_MAX + 1)).told.len(), 36);
    }

    #[test]
    fn no_route_is_404_and_no_method_405() {
        let headers = HeaderMap::new();
        assert_eq!(unrouted(&Method::GET, "/nothing", &headers).status(), 404);
        let response = unrouted(&Method::DELETE, "/fhir/Claim/1", &headers);
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET, PUT, HEAD");
    }
}
