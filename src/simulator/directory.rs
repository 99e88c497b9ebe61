//! The simulated payer behind two folders, as the gateway's directory transport sees a payer: takes files from `outbound`,
//! puts its answers into `inbound`, and moves a file to `outbound/taken` when it has been answered in full.
//!
//! Each answer has one name, made of the file's own control number: one that lies in `inbound` or `inbound/taken` already
//! is not written again, so a restart repeats nothing.

use super::scenario::Scenario;
use super::{Answer, answer};
use crate::clock::Clock;
use crate::fault::{Fault, codes};
use crate::telemetry::Codes;
use crate::x12::guide::Guides;
use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Where whoever takes a file moves it.
const TAKEN: &str = "taken";
/// Endings of files that are read, in any case.
const ENDINGS: &[&str] = &["x12", "edi", "txt"];
/// Largest file that is read.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// One simulated payer.
#[derive(Clone)]
pub struct Options {
    pub scenario: Scenario,
    pub guides: Arc<Guides>,
    /// Where the gateway puts files for the payer.
    pub outbound: PathBuf,
    /// Where the payer puts files for the gateway.
    pub inbound: PathBuf,
    /// Pause between two looks. At least 1 ms.
    pub pause: Duration,
    /// Leave out the scenario's delays.
    pub hurry: bool,
    pub clock: Clock,
}

/// A payer at work.
pub struct Payer {
    options: Options,
    /// Files that still have answers to come: when they were seen first, and the answers.
    waiting: HashMap<String, (Instant, Vec<Answer>)>,
}

/// Answers until `shutdown` is done. Trouble with the folders is told in the log and tried again.
pub async fn run(options: Options, shutdown: impl Future<Output = ()>) -> Result<(), Fault> {
    let pause = options.pause.max(Duration::from_millis(1));
    let mut payer = Payer::new(options);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (back, done) = round_on_its_own_thread(payer).await?;
        payer = back;
        match done {
            Ok(0) => {}
            Ok(written) => tracing::info!(count = written, "the simulated payer has answered"),
            Err(fault) => {
                tracing::warn!(codes = %Codes(&fault.issues), "the simulated payer could not work in its folders")
            }
        }
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn round_on_its_own_thread(mut payer: Payer) -> Result<(Payer, Result<usize, Fault>), Fault> {
    let work = move || {
        let done = payer.round();
        (payer, done)
    };
    let broken = |_| Fault::ours(codes::INTERNAL, "the simulated payer was broken off");
    tokio::task::spawn_blocking(work).await.map_err(broken)
}

impl Payer {
    pub fn new(options: Options) -> Payer {
        Payer { options, waiting: HashMap::new() }
    }

    /// One look: answers what is due, and says how many answers were written. A file that makes trouble holds up no other.
    pub fn round(&mut self) -> Result<usize, Fault> {
        let (mut written, mut trouble) = (0, None);
        for name in self.files()? {
            match self.attend(&name) {
                Ok(count) => written += count,
                Err(fault) => trouble = trouble.or(Some(fault)),
            }
        }
        trouble.map_or(Ok(written), Err)
    }

    /// Names of the files that wait to be read, in order.
    fn files(&self) -> Result<Vec<String>, Fault> {
        let folder = &self.options.outbound;
        std::fs::create_dir_all(folder).map_err(trouble(folder))?;
        let entries = std::fs::read_dir(folder).map_err(trouble(folder))?;
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.') && has_ending(name))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Writes the answers to one file that are due, and moves it away after the last.
    fn attend(&mut self, name: &str) -> Result<usize, Fault> {
        let path = self.options.outbound.join(name);
        if !self.waiting.contains_key(name) {
            let bytes = read(&path)?;
            let options = &self.options;
            let answers = answer(&options.scenario, &options.guides, &bytes, &options.clock);
            self.waiting.insert(name.to_owned(), (Instant::now(), answers));
        }
        let Some((since, answers)) = self.waiting.get(name) else { return Ok(0) };
        let age = since.elapsed();
        let due = |answer: &&Answer| self.options.hurry || answer.after <= age;
        let mut written = 0;
        for answer in answers.iter().filter(due) {
            written += usize::from(self.put(answer)?);
        }
        if answers.iter().all(|answer| due(&answer)) {
            put_aside(&self.options.outbound, name)?;
            self.waiting.remove(name);
        }
        Ok(written)
    }

    /// Writes an answer under a hidden name and renames it, so that nobody sees half of it; `false` when it was there.
    fn put(&self, answer: &Answer) -> Result<bool, Fault> {
        let folder = &self.options.inbound;
        let (path, hidden) = (folder.join(&answer.name), folder.join(format!(".{}.part", answer.name)));
        if path.exists() || folder.join(TAKEN).join(&answer.name).exists() {
            return Ok(false);
        }
        std::fs::create_dir_all(folder).map_err(trouble(folder))?;
        std::fs::write(&hidden, &answer.bytes).map_err(trouble(&hidden))?;
        std::fs::rename(&hidden, &path).map_err(trouble(&path))?;
        Ok(true)
    }
}

/// A file of the gateway, up to [`FILE_BYTES_MAX`].
fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let size = std::fs::metadata(path).map_err(trouble(path))?.len();
    if size > FILE_BYTES_MAX {
        return Err(Fault::ours(codes::PAYER_UNREACHABLE, format!("{} is larger than 64 MiB", path.display())));
    }
    std::fs::read(path).map_err(trouble(path))
}

fn has_ending(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

fn put_aside(folder: &Path, name: &str) -> Result<(), Fault> {
    let taken = folder.join(TAKEN);
    std::fs::create_dir_all(&taken).map_err(trouble(&taken))?;
    std::fs::rename(folder.join(name), taken.join(name)).map_err(trouble(&taken))
}

fn trouble(path: &Path) -> impl Fn(std::io::Error) -> Fault + use<'_> {
    move |error| Fault::ours(codes::PAYER_UNREACHABLE, format!("{}: {error}", path.display()))
}
