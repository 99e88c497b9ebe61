//! `claimgate mapping check`: every mistake at once.

use super::Format;
use crate::cli::show::say;
use crate::cli::{Exit, show};
use crate::config::Config;
use crate::fault::Fault;
use crate::gateway::Translator;
use serde_json::json;

/// Check all mappings, profiles and tables: every mistake with file, line, column and a hint
///
/// Exit code 0: clean; 1: mistakes. Example: claimgate mapping check
#[derive(clap::Args)]
pub struct Check {
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Check {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let loaded = Translator::load(config);
        let (exit, version, issues) = match &loaded {
            Ok(translator) => (Exit::Clean, Some(translator.mappings.version()), translator.mappings.warnings()),
            Err(fault) => (Exit::Issues, None, fault.issues.as_slice()),
        };
        match (self.format, version) {
            (Format::Json, _) => {
                say!("{:#}", json!({"clean": exit == Exit::Clean, "version": version, "issues": issues}));
            }
            (Format::Text, version) => {
                show::issues(None, issues);
                if let Some(version) = version {
                    say!("mappings {version}: clean");
                }
            }
        }
        Ok(exit)
    }
}
