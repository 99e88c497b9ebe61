//! `claimgate mapping`: the mappings checked, tested, measured, compared and described.

use crate::cli::Exit;
use crate::cli::show::{said, say};
use crate::config::Config;
use crate::fault::Fault;
use crate::gateway::Translator;
use crate::mapping::{functions, schema};
use crate::payers::settings;

mod check;
mod coverage;
mod diff;
mod test;

/// Check, test and compare the mappings
#[derive(clap::Args)]
pub struct Mapping {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(check::Check),
    Test(test::Test),
    Coverage(coverage::CoverageReport),
    Diff(diff::Diff),
    /// List the functions that mappings may call
    ///
    /// Example: claimgate mapping functions | less
    Functions,
    /// Print the JSON schema of mapping files, for editors that complete while you write
    ///
    /// Example: claimgate mapping schema > mapping.schema.json
    Schema {
        /// The schema of payer.yaml instead
        #[arg(long)]
        payer: bool,
    },
}

/// How a report is written.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
}

impl Mapping {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        match self.command {
            Command::Check(check) => check.run(config),
            Command::Test(test) => test.run(config),
            Command::Coverage(coverage) => coverage.run(config),
            Command::Diff(diff) => diff.run(config),
            Command::Functions => {
                said(format_args!("{}", functions::reference()));
                Ok(Exit::Clean)
            }
            Command::Schema { payer: true } => {
                say!("{:#}", settings::schema());
                Ok(Exit::Clean)
            }
            Command::Schema { payer: false } => {
                let translator = Translator::load(config)?;
                say!("{:#}", schema::mapping(&translator.guides, translator.definitions.as_ref()));
                Ok(Exit::Clean)
            }
        }
    }
}
