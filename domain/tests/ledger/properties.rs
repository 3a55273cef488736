//! What holds whatever is asked, in whatever order, by whomever. [`Book`] itself checks after
//! every accepted command that the audit agrees, debits equal credits, no account is overdrawn,
//! nobody counts twice, and no coin or account nonce is set aside twice.

use crate::{asks::*, book::*, fixed, names::*};
use proptest::prelude::*;
use std::{collections::BTreeSet, sync::OnceLock};
use strongroom_domain::{
    Amount, Command, Event, PersonId, ProposalId, Recorded, Rule, State, Stream, WalletId,
    policy::PolicyV1,
    proposal::ProposalEvent,
    statement::Answer,
    transfer::{AttemptRefused, RequestedV1, Transfer, TransferEvent},
};
use uuid::Uuid;

const POLICY_QUESTION: ProposalId = ProposalId(Uuid::from_u128(0x9a));

/// One thing that somebody tries.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    /// What would come next for a transfer if nothing went wrong.
    Advance(u8),
    Arrive(bool, u8, u128),
    Credit(bool, u8),
    Reorganise(bool, u8),
    Ask(u8, bool, u128, PersonId),
    Answer(u8, PersonId, bool),
    Forge(u8, PersonId, PersonId),
    Cancel(u8, PersonId),
    Expire(u8),
    Attempt(u8, u32),
    Steal(u8, u8),
    Refuse(u8, u32),
    Sign(u8, u32),
    Broadcast(u8, u32),
    Confirm(u8, u32, bool),
    Fail(u8),
    FailOnChain(u8, u32),
    AskPolicy(u8),
    AnswerPolicy(PersonId, bool),
    CancelPolicy,
}

fn person() -> impl Strategy<Value = PersonId> {
    proptest::sample::select(vec![ANN, BEN, CAT, ANN, BEN, CAT, DAN, MAKER, AUDITOR])
}

/// Small numbers, so that steps meet.
fn step() -> impl Strategy<Value = Step> {
    let n = || 1_u8..5;
    let attempt = || prop_oneof![4 => Just(1_u32), 2 => Just(2), 1 => Just(3)];
    prop_oneof![
        1 => prop_oneof![6 => 1_u64..600, 1 => 3_000_u64..5_000].prop_map(Step::Wait),
        3 => (any::<bool>(), n(), 1_u128..2_000_000).prop_map(|(w, n, a)| Step::Arrive(w, n, a)),
        3 => (any::<bool>(), n()).prop_map(|(wallet, n)| Step::Credit(wallet, n)),
        2 => (any::<bool>(), n()).prop_map(|(wallet, n)| Step::Reorganise(wallet, n)),
        12 => n().prop_map(Step::Advance),
        6 => (n(), any::<bool>(), 0_u128..1_500_000,
            prop_oneof![5 => Just(MAKER), 2 => Just(ANN), 1 => Just(BEN)])
            .prop_map(|(n, wallet, amount, maker)| Step::Ask(n, wallet, amount, maker)),
        14 => (n(), person(), prop::bool::weighted(0.85))
            .prop_map(|(n, who, yes)| Step::Answer(n, who, yes)),
        2 => (n(), person(), person()).prop_map(|(n, who, with)| Step::Forge(n, who, with)),
        1 => (n(), person()).prop_map(|(n, who)| Step::Cancel(n, who)),
        1 => n().prop_map(Step::Expire),
        7 => (n(), attempt()).prop_map(|(n, attempt)| Step::Attempt(n, attempt)),
        1 => (n(), n()).prop_map(|(n, from)| Step::Steal(n, from)),
        1 => (n(), attempt()).prop_map(|(n, attempt)| Step::Refuse(n, attempt)),
        4 => (n(), attempt()).prop_map(|(n, attempt)| Step::Sign(n, attempt)),
        2 => (n(), attempt()).prop_map(|(n, attempt)| Step::Broadcast(n, attempt)),
        4 => (n(), attempt(), prop::bool::weighted(0.9))
            .prop_map(|(n, attempt, right)| Step::Confirm(n, attempt, right)),
        2 => n().prop_map(Step::Fail),
        1 => (n(), attempt()).prop_map(|(n, attempt)| Step::FailOnChain(n, attempt)),
        1 => (0_u8..3).prop_map(Step::AskPolicy),
        2 => (person(), any::<bool>()).prop_map(|(who, yes)| Step::AnswerPolicy(who, yes)),
        1 => Just(Step::CancelPolicy),
    ]
}

fn wallet(is_coins: bool) -> WalletId {
    if is_coins { LTC_WALLET } else { ETH_WALLET }
}

fn word(yes: bool) -> Answer {
    if yes { Answer::Approve } else { Answer::Decline }
}

fn other_policy(book: &Book, which: u8) -> PolicyV1 {
    let mut policy = standing_policy(book);
    policy.version += 1;
    match which {
        0 => policy.tiers[0].quorum = quorum(3, &[ANN, BEN, CAT]),
        1 => policy.tiers[0].quorum = quorum(2, &[ANN, BEN, CAT, DAN]),
        _ => drop(policy.destinations.pop()),
    }
    policy
}

fn next(book: &Book, n: u8) -> Option<Command> {
    let known = book.state.transfers.get(&transfer(n))?;
    let attempt = known.attempts().map_or(1, |attempts| attempts.current.attempt);
    match known {
        Transfer::Unknown | Transfer::Closed(_) => None,
        Transfer::AwaitingApproval(_) => {
            let answers = book.state.proposals[&question(n)].answers()?;
            let who = [ANN, BEN, CAT]
                .into_iter()
                .find(|who| *who != answers.opened.maker && !answers.approvals.contains_key(who))?;
            Some(book.answer(question(n), who, Answer::Approve))
        }
        Transfer::Approved(_) => Some(book.attempt(n, 1)),
        Transfer::Signing(_) => Some(signed(n, attempt)),
        Transfer::Signed(_) => Some(broadcast(n, attempt)),
        Transfer::Broadcast(_) => command(book, Step::Confirm(n, attempt, true)),
    }
}

fn command(book: &Book, step: Step) -> Option<Command> {
    Some(match step {
        Step::Wait(_) => return None,
        Step::Advance(n) => return next(book, n),
        Step::Arrive(coins, n, amount) => {
            let (deposit, seen) = seen(wallet(coins), n, amount);
            Command::SeeDeposit { deposit, seen }
        }
        Step::Credit(coins, n) => {
            let (deposit, _) = seen(wallet(coins), n, 1);
            Command::CreditDeposit { deposit, confirmations: 3 }
        }
        Step::Reorganise(coins, n) => {
            Command::ReorganiseDeposit { deposit: seen(wallet(coins), n, 1).0 }
        }
        Step::Ask(n, coins, amount, maker) => Command::RequestTransfer {
            intent: intent(n, wallet(coins), amount),
            proposal: question(n),
            maker,
            expires_at: book.in_an_hour(),
        },
        Step::Answer(n, who, yes) => book.answer(question(n), who, word(yes)),
        Step::Forge(n, who, with) => {
            let text = book.statement(question(n), who, Answer::Approve);
            Command::AnswerProposal {
                proposal: question(n),
                answer: Answer::Approve,
                approver: who,
                key: public(&key_of(who.0)),
                evidence: strongroom_domain::approval_key::Evidence::Signature {
                    signature: sign(&key_of(with.0), &text),
                },
            }
        }
        Step::Cancel(n, by) => Command::CancelProposal { proposal: question(n), by },
        Step::Expire(n) => Command::ExpireProposal { proposal: question(n) },
        Step::Attempt(n, attempt) => book.attempt(n, attempt),
        Step::Steal(n, from) => {
            let Command::AuthoriseAttempt { spends, .. } = book.attempt(from, 1) else {
                unreachable!()
            };
            let Command::AuthoriseAttempt { transfer, attempt, .. } = book.attempt(n, 1) else {
                unreachable!()
            };
            Command::AuthoriseAttempt { transfer, attempt, spends }
        }
        Step::Refuse(n, attempt) => {
            let (rule, because) = (Rule::SignerClock, "its clock strays".to_owned());
            let refused = AttemptRefused { attempt, signer: signer(1), rule, because };
            Command::RecordRefusal { transfer: transfer(n), refused }
        }
        Step::Sign(n, attempt) => signed(n, attempt),
        Step::Broadcast(n, attempt) => broadcast(n, attempt),
        Step::Confirm(n, attempt, right) => {
            let asked = book.state.transfers.get(&transfer(n)).and_then(|known| known.asked());
            let paid = asked.map_or(1, |asked| asked.intent.amount.units());
            let change = asked.filter(|asked| asked.intent.wallet == LTC_WALLET).map(|_| 7_000);
            confirm(n, attempt, if right { paid } else { paid + 1 }, change)
        }
        Step::Fail(n) => book.fail(n),
        Step::FailOnChain(n, attempt) => fail_on_chain(n, attempt),
        Step::AskPolicy(which) => Command::ProposePolicy {
            proposal: POLICY_QUESTION,
            policy: other_policy(book, which),
            maker: MAKER,
            expires_at: book.in_an_hour(),
        },
        Step::AnswerPolicy(who, yes) => book.answer(POLICY_QUESTION, who, word(yes)),
        Step::CancelPolicy => Command::CancelProposal { proposal: POLICY_QUESTION, by: MAKER },
    })
}

/// Who approved a transfer, and what was asked, read from the bare events.
fn approvals(history: &[Recorded], n: u8) -> (Option<&RequestedV1>, BTreeSet<PersonId>) {
    let mut requested = None;
    let mut approvers = BTreeSet::new();
    for recorded in history {
        match (recorded.stream, &recorded.event) {
            (Stream::Transfer(id), Event::Transfer(TransferEvent::RequestedV1(asked)))
                if id == transfer(n) =>
            {
                requested = Some(asked);
            }
            (Stream::Proposal(id), Event::Proposal(ProposalEvent::ApprovedV1(by)))
                if id == question(n) =>
            {
                assert!(approvers.insert(by.approver), "{} is in the log twice", by.approver);
            }
            _ => {}
        }
    }
    (requested, approvers)
}

/// A signer that is asked for anything signs only what enough distinct people approved.
fn check_signers_view(book: &Book) {
    for n in 1..5 {
        for attempt in 1..4 {
            if book.authorised(n, attempt).is_err() {
                continue;
            }
            let (requested, mut approvers) = approvals(&book.history, n);
            let requested = requested.expect("it was asked for");
            approvers.remove(&requested.maker);
            let asked = requested.decision.quorum.as_ref().expect("the policy allowed it");
            let policy = standing_policy(book);
            let today = policy.evaluate(&requested.intent).quorum.expect("it still does");
            for quorum in [asked, &today] {
                let counted = approvers.intersection(&quorum.group).count();
                assert!(counted >= usize::from(quorum.approvals), "no quorum for {n}");
            }
        }
    }
}

fn furnished() -> Book {
    static BOOK: OnceLock<Book> = OnceLock::new();
    BOOK.get_or_init(Book::funded).clone()
}

fn run(steps: Vec<Step>) -> Book {
    let mut book = furnished();
    for step in steps {
        if let Step::Wait(seconds) = step {
            book.wait(seconds);
        } else if let Some(command) = command(&book, step) {
            let before = book.history.len();
            if book.put(command).is_err() {
                assert_eq!(book.history.len(), before, "a refusal changes nothing");
            }
            check_signers_view(&book);
        }
    }
    book
}

proptest! {
    #![proptest_config(fixed(96))]

    #[test]
    fn no_order_of_commands_breaks_a_rule(steps in prop::collection::vec(step(), 1..120)) {
        let book = run(steps);
        let mut replayed = State::default();
        for recorded in &book.history {
            replayed.evolve(recorded).unwrap();
        }
        prop_assert_eq!(&replayed, &book.state);
        prop_assert_eq!(replayed.digest().unwrap(), book.state.digest().unwrap());
        prop_assert_eq!(book.audited.state().digest().unwrap(), book.state.digest().unwrap());
    }

    #[test]
    fn no_order_of_requests_overdraws_an_account(
        amounts in prop::collection::vec((any::<bool>(), 0_u128..1_200_000), 1..12),
    ) {
        let mut book = furnished();
        let mut asked = [0_u128; 2];
        for (n, (coins, amount)) in (1..).zip(amounts) {
            let held = book.put(book.request(n, wallet(coins), amount)).is_ok_and(|events| events.len() == 3);
            if held {
                asked[usize::from(coins)] += amount + 1_000;
            }
        }
        for (account, asked) in [ETH_ACCOUNT, LTC_ACCOUNT].into_iter().zip(asked) {
            let claim = book.state.accounts[&account].claim().unwrap();
            prop_assert!(asked <= 1_800_000);
            prop_assert_eq!(claim.available(), Amount::new(1_800_000 - asked));
        }
    }
}

/// The steps above reach every end of a transfer, or the properties would say little.
#[test]
fn the_random_steps_reach_every_end() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut ends = BTreeSet::new();
    for _ in 0..40 {
        let steps =
            prop::collection::vec(step(), 100..120).new_tree(&mut runner).unwrap().current();
        let book = run(steps);
        ends.extend(book.state.transfers.values().map(Transfer::name));
    }
    for end in ["refused", "rejected", "cancelled", "expired", "failed", "confirmed", "signing"] {
        assert!(ends.contains(end), "none was {end}: {ends:?}");
    }
}
