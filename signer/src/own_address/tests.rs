//! What a signer says of an address, against a log that lies.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_chains::frost::{GroupKey, KeyPath};
use strongroom_domain::{
    Branch, Bytes, ProposalId,
    key::{CeremonyPlan, Proof},
    wallet::{Coins, Derived, Funds, Tier},
};

const NETWORK: Network = Network::LitecoinRegtest;
/// Twice the generator, and the generator: any two points do.
const KEY: &str = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";
const OTHER: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

fn path(index: u32) -> AddressPath {
    AddressPath { branch: Branch::Deposit, index }
}

fn address(key: &str, index: u32) -> Address {
    let group = GroupKey::from_bytes(&hex::decode(key).unwrap()).unwrap();
    group.child(KeyPath::from(path(index))).unwrap().address(NETWORK).unwrap()
}

fn active(key: &str) -> Active {
    let id = "00000000-0000-0000-0000-000000000009";
    Active {
        plan: CeremonyPlan {
            key: id.parse().unwrap(),
            protocol: Protocol::FrostSecp256k1Tr,
            threshold: 2,
            participants: Vec::new(),
        },
        public_key: Bytes(hex::decode(key).unwrap()),
        public_package: Bytes::default(),
        epoch: 1,
        former: std::collections::BTreeMap::new(),
        epochs_asked: 1,
        change: None,
        backups: BTreeMap::new(),
        drilled: BTreeMap::new(),
        holders: BTreeMap::new(),
        cosigners: Vec::new(),
        expressions: BTreeMap::new(),
        parts: BTreeMap::new(),
        proof: Proof::NotAsked,
        retired: false,
        wallet: None,
        proposal: id.parse::<ProposalId>().unwrap(),
    }
}

fn holding(addresses: &[(u32, Address)]) -> Holding {
    let key = active(KEY).plan.key;
    let funds = Funds::Coins(Coins::default());
    let mut holding = Holding {
        network: NETWORK,
        key,
        tier: Tier::Hot,
        addresses: BTreeMap::new(),
        funds,
        rotation: None,
    };
    for (index, address) in addresses {
        let derived = Derived { path: path(*index), account: None };
        holding.addresses.insert(address.clone(), derived);
    }
    holding
}

fn ask(holding: &Holding, logged: &Active, which: &Which) -> Result<OwnAddress, OwnAddressError> {
    let place = Place { holding, key: logged.plan.key, active: logged };
    place.derive(&hex::decode(KEY).unwrap(), which)
}

#[test]
fn an_address_is_shown_where_the_log_and_the_own_key_agree() {
    let holding = holding(&[(0, address(KEY, 0)), (7, address(KEY, 7))]);
    let key = active(KEY);
    let by_place = ask(&holding, &key, &Which::At(path(7))).unwrap();
    assert_eq!(by_place.address, address(KEY, 7));
    assert_eq!(by_place.path, format!("m/0/7 of key {}", key.plan.key));
    let by_text = ask(&holding, &key, &Which::Spelt(address(KEY, 7))).unwrap();
    assert_eq!(by_place, by_text);
    // Seven different addresses: the place decides.
    let all: BTreeSet<_> = (0..7).map(|index| address(KEY, index)).collect();
    assert_eq!(all.len(), 7);
}

#[test]
fn an_address_that_the_log_forged_is_refused_loudly() {
    let forged = address(OTHER, 7);
    let holding = holding(&[(0, address(KEY, 0)), (7, forged.clone())]);
    for which in [Which::At(path(7)), Which::Spelt(forged.clone())] {
        let refusal = ask(&holding, &active(KEY), &which).unwrap_err();
        let OwnAddressError::Forged { logged, derived, .. } = &refusal else {
            panic!("{refusal}");
        };
        assert_eq!((logged, derived), (&forged, &address(KEY, 7)));
        assert!(refusal.to_string().starts_with("DO NOT USE"));
    }
    // Two addresses that changed places: each is the key's, neither is where the log says.
    let swapped = self::holding(&[(0, address(KEY, 7)), (7, address(KEY, 0))]);
    let refusal = ask(&swapped, &active(KEY), &Which::Spelt(address(KEY, 7))).unwrap_err();
    assert!(matches!(refusal, OwnAddressError::Forged { .. }));
}

#[test]
fn a_log_with_another_key_is_refused() {
    let holding = holding(&[(0, address(OTHER, 0))]);
    let refusal = ask(&holding, &active(OTHER), &Which::At(path(0))).unwrap_err();
    assert!(matches!(refusal, OwnAddressError::OtherKey { .. }));
}

#[test]
fn an_address_that_is_not_in_the_log_is_not_shown() {
    let holding = holding(&[(0, address(KEY, 0))]);
    for which in [Which::At(path(1)), Which::Spelt(address(KEY, 1))] {
        let refusal = ask(&holding, &active(KEY), &which).unwrap_err();
        assert!(matches!(refusal, OwnAddressError::NotInLog(_)));
    }
}
