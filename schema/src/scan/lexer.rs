//! `Lexer`: just enough of KDL's words to know what is a string, a comment or a brace.

use std::ops::Range;

/// A piece of a definition file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) range: Range<usize>,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Spaces and new lines.
    Space,
    /// `// …`
    LineComment,
    /// `/* … */` with its nesting.
    BlockComment { depth_max: usize, closed: bool },
    /// `"…"`
    Quoted(Quoting),
    /// `#"…"#`
    Raw(Quoting),
    /// `#true`, or any `#` that begins no raw string.
    Keyword,
    /// Letters without quotes, also numbers.
    Word,
    /// `{`
    Open,
    /// `}`
    Close,
    /// `/-`
    Slashdash,
    /// Any other sign.
    Sign(char),
}

/// Whether a string is well formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    Closed,
    /// The line, or for `"""` the file, ends before the string.
    Unclosed,
    /// `"""` with text on its line.
    NoNewline,
    /// A `\` with something after it that it cannot escape, at that offset.
    BadEscape(usize),
}

/// The pieces of `text`, in order and without gaps.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Lexer { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn skip_while(&mut self, is_wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !is_wanted(c)).unwrap_or(rest.len());
    }

    /// Goes behind `wanted`; to the end if there is none.
    fn skip_past(&mut self, wanted: &str) -> bool {
        let rest = self.rest();
        let found = rest.find(wanted);
        self.at += found.map_or(rest.len(), |offset| offset + wanted.len());
        found.is_some()
    }

    fn kind(&mut self, first: char) -> TokenKind {
        match first {
            c if c.is_whitespace() || c == '\u{FEFF}' => {
                self.skip_while(char::is_whitespace);
                TokenKind::Space
            }
            '"' => TokenKind::Quoted(self.quoted()),
            '#' => self.hash(),
            '{' => TokenKind::Open,
            '}' => TokenKind::Close,
            '/' if self.eat("/") => {
                self.skip_while(|c| !is_newline(c));
                TokenKind::LineComment
            }
            '/' if self.eat("*") => self.block_comment(),
            '/' if self.eat("-") => TokenKind::Slashdash,
            c if is_word(c) => {
                self.skip_while(is_word);
                TokenKind::Word
            }
            c => TokenKind::Sign(c),
        }
    }

    fn block_comment(&mut self) -> TokenKind {
        let (mut depth, mut depth_max) = (1_usize, 1);
        while depth > 0 {
            let rest = self.rest();
            let Some(offset) = rest.find(['*', '/']) else {
                self.at = self.text.len();
                return TokenKind::BlockComment { depth_max, closed: false };
            };
            self.at += offset;
            if self.eat("*/") {
                depth -= 1;
            } else if self.eat("/*") {
                depth += 1;
                depth_max = depth_max.max(depth);
            } else {
                self.bump();
            }
        }
        TokenKind::BlockComment { depth_max, closed: true }
    }

    /// The first quote is behind us.
    fn quoted(&mut self) -> Quoting {
        if !self.eat("\"\"") {
            return self.escaped_until("\"", false);
        }
        if !self.peek().is_some_and(is_newline) {
            self.skip_while(|c| !is_newline(c));
            return Quoting::NoNewline;
        }
        self.escaped_until("\"\"\"", true)
    }

    /// To behind the closing quotes.
    fn escaped_until(&mut self, quotes: &str, multi_line: bool) -> Quoting {
        let mut bad_escape = None;
        loop {
            if self.eat(quotes) {
                return bad_escape.map_or(Quoting::Closed, Quoting::BadEscape);
            }
            let offset = self.at;
            match self.peek() {
                None => return Quoting::Unclosed,
                Some(c) if is_newline(c) && !multi_line => return Quoting::Unclosed,
                Some('\\') if !self.escape() => drop(bad_escape.get_or_insert(offset)),
                Some('\\') => {}
                Some(_) => drop(self.bump()),
            }
        }
    }

    /// Goes behind an escape; `false` if there is no such escape.
    fn escape(&mut self) -> bool {
        self.bump();
        match self.bump() {
            Some('\\' | '"' | 'b' | 'f' | 'n' | 'r' | 't' | 's') => true,
            Some('u') => self.unicode_escape(),
            Some(c) if c.is_whitespace() => {
                self.skip_while(char::is_whitespace);
                true
            }
            // The character may be the line's end, which the string must not run over.
            Some(c) => {
                self.at -= c.len_utf8();
                false
            }
            None => false,
        }
    }

    fn unicode_escape(&mut self) -> bool {
        let rest = self.rest();
        let digits = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let Some((digits, _)) = digits.filter(|(digits, _)| matches!(digits.len(), 1..=6)) else {
            return false;
        };
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return false;
        }
        self.at += digits.len() + 2;
        u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).is_some()
    }

    fn hash(&mut self) -> TokenKind {
        let start = self.at - 1;
        self.skip_while(|c| c == '#');
        let hashes = &self.text[start..self.at];
        if self.eat("\"\"\"") && self.peek().is_some_and(is_newline) {
            return TokenKind::Raw(self.raw(&format!("\"\"\"{hashes}"), true));
        }
        self.at = start + hashes.len();
        if self.eat("\"") {
            return TokenKind::Raw(self.raw(&format!("\"{hashes}"), false));
        }
        self.skip_while(is_word);
        TokenKind::Keyword
    }

    fn raw(&mut self, quotes: &str, multi_line: bool) -> Quoting {
        let start = self.at;
        let closed = self.skip_past(quotes);
        let line_end = self.text[start..self.at].find(is_newline);
        match line_end.filter(|_| !multi_line) {
            Some(line_end) => {
                self.at = start + line_end;
                Quoting::Unclosed
            }
            None if closed => Quoting::Closed,
            None => Quoting::Unclosed,
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.at;
        let first = self.bump()?;
        let kind = self.kind(first);
        Some(Token { kind, range: start..self.at })
    }
}

/// KDL's line ends.
fn is_newline(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What can stand in a string without quotes.
fn is_word(c: char) -> bool {
    !c.is_whitespace()
        && !matches!(c, '\\' | '/' | '(' | ')' | '{' | '}' | '[' | ']' | ';' | '"' | '#' | '=')
}
