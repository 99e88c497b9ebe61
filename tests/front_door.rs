//! The front door as callers meet it: resources, versions, searches, refusals, limits, shutdown.

use crate::support::claim::{bundle, of};
use crate::support::server::Server;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const FHIR: (&str, &str) = ("content-type", "application/fhir+json");

/// A reply with its headers.
struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn code(&self) -> &str {
        self.body["issue"][0]["details"]["coding"][0]["code"].as_str().unwrap_or_default()
    }
}

async fn call(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Reply {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = reqwest::Client::builder().build().unwrap().request(method, format!("{}{path}", server.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.header(FHIR.0, FHIR.1).body(body.to_string());
    }
    let mut response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes.extend_from_slice(&chunk);
    }
    let text = || Value::from(String::from_utf8_lossy(&bytes).into_owned());
    Reply { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_else(|_| text()) }
}

fn organization(npi: &str) -> Value {
    let identifier = json!([{"system": "http://hl7.org/fhir/sid/us-npi", "value": npi}]);
    json!({"resourceType": "Organization", "name": "Kildare", "identifier": identifier})
}

#[tokio::test]
async fn a_resource_lives_through_its_versions() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let created = call(&server, "POST", "/fhir/Organization", &[], Some(&organization("1234567893"))).await;
    assert_eq!((created.status, created.header("etag")), (201, "W/\"1\""), "{:#}", created.body);
    let id = created.body["id"].as_str().unwrap().to_owned();
    let path = format!("/fhir/Organization/{id}");
    assert_eq!(created.header("location"), format!("{}{path}/_history/1", server.base));
    assert!(created.header("last-modified").ends_with("GMT"));

    let same = call(&server, "GET", &path, &[("if-none-match", "W/\"1\"")], None).await;
    assert_eq!((same.status, same.header("etag")), (304, "W/\"1\""));
    let mut changed = created.body.clone();
    changed["name"] = json!("Kildare Associates");
    let stale = call(&server, "PUT", &path, &[("if-match", "W/\"7\"")], Some(&changed)).await;
    assert_eq!((stale.status, stale.code()), (412, "CG-1021"));
    let updated = call(&server, "PUT", &path, &[("if-match", "W/\"1\"")], Some(&changed)).await;
    assert_eq!((updated.status, updated.header("etag")), (200, "W/\"2\""), "{:#}", updated.body);
    let elsewhere = call(&server, "PUT", "/fhir/Organization/other", &[], Some(&changed)).await;
    assert_eq!(elsewhere.status, 400);

    let first = call(&server, "GET", &format!("{path}/_history/1"), &[], None).await;
    assert_eq!((first.status, first.body["name"].as_str()), (200, Some("Kildare")));
    let history = call(&server, "GET", &format!("{path}/_history"), &[], None).await;
    assert_eq!(history.body["entry"].as_array().map(Vec::len), Some(2));
    assert_eq!(history.body["entry"][0]["fullUrl"], format!("{}{path}", server.base));
    assert_eq!(call(&server, "GET", &format!("{path}/_history/3"), &[], None).await.status, 404);
    assert_eq!(call(&server, "HEAD", &path, &[], None).await.header("etag"), "W/\"2\"");
}

#[tokio::test]
async fn a_conditional_create_makes_one_resource() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let once = [("if-none-exist", "identifier=http%3A%2F%2Fhl7.org%2Ffhir%2Fsid%2Fus-npi%7C1234567893")];
    let body = organization("1234567893");
    let first = call(&server, "POST", "/fhir/Organization", &once, Some(&body)).await;
    let second = call(&server, "POST", "/fhir/Organization", &once, Some(&body)).await;
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(first.body["id"], second.body["id"]);
    let minimal = call(&server, "POST", "/fhir/Organization", &[("prefer", "return=minimal")], Some(&body)).await;
    assert_eq!((minimal.status, minimal.body.as_str()), (201, Some("")));
    let several = call(&server, "POST", "/fhir/Organization", &once, Some(&body)).await;
    assert_eq!((several.status, several.code()), (412, "CG-1021"));
    let found = call(&server, "GET", "/fhir/Organization?identifier=1234567893&_count=50", &[], None).await;
    assert_eq!(found.body["total"], 2);
    assert!(
        found.body["link"][0]["url"].as_str().unwrap().ends_with("/fhir/Organization?identifier=1234567893&_count=50")
    );
}

#[tokio::test]
async fn what_can_not_be_served_is_told_with_its_status() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let xml = ("accept", "application/fhir+xml");
    let cases: &[(&str, &str, &[(&str, &str)], u16, &str)] = &[
        ("GET", "/nothing", &[], 404, "CG-1016"),
        ("GET", "/fhir/Pateint/1", &[], 404, "CG-1016"),
        ("GET", "/fhir/Patient/1", &[], 404, "CG-1016"),
        ("DELETE", "/fhir/Claim/1", &[], 405, "CG-1017"),
        ("GET", "/fhir/Claim/$submit", &[], 405, "CG-1017"),
        ("GET", "/fhir/metadata", &[xml], 406, "CG-1015"),
        ("GET", "/fhir/metadata?_format=xml", &[], 406, "CG-1015"),
        ("GET", "/fhir/Patient?colour=red", &[], 400, "CG-1018"),
        ("GET", "/fhir/Patient?_count=none", &[], 400, "CG-1018"),
        ("POST", "/fhir/Claim", &[("content-type", "text/csv")], 415, "CG-1002"),
        ("POST", "/fhir/Claim", &[FHIR, ("content-encoding", "gzip")], 415, "CG-1002"),
        ("GET", "/journeys/none", &[], 404, "CG-1016"),
    ];
    for (method, path, headers, status, code) in cases {
        let reply = call(&server, method, path, headers, None).await;
        assert_eq!((reply.status, reply.code()), (*status, *code), "{method} {path}: {:#}", reply.body);
        assert!(reply.body["issue"][0]["diagnostics"].is_string(), "{method} {path} has a hint");
    }
    let given = call(&server, "DELETE", "/fhir/Claim/1", &[("x-request-id", "mine-1")], None).await;
    assert_eq!((given.header("x-request-id"), given.header("allow")), ("mine-1", "GET, PUT, HEAD"));
    let mistyped = call(&server, "POST", "/fhir/Patient", &[], Some(&organization("1"))).await;
    assert_eq!((mistyped.status, mistyped.code()), (400, "CG-1005"));
}

#[tokio::test]
async fn validation_keeps_nothing_and_says_all() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let good = call(&server, "POST", "/fhir/Claim/$validate?mode=x12", &[], Some(&bundle("VALID1"))).await;
    let errors = |reply: &Reply| {
        let issues = reply.body["issue"].as_array().unwrap().clone();
        issues.iter().filter(|issue| issue["severity"] == "error").count()
    };
    assert_eq!((good.status, errors(&good)), (200, 0), "{:#}", good.body);
    let mut bad = bundle("VALID1");
    of(&mut bad, "Claim")["status"] = json!("Active");
    of(&mut bad, "Patient")["birthDate"] = json!("1980-02-30");
    let told = call(&server, "POST", "/fhir/Claim/$validate", &[], Some(&bad)).await;
    assert_eq!((told.status, errors(&told)), (200, 2), "{:#}", told.body);
    let parameters =
        json!({"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": organization("1")}]});
    let told = call(&server, "POST", "/fhir/Organization/$validate", &[], Some(&parameters)).await;
    assert_eq!(errors(&told), 0, "{:#}", told.body);
    assert_eq!(call(&server, "GET", "/fhir/Claim", &[], None).await.body["total"], 0);
}

#[tokio::test]
async fn the_service_tells_what_it_offers() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let metadata = call(&server, "GET", "/fhir/metadata", &[], None).await.body;
    let told = call(&server, "POST", "/fhir/CapabilityStatement/$validate", &[], Some(&metadata)).await;
    assert_eq!(told.body["issue"][0]["code"], "informational", "{:#}", told.body);
    let resources = metadata["rest"][0]["resource"].as_array().unwrap();
    let claim = resources.iter().find(|each| each["type"] == "Claim").unwrap();
    assert_eq!(claim["operation"][0]["name"], "submit");
    let metrics = call(&server, "GET", "/metrics", &[], None).await.body;
    assert!(metrics.as_str().unwrap().contains("route=\"/fhir/{type}/$validate\""), "{metrics}");
}

#[tokio::test]
async fn x12_callers_get_text() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let x12 = [("content-type", "application/edi-x12")];
    let nobody = call(&server, "POST", "/payers/nobody/interchanges", &x12, None).await;
    assert_eq!(nobody.status, 404);
    assert!(nobody.body.as_str().unwrap().starts_with("error CG-1016"), "{}", nobody.body);
    let broken = call(&server, "POST", "/payers/northwind/interchanges", &x12, None).await;
    assert!(broken.status == 400 || broken.status == 422, "{} {}", broken.status, broken.body);
    assert!(broken.header("content-type").starts_with("text/plain"));
}

/// Sends bytes over a connection of its own and answers what comes back, and how long that took.
fn raw(server: &Server, bytes: &[u8]) -> (String, Duration) {
    let mut stream = TcpStream::connect(server.base.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes).unwrap();
    let begun = Instant::now();
    let mut answer = [0; 512];
    let read = stream.read(&mut answer).unwrap_or(0);
    (String::from_utf8_lossy(&answer[..read]).into_owned(), begun.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_do_not_hold_the_door() {
    let home = tempfile::tempdir().unwrap();
    let limits = [
        ("CLAIMGATE_LIMITS__HEADER_MS", "700"),
        ("CLAIMGATE_LIMITS__REQUEST_MS", "900"),
        ("CLAIMGATE_LIMITS__CONNECTIONS", "2"),
    ];
    let server = Server::start(home.path(), &limits).await;
    let patience = Duration::from_millis(600)..Duration::from_secs(10);
    for (name, bytes) in [("silent", &b""[..]), ("half a head", b"GET /health/live HTTP/1.1\r\nHost: x\r\n")] {
        let (answer, time) = raw(&server, bytes);
        assert!(answer.is_empty() && patience.contains(&time), "{name}: {answer:?} after {time:?}");
    }
    let body = b"POST /fhir/Claim HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    let (answer, _) = raw(&server, body);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    // Two connections are taken: the third waits until the time for headers frees a place.
    let address = server.base.trim_start_matches("http://");
    let held = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
    let (answer, time) = raw(&server, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200") && time > Duration::from_millis(300), "{answer} after {time:?}");
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_lets_a_request_end() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(home.path(), &[("CLAIMGATE_LIMITS__SHUTDOWN_MS", "5000")]).await;
    let mut stream = TcpStream::connect(server.base.trim_start_matches("http://")).unwrap();
    let body = organization("1").to_string();
    let head = format!(
        "POST /fhir/Organization HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Expect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The service asks for the body: only now is the request one that has begun.
    let asks = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut asked = [0; 25];
    stream.read_exact(&mut asked[..asks.len()]).unwrap();
    assert_eq!(&asked[..asks.len()], asks);
    stream.write_all(&body.as_bytes()[..9]).unwrap();
    let (_begun, wait) = std::sync::mpsc::channel::<()>();
    let late = std::thread::spawn(move || {
        // The rest comes when the shutdown has begun.
        let _ = wait.recv_timeout(Duration::from_millis(700));
        stream.write_all(&body.as_bytes()[9..]).unwrap();
        let mut answer = [0; 64];
        let read = stream.read(&mut answer).unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 201"), "{}", String::from_utf8_lossy(&answer[..read]));
    });
    let begun = Instant::now();
    assert_eq!(server.stop(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    late.join().unwrap();
}
