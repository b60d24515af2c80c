//! The canonical encoding of a directory: one directory, one byte string.
//!
//! ```text
//! directory := "MBDIREC1" entry*
//! entry     := 0x01 name digest:byte{32} size:u64le   a file
//!            | 0x02 name digest:byte{32}              a directory
//! name      := length:u8 byte{length}
//! ```
//! Entries ascend by the bytes of their names.

use crate::decode::Decoder;
use crate::recipe::SIZE_END_BYTES;
use crate::{Content, DecodeError, Directory, Entry, EntryName};

const MAGIC: &[u8; 8] = b"MBDIREC1";
const FILE: u8 = 1;
const DIRECTORY: u8 = 2;

impl Directory {
    /// The canonical encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for (name, entry) in self.iter() {
            encode_entry(&mut out, name, entry);
        }
        out
    }

    /// Reads an encoding; refuses any that is not canonical. Takes memory in proportion to
    /// `bytes`, whatever they say.
    pub fn decode(bytes: &[u8]) -> Result<Directory, DecodeError> {
        let mut decoder = Decoder::after(MAGIC, bytes)?;
        let mut directory = Directory::new();
        let mut last: Option<EntryName> = None;
        while !decoder.is_empty() {
            let (name, entry) = decode_entry(&mut decoder)?;
            if last.as_ref().is_some_and(|last| *last >= name) {
                return Err(decoder.error("names that do not ascend"));
            }
            last = Some(name.clone());
            let clash = decoder.error("names that differ only in case");
            directory.insert(name, entry).map_err(|_| clash)?;
        }
        Ok(directory)
    }
}

fn encode_entry(out: &mut Vec<u8>, name: &EntryName, entry: &Entry) {
    let (tag, digest) = match entry {
        Entry::File(content) => (FILE, &content.digest),
        Entry::Directory(digest) => (DIRECTORY, digest),
    };
    out.push(tag);
    out.push(name.as_str().len() as u8);
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(digest.as_bytes());
    if let Entry::File(content) = entry {
        out.extend_from_slice(&content.size_bytes.to_le_bytes());
    }
}

fn decode_entry(decoder: &mut Decoder<'_>) -> Result<(EntryName, Entry), DecodeError> {
    let tag = decoder.u8()?;
    let name = decode_name(decoder)?;
    let digest = decoder.digest()?;
    let entry = match tag {
        FILE => Entry::File(Content { digest, size_bytes: decode_size(decoder)? }),
        DIRECTORY => Entry::Directory(digest),
        _ => return Err(decoder.error("an unknown kind of entry")),
    };
    Ok((name, entry))
}

fn decode_name(decoder: &mut Decoder<'_>) -> Result<EntryName, DecodeError> {
    let length = decoder.u8()?;
    let bytes = decoder.take(u64::from(length))?;
    let text = std::str::from_utf8(bytes).map_err(|_| decoder.error("a name that is not UTF-8"))?;
    EntryName::parse(text).map_err(|_| decoder.error("a name that no directory takes"))
}

fn decode_size(decoder: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    match decoder.u64()? {
        size_bytes if size_bytes < SIZE_END_BYTES => Ok(size_bytes),
        _ => Err(decoder.error("a file that is too large")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;

    /// Any change breaks every stored directory and every key made from one, which is the point.
    #[test]
    fn the_encoding_is_pinned() {
        let mut directory = Directory::new();
        let content = Content { digest: Digest::of(b"x"), size_bytes: 1 };
        directory.insert(EntryName::parse("b").unwrap(), Entry::File(content)).unwrap();
        let sub = Entry::Directory(Directory::new().digest());
        directory.insert(EntryName::parse("a").unwrap(), sub).unwrap();
        assert_eq!(
            directory.digest().to_string(),
            "f0ed3ed43e6af0238b5e9c40f480993731067885aae12235506f38fc610070be"
        );
    }
}
