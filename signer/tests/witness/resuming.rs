//! Going on from an earlier entry: with a quorum's certificate, and without forgetting anything that
//! could have been signed.

use std::fs;

use strongroom_domain::{
    Command, Digest, Head, Rule, TransferId,
    charter::LogResumed,
    protocol::{Order, Reply},
};
use strongroom_signer::{
    consumption::{Consumptions, Record},
    journal::Journal,
    resumption::{ResumeError, resume},
};
use uuid::Uuid;

use crate::world::*;

/// The world after a signer read and cosigned all of the log, and stopped; its server was restored
/// to what it was three entries before. The log that it has now, and the certificate.
fn restored() -> (World, Log, LogResumed) {
    let mut world = World::founded();
    world.log.grow(2);
    let (from, old) = (world.log.size(), world.log.clone());
    world.log.grow(3);
    let signer = world.reader();
    cosigned(ask(&signer, &world.log.cosign(0)));
    signer.close().unwrap();
    let certificate = world.log.certificate(from, world.log.state.head);
    (world, old, certificate)
}

fn resumed(world: &World, certificate: &LogResumed) -> Result<u64, ResumeError> {
    resume(world.directory(), world.genesis(), certificate)
}

#[test]
fn a_rolled_back_log_is_followed_only_with_a_certificate() {
    let (world, mut log, certificate) = restored();
    log.grow(2);
    let signer = world.try_open().unwrap();
    let fork = Order::Extend { entries: log.entries[log.entries.len() - 2..].to_vec() };
    refused(&ask(&signer, &fork), Rule::SignerLogFork);
    assert_eq!(ask(&signer, &log.cosign(0)), Reply::WitnessConflict { size: world.log.size() });
    // Not while the signer runs.
    assert!(matches!(resumed(&world, &certificate), Err(ResumeError::Journal(_))));
}

#[test]
fn a_log_goes_on_where_its_quorum_says() {
    let (world, mut log, certificate) = restored();
    assert!(resumed(&world, &certificate).unwrap() > 0);
    assert_eq!(resumed(&world, &certificate).unwrap(), 0, "again is nothing new");
    let signer = world.try_open().unwrap();
    assert_eq!(head(&signer), log.state.head);
    // Neither the old history nor another one: the resumption itself comes next.
    refused(&push(&signer, &world.log), Rule::LogResumption);
    let mut other = log.clone();
    other.grow(1);
    refused(&push(&signer, &other), Rule::LogResumption);
    refused(&ask(&signer, &log.cosign(0)), Rule::SignerLogBehind);
    log.run(Command::ResumeLog(certificate));
    let key = log.request_key(world.me);
    follow(&signer, &log);
    cosigned(ask(&signer, &log.cosign(0)));
    // What was said of the given up history is said under another name.
    let given_up = world.log.witnessed(2);
    refused(&ask(&signer, &Order::Checkpoint { checkpoint: given_up }), Rule::SignerCheckpoint);
    refused(&ask(&signer, &Order::BeginCeremony { key }), Rule::SignerNotCovered);
    let covered = ask(&signer, &Order::Checkpoint { checkpoint: log.witnessed(2) });
    assert_eq!(covered, Reply::Covered { size: log.size() });
    drop(signer);
    let signer = world.reader_of(&log);
    let size = log.size();
    assert_eq!(ask(&signer, &log.cosign(0)), Reply::WitnessConflict { size });
}

#[test]
fn a_second_resumption_follows_the_first() {
    let (world, mut log, certificate) = restored();
    resumed(&world, &certificate).unwrap();
    log.run(Command::ResumeLog(certificate.clone()));
    log.grow(1);
    let from = log.size();
    let mut given_up = log.clone();
    given_up.grow(2);
    let signer = world.reader_of(&given_up);
    cosigned(ask(&signer, &given_up.cosign(0)));
    signer.close().unwrap();
    drop(signer);
    assert!(matches!(resumed(&world, &certificate), Ok(0)), "the first one stands already");
    let second = given_up.certificate(from, given_up.state.head);
    assert!(resumed(&world, &second).unwrap() > 0);
    let mut log = given_up.rewound(from);
    let signer = world.try_open().unwrap();
    assert_eq!(head(&signer), log.state.head);
    log.run(Command::ResumeLog(second));
    follow(&signer, &log);
    cosigned(ask(&signer, &log.cosign(0)));
    let origin = log.state.charter.standing().unwrap().origin();
    assert!(origin.ends_with("/2"), "{origin}");
}

#[test]
fn a_resumption_that_is_given_up_keeps_its_number() {
    let (world, log, certificate) = restored();
    resumed(&world, &certificate).unwrap();
    let mut second = log.clone();
    second.run(Command::ResumeLog(certificate));
    second.grow(1);
    drop(world.reader_of(&second));
    // Further back than the first one: the log there knows of none.
    let from = log.size() - 1;
    let again = log.certificate(from, second.state.head);
    assert!(matches!(resumed(&world, &again), Err(ResumeError::Number { found: 1, last: 1 })));
    let next = log.numbered(2, from, second.state.head);
    assert!(resumed(&world, &next).unwrap() > 0);
    let mut log = log.rewound(from);
    log.run(Command::ResumeLog(next));
    let signer = world.reader_of(&log);
    cosigned(ask(&signer, &log.cosign(0)));
}

#[test]
fn a_forged_certificate_changes_nothing() {
    let (world, log, certificate) = restored();
    let before = fs::read(world.copy()).unwrap();
    let unsigned = |change: &dyn Fn(&mut LogResumed)| {
        let mut forged = certificate.clone();
        change(&mut forged);
        assert!(resumed(&world, &forged).is_err(), "{forged:?}");
    };
    unsigned(&|c| drop(c.signatures.pop()));
    unsigned(&|c| c.signatures[1] = c.signatures[0].clone());
    unsigned(&|c| c.resumption.number = 2);
    unsigned(&|c| c.resumption.abandoned.position += 1);
    unsigned(&|c| c.resumption.from.leaf = Digest([1; 32]));
    let end = world.log.state.head;
    let ahead = Head { position: end.position + 5, leaf: Digest([3; 32]) };
    let cases = [
        // This signer holds more than the quorum knew of.
        world.log.certificate(log.size(), world.log.heads[world.log.heads.len() - 2]),
        // Or something else there.
        world.log.certificate(log.size(), Head { leaf: Digest([3; 32]), ..end }),
        // Within the founding.
        world.log.certificate(1, end),
    ];
    for signed in cases {
        let error = resumed(&world, &signed).unwrap_err();
        assert!(matches!(error, ResumeError::Further(_) | ResumeError::Within(_)), "{error}");
    }
    let mut other = log.clone();
    other.grow(1);
    let stranger = other.certificate(other.size(), ahead);
    assert!(matches!(resumed(&world, &stranger), Err(ResumeError::Unknown(_))));
    let elsewhere = resume(world.directory(), Digest([1; 32]), &certificate);
    assert!(matches!(elsewhere, Err(ResumeError::Genesis { .. })));
    assert_eq!(fs::read(world.copy()).unwrap(), before);
    assert_eq!(head(&world.try_open().unwrap()), end);
}

#[test]
fn a_crash_before_or_in_the_cut_is_finished_when_it_opens() {
    let (world, mut log, certificate) = restored();
    let whole = fs::read(world.copy()).unwrap();
    resumed(&world, &certificate).unwrap();
    let cut = fs::read(world.copy()).unwrap();
    assert!(whole.starts_with(&cut) && whole.len() > cut.len());
    // The journal has it, and the copy is still whole.
    fs::write(world.copy(), &whole).unwrap();
    let signer = world.try_open().unwrap();
    assert_eq!(head(&signer), log.state.head);
    assert_eq!(fs::read(world.copy()).unwrap(), cut);
    // Killed after it took in the resumption, and before the journal knew.
    log.run(Command::ResumeLog(certificate.clone()));
    follow(&signer, &log);
    drop(signer);
    let last = log.entries.last().unwrap();
    let mut further = cut.clone();
    further.extend_from_slice(format!("{}\n{}\n", last.entry, last.payload).as_bytes());
    fs::write(world.copy(), &further).unwrap();
    let signer = world.try_open().unwrap();
    assert_eq!(head(&signer), log.state.head);
    assert_eq!(fs::read(world.copy()).unwrap(), further);
}

#[test]
fn what_was_sworn_off_and_consumed_stays_so() {
    let (world, _, certificate) = restored();
    let journal = world.directory().join("journal");
    let transfer = TransferId(Uuid::from_u128(7));
    let consumptions = Consumptions::open(&journal).unwrap();
    consumptions.abstain(transfer).unwrap();
    drop(consumptions);
    resumed(&world, &certificate).unwrap();
    world.try_open().unwrap();
    let error = Consumptions::open(&journal).unwrap().abstain(transfer);
    assert!(error.is_ok());
    let records = Journal::open::<Record>(&journal).unwrap().records;
    let sworn = |record: &&Record| matches!(record, Record::Abstained(id) if *id == transfer);
    assert_eq!(records.iter().filter(sworn).count(), 2, "nothing was taken out of the journal");
}

#[test]
fn a_signer_that_never_read_what_was_given_up_follows_without_a_certificate_of_its_own() {
    let mut world = World::founded();
    world.log.grow(2);
    let signer = world.reader();
    cosigned(ask(&signer, &world.log.cosign(0)));
    let gone = Head { position: world.log.size() + 4, leaf: Digest([4; 32]) };
    let certificate = world.log.certificate(world.log.size(), gone);
    world.log.run(Command::ResumeLog(certificate));
    follow(&signer, &world.log);
    cosigned(ask(&signer, &world.log.cosign(0)));
}

#[test]
fn a_resumption_that_was_followed_without_a_certificate_keeps_its_number_too() {
    let mut world = World::founded();
    world.log.grow(2);
    drop(world.reader());
    let (before, end) = (world.log.size() - 1, world.log.size());
    let gone = Head { position: end + 4, leaf: Digest([4; 32]) };
    world.log.run(Command::ResumeLog(world.log.certificate(end, gone)));
    world.log.grow(1);
    let signer = world.reader();
    cosigned(ask(&signer, &world.log.cosign(0)));
    drop(signer);
    // The log that is gone on with knows of no resumption: its next number is the one that this
    // signer has cosigned another history under.
    let again = world.log.numbered(1, before, world.log.state.head);
    let error = resumed(&world, &again).unwrap_err();
    assert!(matches!(error, ResumeError::Number { found: 1, last: 1 }), "{error}");
    assert!(resumed(&world, &world.log.numbered(2, before, world.log.state.head)).unwrap() > 0);
}
