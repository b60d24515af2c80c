//! Contents to stored forms: chunk tables and chunks, for callers that encode chunks in parallel.
//!
//! ```text
//! resource:       (n-1) starts of chunks 1.. from the end of the table, u32 or u64 · n chunks
//! solid resource: u64 size · u32 chunk size · u32 codec · n sizes, u32 · n chunks
//! ```
//! Encoding a chunk looks at that chunk only, so any thread may do it; the results are added in
//! order. What is small is assembled by [`compress`]. What is large is never held as a whole: the
//! caller writes [`ChunkTable::size_bytes`] bytes of room, the chunks as they come, and in the end
//! the table into its room.

use super::chunks::SOLID_HEAD_BYTES;
use super::error::Error;
use super::header::Compression;

/// Encodes one chunk to the end of a buffer; `false` if it does not become smaller.
pub type EncodeChunk<'a> = dyn FnMut(&[u8], &mut Vec<u8>) -> bool + 'a;

/// Appends the stored form of one chunk: what `encode` makes of it, or its own bytes if that is no
/// smaller.
pub fn append_chunk(plain: &[u8], stored: &mut Vec<u8>, encode: &mut EncodeChunk<'_>) {
    let start = stored.len();
    let is_encoded = encode(plain, stored);
    // An encoder that says so and made it no smaller is not believed.
    if !is_encoded || !(start + 1..start + plain.len()).contains(&stored.len()) {
        stored.truncate(start);
        stored.extend_from_slice(plain);
    }
}

/// The table of a resource whose chunks are stored one after the other behind it.
#[derive(Debug, Clone)]
pub struct ChunkTable {
    shape: Shape,
    size_bytes: u64,
    chunk_bytes: u32,
    /// Stored sizes of the chunks so far, and their sum.
    stored: Vec<u32>,
    data_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Of a resource of its own.
    Single,
    /// Of a solid resource, with the codec it names.
    Solid(Compression),
}

impl ChunkTable {
    /// Of a content of `size_bytes` in chunks of `chunk_bytes`, as the header of the file says.
    pub fn new(size_bytes: u64, chunk_bytes: u32) -> Result<ChunkTable, Error> {
        ChunkTable::of_shape(Shape::Single, size_bytes, chunk_bytes)
    }

    /// Of a solid resource: contents of `size_bytes` in all, one behind the other. It has a codec,
    /// if only to say that all its chunks are raw: other readers know none without.
    pub fn solid(
        size_bytes: u64,
        compression: Compression,
        chunk_bytes: u32,
    ) -> Result<ChunkTable, Error> {
        ChunkTable::of_shape(Shape::Solid(compression), size_bytes, chunk_bytes)
    }

    fn of_shape(shape: Shape, size_bytes: u64, chunk_bytes: u32) -> Result<ChunkTable, Error> {
        let problem = match (size_bytes, chunk_bytes) {
            _ if shape == Shape::Solid(Compression::None) => "a solid resource has a codec",
            (0, _) => "an empty content has no resource",
            (_, 0) => "chunks have at least a byte",
            _ => {
                let (stored, data_bytes) = (Vec::new(), 0);
                return Ok(ChunkTable { shape, size_bytes, chunk_bytes, stored, data_bytes });
            }
        };
        Err(Error::Output { problem: problem.to_owned() })
    }

    /// How many chunks there are.
    pub fn chunk_count(&self) -> u64 {
        self.size_bytes.div_ceil(u64::from(self.chunk_bytes))
    }

    /// Size of the table, with the head of a solid resource.
    pub fn size_bytes(&self) -> u64 {
        match self.shape {
            Shape::Single => (self.chunk_count() - 1) * self.entry_bytes(),
            Shape::Solid(_) => SOLID_HEAD_BYTES + self.chunk_count() * self.entry_bytes(),
        }
    }

    /// Size of the table and the chunks added so far. As it only grows, a caller may give up on a
    /// resource that is not solid when this reaches the size of the content.
    pub fn stored_bytes(&self) -> u64 {
        self.size_bytes() + self.data_bytes
    }

    /// The next chunk is stored in so many bytes.
    pub fn add(&mut self, chunk_stored_bytes: usize) -> Result<(), Error> {
        let limit = self.size_of_next();
        let stored = u32::try_from(chunk_stored_bytes)
            .ok()
            .filter(|&stored| 0 < stored && u64::from(stored) <= limit);
        let Some(stored) = stored else {
            let index = self.stored.len();
            let problem = format!(
                "chunk {index} of a resource in 1 to {limit} bytes, found {chunk_stored_bytes}"
            );
            return Err(Error::Output { problem });
        };
        self.data_bytes += u64::from(stored);
        self.stored.push(stored);
        Ok(())
    }

    /// Plain size of the next chunk; 0 behind the last.
    fn size_of_next(&self) -> u64 {
        let chunk_bytes = u64::from(self.chunk_bytes);
        let start = self.stored.len() as u64 * chunk_bytes;
        self.size_bytes.saturating_sub(start).min(chunk_bytes)
    }

    /// The table; `None` if table and chunks are no smaller than the content, which must be stored
    /// raw then: Windows refuses compressed resources that are as long as their content. A solid
    /// resource is as it is.
    pub fn finish(&self) -> Result<Option<Vec<u8>>, Error> {
        if self.size_of_next() != 0 {
            let (found, count) = (self.stored.len(), self.chunk_count());
            let problem = format!("{found} chunks of a resource of {count}");
            return Err(Error::Output { problem });
        }
        Ok(match self.shape {
            Shape::Single if self.stored_bytes() >= self.size_bytes => None,
            Shape::Single => Some(self.starts()),
            Shape::Solid(compression) => Some(self.sizes(compression)),
        })
    }

    fn starts(&self) -> Vec<u8> {
        let width = self.entry_bytes() as usize;
        let mut bytes = Vec::with_capacity(self.size_bytes() as usize);
        let mut start = 0_u64;
        for &stored in &self.stored[..self.stored.len() - 1] {
            start += u64::from(stored);
            bytes.extend_from_slice(&start.to_le_bytes()[..width]);
        }
        bytes
    }

    fn sizes(&self, compression: Compression) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size_bytes() as usize);
        bytes.extend_from_slice(&self.size_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.chunk_bytes.to_le_bytes());
        bytes.extend_from_slice(&u32::from(compression.number()).to_le_bytes());
        bytes.extend(self.stored.iter().flat_map(|stored| stored.to_le_bytes()));
        bytes
    }

    fn entry_bytes(&self) -> u64 {
        match self.shape {
            Shape::Single if self.size_bytes > u64::from(u32::MAX) => 8,
            _ => 4,
        }
    }
}

/// The stored form of a content that is in memory; `None` if it must be stored raw. For callers
/// without a pool.
pub fn compress(
    plain: &[u8],
    chunk_bytes: u32,
    encode: &mut EncodeChunk<'_>,
) -> Result<Option<Vec<u8>>, Error> {
    if plain.is_empty() {
        return Ok(None);
    }
    let table = ChunkTable::new(plain.len() as u64, chunk_bytes)?;
    assemble(table, plain, chunk_bytes, encode)
}

/// The stored form of a solid resource whose contents, one behind the other, are in memory.
pub fn compress_solid(
    plain: &[u8],
    compression: Compression,
    chunk_bytes: u32,
    encode: &mut EncodeChunk<'_>,
) -> Result<Vec<u8>, Error> {
    let table = ChunkTable::solid(plain.len() as u64, compression, chunk_bytes)?;
    Ok(assemble(table, plain, chunk_bytes, encode)?.unwrap_or_default())
}

fn assemble(
    mut table: ChunkTable,
    plain: &[u8],
    chunk_bytes: u32,
    encode: &mut EncodeChunk<'_>,
) -> Result<Option<Vec<u8>>, Error> {
    let mut data = Vec::new();
    for chunk in plain.chunks(chunk_bytes as usize) {
        let start = data.len();
        append_chunk(chunk, &mut data, encode);
        table.add(data.len() - start)?;
    }
    Ok(table.finish()?.map(|mut bytes| {
        bytes.append(&mut data);
        bytes
    }))
}

#[cfg(test)]
mod tests {
    use super::{ChunkTable, append_chunk, compress, compress_solid};
    use crate::wim::Compression;

    /// Keeps every fourth byte.
    fn quarter(plain: &[u8], out: &mut Vec<u8>) -> bool {
        out.extend(plain.iter().step_by(4));
        true
    }

    #[test]
    fn starts_count_from_the_end_of_the_table_and_leave_out_the_first() {
        let stored = compress(&[7; 20], 8, &mut quarter).expect("chunks").expect("smaller");
        assert_eq!(stored, [2, 0, 0, 0, 4, 0, 0, 0, 7, 7, 7, 7, 7]);
    }

    #[test]
    fn what_does_not_become_smaller_is_raw() {
        let mut never = |_: &[u8], _: &mut Vec<u8>| false;
        assert_eq!(compress(&[7; 20], 8, &mut never).expect("chunks"), None);
        // The chunks become smaller, the table makes up for it: 4 + 4 bytes.
        let mut by_one = |plain: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(&plain[..plain.len() - 2]);
            true
        };
        assert_eq!(compress(&[7; 8], 4, &mut by_one).expect("chunks"), None);
        assert!(compress(&[7; 4], 4, &mut by_one).expect("chunks").is_some());
        let mut longer = |plain: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(plain);
            true
        };
        let mut stored = vec![9];
        append_chunk(&[1, 2], &mut stored, &mut longer);
        append_chunk(&[3, 4, 5], &mut stored, &mut by_one);
        append_chunk(&[6, 7], &mut stored, &mut by_one);
        append_chunk(&[8, 8], &mut stored, &mut never);
        assert_eq!(stored, [9, 1, 2, 3, 6, 7, 8, 8]);
        assert_eq!(compress(&[], 4, &mut by_one).expect("nothing"), None);
    }

    #[test]
    fn tables_of_large_contents_have_wide_entries() {
        let table = |size_bytes| ChunkTable::new(size_bytes, 1 << 15).expect("a table");
        assert_eq!(table(u64::from(u32::MAX)).size_bytes(), (1 << 17) * 4 - 4);
        let mut wide = table(u64::from(u32::MAX) + 1);
        assert_eq!(wide.size_bytes(), (1 << 17) * 8 - 8);
        for _ in 0..1 << 17 {
            wide.add(0x7000).expect("a chunk");
        }
        let bytes = wide.finish().expect("all chunks").expect("smaller");
        assert_eq!(bytes.len() as u64, wide.size_bytes());
        assert_eq!(bytes[bytes.len() - 8..], (0x7000 * 0x1ffff_u64).to_le_bytes());
    }

    #[test]
    fn solid_heads_name_size_chunk_and_codec() {
        let stored = compress_solid(&[7; 12], Compression::Lzms, 8, &mut quarter).expect("chunks");
        let head = [12, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0];
        assert_eq!(stored[..16], head);
        assert_eq!(stored[16..], [2, 0, 0, 0, 1, 0, 0, 0, 7, 7, 7]);
        let mut never = |_: &[u8], _: &mut Vec<u8>| false;
        let raw = compress_solid(&[7], Compression::Lzms, 8, &mut never).expect("a chunk");
        assert_eq!(raw[16..], [1, 0, 0, 0, 7]);
    }

    #[test]
    fn wrong_chunks_are_errors() {
        let mut table = ChunkTable::new(10, 8).expect("a table");
        assert!(table.finish().is_err() && table.add(9).is_err() && table.add(0).is_err());
        table.add(8).expect("a raw chunk");
        assert_eq!(
            table.add(3).expect_err("a chunk that grew").to_string(),
            "chunk 1 of a resource in 1 to 2 bytes, found 3"
        );
        table.add(1).expect("a chunk");
        assert!(table.add(1).is_err(), "behind the last");
        assert!(ChunkTable::new(0, 8).is_err() && ChunkTable::new(8, 0).is_err());
        ChunkTable::solid(8, Compression::None, 8).expect_err("no codec");
    }
}
