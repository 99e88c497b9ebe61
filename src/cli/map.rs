//! `claimgate map`: FHIR in, the payer's format out, without a store.

use crate::cli::{Exit, input, show};
use crate::config::Config;
use crate::fault::{Fault, Issue, Place, codes};
use crate::flow::prepare::Inquiry;
use crate::flow::translate::{self, Mapped};
use crate::gateway::Translator;
use indicatif::ProgressBar;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Map a FHIR claim, authorization request or inquiry to its payer's format: a whole interchange on stdout, issues on stderr
///
/// Example: claimgate map --payer generic claim.json > claim.x12
#[derive(clap::Args)]
pub struct Map {
    /// Payer profile; `generic` takes any US claim
    #[arg(long, default_value = "generic")]
    payer: String,
    /// Ask about the claim instead of sending it: `status-inquiry` makes a 276
    #[arg(long = "as", value_name = "WHAT")]
    asked: Option<Asked>,
    /// A Bundle, Claim or CoverageEligibilityRequest as JSON; `-` is standard input; a folder is mapped file by file (then --out)
    file: PathBuf,
    /// The system that wrote the claims, for its overlays (mappings/sources/); as a rule they say it in meta.source
    #[arg(long)]
    source: Option<String>,
    /// Folder that the interchanges of a folder are written to
    #[arg(long)]
    out: Option<PathBuf>,
}

/// What is done with a claim that does not say it itself.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Asked {
    Claim,
    StatusInquiry,
}

impl Map {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        if self.file.is_dir() {
            return self.folder(&translator);
        }
        let mapped = self.map(&translator, &input::claim(&self.file, self.source.as_deref())?, 1)?;
        show::issues(None, &mapped.warnings);
        std::io::stdout().write_all(&mapped.bytes).map_err(|error| unwritable(Path::new("-"), &error))?;
        Ok(Exit::Clean)
    }

    fn map(&self, translator: &Translator, bytes: &[u8], number: u32) -> Result<Mapped, Fault> {
        let inquiry = (self.asked == Some(Asked::StatusInquiry)).then(Inquiry::default);
        translate::map_as(translator, &self.payer, bytes, number, inquiry)
    }

    fn folder(&self, translator: &Translator) -> Result<Exit, Fault> {
        let out = self.out.as_deref().ok_or_else(|| {
            Fault::refuse(
                codes::CONFIGURATION,
                Place::Whole,
                "a folder is mapped into a folder",
                "name it with --out DIR",
            )
        })?;
        std::fs::create_dir_all(out).map_err(|error| unwritable(out, &error))?;
        let files = input::files(&self.file, &["json"])?;
        let bar = if show::terminal() { ProgressBar::new(files.len() as u64) } else { ProgressBar::hidden() };
        let mut refused = 0;
        for (n, file) in files.iter().enumerate() {
            let issues = self.one(translator, file, out, n as u32 + 1)?;
            refused += usize::from(crate::fault::any_error(&issues));
            bar.suspend(|| show::issues(Some(&file.display().to_string()), &issues));
            bar.inc(1);
        }
        bar.finish_and_clear();
        eprintln!("{} mapped, {refused} refused", files.len() - refused);
        Ok(if refused == 0 { Exit::Clean } else { Exit::Issues })
    }

    /// Maps one file of a folder; what is refused is told, and the others go on.
    fn one(&self, translator: &Translator, file: &Path, out: &Path, number: u32) -> Result<Vec<Issue>, Fault> {
        let claim = input::claim(file, self.source.as_deref());
        let mapped = claim.and_then(|bytes| self.map(translator, &bytes, number));
        match mapped {
            Ok(mapped) => {
                let target = target(out, file, mapped.ending);
                std::fs::write(&target, mapped.bytes).map_err(|error| unwritable(&target, &error))?;
                Ok(mapped.warnings)
            }
            Err(fault) => Ok(fault.issues),
        }
    }
}

/// Where the interchange of a file of the folder goes. A name may have dots of its own, which are no ending.
fn target(out: &Path, file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    out.join(name)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::ours(codes::INTERNAL, format!("{} can't be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_whose_names_have_dots_are_told_apart() {
        for (file, expected) in [("in/visit.json", "out/visit.x12"), ("in/visit.2.json", "out/visit.2.x12")] {
            assert_eq!(target(Path::new("out"), Path::new(file), "x12"), Path::new(expected));
        }
    }
}
