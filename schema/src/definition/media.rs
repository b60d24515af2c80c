//! `Media`: what is put onto a medium, and which files it is.

use super::{Compression, InputPath, SecretReference, Spanned, Usb, Variable, WimOutput};
use crate::text::Span;

/// `media "factory" type="prestaged" { … }`
#[derive(Debug, Clone)]
pub struct Media {
    /// Its name.
    pub name: Spanned<String>,
    /// What kind of medium.
    pub media_type: Spanned<MediaType>,
    /// The boot image.
    pub boot_image: Spanned<String>,
    /// The OS image: exactly one on prestaged media, none on bootable.
    pub os_image: Option<Spanned<String>>,
    /// Applications on the medium, without their dependencies.
    pub applications: Vec<Spanned<String>>,
    /// `dependencies #false` was not said: applications bring what they depend on.
    pub dependencies: bool,
    /// Packages on the medium.
    pub packages: Vec<Spanned<String>>,
    /// Driver packages on the medium.
    pub driver_packages: Vec<Spanned<String>>,
    /// Where packages lie on the medium.
    pub content_layout: ContentLayout,
    /// The medium's password.
    pub password: Option<Spanned<SecretReference>>,
    /// `compression` of a prestaged medium: else that of its OS image.
    pub compression: Option<Spanned<Compression>>,
    /// The medium's own variables over the used ones (`use "common" of="variables"`), merged.
    pub variables: Vec<Variable>,
    /// `output "factory.wim"`; `<name>.wim` or `<name>.iso` without it, and nothing if there is a
    /// disk image instead.
    pub output: Option<MediaOutput>,
    /// `usb "depot.img"`: a disk image beside an ISO, or instead of one.
    pub usb: Option<Usb>,
    /// The node's name, for diagnostics about the whole.
    pub span: Span,
}

/// What kind of medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaType {
    /// One WIM that is applied to a disk.
    Prestaged,
    /// An ISO that starts the boot image.
    Bootable,
}

impl MediaType {
    /// The word in definitions.
    pub const fn name(self) -> &'static str {
        match self {
            MediaType::Prestaged => "prestaged",
            MediaType::Bootable => "bootable",
        }
    }
}

/// Where applications, packages and driver packages lie on a medium. Neither is verified against
/// a live site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ContentLayout {
    /// `sms-pkg`: as stand-alone media have it.
    #[default]
    SmsPkg,
    /// `task-sequence-cache`: where the client caches content on a target disk.
    TaskSequenceCache,
}

impl ContentLayout {
    /// The word in definitions.
    pub const fn name(self) -> &'static str {
        match self {
            ContentLayout::SmsPkg => "sms-pkg",
            ContentLayout::TaskSequenceCache => "task-sequence-cache",
        }
    }
}

/// The file, or the folder of files, a medium is exported to.
#[derive(Debug, Clone)]
pub struct MediaOutput {
    /// Relative to the result folder, with `/`; never leaves it.
    pub file: Spanned<String>,
    /// `label=`: the volume label of an ISO; the medium's name without it.
    pub label: Option<Spanned<String>>,
    /// `capacity=`: the most bytes of a disc; content that needs more becomes a set of ISOs.
    pub capacity_bytes: Option<Spanned<u64>>,
    /// `order=`: the file that lists what lies first on an ISO.
    pub order: Option<InputPath>,
    /// `mirror="joliet"`: the trees an ISO has beside UDF.
    pub mirror: Option<Spanned<Mirror>>,
    /// In which files a WIM comes.
    pub wim: WimOutput,
}

/// Trees of the same files that an ISO has beside UDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// ISO 9660 with 8.3 names, and Joliet.
    Joliet,
}

impl MediaOutput {
    /// The file without its extension: the folder of a split WIM, and of a set of discs.
    pub fn folder(&self) -> &str {
        let file = &self.file.value;
        file.rsplit_once('.').map_or(file, |(folder, _)| folder)
    }

    /// Whether it is a folder, or may turn out to be one.
    pub fn may_be_folder(&self) -> bool {
        self.wim.is_split() || self.capacity_bytes.is_some()
    }
}
