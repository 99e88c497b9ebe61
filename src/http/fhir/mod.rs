//! The FHIR service: one file a kind of interaction.

pub mod metadata;
pub mod resource;
pub mod search;
pub mod submit;
pub mod subscription;
pub mod validate;

use crate::fault::{Fault, Place, codes};
use crate::http::call::Call;

/// The resource type in the path; a type that FHIR does not know is told so.
fn kind(call: &Call) -> Result<String, Fault> {
    let kind = call.param(0);
    let definitions = &call.gateway.translator.definitions;
    if definitions.is_resource(kind) {
        return Ok(kind.to_owned());
    }
    let hint = match definitions.nearest_resource(kind) {
        Some(near) => format!("did you mean {near}?"),
        None => "see /fhir/metadata for the types".to_owned(),
    };
    Err(Fault::refuse(codes::NOT_FOUND, Place::Whole, "FHIR R4 has no resource type of this name", hint))
}
