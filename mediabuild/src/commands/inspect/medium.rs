//! A WIM or an ISO on disk, or one inside the other, opened for looking.

use std::io;
use std::path::Path;

use mediabuild_formats::iso::{Disc, Entry, View};
use mediabuild_formats::source::Source;
use mediabuild_formats::wim::Wim;

use crate::failure::Failure;
use crate::probe::FileSource;

/// What a file turned out to be.
pub(crate) enum Medium {
    Wim(Wim),
    Disc(Disc),
}

/// A source that is a file, or a file inside a disc inside a file.
pub(crate) type AnySource = Box<dyn Source + Send + Sync>;

/// Opens one file: `a.iso//sources/boot.wim` is a file inside an ISO.
pub(crate) fn open(path: &Path) -> Result<(Medium, AnySource), Failure> {
    let source = open_source(path)?;
    recognise(&source, &path.to_string_lossy()).map(|medium| (medium, source))
}

/// A file, or a file inside an ISO.
pub(crate) fn open_source(path: &Path) -> Result<AnySource, Failure> {
    let text = path.to_string_lossy();
    let Some((outer, inner)) = text.split_once("//").filter(|_| !path.exists()) else {
        return Ok(Box::new(file_source(path)?));
    };
    let outer_source = file_source(Path::new(outer))?;
    let disc = Disc::open(&outer_source)
        .map_err(|error| Failure::build(format!("`{outer}` is no ISO: {error}")))?;
    let entry = find(&disc, &outer_source, inner)?;
    Ok(Box::new(InDisc { outer: outer_source, entry }))
}

pub(crate) fn file_source(path: &Path) -> Result<FileSource, Failure> {
    FileSource::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => {
            Failure::usage(format!("cannot open `{}`: {error}", path.display()))
        }
        _ => Failure::io("open", path, &error),
    })
}

/// WIMs begin with their name; anything else may be a disc.
pub(crate) fn recognise(source: &AnySource, name: &str) -> Result<Medium, Failure> {
    let mut magic = [0; 5];
    let begins_as_wim =
        source.read_exact_at(0, &mut magic).is_ok() && (&magic == b"MSWIM" || &magic == b"WLPWM");
    if begins_as_wim {
        return Wim::open(source)
            .map(Medium::Wim)
            .map_err(|error| Failure::build(format!("`{name}` is a damaged WIM: {error}")));
    }
    Disc::open(source)
        .map(Medium::Disc)
        .map_err(|error| Failure::build(format!("`{name}` is neither a WIM nor an ISO: {error}")))
}

/// A disc's best tree.
pub(crate) fn best_view(disc: &Disc) -> Result<View, Failure> {
    disc.views().first().copied().ok_or_else(|| Failure::build("the disc has no file system"))
}

/// All entries of a disc's best tree.
pub(crate) fn entries<S: Source + ?Sized>(disc: &Disc, source: &S) -> Result<Vec<Entry>, Failure> {
    Ok(disc.walk(source, best_view(disc)?)?)
}

/// A file or folder of a disc, ignoring case.
pub(crate) fn find<S: Source + ?Sized>(
    disc: &Disc,
    source: &S,
    path: &str,
) -> Result<Entry, Failure> {
    let wanted = path.trim_matches('/').to_lowercase();
    let mut entries = entries(disc, source)?.into_iter();
    entries.find(|entry| entry.path.to_lowercase() == wanted).ok_or_else(|| no_such(path))
}

pub(crate) fn no_such(path: &str) -> Failure {
    Failure::build(format!("there is no `{path}` in it"))
        .help("list it: mediabuild inspect ls FILE")
}

/// A file inside a disc.
pub(crate) struct InDisc<S> {
    pub(crate) outer: S,
    pub(crate) entry: Entry,
}

impl<S: Source> Source for InDisc<S> {
    fn size_bytes(&self) -> u64 {
        self.entry.size_bytes
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset_bytes.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.entry.size_bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut extent_start = 0;
        let mut done = 0;
        for extent in &self.entry.extents {
            let extent_end = extent_start + extent.size_bytes;
            let at = offset_bytes + done as u64;
            if done < buffer.len() && at < extent_end {
                let within = at - extent_start;
                let count = (extent_end - at).min((buffer.len() - done) as u64) as usize;
                let piece = &mut buffer[done..done + count];
                match extent.offset_bytes {
                    Some(offset) => self.outer.read_exact_at(offset + within, piece)?,
                    None => piece.fill(0),
                }
                done += count;
            }
            extent_start = extent_end;
        }
        if done == buffer.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}
