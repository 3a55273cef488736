//! Two histories for two signers, checkpoints that too few have seen, and a log that was rolled back.
//! What one signer alone was shown is never signed for; only a quorum lets it go on from an earlier entry.

use strongroom_domain::charter::{LogResumed, Resumption, ResumptionSignature};
use strongroom_domain::protocol::{Order, Reply};
use strongroom_domain::{Command, Head, Network, TransferId, statement};
use strongroom_tests::deployment::Programs;

use super::catalogue::answers;
use super::forge::{Forge, clock, public, sign};
use super::link::Link;
use super::transactions::Custody;
use super::world::World;

#[track_caller]
fn cosigned(reply: Reply) -> String {
    match reply {
        Reply::Cosigned { signature } => signature,
        other => panic!("not cosigned: {other:?}"),
    }
}

/// Another history after what is written: an honest payment in each, approved and all.
fn branch(forge: &Forge, custody: &Custody) -> (Forge, TransferId) {
    let mut forge = forge.clone();
    let transfer = custody.honest(&mut forge).intent.transfer;
    (forge, transfer)
}

fn follow(world: &World, signer: usize, forge: &Forge) -> Link {
    let mut link = world.link(signer);
    let from = link.head().position;
    link.follow(forge.after(from));
    link
}

#[test]
fn of_two_histories_shown_to_two_signers_at_most_one_is_signed_for() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let common = world.forge.clone();
    let (one, paid) = branch(&common, &custody);
    let (other, stolen) = branch(&common, &custody);
    // Signers 0, 2 and 3 and two outside witnesses see the one, signer 1 and the rest the other.
    let mut note = one.witnessed(0..2).to_string();
    for signer in [0, 2, 3] {
        note += &cosigned(follow(&world, signer, &one).ask(&one.cosign(0)));
    }
    let mut link = follow(&world, 1, &other);
    let alone = cosigned(link.ask(&other.cosign(0)));
    let too_few = format!("{}{alone}", other.witnessed(2..5));
    let reply = link.ask(&Order::Checkpoint { checkpoint: too_few });
    answers("witness-checkpoint-with-one-cosignature-too-few", &reply);
    answers("witness-signing-what-too-few-have-seen", &link.commit(stolen, 1));
    let size = other.head().position;
    answers("witness-cosigning-other-history", &link.ask(&one.cosign(size)));
    answers("witness-cosigning-other-history", &world.link(0).ask(&other.cosign(size)));

    let shown = Order::Checkpoint { checkpoint: note };
    assert_eq!(world.link(0).ask(&shown), Reply::Covered { size });
    let reply = world.link(0).commit(paid, 1);
    assert!(matches!(reply, Reply::Committed { .. }), "{reply:?}");
    // Who is shown that most saw another history does nothing any more.
    for order in [shown, Order::Commit { transfer: stolen, attempt: 1 }, other.cosign(size)] {
        let reply = link.ask(&order);
        let Reply::Corrupt { because, .. } = &reply else { panic!("{reply:?}") };
        assert!(because.contains("fork"), "{because}");
        answers("witness-fork-that-most-have-not-seen", &reply);
    }
    // It is lost until a person looks; the others of the same key still pay.
    world.forge = one;
    let mut others = custody.clone();
    others.signers = vec![world.id(0), world.id(2)];
    world.pays(&others);
}

#[test]
fn nothing_is_signed_that_no_counting_checkpoint_covers() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let early = world.forge.counting();
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let orders = [
        Order::Commit { transfer, attempt: 1 },
        Order::SignAlone { transfer, attempt: 1 },
        Order::Abstain { transfer },
    ];
    let mut link = follow(&world, 0, &world.forge);
    for checkpoint in [early, world.forge.witnessed(0..4).to_string()] {
        link.ask(&Order::Checkpoint { checkpoint });
        for order in &orders {
            let reply = link.ask(order);
            answers("witness-transfer-that-no-counting-checkpoint-covers", &reply);
        }
    }
    // The signer's own word is one of those that it takes.
    let own = cosigned(link.ask(&world.forge.cosign(0)));
    let checkpoint = format!("{}{own}", world.forge.witnessed(0..4));
    let size = world.forge.head().position;
    assert_eq!(link.ask(&Order::Checkpoint { checkpoint }), Reply::Covered { size });
    assert!(matches!(link.ask(&orders[0]), Reply::Committed { .. }));
    world.restart(0);
    let reply = world.link(0).ask(&orders[0]);
    answers("witness-transfer-whose-checkpoint-was-shown-before-restart", &reply);
    world.pays(&custody);
}

/// What two of the quorum sign, for a log that goes on where `forge` ends.
fn certificate(forge: &Forge, abandoned: Head) -> LogResumed {
    let standing = forge.state.charter.standing().unwrap();
    let (log, number) = (standing.log, standing.resumptions + 1);
    let resumption = Resumption { log, number, abandoned, from: forge.head() };
    let signatures = forge.people.approvers[..2].iter().map(|one| {
        let text = statement::resumption(&resumption, one.id);
        let (key, signature) = (public(&one.key), sign(&one.key, &text));
        ResumptionSignature { person: one.id, key, signature }
    });
    LogResumed { signatures: signatures.collect(), resumption }
}

/// `strongroom-signer resume`, as its operator runs it.
fn resume(world: &World, signer: usize, certificate: &LogResumed) -> bool {
    let data = &world.signers[signer].data;
    let file = data.with_extension("certificate.json");
    std::fs::write(&file, serde_json::to_vec_pretty(certificate).unwrap()).unwrap();
    let mut command = Programs::built().signer();
    command.arg("resume").arg("--data").arg(data).arg("--certificate").arg(&file);
    command.output().unwrap().status.success()
}

#[test]
fn a_rolled_back_log_is_followed_again_only_as_a_quorum_says() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
    let restored = world.forge.clone();
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    for signer in 0..world.signers.len() {
        cosigned(world.reader(signer).ask(&world.forge.cosign(0)));
    }
    assert!(matches!(world.reader(0).commit(transfer, 1), Reply::Committed { .. }));
    let (lost, size) = (world.forge.head(), world.forge.head().position);

    let (other, _) = branch(&restored, &custody);
    let told = other.after(restored.head().position).to_vec();
    answers("witness-another-story-after-rollback", &world.link(0).push(&told));
    let reply = world.link(0).ask(&restored.cosign(0));
    assert_eq!(reply, Reply::WitnessConflict { size });
    let agreed = certificate(&restored, lost);
    assert!(!resume(&world, 0, &agreed), "not while it runs");
    let mut forged = agreed.clone();
    forged.signatures.pop();
    for signer in 0..world.signers.len() {
        world.signers[signer].kill();
        assert!(!resume(&world, signer, &forged), "one of two is no quorum");
        assert!(resume(&world, signer, &agreed));
        world.signers[signer].start();
        assert_eq!(world.link(signer).head(), restored.head());
        let reply = world.link(signer).push(&told);
        answers("witness-anything-before-resumption-that-was-agreed", &reply);
    }
    // The server's side of it: the resumption is the next entry, and the log has another name.
    world.forge = restored;
    world.forge.run(Command::ResumeLog(agreed));
    world.pays(&custody);
    cosigned(world.reader(0).ask(&world.forge.cosign(0)));
    let journal = std::fs::read_to_string(world.signers[0].data.join("journal")).unwrap();
    let consumed = |line: &&str| line.contains("consumed") && line.contains(&transfer.to_string());
    assert!(journal.lines().any(|line| consumed(&line)), "what was consumed is not forgotten");
}
