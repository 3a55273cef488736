//! Ceremonies that a hostile server runs: without a quorum, with letters swapped, altered or of
//! another ceremony, with one story for each signer. No share comes of any of them.

use strongroom_domain::key::{Protocol, RoundOnePublished};
use strongroom_domain::protocol::{Order, Reply};
use strongroom_domain::{Command, KeyId, Network, Rule};
use uuid::Uuid;

use super::forge::clock;
use super::link::refused;
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
    let nobody = KeyId(Uuid::now_v7());
    let reply = world.reader(0).begin(nobody);
    refused("a key that the log does not know", &reply, Rule::SignerLogBehind);
    let key = world.request_key(Protocol::FrostSecp256k1Tr, &HOLDERS, false);
    let reply = world.reader(0).begin(key);
    refused("a ceremony that nobody approved", &reply, Rule::SignerKey);
    let token = world.request_key(Protocol::Pkcs11Secp256k1, &[HSM], false);
    let reply = world.reader(HSM).begin(token);
    refused("a token key that nobody approved", &reply, Rule::SignerKey);
    let others = world.request_key(Protocol::FrostSecp256k1Tr, &HOLDERS[..2], true);
    let reply = world.reader(2).begin(others);
    refused("a ceremony of others", &reply, Rule::SignerNotInSet);
    let custody = world.custody(Network::LitecoinRegtest);
    let reply = world.reader(0).begin(custody.key);
    refused("a ceremony that is over", &reply, Rule::SignerKey);
    world.pays(&custody);
}

#[test]
fn letters_open_for_their_receiver_in_their_ceremony_alone() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let early = world.request_key(Protocol::FrostSecp256k1Tr, &HOLDERS, true);
    let reply = world.reader(0).ask(&Order::ContinueCeremony { key: early });
    refused("round two before round one", &reply, Rule::SignerProtocol);
    world.reader(0).begin(early);
    let reply = world.reader(0).ask(&Order::ContinueCeremony { key: early });
    refused("round two before all published", &reply, Rule::SignerLogBehind);
    // Each try uses a ceremony up: whoever began it has to begin another.
    let replayed = world.two_rounds(&HOLDERS);
    let other = world.two_rounds(&HOLDERS);
    let finish =
        |world: &World, key, sealed| world.reader(0).ask(&Order::FinishCeremony { key, sealed });
    let reply = finish(&world, other.key, replayed.letters[0].clone());
    refused("letters of another ceremony", &reply, Rule::SignerProtocol);
    let swapped = world.two_rounds(&HOLDERS);
    let reply = finish(&world, swapped.key, swapped.letters[1].clone());
    refused("letters to another signer", &reply, Rule::SignerProtocol);
    let relabelled = world.two_rounds(&HOLDERS);
    let mut letters = relabelled.letters[1].clone();
    for letter in &mut letters {
        letter.receiver = world.id(0);
    }
    let reply = finish(&world, relabelled.key, letters);
    refused("letters with another receiver's name", &reply, Rule::SignerProtocol);
    let crossed = world.two_rounds(&HOLDERS);
    let mut letters = crossed.letters[0].clone();
    let (one, two) = (letters[0].sealed.clone(), letters[1].sealed.clone());
    (letters[0].sealed, letters[1].sealed) = (two, one);
    let reply = finish(&world, crossed.key, letters);
    refused("letters under each other's sender", &reply, Rule::SignerProtocol);
    let doubled = world.two_rounds(&HOLDERS);
    let mut letters = doubled.letters[0].clone();
    letters[1] = letters[0].clone();
    let reply = finish(&world, doubled.key, letters);
    refused("one letter twice", &reply, Rule::SignerProtocol);
    let missing = world.two_rounds(&HOLDERS);
    let reply = finish(&world, missing.key, missing.letters[0][..1].to_vec());
    refused("a letter missing", &reply, Rule::SignerProtocol);
    let damaged = world.two_rounds(&HOLDERS);
    let mut letters = damaged.letters[0].clone();
    *letters[0].sealed.0.last_mut().unwrap() ^= 1;
    let reply = finish(&world, damaged.key, letters);
    refused("an altered letter", &reply, Rule::SignerProtocol);
    for key in [other.key, swapped.key, relabelled.key, crossed.key, doubled.key, missing.key] {
        assert!(!has_share(&world, key));
    }
    let honest = world.two_rounds(&HOLDERS);
    world.finish(&HOLDERS, honest);
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
}

#[test]
fn a_first_round_that_is_not_the_signers_own_makes_no_share() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
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
    assert!(matches!(reply, Reply::Corrupt { culprit: None, .. }), "{reply:?}");
    // The others go on, and the first one's letters never come.
    let Reply::RoundTwo { sealed } = world.reader(1).ask(&Order::ContinueCeremony { key: forged })
    else {
        panic!()
    };
    let receiver = world.id(2);
    let sealed: Vec<_> = sealed.into_iter().filter(|one| one.receiver == receiver).collect();
    world.reader(2).ask(&Order::ContinueCeremony { key: forged });
    let reply = world.reader(2).ask(&Order::FinishCeremony { key: forged, sealed });
    refused("without the cheated one's letter", &reply, Rule::SignerProtocol);
    assert!(!has_share(&world, forged));
    // Memory is gone after a restart, and what was published is not dealt again.
    let begun = world.two_rounds(&HOLDERS);
    world.restart(0);
    let reply = world.reader(0).begin(begun.key);
    refused("a second first round", &reply, Rule::SignerProtocol);
    let sealed = begun.letters[0].clone();
    let reply = world.reader(0).ask(&Order::FinishCeremony { key: begun.key, sealed });
    refused("an end without a beginning", &reply, Rule::SignerProtocol);
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
}
