//! Words that are known beforehand, found quickly: names of definitions and texts of mappings, asked for by every word of
//! what comes in.

/// Words by number, in the order in which they were entered.
#[derive(Debug, Default)]
pub struct Lexicon {
    words: Vec<Box<str>>,
    /// Numbers of the words by their [`mark`], in a table twice as large or more; `NONE` stands where there is none.
    table: Vec<(u64, u32)>,
    /// How words of each length begin, the last for all that are longer, one bit for each of 64 bytes: most texts are turned
    /// away by it.
    begins: Begins,
}

/// Lengths that are told apart.
const LENGTHS: usize = 64;

#[derive(Debug)]
struct Begins([u64; LENGTHS]);

impl Default for Begins {
    fn default() -> Begins {
        Begins([0; LENGTHS])
    }
}

impl Begins {
    /// Where a word stands, and its bit there.
    fn place(word: &[u8]) -> (usize, u64) {
        (word.len().min(LENGTHS - 1), 1 << (word.first().copied().unwrap_or_default() % 64))
    }

    fn enter(&mut self, word: &[u8]) {
        let (place, bit) = Begins::place(word);
        self.0[place] |= bit;
    }

    #[inline]
    fn may_have(&self, word: &[u8]) -> bool {
        let (place, bit) = Begins::place(word);
        self.0[place] & bit != 0
    }
}

const NONE: (u64, u32) = (0, u32::MAX);

impl Lexicon {
    /// The number of a word, which is entered when it is new.
    pub fn enter(&mut self, word: &str) -> u32 {
        if let Some(number) = self.number(word) {
            return number;
        }
        let number = self.words.len() as u32;
        self.words.push(word.into());
        self.begins.enter(word.as_bytes());
        if self.words.len() * 2 > self.table.len() {
            self.table = vec![NONE; (self.words.len() * 4).next_power_of_two()];
            (0..number).for_each(|number| self.put(number));
        }
        self.put(number);
        number
    }

    fn put(&mut self, number: u32) {
        let mark = mark(self.words[number as usize].as_bytes());
        let mut at = mark as usize & (self.table.len() - 1);
        while self.table[at].1 != NONE.1 {
            at = (at + 1) & (self.table.len() - 1);
        }
        self.table[at] = (mark, number);
    }

    /// The number of a word that was entered.
    #[inline]
    pub fn number(&self, word: &str) -> Option<u32> {
        self.number_of(word.as_bytes())
    }

    /// The same of a word as bytes.
    #[inline]
    pub fn number_of(&self, word: &[u8]) -> Option<u32> {
        self.begins.may_have(word).then(|| self.sought(word))?
    }

    fn sought(&self, word: &[u8]) -> Option<u32> {
        let mark = mark(word);
        let mut at = mark as usize;
        loop {
            let (known, number) = *self.table.get(at & (self.table.len() - 1))?;
            if number == NONE.1 {
                return None;
            }
            if known == mark && self.words.get(number as usize).is_some_and(|found| found.as_bytes() == word) {
                return Some(number);
            }
            at = at.wrapping_add(1);
        }
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Every word, by number.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(AsRef::as_ref)
    }
}

/// A quick hash of a word's length, beginning and end. The words are ours, not the callers': nobody can choose them to
/// collide.
fn mark(bytes: &[u8]) -> u64 {
    let (first, last) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => short(bytes),
    };
    let mixed = (first ^ last.rotate_left(29)).wrapping_add(bytes.len() as u64);
    let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

/// Beginning and end of less than eight bytes.
fn short(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    let at = |n: usize| bytes.get(n).copied().map_or(0, u64::from);
    (at(0) << 8 | at(1), at(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_entered_and_nothing_else() {
        let words = ["", "a", "ab", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefgh-abcdefgh", "serviceLines", "é"];
        let mut lexicon = Lexicon::default();
        assert!(lexicon.is_empty() && lexicon.number("a").is_none());
        for (n, word) in words.iter().enumerate() {
            assert_eq!(lexicon.enter(word), n as u32);
        }
        for (n, word) in words.iter().enumerate() {
            assert_eq!((lexicon.number(word), lexicon.enter(word)), (Some(n as u32), n as u32), "{word}");
        }
        for word in ["b", "ba", "abd", "abcdefgh+abcdefgh", "abcdefgh-abcdefgi", "serviceLinez"] {
            assert_eq!(lexicon.number(word), None, "{word}");
        }
        assert_eq!((lexicon.len(), lexicon.words().collect::<Vec<_>>()), (words.len(), words.to_vec()));
    }
}
