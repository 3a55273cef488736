//! What was paid where before, so that people can be told what is out of the ordinary. Never a
//! reason to refuse anything: that is the policy's part.

use super::Asked;
use crate::{Address, Amount, Asset, Intent, Network, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A destination is new for so long, in seconds.
const NEW_FOR_S: u64 = 86_400;

/// What is out of the ordinary about a payment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unusual {
    /// Nothing was ever paid there.
    FirstPayment,
    /// More than was ever paid there in this asset.
    LargestAmount,
    /// It is on the allowlist for less than a day.
    NewDestination,
}

impl Unusual {
    /// Its name in events and requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstPayment => "first-payment",
            Self::LargestAmount => "largest-amount",
            Self::NewDestination => "new-destination",
        }
    }
}

/// The largest payment that was ever final, by destination and asset.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Paid(BTreeMap<Network, BTreeMap<Address, BTreeMap<Asset, Amount>>>);

impl Paid {
    /// Takes note of a payment that is final.
    pub(crate) fn note(&mut self, asked: &Asked) {
        let intent = &asked.intent;
        let there = self.0.entry(intent.network()).or_default();
        let there = there.entry(intent.destination.clone()).or_default();
        let largest = there.entry(intent.asset).or_default();
        *largest = (*largest).max(intent.amount);
    }

    /// What is out of the ordinary about a payment that is asked for `at`, to a destination that is
    /// on the allowlist `since`.
    pub fn unusual(&self, intent: &Intent, since: Option<Timestamp>, at: Timestamp) -> Vec<Unusual> {
        let there = self.0.get(&intent.network()).and_then(|of| of.get(&intent.destination));
        let largest = there.and_then(|of| of.get(&intent.asset));
        let new = since.is_some_and(|since| at < since.plus_seconds(NEW_FOR_S));
        let mut unusual = Vec::new();
        if there.is_none() {
            unusual.push(Unusual::FirstPayment);
        } else if largest.is_none_or(|largest| intent.amount > *largest) {
            unusual.push(Unusual::LargestAmount);
        }
        if new {
            unusual.push(Unusual::NewDestination);
        }
        unusual
    }
}
