//! `claimgate simulate`: the payer that answers, over two directories.

use crate::assets::Folder;
use crate::cli::{Exit, block_on, serve};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::{Fault, Place, codes};
use crate::gateway::Translator;
use crate::payers::TransportProfile;
use crate::simulator::directory::{self, Options};
use crate::simulator::scenario::{self, Scenario};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;

/// The payer that answers: reads what the gateway sends to a payer's directory and writes TA1, 999, 277CA and 835
///
/// Example: claimgate simulate --payer northwind --scenario conformance/scenarios/default.yaml
#[derive(clap::Args)]
pub struct Simulate {
    /// Payer profile whose directories are used
    #[arg(long, default_value = "northwind")]
    payer: String,
    /// What becomes of which claim; the one that ships when absent
    #[arg(long)]
    scenario: Option<PathBuf>,
    /// Leave out the scenario's delays
    #[arg(long)]
    hurry: bool,
    /// Answer what is there, then end
    #[arg(long)]
    once: bool,
}

impl Simulate {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let conformance = Folder::conformance(&config.conformance_dir);
        let scenario = match &self.scenario {
            Some(path) => read(path)?,
            None => shipped(&conformance, scenario::DEFAULT)?,
        };
        let translator = Translator::load(config)?;
        let mut options = options(translator, &self.payer, scenario)?;
        options.hurry = self.hurry;
        if self.once {
            return once(options);
        }
        block_on(async move {
            let (_sender, heard) = serve::shutdown();
            directory::run(options, ended(heard)).await?;
            Ok(Exit::Clean)
        })
    }
}

/// One look into the folder.
fn once(options: Options) -> Result<Exit, Fault> {
    let written = directory::Payer::new(options).round()?;
    eprintln!("{written} answers written");
    Ok(Exit::Clean)
}

fn read(path: &Path) -> Result<Scenario, Fault> {
    let text = String::from_utf8(crate::cli::input::bytes(path)?).unwrap_or_default();
    Scenario::read(&text, &path.display().to_string())
}

/// A scenario of the conformance folder.
pub fn shipped(conformance: &Folder, path: &str) -> Result<Scenario, Fault> {
    let missing = || Fault::ours(codes::CONFIGURATION, format!("{} is missing", conformance.display(path)));
    Scenario::read(&conformance.text(path).ok_or_else(missing)?, &conformance.display(path))
}

/// The simulated payer at the other end of a payer's directories.
pub fn options(translator: Translator, payer: &str, scenario: Scenario) -> Result<Options, Fault> {
    let refuse = |text: String| {
        Fault::refuse(codes::PAYER_UNKNOWN, Place::Whole, text, "name a payer whose transport is a directory")
    };
    let profile = translator.payers.get(payer).ok_or_else(|| refuse(format!("there is no payer profile {payer}")))?;
    let TransportProfile::Directory { outbound, inbound } = profile.transport.clone() else {
        return Err(refuse(format!("payer {payer} is not reached through directories")));
    };
    Ok(Options {
        scenario,
        guides: translator.guides,
        outbound,
        inbound,
        pause: Duration::from_millis(100),
        hurry: false,
        clock: Clock::System,
    })
}

/// Done when the shutdown is heard.
pub async fn ended(mut heard: watch::Receiver<bool>) {
    while !*heard.borrow() && heard.changed().await.is_ok() {}
}
