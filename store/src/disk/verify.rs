//! `verify`: re-reads everything and compares it with its name.
//!
//! Files are read one after the other, each from its start to its end, which suits disks that
//! turn; hashing uses all cores. The parts of a container are ranges of bytes that have just been
//! verified, so they are looked at only when the container is damaged, to tell which are lost.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::DiskStore;
use crate::require;
use crate::shelf::{self, Container, Kind, Located, Shelf};
use crate::{Digest, Error, Part, Problem, os};

/// How much is read before it is hashed.
const WINDOW_BYTES: u64 = 4 << 20;

pub(super) fn verify(
    store: &DiskStore,
    progress: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Vec<Problem>, Error> {
    let objects = store.index.objects()?;
    let all_bytes = objects.iter().map(|(_, located)| located.stored_bytes).sum();
    let mut verifier = Verifier { progress, done_bytes: 0, all_bytes, problems: Vec::new() };
    for file in objects.chunk_by(|(_, one), (_, two)| one.container == two.container) {
        let source = store.source(file[0].1.container)?;
        let spans: Vec<Span> = file.iter().map(Span::of).collect();
        let first_problem = verifier.problems.len();
        verifier.file(source.path(), &spans)?;
        for problem in first_problem..verifier.problems.len() {
            verifier.parts_of(store, source.path(), &objects_by_digest(file), problem)?;
        }
    }
    let Verifier { mut problems, .. } = verifier;
    missing_needs(store, &objects, &mut problems)?;
    still_true(store, problems)
}

/// Leaves out what was collected, moved or healed since the index was read.
fn still_true(store: &DiskStore, problems: Vec<Problem>) -> Result<Vec<Problem>, Error> {
    let mut left = Vec::with_capacity(problems.len());
    for problem in problems {
        let lies_there = match shelf::locate_one(store, &problem.digest)? {
            Some(located) => store.source(located.container)?.path() == problem.path,
            // Then it is missing, and what needs it was there a moment ago.
            None => problem.path == store.index.path(),
        };
        if lies_there {
            left.push(problem);
        }
    }
    Ok(left)
}

/// The digests of those of `objects`, all of one file, that are not as their names say.
pub(super) fn damaged(
    store: &DiskStore,
    objects: &[(Digest, Located)],
) -> Result<Vec<Digest>, Error> {
    let Some((_, first)) = objects.first() else { return Ok(Vec::new()) };
    let source = store.source(first.container)?;
    let progress = &mut |_, _| true;
    let mut verifier = Verifier { progress, done_bytes: 0, all_bytes: 0, problems: Vec::new() };
    verifier.file(source.path(), &objects.iter().map(Span::of).collect::<Vec<_>>())?;
    Ok(verifier.problems.iter().map(|problem| problem.digest).collect())
}

/// A stretch of a file that has a name.
struct Span {
    digest: Digest,
    kind: Kind,
    offset_bytes: u64,
    size_bytes: u64,
    /// Whether the file must end with it.
    is_whole_file: bool,
}

impl Span {
    fn of((digest, located): &(Digest, Located)) -> Span {
        Span {
            digest: *digest,
            kind: located.kind,
            offset_bytes: located.offset_bytes,
            size_bytes: located.stored_bytes,
            is_whole_file: matches!(located.container, Container::Object(..)),
        }
    }

    fn end_bytes(&self) -> u64 {
        self.offset_bytes + self.size_bytes
    }
}

struct Verifier<'a> {
    progress: &'a mut dyn FnMut(u64, u64) -> bool,
    done_bytes: u64,
    all_bytes: u64,
    problems: Vec<Problem>,
}

impl Verifier<'_> {
    /// Checks the spans of one file, which ascend.
    fn file(&mut self, path: &Path, spans: &[Span]) -> Result<(), Error> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                spans.iter().for_each(|span| self.report(span, path, "the file is missing"));
                return self.advance(spans.iter().map(|span| span.size_bytes).sum());
            }
            Err(cause) => return Err(Error::io("open", path)(cause)),
        };
        let file_bytes = file.metadata().map_err(Error::io("look at", path))?.len();
        let mut rest = spans;
        while let Some(first) = rest.first() {
            let (window, after) = rest.split_at(window_length(rest));
            match first.size_bytes > WINDOW_BYTES {
                true => self.large(&file, path, file_bytes, first)?,
                false => self.window(&file, path, file_bytes, window)?,
            }
            rest = after;
        }
        Ok(())
    }

    /// Checks spans that fit a window together.
    fn window(
        &mut self,
        file: &File,
        path: &Path,
        file_bytes: u64,
        spans: &[Span],
    ) -> Result<(), Error> {
        let start_bytes = spans[0].offset_bytes;
        let end_bytes = spans[spans.len() - 1].end_bytes().min(file_bytes);
        let mut window = vec![0; end_bytes.saturating_sub(start_bytes) as usize];
        if let Err(cause) = os::read_exact_at(file, start_bytes, &mut window) {
            spans.iter().for_each(|span| self.report_unread(span, path, &cause));
            return self.advance(spans.iter().map(|span| span.size_bytes).sum());
        }
        let check = |span: &Span| {
            let start = (span.offset_bytes - start_bytes) as usize;
            let bytes = window.get(start..start + span.size_bytes as usize);
            fault(span, file_bytes, bytes.map(|bytes| span.kind.digest_of(bytes)))
        };
        let faults: Vec<_> = spans.into_par_iter().map(check).collect();
        for (span, fault) in spans.iter().zip(faults) {
            fault.inspect(|what| self.report(span, path, what));
        }
        self.advance(spans.iter().map(|span| span.size_bytes).sum())
    }

    /// Checks one span that is larger than a window.
    fn large(
        &mut self,
        file: &File,
        path: &Path,
        file_bytes: u64,
        span: &Span,
    ) -> Result<(), Error> {
        let mut hasher = span.kind.hasher();
        let mut buffer = vec![0; WINDOW_BYTES as usize];
        let mut offset_bytes = span.offset_bytes;
        while offset_bytes < span.end_bytes().min(file_bytes) {
            let left_bytes = span.end_bytes().min(file_bytes) - offset_bytes;
            let piece = &mut buffer[..left_bytes.min(WINDOW_BYTES) as usize];
            if let Err(cause) = os::read_exact_at(file, offset_bytes, piece) {
                self.report_unread(span, path, &cause);
                return self.advance(span.end_bytes() - offset_bytes);
            }
            hasher.update_rayon(piece);
            offset_bytes += piece.len() as u64;
            self.advance(piece.len() as u64)?;
        }
        let whole = offset_bytes == span.end_bytes();
        let digest = whole.then(|| Digest::from_bytes(hasher.finalize().into()));
        fault(span, file_bytes, digest).inspect(|what| self.report(span, path, what));
        Ok(())
    }

    /// Checks the parts of the object that the problem of that position is about.
    fn parts_of(
        &mut self,
        store: &DiskStore,
        path: &Path,
        objects: &HashMap<Digest, Located>,
        problem: usize,
    ) -> Result<(), Error> {
        let digest = self.problems[problem].digest;
        let Some(located) = objects.get(&digest) else { return Ok(()) };
        let parts = store.index.parts_of(&digest)?;
        let spans: Vec<Span> = parts.iter().map(|part| part_span(located, part)).collect();
        // Parts may overlap, so each is read alone. They do not count: their bytes did.
        let done_bytes = self.done_bytes;
        for span in &spans {
            self.file(path, std::slice::from_ref(span))?;
            self.done_bytes = done_bytes;
        }
        Ok(())
    }

    fn report(&mut self, span: &Span, path: &Path, what: &str) {
        let (path, what) = (path.to_owned(), what.to_owned());
        self.problems.push(Problem { digest: span.digest, path, what });
    }

    /// A bad sector is a finding, not the end of the search.
    fn report_unread(&mut self, span: &Span, path: &Path, cause: &io::Error) {
        self.report(span, path, &format!("it cannot be read: {cause}"));
    }

    fn advance(&mut self, size_bytes: u64) -> Result<(), Error> {
        self.done_bytes += size_bytes;
        match (self.progress)(self.done_bytes.min(self.all_bytes), self.all_bytes) {
            true => Ok(()),
            false => Err(Error::Cancelled),
        }
    }
}

/// What is wrong with `span`, given the digest of its bytes if they are all there.
fn fault(span: &Span, file_bytes: u64, digest: Option<Digest>) -> Option<&'static str> {
    match digest {
        None => Some("the file ends early"),
        Some(digest) if digest != span.digest => Some("its bytes have another digest"),
        _ if span.is_whole_file && file_bytes > span.end_bytes() => Some("the file is too long"),
        _ => None,
    }
}

/// How many of `spans` fit a window; at least one.
fn window_length(spans: &[Span]) -> usize {
    let limit_bytes = spans[0].offset_bytes + WINDOW_BYTES;
    spans.partition_point(|span| span.end_bytes() <= limit_bytes).max(1)
}

fn part_span(container: &Located, part: &Part) -> Span {
    Span {
        digest: part.digest,
        kind: Kind::Blob,
        offset_bytes: container.offset_bytes + part.offset_bytes,
        size_bytes: part.size_bytes,
        is_whole_file: false,
    }
}

fn objects_by_digest(file: &[(Digest, Located)]) -> HashMap<Digest, Located> {
    file.iter().copied().collect()
}

/// Reports what readable recipes and directories name and the index does not know.
fn missing_needs(
    store: &DiskStore,
    objects: &[(Digest, Located)],
    problems: &mut Vec<Problem>,
) -> Result<(), Error> {
    for (digest, located) in objects {
        // One that cannot be read is among the problems already.
        let Ok(needs) = require::of_stored(store, digest, located) else { continue };
        if needs.is_empty() {
            continue;
        }
        // A lost file is a problem of its own already.
        let located = store.locate(&require::digests(&needs))?;
        let is_missing = |need: &&require::Need| {
            !need.is_met_by(located.get(&need.digest()).map(Located::found).as_ref())
        };
        if needs.iter().any(|need| is_missing(&need)) && shelf::locate_one(store, digest)?.is_none()
        {
            // It was collected meanwhile, with what it needs.
            continue;
        }
        problems.extend(needs.iter().filter(is_missing).map(|need| Problem {
            digest: need.digest(),
            path: store.index.path().to_owned(),
            what: format!("missing, but {digest} needs it"),
        }));
    }
    Ok(())
}
