//! Volume labels of ISOs and of disk images.

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

/// Labels of FAT volumes have 11 bytes.
const FAT_LABEL_BYTES: usize = 11;

/// Checks the label of a FAT volume.
pub(crate) fn check_fat(label: &str) -> Result<(), Problem> {
    if label.chars().count() > FAT_LABEL_BYTES {
        let count = label.chars().count();
        let message = format!(
            "the label of a FAT32 volume has {FAT_LABEL_BYTES} characters at most, this has {count}"
        );
        let shorter: String = label.chars().take(FAT_LABEL_BYTES).collect();
        let help = format!("write a shorter one, such as `label=\"{}\"`", shorter.trim());
        return Err(Problem::new("label-too-long", "too long", message, help));
    }
    let is_refused = |character: char| {
        !matches!(character, ' '..='~') || r#""*+,./:;<=>?[\]|"#.contains(character)
    };
    if label.is_empty() || label.starts_with(' ') || label.contains(is_refused) {
        let help = "write ASCII letters, digits, `-` and `_`, such as `label=\"DEPOT11\"`";
        let message = "a FAT32 volume cannot have this label";
        return Err(Problem::new("invalid-label", "not a FAT label", message, help));
    }
    Ok(())
}
