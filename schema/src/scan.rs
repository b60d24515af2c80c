//! Refuses text that the KDL parser cannot be trusted with, and explains common slips.
//!
//! kdl is recursive: about 500 open braces overflow a stack of 16 MiB and abort the process, and
//! nested `/- { }` blocks take exponential time. So the text is measured before it is parsed. Text
//! whose strings or comments do not close never reaches the parser, because there is no telling
//! which braces it would count.

mod lexer;
mod slip;

use crate::diagnostic::{Diagnostic, Severity};
use crate::text::{Span, TextIdx};
use lexer::{Lexer, Quoting, Token, TokenKind};

/// A definition file is written by hand; the largest generated ones known have 700 KB.
const SIZE_BYTES_MAX: usize = 4 << 20;
/// The language itself needs six levels.
pub(crate) const DEPTH_MAX: usize = 32;
/// Each level of `/- { }` doubles or trebles the parser's time.
const SLASHDASH_DEPTH_MAX: usize = 2;
/// Braces in strings and comments that do not close there. The parser counts them when it loses
/// its way; some 500 would overflow its stack.
const HIDDEN_DEPTH_MAX: usize = 200;
/// After so many slips the file is likely no KDL at all.
const SLIPS_MAX: usize = 20;

/// What is wrong with `text`; it may be parsed if none of it is an error.
pub(crate) fn scan(idx: TextIdx, text: &str) -> Vec<Diagnostic> {
    if text.len() > SIZE_BYTES_MAX {
        return vec![too_large(idx, text.len())];
    }
    if let Some(diagnostic) = forbidden_character(idx, text) {
        return vec![diagnostic];
    }
    let mut scan = Scan::new(idx, text);
    for token in Lexer::new(text) {
        if !scan.token(&token) {
            break;
        }
    }
    scan.finish()
}

struct Scan<'a> {
    idx: TextIdx,
    text: &'a str,
    /// Offsets of the braces that are open, and whether each block is disabled by `/-`.
    open: Vec<(usize, bool)>,
    hidden_depth: usize,
    hidden_depth_max: usize,
    /// Up to here a slip has been explained; what follows from it is not said.
    explained_to: usize,
    /// The token before, and the one before that is neither space nor comment.
    before: Option<Token>,
    significant: Option<TokenKind>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Scan<'a> {
    fn new(idx: TextIdx, text: &'a str) -> Self {
        Scan {
            idx,
            text,
            open: Vec::new(),
            hidden_depth: 0,
            hidden_depth_max: 0,
            explained_to: 0,
            before: None,
            significant: None,
            diagnostics: Vec::new(),
        }
    }

    fn span(&self, token: &Token) -> Span {
        self.span_at(token.range.start, token.range.len())
    }

    fn span_at(&self, offset_bytes: usize, size_bytes: usize) -> Span {
        Span { text: self.idx, offset_bytes, size_bytes }
    }

    /// Takes the next token; `false` if there is no use in going on.
    fn token(&mut self, token: &Token) -> bool {
        let goes_on = self.limits(token);
        if token.range.start >= self.explained_to {
            self.slip(token);
        }
        let is_gap = matches!(
            token.kind,
            TokenKind::Space | TokenKind::LineComment | TokenKind::BlockComment { .. }
        );
        if !is_gap {
            self.significant = Some(token.kind);
        }
        self.before = Some(token.clone());
        goes_on && self.diagnostics.len() < SLIPS_MAX
    }

    fn slip(&mut self, token: &Token) {
        let Some(slip) = slip::find(self.text, self.before.as_ref(), token, self.idx) else {
            return;
        };
        let ends: Vec<usize> =
            slip.labels.iter().map(|l| l.span.offset_bytes + l.span.size_bytes).collect();
        self.explained_to = ends.into_iter().max().unwrap_or_default();
        self.diagnostics.push(slip);
    }

    fn limits(&mut self, token: &Token) -> bool {
        match token.kind {
            TokenKind::Open => self.opens(token),
            TokenKind::Close => self.closes(token),
            TokenKind::BlockComment { depth_max, closed } => self.comment(token, depth_max, closed),
            TokenKind::LineComment => self.hides(token),
            TokenKind::Quoted(Quoting::Closed) | TokenKind::Raw(Quoting::Closed) => {
                self.hides(token)
            }
            _ => true,
        }
    }

    fn opens(&mut self, token: &Token) -> bool {
        let is_disabled = self.significant == Some(TokenKind::Slashdash);
        self.open.push((token.range.start, is_disabled));
        let disabled = self.open.iter().filter(|(_, is_disabled)| *is_disabled).count();
        if self.open.len() > DEPTH_MAX {
            self.too_deep(token, "braces are", DEPTH_MAX)
        } else if disabled > SLASHDASH_DEPTH_MAX {
            self.too_deep(token, "blocks after `/-` are", SLASHDASH_DEPTH_MAX)
        } else {
            true
        }
    }

    fn closes(&mut self, token: &Token) -> bool {
        if self.open.pop().is_none() {
            let diagnostic =
                Diagnostic::error("unopened-brace", self.span(token), "this `}` closes nothing")
                    .label("no `{` before it")
                    .help("remove this `}`");
            self.diagnostics.push(diagnostic);
        }
        true
    }

    fn comment(&mut self, token: &Token, depth_max: usize, closed: bool) -> bool {
        if !closed {
            let span = self.span_at(token.range.start, 2);
            let diagnostic =
                Diagnostic::error("unclosed-comment", span, "this comment is not closed")
                    .label("begins here")
                    .help("end it with `*/`; comments nest");
            self.diagnostics.push(diagnostic);
            return false;
        }
        if depth_max > DEPTH_MAX {
            return self.too_deep(token, "comments are", DEPTH_MAX);
        }
        self.hides(token)
    }

    fn hides(&mut self, token: &Token) -> bool {
        let (unclosed, depth) = hidden_depths(&self.text[token.range.clone()]);
        self.hidden_depth += unclosed;
        self.hidden_depth_max = self.hidden_depth_max.max(depth);
        if self.hidden_depth + self.hidden_depth_max <= HIDDEN_DEPTH_MAX {
            return true;
        }
        let message = "strings and comments of this file hold too many open braces";
        let diagnostic =
            Diagnostic::error("nested-too-deep", self.span_at(token.range.start, 1), message)
                .label("here it gets too many")
                .help("close braces in comments, or spread the definitions over several files");
        self.diagnostics.push(diagnostic);
        false
    }

    fn too_deep(&mut self, token: &Token, what: &str, max: usize) -> bool {
        let message = format!("{what} nested more than {max} deep");
        let span = self.span_at(token.range.start, 1);
        let diagnostic = Diagnostic::error("nested-too-deep", span, message)
            .label("one too many")
            .help("close braces and comments earlier; definitions need six levels at most");
        self.diagnostics.push(diagnostic);
        false
    }

    fn finish(mut self) -> Vec<Diagnostic> {
        let is_known = self.diagnostics.iter().any(|d| d.severity == Severity::Error);
        if let (Some((offset, _)), false) = (self.open.last(), is_known) {
            let diagnostic = Diagnostic::error(
                "unclosed-brace",
                self.span_at(*offset, 1),
                "this `{` is not closed",
            )
            .label("no `}` after it")
            .help("add `}` where the block ends");
            self.diagnostics.push(diagnostic);
        }
        self.diagnostics
    }
}

/// How many braces and comments open and do not close in `hidden`, and how deep they nest in it.
fn hidden_depths(hidden: &str) -> (usize, usize) {
    let (mut depth, mut depth_max) = (0_usize, 0);
    let mut before = 0;
    for byte in hidden.bytes() {
        match (before, byte) {
            (_, b'{') | (b'/', b'*') => depth += 1,
            (_, b'}') | (b'*', b'/') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth_max = depth_max.max(depth);
        before = byte;
    }
    (depth, depth_max)
}

fn too_large(idx: TextIdx, size_bytes: usize) -> Diagnostic {
    let message =
        format!("a definition file has {SIZE_BYTES_MAX} bytes at most, this has {size_bytes}");
    let span = Span { text: idx, offset_bytes: 0, size_bytes: 0 };
    Diagnostic::error("file-too-large", span, message)
        .label("this file")
        .help("spread the definitions over several files and `include` them")
}

/// KDL forbids control and direction characters everywhere, so that text is what it looks like.
fn forbidden_character(idx: TextIdx, text: &str) -> Option<Diagnostic> {
    let mut characters = text.char_indices();
    let (offset_bytes, c) =
        characters.find(|(offset, c)| is_forbidden(*c) && !(*c == '\u{FEFF}' && *offset == 0))?;
    let span = Span { text: idx, offset_bytes, size_bytes: c.len_utf8() };
    let message =
        format!("the character U+{:04X} must not stand in a definition file", u32::from(c));
    let help = match c {
        '\0' => "save the file as UTF-8; UTF-16 has zero bytes",
        _ => "remove the character; it cannot be seen in an editor",
    };
    Some(Diagnostic::error("forbidden-character", span, message).label("this one").help(help))
}

fn is_forbidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{E}'..='\u{1F}' | '\u{7F}' | '\u{200E}' | '\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}
