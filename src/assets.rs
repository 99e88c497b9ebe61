//! The folders that people edit, `mappings/` and `conformance/`: read from disk where they are, else from the copy in the
//! binary, so that a lone executable works.

use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

#[derive(RustEmbed)]
#[folder = "mappings/"]
struct ShippedMappings;

#[derive(RustEmbed)]
#[folder = "conformance/"]
#[exclude = "cases/*"]
#[exclude = "requests/*"]
#[exclude = "answers/*"]
struct ShippedConformance;

/// A folder of text files. Paths inside are relative, with `/`.
#[derive(Debug, Clone, PartialEq)]
pub enum Folder {
    Disk(PathBuf),
    ShippedMappings,
    ShippedConformance,
}

impl Folder {
    /// The mappings at a path, or those in the binary when there is no such folder.
    pub fn mappings(path: &Path) -> Folder {
        if path.is_dir() { Folder::Disk(path.to_owned()) } else { Folder::ShippedMappings }
    }

    /// The conformance data at a path, or that in the binary when there is no such folder.
    pub fn conformance(path: &Path) -> Folder {
        if path.is_dir() { Folder::Disk(path.to_owned()) } else { Folder::ShippedConformance }
    }

    /// The text of a file; `None` when it is absent or not UTF-8.
    pub fn text(&self, path: &str) -> Option<String> {
        match self {
            Folder::Disk(root) => std::fs::read_to_string(root.join(path)).ok(),
            Folder::ShippedMappings => embedded(ShippedMappings::get(path)?.data),
            Folder::ShippedConformance => embedded(ShippedConformance::get(path)?.data),
        }
    }

    /// All files below a folder (`""` is the root), sorted, relative to the root.
    pub fn list(&self, below: &str) -> Vec<String> {
        let mut files = match self {
            Folder::Disk(root) => {
                let mut files = Vec::new();
                walk(root, root, &mut files);
                files
            }
            Folder::ShippedMappings => ShippedMappings::iter().map(Cow::into_owned).collect(),
            Folder::ShippedConformance => ShippedConformance::iter().map(Cow::into_owned).collect(),
        };
        files.retain(|file| below.is_empty() || file.strip_prefix(below).is_some_and(|rest| rest.starts_with('/')));
        files.sort();
        files
    }

    /// How a file of the folder is named to people.
    pub fn display(&self, path: &str) -> String {
        match self {
            Folder::Disk(root) => root.join(path).display().to_string(),
            Folder::ShippedMappings => format!("mappings/{path}"),
            Folder::ShippedConformance => format!("conformance/{path}"),
        }
    }
}

fn embedded(data: Cow<'static, [u8]>) -> Option<String> {
    String::from_utf8(data.into_owned()).ok()
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(root, &path, files);
        } else if let Ok(relative) = path.strip_prefix(root) {
            files.push(relative.to_string_lossy().replace('\\', "/"));
        }
    }
}
