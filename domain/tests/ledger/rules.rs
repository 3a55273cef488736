//! Policies made of rules, in the whole ledger: what is asked for is decided, recorded, counted and
//! decided again by every reader.

use crate::{asks::*, book::*, house::*, names::*, stuck};
use strongroom_domain::{
    Amount, ClientId, Command, Event, Network, ProposalId, Rule, Stream, Timestamp,
    policy::{
        Demand, Destination, Measure, Most, Per, Policy, PolicyRule, Requirement, Scope, Step,
    },
    price::{Quote, Quoted},
    proposal::Subject,
    statement::{self, Answer},
    transfer::{Refused, Requested, Returns, Stopped, TransferEvent},
};
use uuid::Uuid;

const DAY: u64 = 86_400;

fn rule(id: &str, demand: Demand) -> PolicyRule {
    PolicyRule { id: label(id), scope: Scope::default(), demand }
}

fn a_day(most: Most) -> PolicyRule {
    rule("a-day", Demand::Velocity { window_s: DAY, per: Per::Client, most })
}

fn two_a_day() -> PolicyRule {
    a_day(Most::Count { transfers: 2 })
}

/// A house whose policy has these rules too.
fn house(more: impl IntoIterator<Item = PolicyRule>) -> Book {
    let mut charter = house_charter();
    charter.policy.rules.extend(more);
    charter.governance.policy = vec![Requirement { approvals: 3, group: label("treasury") }];
    let mut book = Book::empty();
    book.put(Command::Found(founded_house(charter, &[ANN, BEN, CAT, DAN]))).unwrap();
    book.furnish().fund()
}

/// What comes of asking for transfer `n`.
fn ask(book: &mut Book, n: u8, amount: u128) -> Vec<Event> {
    let request = book.request(n, LTC_WALLET, amount);
    book.put(request).unwrap()
}

fn requested(events: &[Event]) -> Requested {
    match &events[0] {
        Event::Transfer(TransferEvent::Requested(requested)) => requested.clone(),
        other => panic!("{other:?}"),
    }
}

fn refused_by(events: &[Event], rule: Rule, id: &str) {
    let [_, Event::Transfer(TransferEvent::Refused(Refused { rule: by, because }))] = events else {
        panic!("{events:?}")
    };
    assert_eq!(*by, rule);
    assert!(because.starts_with(id), "{because}");
}

fn tightened(book: &Book, change: impl FnOnce(&mut Policy)) -> Command {
    let mut policy = book.state.charter.standing().unwrap().policy.v2().unwrap().clone();
    policy.version += 1;
    change(&mut policy);
    Command::TightenPolicy { policy, by: OLA }
}

#[test]
fn every_rule_that_was_asked_is_in_the_log_and_in_the_question() {
    let mut book = house([two_a_day()]);
    let events = ask(&mut book, 1, 1_000);
    let Requested { decision, at, client, proposal, .. } = requested(&events);
    assert_eq!((at, client, proposal), (book.now, CLIENT, Some(question(1))));
    let rules = decision.rules();
    for id in ["a-day", "permitted", "known", "two-agree", "fee-ltc", "maker-not-checker"] {
        assert!(rules.contains(&label(id)), "{id}");
    }
    assert!(!rules.contains(&label("fee-eth")), "what was not asked is not listed");
    let answers = book.state.proposals[&question(1)].answers().unwrap();
    let Subject::Payment { rules: told, .. } = &answers.opened.subject else { panic!() };
    assert_eq!(*told, rules);
    assert_eq!(answers.opened.quorums, decision.quorums);
}

#[test]
fn a_refusal_is_recorded_with_the_rule_that_refused() {
    let mut book = house([a_day(Most::Amount { asset: LTC, units: Amount::new(999) })]);
    refused_by(&ask(&mut book, 1, 1_000), Rule::Policy, "a-day (velocity): ");
    assert_eq!(book.state.transfers[&transfer(1)].name(), "refused");
    assert!(book.state.accounts[&LTC_ACCOUNT].claim().unwrap().holds.is_empty());
    // What was refused is not counted.
    assert_eq!(ask(&mut book, 2, 999).len(), 3);
}

#[test]
fn a_limit_over_time_is_free_again_a_window_later() {
    let mut book = house([two_a_day()]);
    let first = book.now;
    assert_eq!(ask(&mut book, 1, 1_000).len(), 3);
    book.wait(10);
    assert_eq!(ask(&mut book, 2, 1_000).len(), 3);
    refused_by(&ask(&mut book, 3, 1_000), Rule::Policy, "a-day");
    book.now = Timestamp::from_micros(first.plus_seconds(DAY).micros() - 1);
    refused_by(&ask(&mut book, 4, 1_000), Rule::Policy, "a-day");
    book.now = first.plus_seconds(DAY);
    assert_eq!(ask(&mut book, 5, 1_000).len(), 3);
    refused_by(&ask(&mut book, 6, 1_000), Rule::Policy, "a-day");
}

#[test]
fn what_comes_to_nothing_gives_its_part_of_a_limit_back() {
    let ends: [&dyn Fn(&mut Book); 5] = [
        &|book| drop(book.put(Command::CancelProposal { proposal: question(1), by: MAKER })),
        &|book| {
            for who in [ANN, BEN, CAT] {
                drop(book.put(book.answer(question(1), who, Answer::Decline)));
            }
        },
        &|book| {
            let stopped = Stopped { by: OLA, because: "the payee called".to_owned() };
            drop(book.put(Command::StopTransfer { transfer: transfer(1), stopped }));
        },
        &|book| {
            book.approve(question(1), &[ANN, BEN]);
            drop(book.put(book.attempt(1, 1)));
            drop(book.put(book.fail(1)));
        },
        &|book| {
            book.wait(3_600);
            drop(book.put(Command::ExpireProposal { proposal: question(1) }));
        },
    ];
    for (n, end) in ends.iter().enumerate() {
        let mut book = house([two_a_day()]);
        ask(&mut book, 1, 1_000);
        ask(&mut book, 2, 1_000);
        refused_by(&ask(&mut book, 3, 1_000), Rule::Policy, "a-day");
        end(&mut book);
        let name = book.state.transfers[&transfer(1)].name();
        assert_eq!(ask(&mut book, 4, 1_000).len(), 3, "end {n}: {name}");
    }
}

#[test]
fn what_is_final_counts_as_long_as_its_window() {
    let mut book = house([two_a_day()]);
    book.signing(1, LTC_WALLET, 1_000);
    book.put(signed(1, 1)).unwrap();
    book.put(broadcast(1, 1)).unwrap();
    book.put(confirm(1, 1, 1_000, None)).unwrap();
    ask(&mut book, 2, 1_000);
    refused_by(&ask(&mut book, 3, 1_000), Rule::Policy, "a-day");
}

/// Which of its signed transactions a chain took is the server's word: signers do not give back what
/// the payment may have used.
#[test]
fn what_was_signed_counts_even_if_it_is_said_to_have_been_cancelled() {
    let mut book = house([two_a_day()]);
    book.signing(1, LTC_WALLET, 1_000);
    book.put(signed(1, 1)).unwrap();
    ask(&mut book, 2, 1_000);
    stuck::agreed(&mut book, 1, stuck::abandon(1));
    book.put(stuck::give_back(&book, 1, 2, (Returns::Cancellation, 900))).unwrap();
    book.put(stuck::sign(1, 2)).unwrap();
    book.put(stuck::cancelled(1, 2, 800, Vec::new())).unwrap();
    assert_eq!(book.state.transfers[&transfer(1)].name(), "abandoned");
    refused_by(&ask(&mut book, 3, 1_000), Rule::Policy, "a-day");
}

#[test]
fn a_later_payment_takes_nothing_from_an_earlier_one() {
    let mut book = house([two_a_day()]);
    book.signing(1, LTC_WALLET, 1_000);
    book.wait(DAY);
    for n in [2, 3] {
        ask(&mut book, n, 1_000);
    }
    // It has expired by now, but not because of them.
    let earlier = book.now.plus_seconds(0).micros() - DAY * 1_000_000;
    let now = Timestamp::from_micros(earlier);
    book.audited.authorised(transfer(1), 1, now).map(drop).unwrap();
}

/// What an officer changes, and what a signer then says.
type Change<'a> = (&'a dyn Fn(&mut Policy), Rule);

#[test]
fn signers_hold_what_was_approved_to_the_rules_of_today() {
    let forbids = |policy: &mut Policy| policy.rules.push(rule("no-more", Demand::Forbid));
    let waits = |policy: &mut Policy| {
        policy.rules.push(rule("all-wait", Demand::Delay { seconds: 60 }));
    };
    let three = |policy: &mut Policy| {
        let require = vec![Requirement { approvals: 3, group: label("treasury") }];
        policy.rules.push(rule("three-agree", Demand::Approvals { require }));
    };
    let limits = |policy: &mut Policy| policy.rules.push(a_day(Most::Count { transfers: 0 }));
    let changes: [Change; 4] = [
        (&forbids, Rule::SignerPolicy),
        (&waits, Rule::TimeLock),
        (&three, Rule::SignerQuorum),
        (&limits, Rule::SignerPolicy),
    ];
    for (change, rule) in changes {
        let mut book = house([]);
        book.signing(1, LTC_WALLET, 1_000);
        book.authorised(1, 1).unwrap();
        let command = tightened(&book, change);
        book.put(command).unwrap();
        assert_eq!(book.authorised(1, 1).unwrap_err().rule, rule);
    }
}

#[test]
fn a_time_lock_that_grew_is_over_when_the_longer_one_is() {
    let mut book = house([]);
    book.signing(1, LTC_WALLET, 1_000);
    let wait = rule("all-wait", Demand::Delay { seconds: 60 });
    let command = tightened(&book, |policy| policy.rules.push(wait));
    book.put(command).unwrap();
    book.wait(59);
    assert_eq!(book.authorised(1, 1).unwrap_err().rule, Rule::TimeLock);
    book.wait(1);
    book.authorised(1, 1).unwrap();
}

#[test]
fn a_new_destination_cools_off_from_when_it_came_into_force() {
    let mut book = house([]);
    let mut policy = book.state.charter.standing().unwrap().policy.v2().unwrap().clone();
    let (network, to) = (Network::LitecoinRegtest, address("rltc1qnew"));
    policy.version += 1;
    policy.destinations.push(Destination { network, address: to.clone(), label: label("new") });
    let (proposal, expires_at) = (ProposalId(Uuid::from_u128(0x9a)), book.in_an_hour());
    let subject = Subject::PolicyForm2(policy);
    book.put(Command::Propose { proposal, subject, maker: ANN, expires_at }).unwrap();
    book.approve(proposal, &[BEN, CAT, DAN]);
    book.put(Command::EnactPolicy { proposal }).unwrap();
    let in_force = book.now;
    let ask = |book: &mut Book, n| {
        let mut intent = intent(n, LTC_WALLET, 1_000);
        intent.destination = to.clone();
        let expires_at = book.in_an_hour();
        let proposal = question(n);
        book.put(Command::RequestTransfer { intent, proposal, maker: MAKER, expires_at }).unwrap()
    };
    refused_by(&ask(&mut book, 1), Rule::DestinationAllowlist, "known (allowlist): ");
    book.now = Timestamp::from_micros(in_force.plus_seconds(3_600).micros() - 1);
    refused_by(&ask(&mut book, 2), Rule::DestinationAllowlist, "known");
    book.now = in_force.plus_seconds(3_600);
    assert_eq!(ask(&mut book, 3).len(), 3);
    assert_eq!(self::ask(&mut book, 4, 1_000).len(), 3, "the old one never had to wait");
}

fn quote(book: &Book, minor_units: u128) -> Command {
    let (minor_units, at) = (Amount::new(minor_units), book.now);
    let quote = Quote { asset: LTC, reference: label("usd"), minor_units, at };
    let signature = sign(&price_key(), &statement::price(&quote));
    let Quote { asset, reference, minor_units, at } = quote;
    Command::QuotePrice(Quoted { asset, reference, minor_units, at, signature })
}

fn up_to_a_cent() -> PolicyRule {
    let step = Step { up_to: Amount::new(1), require: Vec::new(), delay_s: 0 };
    rule("small", Demand::Tiers { by: Measure::ReferenceValue, steps: vec![step] })
}

#[test]
fn a_stale_price_refuses_and_never_guesses() {
    let mut book = house([up_to_a_cent()]);
    refused_by(&ask(&mut book, 1, 1_000), Rule::AmountTier, "small (tiers): there is no price");
    book.put(quote(&book, 1)).unwrap();
    assert_eq!(requested(&ask(&mut book, 2, 1_000)).decision.priced.unwrap().value, Amount::new(1));
    book.wait(3_601);
    refused_by(&ask(&mut book, 3, 1_000), Rule::AmountTier, "small (tiers): the price");
}

#[test]
fn a_price_that_moves_changes_nothing_that_people_answered() {
    let mut book = house([up_to_a_cent()]);
    book.put(quote(&book, 1)).unwrap();
    book.signing(1, LTC_WALLET, 1_000);
    book.wait(10);
    book.put(quote(&book, 100_000_000)).unwrap();
    refused_by(&ask(&mut book, 2, 1_000), Rule::AmountTier, "small");
    book.authorised(1, 1).unwrap();
}

/// A hostile server writes another decision than the rules give, or about another moment.
#[test]
fn a_decision_that_the_rules_do_not_give_is_unlawful() {
    let mut book = house([two_a_day(), up_to_a_cent()]);
    book.put(quote(&book, 1)).unwrap();
    let honest = requested(&ask(&mut book.clone(), 1, 1_000));
    let stream = Stream::Transfer(transfer(1));
    let forge = |book: &Book, requested: &Requested| {
        book.forge(stream, TransferEvent::from(requested.clone()).into())
    };
    forge(&book, &honest).unwrap();
    let late = book.now.plus_seconds(61);
    let changes: [&dyn Fn(&mut Requested); 12] = [
        &|r| drop(r.decision.verdicts.pop()),
        &|r| r.decision.verdicts.swap(0, 1),
        &|r| "because I say so".clone_into(&mut r.decision.verdicts[0].because),
        &|r| drop(r.decision.verdicts[0].inputs.insert(label("more"), "x".to_owned())),
        &|r| r.decision.quorums.0[0].approvals = 1,
        &|r| r.decision.delay_s = 1,
        &|r| r.decision.priced = None,
        &|r| r.decision.policy_version += 1,
        &|r| r.decision.at = late,
        &|r| r.client = ClientId(Uuid::from_u128(0x99)),
        &|r| r.maker = BEN,
        &|r| r.at = r.at.plus_seconds(30),
    ];
    for (n, change) in changes.iter().enumerate() {
        let mut forged = honest.clone();
        change(&mut forged);
        assert!(forge(&book, &forged).is_err(), "change {n}");
    }
    // Honest about a moment, and the moment is too far from the entry's.
    let mut later = book.clone();
    later.now = late;
    assert!(forge(&later, &honest).is_err());
    // What the rules refuse can't be let pass.
    for n in [2, 3] {
        ask(&mut book, n, 1_000);
    }
    let mut full = requested(&ask(&mut book.clone(), 1, 1_000));
    assert!(full.proposal.is_none());
    forge(&book, &full).unwrap();
    assert!(forge(&book, &honest).is_err(), "decided before the limit was used up");
    for verdict in &mut full.decision.verdicts {
        verdict.passed = true;
    }
    full.proposal = Some(question(1));
    full.decision.quorums = honest.decision.quorums;
    assert!(forge(&book, &full).is_err());
}
