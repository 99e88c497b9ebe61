//! What people edit, taken up while the gateway runs: whole or not at all. Every version stays until the end, so that a
//! journey that has begun ends with what it began with, and an older version is gone back to in a moment.

use super::archive::{Archive, KEPT};
use super::{Translator, transports};
use crate::assets::Folder;
use crate::billing::id::PayerId;
use crate::clock::Clock;
use crate::fault::{Fault, Issue, Place, codes};
use crate::transport::Transport;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Versions that one process holds; after as many edits it is to be started anew.
pub const VERSIONS_MAX: usize = 100;

/// The ways to the payers of one version.
pub type Transports = BTreeMap<PayerId, Arc<dyn Transport>>;

/// All versions, one of them active; it reads as the active [`Translator`].
pub struct Live {
    first: Version,
    /// Place of the active one in the list.
    active: AtomicUsize,
    clock: Clock,
    archive: Option<Archive>,
    folder: Mutex<Seen>,
}

/// A list that only grows, so that what was lent stays where it is.
struct Version {
    translator: Translator,
    transports: Transports,
    came: Timestamp,
    next: OnceLock<Box<Version>>,
}

/// The folder of mappings as it was last looked at.
#[derive(Default)]
struct Seen {
    /// Names, lengths and times of its files at the last look, and when it was last read.
    stamp: u64,
    read: u64,
    /// Why its content was not taken.
    faults: Vec<Issue>,
}

impl Deref for Live {
    type Target = Translator;

    fn deref(&self) -> &Translator {
        &self.active().translator
    }
}

impl Live {
    /// Begins with what has been loaded. With an archive, the version that was asked for before is active again, and what
    /// canaries need is there.
    pub fn new(translator: Translator, clock: Clock, archive: Option<Archive>) -> Result<Live, Fault> {
        let stamp = stamp(&translator.config.mappings_dir);
        let folder = Folder::mappings(&translator.config.mappings_dir);
        let transports = transports(&translator, &clock, None)?;
        let first = Version { translator, transports, came: clock.now(), next: OnceLock::new() };
        let seen = Mutex::new(Seen { stamp, read: stamp, faults: Vec::new() });
        let live = Live { first, active: AtomicUsize::new(0), clock, archive, folder: seen };
        live.restore(&folder)?;
        Ok(live)
    }

    fn restore(&self, folder: &Folder) -> Result<(), Fault> {
        let Some(archive) = &self.archive else { return Ok(()) };
        let asked = archive.asked_for().filter(|version| version != self.mappings.version());
        let before = archive.history();
        archive.keep(self.mappings.version(), folder)?;
        for version in before.iter().rev().take_while(|_| self.lacks_baseline()) {
            self.recall(version)?;
        }
        match asked {
            Some(version) => self.activate(&version),
            None => Ok(()),
        }
    }

    /// Whether a payer has a canary and there is no version for the other claims.
    fn lacks_baseline(&self) -> bool {
        let canaries = self.payers.all().filter(|profile| profile.canary.is_some());
        canaries.into_iter().any(|profile| self.baseline(&profile.id).is_none())
    }

    fn versions(&self) -> impl Iterator<Item = &Version> {
        std::iter::successors(Some(&self.first), |version| version.next.get().map(Box::as_ref))
    }

    fn active(&self) -> &Version {
        self.versions().nth(self.active.load(Ordering::Acquire)).unwrap_or(&self.first)
    }

    /// The way to a payer, as the active version says.
    pub fn transports(&self) -> &Transports {
        &self.active().transports
    }

    /// A version by its id.
    pub fn version(&self, id: &str) -> Option<&Translator> {
        self.versions().map(|version| &version.translator).find(|translator| translator.mappings.version() == id)
    }

    /// What a new claim of a payer goes by: the active version, or, of a payer with a canary, for all but its share the one
    /// before. The same claim always goes the same way.
    pub fn for_claim(&self, payer: &str, hash: &str) -> &Translator {
        let Some(canary) = self.payers.get(payer).and_then(|profile| profile.canary.as_ref()) else { return self };
        let number = hash.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default();
        if number % 100 < canary.percent {
            return self;
        }
        self.baseline(payer).unwrap_or(self)
    }

    /// The version that a payer's claims go by beside its canary: the one that it names, else the newest without a canary.
    fn baseline(&self, payer: &str) -> Option<&Translator> {
        let canary = self.payers.get(payer)?.canary.as_ref()?;
        if let Some(version) = &canary.baseline {
            return self.version(version);
        }
        let steady =
            |translator: &&Translator| translator.payers.get(payer).is_some_and(|found| found.canary.is_none());
        self.versions().map(|version| &version.translator).filter(steady).last()
    }

    /// Looks at the folder: when it was edited, and the edit is over (two looks saw the same), it becomes the active version.
    /// What is faulty is kept away and told. Answers the version that was taken.
    pub fn look(&self) -> Result<Option<String>, Fault> {
        let mut seen = self.seen();
        let root = self.config.mappings_dir.clone();
        let now = stamp(&root);
        if now != seen.stamp || now == seen.read {
            seen.stamp = now;
            return Ok(None);
        }
        seen.read = now;
        let folder = Folder::mappings(&root);
        let read = self.reread(&folder);
        if stamp(&root) != now {
            // Edited while it was read: the next look sees all of it.
            seen.read = 0;
            return Ok(None);
        }
        match read.and_then(|translator| self.take(translator, Some(&folder))) {
            Ok(version) => {
                seen.faults.clear();
                Ok(version)
            }
            Err(fault) => {
                seen.faults = fault.issues.clone();
                Err(fault)
            }
        }
    }

    /// Makes a version the active one; nothing when it is already.
    fn take(&self, translator: Translator, folder: Option<&Folder>) -> Result<Option<String>, Fault> {
        let version = translator.mappings.version().to_owned();
        if self.mappings.version() == version {
            return Ok(None);
        }
        if let (Some(archive), Some(folder)) = (&self.archive, folder) {
            archive.keep(&version, folder)?;
            archive.ask_for(None)?;
        }
        let place = self.hold(translator)?;
        self.active.store(place, Ordering::Release);
        Ok(Some(version))
    }

    /// Puts a version at the end of the list, unless it is there; answers its place.
    fn hold(&self, translator: Translator) -> Result<usize, Fault> {
        let known = |version: &Version| version.translator.mappings.version() == translator.mappings.version();
        if let Some(place) = self.versions().position(known) {
            return Ok(place);
        }
        let place = self.versions().count();
        if place >= VERSIONS_MAX {
            let text = format!("{VERSIONS_MAX} versions of the mappings have been taken up since the start");
            return Err(Fault::ours(codes::CONFIGURATION, format!("{text}: start the gateway anew to take more")));
        }
        let active = self.active();
        let before = Some((&active.translator.payers, &active.transports));
        let transports = transports(&translator, &self.clock, before)?;
        let version = Box::new(Version { translator, transports, came: self.clock.now(), next: OnceLock::new() });
        if let Some(last) = self.versions().last() {
            let _ = last.next.set(version);
        }
        Ok(place)
    }

    /// Goes back, or forward, to a version that is kept. It stays active until the folder is edited again.
    pub fn activate(&self, id: &str) -> Result<(), Fault> {
        let _seen = self.seen();
        let place = match self.versions().position(|version| version.translator.mappings.version() == id) {
            Some(place) => place,
            None => self.recall(id)?,
        };
        self.active.store(place, Ordering::Release);
        match &self.archive {
            Some(archive) => archive.ask_for(Some(id)),
            None => Ok(()),
        }
    }

    /// Loads a version out of the archive.
    fn recall(&self, id: &str) -> Result<usize, Fault> {
        let unknown = || {
            let hint = format!("GET /admin/mappings lists them; the last {KEPT} are kept");
            Fault::refuse(codes::NOT_FOUND, Place::Whole, format!("there is no version {id} of the mappings"), hint)
        };
        let folder = self.archive.as_ref().and_then(|archive| archive.folder(id)).ok_or_else(unknown)?;
        self.hold(self.reread(&folder)?)
    }

    /// For operators: the active version, what is wrong with the folder, and every version that can be gone back to.
    pub fn state(&self) -> Value {
        let active = self.mappings.version();
        let kept = self.archive.as_ref().map(Archive::history).unwrap_or_default();
        let mut versions: Vec<Value> = Vec::new();
        for version in self.versions() {
            let canaries = version.translator.payers.all().filter_map(|profile| {
                let canary = profile.canary.as_ref()?;
                let baseline = self.baseline(&profile.id).map(|found| found.mappings.version());
                Some(json!({"payer": profile.id, "percent": canary.percent, "baseline": baseline}))
            });
            let (id, canaries) = (version.translator.mappings.version(), canaries.collect::<Vec<_>>());
            let since = version.came.to_string();
            versions.push(json!({"version": id, "active": id == active, "since": since, "canaries": canaries}));
        }
        let loaded = |id: &String| self.version(id).is_some();
        let archived = kept.iter().filter(|id| !loaded(id));
        versions.extend(archived.map(|id| json!({"version": id, "active": false})));
        json!({"active": active, "faults": self.seen().faults, "versions": versions})
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // What is guarded is whole at every moment.
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names, lengths and times of all files of a folder, as one number; never 0.
fn stamp(root: &Path) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hash = DefaultHasher::new();
    for path in Folder::mappings(root).list("") {
        let about = std::fs::metadata(root.join(&path)).ok();
        path.hash(&mut hash);
        about.as_ref().map(std::fs::Metadata::len).hash(&mut hash);
        about.and_then(|about| about.modified().ok()).hash(&mut hash);
    }
    hash.finish().max(1)
}
