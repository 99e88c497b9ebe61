//! The levels (HL) of many claims as one hierarchy, in which equal ones are one.

use crate::fault::{Blame, Fault, Issue, Place, Retry, codes};
use crate::x12::delimiters::Delimiters;
use crate::x12::segment::Segment;
use std::collections::HashMap;

/// Levels that are shared when equal: source or billing provider, receiver, provider of service (HL03).
const SHARED_LEVELS: [&str; 3] = ["20", "21", "19"];

/// The levels of all bodies, equal ones made one.
pub(super) struct Forest<'a> {
    pub nodes: Vec<Node<'a>>,
    pub roots: Vec<usize>,
}

/// A level: its HL and the segments up to the next.
pub(super) struct Node<'a> {
    pub body: usize,
    pub code: &'a str,
    pub child_code: &'a str,
    pub segments: Vec<&'a str>,
    pub children: Vec<usize>,
    /// A level below one that is not shared: part of the same claim.
    pub inside_claim: bool,
}

impl Node<'_> {
    pub fn is_shared(&self) -> bool {
        SHARED_LEVELS.contains(&self.code) && !self.inside_claim
    }
}

/// Finds a shared level by the level around it, its code and its segments.
type Known<'a> = HashMap<(Option<usize>, &'a str, Vec<&'a str>), usize>;

impl<'a> Forest<'a> {
    pub fn of(bodies: &[&'a str], delimiters: Delimiters, first: usize) -> Result<Forest<'a>, Fault> {
        let mut forest = Forest { nodes: Vec::new(), roots: Vec::new() };
        let mut known = Known::new();
        let mut issues = Vec::new();
        for (n, body) in bodies.iter().enumerate() {
            if let Err(text) = forest.add(first + n, body, delimiters, &mut known) {
                issues.push(Issue::error(
                    codes::INTERNAL,
                    Place::Whole,
                    format!("claim {} of the batch {text}", first + n + 1),
                ));
            }
        }
        match issues.is_empty() {
            true => Ok(forest),
            false => Err(Fault { issues, blame: Blame::Gateway, retry: Retry::Never }),
        }
    }

    /// Adds the levels of one body.
    fn add(
        &mut self,
        body: usize,
        text: &'a str,
        delimiters: Delimiters,
        known: &mut Known<'a>,
    ) -> Result<(), &'static str> {
        let mut by_number: HashMap<&str, usize> = HashMap::new();
        let mut segments = segments_of(text, delimiters).peekable();
        if segments.peek().is_none() {
            return Err("is empty");
        }
        while let Some(raw) = segments.next() {
            let hl = Segment::new(raw, delimiters);
            if hl.id() != "HL" {
                return Err("does not begin with an HL segment");
            }
            let parent = match hl.element(2) {
                "" => None,
                number => Some(*by_number.get(number).ok_or("has an HL whose parent is missing")?),
            };
            let mut own = Vec::new();
            while let Some(raw) = segments.next_if(|raw| Segment::new(raw, delimiters).id() != "HL") {
                own.push(raw);
            }
            let inside_claim = parent.is_some_and(|parent| !self.nodes[parent].is_shared());
            let code = hl.element(3);
            let node =
                Node { body, code, child_code: hl.element(4), segments: own, children: Vec::new(), inside_claim };
            let ix = self.place(parent, node, known);
            by_number.insert(hl.element(1), ix);
        }
        Ok(())
    }

    fn place(&mut self, parent: Option<usize>, node: Node<'a>, known: &mut Known<'a>) -> usize {
        let key = node.is_shared().then(|| (parent, node.code, node.segments.clone()));
        if let Some(found) = key.as_ref().and_then(|key| known.get(key)) {
            return *found;
        }
        let ix = self.nodes.len();
        known.extend(key.map(|key| (key, ix)));
        self.nodes.push(node);
        match parent {
            Some(parent) => self.nodes[parent].children.push(ix),
            None => self.roots.push(ix),
        }
        ix
    }
}

fn segments_of(text: &str, delimiters: Delimiters) -> impl Iterator<Item = &str> {
    let all = text.split(char::from(delimiters.terminator));
    all.map(|raw| raw.trim_matches(['\r', '\n'])).filter(|raw| !raw.is_empty())
}
