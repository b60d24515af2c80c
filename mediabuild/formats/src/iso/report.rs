//! `Report`: what happens to errors while a disc is read: the first one ends, or all are collected.

use super::disc::Finding;
use crate::volume::ReadError;

/// More findings than this tell nobody anything.
const FINDING_COUNT_MAX: usize = 10_000;

pub(super) struct Report {
    /// Nothing is collected by a reader that ends at the first error.
    findings: Option<Vec<Finding>>,
}

impl Report {
    /// The first error ends.
    pub(super) fn ending() -> Report {
        Report { findings: None }
    }

    /// All errors are collected.
    pub(super) fn collecting() -> Report {
        Report { findings: Some(Vec::new()) }
    }

    /// Something that cannot be read: `Ok` if reading goes on elsewhere.
    pub(super) fn error(&mut self, error: ReadError) -> Result<(), ReadError> {
        match &mut self.findings {
            None => Err(error),
            Some(findings) => {
                push(findings, Finding::of(&error));
                Ok(())
            }
        }
    }

    /// Something wrong that does not keep a reader from reading.
    pub(super) fn minor(&mut self, offset_bytes: u64, message: impl FnOnce() -> String) {
        self.note(true, offset_bytes, message);
    }

    /// Something that is not as it should be, and harms nobody.
    pub(super) fn remark(&mut self, offset_bytes: u64, message: impl FnOnce() -> String) {
        self.note(false, offset_bytes, message);
    }

    fn note(&mut self, is_fault: bool, offset_bytes: u64, message: impl FnOnce() -> String) {
        if let Some(findings) = &mut self.findings {
            let message = format!("at {offset_bytes}: {}", message());
            push(findings, Finding { is_fault, offset_bytes, message });
        }
    }

    pub(super) fn is_collecting(&self) -> bool {
        self.findings.is_some()
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings.unwrap_or_default()
    }
}

fn push(findings: &mut Vec<Finding>, finding: Finding) {
    if findings.len() < FINDING_COUNT_MAX {
        findings.push(finding);
    }
}
