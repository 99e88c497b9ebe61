//! `claimgate mapping diff`: what a change of mappings changes.

use super::Format;
use crate::cli::show::say;
use crate::cli::{Exit, input, show};
use crate::config::Config;
use crate::fault::Fault;
use crate::flow::compare::{self, Change, Made};
use crate::gateway::Translator;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Compare two folders of mappings over a folder of claims, element by element
///
/// Exit code 0: no claim changes; 1: some do. Example: claimgate mapping diff mappings ../changed/mappings claims/
#[derive(clap::Args)]
pub struct Diff {
    /// Folder of mappings as they are
    before: PathBuf,
    /// Folder of mappings as they will be
    after: PathBuf,
    /// A claim, a folder of claims (.json), or a folder of cases
    claims: PathBuf,
    #[arg(long, default_value = "generic")]
    payer: String,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Diff {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let load = |folder: &PathBuf| Translator::load(Config { mappings_dir: folder.clone(), ..config.clone() });
        let (before, after) = (load(&self.before)?, load(&self.after)?);
        let claims = claims(&self.claims)?;
        let bar = if show::terminal() { ProgressBar::new(claims.len() as u64) } else { ProgressBar::hidden() };
        let (mut changed, mut unread, mut report) = (0, 0, Vec::new());
        for file in &claims {
            let name = file.display().to_string();
            match input::bytes(file).and_then(|bytes| compare::claim(&before, &after, &self.payer, &bytes)) {
                Ok(changes) => {
                    changed += usize::from(!changes.is_empty());
                    match self.format {
                        Format::Text => bar.suspend(|| say(&name, &changes)),
                        Format::Json => report.push(json!({"claim": name, "changes": changes})),
                    }
                }
                Err(fault) => {
                    unread += 1;
                    bar.suspend(|| show::issues(Some(&name), &fault.issues));
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        if self.format == Format::Json {
            say!("{:#}", Value::from(report));
        }
        eprintln!("{} claims, {changed} changed, {unread} could not be read", claims.len());
        Ok(if changed == 0 && unread == 0 { Exit::Clean } else { Exit::Issues })
    }
}

/// The claims of a folder; of a folder of cases, their requests.
fn claims(path: &Path) -> Result<Vec<PathBuf>, Fault> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let claims = input::files(path, &["json"])?;
    if claims.is_empty() {
        let cases = crate::flow::cases::all(path)?;
        return Ok(cases.into_iter().map(|case| case.join("request.json")).collect());
    }
    Ok(claims)
}

fn say(name: &str, changes: &[Change]) {
    if !changes.is_empty() {
        say!("{name}");
    }
    for change in changes {
        say!("  {}", change.target);
        line('-', change.before.as_ref());
        line('+', change.after.as_ref());
    }
}

fn line(sign: char, made: Option<&Made>) {
    if let Some(made) = made {
        say!("    {sign} {}    {}", made.value, made.rule);
    }
}
