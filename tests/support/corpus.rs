//! The sample files that are not part of this repository.

use std::path::PathBuf;

/// The folder that `CLAIMGATE_CORPUS` names. Tests that need it hold `corpus` in their names, or stand with those that
/// `tests/run.sh` leaves out by name where there is none; here it is no choice.
pub fn folder() -> PathBuf {
    let path = std::env::var_os("CLAIMGATE_CORPUS").map(PathBuf::from);
    let path = path.unwrap_or_else(|| panic!("set CLAIMGATE_CORPUS to the folder of sample files; tests/run.sh does"));
    assert!(path.join("x12").is_dir(), "CLAIMGATE_CORPUS={} holds no folder x12", path.display());
    path
}

/// The X12 files of one kind: those directly in `x12/<kind>`.
pub fn x12(kind: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder().join("x12").join(kind)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "edi"));
    files.sort();
    assert!(!files.is_empty(), "no X12 files of {kind}");
    files
}
