//! Whether one entry was allowed, given everything before it. An entry that begins a decision is
//! read back into the command that it answers; that command is decided again, and the entry, and
//! all that follow with it, must be what comes out. Nothing here takes the writer's word.

use super::{due::Due, facts, governed, keys, near, refuse, standing};
use crate::{
    AccountId, Aggregate as _, Command, DepositId, Event, ProposalId, Recorded, Refusal, Rule,
    SignerId, State, Stream, TransferId, WalletId,
    account::AccountEvent,
    aggregate::so_far,
    charter::CharterEvent,
    decision,
    deposit::{DepositEvent, Seen},
    signer::SignerEvent,
    transfer::{self, Confirmed, ConfirmedV1, Transfer, TransferEvent},
    wallet::{self, WalletEvent},
};

/// Checks one entry. What must follow it is left in `due`.
pub(super) fn check(state: &State, due: &mut Due, recorded: &Recorded) -> Result<(), Refusal> {
    let first = recorded.head.position == 1;
    let founding = matches!(
        recorded.event,
        Event::Charter(
            CharterEvent::Founded(_) | CharterEvent::FoundedV2(_) | CharterEvent::FoundedV1(_)
        )
    );
    if first != founding {
        return refuse(Rule::CharterState, "the charter, and nothing else, is entry 1");
    }
    if recorded.time < state.time {
        return refuse(Rule::SignerClock, format!("time runs back from {}", state.time));
    }
    if due.meets(state, recorded)? {
        return Ok(());
    }
    *due = begin(state, recorded)?;
    Ok(())
}

/// The rest of the decision that this entry begins.
fn begin(state: &State, recorded: &Recorded) -> Result<Due, Refusal> {
    match (recorded.stream, &recorded.event) {
        (Stream::Charter, Event::Charter(event)) => governed::charter(state, recorded, event),
        (Stream::Proposal(id), Event::Proposal(event)) => {
            governed::proposal(state, recorded, id, event)
        }
        (Stream::Account(id), Event::Account(event)) => account(state, recorded, id, event),
        (Stream::Wallet(id), Event::Wallet(event)) => wallet(state, recorded, id, event),
        (Stream::Transfer(id), Event::Transfer(event)) => transfer(state, recorded, id, event),
        (Stream::Deposit(id), Event::Deposit(event)) => deposit(state, recorded, id, event),
        (Stream::Key(id), Event::Key(event)) => keys::key(state, recorded, id, event),
        (Stream::Person(id), Event::Person(event)) => governed::person(state, recorded, id, event),
        (Stream::Signer(id), Event::Signer(event)) => signer(state, recorded, id, event),
        (Stream::Freezes, Event::Freeze(event)) => facts::freeze(state, recorded, event),
        (Stream::Prices, Event::Price(event)) => facts::price(state, recorded, event),
        (Stream::Screenings, Event::Screening(event)) => facts::screening(state, recorded, event),
        (Stream::Reconciliation, Event::Reconciliation(event)) => {
            facts::reconciliation(state, recorded, event)
        }
        (_, event) => refuse(
            Rule::LogUnlawful,
            format!("{} can't stand in stream {}", event.kind().0, recorded.stream),
        ),
    }
}

/// Decides the command again: the entry must be the first of what comes out.
pub(super) fn again(state: &State, recorded: &Recorded, command: Command) -> Result<Due, Refusal> {
    same(state, recorded, decision::decide(state, command, recorded.time)?.events)
}

pub(super) fn same(
    state: &State,
    recorded: &Recorded,
    events: Vec<(Stream, Event)>,
) -> Result<Due, Refusal> {
    let fits = events
        .first()
        .is_some_and(|(stream, event)| *stream == recorded.stream && *event == recorded.event);
    if fits {
        Ok(Due::rest(state, events))
    } else {
        let kind = recorded.event.kind().0;
        refuse(Rule::LogUnlawful, format!("the rules decide something else than this {kind}"))
    }
}

/// For what only ever follows from something else.
pub(super) fn alone(recorded: &Recorded) -> Result<Due, Refusal> {
    let kind = recorded.event.kind().0;
    refuse(Rule::LogUnlawful, format!("{kind} stands without what would cause it"))
}

fn account(
    state: &State,
    recorded: &Recorded,
    id: AccountId,
    event: &AccountEvent,
) -> Result<Due, Refusal> {
    match event {
        // Who asked is not in the event: an empty account gives nobody anything.
        AccountEvent::Opened(opened) => {
            let asked = (opened.client, opened.asset);
            same(state, recorded, decision::opened_account(state, id, asked)?.events)
        }
        AccountEvent::Posted(_)
        | AccountEvent::HoldPlaced(_)
        | AccountEvent::HoldRaised(_)
        | AccountEvent::HoldPosted(_)
        | AccountEvent::HoldVoided(_) => alone(recorded),
    }
}

fn wallet(
    state: &State,
    recorded: &Recorded,
    id: WalletId,
    event: &WalletEvent,
) -> Result<Due, Refusal> {
    match event {
        // Who asked is not in the event: an empty wallet gives nobody anything.
        WalletEvent::Created(created) => {
            same(state, recorded, decision::created_wallet(state, id, created.clone())?.events)
        }
        // Signers derive addresses again before they sign.
        WalletEvent::AddressDerived(derived) => {
            again(state, recorded, Command::DeriveAddress { wallet: id, derived: derived.clone() })
        }
        WalletEvent::CoinsReserved(reserved) => {
            let command = wallet::Command::ReserveCoins(reserved.clone());
            set_aside(state, recorded, (id, reserved.transfer), command)
        }
        WalletEvent::AccountNonceReserved(reserved) => {
            let command = wallet::Command::ReserveNonce(reserved.clone());
            set_aside(state, recorded, (id, reserved.transfer), command)
        }
        WalletEvent::NonceGapFound(found) => {
            again(state, recorded, Command::FindNonceGap { transfer: found.transfer })
        }
        WalletEvent::CoinAdded(_)
        | WalletEvent::AccountNonceRaised(_)
        | WalletEvent::RotationApproved(_)
        | WalletEvent::Swept(_)
        | WalletEvent::CoinRemoved(_)
        | WalletEvent::CoinsReleased(_)
        | WalletEvent::CoinsSpent(_)
        | WalletEvent::FundsReceived(_)
        | WalletEvent::FundsReversed(_)
        | WalletEvent::AccountNonceReleased(_)
        | WalletEvent::AccountNonceUsed(_) => alone(recorded),
    }
}

/// Funds are set aside for an approved transfer out of its own wallet, and its first attempt
/// follows at once.
fn set_aside(
    state: &State,
    recorded: &Recorded,
    (id, transfer): (WalletId, TransferId),
    command: wallet::Command,
) -> Result<Due, Refusal> {
    match state.transfers.get(&transfer) {
        Some(Transfer::Approved(asked)) if asked.intent.wallet == id => {}
        _ => return refuse(Rule::TransferState, "funds are set aside for what was approved only"),
    }
    let would = so_far(&state.wallets, &id).decide(command)?;
    let would = would.into_iter().map(|event| (recorded.stream, Event::from(event))).collect();
    same(state, recorded, would)?;
    Ok(Due::attempt(transfer))
}

fn transfer(
    state: &State,
    recorded: &Recorded,
    id: TransferId,
    event: &TransferEvent,
) -> Result<Due, Refusal> {
    let command = match event {
        TransferEvent::RequestedV1(requested) => {
            let standing = state.charter.standing()?;
            Command::RequestTransfer {
                intent: requested.intent.clone(),
                proposal: requested.proposal.unwrap_or(ProposalId(id.0)),
                maker: requested.maker,
                expires_at: recorded.time.plus_seconds(standing.policy.proposal_lifetime_s()),
            }
        }
        TransferEvent::SweepRequested(requested) => {
            if requested.intent.transfer != id {
                return alone(recorded);
            }
            Command::RequestSweep(requested.clone())
        }
        TransferEvent::Requested(requested) => return requested_at(state, recorded, requested),
        TransferEvent::AttemptAuthorised(_) => {
            standing::is_next_attempt(state, id, recorded)?;
            return Ok(Due::default());
        }
        TransferEvent::AttemptRefused(refused) => {
            Command::RecordRefusal { transfer: id, refused: refused.clone() }
        }
        TransferEvent::PartiallySigned(partial) => {
            Command::RecordPartial { transfer: id, partial: partial.clone() }
        }
        TransferEvent::AttemptSigned(signed) => {
            Command::RecordSigned { transfer: id, signed: signed.clone() }
        }
        TransferEvent::AttemptFound(found) => {
            Command::RecordFound { transfer: id, found: found.clone() }
        }
        TransferEvent::AttemptBroadcast(broadcast) => {
            Command::RecordBroadcast { transfer: id, attempt: broadcast.attempt }
        }
        TransferEvent::ReturnAuthorised(returned) => {
            Command::AuthoriseReturn { transfer: id, returned: returned.clone() }
        }
        TransferEvent::ConfirmedV1(confirmed) => {
            let transaction = state.transfers.get(&id).and_then(|known| {
                decision::change_of(known, confirmed.attempt, None).map(str::to_owned)
            });
            let ConfirmedV1 { attempt, block, paid, fee } = confirmed.clone();
            let transaction = transaction.unwrap_or_default();
            let confirmed = Confirmed { attempt, child: None, transaction, block, paid, fee };
            Command::ConfirmTransfer { transfer: id, confirmed, change: Vec::new() }
        }
        TransferEvent::Confirmed(confirmed) => {
            let confirmed = confirmed.clone();
            Command::ConfirmTransfer { transfer: id, confirmed, change: Vec::new() }
        }
        TransferEvent::Abandoned(abandoned) => {
            let abandoned = abandoned.clone();
            Command::AbandonTransfer { transfer: id, abandoned, change: Vec::new() }
        }
        TransferEvent::Failed(failed) => return failed_how(state, recorded, id, failed),
        TransferEvent::Stopped(stopped) => {
            Command::StopTransfer { transfer: id, stopped: stopped.clone() }
        }
        TransferEvent::Refused(_)
        | TransferEvent::FeeCapRaised(_)
        | TransferEvent::AbandonmentApproved(_)
        | TransferEvent::Approved(_)
        | TransferEvent::Rejected(_)
        | TransferEvent::Cancelled(_)
        | TransferEvent::Expired(_) => return alone(recorded),
    };
    again(state, recorded, command)
}

/// The policy was asked about a moment that the event names; it must be the entry's.
fn requested_at(
    state: &State,
    recorded: &Recorded,
    requested: &transfer::Requested,
) -> Result<Due, Refusal> {
    let at = requested.at;
    if !near::is(recorded.time, at) {
        return refuse(Rule::LogUnlawful, format!("what was asked at {at} can't stand here"));
    }
    let lifetime_s = state.charter.standing()?.policy.proposal_lifetime_s();
    let command = Command::RequestTransfer {
        intent: requested.intent.clone(),
        proposal: requested.proposal.unwrap_or(ProposalId(requested.intent.transfer.0)),
        maker: requested.maker,
        expires_at: at.plus_seconds(lifetime_s),
    };
    same(state, recorded, decision::decide(state, command, at)?.events)
}

/// Once a signed transaction exists, a transfer fails on its chain or not at all.
fn failed_how(
    state: &State,
    recorded: &Recorded,
    id: TransferId,
    failed: &transfer::Failed,
) -> Result<Due, Refusal> {
    let because = failed.because.clone();
    let attempts = state.transfers.get(&id).and_then(Transfer::attempts);
    let signed = attempts
        .and_then(|attempts| attempts.complete.values().find(|signed| signed.returns.is_none()));
    let Some(signed) = signed else {
        // That others wait for its account nonce was no reason before this build: they can wait.
        let abstentions = failed.abstentions.clone();
        return same(state, recorded, decision::failed(state, id, because, abstentions)?.events);
    };
    let command = Command::FailTransferOnChain {
        transfer: id,
        attempt: signed.authorised.attempt,
        block: crate::deposit::BlockRef { height: 0, hash: String::new() },
        // The entry that charges the fee names it.
        fee: crate::Amount::ZERO,
        because,
    };
    again(state, recorded, command)
}

fn deposit(
    state: &State,
    recorded: &Recorded,
    id: DepositId,
    event: &DepositEvent,
) -> Result<Due, Refusal> {
    let command = match event {
        DepositEvent::Seen(seen) => Command::SeeDeposit { deposit: id, seen: seen.clone() },
        DepositEvent::SeenAgain(again) => {
            let Some(seen) = state.deposits.get(&id).and_then(|known| known.seen()) else {
                return alone(recorded);
            };
            let seen = Seen { block: again.block.clone(), ..seen.clone() };
            Command::SeeDeposit { deposit: id, seen }
        }
        DepositEvent::Credited(credited) => {
            Command::CreditDeposit { deposit: id, confirmations: credited.confirmations }
        }
        DepositEvent::Reorganised(_) => Command::ReorganiseDeposit { deposit: id },
    };
    again(state, recorded, command)
}

fn signer(
    state: &State,
    recorded: &Recorded,
    id: SignerId,
    event: &SignerEvent,
) -> Result<Due, Refusal> {
    let command = match event {
        SignerEvent::Reached(_) => Command::ReachSigner { signer: id },
        SignerEvent::Lost(lost) => {
            Command::LoseSigner { signer: id, because: lost.because.clone() }
        }
        SignerEvent::Quarantined(quarantined) => {
            Command::QuarantineSigner { signer: id, quarantined: quarantined.clone() }
        }
        SignerEvent::Enrolled(_) | SignerEvent::Released(_) => return alone(recorded),
    };
    again(state, recorded, command)
}
