//! `claimgate convert`: a payer's X12 in, FHIR out, without a store.

use crate::cli::{Exit, exit_for, input, show};
use crate::config::Config;
use crate::fault::Fault;
use crate::flow::translate;
use crate::gateway::Translator;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

/// Convert a payer's answer (TA1, 999, 277CA, 835) to FHIR: a Bundle on stdout, issues on stderr
///
/// Example: claimgate convert remittance.x12 > remittance.json
#[derive(clap::Args)]
pub struct Convert {
    /// An X12 file; `-` is standard input
    file: PathBuf,
    /// One resource a line instead of a Bundle
    #[arg(long)]
    ndjson: bool,
    /// Payer profile that the answer came from
    #[arg(long, default_value = "generic")]
    payer: String,
}

impl Convert {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        let converted = translate::convert(&translator, &self.payer, &input::bytes(&self.file)?)?;
        show::issues(None, &converted.issues);
        // A reader that has seen enough (`| head`) is no fault.
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        if self.ndjson {
            for resource in &converted.resources {
                let _ = writeln!(out, "{resource}");
            }
        } else {
            let _ = writeln!(out, "{:#}", bundle(&converted.resources));
        }
        Ok(exit_for(&converted.issues))
    }
}

/// Resources as a collection Bundle.
pub fn bundle(resources: &[Value]) -> Value {
    let entry = |resource: &Value| {
        let id = resource["id"].as_str().unwrap_or_default();
        json!({"fullUrl": format!("urn:uuid:{id}"), "resource": resource})
    };
    let mut bundle = json!({"resourceType": "Bundle", "type": "collection"});
    if !resources.is_empty() {
        bundle["entry"] = resources.iter().map(entry).collect();
    }
    bundle
}
