//! `claimgate validate`: FHIR or X12, told apart by content.

use crate::cli::{Exit, input, show};
use crate::config::Config;
use crate::fault::{Fault, Issue, any_error};
use crate::fhir::{parse, second_opinion, validate};
use crate::gateway::Translator;
use crate::x12::policy::Policy;
use crate::x12::text::Text;
use crate::x12::{check, reader};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Validate FHIR or X12 files
///
/// Exit code 0: clean; 1: issues; 2: unreadable. Example: claimgate validate claim.json remittance.x12
#[derive(clap::Args)]
pub struct Validate {
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Check X12 as this payer's profile asks (`checks` in payer.yaml)
    #[arg(long)]
    payer: Option<String>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Validate {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        let policy = input::policy(&translator, self.payer.as_deref())?;
        let mut exit = Exit::Clean;
        let mut report = Vec::new();
        for file in &self.files {
            let name = file.display().to_string();
            let (found, issues) = match input::bytes(file).and_then(|bytes| issues(&translator, &policy, &bytes)) {
                Ok(issues) if any_error(&issues) => (Exit::Issues, issues),
                Ok(issues) => (Exit::Clean, issues),
                Err(fault) => (Exit::Unreadable, fault.issues),
            };
            exit = if found as u8 > exit as u8 { found } else { exit };
            match self.format {
                Format::Text => say(&name, found, &issues),
                Format::Json => report.push(json!({"file": name, "clean": found == Exit::Clean, "issues": issues})),
            }
        }
        if self.format == Format::Json {
            println!("{:#}", Value::from(report));
        }
        Ok(exit)
    }
}

fn say(name: &str, found: Exit, issues: &[Issue]) {
    show::issues(Some(name), issues);
    if found == Exit::Clean {
        println!("{name}: clean");
    }
}

/// All issues of a text; a fault when it can't be read at all.
fn issues(translator: &Translator, policy: &Policy, bytes: &[u8]) -> Result<Vec<Issue>, Fault> {
    if input::is_x12(bytes) {
        let text = Text::decode(bytes);
        let (interchanges, mut issues) = reader::read_text(&text);
        for interchange in &interchanges {
            issues.extend(check::check_interchange(&translator.guides, interchange));
        }
        policy.apply(&mut issues);
        return Ok(issues);
    }
    let value = parse::json(bytes, translator.config.limits.json_depth)?;
    let kind = value["resourceType"].as_str().unwrap_or("Resource");
    let mut issues = validate::resource(&translator.definitions, &value, kind);
    if !any_error(&issues) {
        issues.extend(second_opinion::judge(&value));
    }
    Ok(issues)
}
