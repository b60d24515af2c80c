//! Common slips: habits from KDL 1, Windows paths and other languages.

use super::lexer::{Quoting, Token, TokenKind};
use crate::diagnostic::Diagnostic;
use crate::text::{Span, TextIdx};

/// The slip that shows at `token`, which stands right behind `before`.
pub(crate) fn find(
    text: &str,
    before: Option<&Token>,
    token: &Token,
    idx: TextIdx,
) -> Option<Diagnostic> {
    let spot = Spot { text, before, token, idx };
    match token.kind {
        TokenKind::Quoted(quoting) => spot.raw_prefix().or_else(|| spot.quoted(quoting)),
        TokenKind::Raw(quoting) => spot.raw_prefix().or_else(|| spot.unclosed(quoting)),
        TokenKind::Keyword => spot.keyword(),
        TokenKind::Word => spot.word(),
        TokenKind::LineComment => spot.address(),
        TokenKind::Sign(sign) => spot.sign(sign),
        _ => None,
    }
}

struct Spot<'a> {
    text: &'a str,
    before: Option<&'a Token>,
    token: &'a Token,
    idx: TextIdx,
}

impl<'a> Spot<'a> {
    fn written(&self) -> &'a str {
        &self.text[self.token.range.clone()]
    }

    fn before_is(&self, kind: impl Fn(TokenKind) -> bool) -> bool {
        self.before.is_some_and(|before| kind(before.kind))
    }

    fn word_before(&self) -> Option<&'a str> {
        let before = self.before.filter(|before| before.kind == TokenKind::Word)?;
        Some(&self.text[before.range.clone()])
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { text: self.idx, offset_bytes: start, size_bytes: end - start }
    }

    fn error(&self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        let range = &self.token.range;
        let first_line = self.written().lines().next().unwrap_or_default();
        Diagnostic::error(code, self.span(range.start, range.start + first_line.len()), message)
    }

    /// `r"…"` and `r#"…"#` of KDL 1.
    fn raw_prefix(&self) -> Option<Diagnostic> {
        if self.word_before() != Some("r") || self.written().contains('\n') {
            return None;
        }
        let hashed = self.written().starts_with('#');
        let raw = if hashed { self.written().to_string() } else { format!("#{}#", self.written()) };
        let span = self.span(self.token.range.start - 1, self.token.range.end);
        let message = "a raw string begins with `#`, not with `r`";
        let diagnostic = Diagnostic::error("old-raw-string", span, message);
        Some(diagnostic.label("as in KDL 1").help(format!("write `{raw}`")))
    }

    fn quoted(&self, quoting: Quoting) -> Option<Diagnostic> {
        match quoting {
            Quoting::Closed => self.path_with_escapes(),
            Quoting::BadEscape(offset) => Some(self.bad_escape(offset)),
            Quoting::NoNewline => Some(
                self.error("multi-line-string", "`\"\"\"` must be followed by a new line")
                    .label("text on this line")
                    .help("begin the text on the next line, or use one `\"`"),
            ),
            Quoting::Unclosed => self.unclosed(quoting),
        }
    }

    fn unclosed(&self, quoting: Quoting) -> Option<Diagnostic> {
        if quoting != Quoting::Unclosed {
            return None;
        }
        let quotes = self.written().starts_with("\"\"\"") || self.written().contains("#\"\"\"");
        let help = if quotes {
            "end it with `\"\"\"` on a line of its own"
        } else {
            "add the closing quote on this line; text of several lines stands between `\"\"\"`"
        };
        let diagnostic = self.error("unclosed-string", "this string is not closed");
        Some(diagnostic.label("begins here").help(help))
    }

    fn bad_escape(&self, offset: usize) -> Diagnostic {
        let escape: String = self.text[offset..].chars().take(2).collect();
        let content = self.written().trim_matches('"');
        let help = if content.contains('\n') || content.contains("\"#") {
            "write `\\\\` for a backslash".to_string()
        } else {
            format!("write it as a raw string: `#\"{content}\"#`")
        };
        let span = self.span(offset, offset + escape.len());
        Diagnostic::error("invalid-escape", span, format!("`{escape}` is not an escape"))
            .label("a `\\` begins an escape")
            .help(help)
    }

    /// `"X:\tools"` is a string with a tab in it: allowed, but nobody means that.
    fn path_with_escapes(&self) -> Option<Diagnostic> {
        let written = self.written();
        let offset = written.find(":\\").filter(|offset| *offset > 0)?;
        let letter = written[offset + 2..].chars().next()?;
        let drive = written[..offset].chars().next_back()?;
        if !drive.is_ascii_alphabetic() || !"tnrbfs".contains(letter) {
            return None;
        }
        let start = self.token.range.start + offset + 1;
        let message = format!("`\\{letter}` in this path is an escape, not a folder");
        let diagnostic =
            Diagnostic::warning("escape-in-path", self.span(start, start + 2), message);
        let raw = format!("#{written}#");
        Some(diagnostic.label("one character").help(format!("write it as a raw string: `{raw}`")))
    }

    fn keyword(&self) -> Option<Diagnostic> {
        let written = self.written();
        if matches!(written, "#true" | "#false" | "#null" | "#inf" | "#-inf" | "#nan") {
            return None;
        }
        let lower = written.to_lowercase();
        let is_spelling = matches!(lower.as_str(), "#true" | "#false" | "#null");
        let help = if is_spelling {
            format!("write `{lower}`")
        } else {
            "begin comments with `//`; the only words with `#` are `#true`, `#false` and `#null`"
                .into()
        };
        let message = format!("`{written}` means nothing");
        Some(self.error("unknown-keyword", message).label("not a word of KDL").help(help))
    }

    fn word(&self) -> Option<Diagnostic> {
        let written = self.written();
        match written {
            "true" | "false" | "null" => Some(
                self.error("bare-keyword", format!("`{written}` is written with `#`"))
                    .label("as in KDL 1")
                    .help(format!("write `#{written}`; the text is `\"{written}\"`")),
            ),
            "inf" | "-inf" | "nan" => Some(
                self.error("bare-keyword", format!("`{written}` needs quotes"))
                    .label("a number's name")
                    .help(format!("write `\"{written}\"`")),
            ),
            _ => self.comma().or_else(|| self.apostrophe()),
        }
    }

    fn comma(&self) -> Option<Diagnostic> {
        let behind_string =
            self.before_is(|kind| matches!(kind, TokenKind::Quoted(_) | TokenKind::Raw(_)));
        let is_comma = self.written().starts_with(',') && (behind_string || self.written() == ",");
        is_comma.then(|| {
            self.error("comma", "values are separated by spaces, not by commas")
                .label("a comma")
                .help("remove the `,`")
        })
    }

    fn apostrophe(&self) -> Option<Diagnostic> {
        let start = self.token.range.start;
        let inside = self.text[start..].strip_prefix('\'')?;
        let line = inside.lines().next().unwrap_or_default();
        let content = line.split('\'').next().unwrap_or(line);
        let end = (start + content.len() + 2).min(start + 1 + line.len());
        let message = "strings stand between `\"`, not between `'`";
        let diagnostic = Diagnostic::error("apostrophe", self.span(start, end), message);
        Some(diagnostic.label("begins with `'`").help(format!("write `\"{content}\"`")))
    }

    /// `https://…` without quotes, of which `//…` would be a comment.
    fn address(&self) -> Option<Diagnostic> {
        let scheme = self.word_before().filter(|word| word.ends_with(':'))?;
        let rest = self.written().split_whitespace().next().unwrap_or_default();
        let start = self.token.range.start;
        let span = self.span(start - scheme.len(), start + rest.len());
        let diagnostic = Diagnostic::error("bare-path", span, "an address needs quotes");
        Some(diagnostic.label("`//` begins a comment").help(format!("write `\"{scheme}{rest}\"`")))
    }

    fn sign(&self, sign: char) -> Option<Diagnostic> {
        match sign {
            '[' | ']' => Some(
                self.error("bracket", "there are no brackets in KDL")
                    .label("a bracket")
                    .help("write the values one after the other, with spaces between them"),
            ),
            '/' | '\\' => self.bare_path(),
            _ => None,
        }
    }

    /// `drivers/intel` or `C:\x` without quotes.
    fn bare_path(&self) -> Option<Diagnostic> {
        let before = self.word_before().map_or(0, str::len);
        let start = self.token.range.start - before;
        let rest = &self.text[start..];
        let is_end = |c: char| c.is_whitespace() || matches!(c, ';' | '{' | '}' | '"');
        let path = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        // A lone `\` continues the line.
        if path == "\\" {
            return None;
        }
        let quoted =
            if path.contains('\\') { format!("#\"{path}\"#") } else { format!("\"{path}\"") };
        let span = self.span(start, start + path.len());
        let diagnostic = Diagnostic::error("bare-path", span, "a path needs quotes");
        Some(diagnostic.label("without quotes").help(format!("write `{quoted}`")))
    }
}
