//! `Place`: which path each thing of a store has, and making those that must exist.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::format;
use super::gate::Gate;
use super::index::Index;
use crate::shelf::Kind;
use crate::{Digest, Error, os};

/// All that may lie in a store whose making was cut short.
const NAMES: [&str; 17] = [
    "format",
    "gate.lock",
    "gate.turn",
    "objects",
    "packs",
    "tmp",
    "leases",
    "locks",
    "trash",
    "quarantine",
    "unfinished",
    "reserve",
    "index.sqlite",
    "index.sqlite-wal",
    "index.sqlite-shm",
    "index.sqlite-journal",
    "secret-key",
];

#[derive(Clone)]
pub(super) struct Place {
    folder: PathBuf,
}

impl Place {
    /// The store in `folder`, made now if there is none.
    pub(super) fn open(folder: &Path) -> Result<Place, Error> {
        // Results of other working folders must find the same files.
        let folder = std::path::absolute(folder).map_err(Error::io("find", folder))?;
        let place = Place { folder };
        match place.version()? {
            None => place.create()?,
            Some(format::VERSION) => {}
            Some(_) => place.upgrade()?,
        }
        // SQLite would make an empty one, and a collection would take every file for a leftover.
        match place.index().exists() {
            true => Ok(place),
            false => Err(Error::IndexLost { path: place.index() }),
        }
    }

    /// The store in `folder`, with or without an index.
    pub(super) fn open_existing(folder: &Path) -> Result<Place, Error> {
        let folder = std::path::absolute(folder).map_err(Error::io("find", folder))?;
        let place = Place { folder };
        match place.version()? {
            Some(format::VERSION) => Ok(place),
            Some(_) => place.upgrade().map(|()| place),
            None => {
                let what = "is not a store".to_owned();
                Err(Error::BadFormat { path: place.folder, what })
            }
        }
    }

    /// Whether a store was made in `folder`, of whatever version.
    pub(super) fn is_in(folder: &Path) -> bool {
        Place { folder: folder.to_owned() }.format_path().is_file()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn index(&self) -> PathBuf {
        self.folder.join("index.sqlite")
    }

    pub(super) fn tmp(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// Made when it is first wanted.
    pub(super) fn unfinished(&self) -> Result<PathBuf, Error> {
        let folder = self.folder.join("unfinished");
        create_folder(&folder)?;
        Ok(folder)
    }

    pub(super) fn packs(&self) -> PathBuf {
        self.folder.join("packs")
    }

    pub(super) fn pack(&self, id: &Digest) -> PathBuf {
        self.packs().join(id.to_string())
    }

    pub(super) fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    pub(super) fn leases(&self) -> PathBuf {
        self.folder.join("leases")
    }

    pub(super) fn locks(&self) -> PathBuf {
        self.folder.join("locks")
    }

    pub(super) fn trash(&self) -> PathBuf {
        self.folder.join("trash")
    }

    pub(super) fn reserve(&self) -> PathBuf {
        self.folder.join("reserve")
    }

    pub(super) fn quarantine(&self) -> PathBuf {
        self.folder.join("quarantine")
    }

    /// The file of an object of its own. Its kind is in the name, for rebuilding the index.
    pub(super) fn object(&self, kind: Kind, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.objects().join(&name[..2]).join(name + Place::suffix(kind))
    }

    /// What follows the digest in the name of an object's file.
    pub(super) fn suffix(kind: Kind) -> &'static str {
        match kind {
            Kind::Blob => "",
            Kind::Recipe => ".recipe",
            Kind::Directory => ".directory",
            Kind::PartTable => ".parts",
        }
    }

    /// A handle of the lock that decides whether files may come or go.
    pub(super) fn gate(&self) -> Result<Gate, Error> {
        Gate::open(&self.folder)
    }

    /// What the user should know about this place.
    pub(super) fn warning(&self) -> Option<String> {
        let name = os::network_file_system(&self.folder)?;
        Some(format!(
            "the store `{}` is on a network file system ({name}), where locks and flushes are \
             not reliable; put it on a local disk",
            self.folder.display()
        ))
    }

    pub(super) fn secret_key(&self) -> Result<[u8; 32], Error> {
        let path = self.secret_key_path();
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let what = "is not 32 bytes long".to_owned();
        bytes.try_into().map_err(|_| Error::BadFormat { path, what })
    }

    /// Takes the lock of `tmp/`; held until the file is dropped.
    pub(super) fn lock_tmp(&self) -> Result<File, Error> {
        let path = self.tmp().join("lock");
        // Windows locks only what was opened for reading or writing; appending is neither.
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(Error::io("open", &path))?;
        file.lock().map_err(Error::io("lock", &path))?;
        Ok(file)
    }

    fn format_path(&self) -> PathBuf {
        self.folder.join("format")
    }

    fn secret_key_path(&self) -> PathBuf {
        self.folder.join("secret-key")
    }

    /// The version of the store, if it is complete; refuses one we do not know.
    fn version(&self) -> Result<Option<u32>, Error> {
        let path = self.format_path();
        match fs::read(&path) {
            Ok(bytes) => format::check(&path, &bytes).map(Some),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Error::io("read", &path)(cause)),
        }
    }

    /// Brings an older store up to date: its files are as they should be, so only the version
    /// changes. The index looks after its own.
    fn upgrade(&self) -> Result<(), Error> {
        let path = self.format_path();
        let _lock = self.lock_tmp()?;
        if self.version()? == Some(format::VERSION) {
            return Ok(());
        }
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(self.tmp())?;
            file.write_all(format::text().as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            os::sync_folder(&self.folder)
        };
        write().map_err(Error::write(&path, format::text().len() as u64))
    }

    /// Makes everything durable, `format` last: who sees that file may rely on all the others.
    fn create(&self) -> Result<(), Error> {
        let outside = self.create_top()?;
        self.refuse_foreign_folder()?;
        for folder in [self.objects(), self.packs(), self.tmp()] {
            create_folder(&folder)?;
        }
        let _lock = self.lock_tmp()?;
        self.write_new(&self.secret_key_path(), &os::random_key().map_err(key_error)?)?;
        drop(Index::open(&self.index())?);
        let flush = || os::sync_folder(&self.folder).map_err(Error::io("flush", &self.folder));
        flush()?;
        outside.iter().try_for_each(|folder| sync_outside(folder))?;
        super::gc::reserve::take(self);
        self.write_new(&self.format_path(), format::text().as_bytes())?;
        flush()
    }

    /// Makes the store's own folder, for nobody but us: what is built may come from private files.
    /// One that is there keeps its mode. Answers the folders above whose names must be flushed:
    /// the one right above always, since another process may be making the store too.
    fn create_top(&self) -> Result<Vec<PathBuf>, Error> {
        let error = || Error::io("make the folder", &self.folder);
        let Some(parent) = self.folder.parent() else { return Ok(Vec::new()) };
        let mut outside = vec![parent.to_owned()];
        let absent = parent.ancestors().take_while(|folder| !folder.exists());
        outside.extend(absent.filter_map(Path::parent).map(Path::to_owned));
        fs::create_dir_all(parent).map_err(error())?;
        match os::create_private_folder(&self.folder) {
            Err(_) if self.folder.is_dir() => Ok(outside),
            made => made.map(|()| outside).map_err(error()),
        }
    }

    fn refuse_foreign_folder(&self) -> Result<(), Error> {
        let error = || Error::io("list", &self.folder);
        for entry in fs::read_dir(&self.folder).map_err(error())? {
            let name = entry.map_err(error())?.file_name();
            if !NAMES.iter().any(|ours| name == *ours) {
                let what = format!("holds `{}`, so it is not a store", name.display());
                return Err(Error::BadFormat { path: self.folder.clone(), what });
            }
        }
        Ok(())
    }

    /// Writes a small file whole and durably, unless it is there already. Mode 0600.
    fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(self.tmp())?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            match file.persist_noclobber(path) {
                Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => {
                    Err(error.error)
                }
                _ => Ok(()),
            }
        };
        write().map_err(Error::write(path, bytes.len() as u64))
    }
}

/// Makes `folder` and those above it.
pub(super) fn create_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))
}

/// Flushes a folder that is not ours. We may be allowed to make folders there and not to list it.
fn sync_outside(folder: &Path) -> Result<(), Error> {
    match os::sync_folder(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced.map_err(Error::io("flush", folder)),
    }
}

fn key_error(cause: io::Error) -> Error {
    Error::io("read", Path::new("/dev/urandom"))(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_holds_the_lock_of_tmp() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(folder.path()).unwrap();
        let held = place.lock_tmp().unwrap();
        let other = File::open(place.tmp().join("lock")).unwrap();
        assert!(matches!(other.try_lock(), Err(fs::TryLockError::WouldBlock)));
        drop(held);
        other.try_lock().unwrap();
    }
}
