//! `SparseDisc`: a disc as the fuzzer sees it, sectors with their numbers.
//!
//! ```text
//! disc   := sectors:u16le flags:u8 sector*
//! sector := number:u16le size:u16le byte{size}      what is not there is zeros
//! ```
//! Why: a disc has half a megabyte of zeros before its first file, on which mutations are wasted.

use std::collections::BTreeMap;
use std::io;

use mediabuild_formats::iso::SECTOR_SIZE_BYTES;
use mediabuild_formats::source::Source;

const SECTOR_BYTES: usize = SECTOR_SIZE_BYTES as usize;
/// Larger discs only take time.
const SECTOR_COUNT_MAX: u16 = 2048;
/// Flag: checksums of UDF tags are made right, so that mutations get past them.
const RESEAL: u8 = 1;
const TAG_BYTES: usize = 16;

/// A disc that keeps no zeros.
pub struct SparseDisc {
    size_bytes: u64,
    sectors: BTreeMap<u64, [u8; SECTOR_BYTES]>,
}

impl SparseDisc {
    /// Reads an input, as far as it goes.
    pub fn decode(input: &[u8]) -> SparseDisc {
        let (size, rest) = u16_of(input);
        let (flags, mut rest) = rest.split_first().unwrap_or((&0, &[]));
        let size_bytes = u64::from(size.min(SECTOR_COUNT_MAX)) * SECTOR_SIZE_BYTES;
        let mut sectors = BTreeMap::new();
        while !rest.is_empty() {
            let (number, behind) = u16_of(rest);
            let (size, behind) = u16_of(behind);
            let size = usize::from(size).min(SECTOR_BYTES).min(behind.len());
            let (bytes, behind) = behind.split_at(size);
            let mut sector = [0; SECTOR_BYTES];
            sector[..size].copy_from_slice(bytes);
            if flags & RESEAL != 0 {
                reseal(&mut sector);
            }
            sectors.insert(number.into(), sector);
            rest = behind;
        }
        SparseDisc { size_bytes, sectors }
    }

    /// The input that stands for `disc`; `None` if it is too large.
    pub fn encode(disc: &[u8], is_resealed: bool) -> Option<Vec<u8>> {
        let count = u16::try_from(disc.len() / SECTOR_BYTES).ok();
        let count = count.filter(|&count| count <= SECTOR_COUNT_MAX)?;
        let mut input = count.to_le_bytes().to_vec();
        input.push(if is_resealed { RESEAL } else { 0 });
        for (number, sector) in (0..count).zip(disc.chunks_exact(SECTOR_BYTES)) {
            let size = sector.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            if size > 0 {
                input.extend_from_slice(&number.to_le_bytes());
                input.extend_from_slice(&(size as u16).to_le_bytes());
                input.extend_from_slice(&sector[..size]);
            }
        }
        Some(input)
    }
}

impl Source for SparseDisc {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset_bytes.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size_bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut done = 0;
        while done < buffer.len() {
            let at = offset_bytes + done as u64;
            let within = (at % SECTOR_SIZE_BYTES) as usize;
            let size = (SECTOR_BYTES - within).min(buffer.len() - done);
            let target = &mut buffer[done..done + size];
            match self.sectors.get(&(at / SECTOR_SIZE_BYTES)) {
                Some(sector) => target.copy_from_slice(&sector[within..within + size]),
                None => target.fill(0),
            }
            done += size;
        }
        Ok(())
    }
}

/// Makes the checksum right of everything that looks like a tag: an identifier, a version of 2 or 3.
fn reseal(sector: &mut [u8; SECTOR_BYTES]) {
    for start in (0..SECTOR_BYTES - TAG_BYTES).step_by(4) {
        let tag = &mut sector[start..start + TAG_BYTES];
        let identifier = u16::from_le_bytes([tag[0], tag[1]]);
        if matches!(identifier, 1..=9 | 256..=266) && matches!(tag[2], 2 | 3) && tag[3] == 0 {
            tag[4] = 0;
            tag[4] = tag.iter().fold(0, |sum: u8, &byte| sum.wrapping_add(byte));
        }
    }
}

/// The next number, 0 at the end.
fn u16_of(bytes: &[u8]) -> (u16, &[u8]) {
    match bytes.split_first_chunk() {
        Some((number, rest)) => (u16::from_le_bytes(*number), rest),
        None => (0, &[]),
    }
}
