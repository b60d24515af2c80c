//! Blobs of a WIM decoded and hashed by all cores: what `verify`, `extract` and imports share.
//!
//! The file is read in order by one worker at a time, while the others decode, hash and write what
//! was read before. A blob of several units is handed on by one worker after the other: units are
//! given out in order, so whoever has the earliest never waits. Who has a later one leaves its bytes
//! behind for whoever is at the blob, and goes on with another unit: what is in memory is one unit a
//! worker, and a few that were left.

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

/// Most bytes that are left behind by workers that were too early. Without any, two workers slept a
/// tenth of the time, as hashing takes turns and units take longer or shorter; eight units are more
/// than the two of them ever leave.
const LEFT_BYTES: u64 = 8 << 20;

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

/// A blob, and the byte of it that comes next.
type Place = (usize, u64);

struct State<O> {
    /// Blobs of several units that nobody is at.
    open: BTreeMap<Place, Open<O>>,
    /// What was decoded too early.
    left: BTreeMap<Place, Left>,
    left_bytes: u64,
    failure: Option<Failure>,
    is_over: bool,
}

impl<O> Default for State<O> {
    fn default() -> Self {
        let (open, left) = (BTreeMap::new(), BTreeMap::new());
        State { open, left, left_bytes: 0, failure: None, is_over: false }
    }
}

/// A piece that was left behind: its bytes, or why there are none.
struct Left {
    end: u64,
    is_last: bool,
    bytes: Result<Vec<u8>, String>,
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
        let blob = piece.blob;
        let open = match piece.offset_bytes {
            0 => Some(self.begin(blob)?),
            _ => self.turn(&piece),
        };
        // `None` when it was left to another worker, or all is over.
        let Some(mut open) = open else { return Ok(()) };
        open.add(self.sink, piece.bytes.map_err(|error| self.wim.message_of(error).1))?;
        let (mut end, mut is_last) = (piece.offset_bytes + piece.size_bytes, piece.is_last);
        while !is_last {
            let Some((again, left)) = self.hand_on((blob, end), open) else { return Ok(()) };
            open = again;
            open.add(self.sink, left.bytes.as_deref().map_err(String::clone))?;
            (end, is_last) = (left.end, left.is_last);
        }
        self.finish(blob, open)
    }

    fn begin(&self, blob: usize) -> Result<Open<K::Open>, Failure> {
        Ok(Open { sink: self.sink.open(blob)?, hasher: Sha1Hasher::new(), damage: None })
    }

    /// The blob, if everything before `piece` was dealt with; otherwise the piece is left to who
    /// does that, as soon as there is room.
    fn turn(&self, piece: &Piece<'_>) -> Option<Open<K::Open>> {
        let place = (piece.blob, piece.offset_bytes);
        let mut state = lock(&self.state);
        while !state.is_over {
            if let Some(open) = state.open.remove(&place) {
                return Some(open);
            }
            if state.left_bytes + piece.size_bytes <= LEFT_BYTES {
                let bytes = piece.bytes.map(<[u8]>::to_vec);
                let bytes = bytes.map_err(|error| self.wim.message_of(error).1);
                let (end, is_last) = (place.1 + piece.size_bytes, piece.is_last);
                state.left_bytes += piece.size_bytes;
                state.left.insert(place, Left { end, is_last, bytes });
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    /// Lets others have the blob, or gives it back with the next piece if that was left behind.
    fn hand_on(&self, place: Place, open: Open<K::Open>) -> Option<(Open<K::Open>, Left)> {
        let mut state = lock(&self.state);
        // Either there is room again, or a blob.
        self.changed.notify_all();
        let Some(left) = state.left.remove(&place) else {
            state.open.insert(place, open);
            return None;
        };
        state.left_bytes -= left.end - place.1;
        Some((open, left))
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
        bytes: Result<&[u8], String>,
    ) -> Result<(), Failure> {
        match bytes {
            _ if self.damage.is_some() => {}
            Err(damage) => self.damage = Some(damage),
            Ok(bytes) => {
                self.hasher.update(bytes);
                sink.write(&mut self.sink, bytes)?;
            }
        }
        Ok(())
    }
}
