//! `claimgate explain`: the mapped claim with, under each element, the rule and the source it came from.

use crate::cli::{Exit, input};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::Fault;
use crate::flow::{prepare, translate};
use crate::gateway::Translator;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Explain a mapping: each element with the rule (file:line) and the source path it came from
///
/// Example: claimgate explain --payer generic claim.json
#[derive(clap::Args)]
pub struct Explain {
    #[arg(long, default_value = "generic")]
    payer: String,
    file: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        let resources = translate::read(&translator, &input::bytes(&self.file)?)?;
        let known = translate::known(&resources, Clock::System.now());
        let rows = prepare::explain(&translator, &resources, Some(&self.payer), &known)?;
        if self.json {
            let rows: Vec<Value> = rows
                .iter()
                .map(|row| json!({"target": row.target, "value": row.value, "rule": row.rule, "sources": row.sources}))
                .collect();
            println!("{:#}", Value::from(rows));
        } else {
            for row in rows {
                println!("{} = {}\n    {}\n    {}", row.target, row.value, row.rule, row.sources.join(", "));
            }
        }
        Ok(Exit::Clean)
    }
}
