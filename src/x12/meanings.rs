//! Numbers for what the situational rules see of a segment, of a loop, and of a loop with those around it. What has the same
//! number says the same to every rule, so that it is judged once: in a long file most loops say what others said before.

/// Meanings that are remembered; one that comes later takes the slot of another, and no number is given twice.
const SLOTS: usize = 2048;
/// Words of the longest meaning that gets a number.
pub(crate) const WORDS: usize = 40;
/// Numbers that are given; behind them is room for words that are none.
const NUMBERS: u32 = 1 << 28;
/// A word of what has no number, which none has that holds it.
pub(crate) const NONE: u32 = 0;

/// The number of what something says, and the slot that remembers it. The default is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    number: u32,
    slot: u32,
}

impl Meaning {
    /// Itself as a word of another meaning.
    pub fn word(self) -> u32 {
        self.number
    }
}

/// What is known of a meaning. Bits, which can stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quiet(u8);

impl Quiet {
    /// A loop breaks no rule that looks at nothing but itself and what is inside of it.
    pub const INSIDE: Quiet = Quiet(1);
    /// With the loops around it, it breaks none of the other rules.
    pub const OUTSIDE: Quiet = Quiet(2);
    /// Neither it nor any loop inside of it breaks a rule.
    pub const BELOW: Quiet = Quiet(4);
    /// A loop holds what its guide demands, and nothing too often.
    pub const COUNTS: Quiet = Quiet(8);
}

/// What a word stands for, in its highest bits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Word {
    /// A segment of the guide, whose values no rule looks at.
    Segment,
    /// A segment of the guide, whose values follow.
    Values,
    /// A loop of the guide, whose segments and loops follow.
    Loop,
    /// A loop of the guide that is seen no further than whether it is there.
    Apart,
    /// A loop with those around it.
    Path,
}

impl Word {
    pub fn of(self, ix: u16) -> u32 {
        NUMBERS + (u32::from(self as u8) << 16) + u32::from(ix)
    }
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    words: [u32; WORDS],
    length: usize,
    number: u32,
    quiet: u8,
}

const FREE: Slot = Slot { words: [NONE; WORDS], length: 0, number: NONE, quiet: 0 };

/// The meanings of one guide and one kind of delimiters. The default remembers nothing.
#[derive(Debug, Default)]
pub(crate) struct Meanings {
    slots: Vec<Slot>,
    given: u32,
}

impl Meanings {
    /// Remembers from here on, and nothing of what came before.
    pub fn begin(&mut self) {
        match self.slots.is_empty() {
            true => self.slots = vec![FREE; SLOTS],
            false => self.slots.fill(FREE),
        }
    }

    /// The meaning of words; none when there are too many of them, or when one of them has none.
    pub fn of(&mut self, words: &[u32]) -> Meaning {
        let at = slot_of(words);
        let Some(slot) = self.slots.get_mut(at) else { return Meaning::default() };
        let Some(own) = slot.words.get_mut(..words.len()) else { return Meaning::default() };
        if slot.length != words.len() || own != words {
            if self.given + 1 >= NUMBERS || words.is_empty() || words.contains(&NONE) {
                return Meaning::default();
            }
            self.given += 1;
            own.copy_from_slice(words);
            (slot.length, slot.number, slot.quiet) = (words.len(), self.given, 0);
        }
        Meaning { number: slot.number, slot: u32::try_from(at).unwrap_or(u32::MAX) }
    }

    /// The meaning of a loop inside of loops.
    pub fn inside(&mut self, around: Meaning, own: Meaning) -> Meaning {
        match around.number == NONE || own.number == NONE {
            true => Meaning::default(),
            false => self.of(&[Word::Path.of(0), around.number, own.number]),
        }
    }

    pub fn is(&self, quiet: Quiet, meaning: Meaning) -> bool {
        let slot = self.slots.get(meaning.slot as usize);
        slot.is_some_and(|slot| slot.number == meaning.number && slot.quiet & quiet.0 != 0) && meaning.number != NONE
    }

    pub fn set(&mut self, quiet: Quiet, meaning: Meaning) {
        if let Some(slot) = self.slots.get_mut(meaning.slot as usize)
            && slot.number == meaning.number
        {
            slot.quiet |= quiet.0;
        }
    }
}

/// Puts the words of a value behind others: which of its segment it is, its length, and its bytes.
pub(crate) fn push_value(element: usize, value: &str, words: &mut Vec<u32>) {
    let bytes = value.as_bytes();
    if bytes.len() > 4 * WORDS {
        return words.push(NONE);
    }
    let (whole, rest) = bytes.as_chunks::<4>();
    words.push(u32::try_from(element << 8 | bytes.len()).unwrap_or(NONE));
    words.extend(whole.iter().map(|word| u32::from_le_bytes(*word)));
    if !rest.is_empty() {
        words.push(rest.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte)));
    }
}

fn slot_of(words: &[u32]) -> usize {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: &u32| (hash.rotate_left(5) ^ u64::from(*word)).wrapping_mul(MIX);
    usize::try_from(words.iter().fold(0, mix) >> 32).unwrap_or_default() % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_have_the_same_number_and_no_others() {
        let mut meanings = Meanings::default();
        assert_eq!(meanings.of(&[1]), Meaning::default());
        meanings.begin();
        let (one, other) = (meanings.of(&[Word::Loop.of(1), 7]), meanings.of(&[Word::Loop.of(1), 8]));
        assert!(one != other && one.word() != NONE && other.word() != NONE);
        assert_eq!(meanings.of(&[Word::Loop.of(1), 7]), one);
        let longer = meanings.of(&[Word::Loop.of(1), 7, 8]);
        assert!(longer != one && longer != other);
        assert_eq!(meanings.of(&[Word::Loop.of(1), NONE]), Meaning::default());
        assert_eq!((meanings.of(&[1; WORDS + 1]), meanings.of(&[])), (Meaning::default(), Meaning::default()));
        assert_ne!(meanings.inside(one, other), meanings.inside(other, one));
        assert_eq!(meanings.inside(one, Meaning::default()), Meaning::default());
    }

    #[test]
    fn what_is_known_of_a_meaning_goes_with_it() {
        let mut meanings = Meanings::default();
        meanings.begin();
        let one = meanings.of(&[1]);
        meanings.set(Quiet::OUTSIDE, one);
        assert!(meanings.is(Quiet::OUTSIDE, one) && !meanings.is(Quiet::INSIDE, one));
        assert!(!meanings.is(Quiet::OUTSIDE, Meaning::default()));
        // Others take its slot sooner or later: then it is a new meaning, of which nothing is known.
        for word in 2..100_000 {
            let other = meanings.of(&[word]);
            assert!(!meanings.is(Quiet::OUTSIDE, other), "{word}");
        }
        let again = meanings.of(&[1]);
        assert!(again != one && !meanings.is(Quiet::OUTSIDE, again) && !meanings.is(Quiet::OUTSIDE, one));
        meanings.begin();
        assert_ne!(meanings.of(&[1]), again);
    }

    #[test]
    fn values_are_told_apart() {
        let words = |values: &[(usize, &str)]| {
            let mut words = Vec::new();
            values.iter().for_each(|(element, value)| push_value(*element, value, &mut words));
            words
        };
        let all = [&[(1, "A")][..], &[(2, "A")], &[(1, "AB")], &[(1, "ABCD")], &[(1, "ABCDE")], &[(1, "A"), (2, "B")]];
        for (n, left) in all.iter().enumerate() {
            assert!(all[..n].iter().all(|right| words(left) != words(right)), "{left:?}");
            assert!(!words(left).contains(&NONE));
        }
        assert!(words(&[(1, &"A".repeat(4 * WORDS + 1))]).contains(&NONE));
    }
}
