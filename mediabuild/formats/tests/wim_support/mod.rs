//! What the WIM tests share: samples, peers, folders that clean up, layouts made into bytes.

#![allow(dead_code)] // each test binary uses a part of it

pub(crate) mod exercise;
pub(crate) mod trees;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use mediabuild_formats::codec::{Codec, Encoder, Level};
use mediabuild_formats::layout::{Extent, Layout};
use mediabuild_formats::source::Source;
use mediabuild_formats::wim::{
    BlobEntry, Element, INTEGRITY_PIECE_BYTES, Image, Options, OutputImage, Piece, Placed,
    Resource, Sha1, Unit, Wim, Written, integrity_table, resource_flag, write,
};

/// The content a test writer names: the bytes themselves.
pub(crate) type Bytes = Rc<Vec<u8>>;

/// Sample files of other writers, kept outside the repository.
pub(crate) fn samples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/wim");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no ../shared");
    None
}

/// Whether a peer program is there; panics without it if the environment demands all of them.
pub(crate) fn has_tool(name: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    if !found {
        let required = std::env::var_os("MEDIABUILD_REQUIRE_TOOLS").is_some_and(|v| v == "1");
        assert!(!required, "`{name}` is missing");
        println!("skipped: no {name}");
    }
    found
}

/// Runs a program; panics with its output if it fails.
pub(crate) fn run<A: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = A>,
) -> String {
    let output = Command::new(program)
        .args(arguments)
        .env("TZ", "UTC")
        .output()
        .unwrap_or_else(|error| panic!("`{program}`: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "`{program}` failed:\n{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// A folder that goes when the test ends.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    /// One per test.
    pub(crate) fn new(test: &str) -> TempDir {
        let name = format!("mediabuild-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("temporary folder");
        TempDir(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The bytes a layout stands for.
pub(crate) fn materialise(layout: &Layout<Bytes>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for extent in &layout.extents {
        match extent {
            Extent::Literal(literal) => bytes.extend_from_slice(literal),
            Extent::Zeros(count) => bytes.resize(bytes.len() + *count as usize, 0),
            Extent::Content { content, size_bytes } => {
                assert_eq!(content.len() as u64, *size_bytes);
                bytes.extend_from_slice(content);
            }
        }
    }
    bytes
}

/// Everything a WIM's images refer to.
pub(crate) struct Opened {
    pub(crate) wim: Wim,
    pub(crate) images: Vec<Image>,
    pub(crate) bytes: Vec<u8>,
}

/// Opens a WIM and parses all its images.
pub(crate) fn open(bytes: Vec<u8>) -> Opened {
    let wim = Wim::open(&bytes).expect("a WIM");
    wim.check_layout().expect("no overlaps");
    wim.distinct_resources().expect("one hash for each resource");
    let images =
        (1..=wim.images.len()).map(|index| wim.image(&bytes, index).expect("an image")).collect();
    Opened { wim, images, bytes }
}

/// The contents of blobs, or why there are none, read in file order; pieces of each are in order
/// and complete.
pub(crate) fn read_by_units<S: Source>(
    wim: &Wim,
    source: &S,
    entries: &[&BlobEntry],
) -> Vec<Result<Vec<u8>, String>> {
    let mut contents: Vec<Result<Vec<u8>, String>> = vec![Ok(Vec::new()); entries.len()];
    let (mut ends, mut ended) = (vec![0; entries.len()], vec![0; entries.len()]);
    let (mut units, mut unit) = (wim.units(source, entries), Unit::default());
    while units.next_into(&mut unit) {
        unit.decode(|Piece { blob, offset_bytes, size_bytes, is_last, bytes }| {
            assert_eq!((ends[blob], ended[blob]), (offset_bytes, 0), "pieces come in order");
            ends[blob] += size_bytes;
            ended[blob] += usize::from(is_last);
            match (bytes, &mut contents[blob]) {
                (Ok(bytes), Ok(content)) => content.extend_from_slice(bytes),
                (Err(error), Ok(_)) => contents[blob] = Err(error.to_string()),
                (_, Err(_)) => {}
            }
        });
    }
    assert!(ended.iter().all(|&count| count == 1), "every blob ends once");
    contents
}

impl Opened {
    /// A blob's uncompressed bytes, checked.
    pub(crate) fn content(&self, sha1: &Sha1) -> Vec<u8> {
        if sha1.is_empty_stream() {
            return Vec::new();
        }
        let entry = self.wim.blob(sha1).expect("a known blob");
        let mut reader = self.wim.blob_reader(&self.bytes, entry).expect("a readable blob");
        let bytes = reader.read_to_vec(u64::MAX).expect("a valid blob");
        assert_eq!(Sha1::of(&bytes), *sha1);
        bytes
    }

    /// Reads all blobs and metadata resources in file order, in units, and checks their hashes;
    /// gives how many there were.
    pub(crate) fn check_by_units(&self) -> usize {
        let entries: Vec<&BlobEntry> = self.wim.blobs.iter().chain(&self.wim.images).collect();
        for (entry, content) in entries.iter().zip(read_by_units(&self.wim, &self.bytes, &entries))
        {
            assert_eq!(Sha1::of(&content.expect("a valid blob")), entry.sha1);
        }
        entries.len()
    }

    /// Its stored form, to be put into a WIM of the same codec.
    pub(crate) fn stored(&self, entry: &BlobEntry) -> Resource<Bytes> {
        let start = entry.resource.offset_bytes as usize;
        let stored_bytes = entry.resource.stored_bytes;
        let content = Rc::new(self.bytes[start..start + stored_bytes as usize].to_vec());
        let size_bytes = entry.resource.size_bytes;
        match entry.resource.has(resource_flag::COMPRESSED) {
            true => Resource::Stored { content, stored_bytes, size_bytes },
            false => Resource::Raw { content, size_bytes },
        }
    }

    /// Writes it anew, with its stored resources as they are.
    pub(crate) fn rewrite(&self) -> (Vec<u8>, Written) {
        let options = Options {
            compression: self.wim.header.compression(),
            chunk_bytes: self.wim.header.chunk_bytes,
            boot_index: self.wim.header.boot_index,
            rp_fix: true,
            ..Options::default()
        };
        write_all(&self.outputs(), &options, |sha1| {
            self.wim.blob(sha1).map(|entry| self.stored(entry))
        })
    }

    /// The same contents, uncompressed.
    pub(crate) fn rewrite_raw(&self) -> (Vec<u8>, Written) {
        write_all(&self.outputs(), &plain_options(), |sha1| {
            self.wim.blob(sha1)?;
            let content = Rc::new(self.content(sha1));
            let size_bytes = content.len() as u64;
            Some(Resource::Raw { content, size_bytes })
        })
    }

    fn outputs(&self) -> Vec<OutputImage<'_>> {
        let element = |index| self.wim.xml.image(index).cloned().unwrap_or_default();
        (1..)
            .zip(&self.images)
            .map(|(index, image)| OutputImage { image, xml: element(index) })
            .collect()
    }
}

/// Uncompressed, no boot image.
pub(crate) fn plain_options() -> Options {
    Options::default()
}

/// Writes to bytes.
pub(crate) fn write_all(
    images: &[OutputImage<'_>],
    options: &Options,
    mut resolve: impl FnMut(&Sha1) -> Option<Resource<Bytes>>,
) -> (Vec<u8>, Written) {
    let mut layout = Layout::default();
    let written = write(images, options, &mut resolve, &mut layout).expect("a valid output");
    assert_eq!(written.size_bytes, layout.size_bytes);
    (materialise(&layout), written)
}

/// Encodes a chunk of at most 32 KiB.
pub(crate) fn encode_xpress(plain: &[u8], out: &mut Vec<u8>) -> bool {
    let encoder = Encoder::new(Codec::Xpress, 1 << 15, Level::Fast);
    encoder.expect("an encoder").encode(plain, out)
}

/// Options of an XPRESS output.
pub(crate) fn xpress_options() -> Options {
    let compression = mediabuild_formats::wim::Compression::Xpress;
    Options { compression, chunk_bytes: 1 << 15, ..Options::default() }
}

/// A file with its integrity table, if it is to have one.
pub(crate) fn emit(placed: &Placed<Bytes>) -> Vec<u8> {
    let mut layout = Layout::default();
    placed.emit(&mut layout);
    let mut bytes = materialise(&layout);
    if let Some(covered) = placed.covered() {
        let covered = &bytes[covered.start as usize..covered.end as usize];
        let pieces = covered.chunks(INTEGRITY_PIECE_BYTES as usize).map(Sha1::of);
        bytes.extend(integrity_table(&pieces.collect::<Vec<_>>()));
    }
    assert_eq!(placed.written().size_bytes, bytes.len() as u64);
    bytes
}

/// An image of raw contents as a WIM.
pub(crate) fn write_raw(images: &[&Image], contents: &BTreeMap<Sha1, Bytes>) -> Vec<u8> {
    let outputs: Vec<OutputImage<'_>> =
        images.iter().map(|image| OutputImage { image, xml: Element::new("IMAGE") }).collect();
    let resolve = |sha1: &Sha1| {
        let content = contents.get(sha1)?.clone();
        let size_bytes = content.len() as u64;
        Some(Resource::Raw { content, size_bytes })
    };
    write_all(&outputs, &plain_options(), resolve).0
}
