//! Shares that change hands, tried with real shares: the key stays, the new ones sign, and one old
//! share among new ones signs nothing. Where somebody cheats, the bytes on the wire are changed.

use std::collections::{BTreeMap, BTreeSet};

use frost_secp256k1_tr::{
    self as frost,
    keys::{KeyPackage, PublicKeyPackage},
};
use rand::rngs::OsRng;
use strongroom_chains::frost::GroupPublic;
use strongroom_secrets::Secret;
use uuid::Uuid;

use super::tests::{MESSAGE, PATH, ceremony, commit, sign};
use super::{ChangePlan, KeyShare, ShareChange, ShareName, SignError};
use crate::threshold::{ByHolder, Heard, Machine as _, RoundError, Said, Step};

type Shares = BTreeMap<u16, KeyShare>;

/// Which change, for all.
#[derive(Clone)]
struct Plan {
    holders: BTreeSet<u16>,
    joiner: Option<u16>,
    helpers: BTreeSet<u16>,
}

impl Plan {
    fn refresh(holders: impl IntoIterator<Item = u16>) -> Self {
        Self { holders: holders.into_iter().collect(), joiner: None, helpers: BTreeSet::new() }
    }

    fn joining(mut self, joiner: u16, threshold: u16) -> Self {
        self.helpers = self.holders.iter().copied().take(threshold.into()).collect();
        self.joiner = Some(joiner);
        self.holders.insert(joiner);
        self
    }

    fn of(&self, holder: u16) -> ChangePlan {
        let Self { holders, joiner, helpers } = self.clone();
        ChangePlan { holder, holders, joiner, helpers }
    }
}

fn name(holder: u16) -> ShareName {
    ShareName { key: Uuid::from_u128(1), signer: Uuid::from_u128(holder.into()), epoch: 2 }
}

/// A message as it is carried: its sender, its receiver (all, in round one), its bytes.
type Tamper<'a> = &'a dyn Fn(u8, u16, Option<u16>, &mut Vec<u8>);

/// Runs a change; `tamper` sees every message on its way.
fn change(
    shares: &Shares,
    plan: &Plan,
    tamper: Tamper<'_>,
) -> Result<Shares, BTreeMap<u16, RoundError>> {
    let public: GroupPublic = shares.values().next().unwrap().public().clone();
    let begin = |holder: u16| {
        let own = shares.get(&holder).filter(|_| plan.joiner != Some(holder));
        (holder, ShareChange::begin(name(holder), plan.of(holder), &public, own).unwrap())
    };
    let mut under_way: BTreeMap<u16, (ShareChange, Said)> =
        plan.holders.iter().copied().map(begin).collect();
    let (mut done, mut errors, mut round) = (Shares::new(), BTreeMap::new(), 1);
    while !under_way.is_empty() {
        let (mut spoken, mut inboxes) = (ByHolder::new(), BTreeMap::<u16, ByHolder<Secret>>::new());
        let mut machines = BTreeMap::new();
        for (holder, (machine, said)) in under_way {
            if !said.spoken.is_empty() {
                let mut bytes = said.spoken;
                tamper(round, holder, None, &mut bytes);
                spoken.insert(holder, bytes);
            }
            for (to, letter) in said.letters {
                let mut bytes = letter.expose().to_vec();
                tamper(round, holder, Some(to), &mut bytes);
                inboxes.entry(to).or_default().insert(holder, Secret::new(bytes));
            }
            machines.insert(holder, machine);
        }
        under_way = BTreeMap::new();
        for (holder, machine) in machines {
            let letters = inboxes.remove(&holder).unwrap_or_default();
            // What this holder said itself is what it knows, whatever others were shown.
            match machine.step(&Heard { spoken: &spoken, letters: &letters }) {
                Ok(Step::Said(machine, said)) => drop(under_way.insert(holder, (machine, said))),
                Ok(Step::Done(share)) => drop(done.insert(holder, share)),
                Err(error) => drop(errors.insert(holder, error)),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        round += 1;
    }
    Ok(done)
}

fn honest(_: u8, _: u16, _: Option<u16>, _: &mut Vec<u8>) {}

fn changed(shares: &Shares, plan: &Plan) -> Shares {
    change(shares, plan, &honest).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn check_same_key(before: &Shares, after: &Shares) {
    let (old, new) =
        (before.values().next().unwrap().public(), after.values().next().unwrap().public());
    assert_eq!(old.key(), new.key());
    assert_eq!(old.threshold(), new.threshold());
    for path in [PATH, strongroom_chains::frost::KeyPath { change: 1, index: 9 }] {
        let address = |public: &GroupPublic| public.key().child(path).unwrap().output_key();
        assert_eq!(address(old), address(new), "the address is another");
    }
    let bytes = new.to_bytes().unwrap();
    assert!(after.values().all(|share| share.public().to_bytes().unwrap() == bytes));
}

fn signs(shares: &Shares, who: &[u16]) {
    let (commitments, signed) = sign(shares, who, PATH);
    shares[&who[0]].public().combine(PATH, &MESSAGE, &commitments, &signed).unwrap();
}

/// Tries really, as a thief would: with the bare library, nobody's checks in the way, and by putting
/// the key itself together.
fn cannot_sign(old: &Shares, new: &Shares, (mixed, fresh): (&[u16], &[u16])) {
    let stolen = mixed.iter().map(|holder| old[holder].package().clone());
    let packages: Vec<_> = stolen.chain(fresh.iter().map(|of| new[of].package().clone())).collect();
    let publics = [old, new].map(|shares| shares.values().next().unwrap().public().clone());
    let key = publics[0].key().to_bytes().to_vec();
    assert_ne!(put_together(&packages), key, "{mixed:?} and {fresh:?} have the key");
    for public in publics {
        assert!(!bare_library(&packages, &public), "{mixed:?} and {fresh:?} signed");
    }
}

fn put_together(packages: &[KeyPackage]) -> Vec<u8> {
    let key = frost::keys::reconstruct(packages).unwrap();
    frost::VerifyingKey::from(&key).serialize().unwrap()
}

/// Whether these shares make a signature of the key.
fn bare_library(packages: &[KeyPackage], public: &GroupPublic) -> bool {
    let public = PublicKeyPackage::deserialize(&public.to_bytes().unwrap()).unwrap();
    let (mut nonces, mut commitments) = (BTreeMap::new(), BTreeMap::new());
    for package in packages {
        let (nonce, commitment) = frost::round1::commit(package.signing_share(), &mut OsRng);
        nonces.insert(*package.identifier(), nonce);
        commitments.insert(*package.identifier(), commitment);
    }
    let signing = frost::SigningPackage::new(commitments, &MESSAGE);
    let sign = |package: &KeyPackage| {
        let id = *package.identifier();
        (id, frost::round2::sign(&signing, &nonces[&id], package).unwrap())
    };
    let signed = packages.iter().map(sign).collect();
    let signature = frost::aggregate(&signing, &signed, &public);
    signature.is_ok_and(|it| public.verifying_key().verify(&MESSAGE, &it).is_ok())
}

const SIZES: [(u16, u16); 4] = [(2, 3), (3, 5), (5, 7), (7, 10)];

#[test]
fn refreshed_shares_sign_for_the_same_key() {
    for (threshold, holders) in SIZES {
        let before = ceremony(threshold, holders);
        let after = changed(&before, &Plan::refresh(1..=holders));
        check_same_key(&before, &after);
        let who: Vec<u16> = (holders - threshold + 1..=holders).collect();
        signs(&after, &who);
        // The shares of before still are what they were to one another: that is why they are
        // destroyed.
        signs(&before, &who);
        let fresh: Vec<_> = who.iter().map(|holder| after[holder].package().clone()).collect();
        assert_eq!(put_together(&fresh), before[&1].public().key().to_bytes());
        assert!(bare_library(&fresh, after[&1].public()), "the thief's way works with enough");
    }
}

#[test]
fn one_old_share_among_new_ones_signs_nothing() {
    for (threshold, holders) in SIZES {
        let before = ceremony(threshold, holders);
        // The last was stolen: the others go on without it.
        let after = changed(&before, &Plan::refresh(1..holders));
        check_same_key(&before, &after);
        let fresh: Vec<u16> = (1..threshold).collect();
        cannot_sign(&before, &after, (&[holders], &fresh));
        let staying: Vec<u16> = (1..threshold).collect();
        cannot_sign(&before, &after, (&staying, &[threshold]));
        signs(&after, &(1..=threshold).collect::<Vec<_>>());
    }
}

#[test]
fn who_joins_gets_a_share_and_what_was_lost_is_of_no_use() {
    for (threshold, holders) in SIZES {
        let before = ceremony(threshold, holders);
        // The same number, held by somebody else from now on.
        let replaced = Plan::refresh(1..holders).joining(holders, threshold);
        let after = changed(&before, &replaced);
        check_same_key(&before, &after);
        let who: Vec<u16> = (holders - threshold + 1..=holders).collect();
        signs(&after, &who);
        let fresh: Vec<u16> = (1..threshold).collect();
        cannot_sign(&before, &after, (&[holders], &fresh));
        // A number that nobody had.
        if holders < 10 {
            let added = Plan::refresh(1..=holders).joining(holders + 1, threshold);
            let after = changed(&before, &added);
            check_same_key(&before, &after);
            let who: Vec<u16> = (holders - threshold + 2..=holders + 1).collect();
            signs(&after, &who);
        }
    }
}

#[test]
fn changes_follow_changes_and_numbers_may_be_missing() {
    let first = ceremony(2, 3);
    let second = changed(&first, &Plan::refresh([1, 3]));
    check_same_key(&first, &second);
    signs(&second, &[1, 3]);
    let third = changed(&second, &Plan::refresh([1, 3]).joining(2, 2));
    signs(&third, &[2, 3]);
    let fourth = changed(&third, &Plan::refresh([2, 3]).joining(1, 2));
    check_same_key(&first, &fourth);
    signs(&fourth, &[1, 2]);
    for older in [&first, &second, &third] {
        cannot_sign(older, &fourth, (&[1], &[3]));
    }
}

#[test]
fn a_share_with_the_public_package_of_another_epoch_is_not_signed_with() {
    let before = ceremony(2, 3);
    let after = changed(&before, &Plan::refresh(1..=3));
    let (mut nonces, commitments) = commit(&before, &[1, 2]);
    let nonce = nonces.remove(&1).unwrap();
    // Commitments of another round: the nonce is gone with it.
    assert!(matches!(
        after[&1].sign(nonce, &commitments, &MESSAGE, PATH),
        Ok(_) | Err(SignError::OtherRound(_))
    ));
    let stale = ShareChange::begin(
        name(1),
        Plan::refresh(1..=3).of(1),
        after[&1].public(),
        Some(&before[&1]),
    );
    assert!(matches!(stale.err(), Some(RoundError::Own(_))));
}

#[test]
fn a_plan_that_changes_the_threshold_or_lacks_helpers_begins_nothing() {
    let before = ceremony(2, 3);
    let begin = |plan: ChangePlan, own: Option<&KeyShare>| {
        ShareChange::begin(name(1), plan, before[&1].public(), own).err()
    };
    let own = Some(&before[&1]);
    let one = Plan::refresh([1]).of(1);
    assert!(matches!(begin(one, own), Some(RoundError::Change(_))));
    let mut few = Plan::refresh([1, 2]).joining(3, 2);
    few.helpers = [1].into();
    assert!(matches!(begin(few.of(1), own), Some(RoundError::Change(_))));
    few.helpers = [1, 3].into();
    assert!(matches!(begin(few.of(1), own), Some(RoundError::Change(_))));
    let all = Plan::refresh([1, 2, 3]);
    assert!(matches!(begin(all.of(1), None), Some(RoundError::Change(_))));
    let other = Plan::refresh([2, 3]).of(1);
    assert!(matches!(begin(other, own), Some(RoundError::Change(_))));
}

/// Who is named when the message of `sender` in `round` to `to` has its byte at `at` changed.
fn named(plan: &Plan, round: u8, sender: u16, to: Option<u16>, at: usize) -> BTreeSet<u16> {
    let before = ceremony(2, 3);
    let tamper = |in_round: u8, by: u16, receiver: Option<u16>, bytes: &mut Vec<u8>| {
        if (in_round, by, receiver) == (round, sender, to) {
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1;
        }
    };
    let errors = change(&before, plan, &tamper).err().unwrap();
    errors
        .into_iter()
        .filter(|(holder, _)| *holder != sender)
        .filter_map(|(_, of)| of.culprit())
        .collect()
}

#[test]
fn culprits_are_named() {
    let joins = Plan::refresh([1, 2]).joining(3, 2);
    // A refreshing share, and the sum for who joins (the last byte of a helper's letter).
    assert_eq!(named(&joins, 2, 2, Some(1), usize::MAX), [2].into());
    assert_eq!(named(&joins, 2, 1, Some(3), usize::MAX), [1].into());
    assert_eq!(named(&joins, 2, 1, Some(3), 30), [1].into());
    // A part, and what it was committed to.
    assert_eq!(named(&joins, 1, 2, Some(1), usize::MAX), [2].into());
    assert_eq!(named(&joins, 1, 2, None, usize::MAX), [2].into());
    // What everyone refreshes by.
    let all = Plan::refresh(1..=3);
    for at in [0, 6, 30, usize::MAX] {
        let culprits = named(&all, 1, 3, None, at);
        assert!(culprits.is_subset(&[3].into()), "{culprits:?}");
    }
    assert_eq!(named(&all, 1, 3, None, 3), [3].into());
    assert_eq!(named(&all, 2, 3, Some(2), usize::MAX), [3].into());
}

#[test]
fn who_was_shown_another_message_than_it_sent_stops() {
    let before = ceremony(2, 3);
    let tamper = |round: u8, by: u16, to: Option<u16>, bytes: &mut Vec<u8>| {
        if (round, by, to) == (1, 2, None) {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
        }
    };
    let errors = change(&before, &Plan::refresh(1..=3), &tamper).err().unwrap();
    assert!(matches!(errors[&2], RoundError::NotMine), "{errors:?}");
}

#[test]
fn a_message_that_is_missing_is_no_accusation() {
    let before = ceremony(2, 3);
    let plan = Plan::refresh(1..=3).of(1);
    let begun = ShareChange::begin(name(1), plan, before[&1].public(), Some(&before[&1]));
    let (machine, said) = begun.unwrap();
    let spoken = ByHolder::from([(1, said.spoken)]);
    let error = machine.step(&Heard { spoken: &spoken, letters: &ByHolder::new() }).err().unwrap();
    assert!(matches!(error, RoundError::Senders { .. }));
    assert!(error.culprit().is_none() && error.is_recoverable());
}
