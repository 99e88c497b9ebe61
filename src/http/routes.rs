//! All routes, on one page.

use crate::fault::Fault;
use crate::gateway::Gateway;
use crate::http::access::Callers;
use crate::http::answer::{self, Parts};
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::http::{accounting, fhir, operations, payer, records, worklists};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::http::Method;
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Rejection};

/// What a route calls.
pub type Handler = fn(Call) -> BoxFuture<'static, Result<Reply, Fault>>;

/// What a route takes as its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    /// A FHIR resource as JSON, at most `limits.body_bytes`.
    Fhir,
    /// An interchange, at most `limits.interchange_bytes`.
    X12,
}

/// One route. The pattern is also the name of the route in logs and metrics, where no path of a caller may stand.
pub struct Route {
    pub method: &'static str,
    pub pattern: &'static str,
    pub takes: Takes,
    pub handler: Handler,
}

macro_rules! routes {
    ($($method:ident $pattern:literal $takes:ident $($handler:ident)::+;)*) => {
        /// The first row whose pattern and method fit answers.
        pub static ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            pattern: $pattern,
            takes: Takes::$takes,
            handler: |call| Box::pin($($handler)::+(call)),
        }),*];
    };
}

routes! {
    POST "/fhir/Claim/$submit" Fhir fhir::submit::operation;
    POST "/fhir/Claim/$inquire" Fhir fhir::submit::inquire;
    POST "/fhir/CoverageEligibilityRequest/$submit" Fhir fhir::submit::operation;
    POST "/fhir/Encounter/$bill" Fhir fhir::submit::operation;
    POST "/fhir/Encounter/{id}/$bill" Nothing fhir::submit::bill;
    POST "/fhir/Claim" Fhir fhir::submit::create_claim;
    POST "/fhir/CoverageEligibilityRequest" Fhir fhir::submit::create_eligibility;
    POST "/fhir" Fhir fhir::submit::bundle;
    GET "/fhir/metadata" Nothing fhir::metadata::read;
    GET "/fhir/SubscriptionTopic" Nothing fhir::subscription::topics;
    GET "/fhir/Subscription/$status" Nothing fhir::subscription::status;
    POST "/fhir/Subscription/$status" Fhir fhir::subscription::status;
    GET "/fhir/Subscription/{id}/$status" Nothing fhir::subscription::status;
    POST "/fhir/Subscription/{id}/$status" Fhir fhir::subscription::status;
    GET "/fhir/Subscription/{id}/$events" Nothing fhir::subscription::events;
    POST "/fhir/Subscription/{id}/$events" Fhir fhir::subscription::events;
    POST "/fhir/Subscription" Fhir fhir::subscription::create;
    PUT "/fhir/Subscription/{id}" Fhir fhir::subscription::update;
    DELETE "/fhir/Subscription/{id}" Nothing fhir::subscription::delete;
    POST "/fhir/{type}/$validate" Fhir fhir::validate::operation;
    POST "/fhir/{type}" Fhir fhir::resource::create;
    GET "/fhir/{type}" Nothing fhir::search::by_type;
    GET "/fhir/{type}/{id}" Nothing fhir::resource::read;
    PUT "/fhir/Claim/{id}" Fhir fhir::submit::update;
    PUT "/fhir/{type}/{id}" Fhir fhir::resource::update;
    GET "/fhir/{type}/{id}/_history" Nothing fhir::resource::history;
    GET "/fhir/{type}/{id}/_history/{version}" Nothing fhir::resource::version;
    POST "/payers/{payer}/interchanges" X12 payer::receive;
    GET "/worklists/overdue" Nothing worklists::overdue;
    GET "/worklists/denials" Nothing worklists::denials;
    GET "/accounting/journal" Nothing accounting::journal;
    GET "/accounting/claims/{id}" Nothing accounting::claim;
    GET "/accounting/claims/{type}/{id}" Nothing accounting::claim;
    GET "/journeys/{id}" Nothing operations::journey;
    GET "/journeys/{type}/{id}" Nothing operations::journey;
    POST "/admin/mappings/{version}/activate" Nothing operations::activate;
    GET "/admin/mappings" Nothing operations::mappings;
    GET "/billing-records" Nothing records::list;
    GET "/billing-records/{id}" Nothing records::read;
    POST "/billing-records/{id}/$release" Nothing records::release;
    POST "/billing-records/{id}/$discard" Fhir records::discard;
    GET "/admin/responses" Nothing worklists::responses;
    POST "/admin/responses/{id}/match" Fhir operations::match_response;
    GET "/health/live" Nothing operations::live;
    GET "/health/ready" Nothing operations::ready;
    GET "/metrics" Nothing operations::metrics;
}

/// The filter of all routes: it answers every request.
pub fn filter(gateway: Arc<Gateway>, callers: Arc<Callers>) -> BoxedFilter<(Response,)> {
    let nothing = warp::any().and_then(|| std::future::ready(Err(warp::reject::not_found()))).boxed();
    let route = |route| one(route, gateway.clone(), callers.clone());
    let routes = ROUTES.iter().rev().fold(nothing, |rest, each| route(each).or(rest).unify().boxed());
    let unrouted = warp::method().and(warp::path::full()).and(warp::header::headers_cloned());
    let unrouted = unrouted.then(move |method: Method, path: FullPath, headers| {
        std::future::ready(answer::unrouted(&method, path.as_str(), &headers))
    });
    routes.or(unrouted).unify().boxed()
}

/// Path before method, so that an unknown path is 404 and not 405.
fn one(route: &'static Route, gateway: Arc<Gateway>, callers: Arc<Callers>) -> BoxedFilter<(Response,)> {
    path(route)
        .and(method(route))
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::query::<Vec<(String, String)>>())
        .and(warp::host::optional())
        .and(warp::body::stream())
        .then(move |params, method, headers, query, host, stream| {
            let parts = Parts { route, params, method, headers, query, host };
            answer::answer(gateway.clone(), callers.clone(), parts, stream)
        })
        .boxed()
}

fn path(route: &'static Route) -> impl Filter<Extract = (Vec<String>,), Error = Rejection> + Clone {
    warp::path::full().and_then(move |path: FullPath| {
        std::future::ready(params(route.pattern, path.as_str()).ok_or_else(warp::reject::not_found))
    })
}

/// HEAD is GET whose body nobody sends.
fn method(route: &'static Route) -> impl Filter<Extract = (), Error = Rejection> + Clone {
    warp::method()
        .and_then(move |method: Method| {
            let fits = method == route.method || (method == Method::HEAD && route.method == "GET");
            std::future::ready(if fits { Ok(()) } else { Err(warp::reject::not_found()) })
        })
        .untuple_one()
}

/// What a path holds in the places of a pattern's braces; `None` when it does not fit.
pub(super) fn params(pattern: &str, path: &str) -> Option<Vec<String>> {
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    let mut given = path.split('/');
    let mut params = Vec::new();
    for wanted in pattern.split('/') {
        let part = given.next()?;
        match wanted.strip_prefix('{') {
            Some(_) if fits(part) => params.push(part.to_owned()),
            None if part == wanted
                || (wanted.starts_with('$') && part.strip_prefix("%24") == wanted.strip_prefix('$')) => {}
            _ => return None,
        }
    }
    given.next().is_none().then_some(params)
}

/// Types, ids, versions and payers: nothing that needs escapes.
fn fits(part: &str) -> bool {
    let first = part.as_bytes().first();
    part.len() <= 64
        && first.is_some_and(u8::is_ascii_alphanumeric)
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// Methods that a path takes, for `Allow`.
pub(super) fn allowed(path: &str) -> Vec<&'static str> {
    let mut methods: Vec<&str> = Vec::new();
    for route in ROUTES.iter().filter(|route| params(route.pattern, path).is_some()) {
        if !methods.contains(&route.method) {
            methods.push(route.method);
        }
    }
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_their_paths() {
        assert_eq!(params("/fhir/{type}/{id}", "/fhir/Claim/1"), Some(vec!["Claim".into(), "1".into()]));
        assert_eq!(params("/fhir/{type}/{id}", "/fhir/Claim/$submit"), None);
        assert_eq!(params("/fhir/Claim/$submit", "/fhir/Claim/%24submit"), Some(vec![]));
        assert_eq!(params("/fhir", "/fhir/"), Some(vec![]));
        assert_eq!(params("/fhir/{type}", "/fhir"), None);
        assert_eq!(params("/fhir/{type}", "/fhir/Claim/1"), None);
        assert_eq!(params("/fhir/{type}", "/fhir/_search"), None);
        let longest = "a".repeat(64);
        assert!(params("/fhir/{type}/{id}", &format!("/fhir/Claim/{longest}")).is_some());
        assert!(params("/fhir/{type}/{id}", &format!("/fhir/Claim/{longest}a")).is_none());
    }

    #[test]
    fn a_path_tells_its_methods() {
        assert_eq!(allowed("/fhir/Claim/1"), ["GET", "PUT", "HEAD"]);
        assert_eq!(allowed("/fhir/Claim"), ["POST", "GET", "HEAD"]);
        assert_eq!(allowed("/fhir/Claim/$submit"), ["POST"]);
        assert!(allowed("/nothing").is_empty());
    }

    #[test]
    fn no_row_hides_another() {
        for (n, route) in ROUTES.iter().enumerate() {
            let path = route.pattern.replace(['{', '}'], "");
            let first =
                ROUTES.iter().position(|each| each.method == route.method && params(each.pattern, &path).is_some());
            assert_eq!(first, Some(n), "{} {}", route.method, route.pattern);
        }
    }
}
