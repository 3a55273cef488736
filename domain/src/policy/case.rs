//! Everything that a policy may look at when it is asked: the transfer, and what the log knew then.
//! Nothing else is ever looked at, so everybody who has the log gets the same answer.

use super::{Call, Groups, Priced};
use crate::{
    Address, ClientId, Intent, Network, PersonId, Timestamp, WalletId,
    price::Prices,
    screening::Screenings,
    usage::{Late, Usage},
    wallet::{Tier, Wallet},
};
use std::collections::BTreeMap;

/// Since when each destination of the allowlist is on it; those of the founding since the epoch.
pub type Since = BTreeMap<Network, BTreeMap<Address, Timestamp>>;

/// A transfer that a policy is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What should happen.
    pub intent: &'a Intent,
    /// Who asks.
    pub maker: PersonId,
    /// For whom.
    pub client: ClientId,
    /// How the wallet's keys are kept.
    pub wallet_tier: Tier,
    /// When it was asked for.
    pub at: Timestamp,
    /// What it was worth then, where the policy was asked before. Else the price of now is taken.
    pub priced: Option<&'a Priced>,
    /// The call of a contract that it makes. Payments make none.
    pub call: Option<&'a Call>,
    /// What the log knew.
    pub facts: Facts<'a>,
}

/// What the log knew.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The approvers of each group.
    pub groups: &'a Groups,
    /// Since when destinations are on the allowlist.
    pub destinations_since: &'a Since,
    /// What was asked for before. If the transfer itself is in it, only what came before counts.
    pub usage: &'a Usage,
    /// Of that, what a signer counts by its own clock.
    pub late: Option<&'a Late>,
    /// The newest price of each asset.
    pub prices: &'a Prices,
    /// What compliance found.
    pub screenings: &'a Screenings,
    /// Our own wallets.
    pub wallets: &'a BTreeMap<WalletId, Wallet>,
}
