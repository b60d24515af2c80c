//! `Partial`: a download under way, in a file that outlives its process.
//!
//! Two files a download: its bytes, and what the server said of the whole (a JSON object). The
//! second is written first, so bytes are never taken for those of another file. One process has
//! them at a time, by a lock on the bytes.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cancel;
use crate::failure::Failure;

/// Downloads that nobody came back for in this time are removed.
const FORGOTTEN: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What a server said of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Whole {
    /// An `ETag` that two files never share, else `Last-Modified`: what `If-Range` compares.
    pub(super) validator: Option<String>,
    pub(super) total_bytes: Option<u64>,
    /// The file ends where the connection does: nobody can tell whether that was its end.
    #[serde(default)]
    pub(super) is_open_ended: bool,
}

/// Where a request is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Begins {
    pub(super) offset_bytes: u64,
    pub(super) validator: String,
    pub(super) total_bytes: Option<u64>,
}

pub(super) struct Partial {
    file: File,
    path: PathBuf,
    size_bytes: u64,
    whole: Whole,
    ended: bool,
    /// The bytes came in more than one reply: they may be halves of two files.
    joined: bool,
}

impl Partial {
    /// The download called `key` in `folder`, waiting for a process that has it.
    pub(super) fn open(folder: &Path, key: &str) -> Result<Partial, Failure> {
        forget_old(folder);
        let path = folder.join(format!("{key}.part"));
        let mut file = open_locked(&path)?;
        let size_bytes = file.seek(SeekFrom::End(0)).map_err(failed("read", &path))?;
        let noted = fs::read(said_path(&path)).ok();
        let whole = noted.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Ok(Partial { file, path, size_bytes, whole, ended: false, joined: size_bytes > 0 })
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Whether bytes may be missing at the end.
    pub(super) fn is_open_ended(&self) -> bool {
        self.whole.is_open_ended
    }

    pub(super) fn is_joined(&self) -> bool {
        self.joined
    }

    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Whether all bytes are here, as far as the server told how many there are.
    pub(super) fn is_complete(&self) -> bool {
        match self.whole.total_bytes {
            Some(total_bytes) => self.size_bytes == total_bytes && self.has_begun(),
            None => self.ended,
        }
    }

    /// A file of no bytes is complete only when a reply said so.
    fn has_begun(&self) -> bool {
        self.size_bytes > 0 || self.ended
    }

    /// Where to go on, if bytes are here and a server can tell whether they are still those.
    pub(super) fn resumable(&self) -> Option<Begins> {
        let validator = self.whole.validator.clone().filter(|_| self.size_bytes > 0)?;
        let (offset_bytes, total_bytes) = (self.size_bytes, self.whole.total_bytes);
        Some(Begins { offset_bytes, validator, total_bytes })
    }

    /// Remembers what the server says of the whole file.
    pub(super) fn note(&mut self, whole: &Whole) -> Result<(), Failure> {
        self.joined |= self.size_bytes > 0;
        if *whole != self.whole {
            self.whole = whole.clone();
            let path = said_path(&self.path);
            let text = serde_json::to_vec(whole).expect("it serialises");
            fs::write(&path, text).map_err(failed("write", &path))?;
        }
        Ok(())
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(failed("write", &self.path))?;
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// A body ended; the error is how many bytes are missing.
    pub(super) fn end_of_body(&mut self) -> Result<(), u64> {
        match self.whole.total_bytes {
            Some(total_bytes) if self.size_bytes != total_bytes => {
                Err(total_bytes.saturating_sub(self.size_bytes))
            }
            _ => {
                self.ended = true;
                Ok(())
            }
        }
    }

    /// Forgets all bytes.
    pub(super) fn restart(&mut self) -> Result<(), Failure> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map_err(failed("empty", &self.path))?;
        (self.size_bytes, self.ended, self.joined) = (0, false, false);
        self.whole = Whole::default();
        remove(&said_path(&self.path));
        Ok(())
    }

    /// The download is over.
    pub(super) fn remove(&mut self) {
        remove(&said_path(&self.path));
        remove(&self.path);
    }
}

fn said_path(path: &Path) -> PathBuf {
    path.with_extension("json")
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!("cannot remove {}: {error}", path.display());
        }
        _ => {}
    }
}

/// Opens the file and locks it. Whoever had it before may have removed it: then a new one is made.
fn open_locked(path: &Path) -> Result<File, Failure> {
    loop {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(failed("open", path))?;
        while let Err(error) = file.try_lock() {
            if let fs::TryLockError::Error(error) = error {
                return Err(failed("lock", path)(error));
            }
            cancel::check()?;
            std::thread::sleep(Duration::from_millis(50));
        }
        if is_there(&file, path) {
            return Ok(file);
        }
    }
}

/// Whether what is at `path` is this file.
fn is_there(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(theirs)) = (file.metadata(), path.metadata()) else { return false };
    crate::os::StatKey::of(&ours) == crate::os::StatKey::of(&theirs)
}

/// Removes downloads that were given up.
fn forget_old(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        if modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > FORGOTTEN)) {
            remove(&entry.path());
        }
    }
}

fn failed(doing: &'static str, path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.to_owned();
    move |error| Failure::io(doing, &path, &error)
}
