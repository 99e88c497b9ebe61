//! The command line: one file a command, each the offline twin of something the server does.

use crate::config::Config;
use crate::fault::{Fault, Issue};
use crate::telemetry;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

pub mod config;
pub mod convert;
pub mod demo;
pub mod explain;
pub mod input;
pub mod journal;
pub mod journey;
pub mod map;
pub mod mapping;
pub mod next;
pub mod payers;
pub mod report;
pub mod serve;
pub mod show;
pub mod simulate;
pub mod validate;
pub mod x12;

/// How a run ended, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done, and clean.
    Clean = 0,
    /// Something was refused, or issues were found.
    Issues = 1,
    /// The input could not be read, or the command line was wrong.
    Unreadable = 2,
    /// A fault of the gateway or its surroundings.
    Broken = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// A FHIR R4 gateway for US health-care claims: FHIR in, X12 005010 out, the payers' answers back as FHIR.
#[derive(Parser)]
#[command(name = "claimgate", version, arg_required_else_help = true)]
struct Arguments {
    /// Configuration file; the environment (CLAIMGATE_…) overrides it.
    #[arg(long, global = true, default_value = "claimgate.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Work(serve::Work),
    Demo(demo::Demo),
    Map(map::Map),
    Explain(explain::Explain),
    Convert(convert::Convert),
    Next(next::Next),
    Journal(journal::Journal),
    Journey(journey::Journey),
    Validate(validate::Validate),
    X12(x12::X12),
    Mapping(mapping::Mapping),
    Payers(payers::Payers),
    Simulate(simulate::Simulate),
    Config(config::Configuration),
}

/// Runs the command that the arguments ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Unreadable } else { Exit::Clean };
        }
    };
    telemetry::log_to_stderr();
    let done = Config::read(&arguments.config).and_then(|config| command(arguments.command, config));
    done.unwrap_or_else(|fault| {
        show::fault(&fault);
        exit_of(&fault)
    })
}

fn command(command: Command, config: Config) -> Result<Exit, Fault> {
    match command {
        Command::Serve(serve) => serve.run(config),
        Command::Work(work) => work.run(config),
        Command::Demo(demo) => demo.run(config),
        Command::Map(map) => map.run(config),
        Command::Explain(explain) => explain.run(config),
        Command::Convert(convert) => convert.run(config),
        Command::Next(next) => next.run(config),
        Command::Journal(journal) => journal.run(config),
        Command::Journey(journey) => journey.run(config),
        Command::Validate(validate) => validate.run(config),
        Command::X12(x12) => x12.run(config),
        Command::Mapping(mapping) => mapping.run(config),
        Command::Payers(payers) => payers.run(config),
        Command::Simulate(simulate) => simulate.run(config),
        Command::Config(configuration) => configuration.run(config),
    }
}

fn exit_of(fault: &Fault) -> Exit {
    match fault.status() {
        400 => Exit::Unreadable,
        401..500 => Exit::Issues,
        _ => Exit::Broken,
    }
}

/// The exit of a run that found these issues.
pub fn exit_for(issues: &[Issue]) -> Exit {
    if crate::fault::any_error(issues) { Exit::Issues } else { Exit::Clean }
}

/// The runtime of the commands that need one.
pub fn block_on<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fault::ours(crate::fault::codes::INTERNAL, error.to_string()))?;
    runtime.block_on(work)
}
