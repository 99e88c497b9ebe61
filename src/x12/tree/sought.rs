//! A segment whose place is looked for, and what of it tells the place.

use crate::x12::guide::{SegmentSpec, Tag};
use crate::x12::segment::{Segment, split};

/// A segment whose place is looked for.
pub(super) struct Sought<'s, 'a> {
    pub segment: &'s Segment<'a>,
    pub tag: Tag,
    /// Element 1: where nearly every qualifier stands.
    first: &'a str,
    /// The id has small letters or blanks around it, and would be one without.
    pub is_odd: bool,
}

impl<'s, 'a> Sought<'s, 'a> {
    pub fn new(segment: &'s Segment<'a>) -> Sought<'s, 'a> {
        let mut parts = split(segment.raw(), Some(segment.delimiters.element));
        let id = parts.next().unwrap_or_default();
        let first = parts.next().unwrap_or_default();
        if is_id(id) {
            return Sought { segment, tag: Tag::of(id), first, is_odd: false };
        }
        let meant = id.trim().to_ascii_uppercase();
        let is_odd = is_id(&meant);
        let tag = if is_odd { Tag::of(&meant) } else { Tag::of(id) };
        Sought { segment, tag, first, is_odd }
    }

    /// `Some(true)` when the qualifier is the right one, `Some(false)` when none is needed, `None` when it is another's.
    pub fn qualifies(&self, spec: &SegmentSpec) -> Option<bool> {
        if spec.qualifiers.is_empty() {
            return Some(false);
        }
        let found = match spec.qualifier_at {
            (1, 0) => self.first,
            (element, 0) => self.segment.element(element),
            (element, component) => self.segment.component(element, component),
        };
        spec.qualifiers.iter().any(|code| code == found).then_some(true)
    }
}

/// Two or three characters, a letter first.
pub(crate) fn is_id(id: &str) -> bool {
    let bytes = id.as_bytes();
    let shape = bytes.first().is_some_and(u8::is_ascii_uppercase);
    shape
        && (2..=3).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
