//! Windows: what is in memory at a time, read by many threads, or a segment after the other.

use std::io::Read;

use mediabuild_store::{Content, Digest};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use sha1::Digest as _;

use super::encode::Encoded;
use super::memo::Memos;
use super::plain::{Plain, WimResource, expect_end};
use super::{Form, SEGMENT_BYTES, Work};
use crate::builders::coding::Coding;
use crate::builders::solid_stream::SolidStream;
use crate::cancel;
use crate::failure::Failure;

/// How much is read, encoded or stored at a time. There are three such windows, plain and encoded;
/// smaller ones leave cores waiting for the last chunks, larger ones gain nothing.
const WINDOW_BYTES: u64 = 16 << 20;

/// … and how many contents.
const WINDOW_UNITS: usize = 4096;

/// A content, or a segment of a large one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    /// Which of the plain contents.
    pub(super) number: usize,
    /// Where the segment starts.
    pub(super) offset_bytes: u64,
    pub(super) size_bytes: usize,
    pub(super) is_last: bool,
}

impl Unit {
    /// Whether it is all of its content.
    pub(super) fn is_whole(&self) -> bool {
        self.offset_bytes == 0 && self.is_last
    }
}

/// The size of a segment: at least one chunk, and whole chunks.
pub(super) fn segment_bytes(coding: Coding) -> u64 {
    SEGMENT_BYTES.max(u64::from(coding.chunk_bytes))
}

/// The units of `unknown`, in order, in windows.
pub(super) fn windows(plains: &[Plain<'_>], unknown: &[usize], coding: Coding) -> Vec<Vec<Unit>> {
    let segment_bytes = segment_bytes(coding);
    let mut windows: Vec<Vec<Unit>> = Vec::new();
    let mut room_bytes = 0;
    for unit in unknown.iter().flat_map(|&number| units(number, &plains[number], segment_bytes)) {
        let size_bytes = unit.size_bytes as u64;
        match windows.last_mut() {
            Some(window) if size_bytes <= room_bytes && window.len() < WINDOW_UNITS => {
                window.push(unit);
            }
            _ => {
                windows.push(vec![unit]);
                room_bytes = WINDOW_BYTES;
            }
        }
        room_bytes = room_bytes.saturating_sub(size_bytes);
    }
    windows
}

fn units(
    number: usize,
    plain: &Plain<'_>,
    segment_bytes: u64,
) -> impl Iterator<Item = Unit> + use<> {
    let all_bytes = plain.size_bytes();
    (0..all_bytes.div_ceil(segment_bytes)).map(move |segment| {
        let offset_bytes = segment * segment_bytes;
        let size_bytes = (all_bytes - offset_bytes).min(segment_bytes);
        let is_last = offset_bytes + size_bytes == all_bytes;
        Unit { number, offset_bytes, size_bytes: size_bytes as usize, is_last }
    })
}

/// Some contents in memory.
#[derive(Default)]
pub(super) struct Window {
    pub(super) units: Vec<Loaded>,
    /// At least as long as the units; what is behind them is left from before.
    plain: Vec<u8>,
    pub(super) encoded: Encoded,
}

/// A unit whose bytes are there.
pub(super) struct Loaded {
    pub(super) unit: Unit,
    /// The content of a unit that is whole.
    pub(super) content: Option<Content>,
    /// What is known of it, now that its bytes have been seen.
    pub(super) known: Option<Form>,
}

impl Window {
    /// Reads `units`.
    pub(super) fn load<'a>(
        &mut self,
        units: &[Unit],
        ordered: &mut OrderedReader<'a>,
        work: &Work<'a>,
    ) -> Result<(), Failure> {
        self.units.clear();
        let all_bytes = units.iter().map(|unit| unit.size_bytes).sum();
        if self.plain.len() < all_bytes {
            self.plain.resize(all_bytes, 0);
        }
        let (mut small, mut in_order) = (Vec::new(), Vec::new());
        let mut rest = &mut self.plain[..];
        for unit in units {
            let (bytes, after) = rest.split_at_mut(unit.size_bytes);
            rest = after;
            let is_parallel = unit.is_whole() && work.plains[unit.number].solid().is_none();
            if is_parallel { small.push((unit, bytes)) } else { in_order.push((unit, bytes)) }
        }
        for (unit, bytes) in in_order {
            ordered.read(unit, bytes, work)?;
        }
        let read: Vec<Result<(), Failure>> =
            small.into_par_iter().map(|(unit, bytes)| read(unit, bytes, work)).collect();
        read.into_iter().collect::<Result<(), _>>()?;
        let contents = contents(units, &self.plain, work);
        let loaded = |(&unit, content)| Loaded { unit, content, known: None };
        self.units.extend(units.iter().zip(contents).map(loaded));
        self.recall_decoded(work)
    }

    /// What was decoded may be known by what it is.
    fn recall_decoded(&mut self, work: &Work<'_>) -> Result<(), Failure> {
        let is_decoded = |loaded: &&mut Loaded| work.plains[loaded.unit.number].content().is_none();
        let decoded: Vec<&mut Loaded> =
            self.units.iter_mut().filter(is_decoded).filter(|it| it.content.is_some()).collect();
        let contents: Vec<Content> = decoded.iter().filter_map(|loaded| loaded.content).collect();
        if contents.is_empty() {
            return Ok(());
        }
        let known = Memos::new(work.coding).recall_contents(&contents, work.context)?;
        decoded.into_iter().zip(known).for_each(|(loaded, known)| loaded.known = known);
        Ok(())
    }

    /// Encodes what is not known.
    pub(super) fn encode(&mut self, work: &Work<'_>) -> Result<(), Failure> {
        let chunk_bytes = work.coding.chunk_bytes as usize;
        let open = self.plains().filter(|(loaded, _)| loaded.known.is_none());
        let chunks: Vec<&[u8]> = open.flat_map(|(_, bytes)| bytes.chunks(chunk_bytes)).collect();
        let job = work.context.job;
        self.encoded = work.encoders.encode(&chunks, &|bytes| job.advance(bytes))?;
        Ok(())
    }

    /// The units with their bytes.
    pub(super) fn plains(&self) -> impl Iterator<Item = (&Loaded, &[u8])> {
        let mut rest = &self.plain[..];
        self.units.iter().map(move |loaded| {
            let (bytes, after) = rest.split_at(loaded.unit.size_bytes);
            rest = after;
            (loaded, bytes)
        })
    }
}

/// Reads a whole content.
fn read(unit: &Unit, bytes: &mut [u8], work: &Work<'_>) -> Result<(), Failure> {
    cancel::check()?;
    work.plains[unit.number].read(bytes, work.context)
}

/// What the units that are whole are called.
fn contents(units: &[Unit], plain: &[u8], work: &Work<'_>) -> Vec<Option<Content>> {
    let mut rest = plain;
    let mut with_bytes = |unit: &Unit| {
        let (bytes, after) = rest.split_at(unit.size_bytes);
        rest = after;
        (*unit, bytes)
    };
    let units: Vec<(Unit, &[u8])> = units.iter().map(&mut with_bytes).collect();
    let content = |(unit, bytes): (Unit, &[u8])| {
        let known = work.plains[unit.number].content();
        let computed = || Content { digest: Digest::of(bytes), size_bytes: bytes.len() as u64 };
        unit.is_whole().then(|| known.unwrap_or_else(computed))
    };
    units.into_par_iter().map(content).collect()
}

/// What must be read in order: the large content whose segments are being read, and blobs in solid
/// resources.
#[derive(Default)]
pub(super) struct OrderedReader<'a> {
    large: Option<Box<dyn Read + Send + 'a>>,
    solid: SolidStream<'a>,
    /// Of the solid blob that is being read.
    hasher: sha1::Sha1,
}

impl<'a> OrderedReader<'a> {
    /// Reads a part of a content, or all of it. Parts of one come in their order.
    pub(super) fn read(
        &mut self,
        unit: &Unit,
        bytes: &mut [u8],
        work: &Work<'a>,
    ) -> Result<(), Failure> {
        cancel::check()?;
        let plain = &work.plains[unit.number];
        match plain.solid() {
            Some(resource) => self.read_solid(unit, resource, bytes),
            None => self.read_large(unit, plain, bytes, work),
        }
    }

    fn read_large(
        &mut self,
        unit: &Unit,
        plain: &Plain<'a>,
        bytes: &mut [u8],
        work: &Work<'a>,
    ) -> Result<(), Failure> {
        if unit.offset_bytes == 0 {
            self.large = Some(plain.open(work.context)?);
        }
        let reader = self.large.as_mut().expect("segments come in order").as_mut();
        reader.read_exact(bytes).map_err(|error| plain.unreadable(error))?;
        if unit.is_last {
            expect_end(reader).map_err(|error| plain.unreadable(error))?;
            self.large = None;
        }
        Ok(())
    }

    fn read_solid(
        &mut self,
        unit: &Unit,
        resource: &WimResource<'a>,
        bytes: &mut [u8],
    ) -> Result<(), Failure> {
        let reader = match unit.offset_bytes {
            0 => self.solid.blob(resource.wim, resource.entry)?,
            _ => self.solid.go_on(),
        };
        reader.read_exact(bytes).map_err(|error| Plain::Resource(*resource).unreadable(error))?;
        self.hasher.update(&*bytes);
        let expected = resource.entry.sha1;
        if unit.is_last && self.hasher.finalize_reset().as_slice() != expected.0 {
            return Err(Failure::build(format!("the SHA-1 of blob {expected} is another one")));
        }
        Ok(())
    }
}
