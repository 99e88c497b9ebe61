//! Replies, and the one place where a fault becomes one.

use crate::fault::{self, Blame, CATALOGUE, Fault, Issue, Place, Retry, codes};
use crate::fhir::outcome;
use crate::http::media;
use futures_util::stream::poll_fn;
use jiff::Timestamp;
use serde_json::Value;
use std::io;
use tokio::sync::mpsc;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::{Reply as _, Response};

/// Pieces of a streamed body that may wait for who reads it.
pub const STREAMED_AHEAD: usize = 4;

/// The pieces of a streamed body; a fault breaks the reply off.
pub type Pieces = mpsc::Receiver<io::Result<Vec<u8>>>;

enum Body {
    Whole(Vec<u8>),
    Stream(Pieces),
}

/// What a handler answers.
pub struct Reply {
    pub status: u16,
    media_type: &'static str,
    body: Body,
    headers: Vec<(header::HeaderName, String)>,
}

impl Reply {
    /// A FHIR resource.
    pub fn fhir(status: u16, resource: &Value) -> Reply {
        Reply::new(status, media::FHIR_JSON, resource.to_string().into_bytes())
    }

    /// Plain JSON that is not FHIR.
    pub fn json(status: u16, value: &Value) -> Reply {
        Reply::new(status, "application/json", value.to_string().into_bytes())
    }

    pub fn text(status: u16, text: impl Into<String>) -> Reply {
        Reply::new(status, "text/plain; charset=utf-8", text.into().into_bytes())
    }

    pub fn x12(status: u16, bytes: Vec<u8>) -> Reply {
        Reply::new(status, media::X12, bytes)
    }

    pub fn nothing(status: u16) -> Reply {
        Reply::new(status, "", Vec::new())
    }

    /// A body of any length, piece by piece.
    pub fn stream(status: u16, media_type: &'static str, pieces: Pieces) -> Reply {
        Reply { status, media_type, body: Body::Stream(pieces), headers: Vec::new() }
    }

    fn new(status: u16, media_type: &'static str, body: Vec<u8>) -> Reply {
        Reply { status, media_type, body: Body::Whole(body), headers: Vec::new() }
    }

    pub fn header(mut self, name: header::HeaderName, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub fn location(self, url: String) -> Reply {
        self.header(header::LOCATION, url)
    }

    /// `ETag` and `Last-Modified` of a version.
    pub fn version(self, version: u32, updated: Timestamp) -> Reply {
        self.header(header::ETAG, etag(version)).header(header::LAST_MODIFIED, http_date(updated))
    }

    /// The same without its body, for `Prefer: return=minimal`.
    pub fn without_body(mut self) -> Reply {
        self.body = Body::Whole(Vec::new());
        self.media_type = "";
        self
    }

    pub fn response(self, request_id: &str) -> Response {
        let mut response = match self.body {
            Body::Whole(body) => Response::new(body.into()),
            Body::Stream(mut pieces) => {
                warp::reply::stream(poll_fn(move |context| pieces.poll_recv(context))).into_response()
            }
        };
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let fixed = [
            // What is told of a patient stays with the caller.
            (header::CACHE_CONTROL, "no-store".to_owned()),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            (header::HeaderName::from_static("x-request-id"), request_id.to_owned()),
            (header::CONTENT_TYPE, self.media_type.to_owned()),
        ];
        for (name, value) in fixed.into_iter().chain(self.headers) {
            if let (false, Ok(value)) = (value.is_empty(), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// `W/"3"`
pub fn etag(version: u32) -> String {
    format!("W/\"{version}\"")
}

/// `Tue, 24 Nov 2026 16:00:00 GMT`
pub fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A fault as a reply. The caller's own issues are told in full; of ours only the code and the id of the request, by which
/// the log tells the rest.
pub fn refusal(fault: &Fault, limit: usize, plain: bool, trace: &str) -> Reply {
    let status = fault.status();
    let told: Vec<Issue> = match fault.blame {
        Blame::Gateway => fault.issues.iter().map(|issue| withheld(issue, trace)).collect(),
        Blame::Caller | Blame::Payer => fault.issues.clone(),
    };
    let reply = match plain {
        true => Reply::text(status, told.iter().map(|issue| format!("{issue}\n")).collect::<String>()),
        false => Reply::fhir(status, &outcome::operation_outcome(&told, limit)),
    };
    match fault.retry {
        Retry::After(pause) if matches!(status, 429 | 502 | 503) => {
            reply.header(header::RETRY_AFTER, pause.as_secs().max(1).to_string())
        }
        // RFC 6750.
        _ if status == 401 => reply.header(header::WWW_AUTHENTICATE, "Bearer"),
        _ => reply,
    }
}

fn withheld(issue: &Issue, trace: &str) -> Issue {
    let row = fault::row(issue.code).or_else(|| fault::row(codes::INTERNAL)).unwrap_or(&CATALOGUE[0]);
    let hint = format!("try again later; if it stays so, name {trace} to the operators of this gateway");
    Issue::error(row.code, Place::Whole, row.title).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn told(reply: Reply) -> (u16, String) {
        let response = reply.response("r-1");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_callers_faults_are_told_in_full_and_ours_are_not() {
        let theirs =
            Fault::refuse(codes::CARDINALITY, Place::FhirPath("Claim.use".into()), "`use` is missing", "add it");
        let (status, body) = told(refusal(&theirs, 10, false, "r-1")).await;
        assert_eq!(status, 422);
        assert!(body.contains("Claim.use") && body.contains("add it"));
        let ours = Fault::ours(codes::STORE, "disk /var/lib full");
        let (status, body) = told(refusal(&ours, 10, false, "r-1")).await;
        assert_eq!(status, 503);
        assert!(!body.contains("/var/lib") && body.contains("CG-9101") && body.contains("r-1"), "{body}");
        let (_, body) = told(refusal(&theirs, 10, true, "r-1")).await;
        assert_eq!(body, "error CG-1008 at Claim.use: `use` is missing\n  mend: add it\n");
    }

    #[test]
    fn headers_of_a_version() {
        let at: Timestamp = "2026-11-24T16:05:09.123Z".parse().unwrap();
        assert_eq!(http_date(at), "Tue, 24 Nov 2026 16:05:09 GMT");
        let response = Reply::nothing(201).version(3, at).location("/fhir/Claim/1".into()).response("r");
        assert_eq!(response.headers()["etag"], "W/\"3\"");
        assert_eq!(response.headers()["x-request-id"], "r");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(!response.headers().contains_key("content-type"));
    }

    #[test]
    fn overload_says_when_to_come_back() {
        let response = refusal(&Fault::ours(codes::OVERLOADED, "x"), 10, false, "r").response("r");
        assert_eq!(response.headers()["retry-after"], "1");
    }

    /// Every code of the catalogue gives the status of its row.
    #[test]
    fn one_table_from_code_to_status() {
        for row in CATALOGUE {
            let fault = Fault::refuse(row.code, Place::Whole, "x", "y");
            assert_eq!(refusal(&fault, 10, false, "r").status, row.status, "{}", row.code);
        }
    }
}
