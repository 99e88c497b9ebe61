//! `claimgate config`: what is in force.

use crate::cli::Exit;
use crate::cli::show::say;
use crate::config::Config;
use crate::fault::Fault;

/// Show the configuration in force
#[derive(clap::Args)]
pub struct Configuration {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Every knob with its value, as JSON; secrets in URLs are masked
    Show,
}

impl Configuration {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let Command::Show = self.command;
        let mut config = config;
        for url in [&mut config.amqp_url, &mut config.postgres_url].into_iter().flatten() {
            *url = masked(url);
        }
        say!("{}", serde_json::to_string_pretty(&config).unwrap_or_default());
        Ok(Exit::Clean)
    }
}

/// `amqp://user:password@host` → `amqp://user:***@host`.
fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((credentials, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:***@{host}")
}
