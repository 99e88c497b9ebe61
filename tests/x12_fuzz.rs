//! The fuzz targets, driven by random bytes and by files that were broken at random.

use crate::support::x12::{claims, remittance};
use claimgate::assets::Folder;
use claimgate::x12::guide::Guides;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::LazyLock;

#[path = "fuzz/targets.rs"]
mod targets;

static GUIDES: LazyLock<Guides> =
    LazyLock::new(|| Guides::load(&Folder::ShippedConformance).unwrap_or_else(|fault| panic!("{fault}")));

fn hold(bytes: &[u8]) {
    targets::reader(bytes);
    targets::writer(bytes);
    targets::check(&GUIDES, bytes);
}

/// Two interchanges of several claims, with other delimiters, words between them and a binary element.
fn sample() -> Vec<u8> {
    let first: String = remittance(1_500).collect();
    let second: String = claims(1_500).collect();
    let second =
        second.replace('\n', "").replace('*', "|").replace('~', "\n").replace("PER|IC", "BIN|3|\n\n\n\nPER|IC");
    format!("\u{feff}\n{first}\n-- next --\n{second}").into_bytes()
}

/// Text that the reader looks for.
const TOKENS: [&str; 18] = [
    "~",
    "*",
    ":",
    "^",
    "\n",
    "ISA*",
    "IEA*1*1",
    "~ST*837*9~",
    "~SE*1*1~",
    "~GS*HC~",
    "BIN*9*",
    "\u{e9}",
    "~~",
    "\nREF*",
    "~GS*hc*A*B*1*1*x-1*X*\u{e9}~",
    "~GS*ZZ****12345678901*X*005010X222A1^9~",
    "~ST*83*1^2*X~",
    "~ST*999*0123456789*Y~",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_hold(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        hold(&bytes);
    }

    #[test]
    fn broken_files_hold(edits in prop::collection::vec((any::<Index>(), any::<u8>(), 0..4u8, any::<Index>()), 0..16)) {
        let mut bytes = sample();
        for (at, byte, kind, other) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => _ = bytes.remove(at),
                2 => _ = bytes.splice(at..at, other.get(&TOKENS).bytes()),
                _ => {
                    let end = (at + other.index(200)).min(bytes.len());
                    bytes.drain(at..end);
                }
            }
        }
        hold(&bytes);
    }
}
