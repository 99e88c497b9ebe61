//! `claimgate x12`: X12 files by themselves. Files are streamed where the result allows it.

use crate::cli::{Exit, exit_for, input, show};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::{Fault, codes};
use crate::flow::acknowledge;
use crate::gateway::Translator;
use crate::x12::guide::Guides;
use crate::x12::stream::{Follower, Segments};
use crate::x12::text::Text;
use crate::x12::{format, json, reader, split};
use serde_json::Value;
use std::io::{BufWriter, Read, Write};
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
        file: PathBuf,
        /// One segment a line: {"ordinal","id","loop","offset","elements"}; streamed
        #[arg(long)]
        ndjson: bool,
    },
    /// Rewrite: byte for byte, or canonical (one segment a line, no empty tails), or indented by loop
    Format {
        file: PathBuf,
        #[arg(long)]
        canonical: bool,
        #[arg(long)]
        indent: bool,
    },
    /// TA1 and 999 for a file
    Ack { file: PathBuf },
    /// One file a claim, payment or answer
    Split {
        file: PathBuf,
        /// Folder for the parts
        #[arg(long)]
        out: PathBuf,
    },
}

impl X12 {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        match self.command {
            Command::Parse { file, ndjson: true } => segments(&translator.guides, &file),
            Command::Parse { file, ndjson: false } => tree(&translator.guides, &file),
            Command::Format { file, canonical, indent } => rewrite(&translator.guides, &file, canonical, indent),
            Command::Ack { file } => ack(&translator, &file),
            Command::Split { file, out } => parts(&translator.guides, &file, &out),
        }
    }
}

fn stdout() -> BufWriter<std::io::StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, std::io::stdout().lock())
}

/// A reader that went away (`… | head`) is no fault of ours.
fn written(result: std::io::Result<()>) -> Result<Exit, Fault> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Fault::ours(codes::INTERNAL, format!("the output can't be written: {error}")))
        }
        _ => Ok(Exit::Clean),
    }
}

fn segments(guides: &Guides, file: &Path) -> Result<Exit, Fault> {
    let mut segments = Segments::new(source(file)?);
    let mut follower = Follower::new(guides);
    let mut out = stdout();
    while let Some(step) = segments.next_segment()? {
        if step.garbage {
            continue;
        }
        follower.take(&step);
        let value = json::segment(&step.segment, follower.loop_id());
        if let Err(error) = writeln!(out, "{value}") {
            return written(Err(error));
        }
    }
    written(out.flush())
}

fn tree(guides: &Guides, file: &Path) -> Result<Exit, Fault> {
    let bytes = input::bytes(file)?;
    let text = Text::decode(&bytes);
    let (interchanges, issues) = reader::read_text(&text);
    show::issues(None, &issues);
    let all: Value = interchanges.iter().map(|interchange| json::interchange(guides, interchange)).collect();
    let mut out = stdout();
    written(writeln!(out, "{all:#}").and_then(|()| out.flush()))?;
    Ok(exit_for(&issues))
}

fn rewrite(guides: &Guides, file: &Path, canonical: bool, indent: bool) -> Result<Exit, Fault> {
    let mut out = stdout();
    if canonical || indent {
        return written(format::lines(guides, source(file)?, indent, &mut out)?);
    }
    written(format::as_read(source(file)?, &mut out)?)
}

fn ack(translator: &Translator, file: &Path) -> Result<Exit, Fault> {
    let bytes = input::bytes(file)?;
    let text = Text::decode(&bytes);
    let (_, issues) = reader::read_text(&text);
    show::issues(None, &issues);
    let mut out = stdout();
    written(out.write_all(&acknowledge::answer(translator, &bytes, Clock::System.now())).and_then(|()| out.flush()))?;
    Ok(exit_for(&issues))
}

fn parts(guides: &Guides, file: &Path, out: &Path) -> Result<Exit, Fault> {
    let unwritable = |error: std::io::Error| Fault::ours(codes::INTERNAL, format!("{}: {error}", out.display()));
    std::fs::create_dir_all(out).map_err(unwritable)?;
    let mut failed = None;
    let mut count = 0;
    split::split(guides, source(file)?, |part| {
        let name = format!("{:05}-{}.x12", part.number, named(&part.id));
        failed = std::fs::write(out.join(name), &part.bytes).err();
        count = part.number;
        failed.is_none()
    })?;
    match failed {
        Some(error) => Err(unwritable(error)),
        None => {
            eprintln!("{count} files written to {}", out.display());
            Ok(Exit::Clean)
        }
    }
}

/// A file name has no room for a path: only letters, digits and hyphens of the id are kept.
fn named(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect()
}

/// A file, or standard input, to be streamed.
fn source(file: &Path) -> Result<Box<dyn Read>, Fault> {
    if file == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let opened = std::fs::File::open(file).map_err(|error| input::unreadable(file, &error))?;
    Ok(Box::new(opened))
}

/// A file for people: one segment a line, indented by loop.
pub fn print(guides: &Guides, text: &str) {
    let mut lines = Vec::new();
    let _ = format::lines(guides, text.as_bytes(), true, &mut lines);
    for line in String::from_utf8_lossy(&lines).lines() {
        println!("    {line}");
    }
}
