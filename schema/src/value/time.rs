//! Dates and times: RFC 3339 with a zone.

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::problem::Problem;

/// 1970-01-01 to the end of 2107, the last year a FAT file system can hold.
const SECONDS: std::ops::Range<i64> = 0..4_354_819_200;

/// Seconds since 1970-01-01 UTC.
pub(crate) fn seconds(written: &str) -> Result<i64, Problem> {
    let seconds = written.parse::<Timestamp>().map_err(|_| unreadable(written))?.as_second();
    if SECONDS.contains(&seconds) {
        return Ok(seconds);
    }
    Err(Problem::new(
        "time-out-of-range",
        "out of range",
        "media can hold times from 1970 to 2107 only",
        "write a time in that range, such as `(date-time)\"2026-11-01T00:00:00Z\"`",
    ))
}

fn unreadable(written: &str) -> Problem {
    match written.parse::<DateTime>() {
        Ok(time) => Problem::new(
            "missing-zone",
            "no zone",
            "a date and time needs a zone",
            format!("write `(date-time)\"{time}Z\"` for UTC, or an offset such as `+01:00`"),
        ),
        Err(_) => Problem::new(
            "invalid-date-time",
            "not a date and time",
            format!("`{written}` is not a date and time"),
            "write it like `(date-time)\"2026-11-01T00:00:00Z\"`",
        ),
    }
}
