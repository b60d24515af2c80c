//! Packs: one file for all the small things of a batch, one sequential write and one flush.
//!
//! ```text
//! pack    := "MBPACK01" member-bytes* table trailer
//! table   := (kind:u8 digest:byte{32} offset:u64le size:u64le)*
//! trailer := count:u64le id:byte{32} "MBPACKT1"
//! ```
//! The id, which names the file, is the digest of the table in a domain of its own. The table is
//! for rebuilding the index; readers never need it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::aligned::AlignedBuffer;
use crate::decode::Decoder;
use crate::shelf::Kind;
use crate::{DecodeError, Digest, Error, os};

const MAGIC: &[u8; 8] = b"MBPACK01";
const TRAILER_MAGIC: &[u8; 8] = b"MBPACKT1";
const CONTEXT: &str = "mediabuild store pack v1";

/// What a member takes in the table.
const MEMBER_BYTES: u64 = 49;
const TRAILER_BYTES: u64 = 48;

/// How much is collected before it is written.
const BUFFER_BYTES: usize = 4 << 20;

/// A pack that is being written.
pub(super) struct PackWriter {
    path: PathBuf,
    file: File,
    /// What is not in the file yet.
    buffer: AlignedBuffer,
    size_bytes: u64,
    table: Vec<u8>,
    member_count: u64,
}

/// A pack that is complete, not yet durable.
pub(super) struct FinishedPack {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) id: Digest,
    pub(super) size_bytes: u64,
}

impl PackWriter {
    pub(super) fn create(folder: &Path) -> Result<PackWriter, Error> {
        let path = folder.join("pack");
        let file = File::create_new(&path).map_err(Error::io("make", &path))?;
        let mut buffer = AlignedBuffer::new(BUFFER_BYTES);
        buffer.take(MAGIC);
        let size_bytes = MAGIC.len() as u64;
        let (table, member_count) = (Vec::new(), 0);
        Ok(PackWriter { path, file, buffer, size_bytes, table, member_count })
    }

    /// Appends a member; answers where it lies.
    pub(super) fn append(
        &mut self,
        kind: Kind,
        digest: &Digest,
        bytes: &[u8],
    ) -> Result<u64, Error> {
        let offset_bytes = self.size_bytes;
        self.write(bytes)?;
        self.table.push(kind as u8);
        self.table.extend_from_slice(digest.as_bytes());
        self.table.extend_from_slice(&offset_bytes.to_le_bytes());
        self.table.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.member_count += 1;
        Ok(offset_bytes)
    }

    /// Writes the table and closes the pack for good.
    pub(super) fn finish(mut self) -> Result<FinishedPack, Error> {
        let table = std::mem::take(&mut self.table);
        let id = Digest::derive(CONTEXT, &table);
        self.write(&table)?;
        self.write(&self.member_count.to_le_bytes())?;
        self.write(id.as_bytes())?;
        self.write(TRAILER_MAGIC)?;
        self.flush(false)?;
        os::seal(&self.file).map_err(Error::io("make read-only", &self.path))?;
        Ok(FinishedPack { path: self.path, file: self.file, id, size_bytes: self.size_bytes })
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.size_bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            bytes = self.buffer.take(bytes);
            if self.buffer.is_full() {
                self.flush(true)?;
            }
        }
        Ok(())
    }

    /// Writes what is in the buffer; around the cache, where that can be.
    fn flush(&mut self, direct: bool) -> Result<(), Error> {
        let bytes = self.buffer.filled();
        let written = os::write_all(&mut self.file, bytes, direct);
        written.map_err(Error::write(&self.path, bytes.len() as u64))?;
        self.buffer.clear();
        Ok(())
    }
}

/// A member of a pack, as its table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) kind: Kind,
    pub(super) digest: Digest,
    pub(super) offset_bytes: u64,
    pub(super) size_bytes: u64,
}

/// How much of a pack one member of `stored_bytes` takes.
pub(super) fn member_bytes(stored_bytes: u64) -> u64 {
    stored_bytes + MEMBER_BYTES
}

/// How much all members of a pack of `size_bytes` take.
pub(super) fn members_bytes(size_bytes: u64) -> u64 {
    size_bytes.saturating_sub(MAGIC.len() as u64 + TRAILER_BYTES)
}

/// The table of the pack at `path`; `None` if there is no such file, or its table is damaged.
pub(super) fn read_table(path: &Path) -> Result<Option<Vec<Member>>, Error> {
    let file = match File::open(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(Error::io("open", path))?,
    };
    let file_bytes = file.metadata().map_err(Error::io("look at", path))?.len();
    let read = |offset_bytes: u64, size_bytes: u64| {
        let mut bytes = vec![0; size_bytes as usize];
        os::read_exact_at(&file, offset_bytes, &mut bytes).map_err(Error::io("read", path))?;
        Ok::<_, Error>(bytes)
    };
    let Some(trailer_start) = file_bytes.checked_sub(TRAILER_BYTES) else { return Ok(None) };
    let trailer = read(trailer_start, TRAILER_BYTES)?;
    let Ok((count, id)) = decode_trailer(&trailer) else { return Ok(None) };
    let table_bytes = count.checked_mul(MEMBER_BYTES).filter(|it| *it <= trailer_start);
    let Some(table_bytes) = table_bytes else { return Ok(None) };
    let table = read(trailer_start - table_bytes, table_bytes)?;
    if Digest::derive(CONTEXT, &table) != id {
        return Ok(None);
    }
    Ok(decode_table(&table, trailer_start - table_bytes).ok())
}

fn decode_trailer(bytes: &[u8]) -> Result<(u64, Digest), DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let (count, id) = (decoder.u64()?, decoder.digest()?);
    match decoder.take(TRAILER_MAGIC.len() as u64)? == TRAILER_MAGIC {
        true => Ok((count, id)),
        false => Err(decoder.error("no trailer of a pack")),
    }
}

/// Refuses members that do not end before `end_bytes`.
fn decode_table(bytes: &[u8], end_bytes: u64) -> Result<Vec<Member>, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let mut members = Vec::with_capacity(bytes.len() / MEMBER_BYTES as usize);
    while !decoder.is_empty() {
        let kind = Kind::from_number(decoder.u8()?.into());
        let (kind, digest) = (kind.ok_or(decoder.error("no kind"))?, decoder.digest()?);
        let (offset_bytes, size_bytes) = (decoder.u64()?, decoder.u64()?);
        if offset_bytes.checked_add(size_bytes).is_none_or(|end| end > end_bytes) {
            return Err(decoder.error("a member outside of the pack"));
        }
        members.push(Member { kind, digest, offset_bytes, size_bytes });
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a rebuild of the index will rely on.
    #[test]
    fn the_table_at_the_end_names_every_member() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = PackWriter::create(folder.path()).unwrap();
        let digest = Digest::of(b"small");
        let offset_bytes = writer.append(Kind::Blob, &digest, b"small").unwrap();
        let pack = writer.finish().unwrap();

        let bytes = std::fs::read(&pack.path).unwrap();
        assert_eq!(bytes.len() as u64, pack.size_bytes);
        assert_eq!(&bytes[offset_bytes as usize..][..5], b"small");
        let (rest, trailer) = bytes.split_at(bytes.len() - 48);
        assert_eq!(trailer[..8], 1u64.to_le_bytes());
        assert_eq!(trailer[8..40], *pack.id.as_bytes());
        let member = &rest[rest.len() - 49..];
        assert_eq!(member[0], Kind::Blob as u8);
        assert_eq!(member[1..33], *digest.as_bytes());
        let member = Member { kind: Kind::Blob, digest, offset_bytes, size_bytes: 5 };
        assert_eq!(read_table(&pack.path).unwrap(), Some(vec![member]));
        assert_eq!(members_bytes(pack.size_bytes), member_bytes(5));
    }

    #[test]
    fn a_damaged_table_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = PackWriter::create(folder.path()).unwrap();
        writer.append(Kind::Blob, &Digest::of(b"small"), b"small").unwrap();
        let pack = writer.finish().unwrap();
        let bytes = std::fs::read(&pack.path).unwrap();
        let copy = folder.path().join("copy");
        for index in bytes.len() - 97..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[index] ^= 1;
            std::fs::write(&copy, bytes).unwrap();
            assert_eq!(read_table(&copy).unwrap(), None, "byte {index}");
        }
        std::fs::write(&copy, &bytes[..20]).unwrap();
        assert_eq!(read_table(&copy).unwrap(), None);
    }
}
