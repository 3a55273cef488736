//! A transfer's life, step by step. Its part in a whole decision is tested in `tests/ledger`.

use super::*;
use crate::{
    AccountId, Bytes, KeyId, Network, SignerId, TransferId, WalletId,
    deposit::BlockRef,
    policy::{Quorum, RuleVerdictV1},
    scenario::given,
};
use uuid::Uuid;

const MAKER: PersonId = PersonId(Uuid::from_u128(1));
const PROPOSAL: ProposalId = ProposalId(Uuid::from_u128(2));

fn intent() -> Intent {
    Intent {
        transfer: TransferId(Uuid::from_u128(3)),
        account: AccountId(Uuid::from_u128(4)),
        wallet: WalletId(Uuid::from_u128(5)),
        asset: Network::LitecoinRegtest.native_asset(),
        amount: Amount::new(100),
        destination: "rltc1qexchange".parse().expect("an address"),
        fee_cap: Amount::new(10),
    }
}

fn decision(passed: bool) -> PolicyDecisionV1 {
    let because = "because".to_owned();
    let verdicts = vec![RuleVerdictV1 { rule: Rule::DestinationAllowlist, passed, because }];
    let group = (6..8).map(|n| PersonId(Uuid::from_u128(n))).collect();
    let quorum = passed.then_some(Quorum { approvals: 2, group });
    PolicyDecisionV1 { policy_version: 1, verdicts, quorum }
}

fn request(passed: bool) -> Command {
    let (intent, maker, proposal) = (intent(), MAKER, PROPOSAL);
    Command::Request { intent, maker, proposal, decision: decision(passed) }
}

fn requested(passed: bool) -> TransferEvent {
    let proposal = passed.then_some(PROPOSAL);
    RequestedV1 { intent: intent(), maker: MAKER, proposal, decision: decision(passed) }.into()
}

fn attempt(attempt: u32, fee: u128) -> AttemptAuthorised {
    AttemptAuthorised {
        attempt,
        unsigned: Bytes(vec![1]),
        fee: Amount::new(fee),
        key: KeyId(Uuid::from_u128(8)),
        signers: vec![SignerId(Uuid::from_u128(9))],
    }
}

fn signed(attempt: u32) -> AttemptSigned {
    AttemptSigned { attempt, raw: Bytes(vec![2]), transaction: "id".to_owned() }
}

fn block() -> BlockRef {
    BlockRef { height: 1, hash: "h".to_owned() }
}

fn confirmed(attempt: u32, paid: u128, fee: u128) -> Confirmed {
    let (paid, fee) = (Amount::new(paid), Amount::new(fee));
    let transaction = "id".to_owned();
    Confirmed { attempt, child: None, transaction, block: block(), paid, fee }
}

/// What is recorded of a transfer with one signed attempt.
fn confirmed_v1(attempt: u32, paid: u128, fee: u128) -> ConfirmedV1 {
    let (paid, fee) = (Amount::new(paid), Amount::new(fee));
    ConfirmedV1 { attempt, block: block(), paid, fee }
}

fn failed() -> TransferEvent {
    Failed { because: "gone".to_owned(), abstentions: Vec::new() }.into()
}

fn fail() -> Command {
    Command::Fail { because: "gone".to_owned(), abstentions: Vec::new() }
}

/// The events of an undisturbed life, of which a test takes the first so many.
fn life(steps: usize) -> Vec<TransferEvent> {
    let all = [
        requested(true),
        Approved {}.into(),
        attempt(1, 5).into(),
        signed(1).into(),
        AttemptBroadcast { attempt: 1 }.into(),
        confirmed_v1(1, 100, 5).into(),
    ];
    all.into_iter().take(steps).collect()
}

#[test]
fn what_the_policy_forbids_is_recorded_as_refused() {
    given::<Transfer>([]).when(request(true)).then([requested(true)]);
    let because = "because".to_owned();
    let refused = Refused { rule: Rule::DestinationAllowlist, because };
    let over = given::<Transfer>([]).when(request(false)).then([requested(false), refused.into()]);
    assert_eq!(over, Transfer::Closed(Closed::Refused));
    given::<Transfer>(life(1)).when(request(true)).then_refused(Rule::IdTaken);
}

#[test]
fn a_transfer_of_nothing_is_none() {
    let Command::Request { mut intent, maker, proposal, decision } = request(true) else { return };
    intent.amount = Amount::ZERO;
    given::<Transfer>([])
        .when(Command::Request { intent, maker, proposal, decision })
        .then_refused(Rule::AmountInvalid);
}

#[test]
fn every_step_waits_for_the_one_before() {
    let steps: [(usize, fn() -> Command); 5] = [
        (1, || Command::Approve),
        (2, || Command::Authorise(attempt(1, 5))),
        (3, || Command::RecordSigned(signed(1))),
        (4, || Command::RecordBroadcast { attempt: 1 }),
        (4, || Command::Confirm(confirmed(1, 100, 5))),
    ];
    for (needs, command) in steps {
        for before in 0..needs {
            given::<Transfer>(life(before)).when(command()).then_refused(Rule::TransferState);
        }
        assert!(given::<Transfer>(life(needs)).is().decide(command()).is_ok());
        given::<Transfer>(life(6)).when(command()).then_refused(Rule::TransferState);
    }
}

#[test]
fn the_first_attempt_is_1_and_each_keeps_to_the_fee_cap() {
    let authorise = |n, fee| Command::Authorise(attempt(n, fee));
    given::<Transfer>(life(2)).when(authorise(2, 5)).then_refused(Rule::AttemptState);
    given::<Transfer>(life(2)).when(authorise(1, 11)).then_refused(Rule::FeeCap);
    given::<Transfer>(life(3)).when(authorise(1, 5)).then_nothing();
    given::<Transfer>(life(3)).when(authorise(1, 6)).then_refused(Rule::AttemptState);
    given::<Transfer>(life(3)).when(authorise(2, 11)).then_refused(Rule::FeeCap);
    given::<Transfer>(life(3)).when(authorise(2, 10)).then([attempt(2, 10).into()]);
    for steps in [4, 5] {
        // What replaces a signed one costs more.
        given::<Transfer>(life(steps)).when(authorise(2, 5)).then_refused(Rule::AttemptState);
        given::<Transfer>(life(steps)).when(authorise(2, 6)).then([attempt(2, 6).into()]);
    }
    given::<Transfer>(life(6)).when(authorise(2, 6)).then_refused(Rule::TransferState);
    given::<Transfer>(life(6)).cannot_be_followed_by(attempt(2, 10));
}

#[test]
fn a_refusal_counts_for_the_current_attempt_once() {
    let refusal = |attempt| AttemptRefused {
        attempt,
        signer: SignerId(Uuid::from_u128(9)),
        rule: Rule::SignerPolicy,
        because: "because".to_owned(),
    };
    let record = |attempt| Command::RecordRefusal(refusal(attempt));
    given::<Transfer>(life(3)).when(record(2)).then_refused(Rule::AttemptState);
    let once = given::<Transfer>(life(3)).when(record(1)).then([refusal(1).into()]);
    assert_eq!(once.decide(record(1)), Ok(vec![]));
}

#[test]
fn what_is_final_is_what_was_asked_within_its_fee_cap() {
    for steps in [4, 5] {
        let confirm = |attempt, paid, fee| Command::Confirm(confirmed(attempt, paid, fee));
        given::<Transfer>(life(steps)).when(confirm(1, 99, 5)).then_refused(Rule::AmountInvalid);
        given::<Transfer>(life(steps)).when(confirm(1, 100, 11)).then_refused(Rule::FeeCap);
        given::<Transfer>(life(steps)).when(confirm(2, 100, 5)).then_refused(Rule::AttemptState);
        given::<Transfer>(life(steps))
            .when(confirm(1, 100, 10))
            .then([confirmed_v1(1, 100, 10).into()]);
    }
}

#[test]
fn a_transfer_fails_before_its_signature_or_on_its_chain() {
    let on_chain = |attempt, fee| Command::FailOnChain {
        attempt,
        fee: Amount::new(fee),
        because: "gone".to_owned(),
    };
    for steps in [2, 3] {
        given::<Transfer>(life(steps)).when(fail()).then([failed()]);
        given::<Transfer>(life(steps)).when(on_chain(1, 1)).then_refused(Rule::TransferState);
    }
    for steps in [4, 5] {
        given::<Transfer>(life(steps)).when(fail()).then_refused(Rule::TransferState);
        given::<Transfer>(life(steps)).when(on_chain(2, 1)).then_refused(Rule::AttemptState);
        given::<Transfer>(life(steps)).when(on_chain(1, 11)).then_refused(Rule::FeeCap);
        given::<Transfer>(life(steps)).when(on_chain(1, 10)).then([failed()]);
    }
    given::<Transfer>(life(1)).when(fail()).then_refused(Rule::TransferState);
}

#[test]
fn nobody_takes_back_what_signers_may_have_heard_of() {
    let cancel = |by| Command::Cancel { by };
    for steps in [1, 2] {
        given::<Transfer>(life(steps)).when(cancel(MAKER)).then([Cancelled {}.into()]);
        given::<Transfer>(life(steps)).when(Command::Expire).then([Expired {}.into()]);
        let other = PersonId(Uuid::from_u128(99));
        given::<Transfer>(life(steps)).when(cancel(other)).then_refused(Rule::NotTheMaker);
    }
    given::<Transfer>(life(1)).when(Command::Reject).then([Rejected {}.into()]);
    given::<Transfer>(life(2)).when(Command::Reject).then_refused(Rule::TransferState);
    for steps in 3..=6 {
        given::<Transfer>(life(steps)).when(cancel(MAKER)).then_refused(Rule::TransferState);
        given::<Transfer>(life(steps)).when(Command::Expire).then_refused(Rule::TransferState);
    }
}
