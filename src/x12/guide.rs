//! The implementation guides (TR3): which loops, segments and elements a transaction may hold. Read once from
//! `conformance/x12/*.guide`, whose README tells the notation.

use crate::assets::Folder;
use crate::fault::{Blame, Fault, Issue, Place, Retry, codes};
use crate::x12::code_sets::{CodeCheck, Lists};
use crate::x12::guide_file;
use crate::x12::needs::Needs;
use crate::x12::reader::TransactionSet;
use crate::x12::routes::Qualifiers;
use crate::x12::rulebook;
use crate::x12::situations::{Check, LoopRules, Sight};
use crate::x12::spots::Spots;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The folder of the guides inside `conformance/`.
pub(crate) const FOLDER: &str = "x12";

/// A loop of a guide, by its place in [`Guide::loops`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoopIx(pub u16);

/// A segment of a guide, by its place in [`Guide::segments`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentIx(pub u16);

/// Whether something must be sent (R), may be when its condition holds (S), or must not be (N).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    Required,
    Situational,
    NotUsed,
}

/// What an element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementKind {
    /// Text.
    AN,
    /// A code.
    ID,
    /// A whole number.
    N0,
    /// A number with so many implied decimals.
    N(u8),
    /// A decimal number.
    R,
    /// A date: CCYYMMDD or YYMMDD, by the length.
    DT,
    /// A time of day: HHMM and more.
    TM,
    /// Binary.
    B,
    Composite,
}

/// A guide: one transaction of one version, for example 005010X222A1.
#[derive(Debug)]
pub struct Guide {
    /// Name of its file: `837p`, `278-response`.
    pub name: String,
    /// GS08 and ST03.
    pub id: String,
    /// ST01.
    pub transaction: String,
    /// GS01; empty when it is the guide of a segment that stands in no set (TA1).
    pub functional_id: String,
    /// Versions besides `id` that differ from it in nothing that is checked: earlier ones, and their errata.
    pub others: Vec<String>,
    pub title: String,
    /// The loops that a set is a list of: claims (2300), payments (2100), answers.
    pub units: Vec<LoopIx>,
    /// The first is the transaction set itself.
    pub loops: Vec<LoopSpec>,
    pub segments: Vec<SegmentSpec>,
    /// Where the segments of each id have their qualifier.
    pub(crate) qualifiers: Qualifiers,
    /// The situational rules of each loop.
    pub(crate) situations: Vec<LoopRules>,
    /// What they look at.
    pub(crate) sight: Sight,
    /// The code checks of each segment.
    pub(crate) codes: Vec<Vec<CodeCheck>>,
}

/// A loop, for example 2300 of 005010X222A1. Its first segment begins it.
#[derive(Debug)]
pub struct LoopSpec {
    pub id: Arc<str>,
    pub name: String,
    /// Every loop that it may stand in: 2300 stands in 2000B or 2000C.
    pub parents: Vec<LoopIx>,
    pub usage: Usage,
    /// How often in one parent; `None` is without limit.
    pub max: Option<u32>,
    /// In the order of the guide.
    pub segments: Vec<SegmentIx>,
    /// In the order of the guide.
    pub children: Vec<LoopIx>,
    /// Segments and children together, in the order of the guide.
    pub items: Vec<Item>,
    /// Begins a level of the hierarchy (HL).
    pub is_level: bool,
    /// For each item the segment that is, or begins, it: what the search for a segment's place goes through.
    pub(crate) index: Vec<(Tag, SegmentIx)>,
    /// The items by the ids of the index.
    pub(crate) spots: Spots,
    /// What it must hold.
    pub(crate) needs: Needs,
    /// Levels or claims stand in it, which are numbered.
    pub(crate) leads_to_numbers: bool,
}

/// What stands in a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    Segment(SegmentIx),
    Loop(LoopIx),
}

/// A segment in a loop, for example 2300 DTP*431.
#[derive(Debug)]
pub struct SegmentSpec {
    pub id: String,
    /// Codes that tell this segment from its siblings of the same id; empty when nothing need be told apart.
    pub qualifiers: Vec<String>,
    /// Element and component (0 in a simple element) of the qualifier.
    pub qualifier_at: (usize, usize),
    pub name: String,
    pub usage: Usage,
    pub max: Option<u32>,
    /// Element 01 first, without gaps.
    pub elements: Vec<ElementSpec>,
    pub syntax: Vec<Syntax>,
    /// Element, component (0 in a simple element) and text of what has but one value.
    pub constants: Vec<(usize, usize, String)>,
    /// Bit n is set when element n is required.
    pub(crate) required: u128,
    pub(crate) tag: Tag,
}

/// A relational note: how elements of one segment depend on each other (P0304, R0203, E0207, C0605, L050607).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    pub relation: Relation,
    pub elements: Vec<usize>,
    /// Bit n is set when element n is one of them.
    pub(crate) mask: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// P: all or none.
    Paired,
    /// R: at least one.
    AtLeastOne,
    /// E: at most one.
    Exclusive,
    /// C: if the first, then all others.
    Conditional,
    /// L: if the first, then at least one other.
    ListConditional,
}

/// What the name of an element tells beyond its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A name, an address, a note: a character that can't be sent may become a space.
    FreeText,
    /// Money: two decimals, ten digits (an implementation note of the 837 and 835 guides).
    Money,
    /// An identifier or anything else: to alter it would make another of it.
    Exact,
}

/// An element, or a component of a composite.
#[derive(Debug, Clone)]
pub struct ElementSpec {
    pub name: String,
    pub usage: Usage,
    pub kind: ElementKind,
    pub content: Content,
    pub min: u16,
    pub max: u16,
    /// The codes that the guide allows; empty when it lists none.
    pub codes: Vec<String>,
    /// Name of a code list that X12 does not hold.
    pub external: Option<String>,
    /// How often it may repeat.
    pub repeat: u32,
    pub components: Vec<ElementSpec>,
}

impl ElementSpec {
    /// An element that no guide line names: not used.
    pub(crate) fn unused() -> ElementSpec {
        ElementSpec {
            name: "the element".to_owned(),
            usage: Usage::NotUsed,
            kind: ElementKind::AN,
            content: Content::Exact,
            min: 1,
            max: u16::MAX,
            codes: Vec::new(),
            external: None,
            repeat: 1,
            components: Vec::new(),
        }
    }
}

impl SegmentSpec {
    /// Element `n` (from 1), or component `c` of it when `c` is not 0.
    pub fn element(&self, n: usize, c: usize) -> Option<&ElementSpec> {
        let element = self.elements.get(n.checked_sub(1)?)?;
        match c {
            0 => Some(element),
            _ => element.components.get(c - 1),
        }
    }

    /// `DTP*431`, `REF*EI,SY`, `CLM`: how the guide names it.
    pub fn key(&self) -> String {
        match self.qualifiers.is_empty() {
            true => self.id.clone(),
            false => format!("{}*{}", self.id, self.qualifiers.join(",")),
        }
    }

    /// Whether a segment of this id with this qualifier is meant: one of the qualifiers, or, when the guide needs none,
    /// one of the codes that stand there.
    pub fn answers_to(&self, qualifier: &str) -> bool {
        let (element, component) = self.qualifier_at;
        let codes = match self.qualifiers.is_empty() {
            true => self.element(element, component).map(|spec| spec.codes.as_slice()).unwrap_or_default(),
            false => &self.qualifiers,
        };
        codes.iter().any(|code| code == qualifier)
    }
}

impl Guide {
    /// The loop that stands for the transaction set.
    pub fn root(&self) -> LoopIx {
        LoopIx(0)
    }

    pub fn loop_at(&self, ix: LoopIx) -> &LoopSpec {
        &self.loops[usize::from(ix.0)]
    }

    pub fn segment_at(&self, ix: SegmentIx) -> &SegmentSpec {
        &self.segments[usize::from(ix.0)]
    }

    /// All loops with their indices, in the order of the guide.
    pub fn loop_ixs(&self) -> impl Iterator<Item = (LoopIx, &LoopSpec)> {
        (0..).map(LoopIx).zip(&self.loops)
    }

    /// The segments of a loop with their indices, in the order of the guide.
    pub fn segments_of(&self, in_loop: LoopIx) -> impl Iterator<Item = (SegmentIx, &SegmentSpec)> {
        self.loop_at(in_loop).segments.iter().map(|ix| (*ix, self.segment_at(*ix)))
    }

    /// `2300` → its index.
    pub fn loop_ix(&self, id: &str) -> Option<LoopIx> {
        self.loop_ixs().find(|(_, spec)| &*spec.id == id).map(|(ix, _)| ix)
    }

    /// The segment that `key` names in a loop: `CLM`, `DTP*431`, `HI*ABK` (of several of one id without a qualifier, the
    /// first).
    pub fn segment_ix(&self, in_loop: LoopIx, key: &str) -> Option<SegmentIx> {
        let (id, qualifier) = key.split_once('*').unwrap_or((key, ""));
        let qualifier = qualifier.trim_start_matches('*');
        let mut same_id = self.segments_of(in_loop).filter(|(_, spec)| spec.id == id);
        let found = match qualifier {
            "" => same_id.next(),
            _ => same_id.find(|(_, spec)| spec.answers_to(qualifier)),
        };
        found.map(|(ix, _)| ix)
    }

    /// Whether a loop is a unit or a level around units: each is read and checked by itself, as it comes.
    pub fn is_apart(&self, ix: LoopIx) -> bool {
        self.units.contains(&ix) || self.loop_at(ix).children.iter().any(|child| self.is_apart(*child))
    }

    /// The segment that begins a loop.
    pub fn starter(&self, of: LoopIx) -> Option<&SegmentSpec> {
        self.loop_at(of).segments.first().map(|ix| self.segment_at(*ix))
    }
}

/// A segment id as a number, so that a search compares numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tag(u32);

impl Tag {
    pub(crate) fn of(id: &str) -> Tag {
        Tag::of_bytes(id.as_bytes())
    }

    #[inline]
    pub(crate) fn of_bytes(id: &[u8]) -> Tag {
        // Ids have two or three characters; what is longer matches none.
        Tag(match *id {
            [] => 0,
            [first] => u32::from_be_bytes([0, 0, 0, first]),
            [first, second] => u32::from_be_bytes([0, 0, first, second]),
            [first, second, third] => u32::from_be_bytes([0, first, second, third]),
            _ => u32::MAX,
        })
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// One of 256 places, for a first look.
    pub(crate) fn home(self) -> usize {
        usize::try_from(self.0.wrapping_mul(0x9E37_79B1) >> 24).unwrap_or_default()
    }

    /// One of 64 bits, for a first look.
    pub(crate) fn bit(self) -> u64 {
        1 << (self.0.wrapping_mul(0x9E37_79B1) >> 26)
    }
}

impl Guide {
    /// Its version, and those that are read by it.
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.others.iter().map(String::as_str))
    }

    /// Whether a version is one of these, or names no guide (005010).
    pub fn is_version(&self, version: &str) -> bool {
        version.len() <= "005010".len() || self.versions().any(|own| own == version)
    }
}

/// All guides, by transaction and version.
#[derive(Debug, Clone)]
pub struct Guides {
    by_name: BTreeMap<String, Arc<Guide>>,
    /// Of segments that stand in no set.
    of_segments: Vec<Arc<Guide>>,
    checks: Vec<Arc<Check>>,
}

impl Guides {
    /// Reads every `x12/*.guide` and `x12/*.rules` of the conformance folder, with the code lists that ship; all mistakes at
    /// once.
    pub fn load(folder: &Folder) -> Result<Guides, Fault> {
        Guides::load_with(folder, &Lists::shipped())
    }

    /// As [`Guides::load`], with code lists from elsewhere.
    pub fn load_with(folder: &Folder, lists: &Lists) -> Result<Guides, Fault> {
        let (mut guides, mut issues) = (Vec::new(), Vec::new());
        for path in folder.list(FOLDER).iter().filter(|path| path.ends_with(".guide")) {
            let text = folder.text(path).unwrap_or_default();
            match guide_file::parse(&folder.display(path), &text) {
                Ok(guide) => guides.push(guide),
                Err(found) => issues.extend(found),
            }
        }
        if guides.is_empty() && issues.is_empty() {
            let at = Place::File { path: folder.display(FOLDER), line: 0, column: 0 };
            issues.push(Issue::error(codes::MAPPING_SYNTAX, at, "the folder holds no guide (*.guide)"));
        }
        let checks = rulebook::fill(folder, lists, &mut guides, &mut issues);
        let (of_sets, of_segments): (Vec<_>, Vec<_>) =
            guides.into_iter().map(Arc::new).partition(|guide| !guide.functional_id.is_empty());
        let by_name = of_sets.into_iter().map(|guide| (guide.name.clone(), guide)).collect();
        match issues.is_empty() {
            true => Ok(Guides { by_name, of_segments, checks }),
            false => Err(Fault { issues, blame: Blame::Gateway, retry: Retry::Never }),
        }
    }

    /// The checks with a name of their own (SNIP 3 to 5), balances first, then in the order of their files.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().map(AsRef::as_ref)
    }

    /// The guide of a segment that stands in no set (TA1), with what it says of that.
    pub fn of_segment(&self, id: &str) -> Option<(&Guide, &SegmentSpec)> {
        let guide = self.of_segments.iter().find(|guide| guide.transaction == id)?;
        Some((guide, guide.starter(guide.root())?))
    }

    /// All guides of transaction sets, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Guide>> {
        self.by_name.values()
    }

    /// By version (`005010X222A1`) or by file name (`837p`). Where a request and its response share a version, the version
    /// names the request (270, 276, 278-request).
    pub fn get(&self, id: &str) -> Option<&Arc<Guide>> {
        self.by_name.get(id).or_else(|| self.iter().find(|guide| guide.id == id))
    }

    /// The guide for ST01 and a version, tolerant of errata: 005010X223A3 is read as A2, 005010X231 as A1, and a 005010
    /// without more when only one guide has that transaction.
    pub fn for_set(&self, set_id: &str, version: &str) -> Option<&Arc<Guide>> {
        self.candidates(set_id, version).into_iter().next()
    }

    /// The guide of a set; a request and a response of one version are told apart by BHT02.
    pub fn for_transaction(&self, set: &TransactionSet<'_>) -> Option<&Arc<Guide>> {
        let purpose = set.segments.get(1).filter(|bht| bht.id() == "BHT").map_or("", |bht| bht.element(2));
        self.for_purpose(set.id(), set.version(), purpose)
    }

    /// As [`Guides::for_set`], with BHT02 to tell a request from its response.
    pub fn for_purpose(&self, set_id: &str, version: &str, purpose: &str) -> Option<&Arc<Guide>> {
        let candidates = self.candidates(set_id, version);
        let accepts = |guide: &&Arc<Guide>| {
            let bht = guide.segment_ix(guide.root(), "BHT").and_then(|ix| guide.segment_at(ix).element(2, 0));
            bht.is_some_and(|element| element.codes.iter().any(|code| code == purpose))
        };
        candidates.iter().copied().find(accepts).or_else(|| candidates.first().copied())
    }

    fn candidates(&self, set_id: &str, version: &str) -> Vec<&Arc<Guide>> {
        let of_set: Vec<_> = self.iter().filter(|guide| guide.transaction == set_id).collect();
        let with = |matches: &dyn Fn(&Guide) -> bool| {
            of_set.iter().copied().filter(|guide| matches(guide)).collect::<Vec<_>>()
        };
        let exact = with(&|guide| guide.id == version);
        if !exact.is_empty() {
            return exact;
        }
        let base = base_of(version);
        let errata = with(&|guide| base_of(&guide.id) == base);
        match errata.is_empty() && base.len() <= "005010".len() && "005010".starts_with(base) && of_set.len() == 1 {
            true => of_set,
            false => errata,
        }
    }
}

/// `005010X223A2` → `005010X223`.
fn base_of(version: &str) -> &str {
    version.find(['A', 'E']).and_then(|at| version.get(..at)).unwrap_or(version)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::sync::OnceLock;

    /// The guides that ship, for tests.
    pub fn shipped() -> &'static Guides {
        static GUIDES: OnceLock<Guides> = OnceLock::new();
        GUIDES.get_or_init(|| Guides::load(&Folder::ShippedConformance).unwrap_or_else(|fault| panic!("{fault}")))
    }

    fn key(guide: &Guide, in_loop: &str, key: &str) -> Option<String> {
        let in_loop = guide.loop_ix(in_loop)?;
        guide.segment_ix(in_loop, key).map(|ix| guide.segment_at(ix).key())
    }

    #[test]
    fn every_guide_that_ships_is_read() {
        let names: Vec<_> = shipped().iter().map(|guide| guide.name.as_str()).collect();
        let expected = "270 271 276 277 277ca 278-request 278-response 835 837d 837i 837p 997 999";
        assert_eq!(names.join(" "), expected);
        assert_eq!(
            shipped().of_segment("TA1").map(|(guide, spec)| (guide.id.as_str(), spec.elements.len())),
            Some(("00501", 5))
        );
        assert!(shipped().get("ta1").is_none() && shipped().for_set("TA1", "").is_none(), "a TA1 is no set");
    }

    #[test]
    fn versions_are_taken_tolerantly() {
        let name = |set, version| shipped().for_set(set, version).map(|guide| guide.name.as_str());
        assert_eq!(name("837", "005010X222A1"), Some("837p"));
        assert_eq!(name("837", "005010X223A3"), Some("837i"));
        assert_eq!(name("999", "005010X231"), Some("999"));
        assert_eq!(name("835", ""), Some("835"));
        assert_eq!(name("835", "004010X091A1"), None);
        assert_eq!(name("837", "005010"), None);
        assert_eq!(name("277", "005010X214"), Some("277ca"));
        assert_eq!(name("271", "005010X279A1"), Some("271"));
        assert_eq!(shipped().get("005010X222A1").unwrap().name, "837p");
    }

    #[test]
    fn segments_are_found_by_id_and_any_qualifier() {
        let guide = shipped().get("837p").unwrap();
        for (in_loop, wanted, found) in [
            ("2300", "CLM", "CLM"),
            ("2300", "DTP*360", "DTP*314,360,361"),
            ("2300", "HI*ABK", "HI*ABK,BK"),
            ("2300", "HI*BG", "HI*BG"),
            ("2300", "REF*G1", "REF*G1"),
            ("2300", "CRC*07", "CRC*07"),
            ("2310A", "NM1*P3", "NM1*DN,P3"),
            ("2310A", "NM1", "NM1*DN,P3"),
            ("2010AA", "REF*SY", "REF*EI,SY"),
            ("2400", "PWK*AB", "PWK*AB,AD,AF,AG,NS"),
            ("2320", "AMT*D", "AMT*D"),
            ("2320", "CAS*CO", "CAS"),
            ("2000A", "HL", "HL*20"),
        ] {
            assert_eq!(key(guide, in_loop, wanted).as_deref(), Some(found), "{in_loop} {wanted}");
        }
        assert_eq!(key(guide, "2300", "DTP*472"), None);
    }

    #[test]
    fn the_claim_hangs_under_subscriber_and_patient() {
        let guide = shipped().get("837p").unwrap();
        let parents = &guide.loop_at(guide.loop_ix("2300").unwrap()).parents;
        let ids: Vec<_> = parents.iter().map(|ix| &*guide.loop_at(*ix).id).collect();
        assert_eq!(ids, ["2000B", "2000C"]);
    }

    #[test]
    fn a_qualifier_stands_where_the_guide_says() {
        let guide = shipped().get("837p").unwrap();
        let at = |in_loop, key| {
            let ix = guide.segment_ix(guide.loop_ix(in_loop).unwrap(), key).unwrap();
            guide.segment_at(ix).qualifier_at
        };
        assert_eq!((at("2300", "HI*ABK"), at("2000B", "HL"), at("2300", "REF*G1")), ((1, 1), (3, 0), (1, 0)));
    }
}
