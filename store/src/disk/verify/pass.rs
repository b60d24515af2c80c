//! `Pass`: one walk over a run of objects, file by file.

use std::path::{Path, PathBuf};
use std::time::Instant;

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::check::{self, Check, Findings, MISSING, WINDOW_BYTES, window_length};
use super::span::{ENDS_EARLY, Span};
use super::tree_hash::{self, Stop, Stretch};
use super::{Objects, ScrubOptions, position};
use crate::disk::DiskStore;
use crate::disk::stored_file::StoredFile;
use crate::output::ABSENT;
use crate::require::{self, Need};
use crate::shelf::{Kind, Located, Shelf};
use crate::{Digest, Error, Problem};

/// How much all cores together check before the caller hears of it.
const GROUP_BYTES: u64 = 64 << 20;

/// How many needs are looked up at once.
const NEEDS_MANY: usize = 50_000;

pub(super) struct Pass<'a> {
    store: &'a DiskStore,
    objects: &'a Objects,
    options: &'a ScrubOptions,
    progress: &'a mut dyn FnMut(u64, u64) -> bool,
    started: Instant,
    pub(super) done_bytes: u64,
    all_bytes: u64,
    pub(super) problems: Vec<Problem>,
    /// What good recipes and directories name and was not looked up yet.
    needs: Vec<(Digest, Vec<Need>)>,
    needs_count: usize,
    /// Whether what is named is looked up; not where only files count, and the gate is held.
    follows_needs: bool,
    /// The first file that is not done; `None` after the last.
    pub(super) next: Option<(i64, Digest)>,
}

/// A file and what lies in it.
struct FileSpans<'a> {
    path: PathBuf,
    /// Its id, if it is a pack.
    pack: Option<Digest>,
    objects: &'a Objects,
    spans: Vec<Span>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        store: &'a DiskStore,
        objects: &'a Objects,
        options: &'a ScrubOptions,
        progress: &'a mut dyn FnMut(u64, u64) -> bool,
    ) -> Self {
        Pass {
            store,
            objects,
            options,
            progress,
            started: Instant::now(),
            done_bytes: 0,
            all_bytes: objects.iter().map(|(_, located)| located.stored_bytes).sum(),
            problems: Vec::new(),
            needs: Vec::new(),
            needs_count: 0,
            follows_needs: false,
            next: objects.first().map(position),
        }
    }

    /// Checks everything, and that all is here that good recipes and directories name.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        self.follows_needs = true;
        self.check_all()?;
        self.look_up_needs()
    }

    /// Checks files until the options end it.
    pub(super) fn check_all(&mut self) -> Result<(), Error> {
        let objects = self.objects;
        let mut files =
            objects.chunk_by(|(_, one), (_, two)| one.container == two.container).peekable();
        while files.peek().is_some() && !self.is_over() {
            let mut group = Vec::new();
            let mut group_bytes = 0;
            while group_bytes < GROUP_BYTES
                && let Some(objects) = files.next()
            {
                let file = FileSpans::new(self.store, objects)?;
                group_bytes += file.spans.iter().map(|span| span.size_bytes).sum::<u64>();
                group.push(file);
                if self.options.max_bytes.is_some_and(|max| self.done_bytes + group_bytes >= max) {
                    break;
                }
            }
            self.group(&group)?;
            if self.needs_count >= NEEDS_MANY {
                self.look_up_needs()?;
            }
            self.next = files.peek().map(|objects| position(&objects[0]));
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.options.max_bytes.is_some_and(|max| self.done_bytes >= max)
            || self.options.max_time.is_some_and(|max| self.started.elapsed() >= max)
    }

    /// Checks files, those of one group at the same time.
    fn group(&mut self, files: &[FileSpans<'_>]) -> Result<(), Error> {
        let checks: Vec<Check<'_>> = files.iter().flat_map(FileSpans::checks).collect();
        let first_problem = self.problems.len();
        let (large, small): (Vec<&Check<'_>>, Vec<&Check<'_>>) =
            checks.iter().partition(|check| check.size_bytes() > WINDOW_BYTES);
        for checks in small.chunks(GROUP_BYTES.div_ceil(WINDOW_BYTES) as usize) {
            let found: Result<Vec<Findings>, Error> =
                checks.par_iter().map(|check| check.run()).collect();
            for (check, findings) in checks.iter().zip(found?) {
                self.take(check.path(), findings);
            }
            self.advance(checks.iter().map(|check| check.size_bytes()).sum())?;
        }
        for check in large {
            let Check::Window { path, spans } = check else { continue };
            let findings = self.large(path, &spans[0])?;
            self.take(path, findings);
        }
        for problem in first_problem..self.problems.len() {
            self.parts_of(files, problem)?;
        }
        Ok(())
    }

    /// Checks one span that is larger than a window, with all cores.
    fn large(&mut self, path: &Path, span: &Span) -> Result<Findings, Error> {
        let spans = std::slice::from_ref(span);
        let fault = |what: &str| Ok(check::all(spans, what));
        let done_bytes = self.done_bytes + span.size_bytes;
        let Some((file, file_bytes)) = check::open(path)? else {
            self.advance(span.size_bytes)?;
            return fault(MISSING);
        };
        if file_bytes < span.end_bytes() {
            self.advance(span.size_bytes)?;
            return fault(ENDS_EARLY);
        }
        if span.kind != Kind::Blob {
            return self.large_encoding(path, span);
        }
        let stretch =
            Stretch { file: &file, offset_bytes: span.offset_bytes, size_bytes: span.size_bytes };
        match tree_hash::digest(&stretch, &mut |bytes| self.advance(bytes)) {
            Ok(digest) => Ok(match span.fault(file_bytes, digest) {
                Some(what) => check::all(spans, what),
                None => Findings::default(),
            }),
            Err(Stop::Unread(cause)) => {
                self.advance(done_bytes - self.done_bytes)?;
                fault(&check::unread(&cause))
            }
            Err(Stop::Asked(error)) => Err(error),
        }
    }

    /// An encoding is decoded as a whole anyway.
    fn large_encoding(&mut self, path: &Path, span: &Span) -> Result<Findings, Error> {
        let findings = Check::Window { path, spans: std::slice::from_ref(span) }.run()?;
        self.advance(span.size_bytes)?;
        Ok(findings)
    }

    /// Checks the parts of the object that the problem of that position is about.
    fn parts_of(&mut self, files: &[FileSpans<'_>], problem: usize) -> Result<(), Error> {
        let digest = self.problems[problem].digest;
        let objects = files.iter().flat_map(|file| file.objects.iter().map(move |it| (file, it)));
        let found = objects.into_iter().find(|(_, (object, _))| *object == digest);
        let Some((file, (_, located))) = found else { return Ok(()) };
        let done_bytes = self.done_bytes;
        for part in self.store.index.parts_of(&digest)? {
            // Parts may overlap, so each is read alone. They do not count: their bytes did.
            let span = Span::of_part(located, &part);
            let findings = match span.size_bytes > WINDOW_BYTES {
                true => self.large(&file.path, &span)?,
                false => {
                    Check::Window { path: &file.path, spans: std::slice::from_ref(&span) }.run()?
                }
            };
            self.take(&file.path, findings);
            self.done_bytes = done_bytes;
        }
        Ok(())
    }

    fn take(&mut self, path: &Path, findings: Findings) {
        let problem =
            |(digest, what): (Digest, String)| Problem { digest, path: path.to_owned(), what };
        self.problems.extend(findings.faults.into_iter().map(problem));
        if !self.follows_needs {
            return;
        }
        self.needs_count += findings.needs.iter().map(|(_, needs)| needs.len()).sum::<usize>();
        self.needs.extend(findings.needs);
    }

    /// Reports what recipes and directories name and the index does not know.
    fn look_up_needs(&mut self) -> Result<(), Error> {
        let needs = std::mem::take(&mut self.needs);
        self.needs_count = 0;
        let mut digests: Vec<Digest> =
            needs.iter().flat_map(|(_, needs)| require::digests(needs)).collect();
        digests.sort_unstable();
        digests.dedup();
        // A lost file is a problem of its own already.
        let located = self.store.locate(&digests)?;
        let is_missing = |need: &&Need| {
            !need.is_met_by(located.get(&need.digest()).map(Located::found).as_ref())
        };
        let suspects = needs.iter().filter(|(_, needs)| needs.iter().any(|need| is_missing(&need)));
        let suspects: Vec<&(Digest, Vec<Need>)> = suspects.collect();
        let _held = (!suspects.is_empty()).then(|| self.store.nobody_removes());
        for (digest, needs) in suspects {
            self.look_again(digest, needs)?;
        }
        Ok(())
    }

    /// What `digest` needs and is not there, while nobody removes anything. It may have been collected
    /// with what it needs, and even stored again: first it, then its needs are looked up.
    fn look_again(&mut self, digest: &Digest, needs: &[Need]) -> Result<(), Error> {
        if self.store.locate(&[*digest])?.is_empty() {
            return Ok(());
        }
        let located = self.store.locate(&require::digests(needs))?;
        let is_missing = |need: &&Need| {
            !need.is_met_by(located.get(&need.digest()).map(Located::found).as_ref())
        };
        self.problems.extend(needs.iter().filter(is_missing).map(|need| Problem {
            digest: need.digest(),
            path: self.store.index.path().to_owned(),
            what: format!("{ABSENT}{digest} needs it"),
        }));
        Ok(())
    }

    fn advance(&mut self, size_bytes: u64) -> Result<(), Error> {
        self.done_bytes += size_bytes;
        match (self.progress)(self.done_bytes.min(self.all_bytes), self.all_bytes) {
            true => Ok(()),
            false => Err(Error::Cancelled),
        }
    }
}

impl<'a> FileSpans<'a> {
    fn new(store: &DiskStore, objects: &'a Objects) -> Result<Self, Error> {
        let source = store.source(objects[0].1.container)?;
        let path = source.path().to_owned();
        let pack = match StoredFile::at(&store.place, &path) {
            Some(StoredFile::Pack(id)) => Some(id),
            _ => None,
        };
        Ok(FileSpans { path, pack, objects, spans: objects.iter().map(Span::of).collect() })
    }

    fn checks(&self) -> Vec<Check<'_>> {
        let path = self.path.as_path();
        let mut checks = Vec::new();
        let mut rest = self.spans.as_slice();
        while !rest.is_empty() {
            let (spans, after) = rest.split_at(window_length(rest));
            checks.push(Check::Window { path, spans });
            rest = after;
        }
        if let Some(id) = self.pack {
            checks.push(Check::Table { path, id, spans: &self.spans });
        }
        checks
    }
}
