//! The policy that stands, in whichever form the log wrote it. Never turns one form into the other.

use super::{Destination, Label, Policy, PolicyV1};
use crate::{Address, Network, PersonId};
use serde::Serialize;
use std::collections::BTreeSet;

/// The policy in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum InForce {
    /// Allowlist, tiers and fee caps; its quorums name people.
    V1(PolicyV1),
    /// Rules; its quorums name groups.
    V2(Policy),
}

impl InForce {
    /// 1 in the charter; each change adds 1.
    pub const fn version(&self) -> u32 {
        match self {
            Self::V1(policy) => policy.version,
            Self::V2(policy) => policy.version,
        }
    }

    /// Blocks that make a deposit or a transfer final there, its own block counted. `None` where
    /// the policy does not serve the network.
    pub fn confirmations(&self, network: Network) -> Option<u32> {
        let by_network = match self {
            Self::V1(policy) => &policy.confirmations,
            Self::V2(policy) => &policy.confirmations,
        };
        by_network.get(&network).copied()
    }

    /// The longest that a proposal may stay open, in seconds.
    pub const fn proposal_lifetime_s(&self) -> u64 {
        match self {
            Self::V1(policy) => policy.proposal_lifetime_s,
            Self::V2(policy) => policy.proposal_lifetime_s,
        }
    }

    /// Where transfers may go.
    pub fn destinations(&self) -> &[Destination] {
        match self {
            Self::V1(policy) => &policy.destinations,
            Self::V2(policy) => &policy.destinations,
        }
    }

    /// The allowlist's name for a destination.
    pub fn label(&self, network: Network, address: &Address) -> Option<&Label> {
        label(self.destinations(), network, address)
    }

    /// Everyone whom the first form names. The second names groups.
    pub fn people(&self) -> BTreeSet<PersonId> {
        match self {
            Self::V1(policy) => policy.people(),
            Self::V2(_) => BTreeSet::new(),
        }
    }

    /// Every group that the second form names. The first names people.
    pub fn groups(&self) -> BTreeSet<&Label> {
        match self {
            Self::V1(_) => BTreeSet::new(),
            Self::V2(policy) => policy.groups(),
        }
    }

    /// The policy, if it is of the first form.
    pub const fn v1(&self) -> Option<&PolicyV1> {
        match self {
            Self::V1(policy) => Some(policy),
            Self::V2(_) => None,
        }
    }

    /// The policy, if it is of the second form.
    pub const fn v2(&self) -> Option<&Policy> {
        match self {
            Self::V1(_) => None,
            Self::V2(policy) => Some(policy),
        }
    }
}

/// The name of a destination in a list.
pub(super) fn label<'a>(
    destinations: &'a [Destination],
    network: Network,
    address: &Address,
) -> Option<&'a Label> {
    destinations
        .iter()
        .find(|known| known.network == network && known.address == *address)
        .map(|known| &known.label)
}
