//! `Files`: the only way to definition files, so that tests need no disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Where definition files are read from. Paths are relative to the project folder, with `/`.
pub trait Files {
    /// The bytes of the file at `path`.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// The regular files at most `depth_max` levels below `folder` (`""` is the project folder),
    /// sorted. A folder that does not exist holds none.
    fn list(&self, folder: &str, depth_max: usize) -> io::Result<Vec<String>>;
}

/// The files below a folder on disk.
#[derive(Debug)]
pub struct FolderFiles {
    folder: PathBuf,
}

impl FolderFiles {
    /// Files below `folder`.
    pub fn new(folder: &Path) -> Self {
        FolderFiles { folder: folder.to_path_buf() }
    }
}

impl Files for FolderFiles {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.folder.join(path))
    }

    /// Symbolic links are not followed: they could lead out of the project. Hidden folders are
    /// passed over: `**` in a git checkout must not walk `.git`.
    fn list(&self, folder: &str, depth_max: usize) -> io::Result<Vec<String>> {
        let root = self.folder.join(folder);
        if !root.is_dir() {
            return Ok(Vec::new());
        }
        let mut paths = Vec::new();
        let walk = WalkDir::new(&root).min_depth(1).max_depth(depth_max);
        for entry in walk.into_iter().filter_entry(|e| e.depth() == 0 || !is_hidden_folder(e)) {
            let entry = entry?;
            if entry.file_type().is_file() {
                paths.extend(project_path(&self.folder, entry.path()));
            }
        }
        paths.sort();
        Ok(paths)
    }
}

/// Files in memory, by project path.
impl Files for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, folder: &str, depth_max: usize) -> io::Result<Vec<String>> {
        let below = |path: &str| match folder {
            "" => Some(path.split('/').count()),
            folder => Some(path.strip_prefix(folder)?.strip_prefix('/')?.split('/').count()),
        };
        let is_listed = |path: &&String| below(path).is_some_and(|depth| depth <= depth_max);
        Ok(self.keys().filter(is_listed).cloned().collect())
    }
}

fn is_hidden_folder(entry: &walkdir::DirEntry) -> bool {
    entry.file_type().is_dir() && entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// `path` as a project path, unless its name is not Unicode: then no glob can name it.
fn project_path(folder: &Path, path: &Path) -> Option<String> {
    let names = path.strip_prefix(folder).ok()?.iter().map(|name| name.to_str());
    Some(names.collect::<Option<Vec<_>>>()?.join("/"))
}
