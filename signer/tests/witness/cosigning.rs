//! What a signer cosigns, and what it never does.

use strongroom_domain::{
    Rule,
    protocol::{Order, Reply},
};
use strongroom_ledger::{KeyAlgorithm, KeyName, Note, VerifierKey};
use strongroom_signer::{
    consumption::{Consumptions, Cosigned, Record},
    journal::Journal,
};

use crate::world::*;

fn order(old: u64, log: &Log, checkpoint: String) -> Order {
    Order::Cosign { old, proof: log.proof(old, log.size()), checkpoint }
}

#[test]
fn a_signer_cosigns_what_it_verified_as_it_grows() {
    let mut world = World::founded();
    let signer = world.reader();
    let first = cosigned(ask(&signer, &world.log.cosign(0)));
    let standing = world.log.state.charter.standing().unwrap();
    let name = KeyName::new(&standing.witness_name(world.me)).unwrap();
    let key = standing.signers[&world.me].witness_key.clone().unwrap();
    let key = VerifierKey::new(name, KeyAlgorithm::Ed25519Cosignature, key.as_slice()).unwrap();
    let text = world.log.signed().checkpoint().to_string();
    assert!(key.verify(&text, &first[0]).unwrap() > 0);
    let before = world.log.size();
    world.log.grow(5);
    follow(&signer, &world.log);
    let second = cosigned(ask(&signer, &world.log.cosign(before)));
    let text = world.log.signed().checkpoint().to_string();
    assert!(key.verify(&text, &second[0]).is_ok());
    // Asked again after a lost answer, with the size that it says.
    let size = world.log.size();
    assert_eq!(ask(&signer, &world.log.cosign(before)), Reply::WitnessConflict { size });
    cosigned(ask(&signer, &world.log.cosign(size)));
}

#[test]
fn a_checkpoint_ahead_of_the_own_log_is_not_cosigned() {
    let mut world = World::founded();
    let signer = world.reader();
    world.log.grow(3);
    refused(&ask(&signer, &world.log.cosign(0)), Rule::SignerLogBehind);
    follow(&signer, &world.log);
    cosigned(ask(&signer, &world.log.cosign(0)));
}

#[test]
fn an_older_checkpoint_is_not_cosigned_again() {
    let mut world = World::founded();
    let old = world.log.clone();
    world.log.grow(3);
    let signer = world.reader();
    cosigned(ask(&signer, &world.log.cosign(0)));
    let size = world.log.size();
    assert_eq!(ask(&signer, &old.cosign(0)), Reply::WitnessConflict { size });
    let back =
        Order::Cosign { old: size, proof: Vec::new(), checkpoint: old.signed().note().to_string() };
    refused(&ask(&signer, &back), Rule::SignerCheckpoint);
}

#[test]
fn a_fork_is_not_cosigned() {
    let mut world = World::founded();
    let mut fork = world.log.clone();
    world.log.grow(3);
    fork.grow(3);
    let signer = world.reader();
    // Nothing was cosigned yet: the signer's own log tells.
    refused(&ask(&signer, &fork.cosign(0)), Rule::SignerLogFork);
    cosigned(ask(&signer, &world.log.cosign(0)));
    let size = world.log.size();
    refused(
        &ask(&signer, &order(size, &fork, fork.signed().note().to_string())),
        Rule::SignerLogFork,
    );
    world.log.grow(1);
    cosigned({
        follow(&signer, &world.log);
        ask(&signer, &world.log.cosign(size))
    });
}

#[test]
fn a_wrong_proof_is_no_proof() {
    let mut world = World::founded();
    let signer = world.reader();
    cosigned(ask(&signer, &world.log.cosign(0)));
    let old = world.log.size();
    world.log.grow(4);
    follow(&signer, &world.log);
    let checkpoint = world.log.signed().note().to_string();
    let mut wrong = world.log.proof(old, world.log.size());
    wrong.pop();
    let cut = Order::Cosign { old, proof: wrong.clone(), checkpoint: checkpoint.clone() };
    refused(&ask(&signer, &cut), Rule::SignerCheckpoint);
    wrong.push(strongroom_domain::Digest([1; 32]));
    let other = Order::Cosign { old, proof: wrong, checkpoint };
    refused(&ask(&signer, &other), Rule::SignerCheckpoint);
    cosigned(ask(&signer, &world.log.cosign(old)));
}

#[test]
fn both_keys_of_the_log_sign_or_nobody_does() {
    let world = World::founded();
    let signer = world.reader();
    let whole = world.log.signed().note().to_string();
    let note: Note = whole.parse().unwrap();
    for kept in note.signatures() {
        let checkpoint = format!("{}\n{kept}", note.text());
        refused(&ask(&signer, &order(0, &world.log, checkpoint)), Rule::SignerCheckpoint);
    }
    let others = log_keys(1).sign(world.log.tree(world.log.size()), seconds(9)).unwrap();
    let another = others.note().to_string();
    for checkpoint in [another, whole.replace("\n\n", "\n"), String::new()] {
        refused(&ask(&signer, &order(0, &world.log, checkpoint)), Rule::SignerCheckpoint);
    }
    // A false signature beside a true one.
    let mut lines: Vec<_> = whole.lines().map(str::to_owned).collect();
    let last = lines.last_mut().unwrap();
    let at = last.len() - 9;
    let other = if &last[at..=at] == "A" { "B" } else { "A" };
    last.replace_range(at..=at, other);
    let altered = format!("{}\n", lines.join("\n"));
    refused(&ask(&signer, &order(0, &world.log, altered)), Rule::SignerCheckpoint);
}

#[test]
fn what_was_cosigned_is_known_after_a_restart() {
    let mut world = World::founded();
    let signer = world.reader();
    cosigned(ask(&signer, &world.log.cosign(0)));
    // As a kill leaves it: nothing is closed.
    drop(signer);
    let size = world.log.size();
    world.log.grow(2);
    let signer = world.reader();
    assert_eq!(ask(&signer, &world.log.cosign(0)), Reply::WitnessConflict { size });
    cosigned(ask(&signer, &world.log.cosign(size)));
}

#[test]
fn a_kill_between_journal_and_answer_leaves_it_cosigned() {
    let world = World::founded();
    let signer = world.reader();
    signer.close().unwrap();
    drop(signer);
    // What the journal holds when the process dies right after it was written.
    let (size, head) = (world.log.size(), world.log.state.head);
    let root = strongroom_domain::Digest(*world.log.tree(size).root.as_bytes());
    let origin = world.log.state.charter.standing().unwrap().origin();
    let consumptions = Consumptions::open(&world.directory().join("journal")).unwrap();
    let known = Cosigned { origin, size, root };
    consumptions.cosign(&mut consumptions.cosigned(), known, head).unwrap();
    drop(consumptions);
    let signer = world.reader();
    assert_eq!(ask(&signer, &world.log.cosign(0)), Reply::WitnessConflict { size });
    cosigned(ask(&signer, &world.log.cosign(size)));
}

#[test]
fn a_repeated_order_does_not_fill_the_disk() {
    let world = World::founded();
    let signer = world.reader();
    cosigned(ask(&signer, &world.log.cosign(0)));
    let journal = world.directory().join("journal");
    let before = std::fs::metadata(&journal).unwrap().len();
    for _ in 0..3 {
        cosigned(ask(&signer, &world.log.cosign(world.log.size())));
    }
    assert_eq!(std::fs::metadata(&journal).unwrap().len(), before);
}

#[test]
fn a_signer_does_not_start_on_another_history_than_it_cosigned() {
    let mut world = World::founded();
    let base = world.log.clone();
    world.log.grow(2);
    let signer = world.reader();
    cosigned(ask(&signer, &world.log.cosign(0)));
    drop(signer);
    // An older journal's head beside the newer cosignature, and the copy of a fork.
    let mut fork = base.clone();
    fork.grow(2);
    let lines = fork.entries.iter().flat_map(|line| [line.entry.as_str(), line.payload.as_str()]);
    let text: Vec<_> = lines.chain([""]).collect();
    std::fs::write(world.copy(), text.join("\n")).unwrap();
    let journal = world.directory().join("journal");
    std::fs::remove_file(&journal).unwrap();
    Journal::create(&journal).unwrap();
    let opened = Journal::open::<Record>(&journal).unwrap().journal;
    let size = world.log.size();
    let root = strongroom_domain::Digest(*world.log.tree(size).root.as_bytes());
    let origin = world.log.state.charter.standing().unwrap().origin();
    let cosigned = Record::Cosigned(Cosigned { origin, size, root });
    opened.append_durable(&[cosigned]).unwrap();
    drop(opened);
    let error = world.try_open().err().unwrap().to_string();
    assert!(error.contains("fork"), "{error}");
    // And on a copy that lacks what was cosigned.
    std::fs::write(world.copy(), "").unwrap();
    let error = world.try_open().err().unwrap().to_string();
    assert!(error.contains("cosigned"), "{error}");
}

#[test]
fn a_log_without_witnesses_is_read_and_nothing_more() {
    let mut world = World::founded_v1();
    let key = world.log.request_key(world.me);
    let signer = world.reader();
    refused(&ask(&signer, &Order::BeginCeremony { key }), Rule::SignerCharter);
    let keys = log_keys(0).sign(world.log.tree(world.log.size()), seconds(9)).unwrap();
    let checkpoint = keys.note().to_string();
    refused(&ask(&signer, &order(0, &world.log, checkpoint.clone())), Rule::SignerCharter);
    refused(&ask(&signer, &Order::Checkpoint { checkpoint }), Rule::SignerCharter);
}
