//! `mediabuild verify`: every hash of a WIM, every descriptor of an ISO and every hash of its WIMs.

mod disc;
mod split;
mod wim;

use std::path::{Path, PathBuf};

use mediabuild_formats::source::Source;
use serde_json::{Value, json};

use super::inspect::medium::Medium;
use super::inspect::whole::{Whole, open_whole};
use crate::cli::Verify;
use crate::failure::{Failure, FailureKind};
use crate::progress::{Job, Progress};
use crate::schedule::size_leaf_pool;
use crate::size::counted;

/// Checks each file; all of them, even if one is damaged.
pub(super) fn run(verify: &Verify, progress: &Progress) -> Result<(), Failure> {
    if let Some(jobs) = verify.jobs {
        size_leaf_pool(usize::from(jobs));
    }
    let mut failed = 0;
    for file in &verify.files {
        let findings = findings(file, &verify.references, progress)?;
        let name = file.display().to_string();
        for finding in &findings {
            progress.json(finding.json(&name));
            let remark = if finding.is_fault { "" } else { "remark: " };
            progress.result(&format!("{name}: {remark}{}", finding.message));
        }
        let ok = !findings.iter().any(|finding| finding.is_fault);
        failed += usize::from(!ok);
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

/// Something that is wrong, or worth a remark.
struct Finding {
    message: String,
    /// A remark does not fail the verification.
    is_fault: bool,
    /// The same for machines: an object whose fields go beside the message.
    details: Option<Value>,
}

impl Finding {
    fn text(message: impl Into<String>) -> Finding {
        Finding { message: message.into(), is_fault: true, details: None }
    }

    fn remark(message: impl Into<String>) -> Finding {
        Finding { is_fault: false, ..Finding::text(message) }
    }

    /// As found in a file inside the file.
    fn inside(self, path: &str) -> Finding {
        Finding { message: format!("{path}: {}", self.message), ..self }
    }

    fn json(&self, file: &str) -> Value {
        let event = if self.is_fault { "finding" } else { "remark" };
        let mut event = json!({ "event": event, "file": file, "message": self.message });
        if let (Some(event), Some(Value::Object(details))) = (event.as_object_mut(), &self.details)
        {
            event.extend(details.clone());
        }
        event
    }
}

/// What is wrong with a file. One that is not what it should be does not keep others from being
/// checked; one that cannot be opened does.
fn findings(
    file: &Path,
    references: &[PathBuf],
    progress: &Progress,
) -> Result<Vec<Finding>, Failure> {
    let mut findings = match open_whole(file, references) {
        Ok(whole) => check(whole, file, progress)?,
        // A missing part of a set is the set's damage; a missing file is the command line's.
        Err(failure) if failure.kind == FailureKind::Build || failure.messages.len() > 1 => {
            vec![Finding::text(failure.to_string())]
        }
        Err(failure) => return Err(failure),
    };
    findings.dedup_by(|next, kept| next.message == kept.message);
    Ok(findings)
}

fn check(whole: Whole, file: &Path, progress: &Progress) -> Result<Vec<Finding>, Failure> {
    let label = format!("verify {}", file.display());
    let job: Job<'_> = progress.job(&label, Some(whole.source.size_bytes()));
    let findings = match &whole.medium {
        Medium::Wim(wim) => {
            let (files, own_count) = (&whole.files[..], whole.own_count);
            wim::check(&wim::Checked { wim, files, own_count }, &whole.source, &job)?
        }
        Medium::Disc(disc) => disc::check(disc, whole.source, &job)?,
        Medium::Disk(disk) => disc::check_disk(disk, whole.source, &job)?,
    };
    job.finish("verified", false);
    Ok(findings)
}
