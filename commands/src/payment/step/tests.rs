//! Every state of a transfer, every answer of a signer, every setback.

use super::*;
use std::collections::BTreeMap;
use strongroom_domain::{
    Address, Amount, Bytes, Digest, Head, Intent, KeyId, Network, PersonId, TransferId, WalletId,
    key::Confirmed,
    transfer::{Asked, AttemptAuthorised, Attempts, Closed},
};
use strongroom_nodes::BlockHash;
use uuid::Uuid;

const A: SignerId = SignerId(Uuid::from_u128(1));
const B: SignerId = SignerId(Uuid::from_u128(2));
const C: SignerId = SignerId(Uuid::from_u128(3));
const HOLDERS: [SignerId; 3] = [A, B, C];

fn asked() -> Asked {
    let destination: Address = "rltc1qnobody".parse().unwrap();
    Asked {
        intent: Intent {
            transfer: TransferId(Uuid::from_u128(9)),
            account: strongroom_domain::AccountId(Uuid::from_u128(8)),
            wallet: WalletId(Uuid::from_u128(7)),
            asset: Network::LitecoinRegtest.native_asset(),
            amount: Amount::new(1),
            destination,
            fee_cap: Amount::new(1),
        },
        maker: PersonId(Uuid::from_u128(6)),
        proposal: None,
        at: None,
        client: None,
        delay_s: 0,
        approved_at: None,
        priced: None,
        sweep: None,
        approved_fee_cap: Amount::new(1),
    }
}

fn attempts() -> Attempts {
    let current = AttemptAuthorised {
        attempt: 1,
        unsigned: Bytes::default(),
        fee: Amount::ZERO,
        key: KeyId(Uuid::from_u128(5)),
        signers: vec![A, B],
    };
    Attempts {
        partials: std::collections::BTreeMap::new(),
        asked: asked(),
        current,
        returns: None,
        refused: BTreeSet::new(),
        signed: None,
        complete: BTreeMap::new(),
        superseded: BTreeMap::new(),
        abandoned_by: None,
    }
}

#[test]
fn every_state_of_a_transfer_has_its_step() {
    let steps = [
        (Transfer::Unknown, Step::NotYet),
        (Transfer::AwaitingApproval(asked()), Step::NotYet),
        (Transfer::Approved(asked()), Step::Plan),
        (Transfer::Signing(attempts()), Step::Sign),
        (Transfer::Signed(attempts()), Step::Submit),
        (Transfer::Broadcast(attempts()), Step::Watch),
    ];
    for (transfer, step) in steps {
        assert_eq!(Step::of(&transfer), step, "{}", transfer.name());
    }
    for closed in [
        Closed::Refused,
        Closed::Rejected,
        Closed::Cancelled,
        Closed::Expired,
        Closed::Failed,
        Closed::Confirmed,
        Closed::Abandoned,
        Closed::Stopped,
    ] {
        assert_eq!(Step::of(&Transfer::Closed(closed)), Step::Over);
    }
}

#[test]
fn a_refusal_is_recorded_unless_it_passes_or_is_about_the_log() {
    for rule in Rule::ALL {
        let refusal = Refusal::new(*rule, "because");
        let found = trouble(A, Reply::Refused(refusal.clone()));
        let again = [
            Rule::SignerLogBehind,
            Rule::SignerNotCovered,
            Rule::SignerProtocol,
            Rule::SignerClock,
            Rule::TransferState,
            Rule::AttemptState,
            Rule::Frozen,
            Rule::TimeLock,
            Rule::SignerQuarantined,
        ];
        let log = [
            Rule::LogUnlawful,
            Rule::SignerLogFork,
            Rule::SignerGenesis,
            Rule::SignerCharter,
            Rule::SignerCheckpoint,
        ];
        if again.contains(rule) {
            assert!(matches!(found, Trouble::Again(_)), "{rule}");
        } else if log.contains(rule) {
            assert!(matches!(found, Trouble::Away(_)), "{rule}");
        } else {
            assert_eq!(found, Trouble::Refused(refusal));
        }
    }
}

#[test]
fn what_a_signer_says_of_itself_is_believed_and_another_answer_proves_nothing() {
    let because = || "because".to_owned();
    let unavailable = Reply::Unavailable { because: because() };
    assert_eq!(trouble(A, unavailable), Trouble::Away(because()));
    let damaged = Reply::Corrupt { because: because(), culprit: None };
    assert!(matches!(trouble(A, damaged), Trouble::Away(_)), "a damaged disk proves nothing");
    let corrupt = Reply::Corrupt { because: because(), culprit: Some(B) };
    let abort = Trouble::Abort { because: because(), culprit: Some(B) };
    assert_eq!(trouble(A, corrupt), abort);
    let (signer, public_key, public_package) = (A, Bytes::default(), Bytes::default());
    let confirmed = Confirmed { signer, public_key, public_package, signature: Bytes::default() };
    for reply in [
        Reply::Status { signer: A, genesis: Some(Digest::default()), head: Head::default() },
        Reply::RoundOne { package: Bytes::default() },
        Reply::RoundTwo { sealed: Vec::new() },
        Reply::Confirmed { confirmed },
        Reply::Committed { session: Bytes::default(), commitments: Vec::new() },
        Reply::Shares { shares: Vec::new() },
        Reply::Signatures { signatures: Vec::new() },
    ] {
        let found = trouble(A, reply);
        assert!(matches!(found, Trouble::Away(_)), "{found:?}");
    }
}

/// Every subset of the three holders.
fn subsets() -> impl Iterator<Item = BTreeSet<SignerId>> {
    (0..8_u8).map(|bits| {
        let holders = HOLDERS.iter().enumerate();
        holders.filter(|(place, _)| bits & (1 << place) != 0).map(|(_, id)| *id).collect()
    })
}

/// Every setback that a 2-of-3 key and a token's key can meet.
fn setbacks(look: impl Fn(Setback<'_>, Next)) {
    let sets: Vec<_> = subsets().collect();
    for (holders, threshold, current) in
        [(&HOLDERS[..], 2, &[A, B][..]), (&HOLDERS[..], 2, &[A, C][..]), (&[A][..], 1, &[A][..])]
    {
        for refused in &sets {
            for live in &sets {
                for away in &sets {
                    for (tries, complete, over) in [
                        (1, false, false),
                        (2, false, false),
                        (9, false, false),
                        (1, true, false),
                        (9, true, false),
                        (9, false, true),
                        (9, true, true),
                    ] {
                        let setback = Setback {
                            holders,
                            threshold,
                            current,
                            refused,
                            live,
                            away,
                            tries,
                            complete,
                            over,
                        };
                        look(setback, after(setback));
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_fails_past_the_pivot_nor_while_enough_holders_are_willing() {
    setbacks(|of, next| {
        let willing = of.holders.iter().filter(|id| !of.refused.contains(id)).count();
        let hopeless = willing < of.threshold;
        let fails = matches!(next, Next::Fail(_));
        if of.over && fails {
            let able = |id: &&SignerId| {
                of.live.contains(*id) && !of.refused.contains(*id) && !of.away.contains(*id)
            };
            let able = of.holders.iter().filter(able).count();
            assert!(!of.complete && able < of.threshold, "{of:?}: {next:?}");
        } else {
            assert_eq!(fails, hopeless && !of.complete, "{of:?}: {next:?}");
        }
        if hopeless && of.complete {
            assert!(matches!(next, Next::Wait(_)), "{of:?}: {next:?}");
        }
    });
}

#[test]
fn a_further_attempt_names_other_signers_who_can_and_will() {
    setbacks(|of, next| {
        if let Next::Attempt(signers) = &next {
            assert_eq!(signers.len(), of.threshold, "{of:?}");
            let fit = |id: &SignerId| {
                of.holders.contains(id)
                    && of.live.contains(id)
                    && !of.refused.contains(id)
                    && !of.away.contains(id)
            };
            assert!(signers.iter().all(fit), "{of:?}: {signers:?}");
            assert_ne!(signers, of.current, "{of:?}");
        }
    });
}

#[test]
fn nobody_who_refused_or_is_gone_is_asked_again() {
    setbacks(|of, next| {
        if next == Next::Again {
            let fit = |id: &SignerId| of.live.contains(id) && !of.refused.contains(id);
            assert!(of.current.iter().all(fit), "{of:?}");
        }
    });
}

#[test]
fn a_signer_that_stays_away_is_replaced_as_soon_as_the_grace_is_over() {
    let (nobody, live) = (BTreeSet::new(), BTreeSet::from([A, C]));
    let setback = |tries| Setback {
        holders: &HOLDERS,
        threshold: 2,
        current: &[A, B],
        refused: &nobody,
        live: &live,
        away: &nobody,
        tries,
        complete: false,
        over: false,
    };
    assert!(matches!(after(setback(1)), Next::Wait(_)));
    assert_eq!(after(setback(2)), Next::Attempt(vec![A, C]));
    let alone = BTreeSet::from([A]);
    let waits = after(Setback { live: &alone, ..setback(9) });
    assert_eq!(
        waits,
        Next::Wait(
            "2 holders of the key must sign, 1 of the willing ones can be reached".to_owned()
        )
    );
}

#[test]
fn nobody_is_waited_for_once_the_approval_is_over() {
    let (refused, live, nobody) = (BTreeSet::from([A]), BTreeSet::from([A, C]), BTreeSet::new());
    let setback = |over| Setback {
        holders: &HOLDERS,
        threshold: 2,
        current: &[A, B],
        refused: &refused,
        live: &live,
        away: &nobody,
        tries: 2,
        complete: false,
        over,
    };
    assert!(matches!(after(setback(false)), Next::Wait(_)));
    assert!(matches!(after(setback(true)), Next::Fail(_)));
}

#[test]
fn a_refusal_needs_no_grace() {
    let (refused, live, nobody) =
        (BTreeSet::from([B]), HOLDERS.into_iter().collect(), BTreeSet::new());
    let next = after(Setback {
        holders: &HOLDERS,
        threshold: 2,
        current: &[A, B],
        refused: &refused,
        live: &live,
        away: &nobody,
        tries: 1,
        complete: false,
        over: false,
    });
    assert_eq!(next, Next::Attempt(vec![A, C]));
}

#[test]
fn the_first_attempt_waits_for_enough_holders() {
    for live in subsets() {
        let found = first_signers(&HOLDERS, 2, &live);
        assert_eq!(found.is_some(), live.len() >= 2, "{live:?}");
        let chosen: Vec<_> = HOLDERS.iter().filter(|id| live.contains(id)).take(2).collect();
        assert!(found.is_none_or(|found| found.iter().eq(chosen)));
    }
}

fn in_block(height: u64, confirmations: u64, succeeded: bool) -> Inclusion {
    let block = BlockHash::from_printed_bytes([1; 32]);
    Inclusion { height, block, confirmations, succeeded }
}

#[test]
fn a_transaction_is_final_only_when_it_is_deep_enough() {
    assert_eq!(sighting(TransactionStatus::Unknown, 1), Sighting::Missing);
    assert_eq!(sighting(TransactionStatus::InMempool, 1), Sighting::Wait { height: 0 });
    for (required, confirmations) in [(1, 1), (6, 6), (6, 7)] {
        let good = in_block(100, confirmations, true);
        assert_eq!(sighting(TransactionStatus::InBlock(good), required), Sighting::Final(good));
        let bad = in_block(100, confirmations, false);
        let failed = Sighting::FailedOnChain(bad);
        assert_eq!(sighting(TransactionStatus::InBlock(bad), required), failed);
    }
    // One that failed in a block that may still go is not failed yet.
    for succeeded in [true, false] {
        let status = TransactionStatus::InBlock(in_block(100, 5, succeeded));
        assert_eq!(sighting(status, 6), Sighting::Wait { height: 105 });
    }
}

#[test]
fn of_a_pool_another_member_is_asked_at_once() {
    let (nobody, all) = (BTreeSet::new(), HOLDERS.into_iter().collect());
    let away = BTreeSet::from([A]);
    let setback = Setback {
        holders: &HOLDERS,
        threshold: 1,
        current: &[A],
        refused: &nobody,
        live: &all,
        away: &away,
        tries: 1,
        complete: false,
        over: false,
    };
    assert_eq!(after(setback), Next::Attempt(vec![B]));
    let (well, none) = (BTreeSet::from([C]), BTreeSet::new());
    assert_eq!(after(Setback { live: &well, ..setback }), Next::Attempt(vec![C]));
    assert!(matches!(after(Setback { live: &none, ..setback }), Next::Wait(_)));
    // A member that only has to read further is no reason to ask another one.
    assert_eq!(after(Setback { away: &nobody, ..setback }), Next::Again);
}
