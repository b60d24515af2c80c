//! `mediabuild verify`: every hash of a WIM, every descriptor of an ISO and every hash of its WIMs.

use std::path::Path;
use std::sync::Arc;

use mediabuild_formats::iso::Disc;
use mediabuild_formats::source::Source;
use mediabuild_formats::wim::{BlobEntry, Wim};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde_json::json;

use super::inspect::medium::{AnySource, InDisc, Medium, entries, open, recognise};
use crate::cancel;
use crate::cli::Verify;
use crate::failure::{Failure, FailureKind};
use crate::progress::{Job, Progress};
use crate::size::{counted, human};

/// Checks each file; all of them, even if one is damaged.
pub(super) fn run(verify: &Verify, progress: &Progress) -> Result<(), Failure> {
    let mut failed = 0;
    for file in &verify.files {
        let findings = findings(file, progress)?;
        let name = file.display().to_string();
        for finding in &findings {
            progress.json(json!({ "event": "finding", "file": name, "message": finding }));
            progress.result(&format!("{name}: {finding}"));
        }
        failed += usize::from(!findings.is_empty());
        let ok = findings.is_empty();
        progress.json(json!({ "event": "verified", "file": name, "ok": ok }));
        if ok {
            progress.result(&format!("{name}: ok"));
        }
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::build(format!("verification failed for {}", counted(failed, "file")))),
    }
}

/// What is wrong with a file. One that is not what it should be does not keep others from being
/// checked; one that cannot be opened does.
fn findings(file: &Path, progress: &Progress) -> Result<Vec<String>, Failure> {
    let mut findings = match open(file) {
        Ok((medium, source)) => check(&medium, source, file, progress)?,
        Err(failure) if failure.kind == FailureKind::Build => vec![failure.to_string()],
        Err(failure) => return Err(failure),
    };
    findings.dedup();
    Ok(findings)
}

fn check(
    medium: &Medium,
    source: AnySource,
    file: &Path,
    progress: &Progress,
) -> Result<Vec<String>, Failure> {
    let job = progress.job(&format!("verify {}", file.display()), Some(source.size_bytes()));
    let findings = match medium {
        Medium::Wim(wim) => check_wim(wim, &source, &job)?,
        Medium::Disc(disc) => check_disc(disc, source, &job)?,
    };
    job.finish("verified", false);
    Ok(findings)
}

/// Where resources lie, every blob, every image's metadata, and the integrity table if there is one.
fn check_wim<S: Source + Sync + ?Sized>(
    wim: &Wim,
    source: &S,
    job: &Job<'_>,
) -> Result<Vec<String>, Failure> {
    // First, for a forged table may name the same bytes a million times.
    let distinct = match wim.check_layout().and_then(|()| wim.distinct_resources()) {
        Ok(distinct) => distinct,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    let own = |entry: &&BlobEntry| entry.part_number == wim.header.part_number;
    let solid = wim.blobs.iter().filter(own).filter(|entry| entry.is_solid());
    let blobs: Vec<&BlobEntry> = distinct.into_iter().chain(solid).collect();
    let check = |entry: &&BlobEntry| -> Result<Option<String>, Failure> {
        cancel::check()?;
        let checked = wim.check(source, entry);
        job.advance(entry.resource.stored_bytes);
        Ok(checked.err().map(|error| error.to_string()))
    };
    let checked = blobs.par_iter().map(check).collect::<Result<Vec<_>, Failure>>()?;
    let mut findings: Vec<String> = checked.into_iter().flatten().collect();
    for index in 1..=wim.images.len() {
        findings.extend(wim.image(source, index).err().map(|e| format!("image {index}: {e}")));
    }
    findings.extend(wim.integrity(source).err().map(|error| error.to_string()));
    Ok(findings)
}

/// The structures, then every WIM in it.
fn check_disc(disc: &Disc, source: AnySource, job: &Job<'_>) -> Result<Vec<String>, Failure> {
    let mut findings: Vec<String> =
        disc.verify(&source).into_iter().map(|finding| finding.message).collect();
    let entries = match entries(disc, &source) {
        Ok(entries) => entries,
        Err(failure) => {
            findings.push(failure.to_string());
            return Ok(findings);
        }
    };
    let source = Arc::new(source);
    for entry in entries {
        if entry.is_directory || !entry.path.to_lowercase().ends_with(".wim") {
            continue;
        }
        let (path, size) = (entry.path.clone(), human(entry.size_bytes));
        let inner: AnySource = Box::new(InDisc { outer: Arc::clone(&source), entry });
        match recognise(&inner, &path) {
            Ok(Medium::Wim(wim)) => {
                let found = check_wim(&wim, &inner, job)?;
                findings.extend(found.into_iter().map(|finding| format!("{path}: {finding}")));
            }
            Ok(Medium::Disc(_)) => findings.push(format!("{path} ({size}) is not a WIM")),
            Err(failure) => findings.push(failure.to_string()),
        }
    }
    Ok(findings)
}
