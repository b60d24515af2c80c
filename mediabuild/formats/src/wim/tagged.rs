//! Tagged items behind a dentry: object ids, extended attributes, owners and modes of Unix.
//!
//! ```text
//! u32 tag · u32 size · data · padding to 8, again and again
//! ```
//! They are kept as they are; this is for showing them.

use super::hash::Sha1;
use super::header::{u16_at, u32_at};

const OBJECT_ID: u32 = 0x1;
const XATTRS: u32 = 0x2;
const UNIX: u32 = 0x337d_d873;

/// A line of text for all items; empty if there are none.
pub(super) fn describe(items: &[u8]) -> String {
    let mut texts = Vec::new();
    let mut rest = items;
    while rest.len() >= 8 {
        let (tag, size) = (u32_at(rest, 0), u32_at(rest, 4) as usize);
        let Some(data) = rest[8..].get(..size) else { break };
        texts.push(item(tag, data));
        let next = 8_usize.saturating_add(size).saturating_add(7) & !7;
        rest = rest.get(next..).unwrap_or_default();
    }
    if rest.iter().any(|&byte| byte != 0) {
        texts.push(format!("rest:{}:{}", rest.len(), Sha1::of(rest)));
    }
    texts.join(";")
}

fn item(tag: u32, data: &[u8]) -> String {
    let unknown = || format!("{tag:#x}:{}:{}", data.len(), Sha1::of(data));
    match tag {
        OBJECT_ID => format!("object-id:{}", hex(data)),
        XATTRS => xattrs(data).map_or_else(unknown, |names| format!("xattrs:{}", names.join(","))),
        UNIX if data.len() == 16 => {
            let [uid, gid, mode, device] = [0, 4, 8, 12].map(|offset| u32_at(data, offset));
            format!("unix:uid={uid},gid={gid},mode={mode:o},device={device:#x}")
        }
        _ => unknown(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names and sizes of extended attributes; `None` if they are not well-formed.
fn xattrs(mut data: &[u8]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    // +0x00: size of the value; +0x02: size of the name; +0x03: flags; then name, NUL, value
    while data.len() >= 4 {
        let (value_size, name_size) = (usize::from(u16_at(data, 0)), usize::from(data[2]));
        let name = data.get(4..4 + name_size)?;
        names.push(format!("{}({value_size})", name.escape_ascii()));
        data = data.get(4 + name_size + 1 + value_size..)?;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn items_are_named_and_damage_is_shown_as_it_is() {
        let mut items = vec![1, 0, 0, 0, 2, 0, 0, 0, 0xab, 0xcd, 0, 0, 0, 0, 0, 0];
        assert_eq!(describe(&items), "object-id:abcd");
        let xattr = [2, 0, 3, 0, b'a', b'.', b'b', 0, 9, 9];
        items.extend([2, 0, 0, 0, xattr.len() as u8, 0, 0, 0]);
        items.extend(xattr);
        items.extend([0; 6]);
        assert_eq!(describe(&items), "object-id:abcd;xattrs:a.b(2)");
        items.extend([7, 0, 0, 0, 0, 0, 0, 0]);
        let empty = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        assert_eq!(describe(&items), format!("object-id:abcd;xattrs:a.b(2);0x7:0:{empty}"));
        items.extend([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        assert!(describe(&items).contains(";rest:8:"));
        assert_eq!(describe(&[]), "");
        assert_eq!(describe(&[0; 8]), "0x0:0:da39a3ee5e6b4b0d3255bfef95601890afd80709");
    }
}
