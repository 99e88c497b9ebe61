//! The way of a claim from FHIR to X12 as `claimgate map` goes it, over the shipped mappings.

use claimgate::config::Config;
use claimgate::fault::Issue;
use claimgate::flow::translate;
use claimgate::gateway::Translator;
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

    /// Maps one claim for a payer.
    pub fn prepare(&self, payer: &str, body: &[u8]) -> Prepared {
        match translate::map(&self.translator, payer, body, 1) {
            Ok(mapped) => Prepared { interchange: mapped.bytes, issues: mapped.warnings },
            Err(fault) => Prepared { interchange: Vec::new(), issues: fault.issues },
        }
    }
}
