//! Symbolic links and junctions: their reparse data, and new ones in an image.
//!
//! ```text
//! symbolic link: u16 offset and size of the substitute name, of the print name · u32 flags · names
//! junction:      u16 offset and size of the substitute name, of the print name · names with NULs
//! ```
//! The substitute name is what the kernel opens, `\??\C:\Data`; the print name is for people.

use super::dentry::{Dentry, Image, Reparse, attribute};
use super::error::Error;
use super::hash::Sha1;
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
