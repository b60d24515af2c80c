//! Which ready job goes first: the one with the longest way to the end of the build.

use std::cmp::Reverse;

use super::machine::JobSpec;

/// Sorts ready jobs: longest remaining way first, then by position, so that the order depends on
/// the plan alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Priority(Reverse<u64>, usize);

impl Priority {
    pub(super) fn new(remaining: u64, job: usize) -> Self {
        Priority(Reverse(remaining), job)
    }

    pub(super) fn job(&self) -> usize {
        self.1
    }
}

/// For each job the weight of the heaviest chain from it to a job nobody waits for, itself
/// included. Inputs come before what waits for them, so one pass from the end is enough.
pub(super) fn critical_paths(jobs: &[JobSpec], dependents: &[Vec<usize>]) -> Vec<u64> {
    let mut remaining = vec![0; jobs.len()];
    for job in (0..jobs.len()).rev() {
        let after = dependents[job].iter().map(|&dependent| remaining[dependent]).max();
        remaining[job] = after.unwrap_or(0u64).saturating_add(jobs[job].weight);
    }
    remaining
}
