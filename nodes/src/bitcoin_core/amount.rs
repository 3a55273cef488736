//! Amounts in coins, as nodes print them, to whole base units. Never by way of a float.
//!
//! Core prints eight decimals (`0.00001000`); btcd prints the shortest form of a float64, exponents
//! included (`1e-05`). For amounts below 2^52 satoshis that form still names one satoshi exactly.

/// Base units in one coin, as a power of ten: Bitcoin and Litecoin have 8.
const DECIMALS: i64 = 8;
/// More than any amount needs; keeps the arithmetic within `u128`.
const MOST_DIGITS: usize = 30;

/// What to do with a part of a base unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fraction {
    /// An amount: there is no such thing.
    Refuse,
    /// A fee rate: the next whole unit is still enough.
    RoundUp,
}

/// Reads a JSON number of coins as base units.
pub(super) fn base_units(number: &str, fraction: Fraction) -> Result<u64, String> {
    exact(number, fraction).ok_or_else(|| {
        let shown: String = number.chars().take(40).collect();
        format!("'{shown}' is no amount of at most 8 decimals in coins")
    })
}

fn exact(number: &str, fraction: Fraction) -> Option<u64> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
        None => (number, 0),
    };
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{decimals}");
    let is_number = !whole.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || digits.len() > MOST_DIGITS {
        return None;
    }
    let digits: u128 = digits.parse().ok()?;
    if digits == 0 {
        return Some(0);
    }
    let places = i64::from(exponent).checked_add(DECIMALS)?;
    let shift = places.checked_sub(i64::try_from(decimals.len()).ok()?)?;
    let power = 10_u128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?);
    let units = if shift >= 0 {
        digits.checked_mul(power?)?
    } else {
        match (fraction, power) {
            (Fraction::Refuse, power) => {
                let power = power?;
                if !digits.is_multiple_of(power) {
                    return None;
                }
                digits / power
            }
            (Fraction::RoundUp, Some(power)) => digits.div_ceil(power),
            (Fraction::RoundUp, None) => 1,
        }
    };
    u64::try_from(units).ok()
}

#[cfg(test)]
mod tests {
    use super::{Fraction, base_units};

    #[test]
    fn decimal_text_becomes_base_units_exactly() {
        for (text, units) in [
            ("0", 0),
            ("0.00000000", 0),
            ("0e-99", 0),
            ("0.1", 10_000_000),
            ("0.10000000", 10_000_000),
            ("0.00000001", 1),
            ("1e-08", 1),
            ("1E-8", 1),
            ("1.23e-06", 123),
            ("1e+2", 10_000_000_000),
            ("50", 5_000_000_000),
            ("49.89998590", 4_989_998_590),
            // Each of these is off by one when it goes through a float and a truncation.
            ("0.29", 29_000_000),
            ("1.1", 110_000_000),
            ("4.35", 435_000_000),
            ("20999999.9769", 2_099_999_997_690_000),
            ("83999999.99999999", 8_399_999_999_999_999),
            ("0.1000000000000", 10_000_000),
            ("184467440737.09551615", u64::MAX),
        ] {
            assert_eq!(base_units(text, Fraction::Refuse), Ok(units), "{text}");
            assert_eq!(base_units(text, Fraction::RoundUp), Ok(units), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            "-1",
            "-0.1",
            "+1",
            ".5",
            "1.5.5",
            "e5",
            "1e",
            "1e99",
            "0x10",
            "\"1\"",
            "null",
            "NaN",
            "1_000",
            " 1",
            "184467440737.09551616",
            "9999999999999999999999999999999",
        ] {
            assert!(base_units(text, Fraction::Refuse).is_err(), "{text}");
            assert!(base_units(text, Fraction::RoundUp).is_err(), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_base_unit_is_no_amount_and_rounds_up_in_a_fee_rate() {
        for (text, rounded) in
            [("0.000000001", 1), ("1e-09", 1), ("1.0234567891e-05", 1024), ("1e-300", 1)]
        {
            assert!(base_units(text, Fraction::Refuse).is_err(), "{text}");
            assert_eq!(base_units(text, Fraction::RoundUp), Ok(rounded), "{text}");
        }
    }
}
