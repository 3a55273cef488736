//! Lengths of time as people write them: `90s`, `10m`, `24h`, `7d`, or several together, `1d 12h`.
//! Never a fraction.

use std::fmt;

use serde::{Deserialize, Serialize};

/// So many seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Span(pub(super) u64);

/// Text that is no length of time.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{0}` is not a length of time: expected whole days, hours, minutes and seconds such as `24h` or `1d 12h`"
)]
pub(super) struct SpanError(String);

/// From the longest to the shortest.
const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

impl TryFrom<String> for Span {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        let mut seconds = Some(0_u64);
        let mut units = UNITS.iter();
        for word in text.split(' ') {
            let part = units
                .by_ref()
                .find_map(|(unit, length)| Some((word.strip_suffix(unit)?, length)))
                .filter(|(count, _)| count.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|(count, length)| count.parse::<u64>().ok()?.checked_mul(*length));
            seconds = seconds.and_then(|sum| sum.checked_add(part?));
        }
        seconds.map(Self).ok_or(SpanError(text))
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0;
        let mut written = false;
        for (unit, length) in UNITS {
            let count = left.checked_div(length).unwrap_or_default();
            left = left.checked_rem(length).unwrap_or_default();
            if count > 0 || (length == 1 && !written) {
                write!(f, "{}{count}{unit}", if written { " " } else { "" })?;
                written = true;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn a_length_of_time_is_read_and_written() {
        for (text, seconds) in [("0s", 0), ("90s", 90), ("24h", 86_400), ("1d 12h", 129_600)] {
            assert_eq!(Span::try_from(text.to_owned()).map(|span| span.0), Ok(seconds), "{text}");
        }
        for (seconds, text) in [(0, "0s"), (90, "1m 30s"), (86_400, "1d"), (129_600, "1d 12h")] {
            assert_eq!(Span(seconds).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_length_of_time_says_what_would_be() {
        for wrong in ["", "24", "h", "1.5h", "-1h", "12h 1d", "1h  1m", "99999999999999999999s"] {
            assert!(Span::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
