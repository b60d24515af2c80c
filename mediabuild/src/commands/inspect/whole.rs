//! A WIM with all that belongs to it: the other parts of a split set, and the WIMs that it is a delta
//! of.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use mediabuild_formats::wim::{JoinError, Joined, Wim};

use super::medium::{AnySource, Medium, open_source, recognise};
use crate::builders::split_set::siblings;
use crate::failure::Failure;

/// An opened file and what belongs to it.
pub(crate) struct Whole {
    pub(crate) medium: Medium,
    pub(crate) source: AnySource,
    /// The names of the files that the source is made of.
    pub(crate) files: Vec<String>,
    /// How many of them are the file's own: itself and the other parts of its set.
    pub(crate) own_count: usize,
}

impl Whole {
    /// One file with nothing that belongs to it.
    pub(crate) fn alone(medium: Medium, source: AnySource, name: &str) -> Whole {
        Whole { medium, source, files: vec![name.to_owned()], own_count: 1 }
    }
}

/// Opens `path`, the other parts of its set, which lie beside it under their usual names, and the WIMs
/// of `references`: names, or patterns of names.
pub(crate) fn open_whole(path: &Path, references: &[PathBuf]) -> Result<Whole, Failure> {
    let source = open_source(path)?;
    let name = path.to_string_lossy().into_owned();
    let medium = recognise(&source, &name)?;
    let Medium::Wim(wim) = &medium else { return Ok(Whole::alone(medium, source, &name)) };
    let mut parts = vec![(path.to_owned(), source)];
    for sibling in siblings(path, wim) {
        let source = open_source(&sibling).map_err(|failure| {
            let part =
                format!("it is part {} of {}", wim.header.part_number, wim.header.part_count);
            failure.while_doing(format!("`{name}` needs `{}`: {part}", sibling.display()))
        })?;
        parts.push((sibling, source));
    }
    let part_count = parts.len();
    for reference in expand(references)? {
        let source = open_source(&reference)?;
        parts.push((reference, source));
    }
    if let [_] = parts[..] {
        let (_, source) = parts.remove(0);
        return Ok(Whole::alone(medium, source, &name));
    }
    let (paths, sources): (Vec<PathBuf>, Vec<AnySource>) = parts.into_iter().unzip();
    let files: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into()).collect();
    let joined = Joined::new(sources);
    let wim = Wim::open_joined(&joined, part_count).map_err(|JoinError { file, error }| {
        Failure::build(format!("`{}` cannot be read with the others: {error}", files[file]))
    })?;
    Ok(Whole { medium: Medium::Wim(wim), source: Box::new(joined), files, own_count: part_count })
}

/// As [`open_whole`], or the file alone where a part of its set is not there: enough to look into.
pub(super) fn open_to_look(path: &Path, references: &[PathBuf]) -> Result<Whole, Failure> {
    open_whole(path, references).or_else(|failure| {
        let (medium, source) = super::medium::open(path)?;
        match &medium {
            Medium::Wim(wim) if wim.header.part_count > 1 && references.is_empty() => {
                Ok(Whole::alone(medium, source, &path.to_string_lossy()))
            }
            _ => Err(failure),
        }
    })
}

/// Names, and in place of patterns the files that match them.
fn expand(references: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for reference in references {
        let name = reference.file_name().unwrap_or_default().to_string_lossy();
        if reference.exists() || !name.contains(['*', '?', '[', '{']) {
            files.push(reference.clone());
            continue;
        }
        let glob = GlobBuilder::new(&name).build().map_err(|error| {
            Failure::usage(format!("`{}` is not a pattern: {error}", reference.display()))
        })?;
        let matching = matching(reference, &glob.compile_matcher())?;
        if matching.is_empty() {
            let message = format!("no file is called like `{}`", reference.display());
            return Err(Failure::usage(message));
        }
        files.extend(matching);
    }
    Ok(files)
}

fn matching(pattern: &Path, matcher: &GlobMatcher) -> Result<Vec<PathBuf>, Failure> {
    let folder = pattern.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).map_err(|e| Failure::io("list", folder, &e))?;
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut matching: Vec<PathBuf> =
        names.filter(|name| matcher.is_match(name)).map(|name| folder.join(name)).collect();
    matching.sort();
    Ok(matching)
}
