//! `mediabuild.lock`: what inputs from outside of git were when they were pinned.
//!
//! The file is KDL, one line an entry, written canonically: sorted, with one spelling for each
//! thing. Text in that spelling is read line by line (1,000 entries in 0.4 ms, which every build
//! pays; the KDL parser needs 150 ms); what a user edited goes through the parser.
//!
//! Whether an entry fits its input is not asked here: this crate computes no digest.

mod lines;
mod nodes;

use std::fmt;

use crate::diagnostic::{Diagnostic, Severity};
use crate::text::{Span, TextIdx};

/// The lock's file name, beside the project file.
pub const LOCK_FILE: &str = "mediabuild.lock";

/// What stands at the head of a lock, and the version of its format.
const HEAD: &str = "// made by mediabuild lock\n// What each input was when it was pinned. \
`mediabuild lock --update NAME` pins it anew.\nlock version=1\n";

/// The one version there is.
const VERSION: i128 = 1;

/// What an entry pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockKind {
    /// A file of the project's folder.
    File,
    /// A folder, as far as its filter takes files.
    Folder,
    /// A file that is fetched.
    Url,
}

impl LockKind {
    const ALL: [LockKind; 3] = [LockKind::File, LockKind::Folder, LockKind::Url];

    /// The node name.
    pub const fn name(self) -> &'static str {
        match self {
            LockKind::File => "file",
            LockKind::Folder => "folder",
            LockKind::Url => "url",
        }
    }

    /// What the digest is of: a file's bytes, or a directory of the store.
    const fn digest_prefix(self) -> &'static str {
        match self {
            LockKind::File | LockKind::Url => "blake3:",
            LockKind::Folder => "directory:",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What one input was. Its place in the file is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockEntry {
    /// The project path, or the URL without what may be secret.
    pub name: String,
    /// What it is.
    pub kind: LockKind,
    /// 16 lower-case hexadecimal digits of a digest of the declaration: what the definition said
    /// when this was pinned. An entry whose definition says something else now is stale.
    pub declared: String,
    /// 64 lower-case hexadecimal digits: the BLAKE3 of the bytes, or the digest of the directory.
    pub digest: String,
    /// How many bytes; of a folder, all its files'.
    pub size_bytes: u64,
}

impl fmt::Display for LockEntry {
    /// The line of the entry, as `mediabuild lock` writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LockEntry { name, kind, declared, digest, size_bytes } = self;
        let (node, prefix) = (kind.name(), kind.digest_prefix());
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        write!(
            f,
            "{node} \"{name}\" digest=\"{prefix}{digest}\" size={size_bytes} declared=\"{declared}\""
        )
    }
}

/// An entry and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockLine {
    /// What it says.
    pub entry: LockEntry,
    /// Where it stands.
    pub span: Span,
}

/// The entries of `text`, in its order; `None` if something is wrong with it, which `diagnostics`
/// then say.
pub fn parse_lock(
    idx: TextIdx,
    text: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<LockLine>> {
    let before = diagnostics.len();
    let lines = match lines::read(idx, text) {
        Some(lines) => lines,
        None => nodes::read(idx, text, diagnostics)?,
    };
    diagnostics.extend(repeated(&lines));
    let is_wrong = diagnostics[before..].iter().any(|d| d.severity == Severity::Error);
    (!is_wrong).then_some(lines)
}

/// The text of a lock with these entries: sorted, each once.
pub fn render_lock(entries: &[LockEntry]) -> String {
    let mut sorted: Vec<&LockEntry> = entries.iter().collect();
    sorted.sort();
    sorted.dedup();
    sorted.into_iter().fold(HEAD.to_owned(), |text, entry| format!("{text}{entry}\n"))
}

/// One declaration of one input is pinned once: two entries would let a merge choose.
fn repeated(lines: &[LockLine]) -> Vec<Diagnostic> {
    let key = |line: &LockLine| (line.entry.name.clone(), line.entry.declared.clone());
    let mut first = std::collections::BTreeMap::new();
    let mut diagnostics = Vec::new();
    for line in lines {
        if let Some(before) = first.insert(key(line), line.span) {
            let message = format!("`{}` is pinned twice", line.entry.name);
            diagnostics.push(
                Diagnostic::error("repeated-lock-entry", line.span, message)
                    .label("again")
                    .also(before, "first")
                    .help("remove the line that is wrong"),
            );
        }
    }
    diagnostics
}

/// Whether `text` is `count` lower-case hexadecimal digits.
fn is_hex(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

const DIGEST_DIGITS: usize = 64;
const DECLARED_DIGITS: usize = 16;

#[cfg(test)]
mod tests {
    use super::{LockEntry, LockKind, LockLine, lines, nodes, parse_lock, render_lock};
    use crate::text::TextIdx;

    fn entry(name: &str, kind: LockKind) -> LockEntry {
        let name = name.to_owned();
        let (digest, declared) = ("0123456789abcdef".repeat(4), "f".repeat(16));
        LockEntry { name, kind, declared, digest, size_bytes: u64::MAX }
    }

    fn samples() -> Vec<LockEntry> {
        vec![
            entry("inputs/install.wim", LockKind::File),
            entry("drivers/intel net", LockKind::Folder),
            entry("https://vendor.example/pack.cab?v=***", LockKind::Url),
            entry("inputs/ä\u{1F600}.bin", LockKind::File),
            entry("inputs/a \"quoted\" name", LockKind::File),
        ]
    }

    fn read(text: &str) -> Vec<LockLine> {
        let mut diagnostics = Vec::new();
        let lines = parse_lock(TextIdx(0), text, &mut diagnostics);
        lines.unwrap_or_else(|| panic!("{diagnostics:?}"))
    }

    #[test]
    fn what_is_written_is_read_by_both_readers() {
        let text = render_lock(&samples());
        let mut sorted = samples();
        sorted.sort();
        let entries: Vec<_> = read(&text).into_iter().map(|line| line.entry).collect();
        assert_eq!(entries, sorted);
        assert_eq!(render_lock(&entries), text);
        let mut diagnostics = Vec::new();
        let parsed = nodes::read(TextIdx(0), &text, &mut diagnostics).expect("it parses");
        assert_eq!(parsed, read(&text), "{diagnostics:?}");
    }

    #[test]
    fn canonical_text_does_not_need_the_parser() {
        let plain: Vec<_> = samples().into_iter().filter(|e| !e.name.contains('"')).collect();
        assert!(lines::read(TextIdx(0), &render_lock(&plain)).is_some());
    }

    #[test]
    fn what_a_user_edited_is_read_too() {
        let line = entry("a", LockKind::File).to_string();
        let (node, rest) = line.split_once(" digest").expect("a digest");
        let text = format!("/* mine */\nlock version=1\n{node} \\\n  digest{rest} // by hand\n");
        assert_eq!(read(&text)[0].entry, entry("a", LockKind::File));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let line = entry("a", LockKind::File).to_string();
        let head = "lock version=1\n";
        let cases = [
            (format!("{head}{line}\n{line}\n"), "repeated-lock-entry"),
            (line.clone(), "lock-version"),
            ("lock version=2\n".to_owned(), "lock-version"),
            (format!("{head}{}", line.replace("blake3:0", "blake3:G")), "bad-lock-entry"),
            (format!("{head}{}", line.replace("blake3:", "directory:")), "bad-lock-entry"),
            (format!("{head}{}", line.replace("size=1", "size=-1")), "bad-lock-entry"),
            (format!("{head}{}", line.replace("declared=", "declard=")), "bad-lock-entry"),
            (format!("{head}{}", line.replace("file ", "fil ")), "bad-lock-entry"),
            (format!("{head}<<<<<<< ours\n{line}\n"), "bad-lock-entry"),
            (format!("{head}{line} {{\n"), "unclosed-brace"),
        ];
        for (text, code) in cases {
            let mut diagnostics = Vec::new();
            assert_eq!(parse_lock(TextIdx(0), &text, &mut diagnostics), None, "{text}");
            assert!(diagnostics.iter().any(|d| d.code == code), "{text}: {diagnostics:?}");
        }
    }
}
