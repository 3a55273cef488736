//! Several transactions of one transfer: which may follow which, and which may be its end.

use super::*;
use crate::{
    Bytes, KeyId, Network, PersonId, SignerId, TransferId,
    deposit::BlockRef,
    policy::{PolicyDecisionV1, Quorum, RuleVerdictV1},
    scenario::given,
    transfer::{Approved, AttemptBroadcast, RequestedV1},
};
use uuid::Uuid;

const QUESTION: ProposalId = ProposalId(Uuid::from_u128(77));

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
    AttemptSigned { attempt, raw: Bytes(vec![2]), transaction: format!("id{attempt}") }
}

fn returned(returns: Returns, number: u32, fee: u128) -> ReturnAuthorised {
    ReturnAuthorised { returns, attempt: attempt(number, fee) }
}

fn cancel(number: u32, fee: u128) -> ReturnAuthorised {
    returned(Returns::Cancellation, number, fee)
}

fn child(parent: u32, number: u32, fee: u128) -> ReturnAuthorised {
    returned(Returns::Child { parent }, number, fee)
}

fn block() -> BlockRef {
    BlockRef { height: 1, hash: "h".to_owned() }
}

fn confirmed(attempt: u32, child: Option<u32>, fee: u128) -> Confirmed {
    let transaction = format!("id{attempt}");
    let (paid, fee) = (Amount::new(100), Amount::new(fee));
    Confirmed { attempt, child, transaction, block: block(), paid, fee }
}

fn abandoned(attempt: u32, fee: u128) -> Abandoned {
    let transaction = format!("id{attempt}");
    Abandoned { attempt, transaction, block: block(), fee: Amount::new(fee) }
}

fn wanted() -> AbandonmentApproved {
    AbandonmentApproved { proposal: QUESTION }
}

/// A payment of 100 with a fee cap of 10 that a node has for 4, and what came after.
fn stuck(more: Vec<TransferEvent>) -> Vec<TransferEvent> {
    let because = "because".to_owned();
    let verdicts = vec![RuleVerdictV1 { rule: Rule::DestinationAllowlist, passed: true, because }];
    let group = (6..8).map(|n| PersonId(Uuid::from_u128(n))).collect();
    let quorum = Some(Quorum { approvals: 2, group });
    let intent = Intent {
        transfer: TransferId(Uuid::from_u128(3)),
        account: crate::AccountId(Uuid::from_u128(4)),
        wallet: crate::WalletId(Uuid::from_u128(5)),
        asset: Network::LitecoinRegtest.native_asset(),
        amount: Amount::new(100),
        destination: "rltc1qexchange".parse().expect("an address"),
        fee_cap: Amount::new(10),
    };
    let requested = RequestedV1 {
        intent,
        maker: PersonId(Uuid::from_u128(1)),
        proposal: Some(ProposalId(Uuid::from_u128(2))),
        decision: PolicyDecisionV1 { policy_version: 1, verdicts, quorum },
    };
    let life: [TransferEvent; 5] = [
        requested.into(),
        Approved {}.into(),
        attempt(1, 4).into(),
        signed(1).into(),
        AttemptBroadcast { attempt: 1 }.into(),
    ];
    life.into_iter().chain(more).collect()
}

fn then(command: Command, more: Vec<TransferEvent>) -> Result<Vec<TransferEvent>, Rule> {
    let given = given::<Transfer>(stuck(more));
    crate::Aggregate::decide(given.is(), command).map_err(|refusal| refusal.rule)
}

#[test]
fn a_replacement_costs_more_than_all_that_it_replaces_and_no_more_than_the_cap() {
    let next = |number, fee| Command::Authorise(attempt(number, fee));
    assert_eq!(then(next(2, 4), vec![]), Err(Rule::AttemptState));
    assert_eq!(then(next(3, 5), vec![]), Err(Rule::AttemptState));
    assert_eq!(then(next(2, 11), vec![]), Err(Rule::FeeCap));
    assert_eq!(then(next(2, 5), vec![]), Ok(vec![attempt(2, 5).into()]));
    let twice = || vec![attempt(2, 5).into(), signed(2).into()];
    assert_eq!(then(next(3, 5), twice()), Err(Rule::AttemptState));
    assert_eq!(then(next(3, 6), twice()), Ok(vec![attempt(3, 6).into()]));
    // While the second is being signed other signers may be asked for the same.
    let once = vec![attempt(2, 5).into()];
    assert_eq!(then(next(3, 5), once), Ok(vec![attempt(3, 5).into()]));
}

#[test]
fn any_signed_attempt_may_be_the_end_and_the_event_names_it() {
    let confirm = |attempt, fee| Command::Confirm(confirmed(attempt, None, fee));
    let being_signed = || vec![attempt(2, 5).into()];
    // Only one was ever signed: as it always was.
    let fee = Amount::new(4);
    let first = ConfirmedV1 { attempt: 1, block: block(), paid: Amount::new(100), fee };
    assert_eq!(then(confirm(1, 4), being_signed()), Ok(vec![first.into()]));
    assert_eq!(then(confirm(2, 5), being_signed()), Err(Rule::AttemptState));
    let both = || vec![attempt(2, 5).into(), signed(2).into()];
    for (number, fee) in [(1, 4), (2, 5)] {
        let expected = confirmed(number, None, fee);
        assert_eq!(then(confirm(number, fee), both()), Ok(vec![expected.into()]));
    }
    // Its own fee, and its own name.
    assert_eq!(then(confirm(1, 5), both()), Err(Rule::FeeCap));
    let mut other = confirmed(1, None, 4);
    other.transaction = "id2".to_owned();
    assert_eq!(then(Command::Confirm(other), both()), Err(Rule::AttemptState));
}

#[test]
fn what_has_a_signed_attempt_never_fails_off_its_chain() {
    let fail = || Command::Fail { because: "no".to_owned(), abstentions: Vec::new() };
    assert_eq!(then(fail(), vec![]), Err(Rule::TransferState));
    assert_eq!(then(fail(), vec![attempt(2, 5).into()]), Err(Rule::TransferState));
    assert_eq!(then(fail(), vec![wanted().into(), cancel(2, 5).into()]), Err(Rule::TransferState));
}

#[test]
fn it_is_cancelled_by_its_quorum_or_where_others_wait_and_not_otherwise() {
    let command = |gap| Command::Return { returned: cancel(2, 5), gap };
    assert_eq!(then(command(false), vec![]), Err(Rule::TransferState));
    assert_eq!(then(command(true), vec![]), Ok(vec![cancel(2, 5).into()]));
    let agreed = || vec![wanted().into()];
    assert_eq!(then(command(false), agreed()), Ok(vec![cancel(2, 5).into()]));
    // It outbids what it cancels, within the cap.
    for (fee, rule) in [(4, Rule::AttemptState), (11, Rule::FeeCap)] {
        let command = Command::Return { returned: cancel(2, fee), gap: true };
        assert_eq!(then(command, vec![]), Err(rule));
    }
    // Nobody pays it after that, and nobody asks twice.
    let pay = Command::Authorise(attempt(2, 5));
    assert_eq!(then(pay, agreed()), Err(Rule::TransferState));
    let again = Command::ApproveAbandonment(wanted());
    assert_eq!(then(again, agreed()), Err(Rule::TransferState));
}

#[test]
fn a_cancelled_payment_ends_as_the_chain_says() {
    let cancelled = || vec![wanted().into(), cancel(2, 5).into(), signed(2).into()];
    let end = |number, fee| Command::Abandon(abandoned(number, fee));
    assert_eq!(then(end(2, 5), cancelled()), Ok(vec![abandoned(2, 5).into()]));
    assert_eq!(then(end(2, 6), cancelled()), Err(Rule::FeeCap));
    // The payment is no cancellation, and the reverse.
    assert_eq!(then(end(1, 4), cancelled()), Err(Rule::AttemptState));
    let confirm = |number| Command::Confirm(confirmed(number, None, 4));
    assert_eq!(then(confirm(2), cancelled()), Err(Rule::AttemptState));
    // It was too late.
    assert_eq!(then(confirm(1), cancelled()), Ok(vec![confirmed(1, None, 4).into()]));
    let over: Vec<_> = cancelled().into_iter().chain([abandoned(2, 5).into()]).collect();
    assert_eq!(then(confirm(1), over.clone()), Err(Rule::TransferState));
    assert_eq!(then(Command::Authorise(attempt(3, 6)), over), Err(Rule::TransferState));
}

#[test]
fn a_child_pays_with_its_parent_within_the_cap() {
    let command = |returned| Command::Return { returned, gap: false };
    assert_eq!(then(command(child(1, 2, 6)), vec![]), Ok(vec![child(1, 2, 6).into()]));
    assert_eq!(then(command(child(1, 2, 7)), vec![]), Err(Rule::FeeCap));
    // Of a signed payment only.
    assert_eq!(then(command(child(2, 2, 1)), vec![]), Err(Rule::AttemptState));
    let pulled = || vec![child(1, 2, 3).into(), signed(2).into()];
    assert_eq!(then(command(child(2, 3, 1)), pulled()), Err(Rule::AttemptState));
    // Another child takes the first one's place, for more.
    assert_eq!(then(command(child(1, 3, 3)), pulled()), Err(Rule::AttemptState));
    assert_eq!(then(command(child(1, 3, 4)), pulled()), Ok(vec![child(1, 3, 4).into()]));
    // A replacement outbids the payment; the child falls with it.
    let pay = Command::Authorise(attempt(3, 5));
    assert_eq!(then(pay, pulled()), Ok(vec![attempt(3, 5).into()]));
}

#[test]
fn a_payment_with_a_child_ends_with_it() {
    let pulled = || vec![child(1, 2, 3).into(), signed(2).into()];
    let confirm = |child, fee| Command::Confirm(confirmed(1, child, fee));
    assert_eq!(then(confirm(None, 4), pulled()), Err(Rule::AttemptState));
    assert_eq!(then(confirm(Some(3), 4), pulled()), Err(Rule::AttemptState));
    assert_eq!(then(confirm(Some(2), 8), pulled()), Err(Rule::FeeCap));
    assert_eq!(then(confirm(Some(2), 7), pulled()), Ok(vec![confirmed(1, Some(2), 7).into()]));
}

#[test]
fn a_raised_fee_cap_holds_from_then_on_and_the_approved_one_is_remembered() {
    let raise = |fee_cap| FeeCapRaised { proposal: QUESTION, fee_cap: Amount::new(fee_cap) };
    let command = |fee_cap| Command::RaiseFeeCap(raise(fee_cap));
    assert_eq!(then(command(10), vec![]), Err(Rule::FeeCap));
    assert_eq!(then(command(20), vec![]), Ok(vec![raise(20).into()]));
    let next = || Command::Authorise(attempt(2, 11));
    assert_eq!(then(next(), vec![]), Err(Rule::FeeCap));
    let raised = || vec![raise(20).into()];
    assert_eq!(then(next(), raised()), Ok(vec![attempt(2, 11).into()]));
    let given = given::<Transfer>(stuck(raised()));
    let asked = given.is().asked().expect("it is alive");
    assert_eq!(
        (asked.intent.fee_cap, asked.approved().fee_cap),
        (Amount::new(20), Amount::new(10))
    );
}
