//! `Definitions`: what the user said, typed, every value with its place in the text.
//!
//! These types are the contract with the rest of the program: the planner reads them and nothing
//! else. A new node kind adds a struct here and a file under `def/`.

mod image;
mod usb;

use std::fmt;
use std::path::PathBuf;

use crate::lookup::Places;
use crate::text::{Span, Texts};

pub use image::{
    Attribute, Codec, Compression, ImageOptions, Information, InformationField, Languages, Level,
    PathSetting, Setting, WimOutput,
};
pub use usb::{PartitionTable, Usb};

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was said.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// Everything a project says. Each list is in order of definition (files in include order).
#[derive(Debug, Clone)]
pub struct Definitions {
    /// The definition files, for diagnostics of later steps.
    pub texts: Texts,
    /// The one `project` node.
    pub project: Project,
    /// All `boot-image` nodes.
    pub boot_images: Vec<BootImage>,
    /// All `os-image` nodes.
    pub os_images: Vec<OsImage>,
    /// All `driver-package` nodes.
    pub driver_packages: Vec<DriverPackage>,
    /// All `application` nodes.
    pub applications: Vec<Application>,
    /// All `package` nodes.
    pub packages: Vec<Package>,
    /// All named, top-level `variables` nodes.
    pub variables: Vec<Variables>,
    /// All `media` nodes.
    pub media: Vec<Media>,
    /// Where each name stands in its list.
    pub(crate) places: Places,
}

/// The kinds that can be a target, in the order of the language reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `boot-image`
    BootImage,
    /// `os-image`
    OsImage,
    /// `driver-package`
    DriverPackage,
    /// `application`
    Application,
    /// `package`
    Package,
    /// `variables`
    Variables,
    /// `media`
    Media,
}

impl Kind {
    /// Every kind, in the order of the language reference.
    pub const ALL: [Kind; 7] = [
        Kind::BootImage,
        Kind::OsImage,
        Kind::DriverPackage,
        Kind::Application,
        Kind::Package,
        Kind::Variables,
        Kind::Media,
    ];

    /// The node name, such as `boot-image`.
    pub const fn node_name(self) -> &'static str {
        match self {
            Kind::BootImage => "boot-image",
            Kind::OsImage => "os-image",
            Kind::DriverPackage => "driver-package",
            Kind::Application => "application",
            Kind::Package => "package",
            Kind::Variables => "variables",
            Kind::Media => "media",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.node_name())
    }
}

/// `project "contoso" epoch=(date-time)"…" { include "…" }`
#[derive(Debug, Clone)]
pub struct Project {
    /// The project's name.
    pub name: Spanned<String>,
    /// Seconds since 1970-01-01 UTC, the time every generated file gets.
    pub epoch_seconds: Option<Spanned<i64>>,
    /// The folder that holds `mediabuild.kdl`.
    pub folder: PathBuf,
}

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

/// A processor architecture, in Windows' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arch {
    /// `x86`
    X86,
    /// `amd64`
    Amd64,
    /// `arm64`
    Arm64,
}

impl Arch {
    /// The word in definitions: `x86`, `amd64`, `arm64`.
    pub const fn name(self) -> &'static str {
        match self {
            Arch::X86 => "x86",
            Arch::Amd64 => "amd64",
            Arch::Arm64 => "arm64",
        }
    }
}

/// `boot-image "winpe-x64" arch="amd64" { … }`
#[derive(Debug, Clone)]
pub struct BootImage {
    /// Its name.
    pub name: Spanned<String>,
    /// The machines it starts.
    pub arch: Spanned<Arch>,
    /// What it is made from.
    pub base: ImageBase,
    /// Driver packages and where they go.
    pub driver_packages: Vec<DriverPlacement>,
    /// Files laid over the base, in order; a later one wins.
    pub overlays: Vec<Source>,
    /// `start "…"`: the command that runs after start-up.
    pub start: Option<Spanned<String>>,
    /// What makes a medium with this image boot.
    pub boot_files: Option<BootFiles>,
    /// What its WIM is like.
    pub options: ImageOptions,
}

/// What an image is made from.
#[derive(Debug, Clone)]
pub enum ImageBase {
    /// `wim "inputs/winpe.wim" index=1`
    Wim(WimImage),
    /// `iso "inputs/Win11.iso" wim="sources/install.wim" index=6`
    Iso(IsoImage),
    /// `source "tree"`
    Source(Source),
}

/// `driver-package "intel-net" to="Drivers/net"` in a boot image; one per name.
#[derive(Debug, Clone)]
pub struct DriverPlacement {
    /// The package.
    pub name: Spanned<String>,
    /// The folder in the image; `Drivers/<name>` without it.
    pub to: Option<Spanned<String>>,
}

/// `boot-files { from "image"; from "inputs/adk-media"; el-torito bios="…" uefi="…"; signer "2023" }`
#[derive(Debug, Clone)]
pub struct BootFiles {
    /// Searched in order.
    pub from: Vec<BootFilesFrom>,
    /// The no-emulation BIOS boot program of an ISO.
    pub el_torito_bios: Option<InputPath>,
    /// The UEFI boot image (a FAT image) of an ISO.
    pub el_torito_uefi: Option<InputPath>,
    /// Whose signature every UEFI boot manager has.
    pub signer: Option<Spanned<Signer>>,
    /// The node.
    pub span: Span,
}

/// One place boot files are taken from.
#[derive(Debug, Clone)]
pub enum BootFilesFrom {
    /// `from "image"`: the boot image's own `Windows/Boot`.
    Image(Span),
    /// `from "inputs/adk-media"`: a folder laid out like a medium.
    Folder(InputPath),
    /// `from iso="inputs/Win11.iso"`: a medium, such as one of Windows.
    Disc(InputPath),
}

/// `signer "2023"`: a certificate that firmware trusts for Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// `2011`: Microsoft Windows Production PCA 2011.
    Pca2011,
    /// `2023`: Windows UEFI CA 2023, the files whose names end in `_EX`.
    Ca2023,
}

impl Signer {
    /// The word in definitions.
    pub const fn name(self) -> &'static str {
        match self {
            Signer::Pca2011 => "2011",
            Signer::Ca2023 => "2023",
        }
    }
}

/// `os-image "win11" arch="amd64" { wim "inputs/install.wim" index=3 }`
#[derive(Debug, Clone)]
pub struct OsImage {
    /// Its name.
    pub name: Spanned<String>,
    /// The machines it is for.
    pub arch: Spanned<Arch>,
    /// What it is made from.
    pub base: ImageBase,
    /// Files laid over the base, in order; a later one wins.
    pub overlays: Vec<Source>,
    /// What its WIM is like.
    pub options: ImageOptions,
    /// In which files it comes when it is built by itself.
    pub output: WimOutput,
}

/// `driver-package "intel-net" { source "drivers/intel-net" }`
#[derive(Debug, Clone)]
pub struct DriverPackage {
    /// Its name.
    pub name: Spanned<String>,
    /// Its files.
    pub source: Source,
}

/// `application "agent" version="4.2" { source "apps/agent"; install "…"; depends-on "vcredist" }`
#[derive(Debug, Clone)]
pub struct Application {
    /// Its name.
    pub name: Spanned<String>,
    /// Its version, for people.
    pub version: Option<Spanned<String>>,
    /// Its files.
    pub source: Source,
    /// The command that installs it.
    pub install: Option<Spanned<String>>,
    /// Applications that must be installed before.
    pub depends_on: Vec<Spanned<String>>,
}

/// `package "branding" { source "packages/branding" }`
#[derive(Debug, Clone)]
pub struct Package {
    /// Its name.
    pub name: Spanned<String>,
    /// Its files.
    pub source: Source,
}

/// `variables "common" { OSDTimeZone "UTC" }`
#[derive(Debug, Clone)]
pub struct Variables {
    /// Its name.
    pub name: Spanned<String>,
    /// In order; names are unique, ignoring case.
    pub variables: Vec<Variable>,
}

/// One task-sequence variable.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value.
    pub value: Spanned<VariableValue>,
}

/// A variable's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableValue {
    /// As written.
    Text(String),
    /// `(secret)"env:NAME"`: looked up when the medium is made.
    Secret(SecretReference),
}

/// Where a secret is. The value itself never stands in a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretReference {
    /// `env:NAME`
    Environment(String),
    /// `file:PATH`
    File(InputPath),
}

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
