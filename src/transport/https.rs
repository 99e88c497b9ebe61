//! A payer behind an address that takes X12 by HTTPS POST, and may answer with X12 in the same reply (real time).
//!
//! Certificates are always checked, redirects never followed (a claim goes where the profile says and nowhere else), and
//! nothing is read without a bound. The credential is named in the profile, never written there.

use super::{Incoming, Outgoing, SendError, Sent, Transport};
use crate::clock::Clock;
use crate::fault::{Fault, Issue, Place, codes};
use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Certificate, Client, ClientBuilder, Identity, Method, RequestBuilder, Response, Url, redirect};
use std::error::Error;
use std::io::Read;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The media type of X12 (RFC 1767).
pub const MEDIA_TYPE: &str = "application/edi-x12";
/// Those of other formats, by the ending of the file's name; the first that fits.
const MEDIA_TYPES: &[(&str, &str)] =
    &[(".fhir.json", FHIR), (".json", "application/json"), (".csv", "text/csv; charset=utf-8")];
const FHIR: &str = "application/fhir+json";
/// Longest wait that a payer's `Retry-After` can ask for; one that asks for more is looked at again after a day.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// Largest file of a secret or a certificate, in bytes.
const SECRET_BYTES_MAX: u64 = 1 << 20;

/// One payer's address.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Where interchanges are posted. `https:`; plain `http:` only on this machine.
    pub url: String,
    /// Asked by GET whether an interchange arrived, `{name}` being its name: 2xx yes, 404 and 410 no, all else unknown.
    pub arrived_url: Option<String>,
    pub credential: Credential,
    /// PEM file of the certificate authorities to trust instead of the machine's.
    pub authorities: Option<PathBuf>,
    /// PEM file of our certificate and key, for payers that ask for one (mutual TLS).
    pub identity: Option<PathBuf>,
    /// Time to connect, TLS included. Default 10 s.
    pub connect: Duration,
    /// Time for the whole exchange, the reply's body included. Default 60 s.
    pub exchange: Duration,
    /// Largest reply, in bytes. Default 64 MiB.
    pub reply_bytes_max: u64,
}

impl Options {
    pub fn new(url: impl Into<String>) -> Options {
        Options {
            url: url.into(),
            arrived_url: None,
            credential: Credential::None,
            authorities: None,
            identity: None,
            connect: Duration::from_secs(10),
            exchange: Duration::from_secs(60),
            reply_bytes_max: 64 << 20,
        }
    }
}

/// How we show who we are.
#[derive(Debug, Clone, PartialEq)]
pub enum Credential {
    None,
    Bearer(Secret),
    Basic { user: String, password: Secret },
}

/// Where a secret stands. It is read anew at every request, so that it can be changed without a restart.
#[derive(Debug, Clone, PartialEq)]
pub enum Secret {
    /// Name of an environment variable.
    Environment(String),
    /// A file that holds nothing else; white space around it is left out.
    File(PathBuf),
}

impl Secret {
    /// `env:NAME` or `file:PATH`.
    pub fn parse(text: &str) -> Option<Secret> {
        match text.split_once(':')? {
            ("env", name) if !name.is_empty() => Some(Secret::Environment(name.to_owned())),
            ("file", path) if !path.is_empty() => Some(Secret::File(path.into())),
            _ => None,
        }
    }

    /// The secret as it stands now.
    pub async fn read(&self) -> Result<String, SendError> {
        let (text, place) = match self {
            Secret::Environment(name) => (std::env::var(name).ok(), format!("the environment variable {name}")),
            Secret::File(path) => {
                let path = path.clone();
                let place = format!("the file {}", path.display());
                (tokio::task::spawn_blocking(move || read_small(&path)).await.ok().and_then(Result::ok), place)
            }
        };
        match text.as_deref().map(str::trim) {
            Some(secret) if !secret.is_empty() => Ok(secret.to_owned()),
            // Operators mend this; the interchange waits meanwhile.
            _ => Err(SendError::Retry(format!("{place} holds no credential"))),
        }
    }
}

fn read_small(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(SECRET_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// The transport.
pub struct Https {
    client: Client,
    url: Url,
    options: Options,
    clock: Clock,
}

impl Https {
    /// Checks the options, all mistakes at once, and builds the client.
    pub fn new(options: Options, clock: Clock) -> Result<Https, Fault> {
        let mut mistakes = Vec::new();
        let url = checked_url(&options.url).map_err(|mistake| mistakes.push(mistake)).ok();
        if let Some(arrived) = &options.arrived_url {
            let _ = checked_url(&arrived.replace("{name}", "x")).map_err(|mistake| mistakes.push(mistake));
        }
        let local = url.as_ref().is_some_and(|url| url.scheme() == "http");
        let client = client(&options, local).map_err(|mistake| mistakes.push(mistake)).ok();
        match (url, client) {
            (Some(url), Some(client)) if mistakes.is_empty() => Ok(Https { client, url, options, clock }),
            _ => {
                let issue = |text| Issue::error(codes::CONFIGURATION, Place::Whole, text);
                let issues = mistakes.into_iter().map(issue).collect();
                Err(Fault { issues, ..Fault::ours(codes::CONFIGURATION, "") })
            }
        }
    }

    async fn post(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let request = self.request(Method::POST, self.url.clone()).await?;
        let media_type = media_type(&outgoing.name);
        let request = request.header(CONTENT_TYPE, media_type).header("idempotency-key", &outgoing.name);
        let response = request.body(outgoing.bytes.clone()).send().await.map_err(lost)?;
        self.judge(&response)?;
        let reply = self.reply(response).await?;
        let reply = reply.filter(|bytes| is_x12(bytes) || media_type == FHIR && is_json(bytes));
        let name = reply_name(&outgoing.name);
        Ok(Sent::Delivered(reply.into_iter().map(|bytes| Incoming { name: name.clone(), bytes }).collect()))
    }

    async fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, SendError> {
        let request = self.client.request(method, url);
        Ok(match &self.options.credential {
            Credential::None => request,
            Credential::Bearer(token) => request.bearer_auth(token.read().await?),
            Credential::Basic { user, password } => request.basic_auth(user, Some(password.read().await?)),
        })
    }

    /// What the status says. `Retry-After` is honoured wherever another try can help.
    fn judge(&self, response: &Response) -> Result<(), SendError> {
        let status = response.status().as_u16();
        let answer = ANSWERS.iter().find(|(statuses, _)| statuses.contains(&status)).map(|(_, answer)| answer);
        let reason = format!("the payer answered {}", response.status());
        match answer {
            Some(Answer::Taken) => Ok(()),
            Some(Answer::Again) => match self.retry_after(response) {
                Some(delay) => Err(SendError::RetryAfter(delay, reason)),
                None => Err(SendError::Retry(reason)),
            },
            Some(Answer::Unknown) => Err(SendError::Unknown(reason)),
            Some(Answer::Elsewhere) => Err(SendError::Never(format!(
                "{reason}: redirects are not followed, the profile must name the address"
            ))),
            Some(Answer::Never) | None => Err(SendError::Never(reason)),
        }
    }

    /// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
    fn retry_after(&self, response: &Response) -> Option<Duration> {
        let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
        let delay = match text.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
                Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default()
            }
        };
        Some(delay.min(RETRY_AFTER_MAX))
    }

    /// A reply's body.
    async fn reply(&self, mut response: Response) -> Result<Option<Vec<u8>>, SendError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if (bytes.len() + chunk.len()) as u64 > self.options.reply_bytes_max {
                // It was taken, and sending it again would change nothing: the deadlines tell if an answer stays out.
                tracing::error!(
                    limit_bytes = self.options.reply_bytes_max,
                    "a payer took an interchange, but its reply is over the size limit and was dropped"
                );
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    }

    async fn ask(&self, outgoing: &Outgoing) -> Option<bool> {
        // A name is made of letters, digits, `-`, `_` and `.`; whatever else it held, the address parser escapes.
        let url = checked_url(&self.options.arrived_url.as_ref()?.replace("{name}", &outgoing.name)).ok()?;
        let response = self.request(Method::GET, url).await.ok()?.send().await.ok()?;
        match response.status().as_u16() {
            200..=299 => Some(true),
            404 | 410 => Some(false),
            _ => None,
        }
    }
}

impl Transport for Https {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.post(outgoing))
    }

    fn arrived<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Option<bool>> {
        Box::pin(self.ask(outgoing))
    }

    /// Nothing waits at an address: what the payer says later, it posts to us or puts into another transport.
    fn collect(&self, _limit: usize) -> BoxFuture<'_, Result<Vec<Incoming>, SendError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn taken<'a>(&'a self, _incoming: &'a Incoming) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// What an HTTP status means for an interchange.
enum Answer {
    Taken,
    /// Another try can help.
    Again,
    /// It may have been taken.
    Unknown,
    Elsewhere,
    Never,
}

/// The first row that holds the status decides.
const ANSWERS: &[(RangeInclusive<u16>, Answer)] = &[
    (200..=299, Answer::Taken),
    (300..=399, Answer::Elsewhere),
    // Our credential is at fault, not the interchange: it waits until operators have mended that.
    (401..=401, Answer::Again),
    (408..=408, Answer::Again),
    (425..=425, Answer::Again),
    (429..=429, Answer::Again),
    (400..=499, Answer::Never),
    (501..=501, Answer::Never),
    // The payer's front lost sight of what stands behind it, which may have it.
    (504..=504, Answer::Unknown),
    (500..=599, Answer::Again),
];

/// An exchange that ended without an answer. Only when no connection came about is it certain that nothing arrived.
fn lost(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    if error.is_builder() {
        return SendError::Never(format!("the request can't be made: {}", root(&error)));
    }
    if error.is_connect() {
        return SendError::Retry(format!("no connection to the payer: {}", root(&error)));
    }
    if error.is_timeout() {
        return SendError::Unknown("the payer did not answer in time".into());
    }
    SendError::Unknown(format!("the connection was lost before the answer was whole: {}", root(&error)))
}

/// The innermost reason, which is the one that helps (`connection refused`, `invalid peer certificate`).
pub(super) fn root(error: &reqwest::Error) -> String {
    let mut inner: &dyn Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// What a file is sent as.
fn media_type(name: &str) -> &'static str {
    MEDIA_TYPES.iter().find(|(ending, _)| name.ends_with(ending)).map_or(MEDIA_TYPE, |(_, media_type)| media_type)
}

fn is_json(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// Whether bytes begin like an interchange; a payer may as well answer with a word or a page.
fn is_x12(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start().starts_with(b"ISA")
}

/// `837P-000000001.x12` is answered by `837P-000000001.reply.x12`, `pas-000000001.fhir.json` by `pas-000000001.reply.json`.
fn reply_name(name: &str) -> String {
    match name.strip_suffix(".fhir.json") {
        Some(stem) => format!("{stem}.reply.json"),
        None => format!("{}.reply.x12", name.strip_suffix(".x12").unwrap_or(name)),
    }
}

/// An address that claims may go to: encrypted, or on this machine; without a credential in it.
fn checked_url(text: &str) -> Result<Url, String> {
    // The text is not repeated: it may hold a credential.
    let url = Url::parse(text).map_err(|error| format!("an address of the payer can't be read: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address of the payer holds a credential: name an environment variable or a file instead".into());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_local(&url) => Ok(url),
        _ => Err("an address of the payer is not `https:` (plain `http:` is for this machine only)".into()),
    }
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// The client of one payer; `local` when the address is on this machine, where no certificate and no proxy is in play.
fn client(options: &Options, local: bool) -> Result<Client, String> {
    // One provider for the whole process; whoever comes first installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = ClientBuilder::new()
        .user_agent(concat!("claimgate/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect)
        .timeout(options.exchange)
        .redirect(redirect::Policy::none())
        .referer(false);
    if local {
        builder = builder.no_proxy().tls_certs_only([]);
    }
    if let Some(path) = &options.authorities {
        let pem = read_small(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
        let certificates = Certificate::from_pem_bundle(pem.as_bytes());
        builder = builder.tls_certs_only(certificates.map_err(|_| no_pem(path, "certificate"))?);
    }
    if let Some(path) = &options.identity {
        let pem = read_small(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
        builder =
            builder.identity(Identity::from_pem(pem.as_bytes()).map_err(|_| no_pem(path, "certificate with its key"))?);
    }
    builder.build().map_err(|error| format!("no client for the payer's address: {}", root(&error)))
}

fn no_pem(path: &Path, what: &str) -> String {
    format!("{} holds no {what} in PEM form", path.display())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
