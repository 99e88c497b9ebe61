//! The tree of a parsed expression, before names and functions are looked up.

/// A node with the byte offset that a complaint about it should name.
#[derive(Debug, Clone, PartialEq)]
pub struct Ast {
    pub kind: Kind,
    pub at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `{}`
    Empty,
    Boolean(bool),
    Text(String),
    Number(String),
    /// A date, date and time, or time (`T…`).
    Time(String),
    /// `5 'mg'`, `3 days`.
    Quantity(String, String),
    This,
    Index,
    Total,
    Variable(String),
    /// `base.name`; without a base against `$this`.
    Member(Option<Box<Ast>>, String),
    /// `base.name(arguments)`.
    Call(Option<Box<Ast>>, String, Vec<Ast>),
    /// `base[index]`.
    At(Box<Ast>, Box<Ast>),
    Minus(Box<Ast>),
    Binary(Operator, Box<Ast>, Box<Ast>),
    /// `base is Type`; `true` for `as`.
    Type(bool, Box<Ast>, String),
}

/// The operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Times,
    Over,
    Div,
    Mod,
    Plus,
    Less,
    Concatenate,
    Union,
    LessThan,
    AtMost,
    GreaterThan,
    AtLeast,
    Equal,
    Equivalent,
    NotEqual,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}
