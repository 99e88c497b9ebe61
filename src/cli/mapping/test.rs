//! `claimgate mapping test`: the cases, walked forth and back.

use super::Format;
use crate::cli::show::say;
use crate::cli::{Exit, block_on, show};
use crate::config::Config;
use crate::fault::Fault;
use crate::flow::cases;
use crate::gateway::Translator;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Walk the cases of conformance/cases forth and back, and tell what differs from what is expected
///
/// A case is a folder with request.json, the payer's answers and all that is expected; CLAIMGATE_BLESS=1 rewrites what is
/// expected, for review. Exit code 0: all as expected; 1: something differs. Example: claimgate mapping test dental
#[derive(clap::Args)]
pub struct Test {
    /// Only cases whose name holds this
    #[arg(default_value = "")]
    name: String,
    /// Folder of cases; that of the conformance folder when absent
    #[arg(long)]
    cases: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// One case, and what differs.
pub struct Walked {
    pub name: String,
    pub differences: Vec<String>,
}

impl Test {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let translator = Translator::load(config)?;
        let walked = walk(&translator, self.cases.as_deref(), &self.name)?;
        let wrong = walked.iter().filter(|case| !case.differences.is_empty()).count();
        match self.format {
            Format::Json => {
                let report = |case: &Walked| json!({"case": case.name, "passed": case.differences.is_empty(), "differences": case.differences});
                say!("{:#}", Value::from(walked.iter().map(report).collect::<Vec<_>>()));
            }
            Format::Text => say(&walked, wrong),
        }
        Ok(if wrong == 0 { Exit::Clean } else { Exit::Issues })
    }
}

fn say(walked: &[Walked], wrong: usize) {
    for case in walked {
        say!("{:<40} {}", case.name, if case.differences.is_empty() { "ok" } else { "differs" });
    }
    walked.iter().flat_map(|case| &case.differences).for_each(|difference| eprintln!("{difference}"));
    say!("{} cases, {wrong} differ", walked.len());
}

/// Walks the cases whose name holds a text, with progress on a terminal.
pub fn walk(translator: &Translator, folder: Option<&Path>, name: &str) -> Result<Vec<Walked>, Fault> {
    let shipped = translator.config.conformance_dir.join("cases");
    let mut cases = cases::all(folder.unwrap_or(&shipped))?;
    let name_of = |case: &Path| case.file_name().unwrap_or_default().to_string_lossy().into_owned();
    cases.retain(|case| name_of(case).contains(name));
    let bar = if show::terminal() { ProgressBar::new(cases.len() as u64) } else { ProgressBar::hidden() };
    let walked = block_on(async {
        let mut walked = Vec::with_capacity(cases.len());
        for case in &cases {
            let differences = cases::walk(translator, case).await.unwrap_or_else(|fault| vec![fault.to_string()]);
            walked.push(Walked { name: name_of(case), differences });
            bar.inc(1);
        }
        Ok(walked)
    });
    bar.finish_and_clear();
    walked
}
