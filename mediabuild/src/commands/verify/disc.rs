//! What is wrong with an ISO or a disk image: its structures, then every WIM in it.

use std::path::Path;
use std::sync::Arc;

use mediabuild_formats::iso::{Disc, DiscFile};
use mediabuild_formats::volume::Entry;
use mediabuild_formats::wim::{Joined, Wim};

use super::{Finding, wim};
use crate::builders::split_set::siblings;
use crate::commands::inspect::disk::DiskImage;
use crate::commands::inspect::medium::{AnySource, Medium, entries, recognise};
use crate::failure::Failure;
use crate::progress::Job;
use crate::size::human;

/// Names of files that are WIMs.
const WIM_EXTENSIONS: [&str; 3] = [".wim", ".esd", ".swm"];

pub(super) fn check(
    disc: &Disc,
    source: AnySource,
    job: &Job<'_>,
) -> Result<Vec<Finding>, Failure> {
    let found = disc.verify(&source).into_iter();
    let mut findings: Vec<Finding> = found
        .map(|found| Finding { is_fault: found.is_fault, ..Finding::text(found.message) })
        .collect();
    let entries = entries(disc, &source);
    findings.extend(check_files(entries, source, job)?);
    Ok(findings)
}

pub(super) fn check_disk(
    disk: &DiskImage,
    source: AnySource,
    job: &Job<'_>,
) -> Result<Vec<Finding>, Failure> {
    let mut findings: Vec<Finding> = disk.verify(&source).into_iter().map(Finding::text).collect();
    let entries = disk.entries(&source);
    findings.extend(check_files(entries, source, job)?);
    Ok(findings)
}

/// What is wrong with the WIMs among files.
fn check_files(
    entries: Result<Vec<Entry>, Failure>,
    source: AnySource,
    job: &Job<'_>,
) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    let entries = match entries {
        Ok(entries) => entries,
        Err(failure) => {
            findings.push(Finding::text(failure.to_string()));
            return Ok(findings);
        }
    };
    let source = Arc::new(source);
    for entry in entries.iter().filter(|entry| is_wim(entry)) {
        let (path, size) = (entry.path.clone(), human(entry.size_bytes));
        let inner: AnySource = Box::new(inside(&source, entry));
        match recognise(&inner, &path) {
            // It is looked at together with the first part.
            Ok(Medium::Wim(wim)) if wim.header.part_number > 1 => {}
            Ok(Medium::Wim(wim)) => {
                let found = check_wim(wim, inner, &path, &entries, &source, job)?;
                findings.extend(found.into_iter().map(|finding| finding.inside(&path)));
            }
            Ok(Medium::Disc(_) | Medium::Disk(_)) => {
                findings.push(Finding::text(format!("{path} ({size}) is not a WIM")));
            }
            Err(failure) => findings.push(Finding::text(failure.to_string())),
        }
    }
    Ok(findings)
}

fn inside(source: &Arc<AnySource>, entry: &Entry) -> DiscFile<Arc<AnySource>> {
    DiscFile::new(Arc::clone(source), entry)
}

/// A WIM with the other parts of its set, which lie beside it.
fn check_wim(
    wim: Wim,
    inner: AnySource,
    path: &str,
    entries: &[Entry],
    source: &Arc<AnySource>,
    job: &Job<'_>,
) -> Result<Vec<Finding>, Failure> {
    let (mut files, mut sources) = (vec![path.to_owned()], vec![inner]);
    for sibling in siblings(Path::new(path), &wim) {
        let sibling = sibling.to_string_lossy().into_owned();
        let same = |entry: &&Entry| entry.path.eq_ignore_ascii_case(&sibling);
        let Some(entry) = entries.iter().find(same) else {
            return Ok(vec![Finding::text(format!("the other part `{sibling}` is not there"))]);
        };
        files.push(sibling);
        sources.push(Box::new(inside(source, entry)));
    }
    let own_count = files.len();
    let joined = Joined::new(sources);
    match Wim::open_joined(&joined, own_count) {
        Ok(wim) => wim::check(&wim::Checked { wim: &wim, files: &files, own_count }, &joined, job),
        Err(error) => Ok(vec![Finding::text(format!("{}: {error}", files[error.file]))]),
    }
}

fn is_wim(entry: &Entry) -> bool {
    let path = entry.path.to_lowercase();
    !entry.is_directory && WIM_EXTENSIONS.iter().any(|extension| path.ends_with(extension))
}
