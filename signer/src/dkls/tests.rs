//! The rules of threshold ECDSA, tried with real ceremonies. Nothing here replaces a part of the
//! protocol; where somebody cheats, the bytes on the wire are changed.

mod sessions;
mod wire;

use std::{collections::BTreeMap, sync::OnceLock};

use strongroom_secrets::{Sealer, Secret};
use tempfile::tempdir;
use uuid::Uuid;

use super::{Dkls23, DklsPublic, DklsShare};
use crate::{
    frost::ShareName,
    threshold::{
        Change, Held, Place, Refreshing, RoundError, ThresholdProtocol,
        harness::{Round, honest, name, run},
    },
};

pub(super) fn generate(
    threshold: u16,
    holders: u16,
    meddle: impl FnMut(usize, &mut Round),
) -> BTreeMap<u16, Result<DklsShare, RoundError>> {
    let begun = (1..=holders).map(|holder| {
        let place = Place { holder, threshold, holders };
        (holder, Dkls23::generate(name(holder, 1), place).unwrap())
    });
    run(begun.collect(), meddle)
}

pub(super) fn shares(threshold: u16, holders: u16) -> BTreeMap<u16, DklsShare> {
    static TWO_OF_THREE: OnceLock<BTreeMap<u16, Secret>> = OnceLock::new();
    if (threshold, holders) != (2, 3) {
        return honest(generate(threshold, holders, |_, _| {}));
    }
    // Made once, for all tests: a ceremony takes seconds.
    let made = TWO_OF_THREE.get_or_init(|| {
        honest(generate(2, 3, |_, _| {}))
            .iter()
            .map(|(holder, share)| (*holder, share.to_secret().unwrap()))
            .collect()
    });
    made.iter()
        .map(|(holder, bytes)| (*holder, DklsShare::from_secret(name(*holder, 1), bytes).unwrap()))
        .collect()
}

/// Changes the shares of `old` to `holders` of epoch `epoch`; who is not in `old` joins.
pub(super) fn change(
    old: &BTreeMap<u16, DklsShare>,
    epoch: u32,
    holders: u16,
    meddle: impl FnMut(usize, &mut Round),
) -> BTreeMap<u16, Result<DklsShare, RoundError>> {
    let public = old.values().next().unwrap().public();
    let package = public.to_bytes().unwrap();
    let threshold = public.threshold();
    let joiner = (1..=holders).find(|holder| !old.contains_key(holder));
    let helpers = match joiner {
        Some(_) => old.keys().copied().take(threshold.into()).collect(),
        None => std::collections::BTreeSet::new(),
    };
    let begun = (1..=holders).map(|holder| {
        let place = Place { holder, threshold, holders };
        let change = Change { place, joiner, helpers: helpers.clone() };
        let held = match old.get(&holder) {
            Some(share) => Held::Share(share),
            None => Held::Nothing { package: &package },
        };
        (holder, Dkls23::change(held, name(holder, epoch), &change).unwrap())
    });
    run(begun.collect(), meddle)
}

#[test]
fn all_holders_end_a_ceremony_with_the_same_public_package() {
    let shares = shares(2, 3);
    let first = shares[&1].public().to_bytes().unwrap();
    for share in shares.values() {
        assert_eq!(share.public().to_bytes().unwrap(), first);
        assert_eq!((share.public().threshold(), share.public().holders()), (2, 3));
    }
    let read = DklsPublic::from_bytes(&first).unwrap();
    assert_eq!(read.key(), shares[&1].public().key());
    assert!(DklsPublic::from_bytes(&[first.as_slice(), &[0]].concat()).is_err());
    assert!(DklsPublic::from_bytes(&first[..first.len() - 1]).is_err());
}

#[test]
fn a_changed_message_of_a_ceremony_names_its_sender_or_nobody() {
    // Round 1: the points of one polynomial. What does not add up names nobody.
    let ended = generate(2, 3, |round, wire| {
        if round == 1 {
            wire.forge(2, 1, |bytes| bytes[31] ^= 1);
        }
    });
    assert!(
        ended
            .values()
            .all(|end| matches!(end, Err(RoundError::Failed(_) | RoundError::Malformed(2))))
    );
    // Rounds 2 and 3: commitments and openings.
    for (round, place) in [(2, 40), (3, 50)] {
        let ended = generate(2, 3, |at, wire| {
            if at == round {
                let spoken = wire.spoken.get_mut(&2).unwrap();
                let place = place.min(spoken.len() - 1);
                spoken[place] ^= 1;
            }
        });
        assert_eq!(ended[&2].as_ref().err(), Some(&RoundError::NotMine));
        let others = [1, 3].into_iter().filter_map(|holder| ended.get(&holder)?.as_ref().err());
        assert!(others.into_iter().all(|error| error.culprit() == Some(2)));
    }
    let ended = generate(2, 3, |at, wire| {
        if at == 3 {
            wire.forge(2, 1, |bytes| bytes[20] ^= 1);
        }
    });
    assert_eq!(ended[&1].as_ref().err().and_then(RoundError::culprit), Some(2));
}

#[test]
fn a_ceremony_wants_the_message_of_each_holder_and_of_nobody_else() {
    for meddle in [
        (|wire: &mut Round| drop(wire.spoken.remove(&3))) as fn(&mut Round),
        |wire| drop(wire.spoken.insert(4, vec![0; 32])),
        |wire| drop(wire.letters.get_mut(&1).unwrap().remove(&2)),
        |wire| {
            let letter = Secret::new(vec![0; 33]);
            wire.letters.get_mut(&1).unwrap().insert(1, letter);
        },
    ] {
        let ended = generate(2, 3, |round, wire| {
            if round == 1 {
                meddle(wire);
            }
        });
        assert!(matches!(ended[&1], Err(RoundError::Senders { .. })));
    }
}

#[test]
fn ceremonies_with_impossible_numbers_are_refused() {
    for (holder, threshold, holders) in
        [(1, 1, 3), (1, 0, 3), (1, 4, 3), (0, 2, 3), (4, 2, 3), (1, 2, 11), (1, 2, 1)]
    {
        let place = Place { holder, threshold, holders };
        let refusal = Dkls23::generate(name(1, 1), place).err();
        assert_eq!(refusal, Some(RoundError::Place(place)));
    }
}

#[test]
fn a_share_opens_under_its_own_name_alone() {
    let home = tempdir().unwrap();
    let sealer = Sealer::create(home.path(), &Secret::new(b"p".to_vec())).unwrap();
    let shares = shares(2, 3);
    shares[&1].store(&sealer, home.path()).unwrap();
    let own = name(1, 1);
    let again = DklsShare::load(&sealer, home.path(), own).unwrap();
    assert_eq!(again.public().to_bytes().unwrap(), shares[&1].public().to_bytes().unwrap());
    assert!(shares[&1].store(&sealer, home.path()).is_err());
    for other in [
        ShareName { key: Uuid::from_u128(2), ..own },
        ShareName { signer: Uuid::from_u128(9), ..own },
        ShareName { epoch: 2, ..own },
    ] {
        if other.path(home.path()) != own.path(home.path()) {
            std::fs::copy(own.path(home.path()), other.path(home.path())).unwrap();
        }
        assert!(DklsShare::load(&sealer, home.path(), other).is_err());
        // A share of the other protocol is none of this one.
        assert!(crate::frost::KeyShare::load(&sealer, home.path(), own).is_err());
    }
}
