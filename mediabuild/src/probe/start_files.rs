//! The boot files of a medium that are said to come from folders and discs, as a build merges them. What
//! comes out of the boot image has names of its own choosing, so nothing is wrong with these.

use mediabuild_schema::Span;
use mediabuild_schema::definition::{BootFilesFrom, BootImage};

use super::contents::{Contents, Given};
use crate::builders::boot_files::Found;
use crate::builders::medium_tree::OWN;

/// A file that a machine starts with, and where its place is said.
pub(super) struct StartFile {
    pub(super) path: String,
    pub(super) size_bytes: u64,
    pub(super) span: Span,
}

/// Of places that can be looked into, by path; what every medium has by itself is left out.
pub(super) fn start_files(image: &BootImage, contents: &Contents<'_>) -> Vec<StartFile> {
    let mut found = Found::default();
    for place in image.boot_files.iter().flat_map(|files| &files.from) {
        let given = match place {
            BootFilesFrom::Image(_) => None,
            BootFilesFrom::Folder(folder) => contents.folder(folder),
            BootFilesFrom::Disc(iso) => contents.boot_files_of_disc(iso),
        };
        let Some(Given { span, files, .. }) = given else { continue };
        found.add_all(files.into_iter().map(|(path, size)| (path, (span, size))).collect());
    }
    let files = found.files.into_values();
    let files = files.filter(|(path, _)| !OWN.iter().any(|own| path.eq_ignore_ascii_case(own)));
    files.map(|(path, (span, size_bytes))| StartFile { path, size_bytes, span }).collect()
}
