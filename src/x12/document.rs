//! A file of any length as one JSON document, written set by set: what [`crate::x12::json::interchange`] shows, but TA1,
//! strays and trailers come behind the groups.

use crate::fault::{Fault, Issue};
use crate::x12::envelope::Role;
use crate::x12::guide::Guides;
use crate::x12::json;
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;
use crate::x12::sets::{self, Piece};
use serde::Serialize;
use serde_json::Value;
use std::io::{Read, Write};
use std::ops::ControlFlow;

/// Writes an array of interchanges.
#[derive(Debug)]
pub struct Document<'g, W> {
    guides: &'g Guides,
    out: W,
    /// Interchanges so far.
    pub interchanges: u64,
    is_open: bool,
    group: Group,
    ta1: Vec<Value>,
    strays: Vec<Value>,
    /// Null when it is missing.
    iea: Value,
}

/// The groups of the open interchange.
#[derive(Debug, Default)]
struct Group {
    count: u64,
    is_open: bool,
    sets: u64,
    /// Null when it is missing.
    ge: Value,
}

/// Levels of the indentation.
const INTERCHANGE: usize = 1;
const GROUP: usize = 3;
const SET: usize = 5;

impl<'g, W: Write> Document<'g, W> {
    pub fn new(guides: &'g Guides, out: W) -> Document<'g, W> {
        let (interchanges, is_open, group, ta1, strays, iea) = Default::default();
        Document { guides, out, interchanges, is_open, group, ta1, strays, iea }
    }

    /// Writes a file, and gives back what is wrong with the shape of its envelope. The inner error is one of the output.
    pub fn file(&mut self, source: impl Read) -> Result<std::io::Result<Vec<Issue>>, Fault> {
        let (mut issues, mut written) = (Vec::new(), Ok(()));
        sets::visit(source, |piece| {
            written = match piece {
                Piece::Issues(found) => {
                    issues.extend(found);
                    Ok(())
                }
                Piece::Envelope(role, segment) => self.envelope(role, &segment),
                Piece::Set { set, grouped } => self.set(&set, grouped),
            };
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(written.and_then(|()| self.close()).map(|()| issues))
    }

    /// Ends the array.
    pub fn end(mut self) -> std::io::Result<()> {
        let end: &[u8] = if self.interchanges == 0 { b"[]\n" } else { b"\n]\n" };
        self.out.write_all(end)?;
        self.out.flush()
    }

    fn envelope(&mut self, role: Role, segment: &Segment<'_>) -> std::io::Result<()> {
        match role {
            Role::Isa => {
                self.close()?;
                self.open(segment)
            }
            Role::Gs => self.open_group(segment),
            Role::Ta1 => {
                self.ta1.push(json::segment(segment, ""));
                Ok(())
            }
            Role::Stray => {
                self.strays.push(json::segment(segment, ""));
                Ok(())
            }
            Role::Ge => {
                self.group.ge = json::segment(segment, "");
                Ok(())
            }
            Role::Iea => {
                self.iea = json::segment(segment, "");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, isa: &Segment<'_>) -> std::io::Result<()> {
        self.out.write_all(if self.interchanges == 0 { b"[\n  {\n" } else { b",\n  {\n" })?;
        self.interchanges += 1;
        self.is_open = true;
        for (name, element) in [("controlNumber", 13), ("sender", 6), ("receiver", 8)] {
            self.member(INTERCHANGE + 1, name, &isa.element(element).trim())?;
        }
        self.member(INTERCHANGE + 1, "isa", &json::segment(isa, ""))?;
        self.out.write_all(b"    \"groups\": [")
    }

    fn open_group(&mut self, gs: &Segment<'_>) -> std::io::Result<()> {
        self.close_group()?;
        self.out.write_all(if self.group.count == 0 { b"\n      {\n" } else { b",\n      {\n" })?;
        self.group = Group { count: self.group.count + 1, is_open: true, ..Group::default() };
        for (name, element) in [("functionalId", 1), ("controlNumber", 6), ("version", 8)] {
            self.member(GROUP + 1, name, &gs.element(element))?;
        }
        self.member(GROUP + 1, "gs", &json::envelope(Some(gs)))?;
        self.out.write_all(b"        \"sets\": [")
    }

    fn set(&mut self, set: &TransactionSet<'_>, grouped: bool) -> std::io::Result<()> {
        if let Some(st) = set.segments.first().filter(|_| !grouped) {
            self.open_group(&st.emptied())?;
        }
        self.out.write_all(if self.group.sets == 0 { b"\n          " } else { b",\n          " })?;
        self.group.sets += 1;
        write(&mut self.out, SET, &json::ShownSet { guides: self.guides, set })
    }

    fn close_group(&mut self) -> std::io::Result<()> {
        if !std::mem::take(&mut self.group.is_open) {
            return Ok(());
        }
        self.out.write_all(if self.group.sets == 0 { b"],\n" } else { b"\n        ],\n" })?;
        let ge = self.group.ge.take();
        self.last(GROUP + 1, "ge", &ge)?;
        self.out.write_all(b"\n      }")
    }

    /// Ends the open interchange.
    fn close(&mut self) -> std::io::Result<()> {
        if !std::mem::take(&mut self.is_open) {
            return Ok(());
        }
        self.close_group()?;
        let end: &[u8] = if self.group.count == 0 { b"],\n" } else { b"\n    ],\n" };
        self.out.write_all(end)?;
        self.group = Group::default();
        let (ta1, strays) = (std::mem::take(&mut self.ta1), std::mem::take(&mut self.strays));
        self.member(INTERCHANGE + 1, "ta1", &ta1)?;
        self.member(INTERCHANGE + 1, "strays", &strays)?;
        let iea = self.iea.take();
        self.last(INTERCHANGE + 1, "iea", &iea)?;
        self.out.write_all(b"\n  }")
    }

    /// A member that others follow.
    fn member(&mut self, level: usize, name: &str, value: &impl Serialize) -> std::io::Result<()> {
        self.last(level, name, value)?;
        self.out.write_all(b",\n")
    }

    /// A member that none follows.
    fn last(&mut self, level: usize, name: &str, value: &impl Serialize) -> std::io::Result<()> {
        write!(self.out, "{:width$}\"{name}\": ", "", width = 2 * level)?;
        write(&mut self.out, level, value)
    }
}

/// Writes a value whose first line stands at a level already.
fn write(out: &mut impl Write, level: usize, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer_pretty(Indented { out, level }, value).map_err(std::io::Error::from)
}

/// Indents each line but the first. JSON has no line feeds but those between its lines.
struct Indented<'o, W> {
    out: &'o mut W,
    level: usize,
}

impl<W: Write> Write for Indented<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for (n, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if n > 0 {
                write!(self.out, "\n{:width$}", "", width = 2 * self.level)?;
            }
            self.out.write_all(line)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;
    use crate::x12::reader;
    use crate::x12::tokens::tests::isa;

    #[test]
    fn a_file_is_shown_as_its_interchanges_are() {
        let head = isa('*', '^', ':', "~");
        let group =
            "GS*HP*A*B*20250303*1200*1*X*005010X221A1~ST*835*0001~BPR*I*0~N1*PR*\"A\\\u{c9}~SE*4*0001~ST*999*2~GE*2*1~";
        for text in [
            format!("{head}{group}ZZZ*1~GS*HC~GE*0*1~IEA*2*1~{head}TA1*1~ST*834*1*X~INS*Y^N~"),
            format!("junk {head}"),
            "junk".to_owned(),
            String::new(),
        ] {
            let mut out = Vec::new();
            let mut document = Document::new(shipped(), &mut out);
            let issues = document.file(text.as_bytes()).unwrap().unwrap();
            document.end().unwrap();
            let (interchanges, outside) = reader::read(&text);
            let whole: Vec<_> = interchanges.iter().map(|found| json::interchange(shipped(), found)).collect();
            assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), Value::from(whole.clone()));
            assert_eq!(
                issues.len(),
                outside.len() + interchanges.iter().map(|found| found.issues.len()).sum::<usize>()
            );
            let lines = |text: &str| text.lines().count();
            assert_eq!(lines(std::str::from_utf8(&out).unwrap()), lines(&format!("{:#}", Value::from(whole))));
        }
    }
}
