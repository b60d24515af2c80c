//! Symbolic links and junctions: their reparse data, read, and new ones in an image.
//!
//! ```text
//! symbolic link: u16 offset and size of the substitute name, of the print name · u32 flags · names
//! junction:      u16 offset and size of the substitute name, of the print name · names with NULs
//! ```
//! The substitute name is what the kernel opens, `\??\C:\Data`; the print name is for people.

use super::dentry::{Dentry, Image, Reparse, attribute};
use super::error::Error;
use super::hash::Sha1;
use super::header::u16_at;
use super::time::FileTime;
use super::tree::split;

/// Tag of a symbolic link.
pub const SYMBOLIC_LINK: u32 = 0xa000_000c;
/// Tag of a junction, which other mount points share.
pub const JUNCTION: u32 = 0xa000_0003;
/// Most bytes of reparse data: Windows has 16 KiB with the head, which is not stored.
const DATA_LIMIT_BYTES: usize = 16_384 - 8;
/// Flag of a symbolic link whose target is found from where it is.
const RELATIVE: u32 = 1;
/// Flag of a dentry: the target means what it says, wherever the image is applied.
const NOT_FIXED: u16 = 1;

impl Image {
    /// Puts a symbolic link at `path`; missing folders are made with `time`. Returns its reparse
    /// data, a content that the caller must have when the image is written.
    ///
    /// `C:\Data` and `\\server\share` are absolute targets, and are kept as they are when the image
    /// is applied elsewhere; `\Data` is found on the link's volume, `..\Data` from the link's folder.
    pub fn add_symlink(
        &mut self,
        path: &str,
        target: &str,
        is_folder: bool,
        time: FileTime,
    ) -> Result<Vec<u8>, Error> {
        let (target, absolute) = checked(path, target)?;
        let (substitute, flags) = match absolute {
            Some(substitute) => (substitute, 0),
            None => (target.clone(), RELATIVE),
        };
        let names = Names { substitute: utf16(&substitute), print: utf16(&target) };
        let mut data = names.head(0);
        data.extend_from_slice(&flags.to_le_bytes());
        data.extend_from_slice(&names.substitute);
        data.extend_from_slice(&names.print);
        let link = Link { tag: SYMBOLIC_LINK, is_folder, is_fixed: flags == 0 };
        self.add_reparse(path, &link, data, time)
    }

    /// Puts a junction to a folder of a local volume at `path`, as [`Image::add_symlink`] does.
    pub fn add_junction(
        &mut self,
        path: &str,
        target: &str,
        time: FileTime,
    ) -> Result<Vec<u8>, Error> {
        let (target, absolute) = checked(path, target)?;
        let Some(substitute) = absolute.filter(|_| !target.starts_with(r"\\")) else {
            let problem =
                format!("a junction leads to a folder such as `C:\\Data`, not `{target}`");
            return Err(Error::path(path, problem));
        };
        let names = Names { substitute: utf16(&substitute), print: utf16(&target) };
        let mut data = names.head(2);
        for name in [&names.substitute, &names.print] {
            data.extend_from_slice(name);
            data.extend_from_slice(&[0; 2]);
        }
        let link = Link { tag: JUNCTION, is_folder: true, is_fixed: true };
        self.add_reparse(path, &link, data, time)
    }

    fn add_reparse(
        &mut self,
        path: &str,
        link: &Link,
        data: Vec<u8>,
        time: FileTime,
    ) -> Result<Vec<u8>, Error> {
        if data.len() > DATA_LIMIT_BYTES {
            let problem =
                format!("{} bytes of reparse data, at most {DATA_LIMIT_BYTES}", data.len());
            return Err(Error::path(path, problem));
        }
        let (parent, name) = split(path)?;
        let mut dentry = Dentry::file(name, Sha1::ZERO, time);
        dentry.attributes = attribute::REPARSE_POINT;
        if link.is_folder {
            dentry.attributes |= attribute::DIRECTORY;
        }
        let flags = if link.is_fixed { NOT_FIXED } else { 0 };
        dentry.reparse = Some(Reparse { tag: link.tag, reserved: 0, flags, sha1: Sha1::of(&data) });
        self.make_folder(parent, time)?.add_child(path, dentry)?;
        Ok(data)
    }
}

/// Where a link leads, by the name that Windows follows, as opposed to the one that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTarget {
    /// The name, which need not be Unicode.
    pub units: Vec<u16>,
    /// Whether it is found from the link's folder.
    pub is_relative: bool,
}

impl LinkTarget {
    /// Reads reparse data; `None` if it is damaged, or of neither a symbolic link nor a junction.
    pub fn read(tag: u32, data: &[u8]) -> Option<LinkTarget> {
        let (names, flags) = match tag {
            SYMBOLIC_LINK => (data.get(12..)?, u32::from_le_bytes(*data[8..].first_chunk()?)),
            JUNCTION => (data.get(8..)?, 0),
            _ => return None,
        };
        // +0x00: offset of the substitute name; +0x02: its size
        let name = names.get(usize::from(u16_at(data, 0))..)?.get(..u16_at(data, 2).into())?;
        let units = name.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        Some(LinkTarget { units: units.collect(), is_relative: flags & RELATIVE != 0 })
    }
}

struct Link {
    tag: u32,
    is_folder: bool,
    /// Whether its target is absolute, and to stay.
    is_fixed: bool,
}

/// Both names in UTF-16.
struct Names {
    substitute: Vec<u8>,
    print: Vec<u8>,
}

impl Names {
    /// Offsets and sizes of names that are followed by so many bytes each. The caller bounds the
    /// whole, so that sizes that do not fit the fields are never used.
    fn head(&self, terminator_bytes: usize) -> Vec<u8> {
        let (substitute, print) = (self.substitute.len(), self.print.len());
        let fields = [0, substitute, substitute + terminator_bytes, print];
        fields.into_iter().flat_map(|field| (field as u16).to_le_bytes()).collect()
    }
}

/// A target with backslashes, and the kernel's name of it if it is absolute.
fn checked(path: &str, target: &str) -> Result<(String, Option<String>), Error> {
    let target = target.replace('/', "\\");
    if target.is_empty() || target.contains('\0') {
        return Err(Error::path(path, "the target of a link is empty or contains NUL"));
    }
    let bytes = target.as_bytes();
    let has_drive = bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    let absolute = match target.strip_prefix(r"\\") {
        Some(share) => Some(format!(r"\??\UNC\{share}")),
        None if has_drive && bytes.get(2) == Some(&b'\\') => Some(format!(r"\??\{target}")),
        None if has_drive => {
            let problem = format!("the target `{target}` has a drive and no path from its root");
            return Err(Error::path(path, problem));
        }
        None => None,
    };
    Ok((target, absolute))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FileTime, Image, JUNCTION, LinkTarget, RELATIVE, SYMBOLIC_LINK};

    /// What is read of a new link to `target`.
    fn read_back(target: &str, is_junction: bool) -> LinkTarget {
        let (mut image, time) = (Image::new(FileTime(0)), FileTime(0));
        let (tag, data) = match is_junction {
            true => (JUNCTION, image.add_junction("link", target, time)),
            false => (SYMBOLIC_LINK, image.add_symlink("link", target, false, time)),
        };
        LinkTarget::read(tag, &data.expect(target)).expect(target)
    }

    fn to(target: &str, is_relative: bool) -> LinkTarget {
        LinkTarget { units: target.encode_utf16().collect(), is_relative }
    }

    proptest! {
        #[test]
        fn links_are_read_as_they_were_written(
            names in r"[^\\/:\x00]{1,20}([\\/][^\\/:\x00]{1,20}){0,5}",
            drive in "[A-Za-z]",
            is_junction: bool,
        ) {
            let kept = names.replace('/', "\\");
            let absolute = read_back(&format!(r"{drive}:\{names}"), is_junction);
            prop_assert_eq!(absolute, to(&format!(r"\??\{drive}:\{kept}"), false));
            let share = read_back(&format!(r"\\{names}"), false);
            prop_assert_eq!(share, to(&format!(r"\??\UNC\{kept}"), false));
            for relative in [kept.clone(), format!(r"..\{kept}"), format!(r"\{kept}")] {
                prop_assert_eq!(read_back(&relative, false), to(&relative, true));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(
            data in proptest::collection::vec(any::<u8>(), 0..40),
            offset in 0..8_u16,
            size in 0..40_u16,
        ) {
            let mut sensible = data.clone();
            for (byte, new) in
                sensible.iter_mut().zip([offset.to_le_bytes(), size.to_le_bytes()].concat())
            {
                *byte = new;
            }
            for data in [data, sensible] {
                for (tag, head_bytes) in [(SYMBOLIC_LINK, 12), (JUNCTION, 8)] {
                    if let Some(target) = LinkTarget::read(tag, &data) {
                        prop_assert!(2 * target.units.len() + head_bytes <= data.len());
                    }
                }
            }
        }
    }

    #[test]
    fn damaged_data_has_no_target() {
        let mut good = vec![0, 0, 12, 0, 0, 0, 0, 0];
        good.extend_from_slice(&RELATIVE.to_le_bytes());
        good.extend("target".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(LinkTarget::read(SYMBOLIC_LINK, &good), Some(to("target", true)));
        for size in 0..good.len() {
            assert_eq!(LinkTarget::read(SYMBOLIC_LINK, &good[..size]), None, "{size}");
        }
        assert_eq!(LinkTarget::read(0x8000_0017, &good), None);
    }
}
