//! Symbolic links: the path components that are their data (ECMA-167 4/14.16).

use super::icb::FileEntryRead;
use super::text::decode;
use crate::field::{bytes_at, u8_at};
use crate::iso::sectors::Sectors;
use crate::source::Source;
use crate::volume::ReadError;

/// A path is longer than this on no system.
const LINK_MAX_BYTES: u64 = 64 << 10;
const COMPONENT_HEAD_BYTES: usize = 4;

/// Where a symbolic link leads, with `/`.
pub(super) fn read<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    file: &FileEntryRead,
) -> Result<String, ReadError> {
    let offset_bytes = file.offset_bytes;
    if file.size_bytes > LINK_MAX_BYTES {
        let what = "bytes of a symbolic link";
        return Err(ReadError::Limit { offset_bytes, what, limit: LINK_MAX_BYTES });
    }
    let data = sectors.gather(&file.extents)?;
    path(&data).ok_or_else(|| ReadError::Damaged {
        offset_bytes,
        expected: "path components",
        found: format!("{} bytes that are none", data.len()),
    })
}

fn path(mut rest: &[u8]) -> Option<String> {
    let mut path = String::new();
    while rest.len() >= COMPONENT_HEAD_BYTES {
        let size = usize::from(u8_at(rest, 1));
        let name = bytes_at(rest, COMPONENT_HEAD_BYTES, size);
        let component = match u8_at(rest, 0) {
            1 | 2 => "/".to_owned(),
            3 => "..".to_owned(),
            4 => ".".to_owned(),
            5 if name.len() == size => decode(name)?,
            _ => return None,
        };
        if !path.is_empty() && !path.ends_with('/') {
            path.push('/');
        }
        path.push_str(&component);
        rest = rest.get(COMPONENT_HEAD_BYTES + size..)?;
    }
    rest.is_empty().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn components_make_a_path() {
        let data = b"\x02\0\0\0\x05\x04\0\0\x08usr\x03\0\0\0\x05\x03\0\0\x08\xE9x";
        assert_eq!(path(data).as_deref(), Some("/usr/../\u{e9}x"));
        assert_eq!(path(b"").as_deref(), Some(""));
        for damaged in [&b"\x05\x09\0\0\x08a"[..], b"\x09\0\0\0", b"\x04\0\0\0\x04"] {
            assert_eq!(path(damaged), None, "{damaged:?}");
        }
    }
}
