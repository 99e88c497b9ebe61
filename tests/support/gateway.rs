//! The way of a claim from FHIR to X12 as `claimgate map` goes it, over the shipped mappings.

use claimgate::config::Config;
use claimgate::fault::Issue;
use claimgate::flow::translate;
use claimgate::gateway::Translator;
use std::collections::BTreeSet;
use std::path::Path;

/// Everything that people edit.
pub struct Content {
    pub translator: Translator,
}

/// What became of a claim: an interchange, or the issues that refused it.
pub struct Prepared {
    pub interchange: Vec<u8>,
    pub issues: Vec<Issue>,
}

impl Prepared {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.interchange).into_owned()
    }
}

impl Content {
    /// What ships.
    pub fn shipped() -> Content {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (mappings_dir, conformance_dir) = (root.join("mappings"), root.join("conformance"));
        let config = Config { mappings_dir, conformance_dir, ..Config::default() };
        Content { translator: Translator::load(config).unwrap_or_else(|fault| panic!("{fault}")) }
    }

    /// What ships, for a payer `generic` that asks for no edit; the folder holds its mappings.
    pub fn without_edits() -> (Content, tempfile::TempDir) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().expect("a folder");
        copy(&root.join("mappings"), folder.path());
        let codes: BTreeSet<&str> = claimgate::edits::EDITS.iter().map(|edit| edit.code).collect();
        let codes: Vec<&str> = codes.into_iter().collect();
        let profile = folder.path().join("payers/generic/payer.yaml");
        let text = std::fs::read_to_string(&profile).expect("the profile");
        std::fs::write(&profile, format!("{text}\nedits: {{ off: [{}] }}\n", codes.join(", "))).expect("the profile");
        let config = Config {
            mappings_dir: folder.path().into(),
            conformance_dir: root.join("conformance"),
            ..Config::default()
        };
        (Content { translator: Translator::load(config).unwrap_or_else(|fault| panic!("{fault}")) }, folder)
    }

    /// Maps one claim for a payer.
    pub fn prepare(&self, payer: &str, body: &[u8]) -> Prepared {
        match translate::map(&self.translator, payer, body, 1) {
            Ok(mapped) => Prepared { interchange: mapped.bytes, issues: mapped.warnings },
            Err(fault) => Prepared { interchange: Vec::new(), issues: fault.issues },
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => {
                std::fs::create_dir_all(&target).expect("a folder");
                copy(&entry.path(), &target);
            }
            false => drop(std::fs::copy(entry.path(), &target).expect("a copy")),
        }
    }
}
