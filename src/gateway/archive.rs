//! The versions of the mappings that this gateway has used, kept in its data folder, so that one can be gone back to after
//! the folder was edited and the gateway started anew: `mappings/<version>/…`, the list of them in the order in which they
//! came (`mappings/history`), and the one that was asked for (`mappings/active`).

use crate::assets::Folder;
use crate::fault::{Fault, codes};
use std::path::{Path, PathBuf};

/// Versions that are kept; older ones are removed when a new one comes.
pub const KEPT: usize = 32;

pub struct Archive {
    root: PathBuf,
}

impl Archive {
    /// Of a gateway's data folder.
    pub fn of(data_dir: &Path) -> Archive {
        Archive { root: data_dir.join("mappings") }
    }

    /// Keeps the content of a version, and writes that it came now.
    pub fn keep(&self, version: &str, folder: &Folder) -> Result<(), Fault> {
        let at = self.root.join(version);
        if !at.is_dir() {
            // Whole or not at all: a copy that was broken off has another name.
            let copy = self.root.join(format!("{version}.copy"));
            let _ = std::fs::remove_dir_all(&copy);
            for path in folder.list("") {
                let Some(text) = folder.text(&path) else { continue };
                write(&copy.join(&path), &text)?;
            }
            std::fs::rename(&copy, &at).map_err(|error| broken(&at, &error))?;
        }
        let mut history = self.history();
        if history.last().is_none_or(|last| last != version) {
            history.retain(|known| known != version);
            history.push(version.to_owned());
        }
        let gone = history.len().saturating_sub(KEPT);
        for old in history.drain(..gone) {
            let _ = std::fs::remove_dir_all(self.root.join(old));
        }
        write(&self.root.join("history"), &(history.join("\n") + "\n"))
    }

    /// The versions that are kept, in the order in which they came.
    pub fn history(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.root.join("history")).unwrap_or_default();
        let known = text.lines().map(str::trim).filter(|version| self.folder(version).is_some());
        known.map(str::to_owned).collect()
    }

    /// The content of a version.
    pub fn folder(&self, version: &str) -> Option<Folder> {
        let named = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        let at = self.root.join(version);
        (named && at.is_dir()).then_some(Folder::Disk(at))
    }

    /// The version that was asked for, when one was.
    pub fn asked_for(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.root.join("active")).ok()?;
        Some(text.trim().to_owned()).filter(|version| !version.is_empty())
    }

    /// Notes the version that is asked for; nothing: whatever the folder holds.
    pub fn ask_for(&self, version: Option<&str>) -> Result<(), Fault> {
        write(&self.root.join("active"), version.unwrap_or_default())
    }
}

fn write(path: &Path, text: &str) -> Result<(), Fault> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|error| broken(folder, &error))?;
    std::fs::write(path, text).map_err(|error| broken(path, &error))
}

fn broken(path: &Path, error: &std::io::Error) -> Fault {
    Fault::ours(codes::STORE, format!("{} can't be written: {error}", path.display()))
}
