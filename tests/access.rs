//! Who may do what, over HTTP: unknown callers, callers without the scope, and doors that are open.

use crate::support::claim::bundle;
use crate::support::server::Server;
use std::process::Command;

const EHR: &str = "ehr-token-0123456789";
const PAYER: &str = "northwind-token-0123456789";
const ADMIN: &str = "admin-token-0123456789";

async fn ask(server: &Server, method: &str, path: &str, token: Option<&str>) -> (u16, String, String) {
    let client = reqwest::Client::new();
    let mut request = client.request(method.parse().unwrap(), format!("{}{path}", server.base));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if method == "POST" {
        let (kind, body) = match path.starts_with("/payers") {
            true => ("application/edi-x12", "ISA".to_owned()),
            false => ("application/fhir+json", bundle("ACCESS1").to_string()),
        };
        request = request.header("content-type", kind).body(body);
    }
    let reply = request.send().await.unwrap();
    let asked = reply.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    (reply.status().as_u16(), asked.unwrap_or_default(), reply.text().await.unwrap())
}

#[tokio::test]
async fn each_door_opens_to_those_who_may_go_through() {
    let home = tempfile::tempdir().unwrap();
    let caller = |name: &str, variable: &str, scopes: &str| {
        format!("[[callers]]\nname = \"{name}\"\ntoken = \"env:{variable}\"\nscopes = [{scopes}]\n")
    };
    let config = [
        caller("ehr", "CLAIMGATE_EHR_TOKEN", "\"submit\", \"read\""),
        caller("northwind", "CLAIMGATE_PAYER_TOKEN", "\"payer:northwind\""),
        caller("ops", "CLAIMGATE_ADMIN_TOKEN", "\"admin\""),
    ];
    std::fs::write(home.path().join("claimgate.toml"), config.concat()).unwrap();
    let environment = [
        ("CLAIMGATE_EHR_TOKEN", EHR),
        ("CLAIMGATE_PAYER_TOKEN", PAYER),
        ("CLAIMGATE_ADMIN_TOKEN", ADMIN),
        ("CLAIMGATE_LOG", "trace"),
    ];
    let server = Server::start(home.path(), &environment).await;
    // What each route answers to nobody, to a wrong token, and to the three callers; 0 is anything but 401 and 403.
    for (method, path, wanted) in [
        ("GET", "/health/live", [0, 0, 0, 0, 0]),
        ("GET", "/fhir/metadata", [0, 0, 0, 0, 0]),
        ("GET", "/fhir/Patient/1", [401, 401, 0, 403, 403]),
        ("GET", "/fhir/Claim", [401, 401, 0, 403, 403]),
        ("GET", "/fhir/Subscription", [401, 401, 0, 403, 403]),
        ("GET", "/billing-records", [401, 401, 0, 403, 403]),
        ("POST", "/fhir/Claim/$submit", [401, 401, 0, 403, 403]),
        ("POST", "/fhir/Claim/%24submit", [401, 401, 0, 403, 403]),
        ("POST", "/payers/northwind/interchanges", [401, 401, 403, 0, 403]),
        ("POST", "/payers/generic/interchanges", [401, 401, 403, 403, 403]),
        ("GET", "/metrics", [401, 401, 403, 403, 0]),
        ("HEAD", "/metrics", [401, 401, 403, 403, 0]),
        ("GET", "/admin/mappings", [401, 401, 403, 403, 0]),
    ] {
        let tokens = [None, Some("nobody-has-this-token"), Some(EHR), Some(PAYER), Some(ADMIN)];
        for (token, wanted) in tokens.into_iter().zip(wanted) {
            let (status, asked, body) = ask(&server, method, path, token).await;
            let found = if [401, 403].contains(&status) { status } else { 0 };
            assert_eq!(found, wanted, "{method} {path} with {token:?}: {status} {body}");
            assert_eq!(asked == "Bearer", status == 401, "{method} {path}");
            if wanted == 401 && path.starts_with("/fhir") {
                assert!(body.contains("OperationOutcome") && body.contains("CG-1040"), "{body}");
            }
        }
    }
    let metrics = ask(&server, "GET", "/metrics", Some(ADMIN)).await.2;
    assert!(metrics.contains(r#"claimgate_denied_total{route="/metrics",reason="scope"}"#), "{metrics}");
    let log = server.log();
    assert!(log.contains(r#""caller":"northwind""#) && log.contains("a request was denied"));
    for token in [EHR, PAYER, ADMIN, "nobody-has-this-token"] {
        assert!(!log.contains(token), "a token stands in the log");
    }
}

#[test]
fn strangers_are_not_served_where_others_can_reach_the_gateway() {
    let home = tempfile::tempdir().unwrap();
    let started = Command::new(env!("CARGO_BIN_EXE_claimgate"))
        .arg("serve")
        .current_dir(home.path())
        .env("CLAIMGATE_LISTEN", "0.0.0.0:0")
        .env_remove("CLAIMGATE_CORPUS")
        .env_remove("CLAIMGATE_PYX12")
        .output()
        .unwrap();
    assert_eq!(started.status.code(), Some(3));
    let said = String::from_utf8_lossy(&started.stderr).into_owned();
    assert!(said.contains("CG-9001") && said.contains("allow_anonymous"), "{said}");
}
