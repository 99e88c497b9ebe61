//! The needs of a mapping, judged by the words that a source holds: once for all sources that hold the same. The claims of one
//! file seldom differ in them, so most runs find everything judged.

use super::needs::{Found, Need, Words};
use super::object::Patterns;
use std::sync::{Arc, Mutex, PoisonError};

/// A need that runs ask for, with its number among those of its mapping.
#[derive(Debug, Clone)]
pub struct Asked {
    pub need: Need,
    number: u32,
}

impl Asked {
    pub fn new(need: Need, number: u32) -> Asked {
        Asked { need, number }
    }
}

/// Whether a need holds for all sources with the same words.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    No,
    Yes,
    /// It is for the values of variables to say.
    Depends(Need),
}

/// What was judged by one set of words, and what was learned since of the objects that are made of it.
#[derive(Debug)]
pub struct Verdicts {
    found: Found,
    all: Box<[Verdict]>,
    patterns: Box<[Patterns]>,
}

impl Verdicts {
    #[inline]
    pub fn of(&self, asked: &Asked) -> &Verdict {
        self.all.get(asked.number as usize).unwrap_or(&Verdict::Yes)
    }

    /// What is known of an object, by its number among those of the mapping.
    #[inline]
    pub fn patterns(&self, object: usize) -> Option<&Patterns> {
        self.patterns.get(object)
    }
}

/// How many sets of words are remembered.
const REMEMBERED: usize = 16;

/// Remembers what was judged, the newest first.
#[derive(Debug, Default)]
pub struct Judge(Mutex<Vec<Arc<Verdicts>>>);

impl Judge {
    /// All needs of a mapping, judged by the words of a source.
    pub fn verdicts(&self, words: &Words, found: Found) -> Arc<Verdicts> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known.iter().position(|verdicts| verdicts.found == found) {
            known[..=place].rotate_right(1);
            return known[0].clone();
        }
        let all = words.asked().iter().map(|need| verdict(need, &found)).collect();
        let patterns = (0..words.objects()).map(|_| Patterns::default()).collect();
        let judged = Arc::new(Verdicts { found, all, patterns });
        known.truncate(REMEMBERED - 1);
        known.insert(0, judged.clone());
        judged
    }
}

fn verdict(need: &Need, found: &Found) -> Verdict {
    match need {
        Need::Always => Verdict::Yes,
        Need::Never => Verdict::No,
        Need::Word(number) if found.has(*number) => Verdict::Yes,
        Need::Word(_) => Verdict::No,
        Need::Slot(_) => Verdict::Depends(need.clone()),
        Need::All(needs) => verdict_of(Need::all(needs.iter().map(|need| left(verdict(need, found))))),
        Need::Any(needs) => verdict_of(Need::any(needs.iter().map(|need| left(verdict(need, found))))),
    }
}

/// What is left of a need when the words are known.
fn left(verdict: Verdict) -> Need {
    match verdict {
        Verdict::No => Need::Never,
        Verdict::Yes => Need::Always,
        Verdict::Depends(need) => need,
    }
}

fn verdict_of(left: Need) -> Verdict {
    match left {
        Need::Always => Verdict::Yes,
        Need::Never => Verdict::No,
        need => Verdict::Depends(need),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn needs_are_judged_as_far_as_words_can_tell() {
        let mut words = Words::default();
        let (here, gone) = (words.need("here"), words.need("gone"));
        let slot = Need::Slot(9);
        let asked = [
            Need::Always,
            Need::any([gone.clone(), here.clone()]),
            Need::all([gone.clone(), here.clone()]),
            Need::all([here.clone(), slot.clone()]),
            Need::any([gone, Need::all([here, slot.clone()])]),
        ]
        .map(|need| words.ask(need));
        let judge = Judge::default();
        let verdicts = judge.verdicts(&words, words.find_in([&json!({"here": 1})]));
        let depends = || Verdict::Depends(slot.clone());
        let expected = [Verdict::Yes, Verdict::Yes, Verdict::No, depends(), depends()];
        asked.iter().zip(&expected).for_each(|(asked, expected)| assert_eq!(verdicts.of(asked), expected));
        assert!(Arc::ptr_eq(&verdicts, &judge.verdicts(&words, words.find_in([&json!("here")]))));
        for n in 0..2 * REMEMBERED {
            judge.verdicts(&words, words.find_in([&json!([n, "gone"])]));
        }
        assert_eq!(*judge.verdicts(&words, words.find_in([&json!({})])).of(&asked[1]), Verdict::No);
    }
}
