//! The functions of the language: one row each, in groups of the same kind. `mappings/FUNCTIONS.md` is written from here.

mod claims;
mod collections;
mod conversion;
mod fhir;
mod numbers;
mod text;
mod times;

use super::eval::{Focus, Outcome, Problem, Run, Truth, singleton};
use super::expr::Expr;
use super::gather::{Gathered, Taker, With};
use super::item::{Item, Items};
use crate::mapping::tables::Table;
use regex_lite::Regex;
use std::borrow::Cow;

pub use claims::is_made_field;
pub use collections::{MAX_REPEATED, distinct};
pub use fhir::X12_EXTENSION;
pub use text::MAX_PAD;

/// One function.
#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    /// How it is called, with the names of its arguments.
    pub signature: &'static str,
    pub least: usize,
    pub most: usize,
    pub returns: Returns,
    pub arguments: Arguments,
    pub work: Work,
    pub doc: &'static str,
    /// An expression that is true.
    pub example: &'static str,
}

/// What a function works on.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// The collection before the dot.
    Items(for<'r, 'a> fn(&Call<'r, 'a>, Items<'a>) -> Outcome<'a>),
    /// What stands before the dot, which it runs by itself; what comes of it is handed on item by item.
    Given(for<'r, 'a> fn(&Call<'r, 'a>, &mut dyn Taker<'a>) -> Gathered),
    /// The same, where it is a condition.
    Truth(for<'r, 'a> fn(&Call<'r, 'a>) -> Truth),
}

/// What comes out of a function, as far as that is known before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Items of the same kind as what stands before the dot.
    Input,
    Boolean,
    Text,
    Integer,
    Decimal,
    Time,
    /// What the first argument gives for each item.
    Projection,
    /// What one of the arguments gives.
    Either,
    /// What one of the arguments after the first gives.
    Branches,
    /// What stands before the dot, or what an argument gives.
    InputOr,
    /// The resources that a Reference may point to.
    Resource,
    /// A FHIR type.
    Fhir(&'static str),
    /// The type that the argument names.
    NamedType,
    Unknown,
}

/// How the arguments of a function are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arguments {
    /// Against the `$this` around the call.
    Around,
    /// Against each item in turn, as `$this`: the arguments are conditions or projections.
    Each,
    /// All give texts, one or several each; fixed ones are put together before the run.
    Texts,
    /// The first is a pattern.
    Pattern,
    /// The first names a code table and is a literal.
    Table,
    /// The argument is the name of a type.
    TypeName,
}

/// A function without peculiarities, which works on the collection before the dot.
const fn row(
    signature: &'static str,
    arity: (usize, usize),
    returns: Returns,
    run: for<'r, 'a> fn(&Call<'r, 'a>, Items<'a>) -> Outcome<'a>,
    doc: &'static str,
    example: &'static str,
) -> Function {
    function(signature, arity, returns, Work::Items(run), doc, example)
}

/// A function that runs by itself what stands before its dot.
const fn handing(
    signature: &'static str,
    arity: (usize, usize),
    returns: Returns,
    work: for<'r, 'a> fn(&Call<'r, 'a>, &mut dyn Taker<'a>) -> Gathered,
    doc: &'static str,
    example: &'static str,
) -> Function {
    function(signature, arity, returns, Work::Given(work), doc, example)
}

/// A condition.
const fn condition(
    signature: &'static str,
    arity: (usize, usize),
    holds: for<'r, 'a> fn(&Call<'r, 'a>) -> Truth,
    doc: &'static str,
    example: &'static str,
) -> Function {
    function(signature, arity, Returns::Boolean, Work::Truth(holds), doc, example)
}

/// The name is what stands before the bracket of the signature.
const fn function(
    signature: &'static str,
    arity: (usize, usize),
    returns: Returns,
    work: Work,
    doc: &'static str,
    example: &'static str,
) -> Function {
    let bytes = signature.as_bytes();
    let mut n = 0;
    while n < bytes.len() && bytes[n] != b'(' {
        n += 1;
    }
    let (name, _) = signature.split_at(n);
    Function {
        name,
        signature,
        least: arity.0,
        most: arity.1,
        returns,
        arguments: Arguments::Around,
        work,
        doc,
        example,
    }
}

/// The most arguments that a function without a limit of its own may take.
pub const MANY: usize = 32;

/// A pattern of FHIRPath: `.` matches line breaks too.
pub fn regex(pattern: &str) -> Result<Regex, regex_lite::Error> {
    regex_lite::RegexBuilder::new(pattern).dot_matches_new_line(true).build()
}

/// A function by its name.
pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// The groups, with their headings.
pub const GROUPS: &[(&str, &[Function])] = &[
    ("Collections", collections::FUNCTIONS),
    ("Text", text::FUNCTIONS),
    ("Numbers", numbers::FUNCTIONS),
    ("Conversion", conversion::FUNCTIONS),
    ("Dates and times", times::FUNCTIONS),
    ("FHIR", fhir::FUNCTIONS),
    ("Claims and X12", claims::FUNCTIONS),
];

/// All functions.
pub fn all() -> impl Iterator<Item = &'static Function> {
    GROUPS.iter().flat_map(|(_, functions)| functions.iter())
}

/// One call of a function.
pub struct Call<'r, 'a> {
    pub run: &'r Run<'a>,
    pub focus: Focus<'r, 'a>,
    /// What stands before the dot; `$this` when nothing does.
    pub base: Option<&'a Expr>,
    pub arguments: &'a [Expr],
}

impl<'r, 'a> Call<'r, 'a> {
    /// Hands on what stands before the dot.
    pub fn given(&self, taker: &mut dyn Taker<'a>) -> Gathered {
        match self.base {
            Some(base) => self.run.gather(base, self.focus, taker),
            None => Ok(taker.take(self.focus.this.clone())),
        }
    }

    /// Hands on what stands before the dot to what may fail.
    pub fn try_given(&self, mut work: impl FnMut(Item<'a>, usize) -> Gathered) -> Gathered {
        let (mut index, mut problem) = (0, None);
        let more = self.given(&mut With(|item| {
            index += 1;
            work(item, index - 1).unwrap_or_else(|found| {
                problem = Some(found);
                false
            })
        }))?;
        problem.map_or(Ok(more), Err)
    }

    /// The collection that an argument gives; empty when it was left out.
    pub fn items(&self, n: usize) -> Outcome<'a> {
        match self.arguments.get(n) {
            Some(argument) => self.run.eval(argument, self.focus),
            None => Ok(Items::None),
        }
    }

    /// Hands on what an argument gives.
    pub fn gather(&self, n: usize, taker: &mut dyn Taker<'a>) -> Gathered {
        self.arguments.get(n).map_or(Ok(true), |argument| self.run.gather(argument, self.focus, taker))
    }

    /// The single text that an argument gives.
    pub fn text(&self, n: usize) -> Result<Option<Cow<'a, str>>, Box<Problem>> {
        Ok(match self.arguments.get(n) {
            Some(Expr::Text(text)) => Some(Cow::Borrowed(text)),
            Some(argument) => self.run.one(argument, self.focus)?.and_then(|item| item.as_text()),
            None => None,
        })
    }

    pub fn integer(&self, n: usize) -> Result<Option<i64>, Box<Problem>> {
        self.arguments.get(n).map_or(Ok(None), |argument| self.run.integer(argument, self.focus))
    }

    /// A count or position: below zero is none.
    pub fn count(&self, n: usize) -> Result<Option<usize>, Box<Problem>> {
        Ok(self.integer(n)?.map(|number| usize::try_from(number).unwrap_or(0)))
    }

    /// Whether a condition holds for an item.
    pub fn holds(&self, n: usize, item: &Item<'a>, index: usize) -> Result<bool, Box<Problem>> {
        let Some(argument) = self.arguments.get(n) else { return Ok(true) };
        let focus = Focus { this: item, index, total: self.focus.total };
        let truth = self.run.muted(|| self.run.truth(argument, focus))?;
        Ok(truth.unwrap_or(false))
    }

    /// What an argument gives for an item.
    pub fn each(&self, n: usize, item: &Item<'a>, index: usize) -> Outcome<'a> {
        match self.arguments.get(n) {
            Some(argument) => self.run.eval(argument, Focus { this: item, index, total: self.focus.total }),
            None => Ok(Items::None),
        }
    }

    /// The pattern that an argument is; built before the run when it is a literal.
    pub fn pattern(&self, n: usize) -> Result<Option<Cow<'a, Regex>>, Box<Problem>> {
        if let Some(Expr::Pattern(regex, _)) = self.arguments.get(n) {
            return Ok(Some(Cow::Borrowed(regex)));
        }
        let Some(text) = self.text(n)? else { return Ok(None) };
        let wrong = |_| Problem::value("this is no regular expression", "see the syntax of the Rust crate regex-lite");
        regex(&text).map(|regex| Some(Cow::Owned(regex))).map_err(wrong)
    }

    pub fn table(&self, n: usize) -> Option<&'a Table> {
        match self.arguments.get(n) {
            Some(Expr::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// The one item before the dot, noted as a source of the result.
    pub fn one(&self, input: Items<'a>) -> Result<Option<Item<'a>>, Box<Problem>> {
        let item = singleton(input)?;
        item.iter().for_each(|item| self.run.note(item));
        Ok(item)
    }

    /// The text of an item, noted as a source of the result.
    pub fn text_of<'i>(&self, item: &'i Item<'a>) -> Result<Cow<'i, str>, Box<Problem>> {
        self.run.note(item);
        item.text().ok_or_else(no_text)
    }

    /// The text of the one item before the dot.
    pub fn one_text(&self, input: Items<'a>) -> Result<Option<Cow<'a, str>>, Box<Problem>> {
        match self.one(input)? {
            None => Ok(None),
            Some(Item::Text(text)) => Ok(Some(text)),
            Some(item) => item.as_text().ok_or_else(no_text).map(Some),
        }
    }
}

fn no_text() -> Box<Problem> {
    Problem::value("a text is needed here, not an object", "name a property of it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_documented() {
        let mut names = HashSet::new();
        for function in all() {
            assert!(names.insert(function.name), "{} twice", function.name);
            assert!(function.signature.starts_with(&format!("{}(", function.name)), "{}", function.signature);
            assert!(function.least <= function.most && function.doc.ends_with('.'), "{}", function.name);
            assert!(function.example.contains(function.name), "{}: {}", function.name, function.example);
        }
    }
}
