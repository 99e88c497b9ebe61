//! Bad input at the front door: each gets its status, its code, its place and a hint, and nothing is kept of it.

use crate::support::claim::{bundle, of};
use crate::support::server::Server;
use serde_json::{Value, json};

/// A claim spoiled in one way, and what the caller must hear.
struct Case {
    name: &'static str,
    spoil: fn(&mut Value),
    status: u16,
    code: &'static str,
    /// FHIRPath of the issue.
    place: &'static str,
    /// Words that the hint must hold.
    hint: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "a reference that resolves nowhere",
        spoil: |b| of(b, "Claim")["insurance"][0]["coverage"]["reference"] = json!("Coverage/none"),
        status: 422,
        code: "CG-1101",
        place: "Claim.insurance[0].coverage",
        hint: "Coverage",
    },
    Case {
        name: "two conflicting payers",
        spoil: |b| {
            let other = json!({"resourceType": "Organization", "id": "other", "name": "Another Plan",
                "identifier": [{"value": "OTHER9"}]});
            b["entry"]
                .as_array_mut()
                .unwrap()
                .push(json!({"fullUrl": "https://ehr.example/fhir/Organization/other", "resource": other}));
            of(b, "Claim")["insurer"] = json!({"reference": "Organization/other"});
        },
        status: 422,
        code: "CG-1202",
        place: "Claim.insurer",
        hint: "leave Claim.insurer out",
    },
    Case {
        name: "two focal insurances",
        spoil: |b| {
            let second = json!({"sequence": 2, "focal": true, "coverage": {"reference": "Coverage/cov"}});
            of(b, "Claim")["insurance"].as_array_mut().unwrap().push(second);
        },
        status: 422,
        code: "CG-1202",
        place: "Claim.insurance",
        hint: "focal",
    },
    Case {
        name: "a negative amount",
        spoil: |b| {
            let claim = of(b, "Claim");
            claim["item"][1]["net"]["value"] = json!(-40);
            claim["total"]["value"] = json!(60);
        },
        status: 422,
        code: "CG-13",
        place: "Claim.item[1].net.value",
        hint: "",
    },
    Case {
        name: "a date of year only",
        spoil: |b| of(b, "Claim")["item"][0]["servicedDate"] = json!("2026"),
        status: 422,
        code: "CG-2101",
        place: "Claim.item[0].servicedDate",
        hint: "year, month and day",
    },
    Case {
        name: "an NPI with a wrong check digit",
        spoil: |b| of(b, "Practitioner")["identifier"][0]["value"] = json!("1999996668"),
        status: 422,
        code: "CG-13",
        place: "Bundle.entry[5].resource.ofType(Practitioner).identifier[0].value",
        hint: "NPPES",
    },
    Case {
        name: "an unknown payer",
        spoil: |b| {
            let entries = b["entry"].as_array_mut().unwrap();
            let payer = entries.iter_mut().find(|entry| entry["resource"]["id"] == "payer").unwrap();
            payer["resource"]["identifier"][0]["value"] = json!("NOBODY");
        },
        status: 422,
        code: "CG-1201",
        place: "Claim.insurance[0].coverage",
        hint: "known payers",
    },
    Case {
        name: "an unknown element",
        spoil: |b| of(b, "Claim")["item"][0]["productOrServise"] = json!({"text": "x"}),
        status: 422,
        code: "CG-1006",
        place: "Claim.item[0].productOrServise",
        hint: "productOrService",
    },
    Case {
        name: "a total that is not the sum of the lines",
        spoil: |b| of(b, "Claim")["total"]["value"] = json!(141),
        status: 422,
        code: "CG-13",
        place: "Claim.total.value",
        hint: "",
    },
    Case {
        name: "a draft",
        spoil: |b| of(b, "Claim")["status"] = json!("draft"),
        status: 422,
        code: "CG-1403",
        place: "Claim.status",
        hint: "active",
    },
    Case {
        name: "a required element left out",
        spoil: |b| drop(of(b, "Claim").as_object_mut().unwrap().shift_remove("provider")),
        status: 422,
        code: "CG-1008",
        place: "Claim.provider",
        hint: "",
    },
];

/// The issue that a case is about.
fn issue<'a>(outcome: &'a Value, case: &Case) -> &'a Value {
    assert_eq!(outcome["resourceType"], "OperationOutcome", "{}: {outcome}", case.name);
    let issues = outcome["issue"].as_array().unwrap();
    let found = issues.iter().find(|issue| issue["expression"][0] == case.place);
    found.unwrap_or_else(|| panic!("{}: no issue at {}: {outcome:#}", case.name, case.place))
}

fn code(issue: &Value) -> &str {
    issue["details"]["coding"][0]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn each_spoiled_claim_is_told_where_and_how_to_mend_it() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    for (n, case) in CASES.iter().enumerate() {
        let mut body = bundle(&format!("BAD{n}"));
        (case.spoil)(&mut body);
        let reply = server.post("/fhir/Claim/$submit", &body).await;
        assert_eq!(reply.status, case.status, "{}: {:#}", case.name, reply.body);
        let issue = issue(&reply.body, case);
        assert!(code(issue).starts_with(case.code), "{}: {issue:#}", case.name);
        let hint = issue["diagnostics"].as_str().unwrap_or_default();
        assert!(hint.contains(case.hint) && !hint.is_empty(), "{}: the hint is {hint:?}", case.name);
    }
    assert!(server.files("northwind", "outbound").is_empty(), "a refused claim must not be sent");
}

/// Bodies that are no claim at all.
#[tokio::test]
async fn a_broken_body_is_told_so() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let json = [("content-type", "application/fhir+json")];
    let whole = bundle("X1").to_string();
    let deep = format!("{{\"resourceType\":\"Bundle\",\"x\":{}{}}}", "[".repeat(65), "]".repeat(65));
    let cases: [(&str, &[(&str, &str)], Vec<u8>, u16, &str); 6] = [
        ("truncated JSON", &json, whole[..whole.len() / 2].into(), 400, "CG-1001"),
        ("no JSON", &json, b"ISA*00*".to_vec(), 400, "CG-1001"),
        ("wrong media type", &[("content-type", "text/csv")], whole.clone().into_bytes(), 415, "CG-1002"),
        ("deep nesting", &json, deep.into_bytes(), 400, "CG-1004"),
        ("no resource", &json, b"{\"a\":1}".to_vec(), 400, "CG-1005"),
        (
            "a name twice",
            &json,
            b"{\"resourceType\":\"Claim\",\"status\":\"active\",\"status\":\"draft\"}".to_vec(),
            400,
            "CG-1014",
        ),
    ];
    for (name, headers, body, status, code_wanted) in cases {
        let reply = server.send("/fhir/Claim/$submit", headers, body).await.unwrap();
        assert_eq!(reply.status, status, "{name}: {:#}", reply.body);
        assert_eq!(code(&reply.body["issue"][0]), code_wanted, "{name}: {:#}", reply.body);
        assert!(reply.body["issue"][0]["diagnostics"].is_string(), "{name} has a hint");
    }
}

/// The body limit: taken at the limit, refused one byte above, and 100 MB are not read to the end.
#[tokio::test]
async fn the_body_limit_holds() {
    let home = tempfile::tempdir().unwrap();
    let body = bundle("LIMIT1").to_string();
    let limit = (body.len() + 10).to_string();
    let server = Server::start(home.path(), &[("CLAIMGATE_LIMITS__BODY_BYTES", &limit)]).await;
    let json = [("content-type", "application/fhir+json")];
    let at_limit = format!("{body}{}", " ".repeat(10)).into_bytes();
    let above = format!("{body}{}", " ".repeat(11)).into_bytes();
    assert_eq!(server.send("/fhir/Claim/$submit", &json, at_limit).await.unwrap().status / 100, 2);
    let reply = server.send("/fhir/Claim/$submit", &json, above).await.unwrap();
    assert_eq!((reply.status, code(&reply.body["issue"][0])), (413, "CG-1003"));
    // The server answers and closes before all of it is sent: the client sees the answer or the closed connection.
    let huge = server.send("/fhir/Claim/$submit", &json, vec![b' '; 100 << 20]).await;
    assert!(huge.is_err() || huge.is_ok_and(|reply| reply.status == 413), "100 MB must be refused");
    assert_eq!(server.get("/health/ready").await.status, 200, "and the server goes on");
}
