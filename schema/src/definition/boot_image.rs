//! `BootImage`: Windows PE, and the files that start it.

use super::{Arch, ImageBase, ImageOptions, InputPath, Source, Spanned};
use crate::text::Span;

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
