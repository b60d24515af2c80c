//! WIM: Windows Imaging files, read from a [`Source`](crate::source::Source), written as a layout.
//!
//! ```text
//! header · file resources · metadata resources · blob table · XML data · [integrity table]
//! ```
//! A *blob* is a content named by its SHA-1, a *resource* its stored, maybe compressed, form, a
//! *dentry* a name of a file, and a *stream* a file's use of a blob. Sources: the "Windows Imaging
//! File Format" white paper and behaviour observed of readers and writers.
//!
//! Architecture invariant: nothing here reads or writes files; a builder passes contents by name.

mod archive;
mod blob;
mod check;
mod chunk_list;
mod chunks;
mod count;
mod dentry;
mod dump;
mod error;
mod exclusion;
mod hash;
mod header;
mod image_information;
mod insert;
mod integrity;
mod joined;
mod link;
mod metadata_read;
mod metadata_write;
mod name;
mod ranges;
mod reparse;
mod resource;
mod settings;
mod solid;
mod stored;
mod tagged;
mod time;
mod tree;
mod unit;
mod units;
mod walk;
mod write;
mod xml;
mod xml_text;

pub use archive::Wim;
pub use blob::BlobEntry;
pub use check::{Integrity, IntegrityTable};
pub use chunks::{Chunk, Chunks};
pub use count::Counts;
pub use dentry::{Dentry, Image, NO_SECURITY, NamedStream, Reparse, attribute};
pub use dump::{Detail, dump, dump_image};
pub use error::Error;
pub use exclusion::{Pattern, WimScript};
pub use hash::Sha1;
pub use header::{Compression, HEADER_BYTES, Header, ResourceHeader, header_flag, resource_flag};
pub use image_information::{
    Architecture, ImageInformation, ImageLanguages, ImageText, ImageVersion,
};
pub use integrity::{INTEGRITY_PIECE_BYTES, integrity_table};
pub use joined::{JoinError, Joined};
pub use metadata_read::decode_metadata;
pub use metadata_write::encode_metadata;
pub use name::Name;
pub use reparse::{JUNCTION, LinkTarget, SYMBOLIC_LINK};
pub use resource::ResourceReader;
pub use stored::{ChunkTable, EncodeChunk, append_chunk, compress, compress_solid};
pub use time::FileTime;
pub use tree::FileSpec;
pub use unit::{Piece, Unit};
pub use units::Units;
pub use walk::Walk;
pub use write::{
    Options, OutputImage, Placed, Resolve, Resource, SolidBlob, SolidResource, Writer, Written,
    part_name, write, write_with_root,
};
pub use xml::{Element, Xml, XmlNode};
