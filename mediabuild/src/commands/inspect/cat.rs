//! `inspect cat`: one file's bytes to stdout.

use std::io::{self, ErrorKind, Read, Write};

use mediabuild_formats::volume::{Entry, FileReader};
use mediabuild_formats::wim::Wim;

use super::image;
use super::medium::{AnySource, Medium, entries_in, find_in, no_such, refuse_image, refuse_view};
use super::whole::{Whole, open_to_look};
use crate::cli::InspectCat;
use crate::failure::Failure;

/// Copies the file to stdout.
pub(super) fn run(cat: &InspectCat) -> Result<(), Failure> {
    let Whole { medium, source, .. } = open_to_look(&cat.file, &cat.references)?;
    refuse_view(&medium, cat.view)?;
    refuse_image(&medium, cat.image.is_some())?;
    match &medium {
        Medium::Wim(wim) => wim_file(wim, &source, &cat.path, cat.image, &mut io::stdout().lock()),
        Medium::Disc(disc) => {
            listed_file(&entries_in(disc, &source, cat.view)?, &source, &cat.path)
        }
        Medium::Disk(disk) => listed_file(&disk.entries(&source)?, &source, &cat.path),
    }
}

/// Copies a file of a disc, or of a disk's volumes, to stdout.
fn listed_file(entries: &[Entry], source: &AnySource, path: &str) -> Result<(), Failure> {
    let entry = find_in(entries, path)?;
    refuse_folder(entry.is_directory, path)?;
    pour(&mut FileReader::new(source, entry), &mut io::stdout().lock())
}

/// Copies a file of an image to `to`.
pub(super) fn wim_file(
    wim: &Wim,
    source: &AnySource,
    path: &str,
    index: Option<u32>,
    to: &mut dyn Write,
) -> Result<(), Failure> {
    let image = image(wim, source, index)?;
    let dentry = image.lookup(path).ok_or_else(|| no_such(path))?;
    refuse_folder(dentry.is_directory(), path)?;
    if dentry.data.is_empty_stream() {
        return Ok(());
    }
    let entry = wim.blob(&dentry.data).ok_or_else(|| {
        Failure::build(format!("blob {} of `{path}` is not in this WIM", dentry.data))
    })?;
    let mut reader = wim.blob_reader(source, entry)?;
    pour(&mut reader, to)
}

fn refuse_folder(is_folder: bool, path: &str) -> Result<(), Failure> {
    if is_folder {
        return Err(Failure::build(format!("`{path}` is a folder"))
            .help("list it: mediabuild inspect ls FILE"));
    }
    Ok(())
}

/// Copies to the end; a reader who leaves (`| head`) is no error.
pub(in crate::commands) fn pour(from: &mut dyn Read, to: &mut dyn Write) -> Result<(), Failure> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = from
            .read(&mut buffer)
            .map_err(|error| Failure::build(format!("cannot read it: {error}")))?;
        if count == 0 {
            break;
        }
        match to.write_all(&buffer[..count]) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Failure::environment(format!("cannot write: {error}"))),
            Ok(()) => {}
        }
    }
    to.flush().or_else(|error| {
        if error.kind() == ErrorKind::BrokenPipe {
            return Ok(());
        }
        Err(Failure::environment(format!("cannot write: {error}")))
    })
}
