//! `Check`: the smallest piece of work of a verification, for one core at a time.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;

use super::span::{ENDS_EARLY, Span};
use super::tree_hash::with_bytes;
use crate::disk::pack;
use crate::require::{self, Need};
use crate::shelf::Kind;
use crate::{Digest, Directory, Error, Recipe};

/// How much one check reads.
pub(super) const WINDOW_BYTES: u64 = 4 << 20;

pub(super) enum Check<'a> {
    /// Spans of a file that lie close together.
    Window { path: &'a Path, spans: &'a [Span] },
    /// The table of a pack: it must list all that the index says of the pack.
    Table { path: &'a Path, id: Digest, spans: &'a [Span] },
}

/// What a check found.
#[derive(Default)]
pub(super) struct Findings {
    /// Whose bytes are wrong, and how.
    pub(super) faults: Vec<(Digest, String)>,
    /// What good recipes and directories name.
    pub(super) needs: Vec<(Digest, Vec<Need>)>,
}

impl Check<'_> {
    pub(super) fn size_bytes(&self) -> u64 {
        match self {
            Check::Window { spans, .. } => spans.iter().map(|span| span.size_bytes).sum(),
            Check::Table { .. } => 0,
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Check::Window { path, .. } | Check::Table { path, .. } => path,
        }
    }

    pub(super) fn run(&self) -> Result<Findings, Error> {
        match self {
            Check::Window { path, spans } => window(path, spans),
            Check::Table { path, id, spans } => table(path, id, spans),
        }
    }
}

/// How many of `spans` fit a window; at least one.
pub(super) fn window_length(spans: &[Span]) -> usize {
    let limit_bytes = spans[0].offset_bytes + WINDOW_BYTES;
    spans.partition_point(|span| span.end_bytes() <= limit_bytes).max(1)
}

/// Said of everything in a file that is not there.
pub(super) const MISSING: &str = "the file is missing";

/// The file and its length; `None` if it is missing.
pub(super) fn open(path: &Path) -> Result<Option<(File, u64)>, Error> {
    let file = match File::open(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(Error::io("open", path))?,
    };
    let size_bytes = file.metadata().map_err(Error::io("look at", path))?.len();
    Ok(Some((file, size_bytes)))
}

/// The same fault of each of `spans`.
pub(super) fn all(spans: &[Span], what: &str) -> Findings {
    let faults = spans.iter().map(|span| (span.digest, what.to_owned()));
    Findings { faults: faults.collect(), needs: Vec::new() }
}

/// A bad sector is a finding, not the end of the search.
pub(super) fn unread(cause: &io::Error) -> String {
    format!("it cannot be read: {cause}")
}

fn window(path: &Path, spans: &[Span]) -> Result<Findings, Error> {
    let Some((file, file_bytes)) = open(path)? else {
        return Ok(all(spans, MISSING));
    };
    let whole = spans.partition_point(|span| span.end_bytes() <= file_bytes);
    let (whole, cut) = spans.split_at(whole);
    let mut findings = all(cut, ENDS_EARLY);
    let (Some(first), Some(last)) = (whole.first(), whole.last()) else { return Ok(findings) };
    let start_bytes = first.offset_bytes;
    let read = with_bytes(&file, start_bytes, last.end_bytes() - start_bytes, |window| {
        for span in whole {
            let start = (span.offset_bytes - start_bytes) as usize;
            let bytes = &window[start..start + span.size_bytes as usize];
            match span.fault(file_bytes, span.kind.digest_of(bytes)) {
                Some(what) => findings.faults.push((span.digest, what.to_owned())),
                None => findings.needs.extend(needs(span, bytes)),
            }
        }
    });
    if let Err(cause) = read {
        return match whole.len() {
            1 => Ok(all(spans, &unread(&cause))),
            // One by one: only those in the bad sector are lost.
            _ => apart(path, spans),
        };
    }
    Ok(findings)
}

fn apart(path: &Path, spans: &[Span]) -> Result<Findings, Error> {
    let mut findings = Findings::default();
    for span in spans {
        let found = window(path, std::slice::from_ref(span))?;
        findings.faults.extend(found.faults);
        findings.needs.extend(found.needs);
    }
    Ok(findings)
}

/// What a good recipe or directory names.
fn needs(span: &Span, bytes: &[u8]) -> Option<(Digest, Vec<Need>)> {
    let needs = match span.kind {
        Kind::Recipe => require::of_recipe(&Recipe::decode(bytes).ok()?),
        Kind::Directory => require::of_directory(&Directory::decode(bytes).ok()?),
        Kind::Blob | Kind::PartTable => return None,
    };
    Some((span.digest, needs))
}

fn table(path: &Path, id: &Digest, spans: &[Span]) -> Result<Findings, Error> {
    if !path.exists() {
        // Each of its members says so.
        return Ok(Findings::default());
    }
    let what = match pack::read_table(path)? {
        None => Some("its table of members is damaged"),
        Some(members) => {
            let place = |it: &pack::Member| (it.digest, (it.kind, it.offset_bytes, it.size_bytes));
            let listed: HashMap<_, _> = members.iter().map(place).collect();
            let is_listed = |span: &Span| {
                listed.get(&span.digest) == Some(&(span.kind, span.offset_bytes, span.size_bytes))
            };
            (!spans.iter().all(is_listed)).then_some("its table lacks members")
        }
    };
    let faults = what.map(|what| (*id, what.to_owned())).into_iter().collect();
    Ok(Findings { faults, needs: Vec::new() })
}
