//! Points in time as FAT writes them: two seconds apart, from 1980 to 2107, in no time zone. We
//! write UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::error::WriteError;

/// The first time FAT can say: 1980-01-01T00:00:00.
const FIRST_SECONDS: i64 = 315_532_800;

/// A date and a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) date: u16,
    pub(super) time: u16,
    /// Hundredths above the even second, which only the time of creation has.
    pub(super) hundredths: u8,
}

impl Time {
    /// The time `epoch_seconds` after 1970; earlier than FAT begins becomes its first.
    pub(super) fn of(epoch_seconds: i64) -> Result<Time, WriteError> {
        let error = || WriteError::Time { epoch_seconds };
        let timestamp =
            Timestamp::from_second(epoch_seconds.max(FIRST_SECONDS)).map_err(|_| error())?;
        let civil = Offset::UTC.to_datetime(timestamp);
        let year = u16::try_from(civil.year() - 1980).ok().filter(|year| *year < 128);
        let [month, day, hour, minute, second] =
            [civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second()]
                .map(|field| u16::from(field.cast_unsigned()));
        Ok(Time {
            date: year.ok_or_else(error)? << 9 | month << 5 | day,
            time: hour << 11 | minute << 5 | (second / 2),
            hundredths: if second % 2 == 1 { 100 } else { 0 },
        })
    }
}

/// Seconds since 1970 of a stored date and time; nothing if it is no date.
pub(super) fn seconds(date: u16, time: u16) -> Option<i64> {
    let field =
        |value: u16, shift: u16, mask: u16| (value >> shift & mask).to_le_bytes()[0].cast_signed();
    let year = 1980 + (date >> 9).cast_signed();
    let (month, day) = (field(date, 5, 15), field(date, 0, 31));
    let (hour, minute) = (field(time, 11, 31), field(time, 5, 63));
    let second = field(time, 0, 31).checked_mul(2)?;
    let civil = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some(Offset::UTC.to_timestamp(civil).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_even_seconds_from_1980_to_2107() {
        let back = |epoch| Time::of(epoch).map(|it| seconds(it.date, it.time));
        assert_eq!(back(1_793_491_200), Ok(Some(1_793_491_200)));
        assert_eq!(back(1_793_491_201), Ok(Some(1_793_491_200)));
        assert_eq!(back(0), Ok(Some(FIRST_SECONDS)));
        assert!(back(4_354_819_200).is_err());
        assert_eq!(seconds(0, 0), None);
    }
}
