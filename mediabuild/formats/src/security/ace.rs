//! `Ace`: one entry of an access control list.

use super::error::Error;
use super::guid::Guid;
use super::sid::Sid;

/// Kinds of entries that have a text.
pub mod ace_kind {
    /// Allows.
    pub const ALLOW: u8 = 0x00;
    /// Denies.
    pub const DENY: u8 = 0x01;
    /// Is written to the log.
    pub const AUDIT: u8 = 0x02;
    /// Raises an alarm; reserved.
    pub const ALARM: u8 = 0x03;
    /// Allows, about a type of object.
    pub const OBJECT_ALLOW: u8 = 0x05;
    /// Denies, about a type of object.
    pub const OBJECT_DENY: u8 = 0x06;
    /// Is written to the log, about a type of object.
    pub const OBJECT_AUDIT: u8 = 0x07;
    /// Raises an alarm, about a type of object; reserved.
    pub const OBJECT_ALARM: u8 = 0x08;
    /// The integrity level.
    pub const MANDATORY_LABEL: u8 = 0x11;
    /// A central access policy.
    pub const SCOPED_POLICY: u8 = 0x13;
    /// The trust of a protected process.
    pub const TRUST_LABEL: u8 = 0x14;
}

/// Who inherits an entry, and what is audited.
pub mod ace_flag {
    /// Files in a folder inherit it.
    pub const OBJECT_INHERIT: u8 = 0x01;
    /// Folders in a folder inherit it.
    pub const CONTAINER_INHERIT: u8 = 0x02;
    /// What inherits it does not pass it on.
    pub const NO_PROPAGATE: u8 = 0x04;
    /// It does not apply where it is.
    pub const INHERIT_ONLY: u8 = 0x08;
    /// It was inherited.
    pub const INHERITED: u8 = 0x10;
    /// Must be understood.
    pub const CRITICAL: u8 = 0x20;
    /// Success is audited.
    pub const SUCCESS: u8 = 0x40;
    /// Failure is audited.
    pub const FAILURE: u8 = 0x80;
}

/// Head of an entry.
const HEAD_BYTES: usize = 4;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ace {
    /// One of [`ace_kind`], or another.
    pub kind: u8,
    /// [`ace_flag`] bits.
    pub flags: u8,
    /// What it says.
    pub body: AceBody,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AceBody {
    /// Rights of somebody.
    Rights {
        /// The rights.
        mask: u32,
        /// Whose.
        sid: Sid,
    },
    /// Rights of somebody, about a type of object.
    Object {
        /// The rights.
        mask: u32,
        /// What they are about.
        object: Option<Guid>,
        /// What inherits it.
        inherited_object: Option<Guid>,
        /// Whose.
        sid: Sid,
    },
    /// The bytes of a kind that is not known here, such as a conditional entry.
    Other(Vec<u8>),
}

impl Ace {
    /// Whether its kind names types of objects.
    pub(super) fn is_object_kind(kind: u8) -> bool {
        (ace_kind::OBJECT_ALLOW..=ace_kind::OBJECT_ALARM).contains(&kind)
    }

    fn is_rights_kind(kind: u8) -> bool {
        const LABELS: [u8; 3] =
            [ace_kind::MANDATORY_LABEL, ace_kind::SCOPED_POLICY, ace_kind::TRUST_LABEL];
        kind <= ace_kind::ALARM || LABELS.contains(&kind)
    }

    pub(super) fn encode(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let start = bytes.len();
        bytes.extend_from_slice(&[self.kind, self.flags, 0, 0]);
        match &self.body {
            AceBody::Rights { mask, sid } => {
                bytes.extend_from_slice(&mask.to_le_bytes());
                sid.encode(bytes);
            }
            AceBody::Object { mask, object, inherited_object, sid } => {
                bytes.extend_from_slice(&mask.to_le_bytes());
                let present =
                    u32::from(object.is_some()) | u32::from(inherited_object.is_some()) << 1;
                bytes.extend_from_slice(&present.to_le_bytes());
                let guids = [object, inherited_object].into_iter().flatten();
                bytes.extend(guids.flat_map(|guid| guid.0));
                sid.encode(bytes);
            }
            AceBody::Other(body) => bytes.extend_from_slice(body),
        }
        let size = bytes.len() - start;
        let Ok(field) = u16::try_from(size) else {
            let problem = format!("an entry of {size} bytes, at most {}", u16::MAX);
            return Err(Error::TooLarge { problem });
        };
        // +0x02: size
        bytes[start + 2..start + 4].copy_from_slice(&field.to_le_bytes());
        Ok(())
    }

    /// The entry that `bytes` begin with, and its size; they are at `offset_bytes`.
    pub(super) fn decode(bytes: &[u8], offset_bytes: usize) -> Result<(Ace, usize), Error> {
        let expected = || Error::malformed(offset_bytes, "an access control entry");
        let head = bytes.get(..HEAD_BYTES).ok_or_else(expected)?;
        // +0x00: kind; +0x01: flags; +0x02: size
        let (kind, flags, size) = (head[0], head[1], u16::from_le_bytes([head[2], head[3]]));
        let size = usize::from(size);
        let body = bytes.get(HEAD_BYTES..size).ok_or_else(expected)?;
        let decoded = match kind {
            kind if Ace::is_rights_kind(kind) => rights(body, offset_bytes + HEAD_BYTES)?,
            kind if Ace::is_object_kind(kind) => object(body, offset_bytes + HEAD_BYTES)?,
            _ => AceBody::Other(body.to_vec()),
        };
        Ok((Ace { kind, flags, body: decoded }, size))
    }
}

fn rights(body: &[u8], offset_bytes: usize) -> Result<AceBody, Error> {
    let mask = u32_at(body, 0, offset_bytes)?;
    let sid = Sid::decode(&body[4..], offset_bytes + 4)?;
    exactly(4 + sid.size_bytes(), body, offset_bytes)?;
    Ok(AceBody::Rights { mask, sid })
}

fn object(body: &[u8], offset_bytes: usize) -> Result<AceBody, Error> {
    let mask = u32_at(body, 0, offset_bytes)?;
    let present = u32_at(body, 4, offset_bytes)?;
    let mut end = 8;
    let mut guid = |bit: u32| -> Result<Option<Guid>, Error> {
        if present & bit == 0 {
            return Ok(None);
        }
        let bytes = body.get(end..end + 16).and_then(|bytes| bytes.try_into().ok());
        end += 16;
        bytes.map(|bytes| Some(Guid(bytes))).ok_or_else(|| Error::malformed(offset_bytes, "a GUID"))
    };
    let (object, inherited_object) = (guid(1)?, guid(2)?);
    let sid = Sid::decode(body.get(end..).unwrap_or_default(), offset_bytes + end)?;
    exactly(end + sid.size_bytes(), body, offset_bytes)?;
    if present > 3 {
        return Err(Error::malformed(offset_bytes + 4, "flags of an object's entry"));
    }
    Ok(AceBody::Object { mask, object, inherited_object, sid })
}

/// Nothing may follow: it would be lost.
fn exactly(size: usize, body: &[u8], offset_bytes: usize) -> Result<(), Error> {
    if size == body.len() {
        return Ok(());
    }
    let expected = format!("an entry of {size} bytes behind its head, found {}", body.len());
    Err(Error::malformed(offset_bytes, expected))
}

fn u32_at(bytes: &[u8], at: usize, offset_bytes: usize) -> Result<u32, Error> {
    let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok());
    let field = field.ok_or_else(|| Error::malformed(offset_bytes + at, "four bytes"))?;
    Ok(u32::from_le_bytes(field))
}
