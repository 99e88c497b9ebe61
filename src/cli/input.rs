//! What commands read: a file, standard input (`-`), or the files of a folder.

use crate::cli::show;
use crate::config::Config;
use crate::fault::{Fault, Place, codes};
use crate::flow::intake;
use crate::gateway::Translator;
use crate::x12::policy::Policy;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{Chain, Cursor, Read};
use std::path::{Path, PathBuf};

/// A file of this many bytes shows progress on a terminal.
const LARGE: u64 = 32 << 20;
/// Bytes that are looked at to know what a file is.
const HEAD: u64 = 512;
/// Endings of the files that a folder is searched for.
const ENDINGS: [&str; 18] = [
    "x12", "edi", "txt", "dat", "837", "837p", "837i", "837d", "835", "999", "ta1", "277", "277ca", "276", "271",
    "270", "278", "json",
];

/// The bytes of a file or of standard input.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let read = if path == Path::new("-") {
        let mut all = Vec::new();
        std::io::stdin().read_to_end(&mut all).map(|_| all)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| unreadable(path, &error))
}

/// A file or standard input, to be read piece by piece.
pub fn open(path: &Path) -> Result<Box<dyn Read>, Fault> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = std::fs::File::open(path).and_then(|file| file.metadata().map(|meta| (file, meta)));
    match file {
        Ok((file, meta)) if !meta.is_dir() => Ok(Box::new(file)),
        Ok(_) => Err(unreadable(path, &std::io::ErrorKind::IsADirectory.into())),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// The bytes of a claim, with the system that wrote it (`--source`) noted in it. What is not JSON stays as it is: whoever
/// reads it tells.
pub fn claim(path: &Path, source: Option<&str>) -> Result<Vec<u8>, Fault> {
    let bytes = bytes(path)?;
    let Some((source, mut body)) = source.and_then(|source| Some((source, serde_json::from_slice(&bytes).ok()?)))
    else {
        return Ok(bytes);
    };
    intake::name_source(&mut body, source);
    Ok(serde_json::to_vec(&body).unwrap_or(bytes))
}

/// The files of a folder with one of these endings, sorted.
pub fn files(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, Fault> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let wanted = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        path.is_file() && endings.contains(&ending)
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(wanted).collect();
    files.sort();
    Ok(files)
}

/// The fault of a file that can not be read.
pub fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let at = Place::File { path: path.display().to_string(), line: 0, column: 0 };
    Fault::refuse(
        codes::JSON_SYNTAX,
        at,
        format!("can't be read: {error}"),
        "check the path, or use - for standard input",
    )
}

/// As [`policy`], where the profile is all that is needed of the gateway.
pub fn checks(config: &Config, payer: Option<&str>) -> Result<Policy, Fault> {
    match payer {
        Some(_) => policy(&Translator::load(config.clone())?, payer),
        None => Ok(Policy::default()),
    }
}

/// What a payer asks of the checks; a fault when there is no such payer.
pub fn policy(translator: &Translator, payer: Option<&str>) -> Result<Policy, Fault> {
    match payer {
        Some(id) if translator.payers.get(id).is_none() => Err(Fault::refuse(
            codes::PAYER_UNKNOWN,
            Place::Whole,
            format!("there is no payer {id}"),
            "`claimgate payers list` shows the payers",
        )),
        _ => Ok(translator.policy(payer)),
    }
}

/// The files that are meant: a folder stands for all files in it and in its folders whose ending is known, sorted.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    let mut all = Vec::new();
    for path in paths {
        let before = all.len();
        match path.is_dir() {
            true => walk(path, &mut all)?,
            false => all.push(path.clone()),
        }
        if all.len() == before {
            let at = Place::File { path: path.display().to_string(), line: 0, column: 0 };
            let hint = format!("a folder is searched for files that end in .{}", ENDINGS.join(", ."));
            return Err(Fault::refuse(codes::JSON_SYNTAX, at, "the folder holds no file to read", hint));
        }
    }
    Ok(all)
}

fn walk(folder: &Path, all: &mut Vec<PathBuf>) -> Result<(), Fault> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        // A link may lead back to where it stands.
        if path.is_dir() && !path.is_symlink() {
            walk(&path, all)?;
        } else if path.is_file() && ENDINGS.contains(&ending.as_str()) {
            all.push(path);
        }
    }
    Ok(())
}

/// A file or standard input that is read from front to back, with a progress bar when it is large.
pub struct Input {
    source: Chain<Cursor<Vec<u8>>, Box<dyn Read>>,
    pub bar: ProgressBar,
    /// Its path, as it was given.
    pub name: String,
}

impl Input {
    pub fn open(path: &Path) -> Result<Input, Fault> {
        let (mut source, bar): (Box<dyn Read>, _) = if path == Path::new("-") {
            (Box::new(std::io::stdin().lock()), ProgressBar::hidden())
        } else {
            let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
            let length = file.metadata().map_or(0, |metadata| metadata.len());
            let bar = bar(length);
            (Box::new(bar.wrap_read(file)), bar)
        };
        let mut head = Vec::new();
        source.by_ref().take(HEAD).read_to_end(&mut head).map_err(|error| unreadable(path, &error))?;
        Ok(Input { source: Cursor::new(head).chain(source), bar, name: path.display().to_string() })
    }

    /// The bytes that it begins with.
    pub fn head(&self) -> &[u8] {
        self.source.get_ref().0.get_ref()
    }

    /// Whether it is JSON or XML; anything else may be X12.
    pub fn is_fhir(&self) -> bool {
        let head = self.head();
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        matches!(text.first(), Some(b'{' | b'[' | b'<'))
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.source.read(into)
    }
}

fn bar(length: u64) -> ProgressBar {
    if length < LARGE || !show::terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta}");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
