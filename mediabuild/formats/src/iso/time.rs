//! Points in time as UDF and ISO 9660 write them.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::error::WriteError;
use crate::field::{put_u16, u8_at, u16_at};

/// A time the writer puts on a disc, UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time(DateTime);

impl Time {
    /// The time `epoch_seconds` after 1970, if ISO 9660's one byte for the year holds it.
    pub(super) fn of(epoch_seconds: i64) -> Result<Time, WriteError> {
        let error = || WriteError::Time { epoch_seconds };
        let timestamp = Timestamp::from_second(epoch_seconds).map_err(|_| error())?;
        let civil = Offset::UTC.to_datetime(timestamp);
        if (1900..=2155).contains(&civil.year()) { Ok(Time(civil)) } else { Err(error()) }
    }

    /// ECMA-167 1/7.3: type 1 (with a time zone), offset 0, then the fields.
    pub(super) fn udf(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        put_u16(&mut bytes, 0, 1 << 12);
        put_u16(&mut bytes, 2, self.0.year().cast_unsigned());
        for (byte, value) in bytes[4..9].iter_mut().zip(self.fields()) {
            *byte = value;
        }
        bytes
    }

    /// ECMA-119 9.1.5: what a directory record has.
    pub(super) fn iso_record(self) -> [u8; 7] {
        let [month, day, hour, minute, second] = self.fields();
        let year = u8::try_from(self.0.year() - 1900).expect("the year was checked");
        [year, month, day, hour, minute, second, 0]
    }

    /// ECMA-119 8.4.26.1: what a volume descriptor has.
    pub(super) fn iso_volume(self) -> [u8; 17] {
        let [month, day, hour, minute, second] = self.fields();
        let year = self.0.year();
        let digits = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}00\0");
        digits.into_bytes().try_into().expect("16 digits and a zone")
    }

    fn fields(self) -> [u8; 5] {
        let time = self.0;
        [time.month(), time.day(), time.hour(), time.minute(), time.second()].map(i8::cast_unsigned)
    }
}

/// Reads ECMA-167 1/7.3; nothing if it is no date.
pub(super) fn udf_seconds(bytes: &[u8]) -> Option<i64> {
    /// "No zone given" (ECMA-167 1/7.3.1).
    const ZONE_UNSET: i16 = -2047;
    let type_and_zone = u16_at(bytes, 0);
    let zone_minutes = ((type_and_zone << 4).cast_signed()) >> 4;
    let zone_minutes = if zone_minutes == ZONE_UNSET { 0 } else { zone_minutes };
    let year = u16_at(bytes, 2).cast_signed();
    seconds(year, [4, 5, 6, 7, 8].map(|at| u8_at(bytes, at)), zone_minutes.into())
}

/// Reads ECMA-119 9.1.5; nothing if it is no date.
pub(super) fn iso_record_seconds(bytes: &[u8]) -> Option<i64> {
    let year = 1900 + i16::from(u8_at(bytes, 0));
    let quarters = u8_at(bytes, 6).cast_signed();
    seconds(year, [1, 2, 3, 4, 5].map(|at| u8_at(bytes, at)), i64::from(quarters) * 15)
}

/// Reads ECMA-119 8.4.26.1; nothing if it is no date.
pub(super) fn iso_volume_seconds(bytes: &[u8]) -> Option<i64> {
    let number = |at: usize, digits: usize| -> Option<u16> {
        std::str::from_utf8(bytes.get(at..at + digits)?).ok()?.parse().ok()
    };
    let two = |at: usize| number(at, 2).and_then(|value| u8::try_from(value).ok());
    let fields = [two(4)?, two(6)?, two(8)?, two(10)?, two(12)?];
    let year = number(0, 4)?.cast_signed();
    seconds(year, fields, i64::from(u8_at(bytes, 16).cast_signed()) * 15)
}

fn seconds(year: i16, fields: [u8; 5], zone_minutes: i64) -> Option<i64> {
    let [month, day, hour, minute, second] = fields.map(u8::cast_signed);
    let civil = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let utc = civil.checked_sub(SignedDuration::from_mins(zone_minutes)).ok()?;
    Some(Offset::UTC.to_timestamp(utc).ok()?.as_second())
}
