//! `claimgate journal`: what the payers' 835s mean for the books.

use crate::cli::convert::SHOWN_ISSUES;
use crate::cli::{Exit, block_on, show};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::{Fault, Issue, codes};
use crate::flow::journal::{self, Pages};
use crate::gateway::{self, Translator};
use crate::store::DEFAULT_TENANT;
use std::io::{self, BufWriter, ErrorKind, Read, StdoutLock, Write};

/// The journal for accounting, from the store in the data folder: charges, payments, adjustments, the patient's share
///
/// One line for each amount that a payer's 835 states, in the order of their dates; reversals are negative. `claimgate convert
/// --as journal FILE` gives the same of one file, without a store.
///
/// Example: claimgate journal --from 2026-01-01 --to 2026-01-31 > january.csv
#[derive(clap::Args)]
pub struct Journal {
    /// How it is written
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// First day, YYYY-MM-DD
    #[arg(long)]
    from: Option<String>,
    /// Last day, YYYY-MM-DD
    #[arg(long)]
    to: Option<String>,
    /// Only of this payer
    #[arg(long)]
    payer: Option<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated values (RFC 4180) with a header row
    Csv,
    /// One JSON object a line
    Ndjson,
}

impl Format {
    fn known(self) -> journal::Format {
        match self {
            Format::Csv => journal::Format::Csv,
            Format::Ndjson => journal::Format::Ndjson,
        }
    }
}

impl Journal {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let given = [&self.from, &self.to, &self.payer].map(Option::as_deref);
        let filter = journal::filter(DEFAULT_TENANT, given[0], given[1], given[2])?;
        let store = gateway::open_store(&config, Clock::System)?;
        let mut pages = Pages::new(filter, self.format.known());
        block_on(async move {
            let mut out = Out::new();
            while let Some(bytes) = pages.next(store.as_ref()).await? {
                if out.put(&bytes)? {
                    break;
                }
            }
            out.end()
        })
    }
}

/// The journal of one file, without a store.
pub fn offline(translator: &Translator, payer: &str, format: Format, source: impl Read) -> Result<Exit, Fault> {
    let (mut issues, mut errors) = (0, 0_u64);
    let mut told = |issue: &Issue| {
        issues += 1;
        errors += u64::from(issue.is_error());
        if issues <= SHOWN_ISSUES {
            show::issues(None, std::slice::from_ref(issue));
        }
    };
    let mut out = Out::new();
    let done = journal::offline(translator, payer, format.known(), source, &mut out, &mut told);
    // A reader that has seen enough (`| head`) is no fault.
    let found = if out.closed { true } else { done? };
    out.end()?;
    Ok(match (found, errors) {
        (false, _) => Exit::Unreadable,
        (true, 0) => Exit::Clean,
        (true, _) => Exit::Issues,
    })
}

/// Standard output, that a reader may close early.
struct Out {
    out: BufWriter<StdoutLock<'static>>,
    closed: bool,
}

impl Out {
    fn new() -> Out {
        Out { out: BufWriter::with_capacity(1 << 16, io::stdout().lock()), closed: false }
    }

    /// True when nobody reads any more.
    fn put(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        match self.write_all(bytes) {
            Err(error) if !self.closed => Err(unwritten(&error)),
            _ => Ok(self.closed),
        }
    }

    fn end(mut self) -> Result<Exit, Fault> {
        match self.flush() {
            Err(error) if !self.closed => Err(unwritten(&error)),
            _ => Ok(Exit::Clean),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.closed |= written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.out.flush();
        self.closed |= done.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
        done
    }
}

fn unwritten(error: &io::Error) -> Fault {
    Fault::ours(codes::INTERNAL, format!("the output can't be written: {error}"))
}
