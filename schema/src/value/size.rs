//! Sizes: a number and a binary unit, such as `512MiB`.

use crate::problem::Problem;

const UNITS: [(&str, u64); 5] =
    [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// As makers of sticks and discs count.
pub(crate) const DECIMAL_UNITS: [(&str, u64); 3] =
    [("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)];

/// The bytes that `written` says.
pub(crate) fn bytes(written: &str) -> Result<u64, Problem> {
    let digits = written.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = written.split_at(digits);
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let size = number.parse::<u64>().ok().zip(factor);
    match size.and_then(|(number, factor)| number.checked_mul(factor)) {
        Some(size_bytes) if size_bytes > 0 => Ok(size_bytes),
        _ => Err(unreadable(written, number, unit)),
    }
}

/// A size as one would write it: with the largest unit that divides it.
pub(crate) fn written(size_bytes: u64) -> String {
    let mut units = UNITS.iter().rev();
    let (unit, factor) =
        units.find(|(_, factor)| size_bytes.is_multiple_of(*factor)).unwrap_or(&UNITS[0]);
    format!("{}{unit}", size_bytes / factor)
}

fn unreadable(written: &str, number: &str, unit: &str) -> Problem {
    let unit = unit.trim();
    let decimal = || {
        let (_, factor) = DECIMAL_UNITS.iter().find(|(name, _)| *name == unit)?;
        let mebibytes = number.parse::<u64>().ok()?.checked_mul(*factor)? >> 20;
        (mebibytes > 0).then_some(mebibytes)
    };
    let meant = UNITS.iter().find(|(name, _)| {
        !unit.is_empty()
            && name.replace('i', "").eq_ignore_ascii_case(&unit.replace(['i', 'I'], ""))
            || name[..1].eq_ignore_ascii_case(unit)
    });
    let help = match meant {
        Some((unit, _)) if number.parse::<u64>().is_ok_and(|number| number > 0) => {
            match decimal() {
                Some(mebibytes) => {
                    format!("write `\"{mebibytes}MiB\"`, or `\"{number}{unit}\"`, which is more")
                }
                None => format!("write `\"{number}{unit}\"`"),
            }
        }
        None if unit.is_empty() && number.parse::<u64>().is_ok_and(|number| number > 0) => {
            format!("say the unit, such as `\"{number}MiB\"`; there is B, KiB, MiB, GiB, TiB")
        }
        _ => {
            "write a number and a unit, such as `\"512MiB\"`; there is B, KiB, MiB, GiB, TiB".into()
        }
    };
    let message = format!("`{written}` is not a size");
    Problem::new("invalid-size", "not a size", message, help)
}

#[cfg(test)]
mod tests {
    use super::{bytes, written};

    #[test]
    fn sizes_are_numbers_with_a_binary_unit() {
        let sizes = [("32KiB", 32 << 10), ("3800MiB", 3800 << 20), ("1B", 1), ("4GiB", 4 << 30)];
        for (text, size_bytes) in sizes {
            assert_eq!(bytes(text), Ok(size_bytes));
            assert_eq!(written(size_bytes), text);
        }
        assert_eq!(written(4097), "4097B");
    }

    #[test]
    fn what_is_no_size_is_refused_with_what_was_meant() {
        let help = |text| bytes(text).expect_err(text).help;
        assert_eq!(help("32KB"), "write `\"32KiB\"`");
        assert_eq!(help("3800M"), "write `\"3800MiB\"`");
        // What a stick of that size holds, which is less than the nearest unit.
        assert_eq!(help("32GB"), "write `\"30517MiB\"`, or `\"32GiB\"`, which is more");
        assert!(help("700").starts_with("say the unit, such as `\"700MiB\"`"));
        assert_eq!(help("4 gib"), "write `\"4GiB\"`");
        for text in ["", "x", "0MiB", "12", "-1KiB", "99999999999TiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
