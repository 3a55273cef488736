//! Histories from choices: whatever `domain` accepts of a sequence of attempts to do something.

use crate::world::{
    APPROVERS, ETH, Facts, LTC, MAKER, OFFICER, Side, World, clock, question, signer, transfer,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom_domain::{
    Branch, Bytes, Command, FreezeId, ProposalId, Refusal,
    account::AccountEvent,
    deposit::{BlockRef, DepositEvent},
    freeze::{self, FreezeScope},
    key::Quarantined,
    proposal::Subject,
    statement::Answer,
    transfer::{AttemptSigned, Stopped, TransferEvent},
};
use strongroom_store::{MemoryLog, Position};
use uuid::Uuid;

/// A furnished house on a log in memory.
pub(crate) async fn house() -> World {
    let (micros, clock) = clock();
    let log = Arc::new(MemoryLog::new(clock));
    let mut world = World::new(log, micros, Facts::invented("l"), Facts::invented("0x"));
    world.found().await;
    world.furnish().await;
    world
}

/// The house after these choices. What is refused leaves no trace.
pub(crate) async fn history(choices: &[(u8, u8)]) -> World {
    let mut world = house().await;
    for (what, which) in choices {
        let refused = one(&mut world, what % 30, which % 6).await;
        // Most choices come at the wrong time: that is how they come in every order.
        drop(refused);
    }
    world
}

async fn one(world: &mut World, what: u8, n: u8) -> Result<(), Refusal> {
    let side = if n.is_multiple_of(2) { LTC } else { ETH };
    match what {
        0 => world.see(side, n, 500_000 + u128::from(n)).await,
        1 => world.credit(side, n).await,
        2 => reorganise(world, side, n).await,
        3 | 4 => {
            // The policy forbids every third fee cap.
            let cap = if n % 3 == 2 { 10_u128.pow(18) } else { 1_000 };
            let intent = world.intent(side, n, 40_000 * (1 + u128::from(n)), cap);
            world.request(intent, n).await
        }
        5 => world.answer(question(n), 0, Answer::Approve).await,
        6 | 7 => world.answer(question(n), 1, Answer::Approve).await,
        8 => {
            world.answer(question(n), 2, Answer::Decline).await?;
            world.answer(question(n), 0, Answer::Decline).await
        }
        9 => world.act(Command::CancelProposal { proposal: question(n), by: MAKER }).await,
        10 => {
            world.wait(2_000);
            world.act(Command::ExpireProposal { proposal: question(n) }).await
        }
        11 | 12 => world.authorise(n, 1, Bytes(vec![n; 8]), 900).await,
        13 => world.authorise(n, 2, Bytes(vec![n; 9]), 950).await,
        14 => world.refuse(n, 1, 1).await,
        15 => {
            let transaction = format!("{n:064x}");
            let signed = AttemptSigned { attempt: 1, raw: Bytes(vec![n; 7]), transaction };
            world.act(Command::RecordSigned { transfer: transfer(n), signed }).await
        }
        16 => world.act(Command::RecordBroadcast { transfer: transfer(n), attempt: 1 }).await,
        17 => {
            world
                .confirm(
                    n,
                    40_000 * (1 + u128::from(n)),
                    700,
                    if n.is_multiple_of(2) { 300 } else { 0 },
                )
                .await
        }
        18 => {
            let because = "no signer answers".to_owned();
            world.fail(n, because).await
        }
        19 => signers(world, n).await,
        20 => policy(world, n).await,
        21 => rarer(world, side, n).await,
        22 => officer(world, side, n).await,
        _ => advance(world, side, n).await,
    }
}

/// The next thing that would be right for deposit and transfer `n`.
async fn advance(world: &mut World, side: Side, n: u8) -> Result<(), Refusal> {
    let amount = 40_000 * (1 + u128::from(n));
    let state = world.state.transfers.get(&transfer(n)).map_or("unknown", |known| known.name());
    match state {
        "unknown" if !world.state.deposits.contains_key(&World::deposit_id(side, n)) => {
            world.see(side, n, 500_000).await?;
            world.credit(side, n).await
        }
        "unknown" => {
            let intent = world.intent(side, n, amount, 1_000);
            world.request(intent, n).await
        }
        "awaiting-approval" => {
            world.answer(question(n), 0, Answer::Approve).await?;
            world.answer(question(n), 1, Answer::Approve).await
        }
        "approved" => world.authorise(n, 1, Bytes(vec![n; 8]), 900).await,
        "signing" => {
            let signed =
                AttemptSigned { attempt: 1, raw: Bytes(vec![n]), transaction: format!("{n:064x}") };
            world.act(Command::RecordSigned { transfer: transfer(n), signed }).await
        }
        "signed" => world.act(Command::RecordBroadcast { transfer: transfer(n), attempt: 1 }).await,
        _ => world.confirm(n, amount, 700, if side == LTC { 300 } else { 0 }).await,
    }
}

async fn reorganise(world: &mut World, side: Side, n: u8) -> Result<(), Refusal> {
    let deposit = World::deposit_id(side, n);
    world.act(Command::ReorganiseDeposit { deposit }).await
}

async fn signers(world: &mut World, n: u8) -> Result<(), Refusal> {
    let id = signer(1 + n % 4);
    let because = "connection refused".to_owned();
    world.act(Command::ReachSigner { signer: id }).await?;
    world.act(Command::LoseSigner { signer: id, because }).await
}

async fn policy(world: &mut World, n: u8) -> Result<(), Refusal> {
    let proposal = ProposalId(Uuid::from_u128(0x700 + u128::from(n)));
    let version = world.state.charter.standing()?.policy.version() + 1;
    let policy = world.policy(version);
    let expires_at = world.now().plus_seconds(600);
    world.act(Command::ProposePolicy { proposal, policy, maker: MAKER, expires_at }).await?;
    for approver in 0..APPROVERS.len() {
        world.answer(proposal, approver, Answer::Approve).await?;
    }
    Ok(())
}

async fn rarer(world: &mut World, side: Side, n: u8) -> Result<(), Refusal> {
    match n {
        0 => {
            let address = format!("lmore{}", world.state.head.position).parse().unwrap();
            let index = world.state.wallets[&LTC.wallet()].holding()?.next_index(Branch::Deposit);
            world.derive(LTC, Branch::Deposit, index, address).await
        }
        1..=3 => {
            let because = "it reverted".to_owned();
            let block = BlockRef { height: 9, hash: "00".to_owned() };
            let fee = strongroom_domain::Amount::new(500);
            let (transfer, attempt) = (transfer(n), 1);
            world.act(Command::FailTransferOnChain { transfer, attempt, block, fee, because }).await
        }
        _ => {
            let (because, culprit) = ("it cheated".to_owned(), Some(signer(1)));
            let quarantined = Quarantined { because, culprit };
            world.act(Command::QuarantineKey { key: side.key(), quarantined }).await
        }
    }
}

/// One officer stops a payment; or payments, until a quorum lets them go on.
async fn officer(world: &mut World, side: Side, n: u8) -> Result<(), Refusal> {
    let because = "a report of theft".to_owned();
    if n < 3 {
        let stopped = Stopped { by: OFFICER, because };
        return world.act(Command::StopTransfer { transfer: transfer(n), stopped }).await;
    }
    let number = u128::from(world.state.head.position);
    let freeze = FreezeId(Uuid::from_u128(number));
    let scope = FreezeScope::Wallet(side.wallet());
    world.act(Command::Freeze(freeze::Set { freeze, scope, by: OFFICER, because })).await?;
    let proposal = ProposalId(Uuid::from_u128(0x9_0000 + number));
    let (subject, expires_at) = (Subject::Unfreeze { freeze }, world.now().plus_seconds(600));
    world.act(Command::Propose { proposal, subject, maker: MAKER, expires_at }).await?;
    for approver in 0..2 {
        world.answer(proposal, approver, Answer::Approve).await?;
    }
    Ok(())
}

/// What becomes of stuck payments, sweeps, and what cosigners sign: in the histories of `domain`, and on real nodes (`tests/`), not here.
const STUCK: [&str; 8] = [
    "transfer.return-authorised",
    "transfer.fee-cap-raised",
    "transfer.abandonment-approved",
    "transfer.abandoned",
    "account.hold-raised",
    "transfer.sweep-requested",
    "transfer.partially-signed",
    "transfer.attempt-found",
];

/// Without this the property about histories could come to be about nothing.
#[tokio::test]
async fn histories_hold_every_event_of_transfers_accounts_and_deposits() {
    let mut seen = BTreeSet::new();
    let mut number = 1_u32;
    let mut next = || {
        // Numerical Recipes' generator: any will do.
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        number.to_be_bytes()[0]
    };
    for _ in 0..24 {
        let choices: Vec<_> = (0..160).map(|_| (next(), next())).collect();
        let world = history(&choices).await;
        let records = world.log.read_from(Position::FIRST, 1000).await.unwrap();
        seen.extend(records.into_iter().map(|record| record.entry.r#type));
    }
    let kinds = [TransferEvent::KINDS, AccountEvent::KINDS, DepositEvent::KINDS].concat();
    for (kind, _) in kinds {
        let stuck = STUCK.contains(&kind);
        assert_ne!(seen.contains(kind), stuck, "{kind}: in no history, or not stuck any more");
    }
}
