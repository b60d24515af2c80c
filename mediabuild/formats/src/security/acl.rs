//! `Acl`: a list of entries.

use super::ace::Ace;
use super::error::Error;

/// Head of a list.
const HEAD_BYTES: usize = 8;
/// Revision of lists without entries about types of objects.
const REVISION: u8 = 2;
/// Revision of lists with such entries.
const REVISION_OBJECT: u8 = 4;

/// A list of entries, in the order in which they are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl {
    /// The entries.
    pub aces: Vec<Ace>,
}

impl Acl {
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let start = bytes.len();
        let has_objects = self.aces.iter().any(|ace| Ace::is_object_kind(ace.kind));
        let revision = if has_objects { REVISION_OBJECT } else { REVISION };
        bytes.extend_from_slice(&[revision, 0, 0, 0, 0, 0, 0, 0]);
        self.aces.iter().try_for_each(|ace| ace.encode(bytes))?;
        let size = bytes.len() - start;
        let (Ok(size), Ok(count)) = (u16::try_from(size), u16::try_from(self.aces.len())) else {
            let problem = format!("a list of {size} bytes, at most {}", u16::MAX);
            return Err(Error::TooLarge { problem });
        };
        // +0x02: size; +0x04: entries
        bytes[start + 2..start + 4].copy_from_slice(&size.to_le_bytes());
        bytes[start + 4..start + 6].copy_from_slice(&count.to_le_bytes());
        Ok(())
    }

    /// The list at `offset_bytes` of a descriptor.
    pub(super) fn decode(descriptor: &[u8], offset_bytes: usize) -> Result<Acl, Error> {
        let expected = || Error::malformed(offset_bytes, "an access control list");
        let bytes = descriptor.get(offset_bytes..).ok_or_else(expected)?;
        let head = bytes.get(..HEAD_BYTES).ok_or_else(expected)?;
        let size = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let count = u16::from_le_bytes([head[4], head[5]]);
        let bytes = bytes.get(..size).ok_or_else(expected)?;
        let (mut aces, mut at) = (Vec::new(), HEAD_BYTES);
        for _ in 0..count {
            let rest = bytes.get(at..).ok_or_else(expected)?;
            let (ace, size) = Ace::decode(rest, offset_bytes + at)?;
            aces.push(ace);
            at += size;
        }
        Ok(Acl { aces })
    }
}
