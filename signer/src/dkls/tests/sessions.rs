//! Signing sessions and changes of shares.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
use strongroom_chains::frost::{GroupKey, KeyPath};

use super::{
    super::{Dkls23, DklsShare},
    change, shares,
};
use crate::threshold::{
    Message, RoundError, Session, ThresholdProtocol,
    harness::{Round, honest, run},
};

const DIGEST: [u8; 32] = [7; 32];

fn session(signers: &[u16], id: u8, messages: Vec<Message>) -> Session {
    Session { id: [id; 32], signers: signers.iter().copied().collect(), messages }
}

fn one(path: Option<KeyPath>) -> Vec<Message> {
    vec![Message { digest: DIGEST, path }]
}

type Shares = BTreeMap<u16, Arc<DklsShare>>;

fn shared(shares: BTreeMap<u16, DklsShare>) -> Shares {
    shares.into_iter().map(|(holder, share)| (holder, Arc::new(share))).collect()
}

fn sign(
    shares: &Shares,
    session: &Session,
    meddle: impl FnMut(usize, &mut Round),
) -> BTreeMap<u16, Result<Vec<[u8; 64]>, RoundError>> {
    let begun = session.signers.iter().map(|holder| {
        (*holder, Dkls23::sign(Arc::clone(&shares[holder]), session.clone()).unwrap())
    });
    run(begun.collect(), meddle)
}

fn signed(shares: &Shares, who: &[u16]) -> [u8; 64] {
    let ended = honest(sign(shares, &session(who, 1, one(None)), |_, _| {}));
    let first = ended.values().next().unwrap()[0];
    assert!(ended.values().all(|all| *all == [first]), "all holders end with one signature");
    first
}

/// By a second implementation: it verifies, its s is low, and the key comes back from it.
fn verify(key: &[u8; 33], digest: &[u8; 32], signature: &[u8; 64]) {
    let key = VerifyingKey::from_sec1_bytes(key).unwrap();
    let signature = Signature::from_slice(signature).unwrap();
    assert!(signature.normalize_s().is_none());
    key.verify_prehash(digest, &signature).unwrap();
    let back =
        |odd| VerifyingKey::recover_from_prehash(digest, &signature, RecoveryId::new(odd, false));
    assert!([false, true].into_iter().any(|odd| back(odd).is_ok_and(|found| found == key)));
}

#[test]
fn any_t_holders_sign_for_the_key_and_its_children() {
    for (threshold, holders, sets) in
        [(2, 3, vec![vec![1, 2], vec![1, 3], vec![2, 3]]), (3, 4, vec![vec![1, 3, 4]])]
    {
        let shares = shared(shares(threshold, holders));
        let public = shares[&1].public().key();
        for who in sets {
            verify(&public, &DIGEST, &signed(&shares, &who));
            let path = KeyPath { change: 2, index: 1 };
            let messages = vec![
                Message { digest: [1; 32], path: None },
                Message { digest: [2; 32], path: Some(path) },
                Message { digest: [0xff; 32], path: Some(KeyPath { change: 0, index: 9 }) },
            ];
            let ended = honest(sign(&shares, &session(&who, 2, messages.clone()), |_, _| {}));
            for (message, signature) in messages.iter().zip(&ended[&who[0]]) {
                let key = message.path.map_or(public, |path| {
                    GroupKey::from_bytes(&public).unwrap().child(path).unwrap().to_bytes()
                });
                verify(&key, &message.digest, signature);
            }
        }
    }
}

#[test]
fn a_session_of_others_or_of_too_many_is_refused() {
    let shares = shared(shares(2, 3));
    for (who, count) in [
        (vec![1], 1),
        (vec![1, 2, 3], 1),
        (vec![2, 3], 1),
        (vec![1, 4], 1),
        (vec![1, 2], 0),
        (vec![1, 2], 65),
    ] {
        let messages = one(None).into_iter().cycle().take(count).collect();
        let refusal = Dkls23::sign(Arc::clone(&shares[&1]), session(&who, 1, messages)).err();
        assert!(matches!(refusal, Some(RoundError::Session { .. })));
    }
}

#[test]
fn a_message_of_another_session_is_not_taken() {
    let shares = shared(shares(2, 3));
    let mut old = None;
    sign(&shares, &session(&[1, 2], 1, one(None)), |round, wire| {
        if round == 1 {
            old = Some(wire.letters[&1][&2].expose().to_vec());
        }
    });
    let ended = sign(&shares, &session(&[1, 2], 2, one(None)), |round, wire| {
        if round == 1 {
            wire.forge(2, 1, |bytes| bytes.clone_from(old.as_ref().unwrap()));
        }
    });
    let error = ended[&1].as_ref().err().unwrap();
    assert!(error.is_recoverable() && error.culprit().is_none(), "{error}");
}

#[test]
fn a_cheat_in_signing_is_named() {
    let shares = shared(shares(2, 3));
    // Round 1 ends with the OT extension's check value, round 2 with the adjustments.
    for round in [1, 2] {
        let ended = sign(&shares, &session(&[1, 2], 3, one(None)), |at, wire| {
            if at == round {
                wire.forge(2, 1, |bytes| *bytes.last_mut().unwrap() ^= 1);
            }
        });
        let error = ended[&1].as_ref().err().unwrap();
        assert_eq!(error.culprit(), Some(2), "round {round}: {error}");
        assert!(!error.is_recoverable());
    }
}

#[test]
fn a_sum_that_was_changed_on_the_way_makes_no_signature_and_blames_nobody() {
    let shares = shared(shares(2, 3));
    for who in [1, 2] {
        let ended = sign(&shares, &session(&[1, 2], 4, one(None)), |round, wire| {
            if round == 3 {
                wire.spoken.get_mut(&2).unwrap()[10] ^= 1;
            }
        });
        let error = ended[&who].as_ref().err().unwrap();
        assert!(error.is_recoverable() && error.culprit().is_none(), "{error}");
    }
}

#[test]
fn refreshed_shares_sign_together_and_never_with_old_ones() {
    let old = shares(2, 3);
    let key = old[&1].public().key();
    let new = honest(change(&old, 2, 3, |_, _| {}));
    assert_eq!(new[&1].public().key(), key);
    assert_ne!(new[&1].public().to_bytes().unwrap(), old[&1].public().to_bytes().unwrap());
    for share in new.values() {
        assert_eq!(share.public().to_bytes().unwrap(), new[&1].public().to_bytes().unwrap());
        assert_eq!(share.name().epoch, 2);
    }
    let (old, new) = (shared(old), shared(new));
    verify(&key, &DIGEST, &signed(&new, &[2, 3]));
    let mixed = Shares::from([(1, Arc::clone(&old[&1])), (2, Arc::clone(&new[&2]))]);
    let ended = sign(&mixed, &session(&[1, 2], 1, one(None)), |_, _| {});
    assert!(ended.values().all(Result::is_err));
}

#[test]
fn a_lost_share_comes_back_and_signs() {
    let mut old = shares(2, 3);
    let key = old[&1].public().key();
    drop(old.remove(&2));
    let new = shared(honest(change(&old, 2, 3, |_, _| {})));
    for who in [[1, 2], [2, 3]] {
        verify(&key, &DIGEST, &signed(&new, &who));
    }
}

#[test]
fn a_holder_more_and_a_holder_fewer_keep_the_key() {
    let old = shares(2, 3);
    let key = old[&1].public().key();
    let more = honest(change(&old, 2, 4, |_, _| {}));
    assert_eq!(more[&4].public().holders(), 4);
    let fewer = honest(change(&more, 3, 3, |_, _| {}));
    assert_eq!(fewer[&1].public().holders(), 3);
    for (shares, who) in [(more, [1, 4]), (fewer, [2, 3])] {
        verify(&key, &DIGEST, &signed(&shared(shares), &who));
    }
}

#[test]
fn a_wrong_term_of_a_lost_share_makes_no_share() {
    let mut old = shares(2, 3);
    drop(old.remove(&2));
    let ended = change(&old, 2, 3, |round, wire| {
        if round == 1 {
            // Behind the fragment (32 bytes), the mark, and the two numbers: the term.
            wire.forge(1, 2, |bytes| bytes[40] ^= 1);
        }
    });
    assert!(matches!(ended[&2], Err(RoundError::Failed(_) | RoundError::Malformed(1))));
}

#[test]
fn a_change_that_shares_cannot_go_through_is_refused() {
    use crate::threshold::{Change, Held, Place, Refreshing};
    let old = shares(2, 3);
    let package = old[&1].public().to_bytes().unwrap();
    let place = Place { holder: 1, threshold: 2, holders: 3 };
    let plain = Change { place, joiner: None, helpers: BTreeSet::new() };
    let raised = Change { place: Place { threshold: 3, ..place }, ..plain.clone() };
    let lowered = Change { place: Place { holder: 1, threshold: 2, holders: 2 }, ..plain.clone() };
    let joins = |joiner, helpers: [u16; 2]| Change {
        joiner: Some(joiner),
        helpers: helpers.into(),
        ..plain.clone()
    };
    let name = super::name(1, 2);
    let held = || Held::Share(&old[&1]);
    assert!(Dkls23::change(held(), name, &lowered).is_ok());
    for wrong in [raised, joins(1, [2, 3]), joins(2, [1, 1]), joins(2, [1, 2]), joins(4, [1, 2])] {
        let refusal = Dkls23::change(held(), name, &wrong).err();
        assert!(matches!(refusal, Some(RoundError::Change(_))), "{wrong:?}");
    }
    let nothing = Held::Nothing { package: &package };
    assert!(Dkls23::change(nothing, name, &plain).is_err());
}

/// Holder 1 has its secret from a backup, the others their shares.
fn restore(
    old: &std::collections::BTreeMap<u16, DklsShare>,
    meddle: impl FnMut(usize, &mut Round),
) -> std::collections::BTreeMap<u16, Result<DklsShare, RoundError>> {
    use crate::threshold::{Change, Held, Place, Refreshing};
    let (secret, _) = old[&1].to_back_up();
    let package = old[&1].public().to_bytes().unwrap();
    let begun = (1..=3).map(|holder| {
        let place = Place { holder, threshold: 2, holders: 3 };
        let change = Change { place, joiner: Some(1), helpers: BTreeSet::new() };
        let held = match holder {
            1 => Held::Restored { package: &package, scalar: &secret },
            _ => Held::Share(&old[&holder]),
        };
        (holder, Dkls23::change(held, super::name(holder, 2), &change).unwrap())
    });
    crate::threshold::harness::run(begun.collect(), meddle)
}

#[test]
fn a_secret_from_a_backup_becomes_a_share_of_the_next_epoch_and_the_old_ones_are_of_no_use() {
    let old = shares(2, 3);
    let key = old[&1].public().key();
    let new = shared(honest(restore(&old, |_, _| {})));
    for who in [[1, 2], [1, 3]] {
        verify(&key, &DIGEST, &signed(&new, &who));
    }
    let mixed =
        Shares::from([(1, Arc::clone(&new[&1])), (2, Arc::new(shares(2, 3).remove(&2).unwrap()))]);
    let ended = sign(&mixed, &session(&[1, 2], 1, one(None)), |_, _| {});
    assert!(ended.values().all(Result::is_err));
}

#[test]
fn a_restored_secret_stands_in_for_a_share_and_is_none() {
    use crate::backup::RestoredShare;
    use strongroom_domain::key::Protocol::Dkls23Secp256k1;
    use strongroom_secrets::Secret;
    let home = tempfile::tempdir().unwrap();
    let sealer =
        strongroom_secrets::Sealer::create(home.path(), &Secret::new(b"p".to_vec())).unwrap();
    let place = (&sealer, home.path());
    let old = shares(2, 3);
    let package = old[&1].public().to_bytes().unwrap();
    let (of, own) = ((Dkls23Secp256k1, package.as_slice()), super::name(1, 1));
    let secret = || old[&1].to_back_up().0;
    assert!(RestoredShare::new(of, (own, 2), secret()).is_err());
    RestoredShare::new(of, (own, 1), secret()).unwrap().store(place, own).unwrap();
    assert!(RestoredShare::stands_in(place, own));
    assert!(DklsShare::load(&sealer, home.path(), own).is_err());
    assert!(*RestoredShare::load(place, own, Dkls23Secp256k1).unwrap().secret() == secret());
}

#[test]
fn holders_who_tell_a_restored_one_different_things_make_no_share() {
    let old = shares(2, 3);
    let ended = restore(&old, |round, wire| {
        if round == 1 {
            // Behind the point and the kind: the session of all holders, behind its length.
            wire.forge(2, 1, |bytes| bytes[40] ^= 1);
        }
    });
    assert!(matches!(ended[&1], Err(RoundError::Failed(_))));
    // Who lacks nothing is given nothing; who lacks it must be given it by all.
    let ended = restore(&old, |round, wire| {
        if round == 1 {
            wire.forge(2, 1, |bytes| {
                bytes.truncate(33);
                bytes[32] = 0;
            });
        }
    });
    assert!(matches!(ended[&1], Err(RoundError::Malformed(2))));
}
