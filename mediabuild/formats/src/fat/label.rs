//! Volume labels: 11 bytes, in the boot sector and in the root directory.

use super::error::WriteError;

/// A label as it is stored.
pub(super) type Label = [u8; 11];

/// What stands in the boot sector of a volume without a label.
pub(super) const NO_NAME: &Label = b"NO NAME    ";

/// The label `text`; `None` for an empty one.
pub(super) fn parse(text: &str) -> Result<Option<Label>, WriteError> {
    let bad = |reason| Err(WriteError::Label { label: text.to_owned(), reason });
    let mut label: Label = [b' '; 11];
    if !text.chars().all(|character| matches!(character, ' '..='~')) {
        return bad("its bytes mean what a code page says, so only ASCII is the same everywhere");
    }
    if text.contains(|character: char| r#""*+,./:;<=>?[\]|"#.contains(character)) {
        return bad(r#"none of " * + , . / : ; < = > ? [ \ ] | may be in it"#);
    }
    if text.len() > label.len() {
        return bad("it has at most 11 characters");
    }
    if text.starts_with(' ') {
        return bad("it begins with a space");
    }
    label[..text.len()].copy_from_slice(text.as_bytes());
    label.make_ascii_uppercase();
    Ok((!text.is_empty()).then_some(label))
}

/// A stored label for people.
pub(super) fn written(label: &[u8]) -> String {
    let text: String = label.iter().map(|&byte| char::from(byte)).collect();
    text.trim_end().to_owned()
}
