//! Quantities of an asset. There is no unchecked arithmetic here, and there never is a float.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A quantity of one asset in its base unit: satoshi, wei. Never negative.
///
/// In JSON it is a decimal string, because many parsers lose integers above 2^53.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Amount(u128);

/// Text that was expected to be an amount.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{0}` is not an amount: expected whole base units as a decimal string without sign, \
     leading zeros or separators"
)]
pub struct AmountError(String);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many base units.
    pub const fn new(units: u128) -> Self {
        Self(units)
    }

    /// The number of base units.
    pub const fn units(self) -> u128 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// There is no `+`: every sum in the ledger is checked. `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `None` where the result would be negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// As a decimal with `decimals` places, all of them written: `50000000` with 8 is
    /// `0.50000000`.
    pub fn with_decimals(self, decimals: u8) -> String {
        let places = usize::from(decimals);
        if places == 0 {
            return self.0.to_string();
        }
        let digits = format!("{:0>width$}", self.0, width = places.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
        format!("{whole}.{fraction}")
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let units: u128 = text.parse().map_err(|_| AmountError(text.to_owned()))?;
        // "+5" and "007" parse too, but would give one event two hashes.
        if units.to_string() == text { Ok(Self(units)) } else { Err(AmountError(text.to_owned())) }
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Self, AmountError> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_one_spelling() {
        for wrong in ["", "+5", "007", "-1", "1.0", "1e3", " 1", "1_000"] {
            assert_eq!(wrong.parse::<Amount>(), Err(AmountError(wrong.to_owned())));
        }
        assert_eq!("0".parse(), Ok(Amount::ZERO));
        assert_eq!(u128::MAX.to_string().parse(), Ok(Amount(u128::MAX)));
    }

    #[test]
    fn decimals_are_all_written() {
        for (units, decimals, text) in [
            (50_000_000, 8, "0.50000000"),
            (123_456_789, 8, "1.23456789"),
            (0, 8, "0.00000000"),
            (7, 0, "7"),
            (1_000_000_000_000_000_001, 18, "1.000000000000000001"),
        ] {
            assert_eq!(Amount(units).with_decimals(decimals), text);
        }
    }
}
