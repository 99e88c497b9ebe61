//! The checks that have names (SNIP 3 to 5): those of `conformance/x12/*.rules`, compiled into the guides, and the balances.

use crate::assets::Folder;
use crate::fault::{Issue, Severity, codes};
use crate::x12::balance;
use crate::x12::code_sets::{self, Lists};
use crate::x12::guide::{FOLDER, Guide};
use crate::x12::numbering;
use crate::x12::situations::notation::{self, Stanza};
use crate::x12::situations::{self, Check};
use std::sync::Arc;

/// The checks that add up amounts.
fn balances() -> Vec<Arc<Check>> {
    let check = |(name, say, mend): (&str, &str, &str)| {
        let (code, severity) = (codes::X12_BALANCE, Severity::Error);
        Arc::new(Check {
            name: name.to_owned(),
            severity,
            code,
            guides: Vec::new(),
            say: say.to_owned(),
            mend: mend.to_owned(),
        })
    };
    balance::SUMS.into_iter().map(check).collect()
}

/// Puts the rules of `x12/*.rules` into the guides; gives back all checks with a name, balances first. Mistakes are added to
/// `issues`.
pub(crate) fn fill(folder: &Folder, lists: &Lists, guides: &mut [Guide], issues: &mut Vec<Issue>) -> Vec<Arc<Check>> {
    let mut stanzas: Vec<Stanza> = Vec::new();
    for path in folder.list(FOLDER).iter().filter(|path| path.ends_with(".rules")) {
        let (found, mistakes) = notation::parse(&folder.display(path), &folder.text(path).unwrap_or_default());
        stanzas.extend(found);
        issues.extend(mistakes);
    }
    for guide in guides.iter_mut() {
        guide.situations.resize_with(guide.loops.len(), Default::default);
        guide.codes.resize_with(guide.segments.len(), Vec::new);
    }
    let mut checks = balances();
    checks.extend(numbering::checks().map(Arc::new));
    for stanza in stanzas.iter().filter(|stanza| stanza.kind == "rule") {
        match situations::compile(stanza, guides) {
            Ok(check) => checks.push(check),
            Err(found) => issues.extend(found),
        }
    }
    let (of_codes, found) = code_sets::compile(&stanzas, guides, folder, lists);
    checks.extend(of_codes);
    issues.extend(found);
    for guide in guides.iter_mut() {
        guide.sight = situations::Sight::of(guide);
    }
    let twice = stanzas
        .iter()
        .enumerate()
        .filter(|(_, stanza)| stanza.kind != "set")
        .filter(|(n, stanza)| stanzas[..*n].iter().any(|other| other.kind != "set" && other.name == stanza.name));
    issues.extend(twice.map(|(_, stanza)| stanza.at.issue(format!("the name {} is taken", stanza.name))));
    checks
}
