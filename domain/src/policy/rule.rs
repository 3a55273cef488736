//! One rule of a policy: what it is called, which transfers it is about, and what it demands of
//! them. Never knows another rule.

use super::{Demand, Label};
use crate::{Amount, Asset, ClientId, Network, PersonId, WalletId, wallet::Tier};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// Its name in decisions and statements.
    pub id: Label,
    /// Which transfers it is about.
    #[serde(default, skip_serializing_if = "Scope::is_everything")]
    pub scope: Scope,
    /// What it demands of them.
    pub demand: Demand,
}

/// Which transfers a rule is about. An empty set is all of them; several sets must all fit.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What is paid.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub assets: BTreeSet<Asset>,
    /// Where.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub networks: BTreeSet<Network>,
    /// Which wallet pays.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub wallets: BTreeSet<WalletId>,
    /// How that wallet's keys are kept.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub wallet_tiers: BTreeSet<Tier>,
    /// For which client.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub clients: BTreeSet<ClientId>,
    /// To whom, by the allowlist's names.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub destinations: BTreeSet<Label>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub initiators: BTreeSet<PersonId>,
    /// Only what is more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Threshold>,
}

/// Above what a rule applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Threshold {
    /// More base units of this asset; other assets are not meant.
    Amount {
        /// Which asset.
        asset: Asset,
        /// Its base units.
        units: Amount,
    },
    /// More than this value, in minor units of the reference (cents).
    Value {
        /// The value.
        minor_units: Amount,
    },
}

impl Scope {
    /// Whether it is about every transfer.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether everything that `other` is about is this one's affair too. `false` where that can't
    /// be told from the two alone.
    pub fn covers(&self, other: &Self) -> bool {
        fn set<T: Ord>(wide: &BTreeSet<T>, narrow: &BTreeSet<T>) -> bool {
            wide.is_empty() || (!narrow.is_empty() && narrow.is_subset(wide))
        }
        set(&self.assets, &other.assets)
            && set(&self.networks, &other.networks)
            && set(&self.wallets, &other.wallets)
            && set(&self.wallet_tiers, &other.wallet_tiers)
            && set(&self.clients, &other.clients)
            && set(&self.destinations, &other.destinations)
            && set(&self.initiators, &other.initiators)
            && (self.over.is_none() || self.over == other.over)
    }
}
