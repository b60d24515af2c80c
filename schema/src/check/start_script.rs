//! What goes into a boot image's start script. Windows PE reads batch files in the code page of its
//! language, so only ASCII means the same everywhere; and a folder must be one that Windows opens.

use crate::definition::{BootImage, DriverPlacement, Spanned};
use crate::diagnostic::Diagnostic;

pub(crate) fn check(boot_images: &[BootImage]) -> Vec<Diagnostic> {
    let folders = boot_images.iter().flat_map(|image| &image.driver_packages).filter_map(folder);
    let starts = boot_images.iter().filter_map(|image| start(image.start.as_ref()?));
    folders.chain(starts).collect()
}

/// Characters that Windows refuses in names, or that a batch file takes for something else.
const REFUSED: [char; 9] = ['<', '>', ':', '"', '|', '?', '*', '\\', '%'];

fn folder(placement: &DriverPlacement) -> Option<Diagnostic> {
    let folder = placement.folder();
    let bad = folder.chars().find(|c| !c.is_ascii_graphic() && *c != ' ' || REFUSED.contains(c));
    let bad_end = folder.split('/').any(|name| name.ends_with(['.', ' ']));
    let why = match bad {
        Some(c) => format!("`{}` cannot stand in it", c.escape_debug()),
        None if bad_end => "a name in it ends in a dot or a space".to_owned(),
        None => return None,
    };
    let span = placement.to.as_ref().map_or(placement.name.span, |to| to.span);
    let message = format!("the start script cannot name the driver folder `{folder}`");
    Some(Diagnostic::error("bad-driver-folder", span, message).label(why).help(format!(
        "say a folder of plain letters: driver-package \"{}\" to=\"Drivers/net\"",
        placement.name.value
    )))
}

fn start(start: &Spanned<String>) -> Option<Diagnostic> {
    let bad =
        start.value.chars().find(|c| !c.is_ascii() || c.is_control() && !"\t\r\n".contains(*c))?;
    let message = "the start command is not plain ASCII";
    Some(
        Diagnostic::error("bad-start-command", start.span, message)
            .label(format!("`{}` means another character in another language", bad.escape_debug()))
            .help("put the command into a batch file of an overlay, saved in the right code page, and start that"),
    )
}
