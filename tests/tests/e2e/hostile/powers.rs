//! Powers that nobody gave, and questions about something else than was asked. The signer stops at
//! each, until it is started again; then the honest log goes on.

use strongroom_domain::account::AccountEvent;
use strongroom_domain::deposit::DepositEvent;
use strongroom_domain::key::{Confirmed, KeyEvent};
use strongroom_domain::policy::PolicyV1;
use strongroom_domain::proposal::{OpenedV1, ProposalEvent, Subject};
use strongroom_domain::protocol::LogEntry;
use strongroom_domain::statement::Answer;
use strongroom_domain::transfer::{self, Failed, TransferEvent};
use strongroom_domain::wallet::{CoinsReserved, WalletEvent};
use strongroom_domain::{
    AccountId, Amount, Command, Event, Intent, KeyId, Network, ProposalId, SignerId, Spends,
    Stream, WalletId, charter::CharterEvent, charter::PolicyChangedV1,
};
use uuid::Uuid;

use super::entries::{Lie, tell, written};
use super::forge::{Forge, public, sign, strange_address};
use super::transactions::{Custody, FEE, FEE_CAP};

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
        let Event::Proposal(ProposalEvent::OpenedV1(opened)) = event else { panic!("{event:?}") };
        let Subject::Transfer { intent, .. } = &mut opened.subject else { panic!() };
        change(intent);
    });
}

fn next_policy(forge: &Forge, change: impl FnOnce(&mut PolicyV1)) -> PolicyV1 {
    let mut policy = forge.state.charter.standing().unwrap().policy.v1().unwrap().clone();
    policy.version += 1;
    change(&mut policy);
    policy
}

fn propose(forge: &mut Forge, policy: PolicyV1) -> ProposalId {
    let proposal = ProposalId(Uuid::now_v7());
    let (maker, expires_at) = (forge.people.maker, forge.time.plus_seconds(3600));
    forge.run(Command::ProposePolicy { proposal, policy, maker, expires_at });
    proposal
}

/// A question opened otherwise than the rules open it.
fn opened_as(f: &mut Forge, c: &Custody, change: impl FnOnce(&mut OpenedV1)) -> Vec<LogEntry> {
    let (before, (_, command)) = (f.head(), c.request(f));
    instead_of_last(f, command, |event| {
        let Event::Proposal(ProposalEvent::OpenedV1(opened)) = event else { panic!("{event:?}") };
        change(opened);
    });
    written(f, before)
}

/// Questions about something else than what was asked, field by field.
fn other_questions() -> Vec<(&'static str, Lie)> {
    macro_rules! question {
        ($name:literal, $change:expr) => {
            ($name, |f, c| {
                let before = f.head();
                another_question(f, c, $change);
                written(f, before)
            })
        };
    }
    vec![
        question!("question-another-amount", |intent| intent.amount = Amount::new(1)),
        question!("question-another-destination", |intent| {
            intent.destination = strange_address(Network::LitecoinRegtest);
        }),
        question!("question-another-fee-cap", |intent| intent.fee_cap = Amount::new(1)),
        question!("question-another-account", |intent| intent.account = AccountId(Uuid::now_v7())),
        question!("question-another-wallet", |intent| intent.wallet = WalletId(Uuid::now_v7())),
        question!("question-another-asset", |intent| intent.asset =
            Network::Litecoin.native_asset()),
        ("question-under-another-policy-version", |f, c| {
            opened_as(f, c, |of| of.policy_version = 7)
        }),
        ("question-longer-life", |f, c| {
            opened_as(f, c, |of| of.expires_at = of.expires_at.plus_seconds(3_600))
        }),
        ("question-another-maker", |f, c| {
            let maker = f.people.approvers[0].id;
            opened_as(f, c, |of| of.maker = maker)
        }),
        ("question-lower-quorum-than-policys", |f, c| {
            let (before, (_, command)) = (f.head(), c.request(f));
            instead_of_last(f, command, |event| {
                let Event::Proposal(ProposalEvent::OpenedV1(opened)) = event else { panic!() };
                opened.quorum.approvals = 1;
            });
            written(f, before)
        }),
        ("question-no-hold-on-account", |f, c| {
            let (before, (_, command)) = (f.head(), c.request(f));
            let events = f.decide(command);
            let placed =
                |event: &Event| matches!(event, Event::Account(AccountEvent::HoldPlaced(_)));
            for (stream, event) in events.into_iter().filter(|(_, event)| !placed(event)) {
                f.write(stream, event);
            }
            written(f, before)
        }),
        ("question-transfer-asked-for-twice", |f, c| {
            let (before, (_, command)) = (f.head(), c.request(f));
            let again = f.decide(command.clone());
            f.run(command);
            f.write_all(&again[..1]);
            written(f, before)
        }),
    ]
}

/// Powers that nobody gave.
fn usurped_powers() -> Vec<(&'static str, Lie)> {
    vec![
        ("power-policy-that-no-quorum-set", |f, _| {
            let before = f.head();
            let policy = next_policy(f, |policy| policy.destinations.clear());
            let changed = PolicyChangedV1 { proposal: ProposalId(Uuid::now_v7()), policy };
            f.write(Stream::Charter, CharterEvent::from(changed));
            written(f, before)
        }),
        ("power-policy-set-by-one-of-two", |f, _| {
            let before = f.head();
            let policy = next_policy(f, |policy| policy.destinations.clear());
            let proposal = propose(f, policy.clone());
            f.approve(proposal, 1);
            f.write(Stream::Charter, CharterEvent::from(PolicyChangedV1 { proposal, policy }));
            written(f, before)
        }),
        ("power-policy-of-lone-approvers", |f, _| {
            let before = f.head();
            let opened = OpenedV1 {
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
        ("power-another-policy-than-approved-one", |f, _| {
            let before = f.head();
            let policy = next_policy(f, |_| {});
            let proposal = propose(f, policy);
            f.approve(proposal, 1);
            let people = f.people.clone();
            let (two, answer) = (&people.approvers[2], Answer::Approve);
            let signature = sign(&two.key, &f.statement(proposal, answer, two.id));
            let (approver, key) = (two.id, public(&two.key));
            let evidence = strongroom_domain::approval_key::Evidence::Signature { signature };
            let command = Command::AnswerProposal { proposal, answer, approver, key, evidence };
            let mut events = f.decide(command);
            for (_, event) in &mut events {
                if let Event::Charter(CharterEvent::PolicyChangedV1(changed)) = event {
                    changed.policy.destinations.clear();
                }
            }
            f.write_all(&events);
            written(f, before)
        }),
        ("power-second-charter", |f, _| {
            let before = f.head();
            let other = Forge::found(Vec::new(), f.time);
            let payload = other.entries[0].payload.clone();
            f.write_raw(Stream::Charter, ("charter.founded", 2), payload);
            written(f, before)
        }),
        ("power-key-confirmed-by-forger", |f, c| {
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
        ("power-deposit-credited-too-early", |f, c| {
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
        ("power-attempt-that-nobody-approved", |f, c| {
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
        ("power-attempt-above-its-fee-cap", |f, c| {
            altered_attempt(f, c, |attempt| attempt.fee = Amount::new(FEE_CAP + 1))
        }),
        ("power-attempt-by-non-members", |f, c| {
            altered_attempt(f, c, |attempt| {
                attempt.signers[1] = SignerId(Uuid::now_v7());
            })
        }),
        ("power-attempt-by-one-member-twice", |f, c| {
            altered_attempt(f, c, |attempt| attempt.signers[1] = attempt.signers[0])
        }),
        ("power-attempt-under-another-key", |f, c| {
            altered_attempt(f, c, |attempt| {
                attempt.key = KeyId(Uuid::now_v7());
            })
        }),
        ("power-first-attempt-that-is-second", |f, c| {
            altered_attempt(f, c, |attempt| attempt.attempt = 2)
        }),
        ("power-coins-that-another-transfer-has", |f, c| {
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
        ("power-failed-transfer-that-keeps-its-hold", |f, c| {
            let (before, asked) = (f.head(), c.ask_and_approve(f));
            let failed = Failed { because: "no".to_owned(), abstentions: Vec::new() };
            f.write(Stream::Transfer(asked.intent.transfer), TransferEvent::from(failed));
            c.ask(f);
            written(f, before)
        }),
        ("power-failure-that-no-holder-has-sworn-to", |f, c| {
            let (before, asked) = (f.head(), c.honest(f));
            let failed = Failed { because: "no".to_owned(), abstentions: Vec::new() };
            f.write(Stream::Transfer(asked.intent.transfer), TransferEvent::from(failed));
            written(f, before)
        }),
        ("power-failure-sworn-to-by-nobody-real", |f, c| {
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

#[test]
fn a_question_about_something_else_stops_the_signer() {
    tell(other_questions());
}

#[test]
fn a_power_that_no_quorum_gave_stops_the_signer() {
    tell(usurped_powers());
}
