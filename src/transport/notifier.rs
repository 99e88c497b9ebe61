//! Notifications to addresses that callers have named. Nobody here knows what stands at such an address: it is encrypted and
//! public unless the configuration says otherwise, looked up and judged at every connection (a name may mean another machine
//! a moment later), never redirected, and of its reply nothing but the status is read.

use super::https::root;
use super::{SendError, Sent};
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Url, redirect};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Longest address of an endpoint, in bytes.
pub const ENDPOINT_BYTES_MAX: usize = 2_000;
/// Most headers that a caller may have sent along, and the longest of them in bytes.
pub const HEADERS_MAX: usize = 20;
pub const HEADER_BYTES_MAX: usize = 8_192;
/// Time to connect, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait that a `Retry-After` can ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

/// Headers that are ours to write.
const OWN_HEADERS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What an endpoint may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guard {
    /// Plain `http:` too.
    pub allow_http: bool,
    /// Private, loopback and link-local addresses too.
    pub allow_private: bool,
}

impl Guard {
    /// Whether a text may be an endpoint; else what is wrong with it, without repeating it. What a name stands for is judged
    /// when it is connected to.
    pub fn check(self, endpoint: &str) -> Result<(), String> {
        self.url(endpoint).map(drop)
    }

    fn url(self, endpoint: &str) -> Result<Url, String> {
        if endpoint.len() > ENDPOINT_BYTES_MAX {
            return Err(format!("the address is longer than {ENDPOINT_BYTES_MAX} bytes"));
        }
        let url = Url::parse(endpoint).map_err(|error| format!("the address can't be read: {error}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address holds a credential: send it in a header".into());
        }
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            _ => return Err("the address is not `https:`".into()),
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let numeric = host.parse::<IpAddr>().ok();
        if !self.allow_private && (numeric.is_some_and(|ip| !is_public(ip)) || is_local_name(host)) {
            return Err("the address is not a public one".into());
        }
        Ok(url)
    }
}

/// Names that are this machine by definition (RFC 6761).
fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether a header `Name: value` may be sent along; else what is wrong with it.
pub fn check_header(line: &str) -> Result<(), String> {
    header(line).map(drop)
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), String> {
    if line.len() > HEADER_BYTES_MAX {
        return Err(format!("the header is longer than {HEADER_BYTES_MAX} bytes"));
    }
    let (name, value) = line.split_once(':').ok_or("the header is not `Name: value`")?;
    let name = HeaderName::try_from(name.trim()).map_err(|_| "the header has no proper name")?;
    if OWN_HEADERS.contains(&name.as_str()) {
        return Err("this header is written by the gateway".into());
    }
    let mut value = HeaderValue::try_from(value.trim()).map_err(|_| "the header has a value that can't be sent")?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Whether an address belongs to the public Internet (IANA's special-purpose registries).
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match inner_v4(ip) {
            Some(ip) => is_public_v4(ip),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special =
        ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation() || ip.is_multicast();
    // This network, carrier-grade NAT, IETF protocols, 6to4 relays, benchmarks, reserved.
    let reserved = a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !special && !reserved
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    // Global unicast, without documentation, benchmarks, ORCHID and Teredo.
    let global = first & 0xe000 == 0x2000;
    let special = (first == 0x2001 && (second < 0x0200 || second == 0x0db8)) || first == 0x3fff;
    global && !special
}

/// The IPv4 address that an IPv6 address leads to: mapped, compatible, NAT64, 6to4.
fn inner_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = ip.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

/// Looks names up as the machine does, and answers nothing that is not allowed.
struct Resolver {
    guard: Guard,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| guard.allow_private || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err("the name stands for no public address".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// One notification.
pub struct Notification<'a> {
    pub endpoint: &'a str,
    pub media_type: &'a str,
    /// `Name: value`.
    pub headers: &'a [String],
    pub body: Vec<u8>,
    /// Time for the whole exchange.
    pub time: Duration,
}

/// Posts notifications.
pub struct Notifier {
    client: Client,
    guard: Guard,
}

impl Notifier {
    /// The client for all of them.
    pub fn new(guard: Guard) -> Result<Notifier, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A proxy would look the name up itself, behind the guard's back.
        let builder = ClientBuilder::new()
            .user_agent(concat!("claimgate/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(Arc::new(Resolver { guard }));
        let client = builder.build().map_err(|error| format!("no client for notifications: {}", root(&error)))?;
        Ok(Notifier { client, guard })
    }

    /// Posts one; whatever the endpoint answers beyond its status is not read.
    pub fn post<'a>(&'a self, notification: Notification<'a>) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.exchange(notification))
    }

    async fn exchange(&self, notification: Notification<'_>) -> Result<Sent, SendError> {
        let url = self.guard.url(notification.endpoint).map_err(SendError::Never)?;
        let mut headers = HeaderMap::new();
        for line in notification.headers {
            let (name, value) = header(line).map_err(SendError::Never)?;
            headers.append(name, value);
        }
        let request = self.client.post(url).headers(headers).header(CONTENT_TYPE, notification.media_type);
        let sent = request.timeout(notification.time).body(notification.body).send().await;
        let response = sent.map_err(|error| lost(error.without_url()))?;
        let (status, reason) = (response.status(), format!("the endpoint answered {}", response.status().as_u16()));
        match status.as_u16() {
            200..=299 => Ok(Sent::Delivered(Vec::new())),
            300..=399 => Err(SendError::Retry(format!("{reason}: redirects are not followed"))),
            _ => match response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok()) {
                Some(seconds) => Err(SendError::RetryAfter(Duration::from_secs(seconds).min(RETRY_AFTER_MAX), reason)),
                None => Err(SendError::Retry(reason)),
            },
        }
    }
}

fn lost(error: reqwest::Error) -> SendError {
    if error.is_timeout() {
        return SendError::Retry("the endpoint did not answer in time".into());
    }
    if error.is_connect() {
        return SendError::Retry(format!("no connection to the endpoint: {}", root(&error)));
    }
    SendError::Retry("the connection to the endpoint was lost".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for private in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn endpoints_are_encrypted_public_and_without_credentials_unless_configured() {
        let (strict, open) = (Guard::default(), Guard { allow_http: true, allow_private: true });
        for (endpoint, strictly, openly) in [
            ("https://ehr.example/notify", true, true),
            ("http://ehr.example/notify", false, true),
            ("https://127.0.0.1/", false, true),
            ("https://[::1]:8443/", false, true),
            ("https://2130706433/", false, true),
            ("https://0x7f.1/", false, true),
            ("https://localhost/", false, true),
            ("https://a.LOCALHOST./", false, true),
            ("https://169.254.169.254/latest/meta-data", false, true),
            ("https://user:secret@ehr.example/", false, false),
            ("ftp://ehr.example/", false, false),
            ("file:///etc/passwd", false, false),
            ("not an address", false, false),
        ] {
            assert_eq!(strict.check(endpoint).is_ok(), strictly, "{endpoint}");
            assert_eq!(open.check(endpoint).is_ok(), openly, "{endpoint}");
        }
        let long = |length: usize| format!("https://ehr.example/{}", "a".repeat(length - 20));
        assert!(strict.check(&long(ENDPOINT_BYTES_MAX)).is_ok());
        assert!(strict.check(&long(ENDPOINT_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn headers_of_callers_are_taken_but_not_ours() {
        assert!(check_header("Authorization: Bearer abc").is_ok() && check_header("X-A:b").is_ok());
        for wrong in ["nothing", "Host: other", "Content-Type: a/b", ": x", "X-A: a\r\nX-B: b", "Transfer-Encoding: x"]
        {
            assert!(check_header(wrong).is_err(), "{wrong}");
        }
        assert!(check_header(&format!("X: {}", "a".repeat(HEADER_BYTES_MAX - 3))).is_ok());
        assert!(check_header(&format!("X: {}", "a".repeat(HEADER_BYTES_MAX - 2))).is_err());
    }

    #[tokio::test]
    async fn a_name_that_means_this_machine_is_not_connected_to() {
        let resolver = Resolver { guard: Guard::default() };
        assert!(resolver.resolve("localhost".parse().unwrap()).await.is_err());
        let open = Resolver { guard: Guard { allow_http: true, allow_private: true } };
        assert!(open.resolve("localhost".parse().unwrap()).await.unwrap().count() > 0);
    }
}
