//! Ceremonies that a hostile server runs: without a quorum, with letters swapped, altered or of
//! another ceremony, with one story for each signer. No share comes of any of them.

use strongroom_domain::key::{Protocol, RoundOnePublished};
use strongroom_domain::protocol::{Order, Reply};
use strongroom_domain::{Command, KeyId, Network};
use uuid::Uuid;

use super::catalogue::answers;
use super::forge::clock;
use super::world::{HSM, World};

const HOLDERS: [usize; 3] = [0, 1, 2];

/// Whether any signer has a share of this key on disk.
fn has_share(world: &World, key: KeyId) -> bool {
    world.signers.iter().any(|signer| signer.data.join(format!("share-{key}-1.sealed")).exists())
}

#[test]
fn no_key_is_made_that_no_quorum_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let nobody = KeyId(Uuid::now_v7());
    let reply = world.reader(0).begin(nobody);
    answers("key-that-log-does-not-know", &reply);
    world.pays(&custody);
    let key = world.request_key(Protocol::FrostSecp256k1Tr, &HOLDERS, false);
    let reply = world.reader(0).begin(key);
    answers("key-ceremony-that-nobody-approved", &reply);
    world.pays(&custody);
    let token = world.request_key(Protocol::Pkcs11Secp256k1, &[HSM], false);
    let reply = world.reader(HSM).begin(token);
    answers("key-token-key-that-nobody-approved", &reply);
    world.pays(&custody);
    let others = world.request_key(Protocol::FrostSecp256k1Tr, &HOLDERS[..2], true);
    let reply = world.reader(2).begin(others);
    answers("key-ceremony-of-other-signers", &reply);
    world.pays(&custody);
    let reply = world.reader(0).begin(custody.key);
    answers("key-ceremony-that-is-over", &reply);
    world.pays(&custody);
    world.pays(&custody);
}

#[test]
fn letters_open_for_their_receiver_in_their_ceremony_alone() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let early = world.request_key(Protocol::FrostSecp256k1Tr, &HOLDERS, true);
    let reply = world.reader(0).ask(&Order::ContinueCeremony { key: early });
    answers("key-round-two-before-round-one", &reply);
    world.pays(&custody);
    world.reader(0).begin(early);
    let reply = world.reader(0).ask(&Order::ContinueCeremony { key: early });
    answers("key-round-two-before-all-published", &reply);
    world.pays(&custody);
    let replayed = world.two_rounds(&HOLDERS);
    let other = world.two_rounds(&HOLDERS);
    let finish =
        |world: &World, key, sealed| world.reader(0).ask(&Order::FinishCeremony { key, sealed });
    let reply = finish(&world, other.key, replayed.letters[0].clone());
    answers("key-letters-of-another-ceremony", &reply);
    world.pays(&custody);
    let swapped = world.two_rounds(&HOLDERS);
    let reply = finish(&world, swapped.key, swapped.letters[1].clone());
    answers("key-letters-to-another-signer", &reply);
    world.pays(&custody);
    let relabelled = world.two_rounds(&HOLDERS);
    let mut letters = relabelled.letters[1].clone();
    for letter in &mut letters {
        letter.receiver = world.id(0);
    }
    let reply = finish(&world, relabelled.key, letters);
    answers("key-letters-with-another-receivers-name", &reply);
    world.pays(&custody);
    let crossed = world.two_rounds(&HOLDERS);
    let mut letters = crossed.letters[0].clone();
    let (one, two) = (letters[0].sealed.clone(), letters[1].sealed.clone());
    (letters[0].sealed, letters[1].sealed) = (two, one);
    let reply = finish(&world, crossed.key, letters);
    answers("key-letters-under-each-others-sender", &reply);
    world.pays(&custody);
    let doubled = world.two_rounds(&HOLDERS);
    let mut letters = doubled.letters[0].clone();
    letters[1] = letters[0].clone();
    let reply = finish(&world, doubled.key, letters);
    answers("key-one-letter-twice", &reply);
    world.pays(&custody);
    let missing = world.two_rounds(&HOLDERS);
    let reply = finish(&world, missing.key, missing.letters[0][..1].to_vec());
    answers("key-letter-missing", &reply);
    world.pays(&custody);
    let damaged = world.two_rounds(&HOLDERS);
    let mut letters = damaged.letters[0].clone();
    *letters[0].sealed.0.last_mut().unwrap() ^= 1;
    let reply = finish(&world, damaged.key, letters);
    answers("key-altered-letter", &reply);
    world.pays(&custody);
    // Nothing of it used a ceremony up: with the letters that were written it goes on.
    for ceremony in [replayed, other, swapped, relabelled, crossed, doubled, missing, damaged] {
        assert!(!has_share(&world, ceremony.key));
        world.finish(&HOLDERS, ceremony);
    }
    world.pays(&custody);
}

#[test]
fn a_first_round_that_is_not_the_signers_own_makes_no_share() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let forged = world.request_key(Protocol::FrostSecp256k1Tr, &HOLDERS, true);
    let spare = world.request_key(Protocol::FrostSecp256k1Tr, &HOLDERS, true);
    let packages: Vec<_> = HOLDERS
        .iter()
        .map(|signer| match world.reader(*signer).begin(forged) {
            Reply::RoundOne { package } => package,
            other => panic!("{other:?}"),
        })
        .collect();
    // The first signer's package is one that the server got it to make for another key.
    let Reply::RoundOne { package: other } = world.reader(0).begin(spare) else { panic!() };
    for (signer, package) in [(0, other), (1, packages[1].clone()), (2, packages[2].clone())] {
        let published = RoundOnePublished { signer: world.id(signer), package };
        world.forge.run(Command::PublishRoundOne { key: forged, published });
    }
    let reply = world.reader(0).ask(&Order::ContinueCeremony { key: forged });
    answers("key-round-one-that-is-not-its-own", &reply);
    world.pays(&custody);
    // The others go on, and the first one's letters never come.
    let Reply::RoundTwo { sealed } = world.reader(1).ask(&Order::ContinueCeremony { key: forged })
    else {
        panic!()
    };
    let receiver = world.id(2);
    let sealed: Vec<_> = sealed.into_iter().filter(|one| one.receiver == receiver).collect();
    world.reader(2).ask(&Order::ContinueCeremony { key: forged });
    let reply = world.reader(2).ask(&Order::FinishCeremony { key: forged, sealed });
    answers("key-round-three-without-cheated-ones-letter", &reply);
    world.pays(&custody);
    assert!(!has_share(&world, forged));
    // Memory is gone after a restart, and what was published is not dealt again.
    let begun = world.two_rounds(&HOLDERS);
    world.restart(0);
    let reply = world.reader(0).begin(begun.key);
    answers("key-second-round-one-after-restart", &reply);
    world.pays(&custody);
    let sealed = begun.letters[0].clone();
    let reply = world.reader(0).ask(&Order::FinishCeremony { key: begun.key, sealed });
    answers("key-round-three-without-beginning-after-restart", &reply);
    world.pays(&custody);
    world.pays(&custody);
}
