//! Which paths are meant: names and glob patterns, in any case, as Windows compares names.

use std::cell::Cell;

use globset::{GlobBuilder, GlobMatcher};

use crate::failure::Failure;

/// What the user asked for; everything if nothing was.
pub(super) struct Selection {
    patterns: Vec<Pattern>,
}

struct Pattern {
    text: String,
    matcher: GlobMatcher,
    is_found: Cell<bool>,
}

impl Selection {
    pub(super) fn new(paths: &[String]) -> Result<Selection, Failure> {
        let patterns = paths.iter().map(|path| pattern(path)).collect::<Result<_, Failure>>()?;
        Ok(Selection { patterns })
    }

    /// Whether a path, without a slash in front, is asked for itself.
    pub(super) fn has(&self, path: &str) -> bool {
        let mut found = self.patterns.is_empty();
        for pattern in &self.patterns {
            if pattern.matcher.is_match(path) {
                pattern.is_found.set(true);
                found = true;
            }
        }
        found
    }

    /// An error if something that was asked for is not there.
    pub(super) fn check_all_found(&self) -> Result<(), Failure> {
        match self.patterns.iter().find(|pattern| !pattern.is_found.get()) {
            None => Ok(()),
            Some(pattern) => Err(Failure::build(format!("there is no `{}` in it", pattern.text))
                .help("list it: mediabuild inspect ls FILE")),
        }
    }
}

fn pattern(path: &str) -> Result<Pattern, Failure> {
    let text = path.replace('\\', "/");
    let text = text.trim_matches('/');
    let glob = GlobBuilder::new(text)
        .case_insensitive(true)
        .literal_separator(true)
        .build()
        .map_err(|error| Failure::usage(format!("`{path}` is not a pattern: {error}")))?;
    let is_found = Cell::new(false);
    Ok(Pattern { text: text.to_owned(), matcher: glob.compile_matcher(), is_found })
}
