//! The files of a folder of mappings, by name, and every mapping with all that it is laid over.
//!
//! A payer's overlay (`payers/<id>/…`) holds what differs for this payer, a source's (`sources/<id>/…`) what differs for what
//! this EHR writes. Where both have one for a mapping, the payer's lies over the source's.

use super::mistakes::{Mistakes, did_you_mean};
use super::template::overlay;
use super::yaml::{self, Key, Node, Scalar, Spot};
use crate::assets::Folder;
use crate::fault::codes;
use std::collections::BTreeMap;

/// The files as they were read, by name: `x12/837p`, `payers/northwind/837p`.
pub struct Files {
    nodes: BTreeMap<String, Node>,
}

impl Files {
    /// Reads every file; an overlay over several mappings becomes one for each.
    pub fn read(folder: &Folder, mistakes: &mut Mistakes) -> Files {
        let mut files = Files { nodes: BTreeMap::new() };
        let all = folder.list("");
        for path in all.iter().filter(|path| is_astray(path)) {
            let at = Spot { file: folder.display(path).into(), line: 1, column: 1 };
            mistakes.add(codes::MAPPING_SYNTAX, &at, "nobody reads a file of this name here", ASTRAY_HINT);
        }
        for path in all.iter().filter(|path| is_mapping(path)) {
            let Some(name) = path.strip_suffix(".yaml") else { continue };
            match yaml::parse(&folder.display(path), &folder.text(path).unwrap_or_default()) {
                Ok(node) => files.add(name, node, mistakes),
                Err(wrong) => wrong
                    .into_iter()
                    .for_each(|mistake| mistakes.add(codes::MAPPING_SYNTAX, &mistake.at, mistake.text, mistake.hint)),
            }
        }
        files
    }

    fn add(&mut self, name: &str, node: Node, mistakes: &mut Mistakes) {
        let Some(bases) = node.get("over").map(|over| (over.at().clone(), texts(over))) else {
            let name = named(name, &node);
            return self.put(name, node, mistakes);
        };
        let (at, bases) = bases;
        let Some(owner) = owner(name).filter(|_| !bases.is_empty() && node.get("extends").is_none()) else {
            let text = "`over` names the mappings that a payer's or a source's overlay lies over";
            let hint = "write `over: [record/claim, record/oral]` in payers/<id>/ or sources/<id>/, without `extends`";
            return mistakes.add(codes::MAPPING_SYNTAX, &at, text, hint);
        };
        for base in bases {
            self.put(format!("{owner}/{}", base.text), laid_over(&node, base), mistakes);
        }
    }

    fn put(&mut self, name: String, node: Node, mistakes: &mut Mistakes) {
        if let Some(other) = self.nodes.get(&name) {
            let text = format!("there is another overlay for this mapping, in {}", other.at().file);
            return mistakes.add(codes::MAPPING_SYNTAX, node.at(), text, "put both into one file");
        }
        self.nodes.insert(name, node);
    }

    /// Every mapping with what it extends below it.
    pub fn overlaid(&self, mistakes: &mut Mistakes) -> BTreeMap<String, Node> {
        let names: Vec<&String> = self.nodes.keys().collect();
        let mut whole: BTreeMap<String, Node> = BTreeMap::new();
        for name in names {
            whole.extend(self.whole(name, &mut Vec::new(), mistakes).map(|node| (name.clone(), node)));
        }
        let both = self.both(&whole, mistakes);
        whole.extend(both);
        whole
    }

    /// The payers' overlays over those of the sources, as `sources/<id>/payers/<id>/<mapping>`.
    fn both(&self, whole: &BTreeMap<String, Node>, mistakes: &mut Mistakes) -> Vec<(String, Node)> {
        let mut both = Vec::new();
        for (name, node) in whole {
            let Some((source, mapping)) = overlay_of(name, "sources/") else { continue };
            let file = mapping.rsplit('/').next().unwrap_or(mapping);
            for (over, above) in &self.nodes {
                let fits = overlay_of(over, "payers/").filter(|(_, of)| *of == mapping || *of == file);
                if let Some((payer, _)) = fits {
                    both.push((format!("{source}/{payer}/{mapping}"), overlay(node, above, mistakes)));
                }
            }
        }
        both
    }

    /// Whether a mapping is only what others have in common: it says neither its guide nor what it makes, and is checked
    /// with those that extend it.
    pub fn is_part(&self, name: &str, node: &Node) -> bool {
        let extends =
            |other: &Node| other.get("extends").is_some_and(|bases| texts(bases).iter().any(|base| base.text == name));
        node.get("guide").is_none() && node.get("makes").is_none() && self.nodes.values().any(extends)
    }

    fn whole<'f>(&'f self, name: &str, open: &mut Vec<&'f str>, mistakes: &mut Mistakes) -> Option<Node> {
        let (name, node) = self.nodes.get_key_value(name)?;
        let Some(extends) = node.get("extends") else { return Some(node.clone()) };
        open.push(name);
        let mut below: Option<Node> = None;
        for base in texts(extends) {
            let base = self.base(base, open, mistakes)?;
            below = Some(match below {
                Some(below) => overlay(&below, &base, mistakes),
                None => base,
            });
        }
        open.pop();
        let Some(below) = below else {
            let text = "`extends` takes the name of a mapping, or a list of names";
            mistakes.add(codes::MAPPING_SYNTAX, extends.at(), text, "write `extends: x12/837p`");
            return None;
        };
        Some(overlay(&below, node, mistakes))
    }

    /// One mapping that is extended; nothing when there is none, or when it goes round.
    fn base<'f>(&'f self, base: &Scalar, open: &mut Vec<&'f str>, mistakes: &mut Mistakes) -> Option<Node> {
        if open.contains(&base.text.as_str()) {
            let text = format!("`extends` goes round: {} → {}", open.join(" → "), base.text);
            mistakes.add(codes::MAPPING_SYNTAX, &base.at, text, "let one of them extend nothing");
            return None;
        }
        if !self.nodes.contains_key(&base.text) {
            let text = format!("there is no mapping `{}` to extend", base.text);
            mistakes.add(codes::MAPPING_SYNTAX, &base.at, text, did_you_mean(&base.text, self.nodes.keys()));
            return None;
        }
        self.whole(&base.text, open, mistakes)
    }
}

/// A source's overlay is known by the mapping that it lies over, whatever its file is called.
fn named(name: &str, node: &Node) -> String {
    let base = node.get("extends").and_then(Node::text);
    match (owner(name).filter(|owner| owner.starts_with("sources/")), base) {
        (Some(owner), Some(base)) => format!("{owner}/{base}"),
        _ => name.to_owned(),
    }
}

/// `payers/northwind/837p` → `payers/northwind`.
fn owner(name: &str) -> Option<&str> {
    let id = name.strip_prefix("payers/").or_else(|| name.strip_prefix("sources/"))?;
    let end = name.len() - id.len() + id.find('/')?;
    Some(&name[..end])
}

/// `payers/northwind/record/claim` → `payers/northwind` and `record/claim`.
fn overlay_of<'n>(name: &'n str, folder: &str) -> Option<(&'n str, &'n str)> {
    let owner = owner(name).filter(|owner| owner.starts_with(folder))?;
    Some((owner, &name[owner.len() + 1..]))
}

/// The overlay as one over this base alone.
fn laid_over(node: &Node, base: &Scalar) -> Node {
    let Node::Map(at, entries) = node else { return node.clone() };
    let others = entries.iter().filter(|(key, _)| key.name != "over").cloned();
    let extends = (Key { name: "extends".into(), at: base.at.clone() }, Node::Scalar(base.clone()));
    Node::Map(at.clone(), std::iter::once(extends).chain(others).collect())
}

/// One text, or those of a list.
fn texts(node: &Node) -> Vec<&Scalar> {
    match node {
        Node::Scalar(scalar) => vec![scalar],
        Node::List(_, nodes) => nodes.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// A file that its author takes for a mapping or a profile, but which stands where none is looked for. Folders like `.github`
/// belong to others.
fn is_astray(path: &str) -> bool {
    let ours = !path.starts_with('.');
    ours && (path.ends_with(".yml") || path.ends_with(".yaml") && !is_mapping(path) && !describes(path))
}

const ASTRAY_HINT: &str = "mappings are record/*.yaml, x12/*.yaml, response/*.yaml, and below payers/<id>/ and sources/<id>/; \
                           a profile is payers/<id>/payer.yaml";

fn is_mapping(path: &str) -> bool {
    let folder = path.split('/').next().unwrap_or_default();
    path.ends_with(".yaml")
        && matches!(folder, "record" | "x12" | "response" | "payers" | "sources")
        && !matches!(path.rsplit('/').next(), Some("payer.yaml" | "source.yaml"))
}

/// Profiles of payers and descriptions of sources are YAML too, but no mappings.
fn describes(path: &str) -> bool {
    matches!(
        path.split('/').collect::<Vec<_>>().as_slice(),
        ["payers", _, "payer.yaml"] | ["sources", _, "source.yaml"]
    )
}
