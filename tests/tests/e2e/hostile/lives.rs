//! Orders at the wrong time of a transfer's life, and signers that are killed, rewound and told
//! another story. What a signer acted upon is on its disk, and it follows no log that says otherwise.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use strongroom_chains::ethereum::{self, Gas};
use strongroom_domain::deposit::BlockRef;
use strongroom_domain::freeze::{self, FreezeScope};
use strongroom_domain::key::Quarantined;
use strongroom_domain::policy::PolicyV1;
use strongroom_domain::proposal::Subject;
use strongroom_domain::protocol::{Order, Reply};
use strongroom_domain::statement::Answer;
use strongroom_domain::transfer::{AttemptSigned, Confirmed};
use strongroom_domain::{
    Amount, Bytes, Command, FreezeId, Network, ProposalId, Rule, Spends, Timestamp, TransferId,
};
use uuid::Uuid;

use super::catalogue::{answers, silent};
use super::forge::{Forge, clock, public, sign};
use super::transactions::{AMOUNT, Asked, Custody, FEE, GAS_PRICE};
use super::world::{HSM, World};

/// Two hours ago: whole lives of transfers have room until now.
pub(super) fn earlier() -> Timestamp {
    Timestamp::from_micros(clock().micros() - 7_200_000_000)
}

/// How a transfer comes to an end, from its request on.
pub(super) type End = fn(&mut Forge, &Custody) -> TransferId;

fn signed(forge: &mut Forge, custody: &Custody) -> TransferId {
    let transfer = custody.honest(forge).intent.transfer;
    let signed = AttemptSigned { attempt: 1, raw: Bytes(vec![1]), transaction: "0".repeat(64) };
    forge.run(Command::RecordSigned { transfer, signed });
    transfer
}

fn decline(forge: &mut Forge, asked: &Asked, number: usize) {
    let people = forge.people.clone();
    let one = &people.approvers[number];
    let (proposal, answer) = (asked.proposal, Answer::Decline);
    let signature = sign(&one.key, &forge.statement(proposal, answer, one.id));
    let (approver, key) = (one.id, public(&one.key));
    let evidence = strongroom_domain::approval_key::Evidence::Signature { signature };
    forge.run(Command::AnswerProposal { proposal, answer, approver, key, evidence });
}

fn brief(forge: &mut Forge, custody: &Custody) -> Asked {
    let (asked, command) = custody.request(forge);
    let Command::RequestTransfer { intent, proposal, maker, .. } = command else { panic!() };
    let expires_at = forge.time.plus_seconds(60);
    forge.run(Command::RequestTransfer { intent, proposal, maker, expires_at });
    asked
}

pub(super) fn lives() -> Vec<(&'static str, End)> {
    vec![
        ("life-never-asked-for", |_, _| TransferId(Uuid::now_v7())),
        ("life-asked-for", |f, c| c.ask(f).intent.transfer),
        ("life-approved-by-one", |f, c| {
            let asked = c.ask(f);
            f.approve(asked.proposal, 1);
            asked.intent.transfer
        }),
        ("life-approved-without-transaction", |f, c| c.ask_and_approve(f).intent.transfer),
        ("life-cancelled", |f, c| {
            let asked = c.ask(f);
            let (proposal, by) = (asked.proposal, f.people.maker);
            f.run(Command::CancelProposal { proposal, by });
            asked.intent.transfer
        }),
        ("life-rejected", |f, c| {
            let asked = c.ask(f);
            decline(f, &asked, 0);
            decline(f, &asked, 1);
            asked.intent.transfer
        }),
        ("life-expired-in-log", |f, c| {
            let asked = brief(f, c);
            f.time = f.time.plus_seconds(61);
            f.run(Command::ExpireProposal { proposal: asked.proposal });
            asked.intent.transfer
        }),
        ("life-expired-by-signers-clock-alone", |f, c| {
            let (coin, asked) = (c.fund(f), brief(f, c));
            f.agree(asked.proposal);
            c.authorise_honestly(f, &asked, &coin);
            asked.intent.transfer
        }),
        ("life-failed", |f, c| {
            // Nobody has heard of it: no holder has to swear it off.
            let transfer = c.ask_and_approve(f).intent.transfer;
            let (because, abstentions) = ("no".to_owned(), Vec::new());
            f.run(Command::FailTransfer { transfer, because, abstentions });
            transfer
        }),
        ("life-signed", signed),
        ("life-broadcast", |f, c| {
            let transfer = signed(f, c);
            f.run(Command::RecordBroadcast { transfer, attempt: 1 });
            transfer
        }),
        ("life-confirmed", |f, c| {
            let transfer = signed(f, c);
            let block = BlockRef { height: 9, hash: "0".repeat(64) };
            let (paid, fee) = (Amount::new(AMOUNT), Amount::new(FEE));
            let transaction = "0".repeat(64);
            let confirmed = Confirmed { attempt: 1, child: None, transaction, block, paid, fee };
            f.run(Command::ConfirmTransfer { transfer, confirmed, change: Vec::new() });
            transfer
        }),
    ]
}

/// That a transfer was signed and confirmed is the server's word alone: one signer can be told so.
#[test]
fn what_was_consumed_is_not_sworn_off_because_it_is_said_to_be_over() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), earlier());
    let custody = world.custody(Network::LitecoinRegtest);
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let Reply::Committed { .. } = world.reader(0).commit(transfer, 1) else { panic!() };
    let mut alone = world.forge.clone();
    let signed = AttemptSigned { attempt: 1, raw: Bytes(vec![1]), transaction: "0".repeat(64) };
    alone.run(Command::RecordSigned { transfer, signed });
    let block = BlockRef { height: 9, hash: "0".repeat(64) };
    let (paid, fee) = (Amount::new(AMOUNT), Amount::new(FEE));
    let transaction = "0".repeat(64);
    let confirmed = Confirmed { attempt: 1, child: None, transaction, block, paid, fee };
    alone.run(Command::ConfirmTransfer { transfer, confirmed, change: Vec::new() });
    let mut link = world.link(0);
    link.follow(alone.after(world.forge.head().position));
    let reply = link.ask(&Order::Abstain { transfer });
    answers("time-sworn-off-where-it-is-over", &reply);
    // This signer was told of an end that the honest log does not have; the others still pay.
    let mut others = custody.clone();
    others.signers = vec![world.id(1), world.id(2)];
    world.pays(&others);
}

/// A policy that a quorum really put in force.
pub(super) fn change_policy(forge: &mut Forge, change: impl FnOnce(&mut PolicyV1)) {
    let mut policy = forge.state.charter.standing().unwrap().policy.v1().unwrap().clone();
    policy.version += 1;
    change(&mut policy);
    let proposal = ProposalId(Uuid::now_v7());
    let (maker, expires_at) = (forge.people.maker, forge.time.plus_seconds(3600));
    forge.run(Command::ProposePolicy { proposal, policy, maker, expires_at });
    forge.agree(proposal);
}

#[test]
fn an_order_out_of_a_transfers_time_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), earlier());
    let custody = world.custody(Network::LitecoinRegtest);
    for _ in 0..lives().len() {
        custody.fund(&mut world.forge);
    }
    for (name, end) in lives() {
        let transfer = end(&mut world.forge, &custody);
        answers(name, &world.reader(0).commit(transfer, 1));
        world.pays(&custody);
    }
    let account = world.custody(Network::EthereumDev);
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    // The signer has not been told of it.
    answers("time-transfer-that-was-not-pushed-yet", &world.link(0).commit(transfer, 1));
    world.pays(&custody);
    for attempt in [0, 2, u32::MAX] {
        let reply = world.reader(0).commit(transfer, attempt);
        answers("time-attempt-with-number-that-there-is-not", &reply);
        world.pays(&custody);
    }
    // Approved under a policy that has changed since: both must allow it.
    change_policy(&mut world.forge, |policy| policy.tiers[0].quorum.approvals = 3);
    let reply = world.reader(0).commit(transfer, 1);
    answers("time-two-approvals-where-three-are-needed-now", &reply);
    world.pays(&account);
    let mut destinations = Vec::new();
    change_policy(&mut world.forge, |policy| {
        policy.tiers[0].quorum.approvals = 2;
        destinations = policy.destinations.clone();
        policy.destinations.retain(|one| one.network != Network::LitecoinRegtest);
    });
    let reply = world.reader(0).commit(transfer, 1);
    answers("time-destination-that-is-not-allowed-any-more", &reply);
    world.pays(&account);
    change_policy(&mut world.forge, |policy| policy.destinations = destinations);
    world.pays(&custody);

    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let quarantined = Quarantined { because: "for the test".to_owned(), culprit: None };
    world.forge.run(Command::QuarantineKey { key: custody.key, quarantined });
    answers("time-key-in-quarantine", &world.reader(0).commit(transfer, 1));
    world.pays(&account);
}

/// The server may go on asking: one entry after the freeze the signer does not.
#[test]
fn a_freeze_is_honoured_one_entry_later_until_a_quorum_lifts_it() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), earlier());
    let custody = world.custody(Network::LitecoinRegtest);
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let account = world.custody(Network::EthereumDev);
    let freeze = FreezeId(Uuid::now_v7());
    let (by, because) = (world.forge.people.officer, "a report of theft".to_owned());
    let scope = FreezeScope::Wallet(custody.wallet);
    world.forge.run(Command::Freeze(freeze::Set { freeze, scope, by, because }));
    answers("time-wallet-that-is-frozen", &world.reader(0).commit(transfer, 1));
    world.pays(&account);
    // Nobody but a quorum lifts it: a server that says so itself is not followed.
    let proposal = ProposalId(Uuid::now_v7());
    let (maker, expires_at) = (world.forge.people.maker, world.forge.time.plus_seconds(3600));
    let subject = Subject::Unfreeze { freeze };
    world.forge.run(Command::Propose { proposal, subject, maker, expires_at });
    let reply = world.reader(0).commit(transfer, 1);
    answers("time-freeze-that-is-asked-to-be-lifted-and-is-not", &reply);
    world.pays(&account);
    world.forge.agree(proposal);
    assert!(matches!(world.reader(0).commit(transfer, 1), Reply::Committed { .. }));
}

#[test]
fn a_signer_follows_its_own_log_from_its_first_entry_or_none() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let other = Forge::found(world.enrolments(), clock());
    let reply = world.link(0).push(&other.entries);
    answers("time-another-genesis", &reply);
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
    // A signer that has read nothing yet.
    world.signers[0].kill();
    for file in ["log.jsonl", "journal"] {
        std::fs::write(world.signers[0].data.join(file), "").unwrap();
    }
    // Pinned by an operator to a charter that gives its place to another key.
    let mut enrolments = world.enrolments();
    let stranger = ed25519_dalek::SigningKey::generate(&mut rand::rngs::OsRng);
    enrolments[0].identity_key = public(&stranger);
    let other = Forge::found(enrolments, clock());
    let pinned = world.signers[0].data.join("genesis");
    let mine = std::fs::read(&pinned).unwrap();
    std::fs::write(&pinned, format!("{}\n", other.genesis())).unwrap();
    world.restart(0);
    let reply = world.link(0).push(&other.entries);
    answers("time-charter-with-its-id-under-another-key", &reply);
    std::fs::write(&pinned, mine).unwrap();
    world.restart(0);
    world.pays(&custody);
}

#[test]
fn what_a_signer_acted_upon_is_not_told_otherwise_after_a_kill() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
    let copy = world.signers[0].data.join("log.jsonl");
    let before = (world.forge.clone(), std::fs::read(&copy).unwrap());
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    assert!(matches!(world.reader(0).commit(transfer, 1), Reply::Committed { .. }));
    let acted = world.forge.head();
    world.restart(0);
    assert_eq!(world.link(0).head(), acted);
    let mut branch = before.0.clone();
    custody.honest(&mut branch);
    let told = branch.after(before.0.head().position).to_vec();
    answers("time-another-story-after-kill", &world.link(0).push(&told));
    world.pays(&custody);
    let told = branch.after(acted.position.min(branch.head().position - 1)).to_vec();
    answers("time-end-of-another-story", &world.link(0).push(&told));
    world.pays(&custody);
    let reply = world.link(0).push(&branch.entries);
    answers("time-another-log-from-its-beginning", &reply);
    world.pays(&custody);
    let acted = world.forge.head();

    // A disk that forgot: the journal knows better, and the signer does not start.
    world.signers[0].kill();
    let full = std::fs::read(&copy).unwrap();
    std::fs::write(&copy, &before.1).unwrap();
    let started = catch_unwind(AssertUnwindSafe(|| world.signers[0].start()));
    silent("time-disk-with-older-copy-of-log", started.is_err());
    std::fs::write(&copy, &full).unwrap();
    world.signers[0].start();
    assert_eq!(world.link(0).head(), acted);
    world.pays(&custody);
}

#[test]
fn a_signer_killed_at_any_point_opens_again_and_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
    let mut cosigned = 0;
    for step in 0..12_u64 {
        let transfer = custody.honest(&mut world.forge).intent.transfer;
        let mut link = world.link(0);
        let entries = world.forge.after(link.head().position).to_vec();
        let checkpoint = world.forge.counting();
        let cosign = world.forge.cosign(cosigned);
        let orders = [
            Order::Extend { entries },
            cosign,
            Order::Checkpoint { checkpoint },
            Order::Commit { transfer, attempt: 1 },
        ];
        for order in orders {
            let body = serde_json::to_vec(&order).unwrap();
            let length = u32::try_from(body.len()).unwrap().to_be_bytes();
            link.send(&[length.as_slice(), &[0; 8], &body].concat()).unwrap();
        }
        std::thread::sleep(Duration::from_micros(step * step * 300));
        world.restart(0);
        let head = world.link(0).head();
        let place = usize::try_from(head.position).unwrap();
        let leaf = strongroom_ledger::leaf_hash(world.forge.entries[place - 1].entry.as_bytes());
        assert_eq!(head.leaf.0, *leaf.as_bytes(), "killed at step {step}");
        let reply = world.reader(0).commit(transfer, 1);
        assert!(matches!(reply, Reply::Committed { .. }), "killed at step {step}: {reply:?}");
        // Cosigned before the kill or not: it says so, and cosigns the same once more.
        let size = world.forge.head().position;
        let reply = match world.reader(0).ask(&world.forge.cosign(cosigned)) {
            Reply::WitnessConflict { size: known } if known == size => {
                world.reader(0).ask(&world.forge.cosign(size))
            }
            other => other,
        };
        assert!(matches!(reply, Reply::Cosigned { .. }), "killed at step {step}: {reply:?}");
        cosigned = size;
    }
    world.pays(&custody);
}

#[test]
fn a_long_push_is_on_disk_before_it_fills_the_memory() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let because = "x".repeat(200_000);
    for _ in 0..8 {
        let signer = world.id(1);
        world.forge.run(Command::ReachSigner { signer });
        world.forge.run(Command::LoseSigner { signer, because: because.clone() });
    }
    drop(world.reader(0));
    world.restart(0);
    let (kept, all) = (world.link(0).head().position, world.forge.head().position);
    assert!(kept > all / 2, "{kept} of {all} entries are left");
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
}

#[test]
fn orders_at_the_same_time_consume_what_excludes_itself_and_repeats_add_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let account = world.custody(Network::EthereumDev);
    let asked = account.honest(&mut world.forge);
    let transfer = asked.intent.transfer;
    let mut link = world.reader(HSM);
    assert!(matches!(link.sign_alone(transfer, 1), Reply::Signatures { .. }));
    let journal = world.signers[HSM].data.join("journal");
    let length = std::fs::metadata(&journal).unwrap().len();
    for _ in 0..20 {
        assert!(matches!(link.sign_alone(transfer, 1), Reply::Signatures { .. }));
    }
    assert_eq!(std::fs::metadata(&journal).unwrap().len(), length, "the journal grew by repeats");
    // A second attempt comes in while the first is asked for over and over.
    let coin = account.fund(&mut world.forge.clone());
    let (mut attempt, _) = account.honest_attempt(&world.forge, &asked, &coin);
    let before = world.forge.head().position;
    attempt.attempt = 2;
    let chain = ethereum::Chain::of(Network::EthereumDev).unwrap();
    let gas = Gas { max_fee: GAS_PRICE * 2, max_priority_fee: GAS_PRICE * 2 };
    let bumped = ethereum::build(chain, &asked.intent, 0, gas).unwrap();
    (attempt.unsigned, attempt.fee) = (bumped.to_bytes(), bumped.fee().unwrap());
    let spends = Spends::AccountNonce(0);
    account.authorise(&mut world.forge, &asked, attempt, spends);
    let entries = world.forge.after(before).to_vec();
    let world = &world;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(move || {
                let mut link = world.link(HSM);
                for _ in 0..20 {
                    match link.sign_alone(transfer, 1) {
                        Reply::Signatures { .. } => {}
                        // The second one is in the log, and no checkpoint covers it yet.
                        Reply::Refused(refusal) if refusal.rule == Rule::SignerNotCovered => {}
                        reply => {
                            answers("time-first-attempt-while-second-is-signed", &reply);
                        }
                    }
                }
            });
        }
        world.link(HSM).follow(&entries);
        world.link(HSM).cover(&world.forge);
        let reply = world.link(HSM).sign_alone(transfer, 2);
        assert!(matches!(reply, Reply::Signatures { .. }), "{reply:?}");
        answers("time-first-attempt-after-second", &world.link(HSM).sign_alone(transfer, 1));
    });
    let text = std::fs::read_to_string(&journal).unwrap();
    let consumed = text.lines().filter(|line| line.contains("consumed")).count();
    assert_eq!(consumed, 2, "{text}");
}
