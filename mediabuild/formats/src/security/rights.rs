//! The letters of access rights.

use super::sid::number;

/// Rights of files, keys and generic ones that stand for a whole mask, in the order in which a mask
/// is looked for.
const WHOLE: [(&str, u32); 8] = [
    ("FA", 0x001f_01ff),
    ("FR", 0x0012_0089),
    ("FW", 0x0012_0116),
    ("FX", 0x0012_00a0),
    ("KA", 0x000f_003f),
    ("KR", 0x0002_0019),
    ("KW", 0x0002_0006),
    // As `KR`, so never written.
    ("KX", 0x0002_0019),
];

/// Rights of one bit each, in the order in which Windows writes them.
const SINGLE: [(&str, u32); 17] = [
    ("CC", 0x0000_0001),
    ("DC", 0x0000_0002),
    ("LC", 0x0000_0004),
    ("SW", 0x0000_0008),
    ("RP", 0x0000_0010),
    ("WP", 0x0000_0020),
    ("DT", 0x0000_0040),
    ("LO", 0x0000_0080),
    ("CR", 0x0000_0100),
    ("SD", 0x0001_0000),
    ("RC", 0x0002_0000),
    ("WD", 0x0004_0000),
    ("WO", 0x0008_0000),
    ("GA", 0x1000_0000),
    ("GX", 0x2000_0000),
    ("GW", 0x4000_0000),
    ("GR", 0x8000_0000),
];

/// What a lower level may not do, in a mandatory label.
const LABEL: [(&str, u32); 3] = [("NW", 1), ("NR", 2), ("NX", 4)];

/// A mask: letters, or a number.
pub(super) fn parse(text: &str) -> Result<u32, String> {
    if text.starts_with(|character: char| character.is_ascii_digit()) {
        let mask = number(text).and_then(|mask| u32::try_from(mask).ok());
        return mask.ok_or_else(|| format!("`{text}` is no mask of 32 bits"));
    }
    let mut mask = 0;
    for pair in text.as_bytes().chunks(2) {
        let known = WHOLE.iter().chain(&SINGLE).chain(&LABEL);
        let mut known = known.filter(|(letters, _)| letters.as_bytes().eq_ignore_ascii_case(pair));
        let Some((_, bits)) = known.next() else {
            let pair = pair.escape_ascii();
            return Err(format!("`{pair}` is no right: write letters such as `FA`, or a number"));
        };
        mask |= bits;
    }
    Ok(mask)
}

/// As Windows writes a mask.
pub(super) fn render(mask: u32, is_label: bool) -> String {
    let singles: &[(&str, u32)] = if is_label { &LABEL } else { &SINGLE };
    let whole = WHOLE.iter().find(|(_, bits)| *bits == mask);
    if let (Some((letters, _)), false) = (whole, is_label) {
        return (*letters).to_owned();
    }
    let known = singles.iter().fold(0, |sum, (_, bits)| sum | bits);
    if mask & !known != 0 {
        return format!("0x{mask:x}");
    }
    singles.iter().filter(|(_, bits)| mask & bits != 0).map(|(letters, _)| *letters).collect()
}

#[cfg(test)]
mod tests {
    use super::{parse, render};

    #[test]
    fn masks_are_written_as_windows_does() {
        for (text, mask) in [
            ("FA", 0x1f01ff),
            ("0x1301bf", 0x1301bf),
            ("0x1200a9", 0x1200a9),
            ("SDGXGWGR", 0xe001_0000),
            ("CCLCSWRPWPDTLOCRRC", 0x201fd),
            ("", 0),
        ] {
            assert_eq!((parse(text), render(mask, false).as_str()), (Ok(mask), text));
        }
        assert_eq!((parse("NWNRNX"), render(7, true).as_str()), (Ok(7), "NWNRNX"));
        assert_eq!(parse("frfx"), Ok(0x1200a9));
        assert_eq!(parse("1179817"), Ok(0x1200a9));
        for bad in ["XX", "F", "FAF", "0x", "0x100000000", "1x", "ä"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
