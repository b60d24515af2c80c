//! `Leases`: what this process looked up or published, so that no collector takes it.
//!
//! ```text
//! leases/<pid>-<random>      held while its owner lives; the digests, 32 bytes each
//! ```
//! A digest is appended *before* it is looked up, then the gate is passed. Either the collector
//! reads leases after that and keeps the digest with all it needs; or it was removing already, and
//! the look-up waits and sees what is left. Nothing is flushed: a lease need not outlive a machine
//! that stops.
//!
//! A file is made, and one of a dead process removed, with the gate held (shared, exclusively), so
//! nobody meets a file that is not held *yet*.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::gate::{Gate, Held};
use super::place::{Place, create_folder};
use crate::{Digest, Error, os};

const DIGEST_BYTES: usize = 32;

/// The leases of one handle of the store. They end when it is dropped.
pub(super) struct Leases {
    path: PathBuf,
    /// `None` where nothing can be written, so nothing can be removed either.
    inner: Option<Mutex<Inner>>,
}

struct Inner {
    file: File,
    gate: Gate,
    held: HashSet<Digest>,
    /// How much of the file is whole digests.
    written_bytes: u64,
}

impl Leases {
    /// Makes this handle's lease file. On a store that cannot be written there are no leases.
    pub(super) fn join(place: &Place) -> Result<Leases, Error> {
        let gate = match place.gate() {
            Err(Error::Io { cause, .. }) if is_read_only(&cause) => return Ok(Leases::none()),
            gate => gate?,
        };
        let held = place.gate()?.shared()?;
        create_folder(&place.leases())?;
        let prefix = format!("{}-", std::process::id());
        let file =
            tempfile::Builder::new().prefix(&prefix).make_in(place.leases(), os::create_held);
        let (file, path) =
            file.and_then(|file| Ok(file.keep()?)).map_err(Error::write(&place.leases(), 0))?;
        drop(held);
        let held = HashSet::new();
        let inner = Inner { file, gate, held, written_bytes: 0 };
        Ok(Leases { path, inner: Some(Mutex::new(inner)) })
    }

    fn none() -> Leases {
        tracing::debug!("the store cannot be written, so there are no leases");
        Leases { path: PathBuf::new(), inner: None }
    }

    /// Leases `digests`. Call it before looking them up.
    pub(super) fn hold(&self, digests: &[Digest]) -> Result<(), Error> {
        let Some(inner) = &self.inner else { return Ok(()) };
        inner.lock().expect("no holder of this lock panics").hold(digests, &self.path)
    }
}

impl Inner {
    fn hold(&mut self, digests: &[Digest], path: &Path) -> Result<(), Error> {
        let is_new = |digest: &&Digest| !self.held.contains(*digest);
        let new: Vec<Digest> = digests.iter().filter(is_new).copied().collect();
        if new.is_empty() {
            return Ok(());
        }
        let bytes: Vec<u8> = new.iter().flat_map(|digest| *digest.as_bytes()).collect();
        if let Err(cause) = self.file.write_all(&bytes) {
            // What was written of it would shift all that follows.
            let _ = self.file.seek(SeekFrom::Start(self.written_bytes));
            return Err(Error::write(path, bytes.len() as u64)(cause));
        }
        self.written_bytes += bytes.len() as u64;
        self.gate.pass()?;
        self.held.extend(new);
        Ok(())
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        if self.inner.is_some() {
            // One that stays is removed by the next collector.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The files of those that live; the others' are removed.
fn living(place: &Place, _held: &Held) -> Result<Vec<PathBuf>, Error> {
    let folder = place.leases();
    let error = || Error::io("list", &folder);
    let entries = match fs::read_dir(&folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(error())?,
    };
    let mut living = Vec::new();
    for entry in entries {
        let path = entry.map_err(error())?.path();
        match os::is_held(&path) {
            Ok(true) => living.push(path),
            Ok(false) => drop(fs::remove_file(&path)),
            // Its owner ended just now.
            Err(_) => {}
        }
    }
    Ok(living)
}

/// All that living processes hold. Removes what the dead left.
pub(super) fn read_all(place: &Place, held: &Held) -> Result<HashSet<Digest>, Error> {
    let mut digests = HashSet::new();
    for path in living(place, held)? {
        let bytes = match fs::read(&path) {
            // Its owner ended just now.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue,
            bytes => bytes.map_err(Error::io("read", &path))?,
        };
        let whole = bytes.chunks_exact(DIGEST_BYTES);
        digests.extend(whole.map(|it| Digest::from_bytes(it.try_into().expect("32 bytes"))));
    }
    Ok(digests)
}

/// Whether anybody has the store open.
pub(super) fn is_any_alive(place: &Place, held: &Held) -> Result<bool, Error> {
    Ok(!living(place, held)?.is_empty())
}

fn is_read_only(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
