//! `Listing`: the files of a folder with their stats, in one fast walk. Reads no file. The probe makes
//! it, and an import that finds in it what it remembers looks at nothing again.
//!
//! It takes what is usual, plain files in plain folders, and says [`None`] of everything else:
//! then whoever wanted it walks with care, and tells the user what is wrong.

use std::fs::{DirEntry, FileType, Metadata};
use std::path::Path;

use crate::os::StatKey;

/// A plain file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Relative to the folder, with `/`.
    pub(crate) name: String,
    pub(crate) stat: StatKey,
}

/// The files below a folder, by name.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) files: Vec<Listed>,
    /// Names of what is no plain file: links that are not followed, pipes, devices.
    pub(crate) others: Vec<String>,
}

impl Listing {
    /// Walks `folder`. `None` if anything cannot be looked at, has a name that is not Unicode, or
    /// is a link to a folder that is to be followed, which may lead in circles.
    ///
    /// Costs one open and one read for a folder, and one stat relative to it for a file.
    pub(crate) fn of(folder: &Path, follow_symlinks: bool) -> Option<Listing> {
        let mut listing = Listing::default();
        let mut folders = vec![(folder.to_owned(), String::new())];
        while let Some((path, prefix)) = folders.pop() {
            for entry in std::fs::read_dir(&path).ok()? {
                let entry = entry.ok()?;
                let name = prefix.clone() + &entry.file_name().into_string().ok()?;
                match look(&entry, follow_symlinks)? {
                    Found::Folder => folders.push((entry.path(), name + "/")),
                    Found::File(stat) => listing.files.push(Listed { name, stat }),
                    Found::Other => listing.others.push(name),
                }
            }
        }
        listing.files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Some(listing)
    }

    /// A file by itself, whose links were followed; its name is empty.
    pub(crate) fn of_file(metadata: &Metadata) -> Listing {
        let file = Listed { name: String::new(), stat: StatKey::of(metadata) };
        Listing { files: vec![file], others: Vec::new() }
    }

    /// How many bytes all files have.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.stat.size_bytes()).sum()
    }
}

enum Found {
    Folder,
    File(StatKey),
    Other,
}

fn look(entry: &DirEntry, follow_symlinks: bool) -> Option<Found> {
    let kind = entry.file_type().ok()?;
    if kind.is_symlink() && follow_symlinks {
        let metadata = std::fs::metadata(entry.path()).ok()?;
        return (!metadata.is_dir()).then(|| file_or_other(metadata.file_type(), &metadata));
    }
    if kind.is_dir() {
        return Some(Found::Folder);
    }
    Some(file_or_other(kind, &entry.metadata().ok()?))
}

fn file_or_other(kind: FileType, metadata: &Metadata) -> Found {
    if kind.is_file() { Found::File(StatKey::of(metadata)) } else { Found::Other }
}
