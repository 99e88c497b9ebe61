//! Places that were found before. The loops that are open, the id and the qualifier of a segment are all that its place
//! depends on, so that what was found once is found again at a look.

use crate::x12::guide::{Guide, LoopIx, Tag};
use crate::x12::segment::Segment;
use crate::x12::tree::Placed;
use std::collections::HashMap;

/// Segments of a set before anything is remembered: most sets are over before it would help.
const FIRST: u32 = 64;
/// Places that are remembered; one that comes later takes the slot of another.
const SLOTS: usize = 1024;
/// Ways in which loops may be open that are remembered; what comes later is searched for.
const STATES: usize = 1 << 12;
/// Longest qualifier.
const LENGTH: usize = 7;

/// The open loops of a placer, the set first, and the item of each that was reached.
pub(crate) type Stand = Vec<(LoopIx, usize)>;

/// What of a segment tells its place, once it is known which loops are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    tag: Tag,
    qualifier: u64,
}

/// Where a placer went by such a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub placed: Placed,
    /// The item that was reached in the innermost loop that stays open.
    pub at: usize,
    to: u32,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    from: u32,
    asked: Asked,
    head: Head,
    route: Route,
    /// The slot of the place that came behind this one last.
    next: Option<usize>,
}

/// The places that one placer found. The default knows none.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    seen: u32,
    slots: Vec<Option<Slot>>,
    states: HashMap<Stand, u32>,
    /// The one that was learned last: it comes again with each level.
    recent: (Stand, u32),
    /// Which loops are open, when that was so before.
    state: Option<u32>,
    /// The slot of the last place.
    last: Option<usize>,
}

impl Routes {
    /// Whether places are remembered by now.
    pub fn are_kept(&mut self) -> bool {
        self.seen = self.seen.saturating_add(1);
        if self.seen == FIRST {
            self.slots = vec![None; SLOTS];
        }
        self.seen >= FIRST
    }

    /// The place that came behind the last one before, if the segment goes there once more; the placer must go there.
    #[inline(always)]
    pub fn follow_on(&mut self, raw: &str) -> Option<&Route> {
        let next = self.slots.get(self.last?)?.as_ref()?.next?;
        let slot = self.slots.get(next)?.as_ref()?;
        if Some(slot.from) != self.state || !slot.head.begins(raw) {
            return None;
        }
        (self.state, self.last) = (Some(slot.route.to), Some(next));
        Some(&slot.route)
    }

    /// The place that was found before; the placer must go there.
    pub fn follow(&mut self, asked: Asked) -> Option<&Route> {
        let (from, at) = (self.state?, slot_of(self.state?, asked));
        let slot = self.slots.get(at)?.as_ref()?;
        if slot.from != from || slot.asked != asked {
            return None;
        }
        self.state = Some(slot.route.to);
        self.go_on(at);
        self.slots.get(at)?.as_ref().map(|slot| &slot.route)
    }

    /// Remembers that a place came behind the last one.
    fn go_on(&mut self, at: usize) {
        let last = self.last.replace(at).and_then(|last| self.slots.get_mut(last)?.as_mut());
        last.into_iter().for_each(|last| last.next = Some(at));
    }

    /// Takes the place of a segment that was searched for; `stand` is where the placer is now, when that says all.
    pub fn learn(
        &mut self,
        asked: Option<(Asked, Head)>,
        placed: &Placed,
        stand: Option<impl Iterator<Item = (LoopIx, usize)> + Clone>,
    ) {
        let from = self.state.take();
        let last = self.last.take();
        let Some(stand) = stand else { return };
        let at = stand.clone().nth(placed.keep.wrapping_sub(1)).map_or(0, |(_, at)| at);
        let Some(to) = self.state_of(stand) else { return };
        self.state = Some(to);
        if let (Some(from), Some((asked, head)), None) = (from, asked, placed.problem)
            && let Some(slot) = self.slots.get_mut(slot_of(from, asked))
        {
            *slot = Some(Slot { from, asked, head, route: Route { placed: *placed, at, to }, next: None });
            self.last = last;
            self.go_on(slot_of(from, asked));
        }
    }
}

impl Routes {
    /// The number of a stand; none when there are too many.
    fn state_of(&mut self, stand: impl Iterator<Item = (LoopIx, usize)> + Clone) -> Option<u32> {
        if stand.clone().eq(self.recent.0.iter().copied()) {
            return Some(self.recent.1);
        }
        let next = u32::try_from(self.states.len()).unwrap_or(u32::MAX);
        let stand: Stand = stand.collect();
        let known = self.states.get(&stand).copied();
        if known.is_none() && self.states.len() >= STATES {
            return None;
        }
        let state = known.unwrap_or_else(|| *self.states.entry(stand.clone()).or_insert(next));
        self.recent = (stand, state);
        Some(state)
    }
}

impl Asked {
    /// What is asked by a segment, and the bytes that tell it; `None` when its place hangs on more: on the levels, or on values
    /// of several elements.
    pub fn of(guide: &Guide, segment: &Segment<'_>) -> Option<(Asked, Head)> {
        let (id, first) = segment.head();
        let tag = Tag::of_bytes(id);
        let (value, stands_first) = match guide.qualifiers.of(tag) {
            Qualifier::None => (&[][..], false),
            Qualifier::At(1, 0) => (first, true),
            Qualifier::At(element, 0) => (segment.element(usize::from(element)).as_bytes(), false),
            Qualifier::At(element, component) => {
                let value = segment.component(usize::from(element), usize::from(component));
                (value.as_bytes(), element == 1 && component == 1)
            }
            Qualifier::Several => return None,
        };
        let packed = value.iter().fold(0, |packed, byte| (packed << 8) | u64::from(*byte));
        let asked = Asked { tag, qualifier: (value.len() as u64) << 56 | packed };
        // Each with the separator behind it.
        let length = match stands_first {
            true => id.len() + 1 + value.len() + 1,
            false => id.len() + 1,
        };
        let is_told = stands_first || guide.qualifiers.of(tag) == Qualifier::None;
        (value.len() <= LENGTH).then(|| (asked, Head::of(segment.raw(), if is_told { length } else { 0 })))
    }
}

/// The first bytes of a segment, where they tell its place: its id, its qualifier, and a separator behind each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    word: u64,
    /// No bits when they do not tell it.
    mask: u64,
}

impl Head {
    fn of(raw: &str, length: usize) -> Head {
        let is_here = (1..=8.min(raw.len())).contains(&length);
        let mask = if is_here { u64::MAX >> (64 - 8 * length) } else { 0 };
        Head { word: first_word(raw) & mask, mask }
    }

    #[inline]
    fn begins(self, raw: &str) -> bool {
        self.mask != 0 && first_word(raw) & self.mask == self.word
    }
}

/// The first eight bytes of a text, zeros behind a shorter one.
#[inline]
fn first_word(raw: &str) -> u64 {
    let bytes = raw.as_bytes();
    match bytes.first_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word),
        None => bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte)),
    }
}

fn slot_of(from: u32, asked: Asked) -> usize {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(MIX);
    let hash = mix(mix(mix(0, u64::from(from)), u64::from(asked.tag.number())), asked.qualifier);
    usize::try_from(hash >> 32).unwrap_or_default() % SLOTS
}

/// Where the segments of one id have their qualifier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Qualifier {
    #[default]
    None,
    /// Element and component (0 in a simple element).
    At(u16, u16),
    /// In more than one place; or the place hangs on more than a qualifier; or there is no such segment.
    Several,
}

/// The qualifiers of all segments of a guide, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Qualifiers(Vec<Option<(Tag, Qualifier)>>);

/// Slots of [`Qualifiers`]: many more than there are ids of segments in a guide.
const IDS: usize = 256;

impl Qualifiers {
    pub fn of_guide(guide: &Guide) -> Qualifiers {
        let mut all = Qualifiers(vec![None; IDS]);
        // The levels (HL) tell their places by their numbers.
        for spec in guide.segments.iter().filter(|spec| spec.id != "HL") {
            let Some(slot) = all.slot(spec.tag) else { continue };
            let narrow = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
            let own = (narrow(spec.qualifier_at.0), narrow(spec.qualifier_at.1));
            let before = slot.map_or(Qualifier::None, |(_, before)| before);
            let both = match before {
                before if spec.qualifiers.is_empty() => before,
                Qualifier::None => Qualifier::At(own.0, own.1),
                Qualifier::At(element, component) if (element, component) == own => before,
                _ => Qualifier::Several,
            };
            *slot = Some((spec.tag, both));
        }
        all
    }

    /// The slot of an id, or the first free one; none when all are taken.
    fn slot(&mut self, tag: Tag) -> Option<&mut Option<(Tag, Qualifier)>> {
        let at = (0..IDS).map(|n| (tag.home() + n) % IDS).find(|at| is_slot_of(&self.0, *at, tag))?;
        self.0.get_mut(at)
    }

    /// Where the segments of an id have their qualifier.
    fn of(&self, tag: Tag) -> Qualifier {
        for n in 0..IDS {
            match self.0.get((tag.home() + n) % IDS) {
                Some(Some((own, found))) if *own == tag => return *found,
                Some(Some(_)) => {}
                _ => break,
            }
        }
        Qualifier::Several
    }
}

fn is_slot_of(slots: &[Option<(Tag, Qualifier)>], at: usize, tag: Tag) -> bool {
    slots.get(at).is_some_and(|slot| slot.is_none_or(|(own, _)| own == tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;

    #[test]
    fn qualifiers_are_where_the_guide_says() {
        let guide = shipped().get("837p").unwrap();
        for (id, expected) in [
            ("REF", Qualifier::At(1, 0)),
            ("HI", Qualifier::At(1, 1)),
            ("CLM", Qualifier::None),
            ("HL", Qualifier::Several),
            ("ZZZ", Qualifier::Several),
        ] {
            assert_eq!(guide.qualifiers.of(Tag::of(id)), expected, "{id}");
        }
        for guide in shipped().iter() {
            let tags: std::collections::HashSet<_> = guide.segments.iter().map(|spec| spec.tag).collect();
            assert!(tags.len() < IDS / 2, "{}", guide.name);
        }
        let empty = Qualifiers::default();
        assert_eq!(empty.of(Tag::of("REF")), Qualifier::Several);
    }

    #[test]
    fn what_tells_a_place_is_asked() {
        let guide = shipped().get("837p").unwrap();
        let asked = |raw| Asked::of(guide, &Segment::new(raw, Default::default())).map(|(asked, _)| asked);
        assert_eq!(asked("REF*G1*1"), asked("REF*G1*2"));
        assert_ne!(asked("REF*G1*1"), asked("REF*F8*1"));
        assert_ne!(asked("REF*G1*1"), asked("REF*G*1"));
        assert_eq!(asked("CLM*A"), asked("CLM*B"));
        let head = |raw| Asked::of(guide, &Segment::new(raw, Default::default())).unwrap().1;
        for (raw, like, unlike) in [
            ("REF*G1*1", &["REF*G1*2", "REF*G1*"][..], &["REF*G1", "REF*G", "REF*G12*1", "REF"][..]),
            ("HI*ABK:A", &["HI*ABK:B*ABF:C"], &["HI*ABK", "HI*ABK*A", "HI*ABF:A"]),
            ("LX*1", &["LX*2", "LX*"], &["LX", "L*1"]),
            // None of these tells by its first bytes alone.
            ("REF*G1", &[], &["REF*G1", "REF*G1*1"]),
            ("REF*123456*1", &[], &["REF*123456*1"]),
            ("LX", &[], &["LX", "LX*1"]),
        ] {
            assert!(like.iter().all(|raw| head(raw).begins(raw) && head(raw).mask != 0), "{raw}");
            assert!(like.iter().all(|other| head(raw).begins(other)), "{raw}");
            assert!(unlike.iter().all(|other| !head(raw).begins(other)), "{raw}");
        }
        for none in ["HL*1", "ref*G1*1", "REFX*G1", "REF*12345678"] {
            assert_eq!(asked(none), None, "{none}");
        }
    }
}
