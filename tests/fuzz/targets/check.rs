#![no_main]

use claimgate::assets::Folder;
use claimgate::x12::guide::Guides;
use std::sync::LazyLock;

#[path = "../targets.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod targets;

static GUIDES: LazyLock<Guides> =
    LazyLock::new(|| Guides::load(&Folder::ShippedConformance).unwrap_or_else(|fault| panic!("{fault}")));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::check(&GUIDES, bytes));
