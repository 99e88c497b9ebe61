//! `claimgate next`: a claim and a payer's answer in, what a biller does next out.

use crate::cli::show::say;
use crate::cli::{Exit, input};
use crate::config::Config;
use crate::fault::Fault;
use crate::flow::next::offline;
use crate::gateway::Translator;
use std::path::PathBuf;

/// Tell what comes next after a payer's answer: the claim for the next payer, the claim to be mended, or words
///
/// JSON on stdout: `next` is the step, `because` its reasons, `changes` what to mend and where (FHIRPath), `bundle` the claim
/// that comes next with everything that it needs; `--bundle` prints this alone, to be mapped.
///
/// Example: claimgate next --payer generic --claim claim.json --bundle 835.x12 | claimgate map --payer northwind -
#[derive(clap::Args)]
pub struct Next {
    /// Payer profile that the answer came from
    #[arg(long, default_value = "generic")]
    payer: String,
    /// The claim that was sent: a Bundle or Claim as JSON
    #[arg(long)]
    claim: PathBuf,
    /// The payer's answer (999, 277CA, 277, 278, 835); `-` is standard input
    answer: PathBuf,
    /// Print only the Bundle with the claim that comes next; exit 1 when there is none
    #[arg(long)]
    bundle: bool,
}

impl Next {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        let (claim, answer) = (input::bytes(&self.claim)?, input::bytes(&self.answer)?);
        let told = offline::next(&translator, &self.payer, &claim, &answer)?;
        if !self.bundle {
            say!("{told:#}");
            return Ok(Exit::Clean);
        }
        match told.get("bundle") {
            Some(bundle) => say!("{bundle:#}"),
            None => eprintln!("no claim comes next: {}", told["next"].as_str().unwrap_or_default()),
        }
        Ok(if told.get("bundle").is_some() { Exit::Clean } else { Exit::Issues })
    }
}
