//! A moment in UTC with microseconds, and its one spelling. Never reads a clock.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const MICROS_PER_SECOND: u64 = 1_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
/// Days of a whole cycle of the Gregorian calendar (400 years).
const DAYS_PER_ERA: u64 = 146_097;
/// Days from 0000-03-01 (where eras start: leap days fall at the end of a year) to 1970-01-01.
const DAYS_TO_EPOCH: u64 = 719_468;

/// A moment: microseconds since 1970-01-01T00:00:00Z, up to the end of the year 9999.
///
/// As text always RFC 3339 (section 5.6) with six fractional digits and `Z`:
/// `2026-11-22T17:18:00.000000Z`. Leap seconds have no spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// Why a text or a number is not a [`Timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is spelt 2026-11-22T17:18:00.000000Z, from year 1970 to 9999, a real date, in UTC")]
pub struct TimestampError;

impl Timestamp {
    /// 1970-01-01T00:00:00.000000Z.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);
    /// Length of the text in bytes.
    pub const TEXT_LEN: usize = 27;

    /// From microseconds since the epoch; `None` after the year 9999.
    pub const fn from_micros(micros: u64) -> Option<Self> {
        if micros <= Self::MAX.0 { Some(Self(micros)) } else { None }
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The text, without an allocation.
    pub fn to_text(self) -> [u8; Self::TEXT_LEN] {
        let seconds = self.0 / MICROS_PER_SECOND;
        let (year, month, day) = civil(seconds / SECONDS_PER_DAY);
        let of_day = seconds % SECONDS_PER_DAY;
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let parts = [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, of_day / 3600),
            (14, 2, of_day / 60 % 60),
            (17, 2, of_day % 60),
            (20, 6, self.0 % MICROS_PER_SECOND),
        ];
        for (at, width, value) in parts {
            write_digits(text.get_mut(at..at + width).unwrap_or_default(), value);
        }
        text
    }

    /// Reads the one spelling that [`Timestamp::to_text`] writes.
    pub fn from_text(text: &[u8]) -> Result<Self, TimestampError> {
        let text: &[u8; Self::TEXT_LEN] = text.try_into().map_err(|_| TimestampError)?;
        let shape =
            [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (26, b'Z')];
        if shape.iter().any(|(at, mark)| text.get(*at) != Some(mark)) {
            return Err(TimestampError);
        }
        let number = |at: usize, width: usize| digits(text.get(at..at + width)?);
        let parts = || {
            let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
            let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
            let real = year >= 1970
                && (1..=12).contains(&month)
                && (1..=days_of_month(year, month)).contains(&day)
                && hour < 24
                && minute < 60
                && second < 60;
            let seconds =
                days(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
            real.then_some(seconds * MICROS_PER_SECOND + number(20, 6)?)
        };
        parts().map(Self).ok_or(TimestampError)
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + u64::from(byte - b'0'))
    })
}

fn write_digits(text: &mut [u8], mut value: u64) {
    for byte in text.iter_mut().rev() {
        *byte = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch. Years are counted from March, so that the leap day is the last of a year;
/// saturating, because it is evaluated before the date is known to be real.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let month = if month <= 2 { month + 9 } else { month - 3 };
    let before_month = (153 * month + 2) / 5;
    let before_year = 365 * year + year / 4 - year / 100 + year / 400;
    (before_year + before_month + day).saturating_sub(DAYS_TO_EPOCH + 1)
}

/// Year, month and day of a number of days since the epoch: the inverse of [`days`].
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + DAYS_TO_EPOCH;
    let (era, of_era) = (shifted / DAYS_PER_ERA, shifted % DAYS_PER_ERA);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_text().iter().try_for_each(|byte| fmt::Write::write_char(out, char::from(*byte)))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Self::from_text(text.as_bytes())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_have_their_known_spelling() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_795_367_880_000_001, "2026-11-22T17:18:00.000001Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (Timestamp::MAX.micros(), "9999-12-31T23:59:59.999999Z"),
        ] {
            let time = Timestamp::from_micros(micros).unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(text.parse(), Ok(time));
        }
        assert_eq!(Timestamp::from_micros(Timestamp::MAX.micros() + 1), None);
    }

    #[test]
    fn each_day_of_four_centuries_survives_the_calendar() {
        for day in 0..DAYS_PER_ERA {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
            assert!((1..=days_of_month(year, month)).contains(&of_month));
        }
    }

    #[test]
    fn any_other_spelling_is_refused() {
        for text in [
            "",
            "2026-11-22T17:18:00Z",
            "2026-11-22T17:18:00.000Z",
            "2026-11-22T17:18:00.0000000Z",
            "2026-11-22t17:18:00.000000Z",
            "2026-11-22 17:18:00.000000Z",
            "2026-11-22T17:18:00.000000z",
            "2026-11-22T17:18:00,000000Z",
            "2026-11-22T24:00:00.000000Z",
            "2026-11-22T17:60:00.000000Z",
            "2016-12-31T23:59:60.000000Z",
            "2026-02-29T00:00:00.000000Z",
            "2100-02-29T00:00:00.000000Z",
            "2026-00-10T00:00:00.000000Z",
            "2026-13-10T00:00:00.000000Z",
            "2026-11-00T00:00:00.000000Z",
            "2026-11-31T00:00:00.000000Z",
            "1969-12-31T23:59:59.999999Z",
            "0000-00-00T00:00:00.000000Z",
            "+026-11-22T17:18:00.000000Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }
}
