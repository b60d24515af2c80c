//! Split sets: where the other parts of a WIM are, in a folder or on a disc.

use std::path::{Path, PathBuf};

use mediabuild_formats::wim::Wim;

/// The other parts of a split set: `x.swm`, `x2.swm`, `x3.swm`… whichever of them `path` is.
pub(crate) fn siblings(path: &Path, wim: &Wim) -> Vec<PathBuf> {
    let (number, count) = (wim.header.part_number, wim.header.part_count);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let first = match number {
        0 | 1 => stem.as_str(),
        _ => stem.strip_suffix(&number.to_string()).unwrap_or(&stem),
    };
    let extension = path.extension().map(|it| format!(".{}", it.to_string_lossy()));
    let extension = extension.unwrap_or_default();
    let name = |part: u16| match part {
        1 => format!("{first}{extension}"),
        part => format!("{first}{part}{extension}"),
    };
    let others = (1..=count).filter(|&part| count > 1 && part != number);
    others.map(|part| path.with_file_name(name(part))).collect()
}
