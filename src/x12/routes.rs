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
    route: Route,
}

/// The places that one placer found. The default knows none.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    seen: u32,
    slots: Vec<Option<Slot>>,
    states: HashMap<Stand, u32>,
    /// Which loops are open, when that was so before.
    state: Option<u32>,
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

    /// The place that was found before; the placer must go there.
    pub fn follow(&mut self, asked: Asked) -> Option<&Route> {
        let from = self.state?;
        let slot = self.slots.get(slot_of(from, asked))?.as_ref()?;
        if slot.from != from || slot.asked != asked {
            return None;
        }
        self.state = Some(slot.route.to);
        Some(&slot.route)
    }

    /// Takes the place of a segment that was searched for; `stand` is where the placer is now, when that says all.
    pub fn learn(&mut self, asked: Option<Asked>, placed: &Placed, stand: Option<Stand>) {
        let from = self.state.take();
        let Some(stand) = stand else { return };
        let at = stand.get(placed.keep.wrapping_sub(1)).map_or(0, |(_, at)| *at);
        let next = u32::try_from(self.states.len()).unwrap_or(u32::MAX);
        let known = self.states.get(&stand).copied();
        let to = match known {
            None if self.states.len() < STATES => *self.states.entry(stand).or_insert(next),
            None => return,
            Some(to) => to,
        };
        self.state = Some(to);
        if let (Some(from), Some(asked), None) = (from, asked, placed.problem)
            && let Some(slot) = self.slots.get_mut(slot_of(from, asked))
        {
            *slot = Some(Slot { from, asked, route: Route { placed: *placed, at, to } });
        }
    }
}

impl Asked {
    /// What is asked by a segment; `None` when its place hangs on more: on the levels, or on values of several elements.
    pub fn of(guide: &Guide, segment: &Segment<'_>) -> Option<Asked> {
        let id = segment.id();
        let is_id = id.len() <= 3 && !id.bytes().any(|byte| byte.is_ascii_lowercase());
        if !is_id || id == "HL" {
            return None;
        }
        let tag = Tag::of(id);
        let value = match guide.qualifiers.of(tag) {
            Qualifier::None => "",
            Qualifier::At(element, 0) => segment.element(element),
            Qualifier::At(element, component) => segment.component(element, component),
            Qualifier::Several => return None,
        };
        let bytes = value.as_bytes();
        let packed = bytes.iter().fold(0, |packed, byte| (packed << 8) | u64::from(*byte));
        (bytes.len() <= LENGTH).then_some(Asked { tag, qualifier: (bytes.len() as u64) << 56 | packed })
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
    At(usize, usize),
    /// In more than one place.
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
        for spec in &guide.segments {
            let Some(slot) = all.slot(spec.tag) else { continue };
            let own = spec.qualifier_at;
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
        let own = (0..IDS).map(|n| (tag.home() + n) % IDS).find(|at| is_slot_of(&self.0, *at, tag));
        let found = own.map(|at| self.0.get(at).copied().flatten().map_or(Qualifier::None, |(_, found)| found));
        found.unwrap_or(Qualifier::Several)
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
            ("ZZZ", Qualifier::None),
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
        let asked = |raw| Asked::of(guide, &Segment::new(raw, Default::default()));
        assert_eq!(asked("REF*G1*1"), asked("REF*G1*2"));
        assert_ne!(asked("REF*G1*1"), asked("REF*F8*1"));
        assert_ne!(asked("REF*G1*1"), asked("REF*G*1"));
        assert_eq!(asked("CLM*A"), asked("CLM*B"));
        for none in ["HL*1", "ref*G1*1", "REFX*G1", "REF*12345678"] {
            assert_eq!(asked(none), None, "{none}");
        }
    }
}
