//! The WIMs on a disc or disk: those of split sets together with their other parts, or alone where
//! these are elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mediabuild_formats::iso::DiscFile;
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::{Entry, FileReader, find};
use mediabuild_formats::wim::{Joined, Wim};

use super::{Finding, wim};
use crate::builders::split_set::{first_part, siblings};
use crate::commands::inspect::medium::AnySource;
use crate::failure::Failure;
use crate::progress::Job;
use crate::set_manifest::{ON_DISC, SetManifest};

pub(super) struct Wims<'a> {
    entries: &'a [Entry],
    source: Arc<AnySource>,
    job: &'a Job<'a>,
    /// Whether the disc is of a set, and something on it goes on elsewhere.
    goes_on: bool,
    /// The split sets that were met, by the path of their first part and how many there are.
    met: BTreeMap<(PathBuf, u16), Met>,
}

#[derive(Clone, Copy)]
enum Met {
    /// All parts are here: they were looked at together, when the first was met.
    Whole,
    /// Some are elsewhere: each is looked at alone.
    Parted,
}

impl<'a> Wims<'a> {
    pub(super) fn new(entries: &'a [Entry], source: AnySource, job: &'a Job<'a>) -> Self {
        let goes_on = goes_on_elsewhere(entries, &source);
        Wims { entries, source: Arc::new(source), job, goes_on, met: BTreeMap::new() }
    }

    pub(super) fn open(&self, entry: &Entry) -> AnySource {
        Box::new(DiscFile::new(Arc::clone(&self.source), entry))
    }

    /// Checks a WIM; one that was looked at as a part of its set before is not looked at again.
    pub(super) fn check(
        &mut self,
        wim: &Wim,
        inner: AnySource,
        path: &str,
    ) -> Result<Vec<Finding>, Failure> {
        let part_count = wim.header.part_count;
        if part_count <= 1 {
            return self.alone(wim, &inner, path);
        }
        let set = (first_part(Path::new(path), wim), part_count);
        match self.met.get(&set) {
            Some(Met::Whole) => return Ok(Vec::new()),
            Some(Met::Parted) => return self.alone(wim, &inner, path),
            None => {}
        }
        match self.others(wim, path) {
            Ok(others) => {
                self.met.insert(set, Met::Whole);
                self.together(inner, path, &others)
            }
            Err(missing) => {
                self.met.insert(set, Met::Parted);
                let mut findings = vec![self.missing(&missing)];
                findings.extend(self.alone(wim, &inner, path)?);
                Ok(findings)
            }
        }
    }

    /// The other parts, or the path of the first that is not there.
    fn others(&self, wim: &Wim, path: &str) -> Result<Vec<&'a Entry>, String> {
        let entries = self.entries;
        let siblings = siblings(Path::new(path), wim).into_iter();
        let siblings = siblings.map(|sibling| sibling.to_string_lossy().into_owned());
        siblings.map(|sibling| find(entries, &sibling).ok_or(sibling)).collect()
    }

    fn missing(&self, part: &str) -> Finding {
        match self.goes_on {
            true => Finding::remark(format!(
                "the other part `{part}` is not on this disc, which is one of a set: the parts \
                 here are checked each by itself"
            )),
            false => Finding::text(format!("the other part `{part}` is not there")),
        }
    }

    /// What one file has itself.
    fn alone(&self, wim: &Wim, inner: &AnySource, path: &str) -> Result<Vec<Finding>, Failure> {
        let files = [path.to_owned()];
        wim::check(&wim::Checked { wim, files: &files, own_count: 1 }, inner, self.job)
    }

    fn together(
        &self,
        inner: AnySource,
        path: &str,
        others: &[&Entry],
    ) -> Result<Vec<Finding>, Failure> {
        let (mut files, mut sources) = (vec![path.to_owned()], vec![inner]);
        for entry in others {
            files.push(entry.path.clone());
            sources.push(self.open(entry));
        }
        let own_count = files.len();
        let joined = Joined::new(sources);
        let whole = match Wim::open_joined(&joined, own_count) {
            Ok(whole) => whole,
            Err(error) => {
                return Ok(vec![Finding::text(format!("{}: {error}", files[error.file]))]);
            }
        };
        wim::check(&wim::Checked { wim: &whole, files: &files, own_count }, &joined, self.job)
    }
}

/// Whether the disc says that it is one of a set, and that a package on it is on others too. Which
/// files of it these have, it does not say.
fn goes_on_elsewhere<S: Source + ?Sized>(entries: &[Entry], source: &S) -> bool {
    let entry = find(entries, ON_DISC).filter(|entry| !entry.is_directory);
    let manifest = entry.and_then(|entry| SetManifest::read(FileReader::new(source, entry)));
    manifest.is_some_and(|manifest| manifest.goes_on_elsewhere())
}
