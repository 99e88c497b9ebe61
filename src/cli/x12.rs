//! `claimgate x12`: X12 files by themselves.

use crate::cli::{Exit, exit_for, input, show};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::Fault;
use crate::flow::acknowledge;
use crate::gateway::Translator;
use std::io::Write;
use std::path::PathBuf;

/// Acknowledge an X12 file
#[derive(clap::Args)]
pub struct X12 {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// TA1 and 999 for a file, on stdout
    Ack { file: PathBuf },
}

impl X12 {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let Command::Ack { file } = self.command;
        let translator = Translator::load(config)?;
        let bytes = input::bytes(&file)?;
        let text = crate::x12::text::Text::decode(&bytes);
        let (_, issues) = crate::x12::reader::read_text(&text);
        show::issues(None, &issues);
        let _ = std::io::stdout().write_all(&acknowledge::answer(&translator, &bytes, Clock::System.now()));
        Ok(exit_for(&issues))
    }
}

/// A file for people: one segment a line, indented.
pub fn print(text: &str) {
    let (interchanges, _) = crate::x12::reader::read(text);
    let Some(terminator) = interchanges.first().map(|interchange| interchange.delimiters.terminator as char) else {
        println!("{text}");
        return;
    };
    for segment in text.split(terminator).map(str::trim).filter(|segment| !segment.is_empty()) {
        println!("    {segment}{terminator}");
    }
}
