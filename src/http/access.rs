//! Who may do what: the table of routes and scopes, on one page, and the callers of the configuration.
//!
//! Without callers everybody may do everything, which is for a loopback address or behind a proxy that knows its callers. With
//! callers each request names one by `Authorization: Bearer …`; tokens are compared by their hashes, in constant time.

use crate::config::{Caller as Configured, Config};
use crate::fault::{Fault, Place, codes};
use crate::http::routes::Route;
use crate::telemetry::name;
use crate::transport::https::Secret;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;

/// Shortest token, in bytes.
pub const TOKEN_BYTES_MIN: usize = 16;
/// A secret may hold the hash of a token instead of the token.
const HASHED: &str = "sha256:";

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: probes, and what must be known before one has a token.
    Nothing,
    Read,
    Submit,
    /// To be the payer that the path names.
    Payer,
    Admin,
}

/// Which route needs what: method (`*` is any) and how the pattern begins; the first row that fits decides.
pub const RULES: &[(&str, &str, Needs)] = &[
    ("GET", "/health/", Needs::Nothing),
    ("GET", "/fhir/metadata", Needs::Nothing),
    ("GET", "/metrics", Needs::Admin),
    ("*", "/admin/", Needs::Admin),
    ("POST", "/payers/", Needs::Payer),
    // A subscriber reads what it is told.
    ("*", "/fhir/Subscription", Needs::Read),
    ("POST", "/fhir/{type}/$validate", Needs::Read),
    ("GET", "/fhir", Needs::Read),
    ("*", "/fhir", Needs::Submit),
    ("GET", "/billing-records", Needs::Read),
    ("*", "/billing-records", Needs::Submit),
    ("GET", "/journeys", Needs::Read),
    ("GET", "/worklists", Needs::Read),
    ("GET", "/accounting", Needs::Read),
];

impl Needs {
    /// Of a route; what no row speaks of is for administrators.
    pub fn of(method: &str, pattern: &str) -> Needs {
        let fits = |(methods, begin, _): &&(&str, &str, Needs)| {
            (*methods == "*" || *methods == method) && pattern.starts_with(begin)
        };
        RULES.iter().find(fits).map_or(Needs::Admin, |(_, _, needs)| *needs)
    }

    /// The scope that a caller must have; `param` is the first part in braces of the path.
    fn scope(self, param: &str) -> Option<String> {
        match self {
            Needs::Nothing => None,
            Needs::Read => Some("read".into()),
            Needs::Submit => Some("submit".into()),
            Needs::Payer => Some(format!("payer:{param}")),
            Needs::Admin => Some("admin".into()),
        }
    }
}

/// Somebody who may call.
struct Caller {
    name: String,
    token: [u8; 32],
    scopes: Vec<String>,
}

/// Everybody who may call; nobody in particular when the list is empty.
#[derive(Default)]
pub struct Callers {
    callers: Vec<Caller>,
}

impl Callers {
    /// Reads the tokens, all mistakes at once. Refuses to serve strangers at an address that others can reach.
    pub async fn open(config: &Config, address: Option<SocketAddr>) -> Result<Callers, Fault> {
        let local = address.is_some_and(|address| address.ip().is_loopback());
        if config.callers.is_empty() && !local && !config.allow_anonymous {
            let text = "others than this machine can reach the address to listen on, and no callers are configured";
            let hint = "configure [[callers]], listen on 127.0.0.1, or set allow_anonymous = true behind a proxy that \
                        knows its callers";
            let mut fault = Fault::ours(codes::CONFIGURATION, text);
            fault.issues.iter_mut().for_each(|issue| issue.hint = Some(hint.into()));
            return Err(fault);
        }
        let (mut callers, mut wrong): (Vec<Caller>, Vec<String>) = (Vec::new(), Vec::new());
        for configured in &config.callers {
            match token(configured).await {
                Ok(token) if callers.iter().any(|known| known.token == token) => {
                    wrong.push(format!("caller {}: another caller has the same token", configured.name));
                }
                Ok(token) => {
                    callers.push(Caller { name: configured.name.clone(), token, scopes: configured.scopes.clone() });
                }
                Err(why) => wrong.push(format!("caller {}: {why}", configured.name)),
            }
        }
        if wrong.is_empty() {
            Ok(Callers { callers })
        } else {
            Err(Fault::ours(codes::CONFIGURATION, wrong.join("\n")))
        }
    }

    /// Lets a request in, or says why not. `authorization` is the header, `param` the first part in braces of the path.
    pub fn admit(&self, route: &Route, authorization: Option<&str>, param: &str) -> Result<(), Fault> {
        let Some(scope) = Needs::of(route.method, route.pattern).scope(param) else { return Ok(()) };
        if self.callers.is_empty() {
            return Ok(());
        }
        let Some(caller) = authorization.and_then(bearer).and_then(|token| self.known(token)) else {
            deny(route, "unknown", "nobody");
            let (text, hint) = ("no caller is known by this request", "send Authorization: Bearer with your token");
            return Err(Fault::refuse(codes::UNKNOWN_CALLER, Place::Whole, text, hint));
        };
        if caller.scopes.contains(&scope) {
            return Ok(());
        }
        deny(route, "scope", &caller.name);
        let text = format!("this needs the scope `{scope}`");
        Err(Fault::refuse(codes::SCOPE, Place::Whole, text, "ask the operators of this gateway for it"))
    }

    /// All are compared, whoever is found first: the time tells nothing.
    fn known(&self, token: &str) -> Option<&Caller> {
        let given = hash(token);
        self.callers.iter().fold(None, |found, caller| if same(&caller.token, &given) { Some(caller) } else { found })
    }
}

/// A denied request in the log and among the numbers: which route, and whose token it was.
fn deny(route: &Route, reason: &'static str, caller: &str) {
    metrics::counter!(name::DENIED, "route" => route.pattern, "reason" => reason).increment(1);
    tracing::warn!(method = route.method, route = route.pattern, reason, caller, "a request was denied");
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

/// The hash of a caller's token: that of the secret, or the secret itself when it is a hash.
async fn token(configured: &Configured) -> Result<[u8; 32], String> {
    let secret = Secret::parse(&configured.token).ok_or("the token is not `env:NAME` or `file:PATH`")?;
    let text = secret.read().await.map_err(|error| error.reason().to_owned())?;
    match text.strip_prefix(HASHED) {
        Some(digits) => unhex(digits).ok_or_else(|| format!("`{HASHED}` is not followed by 64 hexadecimal digits")),
        None if text.len() < TOKEN_BYTES_MIN => Err(format!("the token is shorter than {TOKEN_BYTES_MIN} bytes")),
        None => Ok(hash(&text)),
    }
}

fn unhex(digits: &str) -> Option<[u8; 32]> {
    let pair = |n: usize| u8::from_str_radix(digits.get(2 * n..2 * n + 2)?, 16).ok();
    let plain = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes: Vec<u8> = (0..32).filter(|_| plain).map_while(pair).collect();
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::ROUTES;

    #[test]
    fn every_route_has_a_row_and_every_row_a_route() {
        let fits = |(methods, begin, _): &(&str, &str, Needs), route: &Route| {
            (*methods == "*" || *methods == route.method) && route.pattern.starts_with(begin)
        };
        for route in ROUTES {
            assert!(RULES.iter().any(|rule| fits(rule, route)), "{} {} has no row", route.method, route.pattern);
        }
        for (n, rule) in RULES.iter().enumerate() {
            let first = |route: &&Route| RULES.iter().position(|each| fits(each, route)) == Some(n);
            assert!(ROUTES.iter().any(|route| first(&route)), "{} {} decides nothing", rule.0, rule.1);
        }
    }

    #[test]
    fn nothing_is_open_but_what_must_be() {
        let open: Vec<&str> = ROUTES
            .iter()
            .filter(|route| Needs::of(route.method, route.pattern) == Needs::Nothing)
            .map(|route| route.pattern)
            .collect();
        assert_eq!(open, ["/fhir/metadata", "/health/live", "/health/ready"]);
        for (method, pattern, needs) in [
            ("POST", "/fhir/Claim/$submit", Needs::Submit),
            ("POST", "/fhir", Needs::Submit),
            ("PUT", "/fhir/{type}/{id}", Needs::Submit),
            ("GET", "/fhir/{type}/{id}", Needs::Read),
            ("POST", "/fhir/Subscription", Needs::Read),
            ("POST", "/payers/{payer}/interchanges", Needs::Payer),
            ("GET", "/metrics", Needs::Admin),
            ("POST", "/admin/responses/{id}/match", Needs::Admin),
            ("GET", "/something-new", Needs::Admin),
        ] {
            assert_eq!(Needs::of(method, pattern), needs, "{method} {pattern}");
        }
    }

    #[tokio::test]
    async fn strangers_are_served_on_this_machine_only() {
        let address = |text: &str| Some(text.parse().unwrap());
        let open = Config::default();
        let proxied = Config { allow_anonymous: true, ..Config::default() };
        assert!(Callers::open(&open, address("127.0.0.1:80")).await.is_ok());
        assert!(Callers::open(&open, address("[::1]:80")).await.is_ok());
        assert!(Callers::open(&open, address("0.0.0.0:80")).await.is_err());
        assert!(Callers::open(&open, None).await.is_err());
        assert!(Callers::open(&proxied, address("0.0.0.0:80")).await.is_ok());
    }

    #[tokio::test]
    async fn tokens_are_long_enough_and_each_callers_own() {
        let folder = tempfile::tempdir().unwrap();
        let opened = async |secrets: &[&str]| {
            let mut config = Config::default();
            for (n, secret) in secrets.iter().enumerate() {
                let path = folder.path().join(n.to_string());
                std::fs::write(&path, secret).unwrap();
                let token = format!("file:{}", path.display());
                config.callers.push(Configured { name: format!("c{n}"), token, scopes: vec!["read".into()] });
            }
            Callers::open(&config, None).await
        };
        let (long, short) = ("a".repeat(TOKEN_BYTES_MIN), "a".repeat(TOKEN_BYTES_MIN - 1));
        let hashed = format!("sha256:{}", hash(&long).iter().map(|byte| format!("{byte:02X}")).collect::<String>());
        let callers = opened(&[&format!("{long}\n")]).await.unwrap();
        assert!(callers.known(&long).is_some() && callers.known(&short).is_none());
        assert!(opened(&[&hashed]).await.unwrap().known(&long).is_some());
        for wrong in [&[short.as_str()] as &[&str], &["sha256:12"], &[""], &[&long, &hashed]] {
            assert!(opened(wrong).await.is_err(), "{wrong:?}");
        }
    }
}
