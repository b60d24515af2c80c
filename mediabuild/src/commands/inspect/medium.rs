//! A WIM, an ISO or a disk image, or one inside the other, opened for looking.

use std::io;
use std::path::{Path, PathBuf};

use mediabuild_formats::iso::{Disc, DiscFile, View};
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::{self, Entry, ReadError};
use mediabuild_formats::wim::Wim;

use super::disk::DiskImage;
use crate::cli::DiscView;
use crate::failure::Failure;
use crate::probe::FileSource;

/// What a file turned out to be.
pub(crate) enum Medium {
    Wim(Wim),
    Disc(Disc),
    Disk(DiskImage),
}

/// A source that is a file, or a file inside a disc inside a file.
pub(crate) type AnySource = Box<dyn Source + Send + Sync>;

/// Opens one file: `a.iso//sources/boot.wim` is a file inside an ISO.
pub(crate) fn open(path: &Path) -> Result<(Medium, AnySource), Failure> {
    let source = open_source(path)?;
    recognise(&source, &path.to_string_lossy()).map(|medium| (medium, source))
}

/// A file, or a file inside an ISO or a disk image.
pub(crate) fn open_source(path: &Path) -> Result<AnySource, Failure> {
    let text = path.to_string_lossy();
    let Some((outer, inner)) = text.split_once("//").filter(|_| !path.exists()) else {
        return Ok(Box::new(file_source(path)?));
    };
    let outer_source = file_source(Path::new(outer))?;
    let entries = match (Disc::open(&outer_source), DiskImage::open(&outer_source)) {
        (Ok(disc), _) => entries(&disc, &outer_source)?,
        (Err(_), Some(disk)) => disk.entries(&outer_source)?,
        (Err(error), None) => {
            return Err(no_medium(&outer_source, outer, "ISO or disk image", &error));
        }
    };
    let entry = find_in(&entries, inner)?;
    Ok(Box::new(DiscFile::new(outer_source, entry)))
}

pub(crate) fn file_source(path: &Path) -> Result<FileSource, Failure> {
    FileSource::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::IsADirectory => is_folder(path),
        io::ErrorKind::NotFound | io::ErrorKind::InvalidInput => {
            Failure::usage(format!("cannot open `{}`: {error}", path.display()))
        }
        _ => Failure::io("open", path, &error),
    })
}

/// Sets of discs and split WIMs are folders: their files can be looked at.
fn is_folder(path: &Path) -> Failure {
    let failure = Failure::usage(format!("cannot open `{}`: it is a folder", path.display()));
    let files = std::fs::read_dir(path).into_iter().flatten().flatten().map(|file| file.path());
    let is_medium = |file: &PathBuf| {
        let extension = file.extension().unwrap_or_default().to_ascii_lowercase();
        ["iso", "swm", "wim", "img"].iter().any(|it| extension == *it)
    };
    match files.filter(is_medium).min() {
        Some(file) => failure.help(format!("name a file in it: {}", file.display())),
        None => failure,
    }
}

/// A disk image with no fault in its partition table, or a volume without one; `None` for what is
/// something else. What is cut off or damaged starts no machine.
pub(crate) fn whole_disk(source: &AnySource, name: &str) -> Result<Option<DiskImage>, Failure> {
    let disk = DiskImage::open(source);
    // A volume begins with code where a table has its entries.
    let is_volume = disk.as_ref().is_some_and(|disk| disk.table.is_none());
    match DiskImage::damage(source).filter(|_| !is_volume && !begins_as_wim(source)) {
        Some(damage) => Err(damaged_disk(name, &damage)),
        None => Ok(disk),
    }
}

fn begins_as_wim<S: Source + ?Sized>(source: &S) -> bool {
    let mut magic = [0; 5];
    source.read_exact_at(0, &mut magic).is_ok() && (&magic == b"MSWIM" || &magic == b"WLPWM")
}

/// WIMs begin with their name; anything else may be a disc.
pub(crate) fn recognise(source: &AnySource, name: &str) -> Result<Medium, Failure> {
    if begins_as_wim(source) {
        return Wim::open(source)
            .map(Medium::Wim)
            .map_err(|error| Failure::build(format!("`{name}` is a damaged WIM: {error}")));
    }
    match (Disc::open(source), DiskImage::open(source)) {
        (Ok(disc), _) => Ok(Medium::Disc(disc)),
        (Err(_), Some(disk)) => Ok(Medium::Disk(disk)),
        (Err(error), None) => Err(no_medium(source, name, "WIM, ISO or disk image", &error)),
    }
}

/// A file that begins as a disk and ends too early is told from one that is something else.
fn no_medium<S: Source + ?Sized>(
    source: &S,
    name: &str,
    wanted: &str,
    no_disc: &ReadError,
) -> Failure {
    match DiskImage::damage(source) {
        Some(damage) => damaged_disk(name, &damage),
        None => Failure::build(format!("`{name}` is no {wanted}: {no_disc}")),
    }
}

fn damaged_disk(name: &str, damage: &str) -> Failure {
    Failure::build(format!("`{name}` is a damaged disk image: {damage}"))
        .help("was it copied or downloaded whole?")
}

/// Only discs have several trees to choose from.
pub(crate) fn refuse_view(medium: &Medium, view: Option<DiscView>) -> Result<(), Failure> {
    match medium {
        Medium::Wim(_) | Medium::Disk(_) if view.is_some() => {
            Err(Failure::usage("only an ISO has several trees: leave --view out"))
        }
        _ => Ok(()),
    }
}

/// Only WIMs have images to choose from.
pub(crate) fn refuse_image(medium: &Medium, is_named: bool) -> Result<(), Failure> {
    match medium {
        Medium::Disc(_) | Medium::Disk(_) if is_named => {
            Err(Failure::usage("a disc has no images: leave --image out"))
        }
        _ => Ok(()),
    }
}

/// The tree of a disc that is meant, else its best one.
fn view_of(disc: &Disc, wanted: Option<DiscView>) -> Result<View, Failure> {
    let views = disc.views();
    let Some(wanted) = wanted else {
        return views.first().copied().ok_or_else(|| Failure::build("the disc has no file system"));
    };
    let view = match wanted {
        DiscView::Udf => View::Udf,
        DiscView::Joliet => View::Joliet,
        DiscView::RockRidge => View::RockRidge,
        DiscView::Iso9660 => View::Iso9660,
    };
    if views.contains(&view) {
        return Ok(view);
    }
    let names: Vec<&str> = views.iter().map(|view| view.name()).collect();
    Err(Failure::usage(format!("this disc has no {} tree", view.name()))
        .help(format!("it has {}", names.join(", "))))
}

/// All entries of a disc's best tree.
pub(crate) fn entries<S: Source + ?Sized>(disc: &Disc, source: &S) -> Result<Vec<Entry>, Failure> {
    entries_in(disc, source, None)
}

/// All entries of the tree of a disc that is meant.
pub(crate) fn entries_in<S: Source + ?Sized>(
    disc: &Disc,
    source: &S,
    view: Option<DiscView>,
) -> Result<Vec<Entry>, Failure> {
    Ok(disc.walk(source, view_of(disc, view)?)?)
}

/// The file or folder that a path names, the exact name first.
pub(crate) fn find_in<'a>(entries: &'a [Entry], path: &str) -> Result<&'a Entry, Failure> {
    volume::find(entries, path).ok_or_else(|| no_such(path))
}

pub(crate) fn no_such(path: &str) -> Failure {
    Failure::build(format!("there is no `{path}` in it"))
        .help("list it: mediabuild inspect ls FILE")
}
