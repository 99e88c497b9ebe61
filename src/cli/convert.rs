//! `claimgate convert`: a payer's X12 in, FHIR out, without a store.

use crate::cli::journal::{self, Format};
use crate::cli::{Exit, input, show};
use crate::config::Config;
use crate::fault::{Fault, Issue};
use crate::flow::convert::{self, Sink, Told};
use crate::gateway::Translator;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::PathBuf;

/// Issues that are shown; of more only the number is told.
pub const SHOWN_ISSUES: usize = 1000;

/// Convert a payer's answers (TA1, 999, 277CA, 277, 271, 278, 835) to FHIR: a Bundle on stdout, issues on stderr
///
/// A file may hold any number of interchanges of any of these, and be of any length. Exit 0: everything is told; 1: something
/// was lost or is invalid; 2: there is no X12 in the file.
///
/// Example: claimgate convert remittance.x12 > remittance.json
#[derive(clap::Args)]
pub struct Convert {
    /// An X12 file; `-` is standard input
    file: PathBuf,
    /// One resource a line instead of a Bundle
    #[arg(long)]
    ndjson: bool,
    /// As what the claims of an 835 are told
    #[arg(long = "as", value_enum, default_value = "claim-response")]
    told: As,
    /// How the journal is written
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Payer profile that the answer came from
    #[arg(long, default_value = "generic")]
    payer: String,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum As {
    /// ClaimResponse: what the provider is told
    ClaimResponse,
    /// ExplanationOfBenefit in the shape of CARIN Blue Button: what the patient is shown
    Eob,
    /// No FHIR, but the journal for accounting: charges, payments, adjustments, the patient's share
    Journal,
}

impl Convert {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        let source = input::open(&self.file)?;
        let told = match self.told {
            As::ClaimResponse => Told::ClaimResponse,
            As::Eob => Told::ExplanationOfBenefit,
            As::Journal => {
                let format = if self.ndjson { Format::Ndjson } else { self.format };
                return journal::offline(&translator, &self.payer, format, source);
            }
        };
        let mut printer = Printer {
            out: BufWriter::with_capacity(1 << 16, io::stdout().lock()),
            ndjson: self.ndjson,
            resources: 0,
            issues: 0,
            errors: 0,
            closed: false,
        };
        let converted = convert::convert(&translator, &self.payer, told, source, &mut printer);
        // A reader that has seen enough (`| head`) is no fault.
        let found = if printer.closed { true } else { converted? };
        printer.end();
        Ok(match (found, printer.errors) {
            (false, _) => Exit::Unreadable,
            (true, 0) => Exit::Clean,
            (true, _) => Exit::Issues,
        })
    }
}

/// Writes a Bundle entry by entry, or resources line by line.
struct Printer {
    out: BufWriter<StdoutLock<'static>>,
    ndjson: bool,
    resources: u64,
    issues: usize,
    errors: u64,
    closed: bool,
}

impl Printer {
    fn write(&mut self, id: &str, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        if self.ndjson {
            write(&mut self.out)?;
            return self.out.write_all(b"\n");
        }
        let head = match self.resources {
            1 => "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[\n",
            _ => ",\n",
        };
        write!(self.out, "{head}{{\"fullUrl\":\"urn:uuid:{id}\",\"resource\":")?;
        write(&mut self.out)?;
        self.out.write_all(b"}")
    }

    fn end(&mut self) {
        let last = match (self.ndjson, self.resources) {
            (true, _) => "",
            (false, 0) => "{\"resourceType\":\"Bundle\",\"type\":\"collection\"}\n",
            (false, _) => "\n]}\n",
        };
        let _ = self.out.write_all(last.as_bytes()).and_then(|()| self.out.flush());
        if self.issues > SHOWN_ISSUES {
            eprintln!("and {} issues more", self.issues - SHOWN_ISSUES);
        }
    }
}

impl Sink for Printer {
    fn resource(&mut self, id: &str, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        self.resources += 1;
        let written = self.write(id, write);
        self.closed |= written.is_err();
        written
    }

    fn issue(&mut self, issue: &Issue) {
        self.issues += 1;
        self.errors += u64::from(issue.is_error());
        if self.issues <= SHOWN_ISSUES {
            show::issues(None, std::slice::from_ref(issue));
        }
    }
}
