//! A WIM in the store: its images, and its resources as contents of their own.
//!
//! A WIM is an imported file (its resources are registered parts) or a recipe of ours (its
//! resources are extents). Either way a resource is a content with a digest, which another WIM
//! names instead of copying.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use mediabuild_formats::source::Source;
use mediabuild_formats::wim::{
    BlobEntry, HEADER_BYTES, Image, Joined, Resource, Sha1, Wim, resource_flag,
};
use mediabuild_store::{Batch, Content, Digest, Output, Part, RandomReader, Recipe};
use serde::Serialize;

use super::BuildContext;
use super::sha1::SHA1_MEMO;
use super::solid_stream::{SolidStream, solid_place};
use crate::cancel;
use crate::failure::Failure;

/// Which image of a WIM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ImageChoice {
    /// The only one.
    Only,
    /// By position, 1-based.
    Index(u32),
    /// By NAME.
    Name(String),
    /// By EDITIONID or FLAGS.
    Edition(String),
}

/// A content of the store, read as a format's source.
pub(crate) struct ContentSource(pub(crate) RandomReader);

impl Source for ContentSource {
    fn size_bytes(&self) -> u64 {
        self.0.size_bytes()
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        // A large resource is read for seconds, and Ctrl-C must not wait for it.
        if cancel::is_cancelled() {
            return Err(io::Error::other("stopped"));
        }
        self.0.read_exact_at(offset_bytes, buffer)
    }
}

/// An opened WIM of the store.
pub(crate) struct WimContent {
    pub(crate) wim: Wim,
    /// What the file is called, or the folder of a split set's parts.
    pub(crate) digest: Digest,
    source: WimSource,
    resources: Resources,
}

/// The files of a WIM, one behind the other, so that a resource has one offset.
pub(crate) type WimSource = Joined<ContentSource>;

/// The files of a WIM, opened: one, or the parts of a set.
pub(crate) struct WimFiles {
    pub(crate) wim: Wim,
    pub(crate) source: WimSource,
    /// What no part of the store covers; see [`structure_digest`].
    pub(crate) structure: Digest,
}

impl WimFiles {
    pub(crate) fn open(context: &BuildContext<'_>, files: &[Content]) -> Result<Self, Failure> {
        let (mut sources, mut structures) = (Vec::new(), Vec::new());
        for file in files {
            let source = ContentSource(context.store.open_at(&file.digest)?);
            structures.push(structure_digest(&Wim::open(&source)?, &source)?);
            sources.push(source);
        }
        let source = Joined::new(sources);
        let wim = match files {
            [_] => Wim::open(&source)?,
            _ => Wim::open_joined(&source, files.len()).map_err(|error| error.error)?,
        };
        check_usable(&wim, files.len())?;
        let structure = match structures[..] {
            [one] => one,
            _ => structure_of_set(&structures),
        };
        Ok(WimFiles { wim, source, structure })
    }
}

fn structure_of_set(structures: &[Digest]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("mediabuild 2026-11 split WIM structure");
    for structure in structures {
        hasher.update(structure.as_bytes());
    }
    Digest::from_bytes(*hasher.finalize().as_bytes())
}

/// Where the stored form of a resource has a name.
enum Resources {
    /// In a recipe of ours.
    Recipe(Recipe),
    /// Among the registered parts of an imported file, by offset.
    Parts(Vec<Part>),
}

impl WimContent {
    /// Opens an output that is a WIM: a file, or a folder of the parts of a set.
    pub(crate) fn open(context: &BuildContext<'_>, output: &Output) -> Result<Self, Failure> {
        let (digest, files) = match output {
            Output::Content(content) => (content.digest, vec![*content]),
            Output::Directory(digest) => {
                let files = mediabuild_store::walk(context.store, digest)?;
                (*digest, files.into_iter().map(|(_, content)| content).collect())
            }
        };
        let WimFiles { wim, source, structure } = WimFiles::open(context, &files)?;
        let recipe = match &files[..] {
            [file] => context.store.recipe(&file.digest)?,
            _ => None,
        };
        let resources = match recipe {
            // Whatever is not a content in it is literal, and was verified with the recipe.
            Some(recipe) => Resources::Recipe(recipe),
            None => {
                check_structure(context, &digest, structure)?;
                Resources::Parts(parts_of(context, &files)?)
            }
        };
        Ok(WimContent { wim, digest, source, resources })
    }

    /// The 1-based index of the image that is meant.
    pub(crate) fn index(&self, choice: &ImageChoice) -> Result<usize, Failure> {
        choose(&self.wim, choice)
    }

    pub(crate) fn image(&self, index: usize) -> Result<Image, Failure> {
        Ok(self.wim.image(&self.source, index)?)
    }

    /// The stored form of a blob, to be named by another WIM of the same codec and chunk size. A blob
    /// in a solid resource has none of its own.
    pub(crate) fn resource(&self, sha1: &Sha1) -> Result<Option<Resource<Content>>, Failure> {
        let entry = self.wim.blob(sha1).filter(|entry| !entry.is_solid());
        let Some(entry) = entry else { return Ok(None) };
        let content = self.stored(entry)?;
        let size_bytes = entry.size_bytes();
        Ok(Some(if is_compressed(entry) {
            Resource::Stored { content, stored_bytes: content.size_bytes, size_bytes }
        } else {
            Resource::Raw { content, size_bytes }
        }))
    }

    /// The stored bytes of a blob's resource, compressed or not.
    fn stored(&self, entry: &BlobEntry) -> Result<Content, Failure> {
        let (offset, size) = (entry.resource.offset_bytes, entry.resource.stored_bytes);
        let found = match &self.resources {
            Resources::Recipe(recipe) => recipe.content_at(offset, size),
            Resources::Parts(parts) => parts
                .binary_search_by_key(&offset, |part| part.offset_bytes)
                .ok()
                .map(|at| parts[at].content())
                .filter(|content| content.size_bytes == size),
        };
        found.ok_or_else(|| {
            Failure::build(format!(
                "the resource of blob {} is not a content of its own",
                entry.sha1
            ))
        })
    }

    /// A blob's content as a content of the store: itself if it is stored raw, else decoded.
    pub(crate) fn decoded(
        &self,
        sha1: &Sha1,
        context: &BuildContext<'_>,
        batch: &mut dyn Batch,
    ) -> Result<Content, Failure> {
        if sha1.is_empty_stream() {
            return Ok(batch.put_bytes(&[])?);
        }
        let entry = self.entry(sha1)?;
        if !is_decoded(entry) {
            return self.stored(entry);
        }
        put_decoded(&mut self.reader(entry)?, sha1, context, batch)
    }

    /// A small blob's bytes; an error if it is larger than `limit_bytes`.
    pub(crate) fn read(&self, sha1: &Sha1, limit_bytes: u64) -> Result<Vec<u8>, Failure> {
        if sha1.is_empty_stream() {
            return Ok(Vec::new());
        }
        let entry = self.entry(sha1)?;
        let mut bytes = Vec::new();
        let read = self.reader(entry)?.take(limit_bytes + 1).read_to_end(&mut bytes);
        read.map_err(|error| Failure::build(format!("cannot read blob {sha1}: {error}")))?;
        if bytes.len() as u64 > limit_bytes {
            return Err(Failure::build(format!("blob {sha1} is larger than {limit_bytes} bytes")));
        }
        Ok(bytes)
    }

    /// BLAKE3 of a blob's content.
    pub(crate) fn digest(&self, sha1: &Sha1) -> Result<Digest, Failure> {
        let entry = self.entry(sha1)?;
        if !is_decoded(entry) {
            return Ok(self.stored(entry)?.digest);
        }
        let mut hasher = blake3::Hasher::new();
        let mut reader = self.reader(entry)?;
        io::copy(&mut reader, &mut hasher)
            .map_err(|error| Failure::build(format!("cannot read blob {sha1}: {error}")))?;
        Ok(Digest::from_bytes(*hasher.finalize().as_bytes()))
    }

    /// [`WimContent::decoded`] for each of `sha1s`: blobs in solid resources in their order there, so
    /// that each chunk is decoded once.
    pub(crate) fn decoded_all(
        &self,
        sha1s: impl IntoIterator<Item = Sha1>,
        context: &BuildContext<'_>,
        batch: &mut dyn Batch,
    ) -> Result<BTreeMap<Sha1, Content>, Failure> {
        let (mut contents, mut solid) = (BTreeMap::new(), Vec::new());
        for sha1 in sha1s.into_iter().collect::<BTreeSet<_>>() {
            match self.wim.blob(&sha1).filter(|entry| entry.is_solid()) {
                Some(entry) => solid.push((solid_place(&self.wim, entry)?, entry)),
                None => drop(contents.insert(sha1, self.decoded(&sha1, context, batch)?)),
            }
        }
        solid.sort_unstable_by_key(|(place, _)| *place);
        let mut stream = SolidStream::default();
        for (_, entry) in solid {
            let mut blob = stream.blob(self, entry)?.take(entry.size_bytes());
            contents.insert(entry.sha1, put_decoded(&mut blob, &entry.sha1, context, batch)?);
        }
        Ok(contents)
    }

    /// Reads on from a solid blob to the end of its run.
    pub(super) fn run_reader(&self, entry: &BlobEntry) -> Result<impl Read + Send + '_, Failure> {
        Ok(self.wim.run_reader(&self.source, entry)?)
    }

    fn entry(&self, sha1: &Sha1) -> Result<&BlobEntry, Failure> {
        self.wim.blob(sha1).ok_or_else(|| {
            Failure::build(format!("the WIM lacks blob {sha1}, which an image names"))
        })
    }

    /// The bytes of a blob, not verified.
    pub(super) fn reader(&self, entry: &BlobEntry) -> Result<impl Read + Send + '_, Failure> {
        Ok(self.wim.blob_reader(&self.source, entry)?)
    }
}

/// Stores the bytes of a blob, whose SHA-1 need not be computed any more.
fn put_decoded(
    blob: &mut dyn Read,
    sha1: &Sha1,
    context: &BuildContext<'_>,
    batch: &mut dyn Batch,
) -> Result<Content, Failure> {
    let content = batch.put_blob(blob, &mut |piece| context.observe(piece))?;
    batch.put_memo(SHA1_MEMO, &content.digest, &sha1.0)?;
    Ok(content)
}

/// The memo table of imported WIMs: those whose hashes were checked and whose parts are registered,
/// with the digest of their structure.
pub(crate) const CHECKED_MEMO: &str = "wim-checked";

/// What no part covers is compared with what it was when it entered: random access to the store is
/// not verified, and a header, a table or XML has no hash of its own.
fn check_structure(
    context: &BuildContext<'_>,
    digest: &Digest,
    structure: Digest,
) -> Result<(), Failure> {
    let known = context.store.memo(CHECKED_MEMO, digest)?;
    if known.as_deref() == Some(structure.as_bytes()) {
        return Ok(());
    }
    let name = digest.short();
    Err(Failure::build(format!("`{name}` in the store is not what was imported"))
        .help("mediabuild store verify"))
}

/// The registered parts of files that lie one behind the other, by offset.
fn parts_of(context: &BuildContext<'_>, files: &[Content]) -> Result<Vec<Part>, Failure> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for file in files {
        let moved = |part: Part| Part { offset_bytes: start + part.offset_bytes, ..part };
        parts.extend(context.store.parts(&file.digest)?.into_iter().map(moved));
        start += file.size_bytes;
    }
    Ok(parts)
}

/// BLAKE3 of a WIM's header, blob table, XML and metadata resources.
fn structure_digest(wim: &Wim, source: &ContentSource) -> Result<Digest, Failure> {
    let mut hasher = blake3::Hasher::new_derive_key("mediabuild 2026-11 WIM structure");
    let tables = [&wim.header.blob_table, &wim.header.xml];
    let metadata = wim.images.iter().map(|entry| &entry.resource);
    read_range(source, 0, HEADER_BYTES as u64, |piece| {
        hasher.update(piece);
    })?;
    for resource in tables.into_iter().chain(metadata) {
        read_range(source, resource.offset_bytes, resource.stored_bytes, |piece| {
            hasher.update(piece);
        })?;
    }
    Ok(Digest::from_bytes(*hasher.finalize().as_bytes()))
}

/// Whether a blob's bytes are in the file in another form only.
fn is_decoded(entry: &BlobEntry) -> bool {
    entry.is_solid() || is_compressed(entry)
}

pub(crate) fn is_compressed(entry: &BlobEntry) -> bool {
    entry.resource.has(resource_flag::COMPRESSED)
}

/// The 1-based index of the image that is meant; an error that lists what there is.
pub(crate) fn choose(wim: &Wim, choice: &ImageChoice) -> Result<usize, Failure> {
    let count = wim.images.len();
    let names: Vec<(String, Vec<String>)> =
        (1..=count).map(|index| image_names(wim, index)).collect();
    let matching = |wanted: &str, by_edition: bool| -> Vec<usize> {
        let matches = |(name, editions): &(String, Vec<String>)| {
            if by_edition {
                editions.iter().any(|edition| edition.eq_ignore_ascii_case(wanted))
            } else {
                name.eq_ignore_ascii_case(wanted)
            }
        };
        (1..=count).filter(|index| matches(&names[index - 1])).collect()
    };
    let found = match choice {
        ImageChoice::Only => (1..=count).collect(),
        ImageChoice::Index(index) => (1..=count).filter(|i| *i == *index as usize).collect(),
        ImageChoice::Name(name) => matching(name, false),
        ImageChoice::Edition(edition) => matching(edition, true),
    };
    match found.as_slice() {
        [index] => Ok(*index),
        found => Err(no_such_image(choice, found.len(), &names)),
    }
}

/// NAME, and what the edition is called (EDITIONID, FLAGS).
fn image_names(wim: &Wim, index: usize) -> (String, Vec<String>) {
    let Some(image) = wim.xml.image(index) else { return (String::new(), Vec::new()) };
    let text = |path| image.text(path);
    let editions = [text("WINDOWS/EDITIONID"), text("FLAGS")].into_iter().flatten().collect();
    (text("NAME").unwrap_or_default(), editions)
}

fn no_such_image(choice: &ImageChoice, found: usize, names: &[(String, Vec<String>)]) -> Failure {
    let message = match choice {
        ImageChoice::Only => format!("it holds {} images, and none was named", names.len()),
        ImageChoice::Index(index) => format!("it has no image {index}"),
        ImageChoice::Name(name) => format!("{} of its images are named `{name}`", none_or(found)),
        ImageChoice::Edition(edition) => {
            format!("{} of its images are of edition `{edition}`", none_or(found))
        }
    };
    let list: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(at, (name, editions))| match editions.first() {
            Some(edition) => format!("index={} ({name}, {edition})", at + 1),
            None => format!("index={} ({name})", at + 1),
        })
        .collect();
    Failure::build(message).help(format!("it has {}", list.join(", ")))
}

fn none_or(found: usize) -> String {
    if found == 0 { "none".into() } else { found.to_string() }
}

/// What a WIM must be to become part of an output: whole.
pub(crate) fn check_usable(wim: &Wim, file_count: usize) -> Result<(), Failure> {
    let (number, count) = (wim.header.part_number, wim.header.part_count);
    if usize::from(count) == file_count {
        return Ok(());
    }
    Err(Failure::build(format!("it is part {number} of {count} of a split set"))
        .help("put the other parts beside it"))
}

/// Reads a range of a source piece by piece.
pub(crate) fn read_range<S: Source>(
    source: &S,
    offset_bytes: u64,
    size_bytes: u64,
    mut piece: impl FnMut(&[u8]),
) -> Result<(), Failure> {
    const PIECE_BYTES: u64 = 1 << 20;
    let mut buffer = vec![0; size_bytes.min(PIECE_BYTES) as usize];
    let mut done = 0;
    while done < size_bytes {
        let count = (size_bytes - done).min(PIECE_BYTES) as usize;
        source.read_exact_at(offset_bytes + done, &mut buffer[..count]).map_err(|error| {
            Failure::build(format!("cannot read at {}: {error}", offset_bytes + done))
        })?;
        piece(&buffer[..count]);
        done += count as u64;
    }
    Ok(())
}
