//! What is wrong with an ISO or a disk image: its structures, then every WIM in it.

use mediabuild_formats::iso::Disc;
use mediabuild_formats::volume::Entry;

use super::Finding;
use super::split::Wims;
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
    let mut wims = Wims::new(&entries, source, job);
    for entry in entries.iter().filter(|entry| is_wim(entry)) {
        let (path, size) = (entry.path.clone(), human(entry.size_bytes));
        let inner = wims.open(entry);
        match recognise(&inner, &path) {
            Ok(Medium::Wim(wim)) => {
                let found = wims.check(&wim, inner, &path)?;
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

fn is_wim(entry: &Entry) -> bool {
    let path = entry.path.to_lowercase();
    !entry.is_directory && WIM_EXTENSIONS.iter().any(|extension| path.ends_with(extension))
}
