//! The characters that part an interchange; the ISA of each interchange sets its own.

/// Delimiters of one interchange (ISA: byte 3, ISA11, ISA16, and the byte after it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delimiters {
    pub element: u8,
    pub component: u8,
    /// `None` when ISA11 holds no separator (`U` before 005010).
    pub repetition: Option<u8>,
    pub terminator: u8,
    /// Write a line feed after each terminator.
    pub newline: bool,
}

impl Default for Delimiters {
    fn default() -> Delimiters {
        Delimiters { element: b'*', component: b':', repetition: Some(b'^'), terminator: b'~', newline: false }
    }
}

impl Delimiters {
    /// Whether data may not hold this character.
    pub fn contains(&self, byte: u8) -> bool {
        byte == self.element
            || byte == self.component
            || byte == self.terminator
            || self.repetition.is_some_and(|repetition| byte == repetition)
    }

    /// What makes these unusable, if anything: they must differ, and be neither letters, digits, spaces nor outside ASCII.
    pub fn fault(&self) -> Option<&'static str> {
        let all = [Some(self.element), Some(self.component), Some(self.terminator), self.repetition];
        let used: Vec<u8> = all.into_iter().flatten().collect();
        if used.iter().any(|byte| !byte.is_ascii() || byte.is_ascii_alphanumeric() || *byte == b' ') {
            return Some("a delimiter is a letter, a digit, a space or no ASCII character");
        }
        let twice = used.iter().enumerate().any(|(n, byte)| used[..n].contains(byte));
        twice.then_some("two delimiters are the same character")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_delimiters_are_named() {
        assert_eq!(Delimiters::default().fault(), None);
        assert!(Delimiters { component: b'*', ..Default::default() }.fault().is_some());
        assert!(Delimiters { component: b'A', ..Default::default() }.fault().is_some());
        assert_eq!(Delimiters { repetition: None, ..Default::default() }.fault(), None);
    }
}
