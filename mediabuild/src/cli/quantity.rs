//! Sizes and times as people type them.

/// `50GiB`, `800MB`, `1000` as bytes.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 10] = [
        ("", 1),
        ("B", 1),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];
    quantity(text, &UNITS).ok_or_else(|| "a size is a number and a unit, such as 50GiB".to_owned())
}

/// Units of time in seconds.
const TIMES: [(&str, u64); 5] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)];

/// `30d`, `12h` as seconds.
pub(super) fn parse_age(text: &str) -> Result<u64, String> {
    quantity(text, &TIMES).ok_or_else(|| "an age is a number and a unit, such as 30d".to_owned())
}

/// `90s`, `5m` as seconds.
pub(super) fn parse_time(text: &str) -> Result<u64, String> {
    quantity(text, &TIMES)
        .ok_or_else(|| "a time is a number and a unit, such as 90s or 5m".to_owned())
}

fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}
