//! `claimgate payers`: the profiles that are loaded.

use crate::cli::Exit;
use crate::config::Config;
use crate::fault::{Fault, Place, codes};
use crate::gateway::Translator;

/// List the payers, or show one
#[derive(clap::Args)]
pub struct Payers {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// One line a payer
    List,
    /// The whole profile as JSON
    Show { id: String },
}

impl Payers {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        match self.command {
            Command::List => {
                for profile in translator.payers.all() {
                    println!(
                        "{:<20} {:<40} {}",
                        profile.id,
                        profile.name,
                        profile.routes.keys().cloned().collect::<Vec<_>>().join(", ")
                    );
                }
            }
            Command::Show { id } => {
                let known: Vec<&str> = translator.payers.ids().collect();
                let unknown = || {
                    let hint = format!("known payers: {}", known.join(", "));
                    Fault::refuse(codes::PAYER_UNKNOWN, Place::Whole, format!("there is no payer profile {id}"), hint)
                };
                let profile = translator.payers.get(&id).ok_or_else(unknown)?;
                println!("{:#}", translator.facts(&profile.id));
            }
        }
        Ok(Exit::Clean)
    }
}
