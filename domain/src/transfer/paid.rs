//! What was paid where before, so that people can be told what is out of the ordinary. Never a
//! reason to refuse anything: that is the policy's part.

use super::Asked;
use crate::{Address, Amount, Asset, Intent, Network, Timestamp, proposal::Unusual};
use serde::Serialize;
use std::collections::BTreeMap;

/// A destination is new for so long, in seconds.
const NEW_FOR_S: u64 = 86_400;

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
    pub fn unusual(
        &self,
        intent: &Intent,
        since: Option<Timestamp>,
        at: Timestamp,
    ) -> Vec<Unusual> {
        let there = self.0.get(&intent.network()).and_then(|of| of.get(&intent.destination));
        let mut unusual = Vec::new();
        match there {
            None => unusual.push(Unusual::FirstPayment),
            Some(there) => {
                let so_far = there.get(&intent.asset).copied().unwrap_or_default();
                if intent.amount > so_far {
                    unusual.push(Unusual::LargestAmount { so_far });
                }
            }
        }
        if let Some(since) = since.filter(|since| at < since.plus_seconds(NEW_FOR_S)) {
            unusual.push(Unusual::NewDestination { since });
        }
        unusual
    }
}
