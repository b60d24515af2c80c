//! The full reader of a lock: through the KDL parser, with diagnostics.

use super::{
    DECLARED_DIGITS, DIGEST_DIGITS, LOCK_FILE, LockEntry, LockKind, LockLine, VERSION, is_hex,
};
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::syntax;
use crate::text::{Span, TextIdx};

/// What is to be done about a lock that cannot be read.
const REMEDY: &str = "mend the line, or remove it: `mediabuild lock` writes it anew";

/// What a merge that met a conflict leaves: to KDL they are nodes like any other.
const CONFLICTS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// The entries; with diagnostics if something is wrong.
pub(super) fn read(
    idx: TextIdx,
    text: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<LockLine>> {
    let before = diagnostics.len();
    let document = syntax::parse(idx, text, diagnostics);
    for diagnostic in &mut diagnostics[before..] {
        // The parser's own advice is about definitions.
        diagnostic.help = Some(REMEDY.into());
    }
    let document = document?;
    let nodes: Vec<Node<'_>> = Node::all(&document, idx).collect();
    let Some((head, entries)) = nodes.split_first() else {
        diagnostics.push(wrong_version(Span { text: idx, offset_bytes: 0, size_bytes: 0 }));
        return None;
    };
    let version = head.property("version").and_then(|version| version.integer());
    if head.name() != "lock" || version != Some(VERSION) {
        diagnostics.push(wrong_version(head.span()));
        return None;
    }
    let mut lines = Vec::new();
    for node in entries {
        match entry(*node) {
            Ok(entry) => lines.push(LockLine { entry, span: line_of(text, node.span()) }),
            Err(wrong) => diagnostics.push(bad_entry(line_of(text, node.span()), wrong)),
        }
    }
    Some(lines)
}

fn wrong_version(span: Span) -> Diagnostic {
    let message = format!("`{LOCK_FILE}` is of a version that this mediabuild does not know");
    Diagnostic::error("lock-version", span, message)
        .label(format!("`lock version={VERSION}` must stand first"))
        .help("use the mediabuild that wrote it, or remove the file and run `mediabuild lock`")
}

fn bad_entry(span: Span, wrong: &str) -> Diagnostic {
    Diagnostic::error("bad-lock-entry", span, "this entry of the lock cannot be read")
        .label(wrong)
        .help(REMEDY)
}

fn entry(node: Node<'_>) -> Result<LockEntry, &'static str> {
    if CONFLICTS.contains(&node.name()) {
        return Err("left by a merge");
    }
    let kind = LockKind::named(node.name()).ok_or("neither `file`, `folder` nor `url`")?;
    let known = ["digest", "size", "declared"];
    if node.properties().any(|value| !known.contains(&value.key().unwrap_or_default())) {
        return Err("has a property other than `digest=`, `size=` and `declared=`");
    }
    if node.children().next().is_some() || node.arguments().count() != 1 {
        return Err("one name and three properties are needed, and nothing else");
    }
    let text = |key: &str| node.property(key).and_then(|value| value.string());
    let name = node.argument().and_then(|value| value.string()).filter(|name| !name.is_empty());
    let name = name.filter(|name| !name.contains(char::is_control)).ok_or("has no name")?;
    let digest = text("digest").and_then(|digest| digest.strip_prefix(kind.digest_prefix()));
    let digest = digest.filter(|digest| is_hex(digest, DIGEST_DIGITS)).ok_or(match kind {
        LockKind::Folder => "needs `digest=\"directory:\"` and 64 hexadecimal digits",
        _ => "needs `digest=\"blake3:\"` and 64 hexadecimal digits",
    })?;
    let declared = text("declared").filter(|declared| is_hex(declared, DECLARED_DIGITS));
    let size = node.property("size").and_then(|size| u64::try_from(size.integer()?).ok());
    Ok(LockEntry {
        name: name.to_owned(),
        kind,
        declared: declared.ok_or("needs `declared=` and 16 hexadecimal digits")?.to_owned(),
        digest: digest.to_owned(),
        size_bytes: size.ok_or("needs `size=` and a number of bytes")?,
    })
}

/// The whole line at `span`, without white space at its ends.
fn line_of(text: &str, span: Span) -> Span {
    let start = text[..span.offset_bytes].rfind('\n').map_or(0, |newline| newline + 1);
    let rest = &text[start..];
    let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
    let offset_bytes = start + (line.len() - line.trim_start().len());
    Span { text: span.text, offset_bytes, size_bytes: line.trim().len() }
}
