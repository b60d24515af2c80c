//! What is wrong with an ISO: its structures, then every WIM in it.

use std::sync::Arc;

use mediabuild_formats::iso::{Disc, Entry};

use super::{Finding, wim};
use crate::commands::inspect::medium::{AnySource, InDisc, Medium, entries, recognise};
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
    let mut findings: Vec<Finding> =
        disc.verify(&source).into_iter().map(|finding| Finding::text(finding.message)).collect();
    let entries = match entries(disc, &source) {
        Ok(entries) => entries,
        Err(failure) => {
            findings.push(Finding::text(failure.to_string()));
            return Ok(findings);
        }
    };
    let source = Arc::new(source);
    for entry in entries.into_iter().filter(is_wim) {
        let (path, size) = (entry.path.clone(), human(entry.size_bytes));
        let inner: AnySource = Box::new(InDisc { outer: Arc::clone(&source), entry });
        match recognise(&inner, &path) {
            Ok(Medium::Wim(wim)) => {
                let found = wim::check(&wim, &inner, job)?;
                findings.extend(found.into_iter().map(|finding| finding.inside(&path)));
            }
            Ok(Medium::Disc(_)) => {
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
