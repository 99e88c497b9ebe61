//! Single resources: create, update, read, and their versions.

use crate::fault::{Fault, Place, codes};
use crate::flow::{lookup, store};
use crate::http::call::Call;
use crate::http::fhir::{kind, search};
use crate::http::reply::{Reply, etag, http_date};
use crate::store::ResourceVersion;

/// `POST /fhir/{type}`, with `If-None-Exist` only when there is none yet.
pub async fn create(call: Call) -> Result<Reply, Fault> {
    let kind = kind(&call)?;
    let resource = call.resource(&kind)?;
    if let Some(existing) = existing(&call, &kind).await? {
        return told(&call, 200, &existing);
    }
    let version = store::create(&call.gateway, call.tenant(), resource).await?;
    told(&call, 201, &version)
}

/// What `If-None-Exist` finds: nothing, or the one resource that makes a new one needless.
async fn existing(call: &Call, kind: &str) -> Result<Option<ResourceVersion>, Fault> {
    let Some(asked) = call.header("if-none-exist") else { return Ok(None) };
    let refuse = |text: &str, hint: &str| Err(Fault::refuse(codes::PRECONDITION, Place::Whole, text, hint));
    let pairs = search::pairs(asked);
    let query = search::asked(call, kind, &pairs, 2)?;
    if query.conditions.is_empty() && query.spans.is_empty() {
        return refuse("If-None-Exist asks for nothing", "write a search, for example identifier=system|value");
    }
    let mut found = call.gateway.store.search(call.tenant(), &query).await?;
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => refuse("If-None-Exist finds several resources", "ask for an identifier that only one of them has"),
    }
}

/// `PUT /fhir/{type}/{id}`: the next version, or the first under an id of the caller's choice.
pub async fn update(call: Call) -> Result<Reply, Fault> {
    let kind = kind(&call)?;
    let id = call.param(1).to_owned();
    let resource = call.resource(&kind)?;
    if resource["id"].as_str() != Some(&id) {
        let at = Place::FhirPath(format!("{kind}.id"));
        let hint = format!("set {kind}.id to the id in the URL");
        return Err(Fault::refuse(codes::NOT_A_RESOURCE, at, "the id of the resource is not the one in the URL", hint));
    }
    if let Some(wanted) = call.header("if-match") {
        let current = call.gateway.store.read(call.tenant(), &kind, &id).await?;
        unchanged(wanted, current.as_ref())?;
    }
    let version = store::update(&call.gateway, call.tenant(), resource).await?;
    let status = if version.version == 1 { 201 } else { 200 };
    told(&call, status, &version)
}

/// `If-Match`: the version that the caller has seen must still be the newest.
pub fn unchanged(wanted: &str, current: Option<&ResourceVersion>) -> Result<(), Fault> {
    let number = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').parse::<u32>().ok();
    let seen = number(wanted);
    if seen.is_some() && seen == current.map(|version| version.version) {
        return Ok(());
    }
    let text = match current {
        Some(version) => format!("the newest version is {}", version.version),
        None => "there is no such resource".to_owned(),
    };
    Err(Fault::refuse(codes::PRECONDITION, Place::Whole, text, "read it again, and send If-Match with its ETag"))
}

/// `GET /fhir/{type}/{id}`.
pub async fn read(call: Call) -> Result<Reply, Fault> {
    let kind = kind(&call)?;
    let version = lookup::read(&call.gateway, call.tenant(), &kind, call.param(1)).await?;
    if fresh(&call, &version) {
        return Ok(Reply::nothing(304).version(version.version, version.updated));
    }
    shown(&version)
}

/// Whether the caller has this version already.
fn fresh(call: &Call, version: &ResourceVersion) -> bool {
    match call.header("if-none-match") {
        Some(tags) => tags.split(',').any(|tag| tag.trim() == "*" || tag.trim() == etag(version.version)),
        None => call.header("if-modified-since").is_some_and(|since| since == http_date(version.updated)),
    }
}

/// `GET /fhir/{type}/{id}/_history/{version}`.
pub async fn version(call: Call) -> Result<Reply, Fault> {
    let kind = kind(&call)?;
    let number = call.param(2).parse().unwrap_or(0);
    shown(&lookup::version(&call.gateway, call.tenant(), &kind, call.param(1), number).await?)
}

/// `GET /fhir/{type}/{id}/_history`.
pub async fn history(call: Call) -> Result<Reply, Fault> {
    let kind = kind(&call)?;
    let mut bundle = lookup::history(&call.gateway, call.tenant(), &kind, call.param(1)).await?;
    search::with_base(&mut bundle, &call.base);
    Ok(Reply::fhir(200, &bundle))
}

fn shown(version: &ResourceVersion) -> Result<Reply, Fault> {
    Ok(Reply::fhir(200, &lookup::resource(version)?).version(version.version, version.updated))
}

/// What was written: the resource as it is kept, and where.
fn told(call: &Call, status: u16, version: &ResourceVersion) -> Result<Reply, Fault> {
    let url = format!("{}/{}/{}/_history/{}", call.base, version.kind, version.id, version.version);
    let reply =
        Reply::fhir(status, &lookup::resource(version)?).version(version.version, version.updated).location(url);
    Ok(if call.prefers("minimal") { reply.without_body() } else { reply })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_takes_the_newest_version_only() {
        let current = ResourceVersion {
            kind: "Patient".into(),
            id: "p".into(),
            version: 3,
            updated: "2026-01-01T00:00:00Z".parse().unwrap(),
            body: "{}".into(),
        };
        assert!(unchanged("W/\"3\"", Some(&current)).is_ok() && unchanged("\"3\"", Some(&current)).is_ok());
        for (wanted, current) in [("W/\"2\"", Some(&current)), ("x", Some(&current)), ("W/\"1\"", None), ("x", None)] {
            assert_eq!(unchanged(wanted, current).unwrap_err().status(), 412, "{wanted}");
        }
    }
}
