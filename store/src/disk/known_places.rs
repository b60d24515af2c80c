//! `KnownPlaces`: what the index said of objects, remembered while the handle lives.
//!
//! A build asks for the same contents again and again: whether a listing, a recipe, an export may name
//! them. A place that was right once is right as long as its file is there, because files never
//! change and a pack's number always means the same pack; whoever uses one looks at the file first,
//! as with a place that comes from the index. And what was looked up is leased, so nobody takes it.
//! The one thing that moves is what was damaged and is stored anew: that is forgotten when this handle
//! commits it (another process's repair shows at the next start).
//!
//! That something is *not* here is never remembered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::Digest;
use crate::shelf::Located;

/// So many take 10 MB; of what comes after them the index is asked each time.
const PLACES_MAX: usize = 1 << 16;

#[derive(Default)]
pub(super) struct KnownPlaces {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    places: HashMap<Digest, Located>,
    /// How often something was forgotten.
    moment: Moment,
}

/// What the index said before something was forgotten is not kept after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moment(u64);

impl KnownPlaces {
    /// To be asked before the index is.
    pub(super) fn moment(&self) -> Moment {
        self.lock().moment
    }

    /// The places of those of `digests` that are known.
    pub(super) fn of(&self, digests: &[Digest]) -> Vec<(Digest, Located)> {
        let inner = self.lock();
        digests.iter().filter_map(|it| Some((*it, *inner.places.get(it)?))).collect()
    }

    /// Remembers what the index said after the moment `since`.
    pub(super) fn keep(&self, since: Moment, objects: &[(Digest, Located)]) {
        let mut inner = self.lock();
        if inner.moment == since {
            let room = PLACES_MAX.saturating_sub(inner.places.len());
            inner.places.extend(objects.iter().take(room).copied());
        }
    }

    /// Forgets `digests`, whose rows were replaced.
    pub(super) fn forget(&self, digests: impl Iterator<Item = Digest>) {
        let mut inner = self.lock();
        inner.moment.0 += 1;
        for digest in digests {
            inner.places.remove(&digest);
        }
    }

    /// Forgets everything: files are moved or removed.
    pub(super) fn clear(&self) {
        let mut inner = self.lock();
        inner.moment.0 += 1;
        inner.places.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::{Container, Kind};

    fn place(digest: Digest) -> (Digest, Located) {
        let container = Container::Object(Kind::Blob, digest);
        let (size_bytes, stored_bytes, offset_bytes) = (3, 3, 0);
        (digest, Located { kind: Kind::Blob, size_bytes, container, offset_bytes, stored_bytes })
    }

    #[test]
    fn what_was_replaced_meanwhile_is_not_kept() {
        let (known, one, two) = (KnownPlaces::default(), Digest::of(b"1"), Digest::of(b"2"));
        known.keep(known.moment(), &[place(one), place(two)]);
        assert_eq!(known.of(&[two, one]), [place(two), place(one)]);
        let before = known.moment();
        known.forget([one].into_iter());
        assert_eq!(known.of(&[one, two]), [place(two)]);
        known.keep(before, &[place(one)]);
        assert_eq!(known.of(&[one]), []);
        known.clear();
        assert_eq!(known.of(&[two]), []);
    }
}
