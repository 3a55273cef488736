//! Logs that never were: broken chains, entries that the rules don't decide, forged answers. Each is
//! refused, or stops the signer until it is started again; then the honest log goes on.

use ed25519_dalek::SigningKey;
use strongroom_domain::proposal::{ApprovedV1, ProposalEvent, QuorumReached};
use strongroom_domain::protocol::{LogEntry, Reply};
use strongroom_domain::statement::Answer;
use strongroom_domain::transfer::{self, TransferEvent};
use strongroom_domain::{Command, Head, Network, Stream, Timestamp};

use super::catalogue::{Expected, answers, expected};
use super::forge::{Forge, clock, public, sign};
use super::transactions::{Asked, Custody};
use super::world::World;

/// A lie: from the honest log, what is pushed after it.
pub(super) type Lie = fn(&mut Forge, &Custody) -> Vec<LogEntry>;

/// What was written after the honest log.
pub(super) fn written(forge: &Forge, before: Head) -> Vec<LogEntry> {
    forge.after(before.position).to_vec()
}

/// An answer as an event, by whoever, whatever was signed.
fn answer(
    forge: &mut Forge,
    asked: &Asked,
    number: usize,
    (key, text): (Option<&SigningKey>, Option<String>),
) {
    let people = forge.people.clone();
    let approver = &people.approvers[number];
    let key = key.unwrap_or(&approver.key);
    let text =
        text.unwrap_or_else(|| forge.statement(asked.proposal, Answer::Approve, approver.id));
    let (key, signature) = (public(key), sign(key, &text));
    let event = ProposalEvent::from(ApprovedV1 { approver: approver.id, key, signature });
    forge.write(Stream::Proposal(asked.proposal), event);
}

/// Chains that don't hold: nothing of them is taken in.
fn broken_chains() -> Vec<(&'static str, Lie)> {
    vec![
        ("chain-entry-altered", |forge, custody| {
            custody.ask(forge);
            let mut entries = vec![forge.entries.last().unwrap().clone()];
            entries[0].entry = entries[0].entry.replace("founders", "fOunders");
            entries
        }),
        ("chain-entry-dropped", |forge, custody| {
            let before = forge.head();
            custody.ask(forge);
            written(forge, before)[1..].to_vec()
        }),
        ("chain-entries-reordered", |forge, custody| {
            let before = forge.head();
            custody.ask(forge);
            let mut entries = written(forge, before);
            entries.swap(0, 1);
            entries
        }),
        ("chain-entry-doubled", |forge, _| vec![forge.entries.last().unwrap().clone()]),
        ("chain-entry-of-another-log", |forge, _| {
            let other = Forge::found(Vec::new(), forge.time);
            vec![other.entries[0].clone()]
        }),
        ("chain-whole-log-again", |forge, _| forge.entries.clone()),
        ("chain-payload-that-is-not-entrys", |forge, custody| {
            let before = forge.head();
            custody.ask(forge);
            let mut entries = written(forge, before);
            entries[0].payload = entries[1].payload.clone();
            entries[..1].to_vec()
        }),
        ("chain-time-that-runs-backwards", |forge, custody| {
            let before = forge.head();
            forge.time = Timestamp::from_micros(forge.time.micros() - 9_000_000);
            custody.ask(forge);
            written(forge, before)
        }),
        ("chain-time-that-has-not-come", |forge, custody| {
            let before = forge.head();
            forge.time = clock().plus_seconds(3600);
            custody.ask(forge);
            written(forge, before)
        }),
        ("chain-event-that-nobody-knows", |forge, _| {
            let before = forge.head();
            forge.write_raw(Stream::Charter, ("charter.trust-me", 1), "{}".to_owned());
            written(forge, before)
        }),
        ("chain-event-spelled-otherwise", |forge, custody| {
            let (before, asked) = (forge.head(), custody.intent(forge));
            let payload = format!("{{ \"transfer\":\"{}\"}}", asked.transfer);
            let stream = Stream::Account(custody.account);
            forge.write_raw(stream, ("account.hold-voided", 1), payload);
            written(forge, before)
        }),
        ("chain-stream-that-nobody-knows", |forge, _| {
            let before = forge.head();
            forge.write_raw(Stream::Charter, ("account.hold-voided", 1), "[]".to_owned());
            written(forge, before)
        }),
    ]
}

/// Answers that no approver gave.
fn forged_answers() -> Vec<(&'static str, Lie)> {
    vec![
        ("answer-approval-with-strangers-signature", |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            let people = f.people.clone();
            let (first, other) = (&people.approvers[1], &people.approvers[2]);
            let text = f.statement(asked.proposal, Answer::Approve, first.id);
            let (key, signature) = (public(&first.key), sign(&other.key, &text));
            let event = ProposalEvent::from(ApprovedV1 { approver: first.id, key, signature });
            f.write(Stream::Proposal(asked.proposal), event);
            written(f, before)
        }),
        ("answer-approval-counted-twice", |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            f.approve(asked.proposal, 1);
            answer(f, &asked, 1, (None, None));
            written(f, before)
        }),
        ("answer-approval-under-unknown-key", |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            let key = SigningKey::generate(&mut rand::rngs::OsRng);
            answer(f, &asked, 1, (Some(&key), None));
            written(f, before)
        }),
        ("answer-approval-from-outside-group", |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            answer(f, &asked, 3, (None, None));
            written(f, before)
        }),
        ("answer-makers-own-approval", |f, c| {
            let before = f.head();
            let (asked, command) = c.request(f);
            let Command::RequestTransfer { intent, proposal, expires_at, .. } = command else {
                panic!()
            };
            let maker = f.people.approvers[0].id;
            f.run(Command::RequestTransfer { intent, proposal, maker, expires_at });
            answer(f, &asked, 0, (None, None));
            written(f, before)
        }),
        ("answer-approval-of-another-proposal", |f, c| {
            let before = f.head();
            let (one, other) = (c.ask(f), c.ask(f));
            let person = f.people.approvers[1].id;
            let text = f.statement(other.proposal, Answer::Approve, person);
            answer(f, &one, 1, (None, Some(text)));
            written(f, before)
        }),
        ("answer-approval-of-failed-transfer", |f, c| {
            let (before, failed) = (f.head(), c.ask_and_approve(f));
            let person = f.people.approvers[1].id;
            let text = f.statement(failed.proposal, Answer::Approve, person);
            let (transfer, because) = (failed.intent.transfer, "no".to_owned());
            f.run(Command::FailTransfer { transfer, because, abstentions: Vec::new() });
            let again = c.ask(f);
            answer(f, &again, 1, (None, Some(text)));
            written(f, before)
        }),
        ("answer-approval-after-its-end", |f, c| {
            let (before, (asked, command)) = (f.head(), c.request(f));
            let Command::RequestTransfer { intent, proposal, maker, .. } = command else {
                panic!()
            };
            let expires_at = f.time.plus_seconds(1);
            f.run(Command::RequestTransfer { intent, proposal, maker, expires_at });
            // A minute may pass before an append; more may not. Some of it the clocks may differ by.
            f.time = f.time.plus_seconds(61);
            answer(f, &asked, 1, (None, None));
            written(f, before)
        }),
        ("answer-approval-by-maker-under-other-name", |f, c| {
            let before = f.head();
            let (asked, command) = c.request(f);
            let Command::RequestTransfer { intent, proposal, expires_at, .. } = command else {
                panic!()
            };
            let people = f.people.clone();
            let maker = people.approvers[0].id;
            f.run(Command::RequestTransfer { intent, proposal, maker, expires_at });
            let text = f.statement(asked.proposal, Answer::Approve, people.approvers[1].id);
            let event = ProposalEvent::from(ApprovedV1 {
                approver: people.approvers[1].id,
                key: public(&people.approvers[1].key),
                signature: sign(&people.approvers[0].key, &text),
            });
            f.write(Stream::Proposal(asked.proposal), event);
            written(f, before)
        }),
        ("answer-no-counted-as-yes", |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            let person = f.people.approvers[1].id;
            let text = f.statement(asked.proposal, Answer::Decline, person);
            answer(f, &asked, 1, (None, Some(text)));
            written(f, before)
        }),
        ("answer-quorum-after-one-approval", |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            f.approve(asked.proposal, 1);
            let approvers = f.people.quorum().group;
            let event = ProposalEvent::from(QuorumReached { approvers });
            f.write(Stream::Proposal(asked.proposal), event);
            written(f, before)
        }),
        ("answer-transfer-approved-by-nobody", |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            let event = TransferEvent::from(transfer::Approved {});
            f.write(Stream::Transfer(asked.intent.transfer), event);
            written(f, before)
        }),
        ("answer-approval-after-no-of-two", |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            let people = f.people.clone();
            let mut text = String::new();
            for one in &people.approvers[1..3] {
                text = f.statement(asked.proposal, Answer::Decline, one.id);
                f.run(Command::AnswerProposal {
                    proposal: asked.proposal,
                    answer: Answer::Decline,
                    approver: one.id,
                    key: public(&one.key),
                    evidence: strongroom_domain::approval_key::Evidence::Signature {
                        signature: sign(&one.key, &text),
                    },
                });
            }
            answer(f, &asked, 0, (None, Some(text)));
            written(f, before)
        }),
    ]
}

/// Tells each lie to the first signer, and has it sign an honest payment's first round after it.
pub(super) fn tell(lies: Vec<(&'static str, Lie)>) {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    tell_in(world, &custody, lies);
}

/// As [`tell`], in a world of the test's own.
pub(super) fn tell_in(mut world: World, custody: &Custody, lies: Vec<(&'static str, Lie)>) {
    world.pays(custody);
    for (name, lie) in lies {
        let mut forge = world.forge.clone();
        let entries = lie(&mut forge, custody);
        let mut link = world.reader(0);
        let before = link.head();
        let reply = link.push(&entries);
        answers(name, &reply);
        if matches!(expected(name), Expected::Refused(_)) {
            assert_eq!(link.head(), before, "{name}: something was taken in");
        } else {
            // It does nothing at all any more.
            let honest = custody.honest(&mut world.forge.clone());
            let stopped = link.commit(honest.intent.transfer, 1);
            assert!(matches!(stopped, Reply::Corrupt { .. }), "{name}: {stopped:?}");
            let stopped = link.begin(custody.key);
            assert!(matches!(stopped, Reply::Corrupt { .. }), "{name}: {stopped:?}");
            world.restart(0);
        }
        world.pays(custody);
    }
}

#[test]
fn a_broken_chain_is_not_followed() {
    tell(broken_chains());
}

#[test]
fn an_answer_that_no_approver_gave_stops_the_signer() {
    tell(forged_answers());
}
