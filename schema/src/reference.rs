//! The language reference, rendered from the table that drives parsing.

/// The language reference as Markdown.
pub fn reference() -> String {
    String::new()
}
