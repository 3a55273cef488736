//! A policy of rules and what a server may do about it: waits, limits, rights, and signers that an
//! officer stopped. Only a quorum loosens any of it.

use std::collections::BTreeSet;
use strongroom_domain::charter::{CharterEvent, PeopleChange, PolicyTightened, Role};
use strongroom_domain::freeze::{self, FreezeEvent, FreezeScope};
use strongroom_domain::policy::{
    Demand, Destination, Label, Most, Per, Policy, PolicyRule, Requirement, Scope, Threshold,
};
use strongroom_domain::proposal::Subject;
use strongroom_domain::protocol::LogEntry;
use strongroom_domain::signer::{Quarantined, Released, SignerEvent};
use strongroom_domain::transfer::TransferEvent;
use strongroom_domain::{
    Address, Amount, Command, FreezeId, Network, ProposalId, Spends, Stream, Timestamp,
};
use uuid::Uuid;

use super::catalogue::answers;
use super::entries::{Lie, tell_in, written};
use super::forge::{Forge, clock, public, sign, strange_address};
use super::transactions::{AMOUNT, Asked, Custody, FEE};
use super::world::World;

/// What waits, and for how long.
const LARGE: u128 = AMOUNT + 1;
const WAITS_S: u64 = 3_600;
/// What may go to the second destination in a day.
const MOST: u128 = 500_000;

pub(super) fn label(text: &str) -> Label {
    text.to_owned().try_into().unwrap()
}

fn ask(forge: &mut Forge, subject: Subject) -> ProposalId {
    let proposal = ProposalId(Uuid::now_v7());
    let (maker, expires_at) = (forge.people.maker, forge.time.plus_seconds(3_600));
    forge.run(Command::Propose { proposal, subject, maker, expires_at });
    proposal
}

pub(super) fn agree(forge: &mut Forge, subject: Subject) {
    let proposal = ask(forge, subject);
    forge.agree(proposal);
}

/// Rules that let through what the first policy let through, if it is not large.
fn rules(forge: &Forge, second: &Address) -> Policy {
    let old = forge.state.charter.standing().unwrap().policy.v1().unwrap().clone();
    let rule = |id: &str, demand| PolicyRule { id: label(id), scope: Scope::default(), demand };
    let asset = Network::LitecoinRegtest.native_asset();
    let over = Some(Threshold::Amount { asset, units: Amount::new(AMOUNT) });
    let require = vec![Requirement { approvals: 2, group: label("board") }];
    let units = Amount::new(MOST);
    let daily = Demand::Velocity {
        window_s: 86_400,
        per: Per::Destination,
        most: Most::Amount { asset, units },
    };
    let mut destinations = old.destinations;
    let (network, address) = (Network::LitecoinRegtest, second.clone());
    destinations.push(Destination { network, address, label: label("second") });
    let fees = old.fee_caps.iter();
    let fee = |(n, (asset, most)): (usize, (&_, &_))| {
        rule(&format!("fee-{n}"), Demand::FeeCap { asset: *asset, most: *most })
    };
    let mut all = vec![
        rule("permitted", Demand::Permit),
        rule("two-agree", Demand::Approvals { require }),
        PolicyRule {
            scope: Scope { over, ..Scope::default() },
            ..rule("large-waits", Demand::Delay { seconds: WAITS_S })
        },
        PolicyRule {
            scope: Scope { destinations: [label("second")].into(), ..Scope::default() },
            ..rule("daily", daily)
        },
    ];
    all.extend(fees.enumerate().map(fee));
    Policy {
        version: old.version + 1,
        destinations,
        rules: all,
        confirmations: old.confirmations,
        proposal_lifetime_s: old.proposal_lifetime_s,
        prices: None,
    }
}

/// A world whose policy is made of rules, and the destination with a limit of its own.
fn governed(root: &std::path::Path, time: Timestamp) -> (World, Custody, Address) {
    governed_by(root, time, |_| ())
}

/// As [`governed`], by other rules.
pub(super) fn governed_by(
    root: &std::path::Path,
    time: Timestamp,
    change: impl FnOnce(&mut Policy),
) -> (World, Custody, Address) {
    let mut world = World::found(root, time);
    let custody = world.custody(Network::LitecoinRegtest);
    let second = strange_address(Network::LitecoinRegtest);
    let forge = &mut world.forge;
    let people: Vec<_> = forge.people.approvers.iter().map(|one| one.id).collect();
    for person in people {
        let roles = forge.state.charter.standing().unwrap().people[&person].roles.clone();
        let groups = BTreeSet::from([label("board")]);
        agree(forge, Subject::People(PeopleChange::ChangeRights { person, roles, groups }));
    }
    let mut policy = rules(forge, &second);
    change(&mut policy);
    let proposal = ask(forge, Subject::PolicyForm2(policy));
    forge.agree(proposal);
    forge.run(Command::EnactPolicy { proposal });
    assert!(forge.state.charter.standing().unwrap().policy.v2().is_some(), "it is in force");
    (world, custody, second)
}

pub(super) fn two_hours_ago() -> Timestamp {
    Timestamp::from_micros(clock().micros() - 7_200_000_000)
}

/// The command that asks for a payment, with another amount or destination.
pub(super) fn request(
    forge: &Forge,
    c: &Custody,
    amount: u128,
    to: Option<&Address>,
) -> (Asked, Command) {
    let (mut asked, command) = c.request(forge);
    let Command::RequestTransfer { proposal, maker, expires_at, .. } = command else { panic!() };
    asked.intent.amount = Amount::new(amount);
    if let Some(address) = to {
        asked.intent.destination = address.clone();
    }
    let intent = asked.intent.clone();
    (asked, Command::RequestTransfer { intent, proposal, maker, expires_at })
}

pub(super) fn next(forge: &Forge) -> Policy {
    let mut policy = forge.state.charter.standing().unwrap().policy.v2().unwrap().clone();
    policy.version += 1;
    policy
}

fn tightened(f: &mut Forge, policy: Policy, by: strongroom_domain::PersonId) -> Vec<LogEntry> {
    let before = f.head();
    let at = f.time;
    f.write(Stream::Charter, CharterEvent::from(PolicyTightened { by, policy, at }));
    written(f, before)
}

/// Each is written as if the rules had decided it.
fn loosened() -> Vec<(&'static str, Lie)> {
    vec![
        ("rule-attempt-before-its-time-lock", |f, c| {
            let before = f.head();
            let coin = c.fund(f);
            let (asked, command) = request(f, c, LARGE, None);
            f.run(command);
            f.agree(asked.proposal);
            let attempt = c.attempt(c.psbt(&asked.intent, &coin, FEE), FEE);
            let transfer = asked.intent.transfer;
            let spends = Spends::Coins(vec![coin.outpoint]);
            // Decided as of a later day, and dated today.
            let mut later = f.clone();
            later.time = f.time.plus_seconds(2 * WAITS_S);
            let events = later.decide(Command::AuthoriseAttempt { transfer, attempt, spends });
            f.write_all(&events);
            written(f, before)
        }),
        ("rule-limit-split-in-three", |f, c| {
            let before = f.head();
            let second = second_of(f);
            let (_, one) = request(f, c, MOST / 2, Some(&second));
            let (_, two) = request(f, c, MOST / 2, Some(&second));
            let (_, three) = request(f, c, MOST / 2, Some(&second));
            let mut forgetful = f.clone();
            forgetful.run(one.clone());
            let events = forgetful.decide(three);
            f.run(one);
            f.run(two);
            f.write_all(&events);
            written(f, before)
        }),
        ("rule-limit-by-race-of-two", |f, c| {
            let before = f.head();
            let second = second_of(f);
            let (_, one) = request(f, c, MOST, Some(&second));
            let (_, two) = request(f, c, MOST, Some(&second));
            let (first, both) = (f.decide(one), f.decide(two));
            f.write_all(&first);
            f.write_all(&both);
            written(f, before)
        }),
        ("rule-limit-by-dating-ahead", |f, c| {
            let before = f.head();
            let second = second_of(f);
            f.time = clock().plus_seconds(86_401);
            let (_, two) = request(f, c, MOST, Some(&second));
            f.run(two);
            written(f, before)
        }),
        ("rule-tightening-that-adds-destination", |f, _| {
            let mut policy = next(f);
            let address = strange_address(Network::LitecoinRegtest);
            policy.destinations[0].address = address;
            let by = f.people.officer;
            tightened(f, policy, by)
        }),
        ("rule-tightening-that-drops-limit", |f, _| {
            let mut policy = next(f);
            policy.rules.retain(|rule| rule.id != label("daily"));
            let by = f.people.officer;
            tightened(f, policy, by)
        }),
        ("rule-tightening-that-asks-one", |f, _| {
            let mut policy = next(f);
            let require = vec![Requirement { approvals: 1, group: label("board") }];
            policy.rules[1].demand = Demand::Approvals { require };
            let by = f.people.officer;
            tightened(f, policy, by)
        }),
        ("rule-tightening-by-no-officer", |f, _| {
            let policy = next(f);
            let by = f.people.maker;
            tightened(f, policy, by)
        }),
        ("rule-rights-that-nobody-gave", |f, _| {
            let before = f.head();
            let person = f.people.maker;
            let (roles, groups) = ([Role::Approver].into(), [label("board")].into());
            let subject = Subject::People(PeopleChange::ChangeRights { person, roles, groups });
            let proposal = ask(f, subject);
            f.approve(proposal, 1);
            let mut two = f.clone();
            two.approve(proposal, 2);
            let (kind, version, payload) = last_of_charter(&two);
            f.write_raw(Stream::Charter, (&kind, version), payload);
            written(f, before)
        }),
        ("rule-freeze-lifted-by-server", |f, c| {
            let before = f.head();
            let freeze = FreezeId(Uuid::now_v7());
            let (by, because) = (f.people.officer, "a report of theft".to_owned());
            let scope = FreezeScope::Wallet(c.wallet);
            f.run(Command::Freeze(freeze::Set { freeze, scope, by, because }));
            let proposal = ask(f, Subject::Unfreeze { freeze });
            f.write(Stream::Freezes, FreezeEvent::from(freeze::Lifted { freeze, proposal }));
            written(f, before)
        }),
        ("rule-quarantine-by-no-officer", |f, c| {
            let before = f.head();
            let quarantined = Quarantined { by: f.people.maker, because: "no officer".to_owned() };
            f.write(Stream::Signer(c.signers[0]), SignerEvent::from(quarantined));
            written(f, before)
        }),
        ("rule-quarantine-twice", |f, c| {
            let before = f.head();
            for _ in 0..2 {
                let quarantined = Quarantined { by: f.people.officer, because: "twice".to_owned() };
                f.write(Stream::Signer(c.signers[1]), SignerEvent::from(quarantined));
            }
            written(f, before)
        }),
        ("rule-release-of-signer-by-server", |f, c| {
            let before = f.head();
            let (signer, by) = (c.signers[1], f.people.officer);
            let quarantined = Quarantined { by, because: "lost".to_owned() };
            f.run(Command::QuarantineSigner { signer, quarantined });
            let proposal = ask(f, Subject::ReleaseSigner { signer });
            f.write(Stream::Signer(signer), SignerEvent::from(Released { proposal }));
            written(f, before)
        }),
        ("rule-attempt-by-quarantined-signer", |f, c| {
            let before = f.head();
            let (coin, asked) = (c.fund(f), c.ask_and_approve(f));
            let (attempt, spends) = c.honest_attempt(f, &asked, &coin);
            let transfer = asked.intent.transfer;
            let events = f.decide(Command::AuthoriseAttempt { transfer, attempt, spends });
            let (signer, by) = (c.signers[1], f.people.officer);
            let quarantined = Quarantined { by, because: "lost".to_owned() };
            f.run(Command::QuarantineSigner { signer, quarantined });
            f.write_all(&events);
            written(f, before)
        }),
        ("rule-approval-by-removed-person", |f, c| {
            let before = f.head();
            let asked = c.ask(f);
            let people = f.people.clone();
            let gone = &people.approvers[3];
            let answer = strongroom_domain::statement::Answer::Approve;
            let text = f.statement(asked.proposal, answer, gone.id);
            agree(f, Subject::People(PeopleChange::Remove { person: gone.id }));
            let approved = strongroom_domain::proposal::Approved {
                approver: gone.id,
                key: public(&gone.key),
                evidence: strongroom_domain::approval_key::Evidence::Signature {
                    signature: sign(&gone.key, &text),
                },
            };
            let event = strongroom_domain::proposal::ProposalEvent::from(approved);
            f.write(Stream::Proposal(asked.proposal), event);
            written(f, before)
        }),
    ]
}

/// The last entry of the charter's stream: its type, its version and its payload.
fn last_of_charter(forge: &Forge) -> (String, u16, String) {
    let is_of = |line: &&LogEntry| line.entry.contains(r#""stream":"charter""#);
    let line = forge.entries.iter().rev().find(is_of).unwrap();
    let entry: serde_json::Value = serde_json::from_str(&line.entry).unwrap();
    let version = entry["version"].as_u64().unwrap().try_into().unwrap();
    (entry["type"].as_str().unwrap().to_owned(), version, line.payload.clone())
}

/// The destination with a limit of its own.
fn second_of(forge: &Forge) -> Address {
    let policy = forge.state.charter.standing().unwrap().policy.clone();
    let known = policy.destinations().iter().find(|known| known.label == label("second"));
    known.unwrap().address.clone()
}

#[test]
fn what_only_a_quorum_loosens_a_server_does_not() {
    let root = tempfile::tempdir().unwrap();
    let (world, custody, _) = governed(root.path(), clock());
    tell_in(world, &custody, loosened());
}

/// Both are lawful in the log. The signer's own clock, and what it was told when, decide.
#[test]
fn a_wait_is_over_when_the_signer_has_waited() {
    let root = tempfile::tempdir().unwrap();
    let (mut world, custody, _) = governed(root.path(), two_hours_ago());
    let coin = custody.fund(&mut world.forge);
    let (asked, command) = request(&world.forge, &custody, LARGE, None);
    world.forge.run(command);
    world.forge.agree(asked.proposal);
    world.forge.time = world.forge.time.plus_seconds(WAITS_S + 60);
    let attempt = custody.attempt(custody.psbt(&asked.intent, &coin, FEE), FEE);
    custody.authorise(&mut world.forge, &asked, attempt, Spends::Coins(vec![coin.outpoint]));
    let reply = world.reader(0).commit(asked.intent.transfer, 1);
    answers("rule-time-lock-told-of-late", &reply);
    world.pays(&custody);
    world.restart(0);
    let reply = world.reader(0).commit(asked.intent.transfer, 1);
    answers("rule-time-lock-told-of-late-after-restart", &reply);
    world.pays(&custody);
}

#[test]
fn who_was_removed_or_quarantined_since_counts_no_more() {
    let root = tempfile::tempdir().unwrap();
    let (mut world, custody, _) = governed(root.path(), clock());
    let coin = custody.fund(&mut world.forge);
    let asked = custody.ask(&mut world.forge);
    world.forge.approve(asked.proposal, 1);
    world.forge.approve(asked.proposal, 3);
    custody.authorise_honestly(&mut world.forge, &asked, &coin);
    let person = world.forge.people.approvers[3].id;
    agree(&mut world.forge, Subject::People(PeopleChange::Remove { person }));
    let reply = world.reader(0).commit(asked.intent.transfer, 1);
    answers("rule-approver-removed-since", &reply);
    world.pays(&custody);

    let asked = custody.honest(&mut world.forge);
    let (signer, by) = (world.id(2), world.forge.people.officer);
    let quarantined = Quarantined { by, because: "a report of theft".to_owned() };
    world.forge.run(Command::QuarantineSigner { signer, quarantined });
    world.pays(&custody);
    let (signer, by) = (world.id(1), world.forge.people.officer);
    let release = Subject::ReleaseSigner { signer: world.id(2) };
    agree(&mut world.forge, release);
    let quarantined = Quarantined { by, because: "a report of theft".to_owned() };
    world.forge.run(Command::QuarantineSigner { signer, quarantined });
    let reply = world.reader(0).commit(asked.intent.transfer, 1);
    answers("rule-attempt-with-signer-quarantined-since", &reply);
    let reply = world.reader(1).commit(asked.intent.transfer, 1);
    answers("rule-attempt-with-signer-quarantined-since", &reply);
    let mut others = custody.clone();
    others.signers = vec![world.id(0), world.id(2)];
    world.pays(&others);
}

#[test]
fn a_freeze_holds_for_what_was_approved_before() {
    let root = tempfile::tempdir().unwrap();
    let (mut world, custody, second) = governed(root.path(), clock());
    let coin = custody.fund(&mut world.forge);
    let (asked, command) = request(&world.forge, &custody, AMOUNT, Some(&second));
    world.forge.run(command);
    world.forge.agree(asked.proposal);
    let attempt = custody.attempt(custody.psbt(&asked.intent, &coin, FEE), FEE);
    custody.authorise(&mut world.forge, &asked, attempt, Spends::Coins(vec![coin.outpoint]));
    let (freeze, by) = (FreezeId(Uuid::now_v7()), world.forge.people.officer);
    let because = "a report of theft".to_owned();
    let (network, address) = (Network::LitecoinRegtest, second);
    let scope = FreezeScope::Destination { network, address };
    world.forge.run(Command::Freeze(freeze::Set { freeze, scope, by, because }));
    let reply = world.reader(0).commit(asked.intent.transfer, 1);
    answers("rule-destination-frozen-since", &reply);
    world.pays(&custody);
}

/// What is changed in the intent that is written again.
type Rewrite = fn(&mut strongroom_domain::Intent, &Forge);

#[test]
fn nobody_writes_a_transfer_again_once_it_was_approved() {
    let root = tempfile::tempdir().unwrap();
    let (mut world, custody, _) = governed(root.path(), clock());
    // Somebody else's wallet and account on the same network.
    world.custody(Network::LitecoinRegtest);
    macro_rules! again {
        ($name:literal, $change:expr) => {
            ($name, |f, c| {
                let before = f.head();
                let (asked, command) = request(f, c, AMOUNT, None);
                let mut events = f.decide(command.clone());
                f.run(command);
                f.agree(asked.proposal);
                events.retain(|(_, event)| {
                    matches!(event, strongroom_domain::Event::Transfer(TransferEvent::Requested(_)))
                });
                for (_, event) in &mut events {
                    if let strongroom_domain::Event::Transfer(TransferEvent::Requested(again)) =
                        event
                    {
                        let change: Rewrite = $change;
                        change(&mut again.intent, f);
                    }
                }
                assert_eq!(events.len(), 1);
                f.write_all(&events);
                written(f, before)
            })
        };
    }
    let lies: Vec<(&'static str, Lie)> = vec![
        again!("intent-amount", |intent, _| intent.amount = Amount::new(AMOUNT + 1)),
        again!("intent-destination", |intent, _| {
            intent.destination = strange_address(Network::LitecoinRegtest);
        }),
        again!("intent-fee-cap", |intent, _| intent.fee_cap = Amount::new(1_000_000)),
        again!("intent-asset", |intent, _| intent.asset = Network::Litecoin.native_asset()),
        again!("intent-account", |intent, _| {
            intent.account = strongroom_domain::AccountId(Uuid::now_v7());
        }),
        again!("intent-account-of-another", |intent, f| {
            let mut all = f.state.accounts.keys();
            intent.account = *all.find(|of| **of != intent.account).unwrap();
        }),
        again!("intent-wallet", |intent, _| {
            intent.wallet = strongroom_domain::WalletId(Uuid::now_v7());
        }),
        again!("intent-wallet-of-another", |intent, f| {
            intent.wallet = *f.state.wallets.keys().find(|of| **of != intent.wallet).unwrap();
        }),
        again!("intent-account-and-wallet-of-another", |intent, f| {
            let mut all = f.state.accounts.keys();
            intent.account = *all.find(|of| **of != intent.account).unwrap();
            intent.wallet = *f.state.wallets.keys().find(|of| **of != intent.wallet).unwrap();
        }),
        again!("intent-nothing", |_, _| ()),
    ];
    tell_in(world, &custody, lies);
}
