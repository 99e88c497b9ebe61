//! What commands read: a file, standard input (`-`), or the files of a folder.

use crate::fault::{Fault, Place, codes};
use crate::flow::intake;
use crate::gateway::Translator;
use crate::x12::policy::Policy;
use std::io::Read;
use std::path::{Path, PathBuf};

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

/// Whether a text is X12: it begins with ISA, behind white space or a byte order mark.
pub fn is_x12(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    text.trim_ascii_start().starts_with(b"ISA")
}
