//! A charter of version 2: governance and a policy that name people. Nothing newer can be said here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use strongroom_domain::{
    Amount, Asset, Network, PersonId,
    policy::{Destination, Label, PolicyV1, Quorum, TierV1},
};

use super::SpecError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuorumSpec {
    pub(super) approvals: u8,
    pub(super) group: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicySpec {
    proposal_lifetime_s: u64,
    #[serde(default)]
    destinations: Vec<DestinationSpec>,
    #[serde(default)]
    tiers: Vec<TierSpec>,
    #[serde(default)]
    fee_caps: BTreeMap<Asset, Amount>,
    #[serde(default)]
    confirmations: BTreeMap<Network, u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DestinationSpec {
    network: Network,
    address: String,
    label: Label,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TierSpec {
    asset: Asset,
    up_to: Amount,
    approvals: u8,
    group: BTreeSet<String>,
}

impl QuorumSpec {
    pub(super) fn resolve(self, ids: &BTreeMap<String, PersonId>) -> Result<Quorum, SpecError> {
        let find = |name: String| ids.get(&name).copied().ok_or(SpecError::Stranger(name));
        let group = self.group.into_iter().map(find).collect::<Result<_, _>>()?;
        Ok(Quorum { approvals: self.approvals, group })
    }
}

impl PolicySpec {
    pub(super) fn resolve(self, ids: &BTreeMap<String, PersonId>) -> Result<PolicyV1, SpecError> {
        let destination = |spec: DestinationSpec| {
            let address = strongroom_chains::parse_address(spec.network, &spec.address);
            let label = spec.label.clone();
            let address = address.map_err(|reason| SpecError::Destination { label, reason })?;
            Ok(Destination { network: spec.network, address, label: spec.label })
        };
        let tier = |spec: TierSpec| {
            let quorum = QuorumSpec { approvals: spec.approvals, group: spec.group };
            Ok(TierV1 { asset: spec.asset, up_to: spec.up_to, quorum: quorum.resolve(ids)? })
        };
        let destinations = self.destinations.into_iter().map(destination);
        let tiers = self.tiers.into_iter().map(tier);
        Ok(PolicyV1 {
            version: 1,
            destinations: destinations.collect::<Result<_, SpecError>>()?,
            tiers: tiers.collect::<Result<_, SpecError>>()?,
            fee_caps: self.fee_caps,
            confirmations: self.confirmations,
            proposal_lifetime_s: self.proposal_lifetime_s,
        })
    }
}
