//! `import` of a WIM: its file → a blob whose resources are registered as parts.
//!
//! Every hash in it is checked once, in parallel, when it enters; the result is remembered by
//! digest. A part is named by the BLAKE3 of its stored bytes, so that it can be fetched, verified
//! and shared alone.

use std::path::PathBuf;
use std::sync::Arc;

use mediabuild_formats::wim::{BlobEntry, Sha1, Wim};
use mediabuild_store::{Content, Digest, Output, Part};
use rayon::prelude::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1 as Sha1Hasher};

use super::import::{FileImport, IMPORT, key, recall_file};
use super::import_recall::StatCaches;
use super::sha1::Sha1Wanted;
use super::wim_content::{CHECKED_MEMO, WimFiles, WimSource, is_compressed, read_range};
use super::{BuildContext, Builder, BuilderVersion};
use crate::cancel;
use crate::decode::{OnDamage, decode};
use crate::derivation::Inputs;
use crate::failure::{Failure, FailureKind};
use crate::listing::Listing;

/// Reads a WIM.
pub(crate) struct ImportWim {
    /// Where it is on this machine.
    pub(crate) path: PathBuf,
    /// How the project names it.
    pub(crate) project_path: String,
    /// How many bytes it has, for progress. Each is read twice: stored, then checked.
    pub(crate) total_bytes: Option<u64>,
    /// What the probe found there.
    pub(crate) listing: Option<Arc<Listing>>,
}

impl Builder for ImportWim {
    fn builder(&self) -> BuilderVersion {
        IMPORT
    }

    fn options(&self) -> Value {
        json!({ "wim": self.project_path })
    }

    fn is_import(&self) -> bool {
        true
    }

    fn reads(&self) -> Option<&str> {
        Some(&self.project_path)
    }

    fn total_bytes(&self) -> Option<u64> {
        self.total_bytes.map(|bytes| bytes * 2)
    }

    fn stat_cache_key(&self) -> Option<Digest> {
        key(KIND, &self.path).digest()
    }

    fn recall(&self, caches: &StatCaches) -> Option<Output> {
        recall_file(KIND, &self.path, self.listing.as_deref()?, caches)
    }

    fn stored_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    fn build(&self, _: &Inputs, context: &BuildContext<'_>) -> Result<Output, Failure> {
        let mut import = FileImport::begin(KIND, &self.path, context)?;
        let mut batch = context.store.batch()?;
        // A base WIM is not itself put into a WIM.
        let content = import.content(Sha1Wanted::No, context, batch.as_mut())?;
        batch.commit()?;
        let output = Output::Content(content);
        check(&output, context).map_err(say_what_to_do)?;
        let mut batch = context.store.batch()?;
        import.finish(content, batch.as_mut())?;
        batch.commit()?;
        Ok(output)
    }
}

/// A file that is remembered under this passed today's checks; another kind of check is another
/// kind.
const KIND: &str = "wim checked 1";

/// Whatever is wrong in a file that was supplied, there is one remedy.
pub(super) fn say_what_to_do(failure: Failure) -> Failure {
    if failure.kind != FailureKind::Build || failure.help.is_some() {
        return failure;
    }
    failure.help("get an undamaged copy of the file")
}

/// Checks every hash and registers the parts, unless that was done before.
pub(super) fn check(output: &Output, context: &BuildContext<'_>) -> Result<(), Failure> {
    match output {
        Output::Content(content) => check_files(&content.digest, &[*content], context),
        Output::Directory(digest) => {
            let files = mediabuild_store::walk(context.store, digest)?;
            let files: Vec<Content> = files.into_iter().map(|(_, content)| content).collect();
            check_files(digest, &files, context)
        }
    }
}

/// [`check`] of the files that `digest` names: a WIM, or the parts of a set.
fn check_files(
    digest: &Digest,
    files: &[Content],
    context: &BuildContext<'_>,
) -> Result<(), Failure> {
    let known = context.store.memo(CHECKED_MEMO, digest)?.is_some();
    if known && files.iter().all(|file| context.store.parts(&file.digest).is_ok()) {
        return Ok(());
    }
    let WimFiles { wim, source, structure } = WimFiles::open(context, files)?;
    let parts = parts(&wim, &source, context)?;
    check_solid(&wim, &source)?;
    check_images(&wim, &source)?;
    let mut batch = context.store.batch()?;
    for (at, file) in files.iter().enumerate() {
        let own = parts.iter().filter_map(|part| {
            let (of, offset_bytes) = wim.file_at(part.offset_bytes);
            (of == at).then_some(Part { offset_bytes, ..*part })
        });
        batch.put_parts(&file.digest, &own.collect::<Vec<_>>())?;
    }
    batch.put_memo(CHECKED_MEMO, digest, structure.as_bytes())?;
    batch.commit()?;
    Ok(())
}

/// What a forger hashed rightly must still be a tree; here the file that it came from has a name.
/// Images that share one resource are looked at once.
fn check_images(wim: &Wim, source: &WimSource) -> Result<(), Failure> {
    let mut images: Vec<(u64, usize)> =
        wim.images.iter().map(|entry| entry.resource.offset_bytes).zip(1..).collect();
    images.sort_unstable();
    images.dedup_by_key(|(offset_bytes, _)| *offset_bytes);
    images.into_par_iter().try_for_each(|(_, index)| {
        cancel::check()?;
        let image = wim.image(source, index);
        image.map(drop).map_err(|error| Failure::build(format!("image {index}: {error}")))
    })
}

/// The blobs in solid resources, decoded and hashed by all cores, each chunk once. The first damaged
/// blob ends the import.
fn check_solid(wim: &Wim, source: &WimSource) -> Result<(), Failure> {
    let blobs = wim.distinct_solid_blobs()?;
    if blobs.is_empty() {
        return Ok(());
    }
    let offset_bytes = wim.solid.first().map_or(0, |entry| entry.resource.offset_bytes);
    let fail = OnDamage(|blob: usize, damage: String| {
        let name = blobs[blob].sha1;
        Err(Failure::build(format!(
            "blob {name} in the solid resource at offset {offset_bytes} is damaged: {damage}"
        )))
    });
    decode(wim, source, &blobs, &fail, |_| ())
}

/// All resources as parts by offset, hashed on the way. Resources that overlap are refused before
/// the first is hashed: else a small file could ask for endless work.
fn parts(wim: &Wim, source: &WimSource, context: &BuildContext<'_>) -> Result<Vec<Part>, Failure> {
    wim.check_layout()?;
    let resources = wim.distinct_resources()?;
    let parts: Vec<_> =
        resources.par_iter().map(|entry| part(wim, source, entry, context)).collect();
    let mut parts = parts.into_iter().collect::<Result<Vec<Part>, Failure>>()?;
    for entry in &wim.solid {
        parts.push(solid_part(source, entry, context)?);
    }
    Ok(parts)
}

fn part(
    wim: &Wim,
    source: &WimSource,
    entry: &BlobEntry,
    context: &BuildContext<'_>,
) -> Result<Part, Failure> {
    let (offset_bytes, size_bytes) = (entry.resource.offset_bytes, entry.resource.stored_bytes);
    context.advance(size_bytes)?;
    let mut blake3 = blake3::Hasher::new();
    if is_compressed(entry) {
        wim.check(source, entry)?;
        read_range(source, offset_bytes, size_bytes, |piece| {
            blake3.update(piece);
        })?;
    } else {
        let mut sha1 = Sha1Hasher::new();
        read_range(source, offset_bytes, size_bytes, |piece| {
            blake3.update(piece);
            sha1.update(piece);
        })?;
        compare(entry, Sha1(sha1.finalize().into()))?;
    }
    let digest = Digest::from_bytes(*blake3.finalize().as_bytes());
    Ok(Part { digest, offset_bytes, size_bytes })
}

/// A solid resource is a part too: a WIM of ours can name it.
fn solid_part(
    source: &WimSource,
    entry: &BlobEntry,
    context: &BuildContext<'_>,
) -> Result<Part, Failure> {
    let (offset_bytes, size_bytes) = (entry.resource.offset_bytes, entry.resource.stored_bytes);
    let mut blake3 = blake3::Hasher::new();
    let mut advanced = Ok(());
    read_range(source, offset_bytes, size_bytes, |piece| {
        blake3.update_rayon(piece);
        let advance = context.advance(piece.len() as u64);
        advanced = std::mem::replace(&mut advanced, Ok(())).and(advance);
    })?;
    advanced?;
    let digest = Digest::from_bytes(*blake3.finalize().as_bytes());
    Ok(Part { digest, offset_bytes, size_bytes })
}

fn compare(entry: &BlobEntry, found: Sha1) -> Result<(), Failure> {
    if entry.sha1 == found {
        return Ok(());
    }
    Err(Failure::build(format!(
        "the resource at offset {} is damaged: SHA-1 {} expected, {found} found",
        entry.resource.offset_bytes, entry.sha1
    )))
}
