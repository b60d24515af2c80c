//! Paths of a volume: components separated by `/`, the root's is empty.

use super::read_error::ReadError;

/// The path of `name` in `directory`.
pub(crate) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// A name that was read must be one component: nothing that leads elsewhere when the tree is
/// extracted, on Windows neither.
pub(crate) fn check_name(name: &str, offset_bytes: u64) -> Result<(), ReadError> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']) {
        return Err(ReadError::Damaged {
            offset_bytes,
            expected: "a name: one path component",
            found: format!("{name:?}"),
        });
    }
    Ok(())
}
