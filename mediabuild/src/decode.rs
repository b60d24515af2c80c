//! Blobs of a WIM decoded and hashed by all cores: what `verify`, `extract` and imports share.
//!
//! The file is read in order by one worker at a time, while the others decode, hash and write what
//! was read before. A blob of several units is handed on by one worker after the other: units are
//! given out in order, so whoever has the earliest never waits, and what is in memory is one unit a
//! worker.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use mediabuild_formats::source::Source;
use mediabuild_formats::wim::{BlobEntry, Piece, Sha1, Unit, Units, Wim};
use sha1::{Digest, Sha1 as Sha1Hasher};

use crate::cancel;
use crate::failure::Failure;

/// Where decoded bytes go. Its methods must not wait for the pool (rayon's own hashing of one
/// content, say): a worker that waits there would be given another decoding to work on, which may
/// wait for what this one has.
pub(crate) trait BlobSink: Sync {
    /// What takes the bytes of one blob.
    type Open: Send;

    /// A blob begins; `blob` is its position in what was asked for.
    fn open(&self, blob: usize) -> Result<Self::Open, Failure>;

    /// Its next bytes.
    fn write(&self, open: &mut Self::Open, bytes: &[u8]) -> Result<(), Failure>;

    /// It ends, with the reason if it is not what its hash says.
    fn close(&self, blob: usize, open: Self::Open, damage: Option<String>) -> Result<(), Failure>;
}

/// A sink that keeps no bytes, and hears the position of each damaged blob and what is wrong with it.
pub(crate) struct OnDamage<F>(pub(crate) F);

impl<F: Fn(usize, String) -> Result<(), Failure> + Sync> BlobSink for OnDamage<F> {
    type Open = ();

    fn open(&self, _: usize) -> Result<(), Failure> {
        Ok(())
    }

    fn write(&self, (): &mut (), _: &[u8]) -> Result<(), Failure> {
        Ok(())
    }

    fn close(&self, blob: usize, (): (), damage: Option<String>) -> Result<(), Failure> {
        damage.map_or(Ok(()), |damage| self.0(blob, damage))
    }
}

/// Most workers on solid resources, whose chunks take up to 64 MiB each, stored and decoded.
const SOLID_WORKERS: usize = 8;

/// Decodes `entries` into `sink`. A damaged blob is the sink's business and ends nothing; what the
/// sink fails with ends everything. `advance` hears how many stored bytes were dealt with.
pub(crate) fn decode<S: Source + Send, K: BlobSink>(
    wim: &Wim,
    source: S,
    entries: &[&BlobEntry],
    sink: &K,
    advance: impl Fn(u64) + Sync,
) -> Result<(), Failure> {
    let is_solid = entries.iter().any(|entry| entry.is_solid());
    let limit = if is_solid { SOLID_WORKERS } else { usize::MAX };
    let units = Mutex::new(wim.units(source, entries));
    let (state, changed) = (Mutex::default(), Condvar::new());
    let hand_over = HandOver { wim, entries, sink, state, changed };
    rayon::broadcast(|worker| {
        if worker.index() < limit {
            hand_over.work(&units, &advance);
        }
    });
    match lock(&hand_over.state).failure.take() {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// A poisoned lock is of a worker that panicked, which ends all of them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Blobs on their way from worker to worker.
struct HandOver<'a, K: BlobSink> {
    wim: &'a Wim,
    entries: &'a [&'a BlobEntry],
    sink: &'a K,
    state: Mutex<State<K::Open>>,
    changed: Condvar,
}

struct State<O> {
    /// Blobs of several units: at which byte they go on, and what is open.
    open: BTreeMap<usize, (u64, Option<Open<O>>)>,
    failure: Option<Failure>,
    is_over: bool,
}

impl<O> Default for State<O> {
    fn default() -> Self {
        State { open: BTreeMap::new(), failure: None, is_over: false }
    }
}

/// A blob that was begun.
struct Open<O> {
    sink: O,
    hasher: Sha1Hasher,
    damage: Option<String>,
}

impl<K: BlobSink> HandOver<'_, K> {
    /// Takes units until there are none.
    fn work<S: Source>(&self, units: &Mutex<Units<'_, S>>, advance: &(impl Fn(u64) + Sync)) {
        let done = catch_unwind(AssertUnwindSafe(|| {
            let mut unit = Unit::default();
            while !lock(&self.state).is_over && lock(units).next_into(&mut unit) {
                if let Err(failure) = cancel::check() {
                    return self.end(Some(failure));
                }
                unit.decode(|piece| {
                    if let Err(failure) = self.take(piece) {
                        self.end(Some(failure));
                    }
                });
                advance(unit.stored_bytes());
            }
        }));
        if let Err(panic) = done {
            // Others may wait for what this one had.
            self.end(None);
            resume_unwind(panic);
        }
    }

    fn end(&self, failure: Option<Failure>) {
        let mut state = lock(&self.state);
        state.is_over = true;
        state.failure = state.failure.take().or(failure);
        self.changed.notify_all();
    }

    fn take(&self, piece: Piece<'_>) -> Result<(), Failure> {
        let (blob, is_last) = (piece.blob, piece.is_last);
        let end = piece.offset_bytes + piece.size_bytes;
        let open = match piece.offset_bytes {
            0 => Some(self.begin(blob)?),
            offset => self.wait(blob, offset),
        };
        // `None` when all is over.
        let Some(mut open) = open else { return Ok(()) };
        open.add(self.sink, self.wim, piece)?;
        if is_last {
            lock(&self.state).open.remove(&blob);
            return self.finish(blob, open);
        }
        lock(&self.state).open.insert(blob, (end, Some(open)));
        self.changed.notify_all();
        Ok(())
    }

    fn begin(&self, blob: usize) -> Result<Open<K::Open>, Failure> {
        Ok(Open { sink: self.sink.open(blob)?, hasher: Sha1Hasher::new(), damage: None })
    }

    /// The blob, as soon as everything before `offset` was dealt with.
    fn wait(&self, blob: usize, offset: u64) -> Option<Open<K::Open>> {
        let is_early = |state: &mut State<K::Open>| {
            let here =
                state.open.get(&blob).is_some_and(|(at, open)| *at == offset && open.is_some());
            !here && !state.is_over
        };
        let state = self.changed.wait_while(lock(&self.state), is_early);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.open.get_mut(&blob).filter(|(at, _)| *at == offset)?.1.take()
    }

    fn finish(&self, blob: usize, open: Open<K::Open>) -> Result<(), Failure> {
        let entry = self.entries[blob];
        let found = Sha1(open.hasher.finalize().into());
        let damage = open.damage.or_else(|| {
            let differs = found != entry.sha1;
            differs.then(|| format!("expected SHA-1 {}, found {found}", entry.sha1))
        });
        self.sink.close(blob, open.sink, damage)
    }
}

impl<O> Open<O> {
    /// Hashes bytes and passes them on, up to the first that are missing.
    fn add<K: BlobSink<Open = O>>(
        &mut self,
        sink: &K,
        wim: &Wim,
        piece: Piece<'_>,
    ) -> Result<(), Failure> {
        match piece.bytes {
            _ if self.damage.is_some() => {}
            Err(error) => self.damage = Some(wim.message_of(error).1),
            Ok(bytes) => {
                self.hasher.update(bytes);
                sink.write(&mut self.sink, bytes)?;
            }
        }
        Ok(())
    }
}
