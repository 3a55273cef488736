//! Quantities as people write them: `2.5 litecoin-regtest/ltc`, `10000.00 usd`, `20 transfers`,
//! `2 of treasury`. Never rounded: what has too many places is refused.

use strongroom_domain::{
    Amount, Asset,
    policy::{Label, Requirement},
};

/// Text that is no quantity.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QuantityError {
    /// Not a decimal, or too precise.
    #[error("`{text}` is not a quantity with at most {places} decimal places")]
    Decimal {
        /// What was found.
        text: String,
        /// How many places there are.
        places: u8,
    },
    /// The unit is missing or unknown.
    #[error(
        "`{0}` names no unit: expected `<quantity> <network>/<symbol>`, `<value> <reference>` or `<count> transfers`"
    )]
    Unit(String),
    /// No requirement.
    #[error("`{0}` asks nobody: expected `<count> of <group>`, such as `2 of treasury`")]
    Requirement(String),
}

/// Decimal places of a reference: cents.
pub(super) const CENTS: u8 = 2;

/// What a quantity is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    /// An asset.
    Asset(Asset),
    /// The reference of the prices.
    Reference(Label),
    /// Transfers.
    Transfers,
}

/// `<quantity> <unit>`, in base units, minor units or transfers.
pub(super) fn quantity(text: &str) -> Result<(Amount, Unit), QuantityError> {
    let unknown = || QuantityError::Unit(text.to_owned());
    let (number, unit) = text.split_once(' ').ok_or_else(unknown)?;
    if unit == "transfers" {
        return Ok((decimal(number, 0)?, Unit::Transfers));
    }
    if let Ok(asset) = unit.parse::<Asset>() {
        return Ok((decimal(number, asset.decimals())?, Unit::Asset(asset)));
    }
    let reference = Label::try_from(unit.to_owned()).map_err(|_| unknown())?;
    // A mistyped asset would else be taken for a reference.
    if unit.contains('/') {
        return Err(unknown());
    }
    Ok((decimal(number, CENTS)?, Unit::Reference(reference)))
}

/// A decimal with at most so many places, in its smallest units.
pub(super) fn decimal(text: &str, places: u8) -> Result<Amount, QuantityError> {
    let refuse = || QuantityError::Decimal { text: text.to_owned(), places };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let missing = usize::from(places).checked_sub(fraction.len()).ok_or_else(refuse)?;
    let pointed = text.contains('.');
    if whole.is_empty() || !digits(whole) || !digits(fraction) || pointed == fraction.is_empty() {
        return Err(refuse());
    }
    let units: u128 =
        format!("{whole}{fraction}{:0<missing$}", "").parse().map_err(|_| refuse())?;
    Ok(Amount::new(units))
}

/// An amount without the zeros that say nothing.
pub(super) fn plain(amount: Amount, places: u8) -> String {
    let text = amount.with_decimals(places);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2 of treasury`.
pub(super) fn requirement(text: &str) -> Result<Requirement, QuantityError> {
    let refuse = || QuantityError::Requirement(text.to_owned());
    let (count, group) = text.split_once(" of ").ok_or_else(refuse)?;
    let approvals = count.parse().map_err(|_| refuse())?;
    let group = Label::try_from(group.to_owned()).map_err(|_| refuse())?;
    Ok(Requirement { approvals, group })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_to_the_last_unit() {
        let ltc: Asset = "litecoin-regtest/ltc".parse().unwrap();
        let read = |text| quantity(text).unwrap();
        assert_eq!(read("2.5 litecoin-regtest/ltc"), (Amount::new(250_000_000), Unit::Asset(ltc)));
        let usd = Unit::Reference("usd".to_owned().try_into().unwrap());
        assert_eq!(read("10000.05 usd"), (Amount::new(1_000_005), usd));
        assert_eq!(read("20 transfers"), (Amount::new(20), Unit::Transfers));
        assert_eq!(plain(Amount::new(250_000_000), 8), "2.5");
        assert_eq!(plain(Amount::new(1_000), 0), "1000");
    }

    #[test]
    fn what_would_have_to_be_rounded_is_refused() {
        for wrong in ["0.000000001 litecoin-regtest/ltc", "1.001 usd", "1.5 transfers"] {
            assert!(matches!(quantity(wrong), Err(QuantityError::Decimal { .. })), "{wrong}");
        }
        for wrong in ["5", "5 litecoin/btc", "5 USD", ""] {
            assert!(matches!(quantity(wrong), Err(QuantityError::Unit(_))), "{wrong}");
        }
        for wrong in ["-1", "1.", ".5", "1e3", "+1", "1_000", ""] {
            assert!(decimal(wrong, 8).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_requirement_names_a_count_and_a_group() {
        let two = requirement("2 of treasury").unwrap();
        assert_eq!((two.approvals, two.group.to_string().as_str()), (2, "treasury"));
        for wrong in ["treasury", "two of treasury", "2 of Treasury", "300 of treasury"] {
            assert!(requirement(wrong).is_err(), "{wrong}");
        }
    }
}
