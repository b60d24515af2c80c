//! Progress and results: bars on a terminal, plain lines in a pipe, JSON lines for machines.
//!
//! Bars and lines of progress go to stderr; what a user may want to pipe goes to stdout. With
//! `--format json` everything is one JSON object a line, on stdout.
//!
//! Who reads may go away at any time (`| head`). Then nothing more is written, and a command that
//! does work goes on: only one that just tells ends with its reader.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::cli::Format;
use crate::failure::Failure;

/// Where progress goes. Shared by all jobs.
pub(crate) struct Progress {
    format: Format,
    bars: Option<MultiProgress>,
    started: Instant,
}

impl Progress {
    pub(crate) fn new(format: Format) -> Self {
        let bars = format == Format::Text && std::io::stderr().is_terminal();
        let bars = bars.then(MultiProgress::new);
        Progress { format, bars, started: Instant::now() }
    }

    /// A job begins; `total_bytes` is how much it will read or write, if known.
    pub(crate) fn job(&self, label: &str, total_bytes: Option<u64>) -> Job<'_> {
        self.json(json!({ "event": "started", "job": label, "bytes": total_bytes }));
        let bar = self.bars.as_ref().map(|bars| bars.add(bar(label, total_bytes)));
        Job { progress: self, label: label.into(), bar, done_bytes: AtomicU64::new(0) }
    }

    /// A line of progress for people: what was done.
    pub(crate) fn line(&self, text: &str) {
        match &self.bars {
            Some(bars) => drop(bars.println(text)),
            None if self.format == Format::Text => print_error_line(text),
            None => {}
        }
    }

    /// A failure that is not the end.
    pub(crate) fn failure(&self, failure: &Failure) {
        print_failure(self.format, failure);
    }

    /// A warning.
    pub(crate) fn warning(&self, text: &str) {
        self.json(json!({ "event": "warning", "message": text }));
        self.line(&format!("warning: {}", without_control(text)));
    }

    /// An object for machines; nothing in text mode.
    pub(crate) fn json(&self, event: Value) {
        if self.format == Format::Json {
            print_line(&event.to_string());
        }
    }

    /// A line of results, which a user may pipe; nothing in JSON mode.
    pub(crate) fn result(&self, text: &str) {
        if self.format == Format::Text {
            match &self.bars {
                Some(bars) => bars.suspend(|| print_line(text)),
                None => print_line(text),
            }
        }
    }

    /// When the command began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Time since the command began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A running job.
pub(crate) struct Job<'a> {
    progress: &'a Progress,
    label: String,
    bar: Option<ProgressBar>,
    done_bytes: AtomicU64,
}

impl Job<'_> {
    /// So many bytes will be read or written, as is known now.
    pub(crate) fn expect(&self, total_bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_style(bar_style(true));
            bar.set_length(total_bytes);
        }
    }

    /// So many more bytes will be read or written than was known.
    pub(crate) fn expect_more(&self, bytes: u64) {
        let known = self.bar.as_ref().and_then(ProgressBar::length).unwrap_or(0);
        self.expect(known.saturating_add(bytes));
    }

    /// `bytes` more were read or written.
    pub(crate) fn advance(&self, bytes: u64) {
        self.done_bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    /// The job ended; `outcome` is a word such as `built`, said to people when `tell`. Gives how many
    /// bytes it read and wrote.
    pub(crate) fn finish(self, outcome: &str, tell: bool) -> u64 {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let bytes = self.done_bytes.load(Ordering::Relaxed);
        let event =
            json!({ "event": "finished", "job": self.label, "outcome": outcome, "bytes": bytes });
        self.progress.json(event);
        if tell {
            self.progress.line(&format!("{outcome:>9} {}", self.label));
        }
        bytes
    }
}

impl Drop for Job<'_> {
    /// A job that failed leaves no bar on the screen.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(label: &str, total_bytes: Option<u64>) -> ProgressBar {
    let bar = match total_bytes {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::new_spinner(),
    };
    let style = bar_style(total_bytes.is_some());
    let bar = bar.with_style(style).with_message(label.to_owned()).with_prefix("running");
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn bar_style(has_total: bool) -> ProgressStyle {
    let template = match has_total {
        true => {
            "{prefix:>9} {msg:40!} {bar:24} {decimal_bytes:>10} of {decimal_total_bytes}, {eta} left"
        }
        false => "{prefix:>9} {msg:40!} {decimal_bytes:>10} {elapsed}",
    };
    ProgressStyle::with_template(template).expect("the template is well formed")
}

/// The first error of stdout, of which a process has one; after it nothing more is written there.
static STDOUT_ERROR: OnceLock<io::Error> = OnceLock::new();

/// Whether the command has nothing to do but to tell.
static LEAVES_WITH_READER: AtomicBool = AtomicBool::new(false);

/// From here on a closed stdout ends the program quietly, as for any filter.
pub(crate) fn leave_with_reader() {
    LEAVES_WITH_READER.store(true, Ordering::Relaxed);
}

/// Writes a line to stdout, as long as somebody reads it.
pub(crate) fn print_line(text: &str) {
    if !write_line(text) && is_reader_gone() && LEAVES_WITH_READER.load(Ordering::Relaxed) {
        std::process::exit(0);
    }
}

/// `false` if stdout takes nothing any more.
fn write_line(text: &str) -> bool {
    if STDOUT_ERROR.get().is_some() {
        return false;
    }
    let stdout = io::stdout();
    let text = if is_control_free(text) || !stdout.is_terminal() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(without_control(text))
    };
    let written = writeln!(stdout.lock(), "{text}");
    // The first error counts; a second one at the same time says the same.
    written.map_err(|error| STDOUT_ERROR.set(error)).is_ok()
}

fn is_control_free(text: &str) -> bool {
    !text.contains(|letter: char| letter.is_control() && letter != '\n' && letter != '\t')
}

/// Names out of foreign media can hold what a terminal obeys.
fn without_control(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\n' | '\t' => letter.to_string(),
        _ if letter.is_control() => letter.escape_default().to_string(),
        _ => letter.to_string(),
    };
    text.chars().map(shown).collect()
}

fn is_reader_gone() -> bool {
    STDOUT_ERROR.get().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// What was to be said and could not be; a reader who left is no failure.
pub(crate) fn stdout_failure() -> Option<Failure> {
    let error = STDOUT_ERROR.get().filter(|error| error.kind() != ErrorKind::BrokenPipe)?;
    let failure = Failure::environment(format!("cannot write to stdout: {error}"));
    Some(failure.help("what it said is incomplete; send stdout somewhere else"))
}

/// Writes a line to stderr. Where that is closed or full there is nobody to tell.
fn print_error_line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The last words of a command that failed.
pub(crate) fn print_failure(format: Format, failure: &Failure) {
    if failure.printed {
        return;
    }
    if format == Format::Json {
        let event =
            json!({ "event": "error", "message": failure.to_string(), "help": failure.help });
        if write_line(&event.to_string()) || is_reader_gone() {
            return;
        }
    }
    let messages = without_control(&failure.messages.join("\n  because: "));
    print_error_line(&format!("error: {messages}"));
    if let Some(help) = &failure.help {
        print_error_line(&format!("  help: {}", without_control(help)));
    }
}

#[cfg(test)]
mod tests {
    use super::{is_control_free, without_control};

    #[test]
    fn what_a_terminal_obeys_is_shown_instead() {
        assert!(is_control_free("two\nlines\tof ü 💾"));
        for (name, shown) in [("a\x1b[2Jb", "a\\u{1b}[2Jb"), ("\u{9b}1m\t\r", "\\u{9b}1m\t\\r")] {
            assert!(!is_control_free(name));
            assert_eq!(without_control(name), shown);
        }
    }
}
