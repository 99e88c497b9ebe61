//! `claimgate explain`: what `map` would make, and under each element the rule and the source it came from.

use crate::cli::show::say;
use crate::cli::{Exit, input};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::Fault;
use crate::flow::prepare::{self, Explained};
use crate::flow::translate;
use crate::gateway::Translator;
use std::path::PathBuf;

/// Explain a mapping: each segment with, under each element, the rule (file:line) and the source path and value
///
/// Example: claimgate explain --payer generic claim.json
#[derive(clap::Args)]
pub struct Explain {
    #[arg(long, default_value = "generic")]
    payer: String,
    /// The system that wrote the claim, for its overlays (mappings/sources/)
    #[arg(long)]
    source: Option<String>,
    /// A Bundle or Claim as JSON; `-` is standard input
    file: PathBuf,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Explain {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        let resources = translate::read(&translator, &input::claim(&self.file, self.source.as_deref())?)?;
        let known = translate::known(&resources, Clock::System.now());
        let explained = prepare::explain_segments(&translator, &resources, Some(&self.payer), &known)?;
        if self.json || self.format == Format::Json {
            say!("{}", serde_json::to_string_pretty(&explained).unwrap_or_default());
        } else {
            explained.iter().for_each(say);
        }
        Ok(Exit::Clean)
    }
}

fn say(segment: &Explained) {
    say!("{:<8} {}", segment.loop_id, segment.text);
    for element in &segment.elements {
        say!("           {} = {}", element.name, element.value);
        say!("               rule   {}", element.rule);
        for source in &element.sources {
            say!("               source {} = {}", source.path, source.value);
        }
    }
}
