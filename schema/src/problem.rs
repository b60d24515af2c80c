//! `Problem`: what is wrong with a value, before it is known where the value stands.

use crate::diagnostic::Diagnostic;
use crate::text::Span;

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) label: &'static str,
    pub(crate) help: String,
}

impl Problem {
    pub(crate) fn new(
        code: &'static str,
        label: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Problem { code, message: message.into(), label, help: help.into() }
    }

    /// The problem as an error at `span`.
    pub(crate) fn at(self, span: Span) -> Diagnostic {
        Diagnostic::error(self.code, span, self.message).label(self.label).help(self.help)
    }
}
