//! Questions and their answers, on one small history.

use crate::{
    histories::house,
    world::{APPROVERS, CLIENT, ETH, LTC, MAKER, World, question, signer, transfer},
};
use strongroom_domain::{
    Amount, Bytes, Command, Rule, Stream, proposal::Subject, statement::Answer,
    transfer::AttemptSigned,
};
use strongroom_projections::{
    Decided, DepositFilter, DepositState, KeyState, Page, Projections, ProposalFilter,
    ProposalState, SubjectKind, TransferFilter, TransferState, View,
};

/// Transfer 1 is final, 2 waits for answers, 3 was refused by the policy, 4 failed.
async fn told() -> World {
    let mut world = house().await;
    for (side, n) in [(LTC, 1), (ETH, 2), (LTC, 3)] {
        world.see(side, n, 500_000).await.unwrap();
        world.credit(side, n).await.unwrap();
    }
    world.see(ETH, 9, 1).await.unwrap();
    let intent = world.intent(LTC, 1, 100_000, 1_000);
    world.request(intent, 1).await.unwrap();
    world.answer(question(1), 0, Answer::Approve).await.unwrap();
    world.answer(question(1), 1, Answer::Approve).await.unwrap();
    world.authorise(1, 1, Bytes(vec![1]), 900).await.unwrap();
    world.refuse(1, 1, 1).await.unwrap();
    let transaction = "ab".repeat(32);
    let signed = AttemptSigned { attempt: 1, raw: Bytes(vec![7]), transaction };
    world.act(Command::RecordSigned { transfer: transfer(1), signed }).await.unwrap();
    world.act(Command::RecordBroadcast { transfer: transfer(1), attempt: 1 }).await.unwrap();
    world.confirm(1, 100_000, 700, 399_300).await.unwrap();
    let intent = world.intent(ETH, 2, 7, 3);
    world.request(intent, 2).await.unwrap();
    world.answer(question(2), 2, Answer::Decline).await.unwrap();
    let mut intent = world.intent(LTC, 3, 7, 3);
    intent.destination = "lstranger".parse().unwrap();
    world.request(intent, 3).await.unwrap();
    let intent = world.intent(LTC, 4, 9, 1);
    world.request(intent, 4).await.unwrap();
    world.answer(question(4), 0, Answer::Approve).await.unwrap();
    world.answer(question(4), 2, Answer::Approve).await.unwrap();
    let because = "no signer answers".to_owned();
    world
        .act(Command::FailTransfer { transfer: transfer(4), because, abstentions: Vec::new() })
        .await
        .unwrap();
    world
}

/// The tables, and the directory that they are in.
async fn asked() -> (World, Projections, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let world = told().await;
    let projections = Projections::open(directory.path().join("read.db")).unwrap();
    let run = projections.clone();
    let log = world.reader();
    let running = tokio::spawn(async move { run.run(log).await });
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_mins(1);
    projections.wait_for(world.state.head.position, deadline).await.unwrap();
    running.abort();
    (world, projections, directory)
}

const ALL: Page = Page::oldest(100);

#[tokio::test]
async fn a_transfer_tells_its_whole_story() {
    let (_, projections, _directory) = asked().await;
    let story = projections.read(|view| view.transfer_story(transfer(1))).await.unwrap().unwrap();
    let row = &story.transfer;
    assert_eq!(row.state, TransferState::Confirmed);
    assert_eq!(row.maker, MAKER);
    let Decided::V1(decision) = &row.decision else { panic!("of the first form") };
    assert!(decision.verdicts.iter().all(|verdict| verdict.passed));
    assert_eq!((row.paid, row.fee), (Some(Amount::new(100_000)), Some(Amount::new(700))));
    assert_eq!(row.block.as_ref().unwrap().height, 1);
    assert_eq!(row.transaction.as_deref(), Some("ab".repeat(32).as_str()));
    let proposal = story.proposal.unwrap();
    assert_eq!(proposal.state, ProposalState::Fulfilled);
    let who: Vec<_> = proposal.answers.iter().map(|answer| answer.approver).collect();
    assert_eq!(who, APPROVERS[..2]);
    assert!(proposal.answers.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(story.attempts.len(), 1);
    let attempt = &story.attempts[0];
    assert_eq!(attempt.signers, [signer(1), signer(2)]);
    assert!(attempt.signed_position < attempt.broadcast_position);
    assert_eq!(story.refusals[0].rule, Rule::SignerExpired);
    let kinds: Vec<_> = story.entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds.first(), Some(&"transfer.requested"));
    assert_eq!(kinds.last(), Some(&"proposal.fulfilled"));
}

#[tokio::test]
async fn transfers_are_found_by_state_and_wallet() {
    let (_, projections, _directory) = asked().await;
    let find = |filter: TransferFilter| {
        let found = projections.view(|view| view.transfers(filter, ALL)).unwrap();
        found.iter().map(|row| row.transfer).collect::<Vec<_>>()
    };
    let state = |state| TransferFilter { state: Some(state), ..TransferFilter::default() };
    assert_eq!(find(state(TransferState::AwaitingApproval)), [transfer(2)]);
    assert_eq!(find(state(TransferState::Refused)), [transfer(3)]);
    assert_eq!(find(state(TransferState::Failed)), [transfer(4)]);
    let wallet = TransferFilter { wallet: Some(LTC.wallet()), ..TransferFilter::default() };
    assert_eq!(find(wallet), [transfer(1), transfer(3), transfer(4)]);
    let refused = projections.view(|view| view.transfer(transfer(3))).unwrap().unwrap();
    assert_eq!(refused.rule, Some(Rule::DestinationAllowlist));
    assert_eq!(refused.proposal, None);
}

#[tokio::test]
async fn balances_are_the_sums_of_the_entries() {
    let (_, projections, _directory) = asked().await;
    let row = projections.view(|view| view.account(ETH.account())).unwrap().unwrap();
    let figures = [row.total, row.pending, row.available, row.shortfall].map(Amount::units);
    assert_eq!(figures, [500_000, 10, 499_990, 0]);
    let row = projections.view(|view| view.account(LTC.account())).unwrap().unwrap();
    assert_eq!(row.total.units(), 1_000_000 - 100_700);
    assert_eq!(row.client, CLIENT);
    let balanced = projections.view(|view| {
        for trial in view.trial_balance()? {
            assert_eq!(trial.all.debits, trial.all.credits);
            assert_eq!(trial.custody.debit_balance(), trial.clients.credit_balance());
        }
        Ok(())
    });
    balanced.unwrap();
    let wallet = projections.view(|view| view.wallet(LTC.wallet())).unwrap().unwrap();
    assert_eq!(wallet.custody.debit_balance(), Some(row.total));
    assert_eq!(wallet.addresses, 2);
    let holds = projections.view(|view| view.holds(ETH.account(), ALL)).unwrap();
    assert_eq!(holds[0].transfer, transfer(2));
    assert_eq!(projections.view(|view| view.ledger(None, ALL)).unwrap().len(), 4);
}

#[tokio::test]
async fn a_waiting_proposal_says_what_it_waits_for() {
    let (world, projections, _directory) = asked().await;
    let filter =
        ProposalFilter { state: Some(ProposalState::Open), subject: Some(SubjectKind::Transfer) };
    let open = projections.view(|view| view.proposals(filter, ALL)).unwrap();
    assert_eq!(open.len(), 1);
    let row = &open[0];
    assert!(
        matches!(&row.subject, Subject::Transfer { intent, .. } if intent.transfer == transfer(2))
    );
    assert_eq!((row.maker, row.quorums.approvals()), (MAKER, 2));
    assert_eq!(row.answers[0].answer, Answer::Decline);
    assert_eq!(Some(&row.opened), world.state.opened_at.get(&question(2)));
    let burnt = projections.view(|view| view.proposal(question(4))).unwrap().unwrap();
    assert_eq!(burnt.because.as_deref(), Some("no signer answers"));
}

#[tokio::test]
async fn custody_is_listed() {
    let (world, projections, _directory) = asked().await;
    let ask = |view: &View<'_>| {
        let keys = view.keys(ALL)?;
        assert_eq!(keys.len(), 2);
        assert!(keys.iter().all(|key| key.state == KeyState::Active && key.public_key.is_some()));
        assert_eq!(keys[0].steps.len(), 6);
        assert_eq!(view.signers(ALL)?.len(), 4);
        assert_eq!(view.addresses(LTC.wallet(), ALL)?.len(), 2);
        assert_eq!(view.addresses_of_account(ETH.account(), ALL)?.len(), 1);
        let state = Some(DepositState::Confirming);
        let seen = view.deposits(DepositFilter { state, account: None }, ALL)?;
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].asset, ETH.network.native_asset());
        let charter = view.charter()?.unwrap();
        assert_eq!(charter.genesis.position, 1);
        assert_eq!(charter.policy, serde_json::to_value(world.policy(1)).unwrap());
        Ok(())
    };
    projections.view(ask).unwrap();
}

#[tokio::test]
async fn lists_are_paged_both_ways_without_holes() {
    let (world, projections, _directory) = asked().await;
    let end = world.state.head.position;
    for newest_first in [false, true] {
        let mut page = Page { limit: 7, after: None, newest_first };
        let mut seen = Vec::new();
        loop {
            let rows = projections.view(|view| view.entries(page)).unwrap();
            assert!(rows.len() <= 7);
            let Some(last) = rows.last() else { break };
            page = page.after(last.position);
            seen.extend(rows.iter().map(|row| row.position));
        }
        if newest_first {
            seen.reverse();
        }
        assert_eq!(seen, (1..=end).collect::<Vec<_>>());
    }
    let own = projections.view(|view| view.stream(Stream::Transfer(transfer(2)), ALL)).unwrap();
    assert_eq!(own[0].sequence, 1);
}
