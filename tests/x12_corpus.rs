//! Real files: everything is read without a panic and written byte for byte, and what is clean has no issues.

use claimgate::assets::Folder;
use claimgate::fault::Issue;
use claimgate::x12::check::check_interchange;
use claimgate::x12::guide::Guides;
use claimgate::x12::reader::{self, Interchange};
use claimgate::x12::text::Text;
use claimgate::x12::writer;
use std::path::{Path, PathBuf};

/// Where the files are.
fn corpus() -> PathBuf {
    let path = std::env::var_os("CLAIMGATE_CORPUS").map(PathBuf::from);
    let path = path.unwrap_or_else(|| panic!("set CLAIMGATE_CORPUS to the folder of sample files (it holds x12/)"));
    assert!(path.join("x12").is_dir(), "CLAIMGATE_CORPUS={} holds no folder x12", path.display());
    path.join("x12")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (folders, mut files): (Vec<_>, Vec<_>) = files.into_iter().partition(|path| path.is_dir());
    files.retain(|path| path.extension().is_some_and(|ext| ext == "edi"));
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files
}

fn guides() -> Guides {
    Guides::load(&Folder::ShippedConformance).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn look() {
    let guides = guides();
    for folder in std::env::var("LOOK").unwrap_or_default().split(',') {
        for path in files(&corpus().join(folder)) {
            let bytes = std::fs::read(&path).unwrap();
            let text = Text::decode(&bytes);
            let (interchanges, mut issues) = reader::read_text(&text);
            issues.extend(interchanges.iter().flat_map(|interchange| check_interchange(&guides, interchange)));
            for issue in &issues {
                println!("{folder}/{}: {issue}", path.file_name().unwrap().to_string_lossy());
            }
        }
    }
}
