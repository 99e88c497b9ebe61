//! The payers that we know, and the route that a claim takes to each: `mappings/payers/<id>/payer.yaml`, read and checked
//! as a whole. A new payer is a new folder and no code.

mod document;
mod hours;
mod lint;
mod profile;
mod read;
pub mod settings;
#[cfg(test)]
mod tests;

pub use hours::Hours;
pub use profile::{
    Batch, Canary, CharacterSet, CsvRules, Deadlines, EnvelopeId, Format, PayerIdentifier, PayerProfile, Receiver,
    Route, Secondary, SecretSource, Submitter, TradingPartner, TransportProfile,
};

use crate::assets::Folder;
use crate::config::Config;
use crate::fault::{Blame, Fault, Issue, Place, Retry, codes};
use crate::x12::guide::Guides;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What profiles take from where the gateway runs.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// `${CLAIMGATE_DATA_DIR}`.
    pub data_dir: PathBuf,
    /// Only in production a profile's `usage: P` is followed.
    pub production: bool,
}

impl Surroundings {
    pub fn of(config: &Config) -> Surroundings {
        Surroundings { data_dir: config.data_dir.clone(), production: config.environment == "production" }
    }

    /// The value of `${name}`; only variables of claimgate's own are read.
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "CLAIMGATE_DATA_DIR" => Some(self.data_dir.display().to_string()),
            name if name.starts_with("CLAIMGATE_") => std::env::var(name).ok(),
            _ => None,
        }
    }
}

/// All payers, by id.
#[derive(Debug, Clone, Default)]
pub struct Payers {
    profiles: BTreeMap<String, PayerProfile>,
}

impl Payers {
    /// Reads `payers/*/payer.yaml` of the mappings; all mistakes of all files at once.
    pub fn load(mappings: &Folder, surroundings: &Surroundings) -> Result<Payers, Fault> {
        let (payers, issues) = Payers::read(mappings, surroundings);
        if issues.is_empty() { Ok(payers) } else { Err(Fault { issues, blame: Blame::Gateway, retry: Retry::Never }) }
    }

    /// The same, as far as it could be understood, and all mistakes: who knows more of what profiles name looks on.
    pub fn read(mappings: &Folder, surroundings: &Surroundings) -> (Payers, Vec<Issue>) {
        let mut issues = Vec::new();
        let mut profiles = BTreeMap::new();
        for path in mappings.list("payers") {
            let Some(id) = path.strip_prefix("payers/").and_then(|rest| rest.strip_suffix("/payer.yaml")) else {
                continue;
            };
            match read_one(mappings, &path, id, surroundings) {
                Ok((profile, found)) => {
                    issues.extend(found);
                    profiles.insert(id.to_owned(), profile);
                }
                Err(found) => issues.extend(found),
            }
        }
        issues.extend(claimed_twice(mappings, &profiles));
        issues.extend(one_inbox_of_two(mappings, &profiles));
        (Payers { profiles }, issues)
    }

    /// Lines of the profiles that name no check.
    pub fn unknown_checks(&self, guides: &Guides) -> Vec<Issue> {
        self.all().flat_map(|profile| profile.checks.mistakes(guides)).collect()
    }

    pub fn get(&self, id: &str) -> Option<&PayerProfile> {
        self.profiles.get(id)
    }

    /// The payers that a payor Organization with these identifiers means; each is `value` or `system|value`.
    pub fn find(&self, identifiers: &[String]) -> Vec<&PayerProfile> {
        self.profiles.values().filter(|profile| profile.is_meant_by(identifiers)).collect()
    }

    /// All profiles, by id.
    pub fn all(&self) -> impl Iterator<Item = &PayerProfile> {
        self.profiles.values()
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }
}

/// A profile with its mistakes; the mistakes alone when it is no YAML.
fn read_one(
    mappings: &Folder,
    path: &str,
    id: &str,
    surroundings: &Surroundings,
) -> Result<(PayerProfile, Vec<Issue>), Vec<Issue>> {
    let file = mappings.display(path);
    let unreadable = || {
        let at = Place::File { path: file.clone(), line: 0, column: 0 };
        vec![Issue::error(codes::MAPPING_SYNTAX, at, "the file can't be read as UTF-8 text")]
    };
    let text = mappings.text(path).ok_or_else(unreadable)?;
    let document = document::parse(&file, &text)?;
    let mistakes = document::Mistakes::of(&file);
    let profile = read::profile(id, &document, &mistakes, surroundings);
    Ok((profile, mistakes.into_issues()))
}

/// Two profiles for one identifier: no claim could be routed by it.
fn claimed_twice(mappings: &Folder, profiles: &BTreeMap<String, PayerProfile>) -> Vec<Issue> {
    let mut owners: BTreeMap<(Option<&str>, &str), &str> = BTreeMap::new();
    let mut issues = Vec::new();
    for profile in profiles.values() {
        // What is missing has been told.
        for identifier in profile.identifiers.iter().filter(|identifier| !identifier.value.is_empty()) {
            let key = (identifier.system.as_deref(), identifier.value.as_str());
            if let Some(other) = owners.insert(key, &profile.id).filter(|other| *other != profile.id) {
                let at = place_of(mappings, &format!("payers/{}/payer.yaml", profile.id), &identifier.value);
                let text =
                    format!("the payers {other} and {} both claim the identifier `{}`", profile.id, identifier.value);
                issues.push(Issue::error(codes::MAPPING_TYPE, at, text).hint("give it to one of them"));
            }
        }
    }
    issues
}

/// Two profiles that take answers from one folder: whichever looks first would take those of the other.
fn one_inbox_of_two(mappings: &Folder, profiles: &BTreeMap<String, PayerProfile>) -> Vec<Issue> {
    let mut owners: BTreeMap<&PathBuf, &str> = BTreeMap::new();
    let mut issues = Vec::new();
    for profile in profiles.values() {
        let TransportProfile::Directory { inbound, .. } = &profile.transport else { continue };
        if let Some(other) = owners.insert(inbound, &profile.id).filter(|_| !inbound.as_os_str().is_empty()) {
            let at = place_of(mappings, &format!("payers/{}/payer.yaml", profile.id), "inbound:");
            let text =
                format!("the payers {other} and {} both take their answers from {}", profile.id, inbound.display());
            issues.push(Issue::error(codes::MAPPING_TYPE, at, text).hint("give each a folder of its own"));
        }
    }
    issues
}

/// Where a text first stands in a file, comments left out; the file alone when it is nowhere.
pub fn place_of(mappings: &Folder, path: &str, value: &str) -> Place {
    let text = mappings.text(path).unwrap_or_default();
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim_start().starts_with('#'));
    let found = lines.filter_map(|(line, n)| Some((n, line.find(value)? as u32 + 1))).next();
    let (line, column) = found.unwrap_or_default();
    Place::File { path: mappings.display(path), line, column }
}
