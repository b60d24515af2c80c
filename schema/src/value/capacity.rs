//! Capacities of discs: the name of a disc, or a size.

use crate::nearest::nearest;
use crate::problem::Problem;
use crate::value::size;

/// Bytes that discs hold. Where two kinds share a name, those of the smaller one: a CD of 74
/// minutes, DVD+R, DVD-R DL.
const DISCS: [(&str, u64); 4] = [
    ("cd", 681_984_000),
    ("dvd", 4_700_372_992),
    ("dvd-dl", 8_543_666_176),
    ("bd", 25_025_314_816),
];

/// A file system without a file takes half of it.
const LEAST_BYTES: u64 = 1 << 20;

/// What the reference says of a capacity.
pub(crate) const DESCRIPTION: &str = "`\"cd\"`, `\"dvd\"`, `\"dvd-dl\"`, `\"bd\"` or a size";

/// The bytes that `written` says.
pub(crate) fn bytes(written: &str) -> Result<u64, Problem> {
    if let Some((_, bytes)) = DISCS.iter().find(|(name, _)| *name == written) {
        return Ok(*bytes);
    }
    if !written.starts_with(|character: char| character.is_ascii_digit()) {
        let names = DISCS.map(|(name, _)| name);
        let help = match nearest(written, names) {
            Some(name) => format!("did you mean `\"{name}\"`? Or write a size, such as `\"8GiB\"`"),
            None => format!("there is {DESCRIPTION}, such as `\"8GiB\"`"),
        };
        let message = format!("`{written}` is no disc");
        return Err(Problem::new("unknown-capacity", "unknown disc", message, help));
    }
    let bytes = size::bytes(written).map_err(|problem| decimal(written).unwrap_or(problem))?;
    if bytes < LEAST_BYTES {
        let message = format!("a disc of {written} holds no file");
        let help = "write `1MiB` or more; half of that is the file system";
        return Err(Problem::new("capacity-too-small", "too small", message, help));
    }
    Ok(bytes)
}

/// `25GB`, as disc makers count: a disc of 25GiB holds more than that.
fn decimal(written: &str) -> Option<Problem> {
    let (number, factor) = size::DECIMAL_UNITS.iter().find_map(|(unit, factor)| {
        Some((written.strip_suffix(unit)?.trim().parse::<f64>().ok()?, *factor))
    })?;
    let mebibytes = (number * factor as f64 / f64::from(1 << 20)) as u64;
    let help = format!("write `\"{mebibytes}MiB\"`, or the name of the disc: {DESCRIPTION}");
    let message = format!("`{written}` is not a size");
    (mebibytes > 0).then(|| Problem::new("invalid-size", "a unit of a thousand", message, help))
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn capacities_are_discs_or_sizes() {
        assert_eq!(bytes("dvd"), Ok(4_700_372_992));
        assert_eq!(bytes("20MiB"), Ok(20 << 20));
        for text in ["DVD-RAM2", "blu", "", "5", "3KiB", "0MiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert!(bytes("25GB").expect_err("decimal").help.starts_with("write `\"23841MiB\"`"));
        assert!(bytes("4.7GB").expect_err("decimal").help.starts_with("write `\"4482MiB\"`"));
        assert!(bytes("4.7GiB").expect_err("a fraction").help.starts_with("write a number"));
        assert!(bytes("DVD").expect_err("case").help.contains("`\"dvd\"`"));
    }
}
