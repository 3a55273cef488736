//! Logs that never were: broken chains, entries that the rules don't decide, forged answers. Each is
//! refused, or stops the signer until it is started again; then the honest log goes on.

use ed25519_dalek::SigningKey;
use strongroom_domain::account::AccountEvent;
use strongroom_domain::deposit::DepositEvent;
use strongroom_domain::key::{Confirmed, KeyEvent};
use strongroom_domain::policy::Policy;
use strongroom_domain::proposal::{Approved, Opened, ProposalEvent, QuorumReached, Subject};
use strongroom_domain::protocol::{LogEntry, Reply};
use strongroom_domain::statement::Answer;
use strongroom_domain::transfer::{self, Failed, TransferEvent};
use strongroom_domain::wallet::{CoinsReserved, WalletEvent};
use strongroom_domain::{
    AccountId, Amount, Command, Event, Head, Intent, KeyId, Network, ProposalId, Rule, SignerId,
    Spends, Stream, Timestamp, WalletId, charter::CharterEvent, charter::PolicyChanged,
};
use uuid::Uuid;

use super::forge::{Forge, clock, public, sign, strange_address};
use super::link::refused;
use super::transactions::{Asked, Custody, FEE, FEE_CAP};
use super::world::World;

/// What a signer does with a lie.
enum Expected {
    /// It takes nothing in and goes on.
    Refused(Rule),
    /// It stops, naming the rule, until it is started again.
    Halted(Rule),
}
use Expected::{Halted, Refused};

/// A lie: from the honest log, what is pushed after it.
type Lie = fn(&mut Forge, &Custody) -> Vec<LogEntry>;

/// What was written after the honest log.
fn written(forge: &Forge, before: Head) -> Vec<LogEntry> {
    forge.after(before.position).to_vec()
}

/// Writes events in place of the last of those that the rules decide.
fn instead_of_last(forge: &mut Forge, command: Command, change: impl FnOnce(&mut Event)) {
    let mut events = forge.decide(command);
    change(&mut events.last_mut().unwrap().1);
    forge.write_all(&events);
}

/// Asks for a payment, and opens a question about another one.
fn another_question(forge: &mut Forge, custody: &Custody, change: impl FnOnce(&mut Intent)) {
    let (_, command) = custody.request(forge);
    instead_of_last(forge, command, |event| {
        let Event::Proposal(ProposalEvent::Opened(opened)) = event else { panic!("{event:?}") };
        let Subject::Transfer { intent, .. } = &mut opened.subject else { panic!() };
        change(intent);
    });
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
    let event = ProposalEvent::from(Approved { approver: approver.id, key, signature });
    forge.write(Stream::Proposal(asked.proposal), event);
}

fn next_policy(forge: &Forge, change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = forge.state.charter.standing().unwrap().policy.clone();
    policy.version += 1;
    change(&mut policy);
    policy
}

fn propose(forge: &mut Forge, policy: Policy) -> ProposalId {
    let proposal = ProposalId(Uuid::now_v7());
    let (maker, expires_at) = (forge.people.maker, forge.time.plus_seconds(3600));
    forge.run(Command::ProposePolicy { proposal, policy, maker, expires_at });
    proposal
}

/// Chains that don't hold: nothing of them is taken in.
fn broken_chains() -> Vec<(&'static str, Expected, Lie)> {
    let fork = || Refused(Rule::SignerLogFork);
    vec![
        ("an entry altered", fork(), |forge, custody| {
            custody.ask(forge);
            let mut entries = vec![forge.entries.last().unwrap().clone()];
            entries[0].entry = entries[0].entry.replace("founders", "fOunders");
            entries
        }),
        ("an entry dropped", fork(), |forge, custody| {
            let before = forge.head();
            custody.ask(forge);
            written(forge, before)[1..].to_vec()
        }),
        ("entries reordered", fork(), |forge, custody| {
            let before = forge.head();
            custody.ask(forge);
            let mut entries = written(forge, before);
            entries.swap(0, 1);
            entries
        }),
        ("an entry doubled", fork(), |forge, _| vec![forge.entries.last().unwrap().clone()]),
        ("an entry of another log", Refused(Rule::SignerGenesis), |forge, _| {
            let other = Forge::found(Vec::new(), forge.time);
            vec![other.entries[0].clone()]
        }),
        ("the whole log again", fork(), |forge, _| forge.entries.clone()),
        ("a payload that is not the entry's", fork(), |forge, custody| {
            let before = forge.head();
            custody.ask(forge);
            let mut entries = written(forge, before);
            entries[0].payload = entries[1].payload.clone();
            entries[..1].to_vec()
        }),
        ("time that runs backwards", fork(), |forge, custody| {
            let before = forge.head();
            forge.time = Timestamp::from_micros(forge.time.micros() - 9_000_000);
            custody.ask(forge);
            written(forge, before)
        }),
        ("time that has not come", Refused(Rule::SignerClock), |forge, custody| {
            let before = forge.head();
            forge.time = clock().plus_seconds(3600);
            custody.ask(forge);
            written(forge, before)
        }),
        ("an event that nobody knows", fork(), |forge, _| {
            let before = forge.head();
            forge.write_raw(Stream::Charter, ("charter.trust-me", 1), "{}".to_owned());
            written(forge, before)
        }),
        ("an event spelled otherwise", fork(), |forge, custody| {
            let (before, asked) = (forge.head(), custody.intent(forge));
            let payload = format!("{{ \"transfer\":\"{}\"}}", asked.transfer);
            let stream = Stream::Account(custody.account);
            forge.write_raw(stream, ("account.hold-voided", 1), payload);
            written(forge, before)
        }),
        ("a stream that nobody knows", fork(), |forge, _| {
            let before = forge.head();
            forge.write_raw(Stream::Charter, ("account.hold-voided", 1), "[]".to_owned());
            written(forge, before)
        }),
    ]
}

/// Answers that no approver gave.
fn forged_answers() -> Vec<(&'static str, Expected, Lie)> {
    vec![
        ("an approval with a stranger's signature", Halted(Rule::ApprovalSignature), |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            let people = f.people.clone();
            let (first, other) = (&people.approvers[1], &people.approvers[2]);
            let text = f.statement(asked.proposal, Answer::Approve, first.id);
            let (key, signature) = (public(&first.key), sign(&other.key, &text));
            let event = ProposalEvent::from(Approved { approver: first.id, key, signature });
            f.write(Stream::Proposal(asked.proposal), event);
            written(f, before)
        }),
        ("an approval counted twice", Halted(Rule::ApproverSpoke), |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            f.approve(asked.proposal, 1);
            answer(f, &asked, 1, (None, None));
            written(f, before)
        }),
        ("an approval under an unknown key", Halted(Rule::ApprovalKeyUnknown), |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            let key = SigningKey::generate(&mut rand::rngs::OsRng);
            answer(f, &asked, 1, (Some(&key), None));
            written(f, before)
        }),
        ("an approval from outside the group", Halted(Rule::ApproverNotInGroup), |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            answer(f, &asked, 3, (None, None));
            written(f, before)
        }),
        ("the maker's own approval", Halted(Rule::MakerChecker), |f, c| {
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
        ("an approval of another proposal", Halted(Rule::ApprovalSignature), |f, c| {
            let before = f.head();
            let (one, other) = (c.ask(f), c.ask(f));
            let person = f.people.approvers[1].id;
            let text = f.statement(other.proposal, Answer::Approve, person);
            answer(f, &one, 1, (None, Some(text)));
            written(f, before)
        }),
        ("a no counted as a yes", Halted(Rule::ApprovalSignature), |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            let person = f.people.approvers[1].id;
            let text = f.statement(asked.proposal, Answer::Decline, person);
            answer(f, &asked, 1, (None, Some(text)));
            written(f, before)
        }),
        ("a quorum after one approval", Halted(Rule::LogUnlawful), |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            f.approve(asked.proposal, 1);
            let approvers = f.people.quorum().group;
            let event = ProposalEvent::from(QuorumReached { approvers });
            f.write(Stream::Proposal(asked.proposal), event);
            written(f, before)
        }),
        ("a transfer approved by nobody", Halted(Rule::LogUnlawful), |f, c| {
            let (before, asked) = (f.head(), c.ask(f));
            let event = TransferEvent::from(transfer::Approved {});
            f.write(Stream::Transfer(asked.intent.transfer), event);
            written(f, before)
        }),
        ("an approval after the no of two", Halted(Rule::ProposalNotOpen), |f, c| {
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
                    signature: sign(&one.key, &text),
                });
            }
            answer(f, &asked, 0, (None, Some(text)));
            written(f, before)
        }),
    ]
}

/// Questions about something else than what was asked, field by field.
fn other_questions() -> Vec<(&'static str, Expected, Lie)> {
    macro_rules! question {
        ($name:literal, $change:expr) => {
            ($name, Halted(Rule::LogUnlawful), |f, c| {
                let before = f.head();
                another_question(f, c, $change);
                written(f, before)
            })
        };
    }
    vec![
        question!("another amount", |intent| intent.amount = Amount::new(1)),
        question!("another destination", |intent| {
            intent.destination = strange_address(Network::LitecoinRegtest);
        }),
        question!("another fee cap", |intent| intent.fee_cap = Amount::new(1)),
        question!("another account", |intent| intent.account = AccountId(Uuid::now_v7())),
        question!("another wallet", |intent| intent.wallet = WalletId(Uuid::now_v7())),
        question!("another asset", |intent| intent.asset = Network::Litecoin.native_asset()),
        ("a lower quorum than the policy's", Halted(Rule::LogUnlawful), |f, c| {
            let (before, (_, command)) = (f.head(), c.request(f));
            instead_of_last(f, command, |event| {
                let Event::Proposal(ProposalEvent::Opened(opened)) = event else { panic!() };
                opened.quorum.approvals = 1;
            });
            written(f, before)
        }),
        ("no hold on the account", Halted(Rule::LogUnlawful), |f, c| {
            let (before, (_, command)) = (f.head(), c.request(f));
            let events = f.decide(command);
            let placed =
                |event: &Event| matches!(event, Event::Account(AccountEvent::HoldPlaced(_)));
            for (stream, event) in events.into_iter().filter(|(_, event)| !placed(event)) {
                f.write(stream, event);
            }
            written(f, before)
        }),
        ("a transfer asked for twice", Halted(Rule::IdTaken), |f, c| {
            let (before, (_, command)) = (f.head(), c.request(f));
            let again = f.decide(command.clone());
            f.run(command);
            f.write_all(&again[..1]);
            written(f, before)
        }),
    ]
}

/// Powers that nobody gave.
fn usurped_powers() -> Vec<(&'static str, Expected, Lie)> {
    vec![
        ("a policy that no quorum set", Halted(Rule::LogUnlawful), |f, _| {
            let before = f.head();
            let policy = next_policy(f, |policy| policy.destinations.clear());
            let changed = PolicyChanged { proposal: ProposalId(Uuid::now_v7()), policy };
            f.write(Stream::Charter, CharterEvent::from(changed));
            written(f, before)
        }),
        ("a policy set by one of two", Halted(Rule::LogUnlawful), |f, _| {
            let before = f.head();
            let policy = next_policy(f, |policy| policy.destinations.clear());
            let proposal = propose(f, policy.clone());
            f.approve(proposal, 1);
            f.write(Stream::Charter, CharterEvent::from(PolicyChanged { proposal, policy }));
            written(f, before)
        }),
        ("a policy of lone approvers", Halted(Rule::PolicyInvalid), |f, _| {
            let before = f.head();
            let opened = Opened {
                subject: Subject::PolicyChange(next_policy(f, |policy| {
                    policy.tiers[0].quorum.approvals = 1;
                })),
                maker: f.people.maker,
                policy_version: 1,
                quorum: f.people.quorum(),
                expires_at: f.time.plus_seconds(3600),
            };
            let stream = Stream::Proposal(ProposalId(Uuid::now_v7()));
            f.write(stream, ProposalEvent::from(opened));
            written(f, before)
        }),
        ("another policy than the approved one", Halted(Rule::LogUnlawful), |f, _| {
            let before = f.head();
            let policy = next_policy(f, |_| {});
            let proposal = propose(f, policy);
            f.approve(proposal, 1);
            let people = f.people.clone();
            let (two, answer) = (&people.approvers[2], Answer::Approve);
            let signature = sign(&two.key, &f.statement(proposal, answer, two.id));
            let (approver, key) = (two.id, public(&two.key));
            let command = Command::AnswerProposal { proposal, answer, approver, key, signature };
            let mut events = f.decide(command);
            for (_, event) in &mut events {
                if let Event::Charter(CharterEvent::PolicyChanged(changed)) = event {
                    changed.policy.destinations.clear();
                }
            }
            f.write_all(&events);
            written(f, before)
        }),
        ("a second charter", Halted(Rule::CharterState), |f, _| {
            let before = f.head();
            let other = Forge::found(Vec::new(), f.time);
            let payload = other.entries[0].payload.clone();
            f.write_raw(Stream::Charter, ("charter.founded", 1), payload);
            written(f, before)
        }),
        ("a key confirmed by a forger", Halted(Rule::CeremonySignature), |f, c| {
            let before = f.head();
            let (public_key, package) = (c.public_key.to_vec().into(), c.package.clone());
            let confirmed = Confirmed {
                signer: c.signers[0],
                public_key,
                public_package: package,
                signature: vec![1; 64].into(),
            };
            let event = KeyEvent::from(confirmed);
            f.write(Stream::Key(c.key), event);
            written(f, before)
        }),
        ("a deposit credited too early", Halted(Rule::DepositState), |f, c| {
            let before = f.head();
            let (_, seen, credited) = c.deposit_commands();
            f.run(seen);
            let mut events = f.decide(credited);
            let Event::Deposit(DepositEvent::Credited(credited)) = &mut events[0].1 else {
                panic!()
            };
            credited.confirmations = 1;
            f.write_all(&events);
            written(f, before)
        }),
        ("an attempt that nobody approved", Halted(Rule::TransferState), |f, c| {
            let before = f.head();
            let (coin, asked) = (c.fund(f), c.ask(f));
            let (attempt, _) = c.honest_attempt(f, &asked, &coin);
            let transfer = asked.intent.transfer;
            let outpoints = vec![coin.outpoint];
            let reserved = CoinsReserved { transfer, outpoints };
            let event = WalletEvent::from(reserved);
            f.write(Stream::Wallet(c.wallet), event);
            f.write(Stream::Transfer(transfer), TransferEvent::from(attempt));
            written(f, before)
        }),
        ("an attempt above its fee cap", Halted(Rule::FeeCap), |f, c| {
            altered_attempt(f, c, |attempt| attempt.fee = Amount::new(FEE_CAP + 1))
        }),
        ("an attempt by non-members", Halted(Rule::AttemptState), |f, c| {
            altered_attempt(f, c, |attempt| {
                attempt.signers[1] = SignerId(Uuid::now_v7());
            })
        }),
        ("an attempt by one member, twice", Halted(Rule::AttemptState), |f, c| {
            altered_attempt(f, c, |attempt| attempt.signers[1] = attempt.signers[0])
        }),
        ("an attempt under another key", Halted(Rule::SignerKey), |f, c| {
            altered_attempt(f, c, |attempt| {
                attempt.key = KeyId(Uuid::now_v7());
            })
        }),
        ("a first attempt that is the second", Halted(Rule::AttemptState), |f, c| {
            altered_attempt(f, c, |attempt| attempt.attempt = 2)
        }),
        ("coins that another transfer has", Halted(Rule::WalletReserved), |f, c| {
            let before = f.head();
            let (coin, one, two) = (c.fund(f), c.ask_and_approve(f), c.ask_and_approve(f));
            c.authorise_honestly(f, &one, &coin);
            let transfer = two.intent.transfer;
            let outpoints = vec![coin.outpoint];
            let reserved = CoinsReserved { transfer, outpoints };
            let event = WalletEvent::from(reserved);
            f.write(Stream::Wallet(c.wallet), event);
            written(f, before)
        }),
        ("a failed transfer that keeps its hold", Halted(Rule::LogUnlawful), |f, c| {
            let (before, asked) = (f.head(), c.ask_and_approve(f));
            let failed = Failed { because: "no".to_owned(), abstentions: Vec::new() };
            f.write(Stream::Transfer(asked.intent.transfer), TransferEvent::from(failed));
            c.ask(f);
            written(f, before)
        }),
        ("a failure that no holder has sworn to", Halted(Rule::TransferAbstentions), |f, c| {
            let (before, asked) = (f.head(), c.honest(f));
            let failed = Failed { because: "no".to_owned(), abstentions: Vec::new() };
            f.write(Stream::Transfer(asked.intent.transfer), TransferEvent::from(failed));
            written(f, before)
        }),
        ("a failure sworn to by nobody real", Halted(Rule::TransferAbstentions), |f, c| {
            let (before, asked) = (f.head(), c.honest(f));
            let signature = strongroom_domain::Bytes(vec![7; 64]);
            let holders = c.signers.iter().copied();
            let words =
                holders.map(|signer| transfer::Abstention { signer, signature: signature.clone() });
            let failed = Failed { because: "no".to_owned(), abstentions: words.collect() };
            f.write(Stream::Transfer(asked.intent.transfer), TransferEvent::from(failed));
            written(f, before)
        }),
    ]
}

fn altered_attempt(
    forge: &mut Forge,
    custody: &Custody,
    change: impl FnOnce(&mut transfer::AttemptAuthorised),
) -> Vec<LogEntry> {
    let before = forge.head();
    let (coin, asked) = (custody.fund(forge), custody.ask_and_approve(forge));
    let attempt = custody.attempt(custody.psbt(&asked.intent, &coin, FEE), FEE);
    let spends = Spends::Coins(vec![coin.outpoint]);
    let transfer = asked.intent.transfer;
    let command = Command::AuthoriseAttempt { transfer, attempt, spends };
    instead_of_last(forge, command, |event| {
        let Event::Transfer(TransferEvent::AttemptAuthorised(attempt)) = event else { panic!() };
        change(attempt);
    });
    written(forge, before)
}

/// Tells each lie to the first signer, and has it sign an honest payment's first round after it.
fn tell(lies: Vec<(&'static str, Expected, Lie)>) {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
    for (name, expected, lie) in lies {
        let mut forge = world.forge.clone();
        let entries = lie(&mut forge, &custody);
        let mut link = world.reader(0);
        let before = link.head();
        let reply = link.push(&entries);
        match expected {
            Refused(rule) => {
                refused(name, &reply, rule);
                assert_eq!(link.head(), before, "{name}: something was taken in");
            }
            Halted(rule) => {
                let Reply::Corrupt { because, .. } = &reply else { panic!("{name}: {reply:?}") };
                assert!(because.contains(rule.id()), "{name}: {because}");
                // It does nothing at all any more.
                let honest = custody.honest(&mut world.forge.clone());
                let stopped = link.commit(honest.intent.transfer, 1);
                assert!(matches!(stopped, Reply::Corrupt { .. }), "{name}: {stopped:?}");
                let stopped = link.begin(custody.key);
                assert!(matches!(stopped, Reply::Corrupt { .. }), "{name}: {stopped:?}");
                world.restart(0);
            }
        }
        let honest = custody.honest(&mut world.forge);
        let reply = world.reader(0).commit(honest.intent.transfer, 1);
        assert!(matches!(reply, Reply::Committed { .. }), "after {name}: {reply:?}");
    }
    world.pays(&custody);
}

#[test]
fn a_broken_chain_is_not_followed() {
    tell(broken_chains());
}

#[test]
fn an_answer_that_no_approver_gave_stops_the_signer() {
    tell(forged_answers());
}

#[test]
fn a_question_about_something_else_stops_the_signer() {
    tell(other_questions());
}

#[test]
fn a_power_that_no_quorum_gave_stops_the_signer() {
    tell(usurped_powers());
}
