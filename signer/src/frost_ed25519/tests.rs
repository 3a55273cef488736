//! The rules of Ed25519 keys in shares; and those of Taproot keys behind the same traits. Nothing here
//! replaces a part of the protocols; where somebody cheats, the bytes on the wire are changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ed25519_dalek::{Signature, VerifyingKey};
use strongroom_chains::frost::{KeyPath, verify};
use strongroom_secrets::{Sealer, Secret};
use tempfile::tempdir;

use super::{Ed25519Share, FrostEd25519};
use crate::{
    frost::ShareName,
    threshold::{
        Change, Held, Message, Place, Refreshing, RoundError, Session, ThresholdProtocol,
        frost_tr::FrostTr,
        harness::{Round, honest, name, run},
    },
};

const DIGEST: [u8; 32] = [7; 32];

fn generate<P: ThresholdProtocol>(
    (threshold, holders): (u16, u16),
    meddle: impl FnMut(usize, &mut Round),
) -> BTreeMap<u16, Result<P::Share, RoundError>> {
    let begun = (1..=holders).map(|holder| {
        let place = Place { holder, threshold, holders };
        (holder, P::generate(name(holder, 1), place).unwrap())
    });
    run(begun.collect(), meddle)
}

type Shares<P> = BTreeMap<u16, Arc<<P as ThresholdProtocol>::Share>>;

fn shares<P: ThresholdProtocol>(threshold: u16, holders: u16) -> Shares<P> {
    let made = honest(generate::<P>((threshold, holders), |_, _| {}));
    made.into_iter().map(|(holder, share)| (holder, Arc::new(share))).collect()
}

fn sign<P: ThresholdProtocol>(
    shares: &Shares<P>,
    who: &[u16],
    messages: &[Message],
    meddle: impl FnMut(usize, &mut Round),
) -> BTreeMap<u16, Result<Vec<[u8; 64]>, RoundError>> {
    let signers: BTreeSet<u16> = who.iter().copied().collect();
    let begun = who.iter().map(|holder| {
        let (signers, messages) = (signers.clone(), messages.to_vec());
        let session = Session { id: [1; 32], signers, messages };
        (*holder, P::sign(Arc::clone(&shares[holder]), session).unwrap())
    });
    run(begun.collect(), meddle)
}

fn messages(path: Option<KeyPath>) -> Vec<Message> {
    [[1; 32], DIGEST].map(|digest| Message { digest, path }).to_vec()
}

#[test]
fn any_t_holders_sign_plain_ed25519() {
    for (threshold, holders, who) in
        [(2, 3, vec![1, 3]), (3, 5, vec![2, 4, 5]), (7, 10, (3..10).collect())]
    {
        let shares = shares::<FrostEd25519>(threshold, holders);
        let key = shares[&1].key().unwrap();
        assert!(shares.values().all(|share| share.key().unwrap() == key));
        let package = shares[&1].public_package().unwrap();
        assert!(shares.values().all(|share| share.public_package().unwrap() == package));
        let messages = messages(None);
        for signed in honest(sign::<FrostEd25519>(&shares, &who, &messages, |_, _| {})).values() {
            for (message, signature) in messages.iter().zip(signed) {
                let key = VerifyingKey::from_bytes(&key).unwrap();
                key.verify_strict(&message.digest, &Signature::from_bytes(signature)).unwrap();
            }
        }
    }
}

#[test]
fn taproot_keys_keep_the_same_rules() {
    let shares = shares::<FrostTr>(2, 3);
    let path = KeyPath { change: 0, index: 3 };
    let messages = messages(Some(path));
    let key = shares[&1].public().key().child(path).unwrap().output_key();
    for signed in honest(sign::<FrostTr>(&shares, &[1, 3], &messages, |_, _| {})).values() {
        for (message, signature) in messages.iter().zip(signed) {
            verify(&key, &message.digest, signature).unwrap();
        }
    }
    // Their shares change too; the key stays.
    let begun = (1..=3).map(|holder| {
        let place = Place { holder, threshold: 2, holders: 3 };
        let change = Change { place, joiner: None, helpers: [1, 2].into() };
        let held = Held::Share(shares[&holder].as_ref());
        (holder, FrostTr::change(held, name(holder, 2), &change).unwrap())
    });
    let renewed = honest(run(begun.collect(), |_, _| {}));
    assert_eq!(renewed[&2].public().key(), shares[&2].public().key());
    assert_ne!(renewed[&2].public(), shares[&2].public());
}

fn a_wrong_message_names_its_sender<P: ThresholdProtocol>(path: Option<KeyPath>) {
    let cut = |round: &mut Round| round.spoken.get_mut(&2).unwrap().truncate(20);
    let ended = generate::<P>((2, 3), |number, round| {
        if number == 1 {
            cut(round);
        }
    });
    assert_eq!(ended[&1].as_ref().err(), Some(&RoundError::Malformed(2)));
    assert_eq!(ended[&2].as_ref().err(), Some(&RoundError::NotMine));
    let ended = generate::<P>((2, 3), |number, round| {
        if number == 2 {
            round.forge(3, 1, |bytes| *bytes.last_mut().unwrap() ^= 1);
        }
    });
    assert_eq!(ended[&1].as_ref().err().and_then(RoundError::culprit), Some(3));

    let shares = shares::<P>(2, 3);
    for number in [1, 2] {
        let ended = sign::<P>(&shares, &[1, 2], &messages(path), |at, round| {
            if at == number {
                cut(round);
            }
        });
        assert_eq!(ended[&1].as_ref().err(), Some(&RoundError::Malformed(2)));
    }
    let ended = sign::<P>(&shares, &[1, 2], &messages(path), |at, round| {
        if at == 2 {
            // Behind its length: a scalar that is another one.
            round.spoken.get_mut(&2).unwrap()[20] ^= 1;
        }
    });
    assert_eq!(ended[&1].as_ref().err().and_then(RoundError::culprit), Some(2));
    let ended = sign::<P>(&shares, &[1, 2], &messages(path), |_, round| {
        drop(round.spoken.remove(&2));
    });
    assert!(matches!(ended[&1], Err(RoundError::Senders { .. })));
}

#[test]
fn a_wrong_message_names_its_sender_with_either_suite() {
    a_wrong_message_names_its_sender::<FrostEd25519>(None);
    a_wrong_message_names_its_sender::<FrostTr>(Some(KeyPath { change: 1, index: 1 }));
}

#[test]
fn a_session_of_others_or_of_a_child_is_refused() {
    let shares = shares::<FrostEd25519>(2, 3);
    let child = Some(KeyPath { change: 0, index: 0 });
    for (signers, messages) in [
        (vec![1], messages(None)),
        (vec![2, 3], messages(None)),
        (vec![1, 4], messages(None)),
        (vec![1, 2, 3], messages(None)),
        (vec![1, 2], Vec::new()),
        (vec![1, 2], messages(child)),
    ] {
        let session = Session { id: [1; 32], signers: signers.into_iter().collect(), messages };
        let refusal = FrostEd25519::sign(Arc::clone(&shares[&1]), session).err();
        assert!(matches!(refusal, Some(RoundError::Session { .. })));
    }
}

#[test]
fn a_share_opens_under_its_own_name_alone() {
    let home = tempdir().unwrap();
    let sealer = Sealer::create(home.path(), &Secret::new(b"p".to_vec())).unwrap();
    let shares = shares::<FrostEd25519>(2, 2);
    shares[&1].store(&sealer, home.path()).unwrap();
    let own = name(1, 1);
    let again = Ed25519Share::load(&sealer, home.path(), own).unwrap();
    assert_eq!((again.holder(), again.key().unwrap()), (1, shares[&2].key().unwrap()));
    assert!(shares[&1].store(&sealer, home.path()).is_err());
    let other = ShareName { epoch: 2, ..own };
    std::fs::copy(own.path(home.path()), other.path(home.path())).unwrap();
    assert!(Ed25519Share::load(&sealer, home.path(), other).is_err());
    assert!(crate::frost::KeyShare::load(&sealer, home.path(), own).is_err());
}

/// Changes the shares of `old`; who of `holders` has none joins, with the help of `helpers`.
fn change(
    old: &Shares<FrostEd25519>,
    (epoch, holders): (u32, &[u16]),
    helpers: &[u16],
) -> Shares<FrostEd25519> {
    use super::Ed25519Change;
    let package = old.values().next().unwrap().public_package().unwrap();
    let joiner = holders.iter().copied().find(|holder| !old.contains_key(holder));
    let begun = holders.iter().map(|holder| {
        let plan = crate::frost::ChangePlan {
            holder: *holder,
            holders: holders.iter().copied().collect(),
            joiner,
            helpers: helpers.iter().copied().collect(),
        };
        let own = old.get(holder).map(AsRef::as_ref);
        (*holder, Ed25519Change::begin(name(*holder, epoch), plan, &package, own).unwrap())
    });
    let made = honest(run(begun.collect(), |_, _| {}));
    made.into_iter().map(|(holder, share)| (holder, Arc::new(share))).collect()
}

#[test]
fn shares_change_and_the_key_stays() {
    let old = shares::<FrostEd25519>(2, 3);
    let key = old[&1].key().unwrap();
    // Refreshed, then one goes and leaves a gap, then one comes back to it.
    let new = change(&old, (2, &[1, 2, 3]), &[]);
    let fewer = change(&new, (3, &[1, 3]), &[]);
    assert!(!fewer[&1].is_held_by(2) && fewer[&1].is_held_by(3));
    let again = change(&fewer, (4, &[1, 2, 3]), &[1, 3]);
    for (shares, who) in [(&new, [1, 2]), (&fewer, [1, 3]), (&again, [2, 3])] {
        assert_eq!(shares[&who[0]].key().unwrap(), key);
        honest(sign::<FrostEd25519>(shares, &who, &messages(None), |_, _| {}));
    }
    let mixed = Shares::<FrostEd25519>::from([(1, old[&1].clone()), (2, again[&2].clone())]);
    let ended = sign::<FrostEd25519>(&mixed, &[1, 2], &messages(None), |_, _| {});
    assert!(ended.values().all(Result::is_err), "one old share and one new one sign nothing");
}

#[test]
fn a_secret_from_a_backup_is_the_share_of_its_own_holder_alone() {
    let shares = shares::<FrostEd25519>(2, 3);
    let (secret, public) = shares[&1].to_back_up().unwrap();
    let package = shares[&1].public_package().unwrap();
    let again = Ed25519Share::from_backup(name(1, 1), 1, &secret, &package).unwrap();
    assert_eq!(again.to_back_up().unwrap().1, public);
    assert!(Ed25519Share::from_backup(name(2, 1), 2, &secret, &package).is_err());
    let wrong = Secret::new(vec![1; 32]);
    assert!(Ed25519Share::from_backup(name(1, 1), 1, &wrong, &package).is_err());
}
