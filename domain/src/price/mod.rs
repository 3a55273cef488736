//! Reference prices: the newest word of the policy's source for each asset. A price is never
//! computed or guessed here, and never taken from anybody but the one whom the policy names.

mod event;

pub use event::{PriceEvent, Quoted};

use crate::{Aggregate, Amount, Asset, Corrupt, Refusal, Rule, Timestamp, policy::Label};
use serde::Serialize;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// What an asset was worth.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Quote {
    /// Of which asset.
    pub asset: Asset,
    /// In what.
    pub reference: Label,
    /// Minor units (cents) of the reference for one whole unit of the asset.
    pub minor_units: Amount,
    /// When it was worth that, by the source's clock.
    pub at: Timestamp,
}

/// The newest price of each asset.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Prices(BTreeMap<Asset, Quote>);

/// A request to change the prices. Its signature was verified by the caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command(pub Quoted);

impl Prices {
    /// The newest price of an asset, whatever its age and reference.
    pub fn of(&self, asset: Asset) -> Option<&Quote> {
        self.0.get(&asset)
    }

    /// The newest price of each asset.
    pub const fn newest(&self) -> &BTreeMap<Asset, Quote> {
        &self.0
    }
}

impl From<&Quoted> for Quote {
    fn from(quoted: &Quoted) -> Self {
        Self {
            asset: quoted.asset,
            reference: quoted.reference.clone(),
            minor_units: quoted.minor_units,
            at: quoted.at,
        }
    }
}

impl FromIterator<Quote> for Prices {
    fn from_iter<I: IntoIterator<Item = Quote>>(quotes: I) -> Self {
        Self(quotes.into_iter().map(|quote| (quote.asset, quote)).collect())
    }
}

impl Aggregate for Prices {
    const KIND: &'static str = "prices";
    type Command = Command;
    type Event = PriceEvent;

    fn decide(&self, Command(quoted): Command) -> Result<Vec<PriceEvent>, Refusal> {
        if quoted.minor_units.is_zero() {
            let because = "a price of nothing would let every limit pass";
            return Err(Refusal::new(Rule::PriceInvalid, because));
        }
        match self.of(quoted.asset) {
            // The saga repeats its steps.
            Some(known) if *known == Quote::from(&quoted) => Ok(Vec::new()),
            Some(known) if quoted.at <= known.at => {
                let because =
                    format!("the newest price is of {}, this one of {}", known.at, quoted.at);
                Err(Refusal::new(Rule::PriceInvalid, because))
            }
            Some(_) | None => Ok(vec![quoted.into()]),
        }
    }

    fn evolve(&mut self, event: &PriceEvent) -> Result<(), Corrupt> {
        let PriceEvent::Quoted(quoted) = event;
        if self.of(quoted.asset).is_some_and(|known| known.at >= quoted.at) {
            let (aggregate, event) = (Self::KIND, event.kind().0);
            return Err(Corrupt { aggregate, state: "newer", event });
        }
        self.0.insert(quoted.asset, quoted.into());
        Ok(())
    }
}
