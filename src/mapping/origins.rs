//! The sources that have overlays of their own: which claims come from which EHR.
//!
//! `sources/<id>/source.yaml` says `name:` and `uris:`, the beginnings of `meta.source` by which a Claim or its Bundle names the
//! system that wrote it. The id itself always names it.

use super::mistakes::{Mistakes, did_you_mean};
use super::yaml::{self, Node};
use crate::assets::Folder;
use crate::fault::codes;

/// The sources of a folder, by id.
#[derive(Debug, Default)]
pub struct Origins {
    origins: Vec<Origin>,
}

#[derive(Debug)]
struct Origin {
    id: String,
    /// Beginnings of `meta.source`.
    uris: Vec<String>,
}

impl Origins {
    /// Reads every `sources/<id>`; one without `source.yaml` is known by its id.
    pub fn read(folder: &Folder, mistakes: &mut Mistakes) -> Origins {
        let mut origins = Origins::default();
        for path in folder.list("sources") {
            let Some((id, file)) = path.strip_prefix("sources/").and_then(|rest| rest.split_once('/')) else {
                continue;
            };
            if !origins.origins.iter().any(|known| known.id == id) {
                origins.origins.push(Origin { id: id.to_owned(), uris: Vec::new() });
            }
            if file == "source.yaml" {
                let uris = uris(&folder.display(&path), &folder.text(&path).unwrap_or_default(), mistakes);
                origins
                    .origins
                    .iter_mut()
                    .filter(|known| known.id == id)
                    .for_each(|known| known.uris.clone_from(&uris));
            }
        }
        origins
    }

    /// The source that a `meta.source` means: by its id, else by the longest beginning.
    pub fn named(&self, source: &str) -> Option<&str> {
        let by_id = self.origins.iter().find(|origin| origin.id == source);
        let begins = |origin: &Origin| {
            let fits = origin.uris.iter().filter(|uri| source.starts_with(uri.as_str()));
            fits.map(String::len).max()
        };
        let by_uri =
            || self.origins.iter().filter_map(|origin| Some((begins(origin)?, origin))).max_by_key(|(n, _)| *n);
        by_id.or_else(|| by_uri().map(|(_, origin)| origin)).map(|origin| origin.id.as_str())
    }
}

const KEYS: &[&str] = &["name", "uris"];

fn uris(file: &str, text: &str, mistakes: &mut Mistakes) -> Vec<String> {
    let node = match yaml::parse(file, text) {
        Ok(node) => node,
        Err(wrong) => {
            for mistake in wrong {
                mistakes.add(codes::MAPPING_SYNTAX, &mistake.at, mistake.text, mistake.hint);
            }
            return Vec::new();
        }
    };
    let Node::Map(_, entries) = &node else {
        mistakes.add(codes::MAPPING_SYNTAX, node.at(), "this is no source", "write `name:` and `uris:`");
        return Vec::new();
    };
    for (key, _) in entries.iter().filter(|(key, _)| !KEYS.contains(&key.name.as_str())) {
        let text = format!("`{}` is no key of a source", key.name);
        mistakes.add(codes::MAPPING_TARGET, &key.at, text, did_you_mean(&key.name, KEYS));
    }
    match node.get("uris") {
        Some(Node::List(_, items)) => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
        Some(other) => {
            mistakes.add(
                codes::MAPPING_TYPE,
                other.at(),
                "`uris` takes a list",
                "write `uris: [\"https://ehr.example/\"]`",
            );
            Vec::new()
        }
        None => Vec::new(),
    }
}
