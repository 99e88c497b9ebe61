//! A payer behind two folders, as its file-transfer software fills and empties them. Outbound files appear whole or not
//! at all; inbound files are taken when they have stopped growing, and moved to `taken/`, never deleted.
//!
//! The work is done on a blocking thread: a slow network folder must not hold up anybody else.

use super::{Incoming, Outgoing, SendError, Sent, Transport};
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Where whoever takes a file moves it, in the folder where it lay: the payer ours, we the payer's.
const TAKEN: &str = "taken";
/// Where we put an inbound file that is over the size limit; nobody reads it until a person has moved it.
const REFUSED: &str = "refused";
/// Endings of inbound files, in any case; all else in the folder is left alone.
const ENDINGS: &[&str] = &["x12", "edi", "txt"];
/// Longest file name; most file systems allow 255 bytes, and our hidden names are longer than the name itself.
const NAME_BYTES_MAX: usize = 200;

/// One payer's folders.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Folder for the payer to take files from. Made when it is absent.
    pub outbound: PathBuf,
    /// Folder where the payer puts files. Made when it is absent.
    pub inbound: PathBuf,
    /// Time for which an inbound file must have been left unchanged before it is read. Default 2 s.
    pub settle: Duration,
    /// Largest inbound file, in bytes; a larger one is put into `refused/`. Also bounds what one look reads in all.
    pub bytes_max: u64,
}

impl Options {
    pub fn new(outbound: impl Into<PathBuf>, inbound: impl Into<PathBuf>) -> Options {
        let (outbound, inbound) = (outbound.into(), inbound.into());
        Options { outbound, inbound, settle: Duration::from_secs(2), bytes_max: 64 << 20 }
    }
}

/// The transport.
pub struct Directory {
    folders: Arc<Folders>,
}

struct Folders {
    options: Options,
    /// What earlier looks saw of files that were not ripe; also the lock of every change we make in the folders.
    seen: Mutex<HashMap<String, Seen>>,
}

/// Size and time of a file as it was first seen so.
#[derive(Clone, Copy)]
struct Seen {
    bytes: u64,
    changed: SystemTime,
    since: Instant,
}

impl Directory {
    pub fn new(options: Options) -> Directory {
        Directory { folders: Arc::new(Folders { options, seen: Mutex::default() }) }
    }

    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folders) -> Result<T, SendError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, SendError>> {
        let folders = Arc::clone(&self.folders);
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || work(&folders)).await;
            done.unwrap_or_else(|_| Err(SendError::Unknown("the work on the folder was broken off".into())))
        })
    }
}

impl Transport for Directory {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Sent, SendError>> {
        let outgoing = outgoing.clone();
        self.run(move |folders| folders.send(&outgoing))
    }

    fn arrived<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Option<bool>> {
        let outgoing = outgoing.clone();
        let look = self.run(move |folders| Ok(folders.delivered(&outgoing)));
        Box::pin(async move {
            match look.await {
                Ok(Ok(arrived)) => Some(arrived.is_some()),
                _ => None,
            }
        })
    }

    fn collect(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Incoming>, SendError>> {
        self.run(move |folders| folders.collect(limit).map_err(|error| retry("read", &folders.options.inbound, &error)))
    }

    fn taken<'a>(&'a self, incoming: &'a Incoming) -> BoxFuture<'a, Result<(), SendError>> {
        let incoming = incoming.clone();
        self.run(move |folders| {
            let moved = folders.taken(&incoming);
            moved.map_err(|error| retry("move a file in", &folders.options.inbound, &error))
        })
    }
}

/// Folder trouble is for operators to mend, so it is worth another try. An [`io::Error`] of a path operation names the
/// system's reason only.
fn retry(verb: &str, folder: &Path, error: &io::Error) -> SendError {
    SendError::Retry(format!("can't {verb} {}: {error}", folder.display()))
}

impl Folders {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let folder = &self.options.outbound;
        check_name(&outgoing.name)?;
        let _lock = self.lock();
        fs::create_dir_all(folder).map_err(|error| retry("make", folder, &error))?;
        match self.delivered(outgoing).map_err(|error| retry("look into", folder, &error))? {
            Some(true) => return Ok(Sent::Delivered(Vec::new())),
            Some(false) => {
                return Err(SendError::Never(format!("other bytes lie at the payer under the name {}", outgoing.name)));
            }
            None => {}
        }
        let hidden = folder.join(hidden_name(&outgoing.name));
        let put = write_whole(&hidden, &outgoing.bytes)
            .and_then(|()| fs::rename(&hidden, folder.join(&outgoing.name)))
            .map_err(|error| retry("write into", folder, &error));
        if put.is_err() {
            // What is left of a failed try is hidden and unreadable to the payer; if it can't go now, it may stay.
            let _ = fs::remove_file(&hidden);
        }
        put?;
        // From here on the payer sees the file; only whether it outlives a power cut is open.
        sync_folder(folder)
            .map_err(|error| SendError::Unknown(format!("can't make {} durable: {error}", folder.display())))?;
        Ok(Sent::Delivered(Vec::new()))
    }

    /// Whether the interchange lies at the payer: `Some(true)` with the same bytes, `Some(false)` with others.
    fn delivered(&self, outgoing: &Outgoing) -> io::Result<Option<bool>> {
        let folder = &self.options.outbound;
        for place in [folder.join(&outgoing.name), folder.join(TAKEN).join(&outgoing.name)] {
            if let Some(same) = same_bytes(&place, &outgoing.bytes)? {
                return Ok(Some(same));
            }
        }
        Ok(None)
    }

    fn collect(&self, limit: usize) -> io::Result<Vec<Incoming>> {
        let folder = &self.options.inbound;
        fs::create_dir_all(folder)?;
        let mut seen = self.lock();
        let mut found = candidates(folder)?;
        found.sort_by(|a, b| (a.changed, &a.name).cmp(&(b.changed, &b.name)));
        seen.retain(|name, _| found.iter().any(|file| file.name == *name));
        let mut taken = Vec::new();
        let mut bytes = 0;
        for file in found {
            if !self.ripe(&file, &mut seen) {
                continue;
            }
            if file.bytes > self.options.bytes_max {
                self.refuse(&file)?;
                continue;
            }
            bytes += file.bytes;
            if taken.len() == limit || (bytes > self.options.bytes_max && !taken.is_empty()) {
                break;
            }
            taken.extend(read_unchanged(folder, &file)?);
        }
        Ok(taken)
    }

    /// Whether a file has stopped growing: its last change is long ago, or it has looked the same to us for so long (the
    /// clock of a network folder may be ahead of ours).
    fn ripe(&self, file: &Found, seen: &mut HashMap<String, Seen>) -> bool {
        let settle = self.options.settle;
        let now = Seen { bytes: file.bytes, changed: file.changed, since: Instant::now() };
        let mut before = *seen.entry(file.name.clone()).or_insert(now);
        if (before.bytes, before.changed) != (now.bytes, now.changed) {
            seen.insert(file.name.clone(), now);
            before = now;
        }
        file.changed.elapsed().is_ok_and(|age| age >= settle) || before.since.elapsed() >= settle
    }

    fn refuse(&self, file: &Found) -> io::Result<()> {
        tracing::warn!(file = %file.name, bytes = file.bytes, limit_bytes = self.options.bytes_max,
            "an inbound file is over the size limit and was put into refused/");
        move_aside(&self.options.inbound, &file.name, REFUSED)
    }

    fn taken(&self, incoming: &Incoming) -> io::Result<()> {
        let _lock = self.lock();
        match same_bytes(&self.options.inbound.join(&incoming.name), &incoming.bytes)? {
            Some(true) => move_aside(&self.options.inbound, &incoming.name, TAKEN),
            // A new file came under the name meanwhile (it will be collected), or the file was moved already.
            Some(false) | None => Ok(()),
        }
    }
}

/// An interchange's name must be a plain, visible file name.
fn check_name(name: &str) -> Result<(), SendError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.starts_with('.') || !name.chars().all(plain) {
        return Err(SendError::Never("the interchange has no usable file name".into()));
    }
    Ok(())
}

/// A name that the payer's software does not pick up, and that no other attempt uses.
fn hidden_name(name: &str) -> String {
    static ATTEMPTS: AtomicU64 = AtomicU64::new(0);
    format!(".{name}.{}-{}.part", std::process::id(), ATTEMPTS.fetch_add(1, Ordering::Relaxed))
}

/// Writes a new file and waits until the disk has it. Its group may read it (the payer's software), others may not.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename durable. Elsewhere than on Unix folders can't be opened, and need not be.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Whether the file holds exactly these bytes; `None` when there is no such file. Sizes are compared first.
fn same_bytes(path: &Path, bytes: &[u8]) -> io::Result<Option<bool>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(metadata) if !metadata.is_file() || metadata.len() != bytes.len() as u64 => Ok(Some(false)),
        Ok(_) => match fs::read(path) {
            Ok(found) => Ok(Some(found == bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        },
    }
}

/// An inbound file that might be taken.
struct Found {
    name: String,
    bytes: u64,
    changed: SystemTime,
}

/// The visible files with one of our endings. Links are not followed: whoever may write here must not read elsewhere.
fn candidates(folder: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().filter(|name| is_inbound(name)).map(str::to_owned) else {
            continue;
        };
        // A file may go between listing and looking.
        let Ok(metadata) = fs::symlink_metadata(entry.path()) else { continue };
        if metadata.is_file() && metadata.len() > 0 {
            found.push(Found { name, bytes: metadata.len(), changed: metadata.modified()? });
        }
    }
    Ok(found)
}

fn is_inbound(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    !name.starts_with('.') && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Reads a file; `None` when it changed or went while it was read, so that a later look takes it.
fn read_unchanged(folder: &Path, file: &Found) -> io::Result<Option<Incoming>> {
    let path = folder.join(&file.name);
    let opened = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    // One byte more than expected is enough to tell that it grew.
    (&opened).take(file.bytes + 1).read_to_end(&mut bytes)?;
    let after = opened.metadata()?;
    let unchanged = bytes.len() as u64 == file.bytes && after.len() == file.bytes && after.modified()? == file.changed;
    Ok(unchanged.then(|| Incoming { name: file.name.clone(), bytes }))
}

/// Moves a file of a folder into a folder below it. What lies there is never overwritten: another file of the name gets
/// the hash of its bytes behind its stem, so that doing it twice comes to the same.
fn move_aside(folder: &Path, name: &str, below: &str) -> io::Result<()> {
    let (from, aside) = (folder.join(name), folder.join(below));
    fs::create_dir_all(&aside)?;
    let mut to = aside.join(name);
    if to.exists() {
        let hash = hash(&from)?;
        if self::hash(&to)? != hash {
            to = aside.join(with_mark(name, &hash));
        }
    }
    match fs::rename(&from, &to) {
        // Another worker moved it.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        moved => moved,
    }?;
    sync_folder(&aside)?;
    sync_folder(folder)
}

/// `835.x12` with a mark: `835-1a2b3c4d5e6f.x12`.
fn with_mark(name: &str, mark: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}-{mark}.{ending}"),
        None => format!("{name}-{mark}"),
    }
}

/// The first 12 hexadecimal digits of a file's SHA-256.
fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let mut chunk = [0; 1 << 14];
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            read => hasher.update(&chunk[..read]),
        }
    }
    Ok(hasher.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
