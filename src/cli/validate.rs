//! `claimgate validate`: FHIR or X12, told apart by content. X12 is read in constant memory, and its issues are told as they
//! are found.

use crate::assets::Folder;
use crate::cli::Exit;
use crate::cli::input::{self, Input};
use crate::cli::report::{Format, Report};
use crate::config::Config;
use crate::fault::{Fault, Issue, any_error};
use crate::fhir::{parse, second_opinion, validate};
use crate::gateway::Translator;
use crate::x12::audit::audit;
use crate::x12::code_sets::Lists;
use crate::x12::guide::Guides;
use crate::x12::policy::Policy;
use std::cell::OnceCell;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Validate FHIR or X12 files
///
/// Exit code 0: clean; 1: issues; 2: unreadable. Example: claimgate validate claim.json remittance.x12 inbox/
#[derive(clap::Args)]
pub struct Validate {
    /// Files, folders (with all folders inside), or `-` for standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// text for people; json and ndjson (one issue a line) for scripts
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Most issues that are shown of one file
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
    /// Check X12 as this payer's profile asks (`checks` in payer.yaml)
    #[arg(long)]
    payer: Option<String>,
}

impl Validate {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let files = input::expand(&self.files)?;
        let judge = Judge::load(config, self.payer.as_deref())?;
        let mut report = Report::new(self.format, self.limit);
        let mut exit = Exit::Clean;
        for file in &files {
            let found = judge.file(file, &mut report);
            exit = if found as u8 > exit as u8 { found } else { exit };
            if report.is_closed() {
                break;
            }
        }
        report.end();
        Ok(exit)
    }
}

/// The guides alone: X12 needs no more, and a small program fits into more places.
pub fn guides(config: &Config) -> Result<Guides, Fault> {
    let lists = Lists { tables: Folder::mappings(&config.mappings_dir), whole: config.codes_dir.clone() };
    Guides::load_with(&Folder::conformance(&config.conformance_dir), &lists)
}

struct Judge {
    guides: Guides,
    config: Config,
    /// What the payer asks of X12.
    policy: Policy,
    /// Loaded when the first FHIR file comes.
    translator: OnceCell<Translator>,
}

impl Judge {
    fn load(config: Config, payer: Option<&str>) -> Result<Judge, Fault> {
        let policy = input::checks(&config, payer)?;
        Ok(Judge { guides: guides(&config)?, config, policy, translator: OnceCell::new() })
    }

    fn file(&self, file: &Path, report: &mut Report) -> Exit {
        report.begin(&file.display().to_string());
        let judged = Input::open(file).and_then(|input| match input.is_fhir() {
            true => self.fhir(input, report),
            false => self.x12(input, report),
        });
        let exit = judged.unwrap_or_else(|fault| {
            fault.issues.iter().for_each(|issue| report.issue(issue));
            Exit::Unreadable
        });
        report.finish(exit);
        exit
    }

    fn x12(&self, input: Input, report: &mut Report) -> Result<Exit, Fault> {
        let bar = input.bar.clone();
        let mut exit = Exit::Clean;
        let summary = audit(&self.guides, input, |mut issue| {
            if !self.policy.judge(&mut issue) {
                return ControlFlow::Continue(());
            }
            if issue.is_error() {
                exit = Exit::Issues;
            }
            bar.suspend(|| report.issue(&issue));
            if report.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        bar.finish_and_clear();
        Ok(if summary.interchanges == 0 { Exit::Unreadable } else { exit })
    }

    fn fhir(&self, mut input: Input, report: &mut Report) -> Result<Exit, Fault> {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(|error| input::unreadable(Path::new("-"), &error))?;
        let translator = match self.translator.get() {
            Some(translator) => translator,
            None => {
                let loaded = Translator::load(self.config.clone())?;
                self.translator.get_or_init(|| loaded)
            }
        };
        let issues = resource(translator, &bytes)?;
        issues.iter().for_each(|issue| report.issue(issue));
        Ok(if any_error(&issues) { Exit::Issues } else { Exit::Clean })
    }
}

/// All issues of a FHIR resource; a fault when it can't be read at all.
fn resource(translator: &Translator, bytes: &[u8]) -> Result<Vec<Issue>, Fault> {
    let value = parse::json(bytes, translator.config.limits.json_depth)?;
    let kind = value["resourceType"].as_str().unwrap_or("Resource");
    let mut issues = validate::resource(&translator.definitions, &value, kind);
    if !any_error(&issues) {
        issues.extend(second_opinion::judge(&value));
    }
    Ok(issues)
}
