//! Eight bytes looked at together.

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7F * ONES;
const HIGH: u64 = 0x80 * ONES;

/// Bit n of eight is set when byte n of a word is this one.
#[inline]
pub(crate) fn equal_bytes(word: [u8; 8], byte: u8) -> u64 {
    let unlike = u64::from_le_bytes(word) ^ (ONES * u64::from(byte));
    // The high bit of each byte that is alike, and of no other.
    let alike = !(((unlike & LOW) + LOW) | unlike | LOW);
    // The eight bits are gathered in the highest byte.
    (alike >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Marks the bytes of a word that are this one, each in its high bit. Those above the lowest may be marked without cause; it
/// never is, so that [`first`] is right.
#[inline]
pub(crate) fn marks(word: [u8; 8], byte: u8) -> u64 {
    let unlike = u64::from_le_bytes(word) ^ (ONES * u64::from(byte));
    unlike.wrapping_sub(ONES) & !unlike & HIGH
}

/// The first byte that is marked; 8 when none is.
#[inline]
pub(crate) fn first(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

/// Marks a word that holds anything but printed characters (space to tilde).
#[inline]
pub(crate) fn unprinted(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    // Below a space, above a tilde, or no ASCII: each shows in the high bit, and what is carried on only from such a byte.
    (word | word.wrapping_sub(ONES * u64::from(b' ')) | word.wrapping_add(ONES)) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_told_from_all_others() {
        for byte in 0..=255 {
            let word = [byte, b'*', byte, !byte, b'*' | 0x80, b'+', b'*', byte];
            let expected = word.iter().zip(0..).fold(0, |bits, (at, n)| bits | u64::from(*at == b'*') << n);
            assert_eq!(equal_bytes(word, b'*'), expected, "{word:?}");
            assert_eq!(first(marks(word, b'*')), word.iter().position(|at| *at == b'*').unwrap_or(8), "{word:?}");
            assert_eq!(unprinted([b'A', byte, b'~', b' ', b'A', b'A', b'A', b'A']) == 0, (b' '..=b'~').contains(&byte));
            assert_eq!(first(marks([byte; 8], b'*')), if byte == b'*' { 0 } else { 8 });
        }
    }
}
