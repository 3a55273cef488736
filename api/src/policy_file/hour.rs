//! A minute of the day, UTC, as `08:30`. `24:00` is the day's end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Minutes since midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Minute(pub(super) u16);

/// Text that is no minute of a day.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no time of day: expected the form 08:30 (UTC)")]
pub(super) struct MinuteError(String);

impl TryFrom<String> for Minute {
    type Error = MinuteError;

    fn try_from(text: String) -> Result<Self, MinuteError> {
        let read = |part: &str| {
            let plain = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<u16>().ok().filter(|_| plain)
        };
        let minute = text.split_once(':').and_then(|(hour, minute)| {
            let (hour, minute) = (read(hour)?, read(minute)?);
            let sum = hour.checked_mul(60)?.checked_add(minute)?;
            (minute < 60 && sum <= 1_440).then_some(sum)
        });
        minute.map(Self).ok_or(MinuteError(text))
    }
}

impl From<Minute> for String {
    fn from(minute: Minute) -> Self {
        minute.to_string()
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute) = (self.0.checked_div(60), self.0.checked_rem(60));
        write!(f, "{:02}:{:02}", hour.unwrap_or_default(), minute.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::Minute;

    #[test]
    fn a_time_of_day_has_one_spelling() {
        for (text, minute) in [("00:00", 0), ("08:30", 510), ("24:00", 1_440)] {
            assert_eq!(Minute::try_from(text.to_owned()), Ok(Minute(minute)));
            assert_eq!(Minute(minute).to_string(), text);
        }
        for wrong in ["8:30", "24:01", "12:60", "12", "12:3", "aa:bb"] {
            assert!(Minute::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
