//! `Descriptor`: who owns something, and who may do what with it.

use super::acl::Acl;
use super::error::Error;
use super::sid::Sid;

/// Bits of a descriptor's control field that are set and read here.
pub mod control {
    /// There is a DACL, perhaps a null one.
    pub const DACL_PRESENT: u16 = 0x0004;
    /// There is a SACL, perhaps a null one.
    pub const SACL_PRESENT: u16 = 0x0010;
    /// The DACL is to be inherited by what is below.
    pub const DACL_AUTO_INHERIT_REQUEST: u16 = 0x0100;
    /// The SACL is to be inherited by what is below.
    pub const SACL_AUTO_INHERIT_REQUEST: u16 = 0x0200;
    /// The DACL takes part in inheritance.
    pub const DACL_AUTO_INHERITED: u16 = 0x0400;
    /// The SACL takes part in inheritance.
    pub const SACL_AUTO_INHERITED: u16 = 0x0800;
    /// The DACL inherits nothing.
    pub const DACL_PROTECTED: u16 = 0x1000;
    /// The SACL inherits nothing.
    pub const SACL_PROTECTED: u16 = 0x2000;
    /// All parts are in one run of bytes.
    pub const SELF_RELATIVE: u16 = 0x8000;
}

/// Head of a descriptor.
const HEAD_BYTES: usize = 20;

/// A security descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Descriptor {
    /// [`control`] bits; those that say what is present follow from the other fields.
    pub control: u16,
    /// Who owns it.
    pub owner: Option<Sid>,
    /// Its primary group.
    pub group: Option<Sid>,
    /// Who may do what.
    pub dacl: AccessControl,
    /// What is audited, and labels.
    pub sacl: AccessControl,
}

/// One of the two lists of a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AccessControl {
    /// There is none.
    #[default]
    Absent,
    /// There is one that says nothing: everybody may do everything.
    Null,
    /// A list, which denies what it does not allow.
    List(Acl),
}

impl Descriptor {
    /// The self-relative form, in the order of Windows: SACL, DACL, owner, group.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; HEAD_BYTES];
        let sacl = put_list(&self.sacl, &mut bytes)?;
        let dacl = put_list(&self.dacl, &mut bytes)?;
        let owner = put_sid(self.owner.as_ref(), &mut bytes);
        let group = put_sid(self.group.as_ref(), &mut bytes);
        // +0x00: revision; +0x02: control; +0x04: offsets
        bytes[0] = 1;
        bytes[2..4].copy_from_slice(&self.whole_control().to_le_bytes());
        for (field, offset) in
            bytes[4..HEAD_BYTES].chunks_exact_mut(4).zip([owner, group, sacl, dacl])
        {
            field.copy_from_slice(&offset.to_le_bytes());
        }
        Ok(bytes)
    }

    /// The control field with the bits that say what is present.
    fn whole_control(&self) -> u16 {
        let present = |list: &AccessControl, bit| match list {
            AccessControl::Absent => 0,
            AccessControl::Null | AccessControl::List(_) => bit,
        };
        let derived = control::SELF_RELATIVE | control::DACL_PRESENT | control::SACL_PRESENT;
        self.control & !derived
            | control::SELF_RELATIVE
            | present(&self.dacl, control::DACL_PRESENT)
            | present(&self.sacl, control::SACL_PRESENT)
    }

    /// Reads the self-relative form; its parts may be in any order.
    pub fn decode(bytes: &[u8]) -> Result<Descriptor, Error> {
        let head = bytes.get(..HEAD_BYTES).filter(|head| head[0] == 1);
        let head =
            head.ok_or_else(|| Error::malformed(0, "a security descriptor of revision 1"))?;
        let flags = u16::from_le_bytes([head[2], head[3]]);
        if flags & control::SELF_RELATIVE == 0 {
            return Err(Error::malformed(2, "a self-relative security descriptor"));
        }
        let offset = |at: usize| {
            u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize
        };
        let sid = |at: usize| match offset(at) {
            0 => Ok(None),
            offset => Sid::decode(bytes.get(offset..).unwrap_or_default(), offset).map(Some),
        };
        let list = |at: usize, bit: u16| match (flags & bit, offset(at)) {
            (0, _) => Ok(AccessControl::Absent),
            (_, 0) => Ok(AccessControl::Null),
            (_, offset) => Acl::decode(bytes, offset).map(AccessControl::List),
        };
        let derived = control::SELF_RELATIVE | control::DACL_PRESENT | control::SACL_PRESENT;
        Ok(Descriptor {
            control: flags & !derived,
            owner: sid(4)?,
            group: sid(8)?,
            sacl: list(12, control::SACL_PRESENT)?,
            dacl: list(16, control::DACL_PRESENT)?,
        })
    }
}

/// Appends a list; returns its offset, 0 if there is none.
fn put_list(list: &AccessControl, bytes: &mut Vec<u8>) -> Result<u32, Error> {
    let AccessControl::List(acl) = list else { return Ok(0) };
    let offset = bytes.len() as u32;
    acl.encode(bytes)?;
    // Entries of unknown kinds may have any size.
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    Ok(offset)
}

fn put_sid(sid: Option<&Sid>, bytes: &mut Vec<u8>) -> u32 {
    let Some(sid) = sid else { return 0 };
    let offset = bytes.len() as u32;
    sid.encode(bytes);
    offset
}
