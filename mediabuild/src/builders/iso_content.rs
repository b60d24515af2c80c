//! An ISO in the store: its files as contents of their own, in place.
//!
//! A file whose bytes lie in one run is registered as a part of the ISO, so that whoever names it
//! stores no second copy. One in several runs that are apart, or with holes, has no such place: it
//! is stored by itself. Writers of deployment media make no such files.

use std::collections::{BTreeMap, BTreeSet};

use mediabuild_formats::iso::Disc;
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::{self, Entry, FileReader};
use mediabuild_store::{Batch, Content, Digest, Part};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use sha1::{Digest as _, Sha1};

use super::BuildContext;
use super::sha1::{SHA1_MEMO, Sha1Wanted};
use super::wim_content::{ContentSource, read_range};
use crate::failure::Failure;

/// Files of a disc may overlap, and of a forged one all of them; their bytes are hashed, and those of
/// files in pieces stored, up to so many times the disc's size.
const OVERLAP_FACTOR_MAX: u64 = 4;

/// An opened ISO of the store.
pub(crate) struct IsoContent {
    /// All files and folders of its best tree.
    pub(crate) entries: Vec<Entry>,
    digest: Digest,
    pub(super) source: ContentSource,
}

/// A run of bytes: offset and size.
type Run = (u64, u64);

/// What a run is called.
struct Hashed {
    part: Part,
    sha1: Option<[u8; 20]>,
}

impl IsoContent {
    pub(crate) fn open(context: &BuildContext<'_>, content: &Content) -> Result<Self, Failure> {
        let source = ContentSource(context.store.open_at(&content.digest)?);
        let entries = entries(&source)?;
        Ok(IsoContent { entries, digest: content.digest, source })
    }

    /// The contents of some of its files, in their order, each a part of the ISO where it can be.
    pub(crate) fn contents(
        &self,
        files: &[&Entry],
        sha1: Sha1Wanted,
        context: &BuildContext<'_>,
        batch: &mut dyn Batch,
    ) -> Result<Vec<Content>, Failure> {
        let hashed = self.hash(files, sha1, context)?;
        let parts: Vec<Part> = hashed.values().map(|hashed| hashed.part).collect();
        batch.put_parts(&self.digest, &parts)?;
        for Hashed { part, sha1 } in hashed.values() {
            if let Some(sha1) = sha1 {
                batch.put_memo(SHA1_MEMO, &part.digest, sha1)?;
            }
        }
        let content = |file: &&Entry| match run(file) {
            Some(run) => Ok(hashed[&run].part.content()),
            None => self.copied(file, context, batch),
        };
        files.iter().map(content).collect()
    }

    /// Hashes the runs of files, each once, by all cores.
    fn hash(
        &self,
        files: &[&Entry],
        sha1: Sha1Wanted,
        context: &BuildContext<'_>,
    ) -> Result<BTreeMap<Run, Hashed>, Failure> {
        let runs: BTreeSet<Run> = files.iter().filter_map(|file| run(file)).collect();
        let in_pieces = files.iter().filter(|file| run(file).is_none());
        let sizes = runs.iter().map(|(_, size_bytes)| *size_bytes);
        refuse_overlap(
            sizes.chain(in_pieces.map(|file| file.size_bytes)),
            self.source.size_bytes(),
        )?;
        let hashed: Vec<_> =
            runs.into_par_iter().map(|run| Ok((run, self.hash_run(run, sha1, context)?))).collect();
        // The first failure of all, however the cores took turns.
        hashed.into_iter().collect()
    }

    fn hash_run(
        &self,
        run: Run,
        sha1: Sha1Wanted,
        context: &BuildContext<'_>,
    ) -> Result<Hashed, Failure> {
        let (offset_bytes, size_bytes) = run;
        let mut blake3 = blake3::Hasher::new();
        let mut sha1 = (sha1 == Sha1Wanted::Yes).then(Sha1::new);
        let mut advanced = Ok(());
        read_range(&self.source, offset_bytes, size_bytes, |piece| {
            blake3.update_rayon(piece);
            if let Some(sha1) = &mut sha1 {
                sha1.update(piece);
            }
            let advance = context.advance(piece.len() as u64);
            advanced = std::mem::replace(&mut advanced, Ok(())).and(advance);
        })?;
        advanced?;
        let digest = Digest::from_bytes(*blake3.finalize().as_bytes());
        let part = Part { digest, offset_bytes, size_bytes };
        Ok(Hashed { part, sha1: sha1.map(|sha1| sha1.finalize().into()) })
    }

    /// A file that is not one run, stored by itself.
    fn copied(
        &self,
        file: &Entry,
        context: &BuildContext<'_>,
        batch: &mut dyn Batch,
    ) -> Result<Content, Failure> {
        let mut reader = FileReader::new(&self.source, file);
        Ok(batch.put_blob(&mut reader, &mut |piece| context.observe(piece))?)
    }
}

/// Whether files have so many more bytes than their disc that they can only lie in each other, or be
/// holes.
fn refuse_overlap(sizes: impl Iterator<Item = u64>, disc_bytes: u64) -> Result<(), Failure> {
    let sum_bytes = sizes.fold(0, u64::saturating_add);
    if sum_bytes <= disc_bytes.saturating_mul(OVERLAP_FACTOR_MAX) {
        return Ok(());
    }
    let message =
        format!("its files overlap: they have {sum_bytes} bytes, and it has {disc_bytes}");
    Err(Failure::build(message).help("get an undamaged copy of the ISO"))
}

/// Where a file's bytes are, if they are one run.
fn run(file: &Entry) -> Option<Run> {
    let (first, rest) = file.extents.split_first()?;
    let start = first.offset_bytes?;
    let mut end = start + first.size_bytes;
    for extent in rest {
        if extent.offset_bytes != Some(end) {
            return None;
        }
        end += extent.size_bytes;
    }
    Some((start, end - start))
}

/// All entries of a disc's best tree: UDF, Joliet, Rock Ridge, ISO 9660, as Windows chooses.
pub(crate) fn entries<S: Source + ?Sized>(source: &S) -> Result<Vec<Entry>, Failure> {
    let disc = Disc::open(source)?;
    let view = disc.views().first().copied();
    let view = view.ok_or_else(|| Failure::build("it has no file system"))?;
    Ok(disc.walk(source, view)?)
}

/// The file or folder that a path names, as Windows finds it. An error that says which one may be
/// meant.
pub(crate) fn find<'a>(entries: &'a [Entry], path: &str) -> Result<&'a Entry, Failure> {
    volume::find(entries, path).ok_or_else(|| {
        let failure = Failure::build(format!("it has no `{path}`"));
        match nearest(entries, &path.to_lowercase()) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure.help("list it: mediabuild inspect ls FILE.iso"),
        }
    })
}

/// What was most likely meant: a path that is spelt alike, or the same name elsewhere.
fn nearest<'a>(entries: &'a [Entry], wanted: &str) -> Option<&'a str> {
    let score = |entry: &Entry| strsim::jaro_winkler(&entry.path.to_lowercase(), wanted);
    let best = entries.iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    if score(best) > 0.85 {
        return Some(&best.path);
    }
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let same = entries.iter().find(|entry| name(&entry.path) == name(wanted));
    same.map(|entry| entry.path.as_str())
}
