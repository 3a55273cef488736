//! The deposits that a reorganisation can still take back, by the height of their block. An index
//! into the log's fold, rebuilt from it at each start; it never knows better.

use super::DEPTH;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_domain::{DepositId, Network, State, deposit::Deposit};

/// Deposits of one network that are watched.
#[derive(Default)]
pub(super) struct Recent(BTreeMap<u64, BTreeSet<DepositId>>);

impl Recent {
    /// All that are not final for good. Goes through every deposit, once for each start.
    pub(super) fn of(state: &State, network: Network, tip: u64) -> Self {
        let mut recent = Self::default();
        for (id, deposit) in &state.deposits {
            let Some(height) = watched(deposit, tip) else { continue };
            let wallet = deposit.seen().and_then(|seen| state.wallets.get(&seen.wallet));
            let holding = wallet.and_then(|wallet| wallet.holding().ok());
            if holding.is_some_and(|holding| holding.network == network) {
                recent.insert(height, *id);
            }
        }
        recent
    }

    pub(super) fn insert(&mut self, height: u64, id: DepositId) {
        self.0.entry(height).or_default().insert(id);
    }

    /// Heights up to the tip at which there are deposits.
    pub(super) fn heights(&self, tip: u64) -> Vec<u64> {
        self.0.range(..=tip).map(|(height, _)| *height).collect()
    }

    /// Forgets what needs no more watching.
    pub(super) fn prune(&mut self, state: &State, tip: u64) {
        self.0.retain(|height, ids| {
            ids.retain(|id| {
                let deposit = state.deposits.get(id);
                deposit.and_then(|deposit| watched(deposit, tip)) == Some(*height)
            });
            !ids.is_empty()
        });
    }

    /// Those at a height whose block is not the one that the chain has there.
    pub(super) fn elsewhere(&self, state: &State, height: u64, hash: &str) -> Vec<DepositId> {
        let ids = self.0.get(&height).into_iter().flatten().copied();
        let is_elsewhere = |id: &DepositId| {
            let block = state.deposits.get(id).and_then(standing).map(|seen| &seen.block);
            block.is_some_and(|block| block.height == height && block.hash != hash)
        };
        ids.filter(is_elsewhere).collect()
    }

    /// Those that have so many confirmations at this tip and are not credited, with the number.
    pub(super) fn due(&self, state: &State, tip: u64, required: u32) -> Vec<(DepositId, u32)> {
        let mut due = Vec::new();
        for (height, ids) in self.0.range(..=tip) {
            let blocks = tip.saturating_sub(*height).saturating_add(1);
            let confirmations = u32::try_from(blocks).unwrap_or(u32::MAX);
            if confirmations < required {
                break;
            }
            let confirming =
                |id: &&DepositId| matches!(state.deposits.get(id), Some(Deposit::Confirming(_)));
            due.extend(ids.iter().filter(confirming).map(|id| (*id, confirmations)));
        }
        due
    }
}

/// What was seen of a deposit that the log holds to be on the chain.
pub(super) fn standing(deposit: &Deposit) -> Option<&strongroom_domain::deposit::Seen> {
    match deposit {
        Deposit::Confirming(seen) | Deposit::Credited(seen) => Some(seen),
        Deposit::Unknown | Deposit::Reorganised(_) => None,
    }
}

/// The height at which a deposit is watched; `None` where the chain will not take it back, or has.
fn watched(deposit: &Deposit, tip: u64) -> Option<u64> {
    match deposit {
        Deposit::Confirming(seen) => Some(seen.block.height),
        Deposit::Credited(seen) => {
            let height = seen.block.height;
            (height.saturating_add(DEPTH) >= tip).then_some(height)
        }
        Deposit::Unknown | Deposit::Reorganised(_) => None,
    }
}
