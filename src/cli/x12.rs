//! `claimgate x12`: X12 files by themselves. All but `ack --read` read files of any length: `parse` without --ndjson holds
//! one transaction set at a time, the others hold one segment or claim, and `ack` what the answer says.

use crate::assets::Folder;
use crate::cli::input::{self, Input};
use crate::cli::show::say;
use crate::cli::validate::guides;
use crate::cli::{Exit, exit_for, show};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::{Fault, any_error, codes};
use crate::flow::acknowledge;
use crate::gateway::Translator;
use crate::x12::acknowledged::{self, Words};
use crate::x12::document::Document;
use crate::x12::guide::Guides;
use crate::x12::stream::{Follower, Segments};
use crate::x12::text::Text;
use crate::x12::{format, json, reader, split, strangers};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Read, rewrite, acknowledge and split X12 files
#[derive(clap::Args)]
pub struct X12 {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Interchanges, groups, sets and loops as JSON
    ///
    /// Example: claimgate x12 parse --ndjson remittance.x12
    Parse {
        /// Files, folders, or `-` for standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// One segment a line: {"ordinal","id","loop","offset","elements"}; of any length, in constant memory
        #[arg(long)]
        ndjson: bool,
    },
    /// Rewrite: byte for byte, or canonical (one segment a line, no empty tails), or indented by loop
    ///
    /// Example: claimgate x12 format --indent claims.x12
    Format {
        /// Files, folders, or `-` for standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[arg(long)]
        canonical: bool,
        #[arg(long)]
        indent: bool,
    },
    /// TA1 and 999 for a file; with --read, what a TA1, 999 or 997 says about it
    ///
    /// Examples: claimgate x12 ack claims.x12 > 999.x12; claimgate x12 ack --read 999.x12 claims.x12
    Ack {
        /// An X12 file; `-` is standard input
        file: PathBuf,
        /// Check as this payer's profile asks (`checks` in payer.yaml)
        #[arg(long)]
        payer: Option<String>,
        /// The acknowledgment of the file: each fault is shown where it stands in the file
        #[arg(long, value_name = "ACK")]
        read: Option<PathBuf>,
        /// With --read: issues as JSON
        #[arg(long)]
        json: bool,
    },
    /// One file a claim, payment or answer; a transaction set without any stays whole
    ///
    /// Example: claimgate x12 split --out claims claims.x12
    Split {
        /// An X12 file; `-` is standard input
        file: PathBuf,
        /// Folder for the parts
        #[arg(long)]
        out: PathBuf,
    },
}

impl X12 {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        match self.command {
            Command::Parse { files, ndjson: true } => each(&files, &guides(&config)?, segments),
            Command::Parse { files, ndjson: false } => tree(&guides(&config)?, &files),
            Command::Format { files, canonical: false, indent: false } => each(&files, &(), as_read),
            Command::Format { files, indent, .. } => each(&files, &(guides(&config)?, indent), lines),
            Command::Ack { file, read: Some(answer), json, .. } => {
                read_ack(&Translator::load(config)?, &answer, &file, json)
            }
            Command::Ack { file, payer, read: None, .. } => ack(config, payer.as_deref(), &file),
            Command::Split { file, out } => parts(&guides(&config)?, &file, &out),
        }
    }
}

type Out = BufWriter<std::io::StdoutLock<'static>>;

/// Whether a file held an interchange, unless the output was closed.
type Written = Result<std::io::Result<bool>, Fault>;

fn stdout() -> Out {
    BufWriter::with_capacity(1 << 16, std::io::stdout().lock())
}

/// Writes one file after another. A reader that went away (`… | head`) is no fault of ours.
fn each<T>(paths: &[PathBuf], with: &T, write: fn(&T, Input, &mut Out) -> Written) -> Result<Exit, Fault> {
    let mut out = stdout();
    let mut exit = Exit::Clean;
    for file in input::expand(paths)? {
        let Some(input) = opened(&file) else {
            exit = Exit::Unreadable;
            continue;
        };
        let (bar, head) = (input.bar.clone(), input.head().to_vec());
        let written = write(with, input, &mut out)?;
        bar.finish_and_clear();
        match written.and_then(|found| out.flush().map(|()| found)) {
            Ok(true) => {}
            Ok(false) => {
                no_interchange(&file, &head);
                exit = Exit::Unreadable;
            }
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(Exit::Clean),
            Err(error) => return Err(unwritable(Path::new("the output"), &error)),
        }
    }
    Ok(exit)
}

/// One of several files; what is wrong with it is said, and does not keep the others from being read.
fn opened(file: &Path) -> Option<Input> {
    Input::open(file).inspect_err(|fault| show::issues(None, &fault.issues)).ok()
}

fn segments(guides: &Guides, input: Input, out: &mut Out) -> Written {
    let name = input.name.clone();
    let mut segments = Segments::new(input);
    let mut follower = Follower::new(guides);
    let mut found = false;
    while let Some(step) = segments.next_segment()? {
        if step.garbage {
            continue;
        }
        found = true;
        follower.take(&step);
        if let Err(error) = json::write_segment(&step.segment, follower.loop_id(), out) {
            return Ok(Err(error));
        }
    }
    // Without any interchange the caller says so.
    if found {
        show::issues(Some(&name), &segments.issues());
    }
    Ok(Ok(found))
}

fn as_read((): &(), input: Input, out: &mut Out) -> Written {
    format::as_read(input, out)
}

fn lines((guides, indent): &(Guides, bool), input: Input, out: &mut Out) -> Written {
    format::lines(guides, input, *indent, out)
}

fn tree(guides: &Guides, paths: &[PathBuf]) -> Result<Exit, Fault> {
    let mut document = Document::new(guides, stdout());
    let mut exit = Exit::Clean;
    for file in input::expand(paths)? {
        let Some(input) = opened(&file) else {
            exit = Exit::Unreadable;
            continue;
        };
        let (bar, before) = (input.bar.clone(), document.interchanges);
        // A reader that went away is no fault of ours.
        let Ok(issues) = document.file(input)? else { return Ok(Exit::Clean) };
        bar.finish_and_clear();
        show::issues(Some(&file.display().to_string()), &issues);
        if document.interchanges == before {
            exit = Exit::Unreadable;
        }
    }
    let _ = document.end();
    Ok(exit)
}

fn ack(config: Config, payer: Option<&str>, file: &Path) -> Result<Exit, Fault> {
    let policy = input::checks(&config, payer)?;
    let guides = guides(&config)?;
    let input = Input::open(file)?;
    let bar = input.bar.clone();
    let mut out = stdout();
    let answered = acknowledge::write(&guides, &policy, input, Clock::System.now(), &mut out)?;
    bar.finish_and_clear();
    // A reader that went away is no fault of ours.
    let Ok(answered) = answered.and_then(|answered| out.flush().map(|()| answered)) else { return Ok(Exit::Clean) };
    show::issues(None, &answered.outside);
    if !answered.any && answered.outside.is_empty() {
        eprintln!("{}: nothing to acknowledge: acknowledgments are not acknowledged", file.display());
    }
    Ok(exit_for(&answered.outside))
}

/// What an acknowledgment says about the file that it answers.
fn read_ack(translator: &Translator, answer: &Path, file: &Path, json: bool) -> Result<Exit, Fault> {
    let (answer, original) = (input::bytes(answer)?, input::bytes(file)?);
    let (answer, original) = (Text::decode(&answer), Text::decode(&original));
    let (answers, mut issues) = reader::read_text(&answer);
    let (originals, _) = reader::read_text(&original);
    let words = Words::load(&Folder::mappings(&translator.config.mappings_dir));
    issues.extend(acknowledged::read(&translator.guides, &words, &answers, &originals));
    if json {
        let mut out = stdout();
        let report = serde_json::json!({ "accepted": !any_error(&issues), "issues": issues });
        // A reader that went away is no fault of ours.
        let _ = writeln!(out, "{report:#}").and_then(|()| out.flush());
        return Ok(exit_for(&issues));
    }
    show::issues(None, &issues);
    if !any_error(&issues) {
        say!("{}: accepted", file.display());
    }
    Ok(exit_for(&issues))
}

fn parts(guides: &Guides, file: &Path, out: &Path) -> Result<Exit, Fault> {
    std::fs::create_dir_all(out).map_err(|error| unwritable(out, &error))?;
    let input = Input::open(file)?;
    let (bar, head) = (input.bar.clone(), input.head().to_vec());
    let mut failed = None;
    let mut count = 0;
    let found = split::split(guides, input, |part| {
        let name = format!("{:05}-{}.x12", part.number, named(&part.id));
        failed = std::fs::write(out.join(name), &part.bytes).err();
        count = part.number;
        failed.is_none()
    })?;
    bar.finish_and_clear();
    match failed {
        Some(error) => Err(unwritable(out, &error)),
        None if !found.an_interchange => {
            no_interchange(file, &head);
            Ok(Exit::Unreadable)
        }
        None => {
            show::issues(Some(&file.display().to_string()), &found.left_out);
            eprintln!("{count} files written to {}", out.display());
            Ok(exit_for(&found.left_out))
        }
    }
}

fn no_interchange(file: &Path, head: &[u8]) {
    show::issues(Some(&file.display().to_string()), &[strangers::no_interchange(head)]);
}

fn unwritable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::ours(codes::INTERNAL, format!("{} can't be written: {error}", path.display()))
}

/// A file name has no room for a path: only letters, digits and hyphens of the id are kept.
fn named(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect()
}

/// A file for people: one segment a line, indented by loop.
pub fn print(guides: &Guides, text: &str) {
    let mut lines = Vec::new();
    let _ = format::lines(guides, text.as_bytes(), true, &mut lines);
    for line in String::from_utf8_lossy(&lines).lines() {
        say!("    {line}");
    }
}
