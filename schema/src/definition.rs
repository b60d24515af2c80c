//! `Definitions`: what the user said, typed, every value with its place in the text.
//!
//! These types are the contract with the rest of the program: the planner reads them and nothing
//! else. A new node kind adds a struct here and a file under `def/`.

mod boot_image;
mod image;
mod media;
mod source;
mod usb;

use std::fmt;
use std::path::PathBuf;

use crate::lookup::Places;
use crate::text::{Span, Texts};

pub use boot_image::{BootFiles, BootFilesFrom, BootImage, DriverPlacement, Signer};
pub use image::{
    Attribute, Codec, Compression, ImageOptions, Information, InformationField, Languages, Level,
    PathSetting, Setting, WimOutput,
};
pub use media::{ContentLayout, Media, MediaOutput, MediaType, Mirror};
pub use source::{Filter, ImageSelector, InputPath, IsoImage, Source, Url, UrlFile, WimImage};
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
