//! Whether an output is whole: it and all it names are in the store.

use std::collections::HashSet;
use std::sync::Mutex;

use crate::require::{self, Need};
use crate::shelf::{Kind, Located, Shelf};
use crate::{Digest, Error, Output};

/// What was found whole before. Only recipes and directories are remembered: their contents would
/// cost memory without end, and are looked up hundreds at a time.
#[derive(Default)]
pub(crate) struct KnownWhole {
    digests: Mutex<HashSet<Digest>>,
}

impl KnownWhole {
    fn contains(&self, digest: &Digest) -> bool {
        self.digests.lock().expect("no holder of this lock panics").contains(digest)
    }

    /// Forgets everything: what was whole may be no more.
    pub(crate) fn clear(&self) {
        self.digests.lock().expect("no holder of this lock panics").clear();
    }

    fn extend(&self, digests: HashSet<Digest>) {
        self.digests.lock().expect("no holder of this lock panics").extend(digests);
    }
}

/// Whether `output` is whole on `shelf`, down to the files its blobs lie in. One with a damaged
/// recipe or directory is not: who makes it again heals that.
pub(crate) fn is_whole(
    shelf: &dyn Shelf,
    output: &Output,
    known: &KnownWhole,
) -> Result<bool, Error> {
    let mut search = Search { shelf, seen: HashSet::new() };
    let mut needs = require::of_output(output);
    while !needs.is_empty() {
        needs.retain(|need| !known.contains(&need.digest()));
        match search.level(&needs) {
            Ok(Some(inner)) => needs = inner,
            Ok(None) => return Ok(false),
            Err(error @ Error::Corrupt { .. }) => {
                tracing::warn!(%output, %error, "not using an earlier output");
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
    }
    known.extend(search.seen);
    Ok(true)
}

struct Search<'a> {
    shelf: &'a dyn Shelf,
    /// Recipes and directories on the way: whole if the search ends well.
    seen: HashSet<Digest>,
}

impl Search<'_> {
    /// What `needs` need in turn; `None` if one of them is not here.
    fn level(&mut self, needs: &[Need]) -> Result<Option<Vec<Need>>, Error> {
        let located = self.shelf.locate_here(&require::digests(needs))?;
        let mut inner = Vec::new();
        for need in needs {
            let digest = need.digest();
            let found = located.get(&digest).filter(|found| need.is_met_by(Some(&found.found())));
            let Some(found) = found else { return Ok(None) };
            self.enter(&digest, found, &mut inner)?;
        }
        inner.sort_unstable();
        inner.dedup();
        Ok(Some(inner))
    }

    fn enter(
        &mut self,
        digest: &Digest,
        located: &Located,
        inner: &mut Vec<Need>,
    ) -> Result<(), Error> {
        let is_leaf = matches!(located.kind, Kind::Blob | Kind::PartTable);
        if !is_leaf && self.seen.insert(*digest) {
            inner.extend(require::of_stored(self.shelf, digest, located)?);
        }
        Ok(())
    }
}
