//! Tokens → tree, by precedence climbing over the table of FHIRPath 2.0, section "Operator Precedence".

use super::ast::{Ast, Kind, Operator};
use super::lexer::{SyntaxError, Token, TokenKind, error, tokens};

/// How deep brackets and arguments may nest.
pub const MAX_NESTING: usize = 100;

/// How many tokens one expression may have: a chain of operators is as deep as it is long.
pub const MAX_TOKENS: usize = 1000;

/// Parses one expression, complete.
pub fn parse(text: &str) -> Result<Ast, SyntaxError> {
    let tokens = tokens(text)?;
    if let Some(token) = tokens.get(MAX_TOKENS) {
        return Err(error(token.at, format!("longer than {MAX_TOKENS} tokens"), "split it with `let`"));
    }
    let mut parser = Parser { tokens, next: 0, depth: 0 };
    if parser.peek() == &TokenKind::End {
        return Err(error(0, "an empty expression", "write {} when nothing is meant"));
    }
    let tree = parser.expression(0)?;
    match parser.peek() {
        TokenKind::End => Ok(tree),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

/// What stands between two operands, loosest first; the number is the precedence.
const OPERATORS: &[(&str, u8, Operator)] = &[
    ("implies", 1, Operator::Implies),
    ("or", 2, Operator::Or),
    ("xor", 2, Operator::Xor),
    ("and", 3, Operator::And),
    ("in", 4, Operator::In),
    ("contains", 4, Operator::Contains),
    ("=", 5, Operator::Equal),
    ("~", 5, Operator::Equivalent),
    ("!=", 5, Operator::NotEqual),
    ("!~", 5, Operator::NotEquivalent),
    ("<=", 6, Operator::AtMost),
    (">=", 6, Operator::AtLeast),
    ("<", 6, Operator::LessThan),
    (">", 6, Operator::GreaterThan),
    ("|", 7, Operator::Union),
    ("+", 9, Operator::Plus),
    ("-", 9, Operator::Less),
    ("&", 9, Operator::Concatenate),
    ("*", 10, Operator::Times),
    ("/", 10, Operator::Over),
    ("div", 10, Operator::Div),
    ("mod", 10, Operator::Mod),
];
const TYPE_PRECEDENCE: u8 = 8;
const UNARY_PRECEDENCE: u8 = 11;

/// Units that stand without quotes (FHIRPath "Time-valued Quantities").
const CALENDAR_UNITS: &[&str] = &[
    "year",
    "years",
    "month",
    "months",
    "week",
    "weeks",
    "day",
    "days",
    "hour",
    "hours",
    "minute",
    "minutes",
    "second",
    "seconds",
    "millisecond",
    "milliseconds",
];

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn token(&self) -> &Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &TokenKind {
        &self.token().kind
    }

    fn at(&self) -> usize {
        self.token().at
    }

    fn take(&mut self) -> TokenKind {
        let kind = self.token().kind.clone();
        self.next += 1;
        kind
    }

    fn take_symbol(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Symbol(symbol) if *symbol == wanted);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &'static str) -> Result<(), SyntaxError> {
        if self.take_symbol(wanted) { Ok(()) } else { Err(self.unexpected(&format!("`{wanted}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> SyntaxError {
        let found = match self.peek() {
            TokenKind::End => "the expression ends".to_owned(),
            TokenKind::Name(name, _) => format!("`{name}` stands"),
            TokenKind::Text(text) => format!("the text '{text}' stands"),
            TokenKind::Number(number) => format!("`{number}` stands"),
            TokenKind::Time(time) => format!("`@{time}` stands"),
            TokenKind::Special(name) => format!("`${name}` stands"),
            TokenKind::Variable(name) => format!("`%{name}` stands"),
            TokenKind::Symbol(symbol) => format!("`{symbol}` stands"),
        };
        error(self.at(), format!("{found} where {wanted} is expected"), "mappings/README.md shows the language")
    }

    fn expression(&mut self, lowest: u8) -> Result<Ast, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(error(self.at(), format!("deeper than {MAX_NESTING} levels"), "split it with `let`"));
        }
        let mut left = self.unary()?;
        while let Some((operator, precedence)) = self.operator(lowest) {
            let at = self.at();
            self.next += 1;
            left = match operator {
                Some(operator) => {
                    let right = self.expression(precedence + 1)?;
                    Ast { kind: Kind::Binary(operator, Box::new(left), Box::new(right)), at }
                }
                None => self.type_test(left)?,
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    /// The operator that stands next, when it binds at least as tightly as asked; `None` inside for `is` and `as`.
    fn operator(&self, lowest: u8) -> Option<(Option<Operator>, u8)> {
        let word = match self.peek() {
            TokenKind::Name(name, false) => name.as_str(),
            TokenKind::Symbol(symbol) => symbol,
            _ => return None,
        };
        let (operator, precedence) = match word {
            "is" | "as" => (None, TYPE_PRECEDENCE),
            _ => {
                let (_, precedence, operator) = OPERATORS.iter().find(|(text, ..)| *text == word)?;
                (Some(*operator), *precedence)
            }
        };
        (precedence >= lowest).then_some((operator, precedence))
    }

    /// The type after `is` or `as`, which has just been taken.
    fn type_test(&mut self, left: Ast) -> Result<Ast, SyntaxError> {
        let word = &self.tokens[self.next - 1];
        let (cast, at) = (word.kind == TokenKind::Name("as".to_owned(), false), word.at);
        let mut name = self.name()?;
        if self.take_symbol(".") {
            name = format!("{name}.{}", self.name()?);
        }
        Ok(Ast { kind: Kind::Type(cast, Box::new(left), name), at })
    }

    fn name(&mut self) -> Result<String, SyntaxError> {
        match self.peek() {
            TokenKind::Name(..) => match self.take() {
                TokenKind::Name(name, _) => Ok(name),
                _ => Err(self.unexpected("a name")),
            },
            _ => Err(self.unexpected("a name")),
        }
    }

    fn unary(&mut self) -> Result<Ast, SyntaxError> {
        let at = self.at();
        if self.take_symbol("-") {
            let operand = self.expression(UNARY_PRECEDENCE)?;
            return Ok(Ast { kind: Kind::Minus(Box::new(operand)), at });
        }
        if self.take_symbol("+") {
            return self.expression(UNARY_PRECEDENCE);
        }
        let mut tree = self.term()?;
        loop {
            let at = self.at();
            if self.take_symbol(".") {
                tree = self.member(Some(tree))?;
            } else if self.take_symbol("[") {
                let index = self.expression(0)?;
                self.expect("]")?;
                tree = Ast { kind: Kind::At(Box::new(tree), Box::new(index)), at };
            } else {
                return Ok(tree);
            }
        }
    }

    /// `name` or `name(arguments)`; `$this` and its kin may stand after a dot too.
    fn member(&mut self, base: Option<Ast>) -> Result<Ast, SyntaxError> {
        let at = self.at();
        let name = self.name()?;
        let base = base.map(Box::new);
        if !self.take_symbol("(") {
            return Ok(Ast { kind: Kind::Member(base, name), at });
        }
        let mut arguments = Vec::new();
        while !self.take_symbol(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            arguments.push(self.expression(0)?);
        }
        Ok(Ast { kind: Kind::Call(base, name, arguments), at })
    }

    fn term(&mut self) -> Result<Ast, SyntaxError> {
        let at = self.at();
        let kind = match self.peek() {
            TokenKind::Name(name, false) if name == "true" || name == "false" => {
                let yes = name == "true";
                self.next += 1;
                Kind::Boolean(yes)
            }
            TokenKind::Name(..) => return self.member(None),
            TokenKind::Symbol("(") => return self.brackets(),
            TokenKind::Symbol("{") => {
                self.next += 1;
                self.expect("}")?;
                Kind::Empty
            }
            TokenKind::Number(_) => self.number(),
            TokenKind::Text(_) | TokenKind::Time(_) | TokenKind::Special(_) | TokenKind::Variable(_) => self.leaf(),
            _ => return Err(self.unexpected("a name, a literal or a bracket")),
        };
        Ok(Ast { kind, at })
    }

    fn brackets(&mut self) -> Result<Ast, SyntaxError> {
        self.next += 1;
        let inner = self.expression(0)?;
        self.expect(")")?;
        Ok(inner)
    }

    fn leaf(&mut self) -> Kind {
        match self.take() {
            TokenKind::Text(text) => Kind::Text(text),
            TokenKind::Time(text) => Kind::Time(text),
            TokenKind::Variable(name) => Kind::Variable(name),
            TokenKind::Special(name) if name == "index" => Kind::Index,
            TokenKind::Special(name) if name == "total" => Kind::Total,
            _ => Kind::This,
        }
    }

    /// A number, or a quantity when a unit follows.
    fn number(&mut self) -> Kind {
        let TokenKind::Number(number) = self.take() else { return Kind::Empty };
        match self.peek().clone() {
            TokenKind::Text(unit) => {
                self.next += 1;
                Kind::Quantity(number, unit)
            }
            TokenKind::Name(unit, false) if CALENDAR_UNITS.contains(&unit.as_str()) => {
                self.next += 1;
                Kind::Quantity(number, unit.trim_end_matches('s').to_owned())
            }
            _ => Kind::Number(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_that_of_the_standard() {
        for (left, right) in [
            ("a or b and c", "a or (b and c)"),
            ("a = 1 and b | c = d", "(a = 1) and ((b | c) = d)"),
            ("1 + 2 * 3", "1 + (2 * 3)"),
            ("a is Patient and b", "(a is Patient) and b"),
            ("a & b = c", "(a & b) = c"),
            ("a in b | c", "a in (b | c)"),
        ] {
            assert_eq!(strip(parse(left).unwrap()), strip(parse(right).unwrap()), "{left}");
        }
    }

    /// The same tree without places.
    fn strip(tree: Ast) -> String {
        let text = format!("{tree:?}");
        regex_lite::Regex::new(r", at: [0-9]+").unwrap().replace_all(&text, "").into_owned()
    }

    #[test]
    fn mistakes_name_the_byte() {
        for (text, at) in
            [("a.", 2), ("a b", 2), ("(a", 2), ("'x", 0), ("a = \"B\"", 4), ("2 + 2 /", 7), ("@20x", 0), ("", 0)]
        {
            assert_eq!(parse(text).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn length_is_bounded() {
        // The end is a token too.
        let chain = |operands: usize| vec!["1"; operands].join("+");
        assert!(parse(&chain(MAX_TOKENS / 2)).is_ok());
        assert!(parse(&chain(MAX_TOKENS / 2 + 1)).is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
        assert!(parse(&nested(MAX_NESTING - 1)).is_ok());
        assert!(parse(&nested(MAX_NESTING)).is_err());
        assert!(parse(&"-".repeat(MAX_NESTING * 2)).is_err());
    }
}
