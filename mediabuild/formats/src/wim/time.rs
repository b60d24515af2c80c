//! `FileTime`: Windows time stamps.

/// 100 ns intervals since 1601-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileTime(pub u64);

/// 1970-01-01 in seconds since 1601-01-01.
const UNIX_EPOCH_SECONDS: i64 = 11_644_473_600;
const TICKS_PER_SECOND: i64 = 10_000_000;
const NANOS_PER_TICK: u32 = 100;

impl FileTime {
    /// The time `seconds` after 1970-01-01 UTC; times before 1601 become 1601.
    pub fn from_unix_seconds(seconds: i64) -> FileTime {
        let since_1601 = seconds.saturating_add(UNIX_EPOCH_SECONDS).max(0);
        FileTime(since_1601.saturating_mul(TICKS_PER_SECOND) as u64)
    }

    /// Whole seconds since 1970-01-01 UTC, rounded down.
    pub fn unix_seconds(self) -> i64 {
        (self.0 / TICKS_PER_SECOND as u64) as i64 - UNIX_EPOCH_SECONDS
    }

    /// What comes on top of [`FileTime::unix_seconds`].
    pub fn subsecond_nanos(self) -> u32 {
        (self.0 % TICKS_PER_SECOND as u64) as u32 * NANOS_PER_TICK
    }
}

#[cfg(test)]
mod tests {
    use super::FileTime;

    #[test]
    fn unix_seconds_round_trip() {
        assert_eq!(FileTime::from_unix_seconds(0), FileTime(116_444_736_000_000_000));
        for seconds in [-11_644_473_600, -1, 0, 1_700_000_000] {
            assert_eq!(FileTime::from_unix_seconds(seconds).unix_seconds(), seconds);
        }
        assert_eq!(FileTime::from_unix_seconds(i64::MIN), FileTime(0));
    }

    #[test]
    fn a_part_of_a_second_is_on_top_before_1970_too() {
        let epoch = FileTime::from_unix_seconds(0).0;
        for (ticks, seconds, nanos) in [(epoch + 3, 0, 300), (epoch - 1, -1, 999_999_900)] {
            let time = FileTime(ticks);
            assert_eq!((time.unix_seconds(), time.subsecond_nanos()), (seconds, nanos));
        }
    }
}
