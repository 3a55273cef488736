//! Points in time, as data. Nothing here can tell what time it is.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
///
/// Text form: RFC 3339, UTC, always six fractional digits: `2026-11-22T17:18:00.000000Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(u64);

/// Text that was expected to be a time.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a time: expected the form 2026-11-22T17:18:00.000000Z")]
pub struct TimestampError(String);

impl Timestamp {
    /// 9999-12-31T23:59:59.999999Z: the last time that RFC 3339 can write.
    const LAST: u64 = 253_402_300_799_999_999;

    /// So many microseconds after the epoch; times after the year 9999 become its last moment.
    pub fn from_micros(micros: u64) -> Self {
        Self(micros.min(Self::LAST))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// So many seconds later.
    #[must_use]
    pub fn plus_seconds(self, seconds: u64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = i64::try_from(self.0).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_microsecond(micros) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => f.write_str("9999-12-31T23:59:59.999999Z"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let refuse = || TimestampError(text.to_owned());
        let time: jiff::Timestamp = text.parse().map_err(|_| refuse())?;
        let micros = u64::try_from(time.as_microsecond()).map_err(|_| refuse())?;
        let parsed = Self::from_micros(micros);
        if parsed.to_string() == text { Ok(parsed) } else { Err(refuse()) }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_spelling() {
        let text = "2026-11-22T17:18:00.000001Z";
        assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        for wrong in ["2026-11-22T17:18:00Z", "2026-11-22T18:18:00.000001+01:00", "now", ""] {
            assert!(wrong.parse::<Timestamp>().is_err(), "{wrong}");
        }
        assert_eq!(Timestamp::from_micros(u64::MAX).to_string(), "9999-12-31T23:59:59.999999Z");
    }
}
