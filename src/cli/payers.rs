//! `claimgate payers`: the profiles that are loaded.

use crate::cli::show::say;
use crate::cli::{Exit, show};
use crate::config::Config;
use crate::fault::{Fault, Issue, Place, codes};
use crate::flow::trial;
use crate::gateway::Translator;
use crate::payers::PayerProfile;
use serde_json::Value;

/// List the payers, show one, or try one
#[derive(clap::Args)]
pub struct Payers {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// One line a payer
    ///
    /// Example: claimgate payers list
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The whole profile as it was understood, as JSON
    ///
    /// Example: claimgate payers show northwind
    Show { id: String },
    /// Map the demonstration claims for a payer and look for its folders and secrets; nothing is sent
    ///
    /// Exit code 0: it works; 1: something is wrong. Example: claimgate payers test northwind
    Test { id: String },
}

impl Payers {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        match self.command {
            Command::List { json } => list(&translator, json),
            Command::Show { id } => {
                say!("{:#}", trial::understood(profile(&translator, &id)?));
                Ok(Exit::Clean)
            }
            Command::Test { id } => test(&translator, profile(&translator, &id)?),
        }
    }
}

fn list(translator: &Translator, json: bool) -> Result<Exit, Fault> {
    let routes = |profile: &PayerProfile| profile.routes.keys().cloned().collect::<Vec<_>>();
    if json {
        let line = |profile: &PayerProfile| serde_json::json!({"id": profile.id, "name": profile.name, "routes": routes(profile)});
        say!("{:#}", Value::from(translator.payers.all().map(line).collect::<Vec<_>>()));
    } else {
        for profile in translator.payers.all() {
            say!("{:<20} {:<40} {}", profile.id, profile.name, routes(profile).join(", "));
        }
    }
    Ok(Exit::Clean)
}

fn test(translator: &Translator, profile: &PayerProfile) -> Result<Exit, Fault> {
    let mut issues: Vec<Issue> = trial::surroundings(profile);
    for (name, result) in trial::claims(translator, profile) {
        match result {
            Ok(mapped) => say!("{name}: {} bytes, {} warnings", mapped.bytes.len(), mapped.warnings.len()),
            Err(fault) if fault.issues.iter().any(|issue| issue.code == codes::ROUTE_MISSING) => {
                say!("{name}: of a kind that this payer does not take");
            }
            Err(fault) => {
                say!("{name}: refused");
                issues.extend(fault.issues);
            }
        }
    }
    show::issues(None, &issues);
    Ok(crate::cli::exit_for(&issues))
}

fn profile<'t>(translator: &'t Translator, id: &str) -> Result<&'t PayerProfile, Fault> {
    let known: Vec<&str> = translator.payers.ids().collect();
    let hint = format!("known payers: {}", known.join(", "));
    let unknown = || Fault::refuse(codes::PAYER_UNKNOWN, Place::Whole, format!("there is no payer profile {id}"), hint);
    translator.payers.get(id).ok_or_else(unknown)
}
