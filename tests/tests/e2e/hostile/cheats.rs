//! A holder that cheats in a session, and a server that keeps the log from saying so. The other holder must
//! not need the log: each further session with the same shares would tell the cheat more of them.

use sha2::{Digest as _, Sha256};
use strongroom_domain::{
    Bytes, Network,
    key::Protocol,
    protocol::{Reply, Sealed, Work},
};
use strongroom_secrets::{Secret, read_secret};
use strongroom_signer::{
    identity::Identity,
    sealing::{Letterhead, SealingPublic},
};
use uuid::Uuid;

use super::{
    catalogue::answers,
    forge::clock,
    rounds::{Said, step},
    world::World,
};

const HOLDERS: [usize; 3] = [0, 1, 2];
const SIGNERS: [usize; 2] = [0, 1];
const HONEST: usize = 0;
const CHEAT: usize = 1;

/// The machine of a signer, in the hands of a thief.
fn identity(world: &World, signer: usize) -> Identity {
    let signer = &world.signers[signer];
    let passphrase = read_secret(&signer.folder.join("passphrase")).unwrap();
    Identity::open(&signer.data, &passphrase).unwrap().0
}

/// The letter with one byte of what is in it changed, sealed again by who wrote it.
fn cheated(world: &World, work: Work, session: &Bytes, letter: &Sealed) -> Sealed {
    let Work::Attempt { transfer, attempt } = work else { panic!("{work:?}") };
    let mut name = Sha256::new_with_prefix(b"strongroom/work-session/v1\0");
    name.update([4]);
    name.update(transfer.0.as_bytes());
    name.update(attempt.to_be_bytes());
    name.update(session.as_slice());
    let name: [u8; 32] = name.finalize().into();
    let head = Letterhead {
        protocol: "sign/dkls23-secp256k1/1",
        session: Uuid::new_v8(name[..16].try_into().unwrap()),
        round: 1,
        sender: letter.sender.0,
        receiver: letter.receiver.0,
    };
    let (honest, cheat) = (identity(world, HONEST), identity(world, CHEAT));
    let public = |of: &Identity| -> SealingPublic { of.sealing().public() };
    let opened = honest.sealing().open(&public(&cheat), &head, letter.sealed.as_slice()).unwrap();
    let mut bytes = opened.expose().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let sealed = cheat.sealing().seal(&public(&honest), &head, &Secret::new(bytes)).unwrap();
    Sealed { sealed: Bytes(sealed), ..letter.clone() }
}

#[test]
fn who_was_caught_cheating_gets_no_second_session_whatever_the_log_says() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    world.payer = Some(world.custody(Network::LitecoinRegtest));
    let protocol = Protocol::Dkls23Secp256k1;
    let custody = world.custody_of(Network::EthereumDev, protocol, (&HOLDERS, &SIGNERS));
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let work = Work::Attempt { transfer, attempt: 1 };
    let session = Bytes(vec![1; 16]);
    let (said, others) = world.round(&SIGNERS, work, &session, (1, &Said::default()));
    assert!(others.is_empty(), "{others:?}");
    let mut bent = world.for_one(HONEST, &said);
    bent.letters[0] = cheated(&world, work, &session, &bent.letters[0]);
    let caught = step(&mut world.reader(HONEST), work, &session, 2, bent);
    answers("ecdsa-holder-cheats", &caught);
    let Reply::Corrupt { culprit, .. } = caught else { unreachable!() };
    assert_eq!(culprit, Some(world.id(CHEAT)));
    world.goes_on();
    // The log does not say that the key is quarantined, and never will.
    let second = Bytes(vec![2; 16]);
    let again = step(&mut world.reader(HONEST), work, &second, 1, Said::default());
    answers("ecdsa-session-with-cheat", &again);
    world.goes_on();
    world.restart(HONEST);
    let again = step(&mut world.reader(HONEST), work, &second, 1, Said::default());
    answers("ecdsa-session-with-cheat-after-restart", &again);
    world.goes_on();
}
