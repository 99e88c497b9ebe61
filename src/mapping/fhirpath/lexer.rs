//! Text of an expression → tokens, after the grammar of FHIRPath 2.0 (N1).

/// A token with the byte offset where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub kind: TokenKind,
    pub at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    /// A name, or a word such as `and`; `true` for the second part when it stood in backticks.
    Name(String, bool),
    Text(String),
    Number(String),
    /// `@2025-03-03`, `@2025-03-03T10:00`, `@T10:00`: without the `@`.
    Time(String),
    /// `$this`, `$index`, `$total`: without the `$`.
    Special(String),
    /// `%payer`: without the `%`.
    Variable(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    End,
}

/// What is wrong with an expression, and at which byte.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntaxError {
    pub at: usize,
    pub text: String,
    pub hint: String,
}

pub(super) fn error(at: usize, text: impl Into<String>, hint: impl Into<String>) -> SyntaxError {
    SyntaxError { at, text: text.into(), hint: hint.into() }
}

/// Longer symbols stand before those that they begin with.
const SYMBOLS: &[&str] =
    &["<=", ">=", "!=", "!~", ".", ",", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "&", "|", "=", "~", "<", ">"];

pub fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank()?;
        let at = lexer.at;
        let kind = lexer.next()?;
        let end = kind == TokenKind::End;
        tokens.push(Token { kind, at });
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// White space and comments.
    fn skip_blank(&mut self) -> Result<(), SyntaxError> {
        loop {
            self.take_while(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.take_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                let open = self.at;
                let Some(end) = self.rest().find("*/") else {
                    return Err(error(open, "a comment that does not end", "close it with */"));
                };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        let taken = rest[..end].to_owned();
        self.at += end;
        taken
    }

    fn next(&mut self) -> Result<TokenKind, SyntaxError> {
        let Some(first) = self.rest().chars().next() else { return Ok(TokenKind::End) };
        match first {
            'a'..='z' | 'A'..='Z' | '_' => Ok(TokenKind::Name(self.word(), false)),
            '`' => Ok(TokenKind::Name(self.quoted('`')?, true)),
            '\'' => Ok(TokenKind::Text(self.quoted('\'')?)),
            '0'..='9' => Ok(TokenKind::Number(self.number())),
            '@' => self.time(),
            '$' => self.special(),
            '%' => self.variable(),
            _ => self.symbol(first),
        }
    }

    fn word(&mut self) -> String {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn number(&mut self) -> String {
        let mut number = self.take_while(|c| c.is_ascii_digit());
        let mut after = self.rest().chars();
        if after.next() == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            number.push('.');
            number.push_str(&self.take_while(|c| c.is_ascii_digit()));
        }
        number
    }

    fn time(&mut self) -> Result<TokenKind, SyntaxError> {
        let at = self.at;
        self.at += 1;
        let mut text = self.take_while(|c| c.is_ascii_digit() || matches!(c, '-' | 'T' | ':' | '+' | 'Z'));
        let mut after = self.rest().chars();
        let fraction = after.next() == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit());
        if fraction && text.contains(':') {
            self.at += 1;
            text.push('.');
            text.push_str(&self.take_while(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | '+' | 'Z')));
        }
        if super::time::is_literal(&text) {
            Ok(TokenKind::Time(text))
        } else {
            Err(error(
                at,
                format!("`@{text}` is no date or time"),
                "write @2025-03-03, @2025-03-03T10:00:00Z or @T10:00",
            ))
        }
    }

    fn special(&mut self) -> Result<TokenKind, SyntaxError> {
        let at = self.at;
        self.at += 1;
        match self.word() {
            word if matches!(word.as_str(), "this" | "index" | "total") => Ok(TokenKind::Special(word)),
            word => Err(error(at, format!("`${word}` is unknown"), "there are $this, $index and $total")),
        }
    }

    fn variable(&mut self) -> Result<TokenKind, SyntaxError> {
        let at = self.at;
        self.at += 1;
        let name = match self.rest().chars().next() {
            Some(quote @ ('`' | '\'')) => self.quoted(quote)?,
            _ => self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')),
        };
        if name.is_empty() {
            return Err(error(at, "% without a name", "write %payer, %now or the name of a let"));
        }
        Ok(TokenKind::Variable(name))
    }

    fn symbol(&mut self, first: char) -> Result<TokenKind, SyntaxError> {
        match SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol)) {
            Some(symbol) => {
                self.at += symbol.len();
                Ok(TokenKind::Symbol(symbol))
            }
            None if first == '"' => {
                Err(error(self.at, "a double quote", "text stands in single quotes: 'B' (in YAML: \"'B'\")"))
            }
            None => Err(error(self.at, format!("`{first}` has no meaning here"), "take it out")),
        }
    }

    /// Text between quotes, escapes resolved.
    fn quoted(&mut self, quote: char) -> Result<String, SyntaxError> {
        let open = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(error(open, "a text that does not end", format!("close it with {quote}")));
            };
            self.at += c.len_utf8();
            match c {
                '\\' => out.push(self.escape()?),
                c if c == quote => return Ok(out),
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let at = self.at;
        let wrong = || error(at, "an unknown escape", r"there are \' \` \\ \/ \n \r \t \f and \u0041");
        let c = self.rest().chars().next().ok_or_else(wrong)?;
        self.at += c.len_utf8();
        Ok(match c {
            '\'' | '"' | '`' | '\\' | '/' => c,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\u{c}',
            'u' => {
                let digits = self.rest().get(..4).ok_or_else(wrong)?;
                let code = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
                self.at += 4;
                char::from_u32(code).ok_or_else(wrong)?
            }
            _ => return Err(wrong()),
        })
    }
}
