//! What the policy says follows when a holder of a wallet's key can't be trusted any more. Never asked
//! about a payment.

use super::{Demand, Label, OnCompromise, Policy, PolicyRule};
use crate::{Network, WalletId, wallet::Tier};

/// An empty set is all of them.
fn fits<T: Ord>(set: &std::collections::BTreeSet<T>, one: &T) -> bool {
    set.is_empty() || set.contains(one)
}

impl Policy {
    /// What follows for a wallet's key, and the rule that says so. Where several do, to rotate is what
    /// counts; where none does, either may be done.
    pub fn on_compromise(
        &self,
        wallet: WalletId,
        tier: Tier,
        network: Network,
    ) -> Option<(&Label, OnCompromise)> {
        let covers = |rule: &&PolicyRule| {
            fits(&rule.scope.wallets, &wallet)
                && fits(&rule.scope.wallet_tiers, &tier)
                && fits(&rule.scope.networks, &network)
        };
        let answer = |rule: &'_ PolicyRule| {
            if let Demand::Compromise { answer } = rule.demand { Some(answer) } else { None }
        };
        let answers = self.rules.iter().filter(covers);
        let answers = answers.filter_map(|rule| Some((&rule.id, answer(rule)?)));
        answers.max_by_key(|(_, answer)| *answer == OnCompromise::Rotate)
    }
}
