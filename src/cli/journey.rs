//! `claimgate journey`: one claim's life.

use crate::cli::{Exit, block_on};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::Fault;
use crate::flow::journey;
use crate::gateway;
use crate::store::DEFAULT_TENANT;
use std::io::Write;

/// One claim's life, from the store in the data folder: each step with its time, file, control numbers and amounts
///
/// Example: claimgate journey CLAIM-1001
#[derive(clap::Args)]
pub struct Journey {
    /// Id of the submission, the Claim or the ClaimResponse, an identifier of the Claim, or a patient control number
    id: String,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// A line a step, for people
    Text,
    /// As `GET /journeys/{id}` has it
    Json,
}

impl Journey {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let store = gateway::open_store(&config, Clock::System)?;
        let journey = block_on(async move { journey::of(store.as_ref(), DEFAULT_TENANT, &self.id).await })?;
        let text = match self.format {
            Format::Text => journey::text(&journey),
            Format::Json => format!("{journey:#}\n"),
        };
        // A reader that has seen enough (`| head`) is no fault.
        let _ = std::io::stdout().write_all(text.as_bytes());
        Ok(Exit::Clean)
    }
}
