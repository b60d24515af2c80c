//! Where content comes from: paths, downloads, and parts of WIMs and ISOs.

use std::fmt;
use std::path::PathBuf;

use super::{SecretReference, Spanned};
use crate::text::Span;

/// A path the user wrote, relative to the file that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputPath {
    /// As written, with `/`, without `.` and `..` where they cancel; relative to the project folder.
    /// This form names the input in identities and messages.
    pub project_path: String,
    /// Where it is on this machine.
    pub path: PathBuf,
    /// Where it was written.
    pub span: Span,
}

/// Where content comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// `source "drivers/intel" { include "**/*"; exclude "**/*.pdb" }`: a folder or a file.
    Path {
        /// The folder or file.
        path: InputPath,
        /// Which files of a folder.
        filter: Filter,
        /// `symlinks "follow"` was said.
        follow_symlinks: bool,
    },
    /// `source wim="inputs/install.wim" index=3 path="Windows/INF"`: a part of a WIM image.
    WimPart {
        /// The WIM and its image.
        image: WimImage,
        /// A file or folder of the image; the whole image without it.
        path: Option<Spanned<String>>,
        /// Which files of a folder.
        filter: Filter,
    },
    /// `source iso="inputs/win11.iso" path="sources/sxs"`: a part of an ISO.
    IsoPart {
        /// The ISO file.
        iso: InputPath,
        /// A file or folder of the ISO; all of it without.
        path: Option<Spanned<String>>,
        /// Which files of a folder.
        filter: Filter,
    },
    /// `source url="https://vendor.example/pack.cab"`: a file that is fetched.
    Url(Box<UrlFile>),
}

/// `source url="https://vendor.example/pack.cab" sha256="…"`: a file that is fetched.
#[derive(Debug, Clone)]
pub struct UrlFile {
    /// Where it is.
    pub url: Spanned<Url>,
    /// What it is called: the last part of the URL, or `file-name=`.
    pub file_name: String,
    /// What its vendor says that its SHA-256 is, in lower case.
    pub sha256: Option<Spanned<String>>,
    /// … and its BLAKE3.
    pub blake3: Option<Spanned<String>>,
    /// The value of the `Authorization` header.
    pub authorization: Option<SecretReference>,
}

/// A URL that can be fetched. Shown without what may be secret in it, also by [`fmt::Debug`].
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    pub(crate) text: String,
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({})", self.shown())
    }
}

/// `include` and `exclude` globs. Without an `include`, everything is included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A file is taken if one of these matches (or there is none).
    pub include: Vec<Spanned<String>>,
    /// … and none of these does.
    pub exclude: Vec<Spanned<String>>,
}

/// `wim "inputs/winpe.wim" index=1`
#[derive(Debug, Clone)]
pub struct WimImage {
    /// The WIM file.
    pub wim: InputPath,
    /// Which image.
    pub selector: Spanned<ImageSelector>,
}

/// `iso "inputs/Win11.iso" wim="sources/install.wim" index=6`
#[derive(Debug, Clone)]
pub struct IsoImage {
    /// The ISO file.
    pub iso: InputPath,
    /// The WIM in it.
    pub wim: Spanned<String>,
    /// Which image of the WIM.
    pub selector: Spanned<ImageSelector>,
}

/// How an image inside a WIM is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSelector {
    /// Nothing was said: the WIM must hold one image only. The span is the node's.
    Only,
    /// `index=`, 1-based.
    Index(u32),
    /// `name=`
    Name(String),
    /// `edition=`: the XML's EDITIONID or FLAGS.
    Edition(String),
}
