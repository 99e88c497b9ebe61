//! `claimgate mapping coverage`: which rules the cases exercise.

use super::{Format, test};
use crate::cli::show::say;
use crate::cli::{Exit, show};
use crate::config::Config;
use crate::fault::Fault;
use crate::flow::cases;
use crate::gateway::Translator;
use crate::mapping::coverage::{Coverage, GuideCoverage};
use std::path::PathBuf;

/// Walk the cases, and with them the sample requests and answers, and print the rules that none of them exercises, and the elements of the guides that none makes
///
/// Exit code 0: at least --least percent of the rules are exercised; 1: fewer. Example: claimgate mapping coverage --least 95
#[derive(clap::Args)]
pub struct CoverageReport {
    /// Percentage of rules that must be exercised
    #[arg(long, default_value_t = 0)]
    least: u32,
    /// Print the elements of the guides too
    #[arg(long)]
    elements: bool,
    /// Folder of cases; the cases, requests and answers of the conformance folder when absent
    #[arg(long)]
    cases: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl CoverageReport {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        let walked = test::walk(&translator, self.cases.as_deref(), "")?;
        for case in walked.iter().filter(|case| !case.differences.is_empty()) {
            eprintln!("{} differs from what is expected: claimgate mapping test {0}", case.name);
        }
        if self.cases.is_none() {
            cases::use_samples(&translator)?;
        }
        let coverage = translator.mappings.coverage();
        match self.format {
            Format::Json => say!("{}", serde_json::to_string_pretty(&coverage).unwrap_or_default()),
            Format::Text => self.say(&coverage),
        }
        Ok(if coverage.percent() >= self.least { Exit::Clean } else { Exit::Issues })
    }

    fn say(&self, coverage: &Coverage) {
        for file in &coverage.files {
            for rule in &file.never {
                say!("{}:{}:{}: never exercised: {}", file.file, rule.line, rule.column, rule.rule);
            }
        }
        show::heading("Rules exercised");
        for file in &coverage.files {
            say!("{:>5} of {:<5} {}", file.used, file.rules, file.file);
        }
        say!("{:>5} of {:<5} in all, {} %", coverage.used(), coverage.rules(), coverage.percent());
        show::heading("Elements of the guides made");
        coverage.guides.iter().for_each(|guide| self.say_guide(guide));
    }

    fn say_guide(&self, guide: &GuideCoverage) {
        let (none, never) = (guide.without_rule.len(), guide.never_made.len());
        say!("{:>5} of {:<5} {}; {none} without a rule, {never} never made", guide.made, guide.elements, guide.guide);
        if self.elements {
            guide.without_rule.iter().for_each(|name| say!("      {name}: no rule"));
            guide.never_made.iter().for_each(|name| say!("      {name}: never made"));
        }
    }
}
