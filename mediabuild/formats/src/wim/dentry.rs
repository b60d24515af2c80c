//! `Image`, `Dentry`: a file tree inside a WIM, with everything Windows keeps about a file.

use super::hash::Sha1;
use super::name::Name;
use super::time::FileTime;

/// Windows file attributes.
pub mod attribute {
    /// Cannot be written.
    pub const READ_ONLY: u32 = 0x1;
    /// Is not listed.
    pub const HIDDEN: u32 = 0x2;
    /// Is a part of the system.
    pub const SYSTEM: u32 = 0x4;
    /// A folder.
    pub const DIRECTORY: u32 = 0x10;
    /// Changed since the last backup.
    pub const ARCHIVE: u32 = 0x20;
    /// No other attribute.
    pub const NORMAL: u32 = 0x80;
    /// Need not be kept.
    pub const TEMPORARY: u32 = 0x100;
    /// Has ranges without storage.
    pub const SPARSE: u32 = 0x200;
    /// A link, a mount point or another file with a reparse tag.
    pub const REPARSE_POINT: u32 = 0x400;
    /// Is kept somewhere else.
    pub const OFFLINE: u32 = 0x1000;
    /// Is not searched.
    pub const NOT_CONTENT_INDEXED: u32 = 0x2000;
    /// Encrypted by EFS: the stream holds its raw form.
    pub const ENCRYPTED: u32 = 0x4000;
}

/// The security id of a file without a security descriptor.
pub const NO_SECURITY: i32 = -1;

/// One image: a tree and the security descriptors its files refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Self-relative security descriptors; a dentry's `security_id` is a position in here.
    pub security: Vec<Vec<u8>>,
    /// The root folder; it has no name.
    pub root: Dentry,
}

/// A name of a file or folder, and the file itself. Hard links are dentries with equal
/// `hard_link` ids and equal `data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dentry {
    /// Long name.
    pub name: Name,
    /// 8.3 name, often empty.
    pub short_name: Name,
    /// [`attribute`] bits.
    pub attributes: u32,
    /// Position in [`Image::security`], or [`NO_SECURITY`].
    pub security_id: i32,
    /// Two fields without known meaning.
    pub reserved: [u64; 2],
    /// When it was created.
    pub creation: FileTime,
    /// When it was last read.
    pub access: FileTime,
    /// When its content last changed.
    pub write: FileTime,
    /// A field without known meaning.
    pub unknown: u32,
    /// Present exactly if [`attribute::REPARSE_POINT`] is set.
    pub reparse: Option<Reparse>,
    /// Links of one file share an id; 0 if this is the only name. Zero for reparse points.
    pub hard_link: u64,
    /// The unnamed data stream; [`Sha1::ZERO`] if empty.
    pub data: Sha1,
    /// Named data streams in order.
    pub streams: Vec<NamedStream>,
    /// Tagged items as stored: object ids, extended attributes, POSIX owners and modes.
    pub tagged: Vec<u8>,
    /// Entries of a folder.
    pub children: Vec<Dentry>,
}

/// What makes a file a link or a mount point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reparse {
    /// Its kind.
    pub tag: u32,
    /// A field without known meaning.
    pub reserved: u16,
    /// 1: the target was not made relative to the image's root.
    pub flags: u16,
    /// The reparse buffer without its header of eight bytes.
    pub sha1: Sha1,
}

/// A named ("alternate") data stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedStream {
    /// Never empty.
    pub name: Name,
    /// A field without known meaning.
    pub reserved: u64,
    /// Its content.
    pub sha1: Sha1,
}

impl Image {
    /// An empty image whose root has the given time.
    pub fn new(time: FileTime) -> Image {
        Image { security: Vec::new(), root: Dentry::folder(Name::default(), time) }
    }
}

impl Dentry {
    /// A file with default attributes and no security descriptor.
    pub fn file(name: Name, data: Sha1, time: FileTime) -> Dentry {
        Dentry {
            name,
            short_name: Name::default(),
            attributes: attribute::NORMAL,
            security_id: NO_SECURITY,
            reserved: [0; 2],
            creation: time,
            access: time,
            write: time,
            unknown: 0,
            reparse: None,
            hard_link: 0,
            data,
            streams: Vec::new(),
            tagged: Vec::new(),
            children: Vec::new(),
        }
    }

    /// An empty folder with default attributes and no security descriptor.
    pub fn folder(name: Name, time: FileTime) -> Dentry {
        let attributes = attribute::DIRECTORY;
        Dentry { attributes, ..Dentry::file(name, Sha1::ZERO, time) }
    }

    /// Whether it is a folder, which includes junctions and links to folders.
    pub fn is_directory(&self) -> bool {
        self.attributes & attribute::DIRECTORY != 0
    }

    /// Whether it has a list of children: a folder that is not a link.
    pub fn has_children_list(&self) -> bool {
        self.is_directory() && self.attributes & attribute::REPARSE_POINT == 0
    }

    /// The hashes of its non-empty streams: reparse data, unnamed data, named data.
    pub fn blobs(&self) -> impl Iterator<Item = Sha1> {
        let reparse = self.reparse.iter().map(|reparse| reparse.sha1);
        let named = self.streams.iter().map(|stream| stream.sha1);
        reparse.chain([self.data]).chain(named).filter(|sha1| !sha1.is_empty_stream())
    }
}
