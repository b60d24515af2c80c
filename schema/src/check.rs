//! What only shows across definitions, or between the parts of a medium.

mod architecture;
mod cycle;
pub(crate) mod media;
mod output;
mod place;
mod secret;
mod start_script;
pub(crate) mod usb;

use crate::definition::{Application, BootImage, Media, OsImage};
use crate::diagnostic::Diagnostic;

/// The definitions that could be lowered, also when others could not.
#[derive(Debug)]
pub(crate) struct Lowered<'a> {
    pub(crate) applications: &'a [Application],
    pub(crate) boot_images: &'a [BootImage],
    pub(crate) os_images: &'a [OsImage],
    pub(crate) media: &'a [Media],
}

/// Everything that is wrong between definitions.
pub(crate) fn check(lowered: &Lowered<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = cycle::check(lowered.applications);
    diagnostics.extend(architecture::check(lowered));
    diagnostics.extend(output::check(lowered.media));
    diagnostics.extend(place::check(lowered.media));
    diagnostics.extend(secret::check(lowered.media));
    diagnostics.extend(start_script::check(lowered.boot_images));
    diagnostics.extend(usb::check_folders(lowered.media));
    diagnostics
}
