//! Tests of the HTTPS transport against a server on the loopback address that answers, or fails, as each test wants.

use super::*;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a connection.
#[derive(Clone)]
enum Act {
    /// Reads the request and writes these bytes.
    Answer(String),
    /// Reads the request, waits and answers.
    Late(Duration),
    /// Reads so many bytes and cuts the connection.
    CutAfter(usize),
}

struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(act: Act) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/claims", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, act.clone(), Arc::clone(&seen)));
            }
        });
        Server { url, requests }
    }

    async fn answering(status: &str, headers: &str, body: &str) -> Server {
        let length = body.len();
        Server::start(Act::Answer(format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}")))
            .await
    }

    fn request(&self) -> String {
        self.requests.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

async fn serve(mut stream: TcpStream, act: Act, seen: Arc<Mutex<Vec<String>>>) {
    let limit = if let Act::CutAfter(bytes) = act { bytes } else { usize::MAX };
    let mut request = Vec::new();
    while request.len() < limit && !is_whole(&request) {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&chunk[..read]),
        }
    }
    seen.lock().unwrap().push(String::from_utf8_lossy(&request).to_lowercase());
    match act {
        Act::Answer(text) => stream.write_all(text.as_bytes()).await.unwrap(),
        Act::Late(pause) => tokio::time::sleep(pause).await,
        Act::CutAfter(_) => {}
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    body.len() >= length
}

fn transport(url: &str, change: impl FnOnce(&mut Options)) -> Https {
    let mut options = Options::new(url);
    options.exchange = Duration::from_secs(5);
    change(&mut options);
    Https::new(options, Clock::fixed("2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap())).unwrap()
}

fn outgoing() -> Outgoing {
    Outgoing { name: "837P-000000001.x12".into(), bytes: b"ISA*00*~".to_vec() }
}

async fn send(server: &Server) -> Result<Vec<Incoming>, SendError> {
    transport(&server.url, |_| {}).send(&outgoing()).await.map(|Sent::Delivered(replies)| replies)
}

#[tokio::test]
async fn posts_the_bytes_and_says_what_they_are() {
    let server = Server::answering("202 Accepted", "", "").await;
    assert!(send(&server).await.unwrap().is_empty());
    let request = server.request();
    assert!(request.starts_with("post /claims http/1.1\r\n"), "{request}");
    for part in ["content-type: application/edi-x12\r\n", "idempotency-key: 837p-000000001.x12\r\n", "\r\n\r\nisa*00*~"]
    {
        assert!(request.contains(part), "{part} in {request}");
    }
    assert!(!request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn x12_in_the_reply_comes_in_and_other_words_do_not() {
    for (body, comes) in
        [("ISA*00*~", true), ("\u{feff}\r\n ISA*00*~", true), ("", false), ("OK", false), ("<html>ISA", false)]
    {
        let server = Server::answering("200 OK", "content-type: text/plain\r\n", body).await;
        let replies = send(&server).await.unwrap();
        assert_eq!(replies.len(), usize::from(comes), "{body:?}");
        if comes {
            assert_eq!((replies[0].name.as_str(), &*replies[0].bytes), ("837P-000000001.reply.x12", body.as_bytes()));
        }
    }
}

#[tokio::test]
async fn other_formats_say_what_they_are_and_fhir_is_answered_by_fhir() {
    let rows = [
        ("claims-000000001.json", "application/json", None),
        ("claims-000000001.csv", "text/csv; charset=utf-8", None),
        ("pas-000000001.fhir.json", "application/fhir+json", Some("pas-000000001.reply.json")),
    ];
    for (name, media_type, reply) in rows {
        let server = Server::answering("200 OK", "", "{\"resourceType\":\"Bundle\"}").await;
        let outgoing = Outgoing { name: name.into(), bytes: b"{}".to_vec() };
        let Sent::Delivered(found) = transport(&server.url, |_| {}).send(&outgoing).await.unwrap();
        assert!(server.request().contains(&format!("content-type: {media_type}\r\n")), "{}", server.request());
        assert_eq!(found.first().map(|incoming| incoming.name.as_str()), reply, "{name}");
    }
}

#[tokio::test]
async fn a_reply_at_the_limit_is_read_and_one_above_is_dropped_but_delivered() {
    for (limit, replies) in [(8, 1), (7, 0)] {
        let server = Server::answering("200 OK", "", "ISA*00*~").await;
        let transport = transport(&server.url, |options| options.reply_bytes_max = limit);
        let Sent::Delivered(found) = transport.send(&outgoing()).await.unwrap();
        assert_eq!(found.len(), replies, "limit {limit}");
    }
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    let kinds = [
        (
            "retry",
            "401 Unauthorized, 408 Request Timeout, 425 Too Early, 429 Too Many Requests, 500 Internal Server Error, \
                   502 Bad Gateway, 503 Service Unavailable",
        ),
        ("unknown", "504 Gateway Timeout"),
        (
            "never",
            "400 Bad Request, 403 Forbidden, 404 Not Found, 409 Conflict, 413 Content Too Large, 415 Unsupported Media Type, \
                   422 Unprocessable Content, 501 Not Implemented, 301 Moved Permanently, 307 Temporary Redirect",
        ),
    ];
    for (kind, statuses) in kinds {
        for status in statuses.split(", ") {
            let server = Server::answering(status, "location: http://127.0.0.1:1/\r\n", "").await;
            let found = match send(&server).await.unwrap_err() {
                SendError::Retry(_) => "retry",
                SendError::RetryAfter(..) => "retry after",
                SendError::Unknown(_) => "unknown",
                SendError::Never(_) => "never",
            };
            assert_eq!(found, kind, "{status}");
            assert_eq!(server.requests.lock().unwrap().len(), 1, "{status}: one request and no more");
        }
    }
}

#[tokio::test]
async fn retry_after_is_honoured_in_both_forms_and_bounded() {
    let rows = [
        ("503 Service Unavailable", "120", Some(120)),
        ("429 Too Many Requests", "0", Some(0)),
        ("408 Request Timeout", "Tue, 24 Nov 2026 12:05:00 GMT", Some(300)),
        ("503 Service Unavailable", "Tue, 24 Nov 2026 11:00:00 GMT", Some(0)),
        ("503 Service Unavailable", "86400", Some(86400)),
        ("503 Service Unavailable", "86401", Some(86400)),
        ("503 Service Unavailable", "soon", None),
    ];
    for (status, value, seconds) in rows {
        let server = Server::answering(status, &format!("retry-after: {value}\r\n"), "").await;
        match (send(&server).await.unwrap_err(), seconds) {
            (SendError::RetryAfter(delay, _), Some(seconds)) => assert_eq!(delay.as_secs(), seconds, "{value}"),
            (SendError::Retry(_), None) => {}
            (other, _) => panic!("{status}, {value}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn no_answer_in_time_is_unknown() {
    let server = Server::start(Act::Late(Duration::from_secs(5))).await;
    let transport = transport(&server.url, |options| options.exchange = Duration::from_millis(100));
    let lost = transport.send(&outgoing()).await.unwrap_err();
    assert!(matches!(lost, SendError::Unknown(_)), "{lost:?}");
}

#[tokio::test]
async fn a_connection_cut_before_the_answer_is_unknown() {
    let big = Outgoing { bytes: vec![b'A'; 8 << 20], ..outgoing() };
    for (bytes, interchange) in [(1, outgoing()), (1 << 20, big)] {
        let server = Server::start(Act::CutAfter(bytes)).await;
        let lost = transport(&server.url, |_| {}).send(&interchange).await.unwrap_err();
        assert!(matches!(lost, SendError::Unknown(_)), "after {bytes}: {lost:?}");
    }
}

#[tokio::test]
async fn a_connection_cut_within_the_answer_is_unknown() {
    let server = Server::start(Act::Answer("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nISA*00*~".into())).await;
    let lost = send(&server).await.unwrap_err();
    assert!(matches!(lost, SendError::Unknown(_)), "{lost:?}");
}

#[tokio::test]
async fn where_nobody_listens_nothing_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let failed = transport(&url, |_| {}).send(&outgoing()).await.unwrap_err();
    assert!(matches!(failed, SendError::Retry(_)), "{failed:?}");
}

#[tokio::test]
async fn the_credential_is_read_where_the_options_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, " t0ken\n").unwrap();
    // Cargo sets this one for every test.
    let environment = Secret::Environment("CARGO_PKG_NAME".into());
    let rows = [
        (Credential::Bearer(Secret::File(file)), "authorization: bearer t0ken\r\n"),
        (Credential::Bearer(environment.clone()), "authorization: bearer claimgate\r\n"),
        (Credential::Basic { user: "us".into(), password: environment }, "authorization: basic dxm6y2xhaw1nyxrl\r\n"),
    ];
    for (credential, header) in rows {
        let server = Server::answering("200 OK", "", "").await;
        transport(&server.url, |options| options.credential = credential).send(&outgoing()).await.unwrap();
        assert!(server.request().contains(header), "{header} in {}", server.request());
    }
}

#[tokio::test]
async fn without_its_credential_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty"), "\n").unwrap();
    let absent = [
        Secret::Environment("CLAIMGATE_TEST_NO_SUCH_VARIABLE".into()),
        Secret::File(folder.path().join("absent")),
        Secret::File(folder.path().join("empty")),
    ];
    for secret in absent {
        let server = Server::answering("200 OK", "", "").await;
        let transport = transport(&server.url, |options| options.credential = Credential::Bearer(secret.clone()));
        let failed = transport.send(&outgoing()).await.unwrap_err();
        assert!(matches!(failed, SendError::Retry(_)), "{failed:?}");
        assert_eq!(server.request(), "", "{secret:?}");
    }
}

#[tokio::test]
async fn asks_whether_it_arrived_where_it_can() {
    let rows = [
        ("200 OK", Some(true)),
        ("204 No Content", Some(true)),
        ("404 Not Found", Some(false)),
        ("410 Gone", Some(false)),
        ("401 Unauthorized", None),
        ("503 Service Unavailable", None),
        ("302 Found", None),
    ];
    for (status, arrived) in rows {
        let server = Server::answering(status, "", "").await;
        let ask = transport(&server.url, |options| options.arrived_url = Some(format!("{}/{{name}}", server.url)));
        assert_eq!(ask.arrived(&outgoing()).await, arrived, "{status}");
        assert!(server.request().starts_with("get /claims/837p-000000001.x12 "), "{}", server.request());
    }
    let server = Server::answering("200 OK", "", "").await;
    assert_eq!(transport(&server.url, |_| {}).arrived(&outgoing()).await, None);
}

#[test]
fn addresses_that_claims_must_not_go_to_are_refused_together() {
    let bad = [
        "http://payer.example/",
        "http://10.0.0.1/",
        "ftp://payer.example/",
        "https://user:pw@payer.example/",
        "payer",
    ];
    for url in bad {
        let mut options = Options::new(url);
        options.arrived_url = Some("http://payer.example/{name}".into());
        let Err(fault) = Https::new(options, Clock::System) else { panic!("{url} was taken") };
        assert_eq!(fault.issues.len(), 2, "{url}: {fault}");
        assert!(!fault.to_string().contains("pw"), "{fault}");
    }
    for url in ["http://127.0.0.1:8080/", "http://[::1]:8080/", "http://localhost/"] {
        assert!(Https::new(Options::new(url), Clock::System).is_ok(), "{url}");
    }
}

#[test]
fn pem_files_that_hold_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "not PEM").unwrap();
    let with = |change: fn(&mut Options, PathBuf), path: PathBuf| {
        let mut options = Options::new("http://127.0.0.1/");
        change(&mut options, path);
        Https::new(options, Clock::System).is_err()
    };
    assert!(with(|options, path| options.identity = Some(path), file));
    assert!(with(|options, path| options.identity = Some(path), folder.path().join("absent")));
    assert!(with(|options, path| options.authorities = Some(path), folder.path().join("absent")));
}
