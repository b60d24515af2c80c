//! `Failure`: the one funnel through which errors leave the program, with their exit code.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// Who must act, which is what the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// 1: a build or a verification failed.
    Build,
    /// 2: the definitions or the command line are wrong.
    Usage,
    /// 3: the environment failed (disk full, no permission).
    Environment,
    /// 130: the user pressed Ctrl-C.
    Cancelled,
}

/// An error on its way to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// Sentence fragments, the outermost first; printed as a chain.
    pub(crate) messages: Vec<String>,
    /// What to do, best something that can be typed.
    pub(crate) help: Option<String>,
    /// The message was printed already (diagnostics, a failed job); only the exit code is left.
    pub(crate) printed: bool,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Failure { kind, messages: vec![message.into()], help: None, printed: false }
    }

    pub(crate) fn build(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Build, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    pub(crate) fn environment(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Environment, message)
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(FailureKind::Cancelled, "stopped; nothing unfinished was left behind")
    }

    /// A failed system call on `path`.
    pub(crate) fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        let failure = Self::environment(format!("cannot {doing} `{}`: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::StorageFull => failure.help("free space there, or choose another place"),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                failure.help("change its permissions, or choose another place")
            }
            _ => failure,
        }
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Puts what was being done in front.
    #[must_use]
    pub(crate) fn while_doing(mut self, message: impl Into<String>) -> Self {
        self.messages.insert(0, message.into());
        self
    }

    /// Marks it as printed.
    #[must_use]
    pub(crate) fn already_printed(mut self) -> Self {
        self.printed = true;
        self
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            FailureKind::Build => 1,
            FailureKind::Usage => 2,
            FailureKind::Environment => 3,
            FailureKind::Cancelled => 130,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.messages.join(": "))
    }
}

impl From<mediabuild_store::Error> for Failure {
    fn from(error: mediabuild_store::Error) -> Self {
        let kind = match &error {
            mediabuild_store::Error::Cancelled => return Failure::cancelled(),
            error if error.is_environment() => FailureKind::Environment,
            _ => FailureKind::Build,
        };
        let failure = Failure::new(kind, error.to_string());
        match error.help() {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}
