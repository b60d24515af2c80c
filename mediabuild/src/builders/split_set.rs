//! Split sets: where the other parts of a WIM are, in a folder or on a disc.

use std::path::{Path, PathBuf};

use mediabuild_formats::wim::Wim;

/// The other parts of a split set: `x.swm`, `x2.swm`, `x3.swm`… whichever of them `path` is.
pub(crate) fn siblings(path: &Path, wim: &Wim) -> Vec<PathBuf> {
    let (number, count) = (wim.header.part_number, wim.header.part_count);
    let others = (1..=count).filter(|&part| count > 1 && part != number);
    others.map(|part| renamed(path, number, part)).collect()
}

/// What the first part of the set is called that `path` is of.
pub(crate) fn first_part(path: &Path, wim: &Wim) -> PathBuf {
    renamed(path, wim.header.part_number, 1)
}

/// What another part is called than `path`, which is part `number`.
fn renamed(path: &Path, number: u16, part: u16) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let first = match number {
        0 | 1 => stem.as_str(),
        _ => stem.strip_suffix(&number.to_string()).unwrap_or(&stem),
    };
    let extension = path.extension().map(|it| format!(".{}", it.to_string_lossy()));
    let extension = extension.unwrap_or_default();
    path.with_file_name(match part {
        1 => format!("{first}{extension}"),
        part => format!("{first}{part}{extension}"),
    })
}
