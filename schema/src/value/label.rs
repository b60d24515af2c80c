//! Volume labels of ISOs.

use crate::problem::Problem;

/// ISO 9660 gives the volume identifier 32 bytes, and UDF's label field holds no more characters.
const UNITS_MAX: usize = 32;

/// Checks a volume label.
pub(crate) fn check(label: &str) -> Result<(), Problem> {
    let units = label.encode_utf16().count();
    if units > UNITS_MAX {
        let message =
            format!("a volume label has {UNITS_MAX} characters at most, this has {units}");
        let shorter: String = label.chars().take(UNITS_MAX / 2).collect();
        let help = format!("write a shorter one, such as `label=\"{}\"`", shorter.trim());
        return Err(Problem::new("label-too-long", "too long", message, help));
    }
    if label.is_empty() || label.chars().any(char::is_control) {
        let help = "write letters, digits, spaces and signs, such as `label=\"FACTORY\"`";
        return Err(Problem::new(
            "invalid-label",
            "not printable",
            "a volume label has characters that can be printed",
            help,
        ));
    }
    Ok(())
}
