//! Text to KDL nodes, with the parser's errors as diagnostics.

use std::collections::BTreeSet;
use std::thread;

use kdl::{KdlDiagnostic, KdlDocument, KdlError};

use crate::diagnostic::{Diagnostic, Severity};
use crate::scan::scan;
use crate::text::{Span, TextIdx};
use crate::tree::Tree;

/// 32 levels need less than 1 MiB; the rest is for text that `scan` and the parser read
/// differently.
const STACK_SIZE_BYTES: usize = 16 << 20;

/// One mistake can confuse the parser for the rest of the file.
const ERRORS_MAX: usize = 5;

/// The nodes of `text`, unless an error is among the diagnostics.
pub(crate) fn parse(idx: TextIdx, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Tree> {
    let scanned = scan(idx, text);
    let is_wrong = scanned.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    diagnostics.extend(scanned);
    if is_wrong {
        return None;
    }
    match parse_on_own_stack(text) {
        Some(Ok(tree)) => Some(tree),
        Some(Err(error)) => {
            diagnostics.extend(errors(idx, text, &error));
            None
        }
        None => {
            diagnostics.push(parser_failed(idx));
            None
        }
    }
}

/// The parser's words for `key=` without a value.
const MISSING_VALUE: &str = "Expected property value";

/// `None` if the parser panicked.
fn parse_on_own_stack(text: &str) -> Option<Result<Tree, KdlError>> {
    thread::scope(|scope| {
        let parse = || KdlDocument::parse_v2(text).map(|document| Tree::of(&document));
        let thread = thread::Builder::new().stack_size(STACK_SIZE_BYTES).spawn_scoped(scope, parse);
        thread.ok()?.join().ok()
    })
}

fn parser_failed(idx: TextIdx) -> Diagnostic {
    let span = Span { text: idx, offset_bytes: 0, size_bytes: 0 };
    Diagnostic::error("syntax", span, "the KDL parser failed on this file")
        .label("this file")
        .help("halve the file until it parses, and report the half that does not")
}

/// The parser's errors, one per line: it often says several things of one place.
fn errors(idx: TextIdx, text: &str, error: &KdlError) -> Vec<Diagnostic> {
    let mut lines = BTreeSet::new();
    let mut found: Vec<&KdlDiagnostic> = error.diagnostics.iter().collect();
    found.sort_by_key(|diagnostic| place(diagnostic));
    found.retain(|diagnostic| lines.insert(line_of(text, place(diagnostic))));
    found.truncate(ERRORS_MAX);
    if found.is_empty() {
        return vec![parser_failed(idx)];
    }
    found.into_iter().map(|diagnostic| translate(idx, text, diagnostic)).collect()
}

/// Where the mistake is: the span of a missing value begins at its node.
fn place(diagnostic: &KdlDiagnostic) -> usize {
    let is_missing = diagnostic.message.as_deref() == Some(MISSING_VALUE);
    diagnostic.span.offset() + if is_missing { diagnostic.span.len() } else { 0 }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count()
}

fn translate(idx: TextIdx, text: &str, diagnostic: &KdlDiagnostic) -> Diagnostic {
    let start = diagnostic.span.offset().min(text.len());
    let end = (start + diagnostic.span.len()).min(text.len());
    let written = text.get(start..end).unwrap_or_default().lines().next().unwrap_or_default();
    let span = Span { text: idx, offset_bytes: start, size_bytes: written.len() };
    let message = diagnostic.message.as_deref().unwrap_or_default();
    let help = diagnostic.help.as_deref().unwrap_or_default();
    if message == MISSING_VALUE {
        return missing_value(Span { text: idx, offset_bytes: end, size_bytes: 0 });
    }
    if message.starts_with("Found child block") {
        return misplaced_block(span);
    }
    if help.contains("partially parsed") || message.starts_with("Expected") {
        return not_a_value(span, written);
    }
    other(span, message, help)
}

/// The parser's span of it goes from the node to behind the `=`.
fn missing_value(span: Span) -> Diagnostic {
    Diagnostic::error("syntax", span, "a property's value must stand behind its `=`")
        .label("no value")
        .help("write `property=\"value\"`")
}

fn misplaced_block(span: Span) -> Diagnostic {
    Diagnostic::error("syntax", span, "a `{` stands on the line of its node")
        .label("no node before it")
        .help("move the `{` up to the end of the line before")
}

fn not_a_value(span: Span, written: &str) -> Diagnostic {
    let content = written.replace('"', "");
    let content = content.trim();
    if content.is_empty() {
        return Diagnostic::error("syntax", span, "something is missing here")
            .label("cannot be read")
            .help("write a node as `name \"argument\" property=\"value\" { … }`");
    }
    let help = if written.contains('"') {
        "put a space between the values".to_string()
    } else {
        format!("write `\"{content}\"`, or put a space between two values")
    };
    Diagnostic::error("syntax", span, format!("`{written}` cannot be read as one value"))
        .label("cannot be read")
        .help(help)
}

fn other(span: Span, message: &str, help: &str) -> Diagnostic {
    let message = match message {
        "" => "this cannot be read".to_string(),
        message => lower_first(message),
    };
    let help = match help {
        "" => "write a node as `name \"argument\" property=\"value\" { … }`".to_string(),
        help => lower_first(help.trim_end_matches('.')),
    };
    Diagnostic::error("syntax", span, message).label("cannot be read").help(help)
}

fn lower_first(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}
