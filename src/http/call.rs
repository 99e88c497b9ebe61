//! A request as a handler sees it.

use crate::fault::{Fault, Place, codes};
use crate::fhir::parse;
use crate::gateway::Gateway;
use serde_json::Value;
use std::sync::Arc;
use warp::http::HeaderMap;

/// Longest `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_MAX: usize = 255;

/// One request, taken apart.
pub struct Call {
    pub gateway: Arc<Gateway>,
    /// What stood in the braces of the route's pattern.
    pub params: Vec<String>,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Address of the FHIR service as the caller reached it: `http://localhost:8080/fhir`.
    pub base: String,
}

impl Call {
    /// The n-th part in braces.
    pub fn param(&self, n: usize) -> &str {
        self.params.get(n).map_or("", String::as_str)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The first value of a parameter of the query.
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// Everyone is one tenant.
    pub fn tenant(&self) -> &'static str {
        crate::store::DEFAULT_TENANT
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, Fault> {
        parse::json(&self.body, self.gateway.translator.config.limits.json_depth)
    }

    /// The body as a resource of the type that stands in the path.
    pub fn resource(&self, kind: &str) -> Result<Value, Fault> {
        let value = self.json()?;
        match value.get("resourceType").and_then(Value::as_str) {
            Some(given) if given == kind => Ok(value),
            given => {
                let shown: String = given.unwrap_or("no type").chars().take(64).collect();
                let text = format!("the path says {kind}, the body {shown}");
                let hint = "post the resource to the path of its type";
                Err(Fault::refuse(codes::NOT_A_RESOURCE, Place::FhirPath(format!("{kind}.resourceType")), text, hint))
            }
        }
    }

    /// The caller's `Idempotency-Key`.
    pub fn idempotency_key(&self) -> Result<Option<String>, Fault> {
        match self.header("idempotency-key") {
            Some(key) if key.is_empty() || key.len() > IDEMPOTENCY_KEY_MAX => {
                let text = format!("the Idempotency-Key is empty or longer than {IDEMPOTENCY_KEY_MAX} characters");
                Err(Fault::refuse(codes::IDEMPOTENCY_CONFLICT, Place::Whole, text, "use a UUID"))
            }
            key => Ok(key.map(str::to_owned)),
        }
    }

    /// Whether `Prefer` asks for a kind of reply: `minimal`, `representation`, `OperationOutcome`.
    pub fn prefers(&self, what: &str) -> bool {
        let wanted = format!("return={what}");
        self.header("prefer").is_some_and(|prefer| prefer.split([',', ';']).any(|part| part.trim() == wanted))
    }
}

/// A header as text.
pub fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
