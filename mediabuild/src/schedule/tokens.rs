//! Tokens: what a running job holds of the machine, and how much of it there is.

/// Amounts of what jobs compete for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Tokens {
    /// Jobs that compute.
    pub(crate) cpu: u64,
    /// Memory a job keeps while it runs, in MiB.
    pub(crate) memory_mib: u64,
    /// Jobs that stream large files from or to a disk: a few at once are faster than many.
    pub(crate) disk: u64,
}

impl Tokens {
    /// At most as much as `limit` has: a job that needs more than there is runs alone.
    pub(crate) fn capped(self, limit: Tokens) -> Tokens {
        Tokens {
            cpu: self.cpu.min(limit.cpu),
            memory_mib: self.memory_mib.min(limit.memory_mib),
            disk: self.disk.min(limit.disk),
        }
    }

    /// What is left without `taken`; `None` if that is more than there is.
    pub(crate) fn without(self, taken: Tokens) -> Option<Tokens> {
        Some(Tokens {
            cpu: self.cpu.checked_sub(taken.cpu)?,
            memory_mib: self.memory_mib.checked_sub(taken.memory_mib)?,
            disk: self.disk.checked_sub(taken.disk)?,
        })
    }

    /// Both together.
    pub(crate) fn with(self, given: Tokens) -> Tokens {
        Tokens {
            cpu: self.cpu + given.cpu,
            memory_mib: self.memory_mib + given.memory_mib,
            disk: self.disk + given.disk,
        }
    }
}
