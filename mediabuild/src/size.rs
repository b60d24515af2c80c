//! Sizes and times for people.

/// `312 KB`, `1.4 GB`: decimal units, as disks and downloads are sold.
pub(crate) fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value < 9.95 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

/// `1 file`, `3 files`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `2026-11-01T00:00:00Z`; the bare number for a time outside jiff's range.
pub(crate) fn time(unix_seconds: i64) -> String {
    match jiff::Timestamp::from_second(unix_seconds) {
        Ok(time) => time.to_string(),
        Err(_) => unix_seconds.to_string(),
    }
}

/// `12 ms`, `3.4 s`, `2 min 5 s`.
pub(crate) fn duration_ms(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds / 1000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{counted, duration_ms, human, time};

    #[test]
    fn durations_have_two_figures_or_two_units() {
        assert_eq!(duration_ms(7), "7 ms");
        assert_eq!(duration_ms(3_400), "3.4 s");
        assert_eq!(duration_ms(125_000), "2 min 5 s");
    }

    #[test]
    fn sizes_read_like_sentences() {
        assert_eq!(human(0), "0 B");
        assert_eq!(human(999), "999 B");
        assert_eq!(human(312_400), "312 KB");
        assert_eq!(human(1_440_000_000), "1.4 GB");
        assert_eq!(human(999_999), "1.0 MB");
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(0, "file"), "0 files");
        assert_eq!(time(1_793_491_200), "2026-11-01T00:00:00Z");
    }
}
