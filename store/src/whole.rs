//! Whether outputs are whole: they and all they name are in the store.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::require::{self, Need};
use crate::shelf::{self, Container, Found, Kind, Located, Shelf};
use crate::{Digest, Error, Output};

/// The files that a whole thing lies in, with all it needs.
pub(crate) type Containers = Arc<BTreeSet<Container>>;

/// What was found whole before. Only recipes and directories are remembered: their contents would
/// cost memory without end, and are looked up hundreds at a time.
#[derive(Default)]
pub(crate) struct KnownWhole {
    encodings: Mutex<HashMap<Digest, Known>>,
}

#[derive(Clone)]
struct Known {
    found: Found,
    containers: Containers,
}

impl KnownWhole {
    /// Forgets everything: what was whole may be no more.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Known>> {
        self.encodings.lock().expect("no holder of this lock panics")
    }
}

/// For each of `outputs` that is whole on `shelf`, down to the files its blobs lie in, those files.
/// One with a damaged recipe or directory is not: who makes it again heals that.
///
/// Everything is looked up once, however many outputs need it, and level by level, thousands at a
/// time; recipes and directories are read in the order in which they lie on disk.
pub(crate) fn whole(
    shelf: &dyn Shelf,
    outputs: &[Output],
    known: &KnownWhole,
) -> Result<Vec<Option<Containers>>, Error> {
    let roots: Vec<Need> = outputs.iter().flat_map(require::of_output).collect();
    let mut search = Search { shelf, known, nodes: HashMap::new() };
    let mut level = roots.clone();
    while !level.is_empty() {
        level = search.level(&level)?;
    }
    let mut judged = HashMap::new();
    let containers: Vec<_> = roots.iter().map(|root| search.judge(root, &mut judged)).collect();
    search.remember(judged);
    Ok(containers)
}

struct Search<'a> {
    shelf: &'a dyn Shelf,
    known: &'a KnownWhole,
    /// All that was looked up; `None` if it is not here, or damaged.
    nodes: HashMap<Digest, Option<Node>>,
}

struct Node {
    found: Found,
    /// One for what was just looked up; all of them for what was known.
    containers: Containers,
    needs: Vec<Need>,
}

impl Search<'_> {
    /// Looks up `needs`; answers what they need in turn and was not looked up yet.
    fn level(&mut self, needs: &[Need]) -> Result<Vec<Need>, Error> {
        let mut digests = self.unknown(needs);
        let located = self.shelf.locate_here(&digests)?;
        digests.sort_unstable_by_key(|digest| {
            located.get(digest).map(|located| (located.container, located.offset_bytes))
        });
        let mut reading = shelf::Encodings::new(self.shelf);
        let mut singles: HashMap<Container, Containers> = HashMap::new();
        let mut next = Vec::new();
        for digest in digests {
            let node = match located.get(&digest) {
                None => None,
                Some(located) => node(&mut reading, &digest, located, &mut singles)?,
            };
            next.extend(node.iter().flat_map(|node| &node.needs));
            self.nodes.insert(digest, node);
        }
        Ok(next)
    }

    /// Those of `needs` that must be looked up, each once.
    fn unknown(&mut self, needs: &[Need]) -> Vec<Digest> {
        let mut digests = require::digests(needs);
        digests.sort_unstable();
        digests.dedup();
        digests.retain(|digest| !self.nodes.contains_key(digest));
        let known = self.known.lock();
        digests.retain(|digest| match known.get(digest).cloned() {
            Some(Known { found, containers }) => {
                let node = Node { found, containers, needs: Vec::new() };
                self.nodes.insert(*digest, Some(node));
                false
            }
            None => true,
        });
        digests
    }

    /// The containers of what `root` names, if it is whole. `judged` holds the answer for each
    /// recipe and directory on the way: its needs are judged before it is.
    fn judge(
        &self,
        root: &Need,
        judged: &mut HashMap<Digest, Option<Containers>>,
    ) -> Option<Containers> {
        let mut path = vec![root.digest()];
        while let Some(digest) = path.last().copied() {
            if judged.contains_key(&digest) {
                path.pop();
                continue;
            }
            let depth = path.len();
            if let Some(Some(node)) = self.nodes.get(&digest) {
                let is_open = |need: &&Need| {
                    !self.is_leaf(&need.digest()) && !judged.contains_key(&need.digest())
                };
                path.extend(node.needs.iter().filter(is_open).map(Need::digest));
            }
            if path.len() == depth {
                path.pop();
                if !self.is_leaf(&digest) {
                    let containers = self.join(&digest, judged);
                    judged.insert(digest, containers);
                }
            }
        }
        self.met(root, judged)
    }

    /// The containers of a recipe or directory and of all its needs, if all of them are met.
    fn join(
        &self,
        digest: &Digest,
        judged: &HashMap<Digest, Option<Containers>>,
    ) -> Option<Containers> {
        let node = self.nodes.get(digest)?.as_ref()?;
        let mut containers = BTreeSet::clone(&node.containers);
        for need in &node.needs {
            containers.extend(self.met(need, judged)?.iter());
        }
        Some(Arc::new(containers))
    }

    fn met(&self, need: &Need, judged: &HashMap<Digest, Option<Containers>>) -> Option<Containers> {
        let digest = need.digest();
        let node = self.nodes.get(&digest)?.as_ref()?;
        match need.is_met_by(Some(&node.found)) {
            false => None,
            true if self.is_leaf(&digest) => Some(Arc::clone(&node.containers)),
            true => judged.get(&digest)?.clone(),
        }
    }

    /// Whether it needs nothing, or is not here.
    fn is_leaf(&self, digest: &Digest) -> bool {
        self.nodes
            .get(digest)
            .is_none_or(|node| node.as_ref().is_none_or(|node| node.needs.is_empty()))
    }

    fn remember(&self, judged: HashMap<Digest, Option<Containers>>) {
        let mut known = self.known.lock();
        for (digest, containers) in judged {
            let found = self.nodes.get(&digest).and_then(|node| Some(node.as_ref()?.found));
            if let (Some(containers), Some(found)) = (containers, found) {
                known.insert(digest, Known { found, containers });
            }
        }
    }
}

/// What is at `located`; `None` if it is damaged. Neighbours share the set of their one container.
fn node(
    reading: &mut shelf::Encodings<'_>,
    digest: &Digest,
    located: &Located,
    singles: &mut HashMap<Container, Containers>,
) -> Result<Option<Node>, Error> {
    let needs = match located.kind {
        Kind::Blob | Kind::PartTable => Vec::new(),
        Kind::Recipe | Kind::Directory => match reading.needs(digest, located) {
            Err(error @ Error::Corrupt { .. }) => {
                tracing::warn!(%error, "not trusted, so made anew when needed");
                return Ok(None);
            }
            needs => needs?,
        },
    };
    let containers = singles.entry(located.container);
    let containers = containers.or_insert_with(|| Arc::new(BTreeSet::from([located.container])));
    Ok(Some(Node { found: located.found(), containers: Arc::clone(containers), needs }))
}
