//! Globs: `*`, `**` and `?` over paths with `/`.

use globset::{GlobBuilder, GlobMatcher};

use crate::problem::Problem;

/// A matcher in which only `**` crosses `/`.
pub(crate) fn matcher(pattern: &str) -> Result<GlobMatcher, Problem> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| {
        let message = format!("`{pattern}` is not a glob: {}", error.kind());
        Problem::new("invalid-glob", "cannot be read", message, "use `*`, `**` and `?` only")
    })
}

/// Checks a pattern of paths below a folder.
pub(crate) fn check(pattern: &str) -> Result<(), Problem> {
    if pattern.contains('\\') {
        let help = format!("write `\"{}\"`", pattern.replace('\\', "/"));
        return Err(Problem::new("backslash", "has `\\`", "globs are written with `/`", help));
    }
    if pattern.is_empty() || pattern.starts_with('/') || pattern.split('/').any(|p| p == "..") {
        let message = format!("the glob `{pattern}` can match nothing in the folder");
        let help = "write a glob relative to the folder, such as `\"**/*.inf\"`";
        return Err(Problem::new("invalid-glob", "matches nothing", message, help));
    }
    matcher(pattern).map(drop)
}

/// The folder before the first segment with a wildcard, and how many levels below it the pattern
/// reaches.
pub(crate) fn literal_folder(pattern: &str) -> (String, usize) {
    let segments: Vec<&str> = pattern.split('/').collect();
    let is_wild = |segment: &&str| segment.contains(['*', '?', '[', '{']);
    let names = segments.len() - 1;
    let literal = segments.iter().position(is_wild).unwrap_or(names).min(names);
    let depth_max = if pattern.contains("**") { usize::MAX } else { segments.len() - literal };
    (segments[..literal].join("/"), depth_max)
}
