//! Every message of every round of every protocol, heard by a machine that is really there: what is
//! changed ends the session or is taken, and never panics. A machine that blames somebody blames who
//! sent it.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use strongroom_chains::frost::{GroupPublic, KeyPath};
use strongroom_secrets::Secret;
use strongroom_signer::{
    dkls::{Dkls23, DklsShare},
    frost::{KeyShare, ShareName},
    frost_ed25519::{Ed25519Share, FrostEd25519},
    threshold::{
        ByHolder, Change, Heard, Held, Machine, Message, Place, Refreshing, RoundError, Said,
        Session, Step, ThresholdProtocol, frost_tr::FrostTr,
    },
};
use uuid::Uuid;

/// Holder 2's message, on its way to who hears it.
type Meddle<'a> = &'a mut dyn FnMut(Vec<u8>) -> Vec<u8>;

/// What is said, by a protocol in a round, to all or to one.
pub struct Kind {
    /// What people call it.
    pub name: &'static str,
    hear: fn(Where, Meddle<'_>) -> bool,
    place: Where,
}

#[derive(Clone, Copy)]
struct Where {
    round: usize,
    letter: bool,
    hearer: u16,
}

const fn spoken(round: usize) -> Where {
    Where { round, letter: false, hearer: 1 }
}

const fn letter(round: usize) -> Where {
    Where { round, letter: true, hearer: 1 }
}

const fn joiner(place: Where) -> Where {
    Where { hearer: 3, ..place }
}

const fn kind(name: &'static str, hear: fn(Where, Meddle<'_>) -> bool, place: Where) -> Kind {
    Kind { name, hear, place }
}

/// All of them.
pub const KINDS: &[Kind] = &[
    kind("frost ceremony 1", generation::<FrostTr>, spoken(1)),
    kind("frost ceremony 2", generation::<FrostTr>, letter(2)),
    kind("frost signing 1", frost_signing, spoken(1)),
    kind("frost signing 2", frost_signing, spoken(2)),
    kind("frost refresh 1", frost_refresh, spoken(1)),
    kind("frost refresh 2", frost_refresh, letter(2)),
    kind("frost repair 1, to all", frost_repair, spoken(1)),
    kind("frost repair 1, to a helper", frost_repair, letter(1)),
    kind("frost repair 2, to who joins", frost_repair, joiner(letter(2))),
    kind("ed25519 ceremony 1", generation::<FrostEd25519>, spoken(1)),
    kind("ed25519 ceremony 2", generation::<FrostEd25519>, letter(2)),
    kind("ed25519 signing 1", ed25519_signing, spoken(1)),
    kind("ed25519 signing 2", ed25519_signing, spoken(2)),
    kind("ecdsa signing 1", dkls_signing, letter(1)),
    kind("ecdsa signing 2", dkls_signing, letter(2)),
    kind("ecdsa signing 3", dkls_signing, spoken(3)),
    kind("ecdsa ceremony 1, to all", generation::<Dkls23>, spoken(1)),
    kind("ecdsa ceremony 1, to one", generation::<Dkls23>, letter(1)),
    kind("ecdsa ceremony 2, to all", generation::<Dkls23>, spoken(2)),
    kind("ecdsa ceremony 2, to one", generation::<Dkls23>, letter(2)),
    kind("ecdsa ceremony 3, to all", generation::<Dkls23>, spoken(3)),
    kind("ecdsa ceremony 3, to one", generation::<Dkls23>, letter(3)),
    kind("ecdsa repair 1, to who joins", dkls_repair, joiner(letter(1))),
    kind("ecdsa refresh 3, to one", dkls_repair, letter(3)),
];

/// The first byte: which kind; the second: whether the rest is the message or changes it.
pub(super) fn hear(bytes: &[u8]) -> bool {
    let [which, how, rest @ ..] = bytes else { return false };
    let kind = &KINDS[usize::from(*which) % KINDS.len()];
    (kind.hear)(kind.place, &mut |real| {
        if how % 2 == 0 { rest.to_vec() } else { super::patched(&real, rest) }
    })
}

/// A real message: a seed.
///
/// # Panics
/// Where a machine does not take it as it is.
pub fn message(kind: &Kind) -> Vec<u8> {
    let mut found = Vec::new();
    let taken = (kind.hear)(kind.place, &mut |real| {
        found.clone_from(&real);
        real
    });
    assert!(taken, "{}: refused as it was sent", kind.name);
    found
}

/// Runs machines up to the round, changes what holder 2 said, and has one holder hear it.
fn run<M: Machine>(begun: Vec<(M, Said)>, place: Where, meddle: Meddle<'_>) -> bool {
    let mut machines: BTreeMap<u16, (M, Said)> = (1..).zip(begun).collect();
    for round in 1.. {
        let mut spoken = ByHolder::new();
        let mut letters: BTreeMap<u16, ByHolder<Secret>> = BTreeMap::new();
        let mut waiting = Vec::new();
        for (number, (machine, said)) in machines {
            spoken.insert(number, said.spoken);
            for (receiver, letter) in said.letters {
                letters.entry(receiver).or_default().insert(number, letter);
            }
            waiting.push((number, machine));
        }
        let now = round == place.round;
        if now && place.letter {
            let mine = letters.get_mut(&place.hearer).unwrap();
            let changed = meddle(mine[&2].expose().to_vec());
            mine.insert(2, Secret::new(changed));
        } else if now {
            let changed = meddle(spoken[&2].clone());
            spoken.insert(2, changed);
        }
        machines = BTreeMap::new();
        let (none, silence) = (ByHolder::new(), ByHolder::new());
        for (number, machine) in waiting {
            if now && number != place.hearer {
                continue;
            }
            let mine = letters.get(&number).unwrap_or(&silence);
            let all = if machine.awaits().spoken.is_empty() { &none } else { &spoken };
            match machine.step(&Heard { spoken: all, letters: mine }) {
                Ok(_) if now => return true,
                Ok(Step::Said(machine, said)) => drop(machines.insert(number, (machine, said))),
                Ok(Step::Done(_)) => panic!("over in round {round}"),
                Err(error) if now => {
                    if let RoundError::Malformed(who) | RoundError::Culprit { culprit: who, .. } =
                        &error
                    {
                        assert_eq!(*who, 2, "the wrong one is blamed: {error}");
                    }
                    return false;
                }
                Err(error) => panic!("round {round}: {error}"),
            }
        }
    }
    unreachable!()
}

fn name(holder: u16, epoch: u32) -> ShareName {
    ShareName { key: Uuid::from_u128(1), signer: Uuid::from_u128(holder.into()), epoch }
}

fn begun<P: ThresholdProtocol>(holders: u16) -> Vec<(P::Generation, Said)> {
    let begin = |holder| P::generate(name(holder, 1), Place { holder, threshold: 2, holders });
    (1..=holders).map(|holder| begin(holder).unwrap()).collect()
}

fn generation<P: ThresholdProtocol>(place: Where, meddle: Meddle<'_>) -> bool {
    run(begun::<P>(2), place, meddle)
}

/// An honest ceremony to its end.
fn shares<P: ThresholdProtocol>(holders: u16) -> Vec<Arc<P::Share>> {
    let mut machines: BTreeMap<u16, _> = (1..).zip(begun::<P>(holders)).collect();
    let mut done = BTreeMap::new();
    while !machines.is_empty() {
        let mut spoken = ByHolder::new();
        let mut letters: BTreeMap<u16, ByHolder<Secret>> = BTreeMap::new();
        let mut waiting = Vec::new();
        for (number, (machine, said)) in machines {
            spoken.insert(number, said.spoken);
            for (receiver, letter) in said.letters {
                letters.entry(receiver).or_default().insert(number, letter);
            }
            waiting.push((number, machine));
        }
        machines = BTreeMap::new();
        let (none, silence) = (ByHolder::new(), ByHolder::new());
        for (number, machine) in waiting {
            let mine = letters.get(&number).unwrap_or(&silence);
            let all = if machine.awaits().spoken.is_empty() { &none } else { &spoken };
            match machine.step(&Heard { spoken: all, letters: mine }).ok().unwrap() {
                Step::Said(machine, said) => drop(machines.insert(number, (machine, said))),
                Step::Done(share) => drop(done.insert(number, Arc::new(share))),
            }
        }
    }
    done.into_values().collect()
}

static FROST: LazyLock<Vec<Arc<KeyShare>>> = LazyLock::new(|| shares::<FrostTr>(3));
static ED25519: LazyLock<Vec<Arc<Ed25519Share>>> = LazyLock::new(|| shares::<FrostEd25519>(2));
static DKLS: LazyLock<Vec<Arc<DklsShare>>> = LazyLock::new(|| shares::<Dkls23>(2));

/// The fixture's key.
pub(super) fn public() -> GroupPublic {
    FROST[0].public().clone()
}

/// Public packages and keys: seeds.
pub fn packages() -> Vec<Vec<u8>> {
    let (frost, dkls) = (public(), DKLS[0].public());
    vec![
        frost.to_bytes().unwrap(),
        frost.key().to_bytes().to_vec(),
        dkls.to_bytes().unwrap(),
        ED25519[0].key().unwrap().to_vec(),
    ]
}

fn signing<P: ThresholdProtocol>(
    shares: &[Arc<P::Share>],
    path: Option<KeyPath>,
    place: Where,
    meddle: Meddle<'_>,
) -> bool {
    let messages = vec![Message { digest: [7; 32], path }];
    let session = Session { id: [9; 32], signers: [1, 2].into(), messages };
    let begin = |share: &Arc<P::Share>| P::sign(Arc::clone(share), session.clone()).unwrap();
    run(shares.iter().take(2).map(begin).collect(), place, meddle)
}

fn frost_signing(place: Where, meddle: Meddle<'_>) -> bool {
    signing::<FrostTr>(&FROST, Some(KeyPath { change: 0, index: 0 }), place, meddle)
}

fn ed25519_signing(place: Where, meddle: Meddle<'_>) -> bool {
    signing::<FrostEd25519>(&ED25519, None, place, meddle)
}

fn dkls_signing(place: Where, meddle: Meddle<'_>) -> bool {
    signing::<Dkls23>(&DKLS, None, place, meddle)
}

/// `held` are the first holders; who comes after them joins.
fn change<P: Refreshing>(
    held: &[Arc<P::Share>],
    (package, holders): (&[u8], u16),
    place: Where,
    meddle: Meddle<'_>,
) -> bool {
    let last = u16::try_from(held.len()).unwrap();
    let joiner = (last < holders).then_some(holders);
    let helpers = if joiner.is_some() { [1, 2].into() } else { [].into() };
    let begin = |holder: u16| {
        let own = held.get(usize::from(holder) - 1);
        let held = own.map_or(Held::Nothing { package }, |share| Held::Share(share.as_ref()));
        let at = Place { holder, threshold: 2, holders };
        let change =
            Change { place: at, joiner, helpers: std::collections::BTreeSet::clone(&helpers) };
        P::change(held, name(holder, 2), &change).unwrap()
    };
    run((1..=holders).map(begin).collect(), place, meddle)
}

fn frost_refresh(place: Where, meddle: Meddle<'_>) -> bool {
    change::<FrostTr>(&FROST, (&[], 3), place, meddle)
}

fn frost_repair(place: Where, meddle: Meddle<'_>) -> bool {
    let package = FROST[0].public().to_bytes().unwrap();
    change::<FrostTr>(&FROST[..2], (&package, 3), place, meddle)
}

fn dkls_repair(place: Where, meddle: Meddle<'_>) -> bool {
    let package = DKLS[0].public().to_bytes().unwrap();
    change::<Dkls23>(&DKLS, (&package, 3), place, meddle)
}
