//! A payer tried before it is used: what was understood of its profile, whether its surroundings are there, and what its
//! mappings make of the demonstration claims. Nothing is sent.

use crate::assets::Folder;
use crate::fault::{Fault, Issue, Place, codes};
use crate::flow::translate::{self, Mapped};
use crate::gateway::Translator;
use crate::payers::{PayerProfile, SecretSource, TransportProfile};
use serde_json::{Value, json};

/// The profile as it was understood; secrets by their place.
pub fn understood(profile: &PayerProfile) -> Value {
    let mut shown = profile.facts();
    let transport = match &profile.transport {
        TransportProfile::Directory { outbound, inbound } => {
            json!({"kind": "directory", "outbound": outbound, "inbound": inbound})
        }
        TransportProfile::Https { url, timeout, token } => {
            json!({"kind": "https", "url": url, "timeout": format!("{timeout:?}"), "token": token.as_ref().map(place_of)})
        }
    };
    let route = |(key, route): (&String, &crate::payers::Route)| {
        (key.clone(), json!({"guide": route.guide, "mapping": route.mapping}))
    };
    shown["notes"] = json!(profile.notes);
    shown["routes"] = Value::Object(profile.routes.iter().map(route).collect());
    shown["transport"] = transport;
    shown["batch"] = json!({"claims": profile.batch.claims, "wait": format!("{:?}", profile.batch.wait)});
    shown["characterSet"] = json!(format!("{:?}", profile.character_set).to_lowercase());
    shown["editsOff"] = json!(profile.edits.off);
    shown["canary"] = json!(profile.canary.as_ref().map(|canary| canary.percent));
    shown
}

fn place_of(secret: &SecretSource) -> String {
    match secret {
        SecretSource::Environment(name) => format!("${{{name}}}"),
        SecretSource::File(path) => format!("file:{}", path.display()),
    }
}

/// Secrets and folders that are missing. A folder is made when it is first used, so its absence is a note.
pub fn surroundings(profile: &PayerProfile) -> Vec<Issue> {
    match &profile.transport {
        TransportProfile::Directory { outbound, inbound } => {
            let missing = [outbound, inbound].into_iter().filter(|folder| !folder.is_dir());
            missing.map(|folder| note(format!("{} is not there yet", folder.display()))).collect()
        }
        TransportProfile::Https { token, .. } => {
            let lacks = |secret: &&SecretSource| match secret {
                SecretSource::Environment(name) => std::env::var(name).is_err(),
                SecretSource::File(path) => !path.is_file(),
            };
            let missing = token.iter().filter(lacks);
            missing.map(|secret| note(format!("{} is not set here", place_of(secret)))).collect()
        }
    }
}

fn note(text: String) -> Issue {
    Issue::warning(codes::CONFIGURATION, Place::Whole, text).hint("see to it before the gateway starts")
}

/// The demonstration claims, mapped for the payer where it has a route for their kind.
pub fn claims(translator: &Translator, profile: &PayerProfile) -> Vec<(String, Result<Mapped, Fault>)> {
    let folder = Folder::conformance(&translator.config.conformance_dir);
    let files = folder.list("demo").into_iter().filter(|path| path.ends_with(".json"));
    let claims = files.filter_map(|path| {
        let text = folder.text(&path)?;
        Some((path, translate::map(translator, &profile.id, text.as_bytes(), 1)))
    });
    claims.collect()
}
