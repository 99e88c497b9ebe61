//! From loop to loop of a tree. What was judged before, and broke no rule, is not judged again.

use crate::x12::findings::Ranked;
use crate::x12::guide::Guide;
use crate::x12::meanings::{Meaning, Meanings, Quiet};
use crate::x12::reader::TransactionSet;
use crate::x12::situations::{Rules, check_loop};
use crate::x12::tree::Loop;

/// What the rules see of one loop of a tree.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub meaning: Meaning,
    /// How many loops it is, itself counted.
    pub loops: usize,
    /// Its meaning is that of all inside of it, too.
    pub is_whole: bool,
}

/// Checks every loop of a set, or of a part of one, by the rules of its guide. `seen` are its loops in the order of
/// [`Loop::descend`]; what is not seen is judged in any case.
pub(crate) fn check(
    guide: &Guide,
    set: &TransactionSet<'_>,
    root: &Loop<'_>,
    seen: &[Seen],
    meanings: &mut Meanings,
    found: &mut Ranked,
) {
    let set = set.control_number();
    let mut walk = Walk { guide, set, seen, at: 0, meanings, found };
    if guide.situations.iter().any(|own| !own.rules.is_empty()) {
        let around = walk.meanings.of(&[u32::MAX]);
        walk.walk(root, around, &mut Vec::with_capacity(8));
    }
}

struct Walk<'w> {
    guide: &'w Guide,
    set: &'w str,
    seen: &'w [Seen],
    /// The next loop.
    at: usize,
    meanings: &'w mut Meanings,
    found: &'w mut Ranked,
}

impl Walk<'_> {
    fn walk<'t, 'a>(&mut self, found: &'t Loop<'a>, around: Meaning, path: &mut Vec<&'t Loop<'a>>) {
        let seen = self.seen.get(self.at).copied().unwrap_or_default();
        let with_around = self.meanings.inside(around, seen.meaning);
        if seen.is_whole && self.meanings.is(Quiet::BELOW, with_around) {
            self.at += seen.loops;
            return;
        }
        self.at += 1;
        let before = self.found.issues.len();
        path.push(found);
        if found.part.is_complete() {
            self.check_loop(path, seen.meaning, with_around);
        }
        for child in &found.children {
            self.walk(child, with_around, path);
        }
        path.pop();
        if seen.is_whole && self.found.issues.len() == before {
            self.meanings.set(Quiet::BELOW, with_around);
        }
    }

    fn check_loop(&mut self, path: &[&Loop<'_>], own: Meaning, with_around: Meaning) {
        let Some(innermost) = path.last() else { return };
        let rules = Rules {
            inside: !self.meanings.is(Quiet::INSIDE, own),
            outside: !self.meanings.is(Quiet::OUTSIDE, with_around),
        };
        if !(rules.inside || rules.outside) {
            return;
        }
        let before = self.found.issues.len();
        check_loop(self.guide, self.set, path, rules, &mut self.found.issues);
        self.found.of_loop(innermost, path.len());
        if self.found.issues.len() == before {
            self.meanings.set(Quiet::INSIDE, own);
            self.meanings.set(Quiet::OUTSIDE, with_around);
        }
    }
}
