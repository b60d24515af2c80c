//! `Listing`: the files of a folder with their stats, in one fast walk. Reads no file. The probe makes
//! it, and an import that finds in it what it remembers looks at nothing again.
//!
//! It takes what is usual, plain files in plain folders, and says [`None`] of everything else:
//! then whoever wanted it walks with care, and tells the user what is wrong.

use std::fs::{DirEntry, FileType, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::os::StatKey;

/// With so many folders yet to be read all cores read them; fewer do not pay for waking the threads.
const PARALLEL_MIN: usize = 32;

/// How long a listing may stand for a new one where what it says is held against the disk once more.
const FRESH: Duration = Duration::from_secs(1);

/// A plain file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Relative to the folder, with `/`.
    pub(crate) name: String,
    pub(crate) stat: StatKey,
}

/// The files below a folder, by name.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) files: Vec<Listed>,
    /// Names of what is no plain file: links that are not followed, pipes, devices.
    pub(crate) others: Vec<String>,
    /// Before anything was looked at.
    began: Instant,
}

impl Listing {
    /// Walks `folder`. `None` if anything cannot be looked at, has a name that is not Unicode, or
    /// is a link to a folder that is to be followed, which may lead in circles.
    ///
    /// Costs one open and one read for a folder, and one stat relative to it for a file; of many folders
    /// on all cores.
    pub(crate) fn of(folder: &Path, follow_symlinks: bool) -> Option<Listing> {
        let mut listing = Listing::empty();
        let mut folders = vec![(folder.to_owned(), String::new())];
        while let Some(folder) = folders.pop() {
            listing.read(folder, &mut folders, follow_symlinks)?;
            if folders.len() >= PARALLEL_MIN {
                let rest = std::mem::take(&mut folders).into_par_iter();
                let below: Vec<Option<Listing>> =
                    rest.map(|folder| Listing::below(folder, follow_symlinks)).collect();
                for below in below {
                    listing.join(below?);
                }
            }
        }
        listing.files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Some(listing)
    }

    fn empty() -> Listing {
        Listing { files: Vec::new(), others: Vec::new(), began: Instant::now() }
    }

    /// The same on one core, not sorted.
    fn below(folder: Folder, follow_symlinks: bool) -> Option<Listing> {
        let mut listing = Listing::empty();
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            listing.read(folder, &mut folders, follow_symlinks)?;
        }
        Some(listing)
    }

    /// Adds what is in a folder; its folders to `folders`.
    fn read(
        &mut self,
        (path, prefix): Folder,
        folders: &mut Vec<Folder>,
        follow_symlinks: bool,
    ) -> Option<()> {
        for entry in std::fs::read_dir(&path).ok()? {
            let entry = entry.ok()?;
            let name = prefix.clone() + &entry.file_name().into_string().ok()?;
            match look(&entry, follow_symlinks)? {
                Found::Folder => folders.push((entry.path(), name + "/")),
                Found::File(stat) => self.files.push(Listed { name, stat }),
                Found::Other => self.others.push(name),
            }
        }
        Some(())
    }

    fn join(&mut self, mut other: Listing) {
        self.files.append(&mut other.files);
        self.others.append(&mut other.others);
    }

    /// Whether it is of a moment ago.
    pub(crate) fn is_fresh(&self) -> bool {
        self.began.elapsed() < FRESH
    }

    /// A file by itself, whose links were followed; its name is empty.
    pub(crate) fn of_file(metadata: &Metadata) -> Listing {
        let file = Listed { name: String::new(), stat: StatKey::of(metadata) };
        Listing { files: vec![file], ..Listing::empty() }
    }

    /// Files that belong together, by names of the caller's, whose links were followed.
    pub(crate) fn of_files<'a>(files: impl IntoIterator<Item = (String, &'a Metadata)>) -> Listing {
        let listed = |(name, metadata)| Listed { name, stat: StatKey::of(metadata) };
        Listing { files: files.into_iter().map(listed).collect(), ..Listing::empty() }
    }

    /// How many bytes all files have.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.stat.size_bytes()).sum()
    }
}

/// Where it is, and its name with a `/` behind it, or nothing.
type Folder = (PathBuf, String);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_folders_are_listed_as_few_are() {
        let folder = tempfile::tempdir().unwrap();
        let mut expected = Vec::new();
        for number in 0..4 * PARALLEL_MIN {
            for name in [format!("{number}/x"), format!("{number}/inner/{number}")] {
                let path = folder.path().join(&name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, name.as_bytes()).unwrap();
                expected.push(name);
            }
        }
        expected.sort();
        let listing = Listing::of(folder.path(), false).unwrap();
        assert!(listing.is_fresh() && listing.others.is_empty());
        let names: Vec<&str> = listing.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, expected);
        let bytes: usize = expected.iter().map(String::len).sum();
        assert_eq!(listing.size_bytes(), bytes as u64);
    }
}
