//! Changes to a tree: look up, insert, remove, graft. Names are compared as Windows does.

use super::dentry::{Dentry, Image, NO_SECURITY, attribute};
use super::error::Error;
use super::hash::Sha1;
use super::insert::Names;
use super::metadata_read::{DEPTH_LIMIT, name_problem};
use super::name::Name;
use super::time::FileTime;

/// Attributes that describe the content a file had, not the file.
const CONTENT_ATTRIBUTES: u32 = attribute::REPARSE_POINT | attribute::SPARSE | attribute::ENCRYPTED;

/// A file to insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSpec {
    /// Its content; [`Sha1::ZERO`] if empty.
    pub sha1: Sha1,
    /// [`attribute`] bits if the file is new.
    pub attributes: u32,
    /// Position in [`Image::security`] or [`NO_SECURITY`] if the file is new.
    pub security_id: i32,
    /// When it was created.
    pub creation: FileTime,
    /// When it was last read.
    pub access: FileTime,
    /// When its content last changed; also the time of missing parent folders.
    pub write: FileTime,
}

impl FileSpec {
    /// Default attributes, no security descriptor, one time for all.
    pub fn new(sha1: Sha1, time: FileTime) -> FileSpec {
        FileSpec {
            sha1,
            attributes: attribute::NORMAL,
            security_id: NO_SECURITY,
            creation: time,
            access: time,
            write: time,
        }
    }
}

impl Image {
    /// The file or folder at `path` (`Windows/System32`, in any case); the root for an empty path.
    pub fn lookup(&self, path: &str) -> Option<&Dentry> {
        names_of(path).try_fold(&self.root, |folder, name| folder.child(&name))
    }

    /// As [`Image::lookup`], to change it.
    pub fn lookup_mut(&mut self, path: &str) -> Option<&mut Dentry> {
        names_of(path).try_fold(&mut self.root, |folder, name| folder.child_mut(&name))
    }

    /// Puts a file at `path`, with its parent folders where they are missing. A replaced file
    /// keeps its names, attributes and security descriptor, and takes the content and times; its
    /// named streams, tagged items, reparse data and hard link go, and its other links keep theirs.
    /// Looks at all names of the folder: [`Image::insert_files`] is for many files.
    pub fn insert_file(&mut self, path: &str, file: FileSpec) -> Result<(), Error> {
        let (parent, name) = split(path)?;
        let folder = self.make_folder(parent, file.write)?;
        match folder.position(&name) {
            Some(position) => folder.children[position].replace(path, &file),
            None => {
                folder.children.push(file.dentry(name));
                Ok(())
            }
        }
    }

    /// The folder at `path`, made with its parents where they are missing.
    pub fn make_folder(&mut self, path: &str, time: FileTime) -> Result<&mut Dentry, Error> {
        let mut folder = &mut self.root;
        for (depth, name) in names_of(path).enumerate() {
            check_new_folder(path, depth, &name)?;
            let position = folder.position(&name).unwrap_or_else(|| {
                folder.children.push(Dentry::folder(name, time));
                folder.children.len() - 1
            });
            folder = folder.children[position].expect_folder(path)?;
        }
        Ok(folder)
    }

    /// Takes a file or folder out; `None` if there is none, or for the root.
    pub fn remove(&mut self, path: &str) -> Option<Dentry> {
        let (parent, name) = split(path).ok()?;
        let folder = self.lookup_mut(parent)?;
        let position = folder.position(&name)?;
        Some(folder.children.remove(position))
    }

    /// Puts `children` into the folder at `path`, made if it is missing: folders merge, files
    /// replace files as in [`Image::insert_file`], but whole, with streams and tagged items. Their
    /// security ids must be positions in this image.
    pub fn graft(
        &mut self,
        path: &str,
        children: Vec<Dentry>,
        time: FileTime,
    ) -> Result<(), Error> {
        self.make_folder(path, time)?.merge(path, children)
    }
}

impl Dentry {
    /// The child with this name: exactly, else ignoring case.
    pub fn child(&self, name: &Name) -> Option<&Dentry> {
        self.position(name).map(|position| &self.children[position])
    }

    /// As [`Dentry::child`], to change it.
    pub fn child_mut(&mut self, name: &Name) -> Option<&mut Dentry> {
        self.position(name).map(|position| &mut self.children[position])
    }

    fn position(&self, name: &Name) -> Option<usize> {
        let mut similar = None;
        for (position, child) in self.children.iter().enumerate() {
            if child.name == *name {
                return Some(position);
            }
            if similar.is_none() && child.name.equals_ignoring_case(name) {
                similar = Some(position);
            }
        }
        similar
    }

    /// Itself, if something can be put into it; `path` is what is to be made.
    pub(super) fn expect_folder(&mut self, path: &str) -> Result<&mut Dentry, Error> {
        if self.has_children_list() {
            return Ok(self);
        }
        Err(Error::path(path, format!("`{}` is not a folder", self.name)))
    }

    pub(super) fn replace(&mut self, path: &str, file: &FileSpec) -> Result<(), Error> {
        if self.is_directory() {
            return Err(Error::path(path, "is a folder, not replaced by a file"));
        }
        let Dentry { name, short_name, attributes, security_id, .. } = self;
        *self = Dentry {
            short_name: std::mem::take(short_name),
            attributes: kept_attributes(*attributes),
            security_id: *security_id,
            ..file.dentry(std::mem::take(name))
        };
        Ok(())
    }

    /// Merges `children` into this folder.
    fn merge(&mut self, path: &str, children: Vec<Dentry>) -> Result<(), Error> {
        let mut names = Names::of(&self.children);
        for child in children {
            match names.position(&self.children, &child.name) {
                None => names.push(&mut self.children, child),
                Some(position) => {
                    let path = format!("{path}/{}", child.name);
                    self.children[position].merge_with(&path, child)?;
                }
            }
        }
        Ok(())
    }

    fn merge_with(&mut self, path: &str, other: Dentry) -> Result<(), Error> {
        match (self.has_children_list(), other.has_children_list()) {
            (true, true) => self.merge(path, other.children),
            (false, false) if self.is_directory() == other.is_directory() => {
                let Dentry { name, short_name, .. } = self;
                let (name, short_name) = (std::mem::take(name), std::mem::take(short_name));
                *self = Dentry { name, short_name, ..other };
                Ok(())
            }
            _ => Err(Error::path(path, "is a folder in one tree and a file in the other")),
        }
    }
}

impl FileSpec {
    pub(super) fn dentry(&self, name: Name) -> Dentry {
        Dentry {
            attributes: self.attributes,
            security_id: self.security_id,
            creation: self.creation,
            access: self.access,
            ..Dentry::file(name, self.sha1, self.write)
        }
    }
}

/// The attributes of a replaced file that say nothing about its old content.
fn kept_attributes(attributes: u32) -> u32 {
    match attributes & !CONTENT_ATTRIBUTES {
        0 => attribute::NORMAL,
        kept => kept,
    }
}

/// What keeps a folder of this name from being made so deep.
pub(super) fn check_new_folder(path: &str, depth: usize, name: &Name) -> Result<(), Error> {
    if depth >= DEPTH_LIMIT {
        return Err(Error::path(path, format!("folders nest at most {DEPTH_LIMIT} deep")));
    }
    match name_problem(name) {
        None => Ok(()),
        Some(problem) => Err(Error::path(path, problem)),
    }
}

pub(super) fn names_of(path: &str) -> impl Iterator<Item = Name> {
    path.split('/').filter(|name| !name.is_empty()).map(Name::from)
}

/// Parent and name of a path to something that can be inserted.
pub(super) fn split(path: &str) -> Result<(&str, Name), Error> {
    let trimmed = path.trim_end_matches('/');
    let (parent, name) = trimmed.rsplit_once('/').unwrap_or(("", trimmed));
    let name = Name::from(name);
    match name_problem(&name) {
        None => Ok((parent, name)),
        Some(problem) => Err(Error::path(path, problem)),
    }
}
