//! The rules of threshold signing, tried with real ceremonies. Nothing here replaces a part of the
//! protocol; where somebody cheats, the bytes on the wire are changed.

use std::collections::{BTreeMap, BTreeSet};

use k256::schnorr::{VerifyingKey, signature::hazmat::PrehashVerifier};
use strongroom_chains::frost::{ByHolder, FrostError, GroupPublic, KeyPath};
use strongroom_secrets::{DurableFileError, SealError, Sealer, Secret};
use tempfile::tempdir;
use uuid::Uuid;

use super::{Ceremony, CeremonyError, Dealing, Exchange, KeyShare, ShareError, ShareName};
use super::{SignError, SigningNonces};

pub(super) const MESSAGE: [u8; 32] = [7; 32];
pub(super) const PATH: KeyPath = KeyPath { change: 0, index: 3 };

fn name(holder: u16) -> ShareName {
    ShareName { key: Uuid::from_u128(1), signer: Uuid::from_u128(holder.into()), epoch: 1 }
}

fn begin(threshold: u16, holders: u16) -> (BTreeMap<u16, Dealing>, ByHolder) {
    let (mut dealings, mut published) = (BTreeMap::new(), ByHolder::new());
    for holder in 1..=holders {
        let (dealing, bytes) = Ceremony::new(holder, threshold, holders).unwrap().begin().unwrap();
        dealings.insert(holder, dealing);
        published.insert(holder, bytes);
    }
    (dealings, published)
}

type Dealt = BTreeMap<u16, BTreeMap<u16, Secret>>;

fn exchange(threshold: u16, holders: u16) -> (BTreeMap<u16, Exchange>, Dealt) {
    let (dealings, published) = begin(threshold, holders);
    let (mut exchanges, mut inboxes) = (BTreeMap::new(), Dealt::new());
    for (holder, dealing) in dealings {
        let (exchange, messages) = dealing.exchange(&published).unwrap();
        exchanges.insert(holder, exchange);
        for (receiver, message) in messages {
            inboxes.entry(receiver).or_default().insert(holder, message);
        }
    }
    (exchanges, inboxes)
}

pub(super) fn ceremony(threshold: u16, holders: u16) -> BTreeMap<u16, KeyShare> {
    let (exchanges, inboxes) = exchange(threshold, holders);
    exchanges
        .into_iter()
        .map(|(holder, exchange)| {
            (holder, exchange.finish(name(holder), &inboxes[&holder]).unwrap())
        })
        .collect()
}

pub(super) fn commit(
    shares: &BTreeMap<u16, KeyShare>,
    who: &[u16],
) -> (BTreeMap<u16, SigningNonces>, ByHolder) {
    let (mut nonces, mut commitments) = (BTreeMap::new(), ByHolder::new());
    for holder in who {
        let (nonce, bytes) = shares[holder].commit(1).unwrap().pop().unwrap();
        nonces.insert(*holder, nonce);
        commitments.insert(*holder, bytes);
    }
    (nonces, commitments)
}

pub(super) fn sign(
    shares: &BTreeMap<u16, KeyShare>,
    who: &[u16],
    path: KeyPath,
) -> (ByHolder, ByHolder) {
    let (nonces, commitments) = commit(shares, who);
    let signed = nonces
        .into_iter()
        .map(|(holder, nonce)| {
            (holder, shares[&holder].sign(nonce, &commitments, &MESSAGE, path).unwrap())
        })
        .collect();
    (commitments, signed)
}

#[test]
fn any_t_holders_sign_for_every_address_whatever_the_parity_of_its_keys() {
    for (threshold, holders, who) in
        [(2, 3, vec![1, 2]), (2, 3, vec![1, 3]), (2, 3, vec![1, 2, 3]), (3, 5, vec![2, 4, 5])]
    {
        let shares = ceremony(threshold, holders);
        let public = shares[&1].public().clone();
        let mut parities = BTreeSet::new();
        for index in 0..12 {
            let path = KeyPath { change: index % 2, index };
            let (commitments, signed) = sign(&shares, &who, path);
            let signature = public.combine(path, &MESSAGE, &commitments, &signed).unwrap();
            let child = public.key().child(path).unwrap();
            // A second implementation: k256's BIP 340 beside libsecp256k1's inside `combine`.
            let key = VerifyingKey::from_bytes(&child.output_key().serialize()).unwrap();
            let signature = k256::schnorr::Signature::try_from(signature.as_slice()).unwrap();
            key.verify_prehash(&MESSAGE, &signature).unwrap();
            parities.insert(child.to_bytes()[0]);
        }
        assert_eq!(parities, BTreeSet::from([2, 3]), "twelve children of one parity");
    }
}

#[test]
fn seven_of_ten_sign_too() {
    let shares = ceremony(7, 10);
    let (commitments, signed) = sign(&shares, &[1, 2, 4, 5, 7, 9, 10], PATH);
    shares[&3].public().combine(PATH, &MESSAGE, &commitments, &signed).unwrap();
}

#[test]
fn all_holders_end_a_ceremony_with_the_same_public_package() {
    let shares = ceremony(2, 3);
    let first = shares[&1].public().to_bytes().unwrap();
    for share in shares.values() {
        assert_eq!(share.public().to_bytes().unwrap(), first);
        assert_eq!(share.public().threshold(), 2);
    }
    assert_eq!(&GroupPublic::from_bytes(&first).unwrap(), shares[&1].public());
    assert!(GroupPublic::from_bytes(&[first.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn fewer_than_t_holders_can_neither_sign_nor_combine() {
    let shares = ceremony(3, 5);
    let (mut nonces, commitments) = commit(&shares, &[1, 2]);
    let few = FrostError::TooFew { found: 2, needed: 3 };
    let refusal = shares[&1].sign(nonces.remove(&1).unwrap(), &commitments, &MESSAGE, PATH);
    assert_eq!(refusal, Err(few.clone().into()));

    let (mut commitments, mut signed) = sign(&shares, &[1, 2, 3], PATH);
    commitments.remove(&3);
    assert!(matches!(
        shares[&1].public().combine(PATH, &MESSAGE, &commitments, &signed),
        Err(FrostError::Holders { .. })
    ));
    signed.remove(&3);
    assert_eq!(shares[&1].public().combine(PATH, &MESSAGE, &commitments, &signed), Err(few));
}

#[test]
fn wrong_shares_name_all_their_culprits() {
    let shares = ceremony(3, 5);
    let public = shares[&1].public();
    let (commitments, mut signed) = sign(&shares, &[1, 2, 3, 5], PATH);
    // Different bytes: errors of +1 and -1 would cancel out, and the sum would be a true signature.
    for (holder, place) in [(2, 31), (5, 30)] {
        signed.get_mut(&holder).unwrap()[place] ^= 1;
        assert_eq!(
            public.verify_share(PATH, &MESSAGE, &commitments, holder, &signed[&holder]),
            Err(FrostError::Culprits(BTreeSet::from([holder])))
        );
    }
    public.verify_share(PATH, &MESSAGE, &commitments, 3, &signed[&3]).unwrap();
    let refusal = public.combine(PATH, &MESSAGE, &commitments, &signed);
    assert_eq!(refusal, Err(FrostError::Culprits(BTreeSet::from([2, 5]))));
}

#[test]
fn a_share_that_does_not_fit_its_public_share_signs_nothing() {
    let (shares, others) = (ceremony(2, 3), ceremony(2, 3));
    let with_shares_of = |from: &KeyShare| {
        let public = shares[&1].public().clone();
        KeyShare::new(name(1), 1, from.package().clone(), public)
    };
    for (from, sound) in [(&shares[&1], true), (&others[&1], false)] {
        let share = with_shares_of(from);
        let (_, mut commitments) = commit(&shares, &[2]);
        let (nonce, bytes) = share.commit(1).unwrap().pop().unwrap();
        commitments.insert(1, bytes);
        let signed = share.sign(nonce, &commitments, &MESSAGE, PATH);
        let culprit = FrostError::Culprits(BTreeSet::from([1]));
        assert_eq!(signed.is_ok(), sound, "{signed:?}");
        assert!(sound || signed == Err(SignError::OwnShare(culprit)), "{signed:?}");
    }
}

#[test]
fn a_share_counts_for_its_message_path_and_holder_alone() {
    let shares = ceremony(2, 3);
    let public = shares[&1].public();
    let (commitments, signed) = sign(&shares, &[1, 2], PATH);
    let other = KeyPath { change: 0, index: 4 };
    assert!(public.verify_share(other, &MESSAGE, &commitments, 1, &signed[&1]).is_err());
    assert!(public.verify_share(PATH, &[8; 32], &commitments, 1, &signed[&1]).is_err());
    assert!(public.verify_share(PATH, &MESSAGE, &commitments, 2, &signed[&1]).is_err());
    assert_eq!(
        public.verify_share(PATH, &MESSAGE, &commitments, 4, &signed[&1]),
        Err(FrostError::Stranger(4))
    );
    assert_eq!(
        public.verify_share(PATH, &MESSAGE, &commitments, 1, &[0xff; 32]),
        Err(FrostError::Share(1))
    );
}

#[test]
fn a_nonce_signs_only_in_the_round_that_holds_its_commitment() {
    let shares = ceremony(2, 3);
    let (mut old, _) = commit(&shares, &[1, 2]);
    let (_, commitments) = commit(&shares, &[1, 2]);
    let refusal = shares[&1].sign(old.remove(&1).unwrap(), &commitments, &MESSAGE, PATH);
    assert!(matches!(refusal, Err(SignError::OtherRound(_))));
}

#[test]
fn each_message_of_a_batch_has_a_nonce_of_its_own() {
    let shares = ceremony(2, 2);
    let commitments = shares[&1].commit(50).unwrap();
    let distinct: BTreeSet<_> = commitments.iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(distinct.len(), 50);
}

#[test]
fn ceremonies_with_impossible_numbers_are_refused() {
    for (holder, threshold, holders) in
        [(1, 1, 3), (1, 0, 3), (1, 4, 3), (0, 2, 3), (4, 2, 3), (1, 2, 33), (1, 2, 1)]
    {
        let refusal = Ceremony::new(holder, threshold, holders);
        assert_eq!(refusal, Err(CeremonyError::Parameters { holder, threshold, holders }));
    }
}

#[test]
fn a_ceremony_wants_the_message_of_each_holder_and_its_own_unchanged() {
    let (mut dealings, mut published) = begin(2, 3);
    let third = published.remove(&3).unwrap();
    let refusal = dealings.remove(&1).unwrap().exchange(&published).err();
    assert!(matches!(refusal, Some(CeremonyError::Senders { .. })));
    published.insert(3, third.clone());
    published.insert(2, third);
    let refusal = dealings.remove(&2).unwrap().exchange(&published).err();
    assert_eq!(refusal, Some(CeremonyError::NotMine));
    // The third sees its own proof under the second's name: a proof binds its holder.
    let refusal = dealings.remove(&3).unwrap().exchange(&published).err();
    assert_eq!(refusal, Some(CeremonyError::Culprits(BTreeSet::from([2]))));
}

#[test]
fn malformed_and_wrong_ceremony_messages_name_their_sender() {
    let (mut dealings, mut published) = begin(2, 3);
    published.insert(2, vec![1, 2, 3]);
    let refusal = dealings.remove(&1).unwrap().exchange(&published).err();
    assert_eq!(refusal, Some(CeremonyError::Malformed(2)));

    let (mut exchanges, mut inboxes) = exchange(2, 3);
    let mut inbox = inboxes.remove(&1).unwrap();
    let mut bytes = inbox[&3].expose().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    inbox.insert(3, Secret::new(bytes));
    let refusal = exchanges.remove(&1).unwrap().finish(name(1), &inbox).err();
    assert_eq!(refusal, Some(CeremonyError::Culprits(BTreeSet::from([3]))));
}

#[test]
fn a_stored_share_signs_like_the_one_in_memory() {
    let home = tempdir().unwrap();
    let sealer = Sealer::create(home.path(), &Secret::new(b"p".to_vec())).unwrap();
    let mut shares = ceremony(2, 3);
    shares[&1].store(&sealer, home.path()).unwrap();
    shares.insert(1, KeyShare::load(&sealer, home.path(), name(1)).unwrap());
    let (commitments, signed) = sign(&shares, &[1, 3], PATH);
    shares[&2].public().combine(PATH, &MESSAGE, &commitments, &signed).unwrap();
    assert!(matches!(
        shares[&1].store(&sealer, home.path()),
        Err(ShareError::Seal(SealError::Write(DurableFileError::Exists { .. })))
    ));
}

#[test]
fn a_share_opens_under_its_own_name_alone() {
    let home = tempdir().unwrap();
    let sealer = Sealer::create(home.path(), &Secret::new(b"p".to_vec())).unwrap();
    let shares = ceremony(2, 2);
    shares[&1].store(&sealer, home.path()).unwrap();
    let own = name(1);
    let others = [
        ShareName { key: Uuid::from_u128(2), ..own },
        ShareName { signer: Uuid::from_u128(9), ..own },
        ShareName { epoch: 2, ..own },
    ];
    for other in others {
        if other.path(home.path()) != own.path(home.path()) {
            std::fs::copy(own.path(home.path()), other.path(home.path())).unwrap();
        }
        assert!(matches!(
            KeyShare::load(&sealer, home.path(), other),
            Err(ShareError::Seal(SealError::Refused { .. }))
        ));
    }
}
