//! Diagnostics as text: the user's own lines, what is wrong, what to type.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity as MietteSeverity,
    SourceCode, SourceSpan,
};

use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::text::{Span, TextIdx, Texts};

/// A [`Diagnostic`] with its text, for miette.
///
/// miette shows one file per diagnostic, so the labels of each further file become a related
/// report.
#[derive(Debug)]
pub struct Report {
    severity: Severity,
    code: Option<&'static str>,
    message: String,
    help: Option<String>,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
    related: Vec<Report>,
}

impl Report {
    /// The report of `diagnostic`, whose labels lie in `texts`.
    pub fn new(texts: &Texts, diagnostic: &Diagnostic) -> Self {
        let files = files_of(&diagnostic.labels).into_iter();
        // An empty text stands for a file that could not be read: there is nothing to show.
        let mut snippets = files
            .filter(|file| !texts.get(*file).text.is_empty())
            .map(|file| Self::snippet(texts, diagnostic, file));
        let main = snippets.next().unwrap_or_else(|| Self::bare(diagnostic));
        Report {
            code: Some(diagnostic.code),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            related: snippets.collect(),
            ..main
        }
    }

    fn bare(diagnostic: &Diagnostic) -> Self {
        Report {
            severity: diagnostic.severity,
            code: None,
            message: "also here".into(),
            help: None,
            source: None,
            labels: Vec::new(),
            related: Vec::new(),
        }
    }

    /// The labels of `diagnostic` in one file.
    fn snippet(texts: &Texts, diagnostic: &Diagnostic, file: TextIdx) -> Self {
        let text = texts.get(file);
        let labels = diagnostic.labels.iter().filter(|label| label.span.text == file);
        Report {
            source: Some(NamedSource::new(&text.name, printable(&text.text))),
            labels: labels.map(labeled_span).collect(),
            ..Self::bare(diagnostic)
        }
    }
}

/// `text` without characters that would control a terminal, each byte at its offset.
fn printable(text: &str) -> String {
    let is_control = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
            || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut printable, c| {
        match is_control(c) {
            true => printable.extend(std::iter::repeat_n('?', c.len_utf8())),
            false => printable.push(c),
        }
        printable
    })
}

/// The files of `labels`, in order of first mention.
fn files_of(labels: &[Label]) -> Vec<TextIdx> {
    let mut files = Vec::new();
    for label in labels {
        if !files.contains(&label.span.text) {
            files.push(label.span.text);
        }
    }
    files
}

fn labeled_span(label: &Label) -> LabeledSpan {
    let span = SourceSpan::new(label.span.offset_bytes.into(), label.span.size_bytes);
    LabeledSpan::new_with_span(Some(label.text.clone()), span)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<MietteSeverity> {
        Some(match self.severity {
            Severity::Error => MietteSeverity::Error,
            Severity::Warning => MietteSeverity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        if self.related.is_empty() {
            return None;
        }
        Some(Box::new(self.related.iter().map(|report| report as &dyn miette::Diagnostic)))
    }
}

/// All `diagnostics` as text for people, with the lines they are about.
pub fn render(texts: &Texts, diagnostics: &[Diagnostic], colour: bool, width: usize) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .with_links(false)
        .with_show_related_as_nested(true)
        .without_syntax_highlighting();
    let mut rendered = String::new();
    for (count, diagnostic) in diagnostics.iter().enumerate() {
        if count > 0 {
            rendered.push('\n');
        }
        let report = Report::new(texts, diagnostic);
        handler.render_report(&mut rendered, &report).expect("writing to a string succeeds");
    }
    rendered
}

/// Line and column of the start of `span`, both counted from 1; columns count characters.
pub fn position(texts: &Texts, span: Span) -> (usize, usize) {
    let text = &texts.get(span.text).text;
    let mut end = span.offset_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
