//! `claimgate mapping`: check and describe the mappings.

use crate::cli::{Exit, show};
use crate::config::Config;
use crate::fault::Fault;
use crate::gateway::Translator;
use crate::mapping::functions;

/// Check the mappings, list the functions
#[derive(clap::Args)]
pub struct Mapping {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Check all mappings, profiles and tables: every mistake with file, line, column and a hint
    Check,
    /// List the functions that mappings may call
    Functions,
}

impl Mapping {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        match self.command {
            Command::Check => check(config),
            Command::Functions => {
                print!("{}", functions::reference());
                Ok(Exit::Clean)
            }
        }
    }
}

fn check(config: Config) -> Result<Exit, Fault> {
    match Translator::load(config) {
        Ok(translator) => {
            println!("mappings {}: clean", translator.mappings.version());
            Ok(Exit::Clean)
        }
        Err(fault) => {
            show::fault(&fault);
            Ok(Exit::Issues)
        }
    }
}
