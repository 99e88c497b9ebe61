//! The shipped mappings load, and mistakes in mappings are found with their places.

use super::*;
use crate::assets::Folder;
use crate::fhir::definitions::Definitions;
use crate::x12::guide::Guides;
use std::sync::LazyLock;

static GUIDES: LazyLock<Guides> = LazyLock::new(|| Guides::load(&Folder::ShippedConformance).unwrap());
static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| Definitions::load(&Folder::ShippedConformance).unwrap());

#[test]
fn the_shipped_mappings_are_clean() {
    let loaded = Mappings::load(&Folder::ShippedMappings, &GUIDES, &DEFINITIONS);
    if let Err(fault) = loaded {
        panic!("{} mistakes\n{fault}", fault.issues.len());
    }
}
