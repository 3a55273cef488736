//! What was asked for lately, so that limits over rolling windows are told in a few steps however
//! long the history is. Never forgets what a window of 31 days may need.

mod late;
mod series;

pub use late::{Late, Sight};
pub use series::Tally;

use crate::{Address, Amount, Asset, ClientId, Network, PersonId, Timestamp, TransferId, WalletId};
use serde::{Serialize, Serializer};
use series::Series;
use std::collections::BTreeMap;

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests: their numbers are small"
)]
mod tests;

#[cfg(test)]
mod late_tests;

/// Whose transfers are counted together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub enum Of {
    /// Those out of a wallet.
    Wallet(WalletId),
    /// Those for a client.
    Client(ClientId),
    /// Those to a destination.
    Destination(Network, Address),
    /// Those that a person asked for.
    Initiator(PersonId),
    /// Every one.
    All,
}

/// A transfer that the policy let be asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requested {
    /// Which.
    pub transfer: TransferId,
    /// When it was asked for: what its policy was asked about. Its entry may stand a little later.
    pub time: Timestamp,
    /// Out of which wallet.
    pub wallet: WalletId,
    /// For whom.
    pub client: ClientId,
    /// To where.
    pub destination: Address,
    /// Who asked.
    pub initiator: PersonId,
    /// What.
    pub asset: Asset,
    /// How much, in base units.
    pub amount: Amount,
    /// What it was worth, in minor units of the reference, if a price was known.
    pub value: Option<Amount>,
}

impl From<&crate::transfer::Requested> for Requested {
    fn from(requested: &crate::transfer::Requested) -> Self {
        let crate::transfer::Requested { intent, maker, at, client, decision, .. } = requested;
        Self {
            transfer: intent.transfer,
            time: *at,
            wallet: intent.wallet,
            client: *client,
            destination: intent.destination.clone(),
            initiator: *maker,
            asset: intent.asset,
            amount: intent.amount,
            value: decision.priced.as_ref().map(|priced| priced.value),
        }
    }
}

impl Requested {
    /// Whether it is counted there.
    fn is_of(&self, of: &Of) -> bool {
        match of {
            Of::Wallet(wallet) => self.wallet == *wallet,
            Of::Client(client) => self.client == *client,
            Of::Destination(network, address) => {
                self.asset.network() == *network && self.destination == *address
            }
            Of::Initiator(person) => self.initiator == *person,
            Of::All => true,
        }
    }
}

/// Where a transfer that is not over stands in its series.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Standing {
    /// Its number among all that were ever counted.
    number: u64,
    asset: Asset,
    tally: Tally,
    of: Vec<Of>,
}

/// What was asked for lately and did not come to nothing.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Usage {
    #[serde(serialize_with = "as_list")]
    series: BTreeMap<Of, BTreeMap<Asset, Series>>,
    counted: u64,
    standing: BTreeMap<TransferId, Standing>,
}

/// JSON's maps have text for keys; this one's keys are none.
fn as_list<S: Serializer>(
    series: &BTreeMap<Of, BTreeMap<Asset, Series>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(series)
}

impl Usage {
    /// Counts a transfer, from its entry on. Entries come in the order of the log.
    pub fn count(&mut self, requested: Requested) {
        let Requested { asset, time, .. } = requested;
        let tally = Tally::one(requested.amount, requested.value);
        let all = [
            Of::Wallet(requested.wallet),
            Of::Client(requested.client),
            Of::Destination(asset.network(), requested.destination),
            Of::Initiator(requested.initiator),
            Of::All,
        ];
        self.counted = self.counted.saturating_add(1);
        let number = self.counted;
        for of in &all {
            let series = self.series.entry(of.clone()).or_default().entry(asset).or_default();
            series.push((time, number), tally);
        }
        let standing = Standing { number, asset, tally, of: all.into() };
        self.standing.insert(requested.transfer, standing);
    }

    /// The transfer came to nothing: it counts no more. No news where it was never counted.
    pub fn free(&mut self, transfer: TransferId) {
        let Some(Standing { number, asset, tally, of }) = self.standing.remove(&transfer) else {
            return;
        };
        for of in of {
            if let Some(series) = self.series.get_mut(&of).and_then(|all| all.get_mut(&asset)) {
                series.free(number, tally);
            }
        }
    }

    /// The transfer is final: it counts as long as any window reaches it.
    pub fn settle(&mut self, transfer: TransferId) {
        self.standing.remove(&transfer);
    }

    /// What was asked for within the `window_s` seconds that end at `at`, by asset: entries with a
    /// time after `at` − `window_s`. If `transfer` is counted, neither it nor what followed it is
    /// in the sums: they are what stood when it was asked for, less what came to nothing since.
    pub fn within(
        &self,
        of: &Of,
        (at, window_s): (Timestamp, u64),
        transfer: TransferId,
    ) -> impl Iterator<Item = (Asset, Tally)> {
        let window = window_s.saturating_mul(1_000_000);
        let after = at.micros().checked_sub(window).map(Timestamp::from_micros);
        let before = self.standing.get(&transfer).map(|known| known.number);
        let series = self.series.get(of).into_iter().flatten();
        series.map(move |(asset, series)| (*asset, series.sum(after, before)))
    }

    /// The number of a transfer that is counted and not over, among all that ever were.
    pub fn number(&self, transfer: TransferId) -> Option<u64> {
        self.standing.get(&transfer).map(|known| known.number)
    }

    /// Whether the transfer is counted and not over.
    pub fn counts(&self, transfer: TransferId) -> bool {
        self.standing.contains_key(&transfer)
    }
}
