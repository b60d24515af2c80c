//! `distribute`: which files lie on which disc of a set. Labels, manifests and names of the discs
//! are the caller's; so are the bytes.
//!
//! Disc by disc, each takes every unit that still fits, in the order of declaration: first fit, not
//! sorted by size, so that a small edit moves nothing that lies before it. A unit that no disc holds
//! starts on a disc of its own and goes on on the next, file by file. What fits is asked of the
//! writer itself, so it cannot be wrong.

use std::collections::BTreeSet;
use std::ops::Range;

use super::SECTOR_SIZE_BYTES;
use super::error::WriteError;
use super::options::Options;
use super::tree::Tree;
use super::write::measure;

/// A file that is to lie on some disc.
#[derive(Debug, Clone)]
pub struct SetFile<C> {
    /// Its path, components separated by `/`.
    pub path: String,
    /// The caller's name of its bytes.
    pub content: C,
    /// How many bytes it has.
    pub size_bytes: u64,
}

/// What is to be distributed, and over discs of which kind.
#[derive(Debug)]
pub struct SetRequest<'a, C> {
    /// What only the first disc has, and must have.
    pub start: &'a [SetFile<C>],
    /// What every disc has: its manifest, as large as it can become.
    pub every: &'a [SetFile<C>],
    /// What stays together wherever a disc holds it as a whole, in order of declaration.
    pub units: &'a [Vec<SetFile<C>>],
    /// The most bytes of a disc.
    pub capacity_bytes: u64,
    /// Options of the first disc, which boots.
    pub first: &'a Options<C>,
    /// Options of the others; their labels are as long as any.
    pub others: &'a Options<C>,
}

/// Files of one unit that lie on one disc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The unit's position.
    pub unit: usize,
    /// Positions in the unit.
    pub files: Range<usize>,
}

/// Why there is no such set.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SetError {
    /// One of the files cannot be on any disc.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The first disc has no room for what it must have.
    #[error(
        "what a machine starts with takes {size_bytes} bytes, and a disc holds {capacity_bytes}; \
         the largest of it is `{largest}` with {largest_bytes} bytes"
    )]
    Start {
        /// The size of a disc with that and nothing else.
        size_bytes: u64,
        /// The size of a disc.
        capacity_bytes: u64,
        /// The path of the largest file.
        largest: String,
        /// Its size.
        largest_bytes: u64,
    },
    /// A file that fits no disc.
    #[error(
        "`{path}` has {size_bytes} bytes and fits no disc: one holds {capacity_bytes} bytes with \
         its file system, and no file is cut in two"
    )]
    File {
        /// Its path.
        path: String,
        /// Its size.
        size_bytes: u64,
        /// The size of a disc.
        capacity_bytes: u64,
    },
}

/// Gives each disc's shares in order. Costs a few measurements for each disc and for each unit
/// that only just does not fit.
pub fn distribute<C: Clone + Ord>(
    request: &SetRequest<'_, C>,
) -> Result<Vec<Vec<Share>>, SetError> {
    let whole = |(unit, files): (usize, &Vec<SetFile<C>>)| Share { unit, files: 0..files.len() };
    let mut waiting: Vec<Share> = request.units.iter().enumerate().map(whole).collect();
    let mut discs: Vec<Vec<Share>> = Vec::new();
    while discs.is_empty() || !waiting.is_empty() {
        let mut disc = OpenDisc::new(request, discs.is_empty())?;
        waiting = disc.fill(waiting)?;
        discs.push(disc.shares);
    }
    Ok(discs)
}

/// A disc that still takes files.
struct OpenDisc<'a, C> {
    request: &'a SetRequest<'a, C>,
    is_first: bool,
    options: &'a Options<C>,
    tree: Tree<C>,
    shares: Vec<Share>,
    floor: Floor<'a, C>,
}

/// Blocks that a disc needs at the very least: its contents, each once, and a file entry for each
/// file. Far cheaper than to measure, and enough to tell most units that do not fit.
struct Floor<'a, C> {
    contents: BTreeSet<(&'a C, u64)>,
    blocks: u64,
}

impl<C> Clone for Floor<'_, C> {
    fn clone(&self) -> Self {
        Floor { contents: self.contents.clone(), blocks: self.blocks }
    }
}

impl<'a, C: Ord> Floor<'a, C> {
    fn add(&mut self, file: &'a SetFile<C>) {
        self.blocks += 1;
        if self.contents.insert((&file.content, file.size_bytes)) {
            self.blocks += file.size_bytes.div_ceil(SECTOR_SIZE_BYTES);
        }
    }

    fn fits(&self, capacity_bytes: u64) -> bool {
        self.blocks.saturating_mul(SECTOR_SIZE_BYTES) <= capacity_bytes
    }
}

impl<'a, C: Clone + Ord> OpenDisc<'a, C> {
    fn new(request: &'a SetRequest<'a, C>, is_first: bool) -> Result<Self, SetError> {
        let start = if is_first { request.start } else { &[] };
        let options = if is_first { request.first } else { request.others };
        let (tree, shares) = (Tree::new(), Vec::new());
        let floor = Floor { contents: BTreeSet::new(), blocks: 0 };
        let mut disc = OpenDisc { request, is_first, options, tree, shares, floor };
        for file in start.iter().chain(request.every) {
            insert(&mut disc.tree, file)?;
            disc.floor.add(file);
        }
        let size_bytes = measure(&disc.tree, options)?;
        if size_bytes <= request.capacity_bytes {
            return Ok(disc);
        }
        let largest = start.iter().chain(request.every).max_by_key(|file| file.size_bytes);
        Err(SetError::Start {
            size_bytes,
            capacity_bytes: request.capacity_bytes,
            largest: largest.map_or_else(String::new, |file| file.path.clone()),
            largest_bytes: largest.map_or(0, |file| file.size_bytes),
        })
    }

    /// Takes all that fits, and gives what is left, in order.
    fn fill(&mut self, waiting: Vec<Share>) -> Result<Vec<Share>, SetError> {
        let mut left = Vec::new();
        let mut waiting = waiting.as_slice();
        if !self.is_first
            && let [large, behind @ ..] = waiting
            && self.run(std::slice::from_ref(large))? == 0
        {
            left.push(self.begin(large)?);
            waiting = behind;
        }
        while !waiting.is_empty() {
            let count = self.run(waiting)?;
            let (fitting, rest) = waiting.split_at(count);
            for share in fitting {
                self.take(share.clone())?;
            }
            waiting = rest;
            if let [misfit, behind @ ..] = waiting {
                left.push(misfit.clone());
                waiting = behind;
            }
        }
        Ok(left)
    }

    /// Takes the first files of a share that no disc holds; gives the others.
    fn begin(&mut self, share: &Share) -> Result<Share, SetError> {
        let single = |at| Share { unit: share.unit, files: at..at + 1 };
        let files: Vec<Share> = share.files.clone().map(single).collect();
        let middle = share.files.start + self.run(&files)?;
        if middle == share.files.start {
            let file = &self.request.units[share.unit][middle];
            return Err(SetError::File {
                path: file.path.clone(),
                size_bytes: file.size_bytes,
                capacity_bytes: self.request.capacity_bytes,
            });
        }
        self.take(Share { unit: share.unit, files: share.files.start..middle })?;
        Ok(Share { unit: share.unit, files: middle..share.files.end })
    }

    /// How many of the first `shares` fit together. A disc never shrinks by another file, so the
    /// number is found by halving.
    fn run(&self, shares: &[Share]) -> Result<usize, SetError> {
        let mut floor = self.floor.clone();
        let mut too_many = 0;
        for share in shares {
            self.files(share).iter().for_each(|file| floor.add(file));
            too_many += 1;
            if !floor.fits(self.request.capacity_bytes) {
                break;
            }
        }
        if floor.fits(self.request.capacity_bytes) {
            too_many += 1;
        }
        let mut fitting = 0;
        let mut next = too_many - 1;
        while fitting + 1 < too_many {
            if self.fits(&shares[..next])? {
                fitting = next;
            } else {
                too_many = next;
            }
            next = fitting + (too_many - fitting) / 2;
        }
        Ok(fitting)
    }

    fn fits(&self, shares: &[Share]) -> Result<bool, SetError> {
        let mut tree = self.tree.clone();
        for file in shares.iter().flat_map(|share| self.files(share)) {
            insert(&mut tree, file)?;
        }
        Ok(measure(&tree, self.options)? <= self.request.capacity_bytes)
    }

    fn take(&mut self, share: Share) -> Result<(), SetError> {
        for file in self.files(&share) {
            insert(&mut self.tree, file)?;
            self.floor.add(file);
        }
        self.shares.push(share);
        Ok(())
    }

    fn files(&self, share: &Share) -> &'a [SetFile<C>] {
        &self.request.units[share.unit][share.files.clone()]
    }
}

fn insert<C: Clone>(tree: &mut Tree<C>, file: &SetFile<C>) -> Result<(), WriteError> {
    Ok(tree.insert(&file.path, file.content.clone(), file.size_bytes)?)
}
