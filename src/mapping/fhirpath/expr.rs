//! A compiled expression: names split into steps, functions and variables looked up, patterns and tables ready.

use super::ast::Operator;
use super::functions::Function;
use crate::billing::shape::PlainPlace;
use crate::mapping::tables::Table;
use regex_lite::Regex;
use rust_decimal::Decimal;
use std::sync::{Arc, OnceLock};

/// An expression ready to run.
#[derive(Debug)]
pub enum Expr {
    Empty,
    Boolean(bool),
    Text(String),
    Integer(i64),
    Decimal(Decimal),
    Time(String),
    Quantity(Decimal, String),
    /// Several fixed texts: `'NPI' | 'XX'`.
    Texts(Arc<[String]>),
    /// A literal pattern of `matches` and `replaceMatches`.
    Pattern(Box<Regex>, String),
    /// A code table named by a literal.
    Table(Arc<Table>),
    This,
    Index,
    Total,
    /// The value of a `let`, or of a variable that the caller gives.
    Slot(usize),
    /// `%index`: the place of the item in the innermost `each`, from 0.
    EachIndex,
    Now,
    /// `%context`: what the whole mapping reads.
    Context,
    /// `%resource`: the resource that holds `$this`.
    Resource,
    /// Names one after another, against a base or `$this`.
    Path(Option<Box<Expr>>, Box<[Step]>),
    /// The value behind a primitive's `_name`, for `extension()` on primitives.
    Shadow(Option<Box<Expr>>, Box<Step>),
    /// Function, what stands before the dot (else `$this`), arguments.
    Call(&'static Function, Option<Box<Expr>>, Box<[Expr]>),
    At(Box<Expr>, Box<Expr>),
    Minus(Box<Expr>),
    /// `(a | b | c).first()`: the first item of the first that has one; those behind it are not run.
    FirstOf(Box<[Expr]>),
    /// `iif(criterion, then, otherwise)` about `$this`; the third is empty where it was left out.
    If(Box<[Expr; 3]>),
    /// `a & b & c`.
    Join(Box<[Expr]>),
    /// `x in ('a' | 'b')`.
    OneOf(Box<Expr>, Arc<[String]>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Is(Box<Expr>, String),
    As(Box<Expr>, String),
}

impl Expr {
    /// The texts that an expression is, when it is fixed and nothing but texts.
    pub fn texts(&self) -> Option<Arc<[String]>> {
        match self {
            Expr::Empty => Some(Arc::from([])),
            Expr::Text(text) => Some(Arc::from([text.clone()])),
            Expr::Texts(texts) => Some(texts.clone()),
            _ => None,
        }
    }

    /// Whether the value of a variable is read anywhere in it.
    pub fn reads(&self, slot: usize) -> bool {
        if let Expr::Slot(read) = self {
            return *read == slot;
        }
        let mut reads = false;
        self.operands(&mut |operand| reads |= operand.reads(slot));
        reads
    }

    /// The expressions that it is made of.
    fn operands<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        match self {
            Expr::Path(base, _) | Expr::Shadow(base, _) => base.iter().for_each(|base| visit(base)),
            Expr::Call(_, base, arguments) => {
                base.iter().for_each(|base| visit(base));
                arguments.iter().for_each(visit);
            }
            Expr::At(left, right) | Expr::Binary(_, left, right) => {
                visit(left);
                visit(right);
            }
            Expr::Minus(operand) | Expr::OneOf(operand, _) | Expr::Is(operand, _) | Expr::As(operand, _) => {
                visit(operand);
            }
            Expr::FirstOf(operands) | Expr::Join(operands) => operands.iter().for_each(visit),
            Expr::If(choice) => choice.iter().for_each(visit),
            Expr::Empty
            | Expr::Boolean(_)
            | Expr::Text(_)
            | Expr::Integer(_)
            | Expr::Decimal(_)
            | Expr::Time(_)
            | Expr::Quantity(..)
            | Expr::Texts(_)
            | Expr::Pattern(..)
            | Expr::Table(_)
            | Expr::This
            | Expr::Index
            | Expr::Total
            | Expr::Slot(_)
            | Expr::EachIndex
            | Expr::Now
            | Expr::Context
            | Expr::Resource => {}
        }
    }

    /// The expression that is nothing but these texts.
    pub fn of_texts(texts: Arc<[String]>) -> Expr {
        match &*texts {
            [] => Expr::Empty,
            [text] => Expr::Text(text.clone()),
            _ => Expr::Texts(texts),
        }
    }
}

/// One name of a path.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: Box<str>,
    pub how: How,
    /// Its place among the properties of a plain value, where the mapping's compiler knows what that is.
    pub place: Option<PlainPlace>,
    /// Where it was found last, where the compiler does not know it.
    pub seen: OnceLock<PlainPlace>,
    /// FHIR type of what the name leads to, where it is known: `decimal` also for decimals of the record.
    pub kind: &'static str,
}

impl Step {
    /// A name of which no place is known.
    pub fn new(name: &str, how: How, kind: &'static str) -> Step {
        Step { name: name.into(), how, place: None, seen: OnceLock::new(), kind }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Plain,
    /// `value` may stand for `valueQuantity` and its like.
    Choice,
    /// A resource's own type name at the start of a path: keeps it, or drops everything.
    TypeName,
}
