//! Whether one entry was allowed, given everything before it. An entry that begins a decision is
//! read back into the command that it answers; that command is decided again, and the entry, and
//! all that follow with it, must be what comes out. Nothing here takes the writer's word.

use super::{due::Due, near, refuse, standing};
use crate::{
    AccountId, Aggregate as _, Bytes, Command, DepositId, Event, KeyId, ProposalId, Recorded,
    Refusal, Rule, SignerId, State, Stream, TransferId, WalletId,
    account::AccountEvent,
    aggregate::so_far,
    approval_key::Evidence,
    charter::CharterEvent,
    decision,
    deposit::{DepositEvent, Seen},
    key::KeyEvent,
    proposal::{Proposal, ProposalEvent, Subject},
    signer::SignerEvent,
    statement::Answer,
    transfer::{self, Transfer, TransferEvent},
    wallet::{self, WalletEvent},
};

/// Checks one entry. What must follow it is left in `due`.
pub(super) fn check(state: &State, due: &mut Due, recorded: &Recorded) -> Result<(), Refusal> {
    let first = recorded.head.position == 1;
    let founding = matches!(
        recorded.event,
        Event::Charter(CharterEvent::FoundedV2(_) | CharterEvent::FoundedV1(_))
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
        (Stream::Charter, Event::Charter(event)) => charter(state, recorded, event),
        (Stream::Proposal(id), Event::Proposal(event)) => proposal(state, recorded, id, event),
        (Stream::Account(id), Event::Account(event)) => account(state, recorded, id, event),
        (Stream::Wallet(id), Event::Wallet(event)) => wallet(state, recorded, id, event),
        (Stream::Transfer(id), Event::Transfer(event)) => transfer(state, recorded, id, event),
        (Stream::Deposit(id), Event::Deposit(event)) => deposit(state, recorded, id, event),
        (Stream::Key(id), Event::Key(event)) => key(state, recorded, id, event),
        (Stream::Signer(id), Event::Signer(event)) => signer(state, recorded, id, event),
        (_, event) => refuse(
            Rule::LogUnlawful,
            format!("{} can't stand in stream {}", event.kind().0, recorded.stream),
        ),
    }
}

/// Decides the command again: the entry must be the first of what comes out.
fn again(state: &State, recorded: &Recorded, command: Command) -> Result<Due, Refusal> {
    same(state, recorded, decision::decide(state, command, recorded.time)?.events)
}

fn same(state: &State, recorded: &Recorded, events: Vec<(Stream, Event)>) -> Result<Due, Refusal> {
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
fn alone(recorded: &Recorded) -> Result<Due, Refusal> {
    let kind = recorded.event.kind().0;
    refuse(Rule::LogUnlawful, format!("{kind} stands without what would cause it"))
}

fn charter(state: &State, recorded: &Recorded, event: &CharterEvent) -> Result<Due, Refusal> {
    match event {
        CharterEvent::FoundedV2(founded) => {
            again(state, recorded, Command::FoundCharter(founded.clone()))
        }
        CharterEvent::FoundedV1(founded) => {
            same(state, recorded, decision::founded_v1(state, founded.clone())?.events)
        }
        CharterEvent::PolicyChangedV1(_) => alone(recorded),
        CharterEvent::LogResumed(certificate) => {
            again(state, recorded, Command::ResumeLog(certificate.clone()))
        }
    }
}

fn proposal(
    state: &State,
    recorded: &Recorded,
    id: ProposalId,
    event: &ProposalEvent,
) -> Result<Due, Refusal> {
    let answers = state.proposals.get(&id).and_then(Proposal::answers);
    let expires_at = answers.map_or(recorded.time, |answers| answers.opened.expires_at);
    let (command, now) = match event {
        ProposalEvent::OpenedV1(opened) => {
            let Subject::PolicyChange(policy) = &opened.subject else { return alone(recorded) };
            let (maker, expires_at) = (opened.maker, opened.expires_at);
            // An entry that waited stands later, one after the clock was set back earlier.
            let lifetime_s = state.charter.standing()?.policy.proposal_lifetime_s;
            let latest = recorded.time.plus_seconds(lifetime_s);
            let now = if expires_at > latest && expires_at <= near::later(latest) {
                near::later(recorded.time)
            } else {
                near::before(recorded.time, expires_at)
            };
            let policy = policy.clone();
            (Command::ProposePolicy { proposal: id, policy, maker, expires_at }, now)
        }
        ProposalEvent::ApprovedV1(_)
        | ProposalEvent::Approved(_)
        | ProposalEvent::DeclinedV1(_)
        | ProposalEvent::Declined(_) => {
            let Some(command) = answered(id, event) else { return alone(recorded) };
            (command, near::before(recorded.time, expires_at))
        }
        ProposalEvent::Expired(_) => {
            let now = near::since(recorded.time, expires_at);
            (Command::ExpireProposal { proposal: id }, now)
        }
        ProposalEvent::Cancelled(_) => {
            let Some(answers) = answers else { return alone(recorded) };
            (Command::CancelProposal { proposal: id, by: answers.opened.maker }, recorded.time)
        }
        ProposalEvent::QuorumReached(_)
        | ProposalEvent::Rejected(_)
        | ProposalEvent::Fulfilled(_)
        | ProposalEvent::Burnt(_) => return alone(recorded),
    };
    same(state, recorded, decision::decide(state, command, now)?.events)
}

/// The answer that the entry records, as it came in.
fn answered(proposal: ProposalId, event: &ProposalEvent) -> Option<Command> {
    let plain = |signature: &Bytes| Evidence::Signature { signature: signature.clone() };
    let (answer, approver, key, evidence) = match event {
        ProposalEvent::ApprovedV1(by) => {
            (Answer::Approve, by.approver, &by.key, plain(&by.signature))
        }
        ProposalEvent::DeclinedV1(by) => {
            (Answer::Decline, by.approver, &by.key, plain(&by.signature))
        }
        ProposalEvent::Approved(by) => (Answer::Approve, by.approver, &by.key, by.evidence.clone()),
        ProposalEvent::Declined(by) => (Answer::Decline, by.approver, &by.key, by.evidence.clone()),
        ProposalEvent::OpenedV1(_)
        | ProposalEvent::QuorumReached(_)
        | ProposalEvent::Rejected(_)
        | ProposalEvent::Expired(_)
        | ProposalEvent::Cancelled(_)
        | ProposalEvent::Fulfilled(_)
        | ProposalEvent::Burnt(_) => return None,
    };
    Some(Command::AnswerProposal { proposal, answer, approver, key: key.clone(), evidence })
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
        WalletEvent::CoinAdded(_)
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
                expires_at: recorded.time.plus_seconds(standing.policy.proposal_lifetime_s),
            }
        }
        TransferEvent::AttemptAuthorised(_) => {
            standing::is_next_attempt(state, id, recorded)?;
            return Ok(Due::default());
        }
        TransferEvent::AttemptRefused(refused) => {
            Command::RecordRefusal { transfer: id, refused: refused.clone() }
        }
        TransferEvent::AttemptSigned(signed) => {
            Command::RecordSigned { transfer: id, signed: signed.clone() }
        }
        TransferEvent::AttemptBroadcast(broadcast) => {
            Command::RecordBroadcast { transfer: id, attempt: broadcast.attempt }
        }
        TransferEvent::Confirmed(confirmed) => Command::ConfirmTransfer {
            transfer: id,
            confirmed: confirmed.clone(),
            change: Vec::new(),
        },
        TransferEvent::Failed(failed) => failed_how(state, id, failed),
        TransferEvent::Refused(_)
        | TransferEvent::Approved(_)
        | TransferEvent::Rejected(_)
        | TransferEvent::Cancelled(_)
        | TransferEvent::Expired(_) => return alone(recorded),
    };
    again(state, recorded, command)
}

/// Once a signed transaction exists, a transfer fails on its chain or not at all.
fn failed_how(state: &State, id: TransferId, failed: &transfer::Failed) -> Command {
    let because = failed.because.clone();
    match state.transfers.get(&id) {
        Some(Transfer::Signed(attempts) | Transfer::Broadcast(attempts)) => {
            Command::FailTransferOnChain {
                transfer: id,
                attempt: attempts.current.attempt,
                block: crate::deposit::BlockRef { height: 0, hash: String::new() },
                // The entry that charges the fee names it.
                fee: crate::Amount::ZERO,
                because,
            }
        }
        Some(
            Transfer::Unknown
            | Transfer::AwaitingApproval(_)
            | Transfer::Approved(_)
            | Transfer::Signing(_)
            | Transfer::Closed(_),
        )
        | None => {
            Command::FailTransfer { transfer: id, because, abstentions: failed.abstentions.clone() }
        }
    }
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

fn key(state: &State, recorded: &Recorded, id: KeyId, event: &KeyEvent) -> Result<Due, Refusal> {
    let command = match event {
        KeyEvent::CeremonyRequested(requested) => {
            let standing = state.charter.standing()?;
            Command::RequestCeremony {
                proposal: requested.proposal,
                plan: requested.plan.clone(),
                maker: requested.maker,
                expires_at: recorded.time.plus_seconds(standing.policy.proposal_lifetime_s),
            }
        }
        KeyEvent::RoundOnePublished(published) => {
            Command::PublishRoundOne { key: id, published: published.clone() }
        }
        KeyEvent::Confirmed(confirmed) => {
            Command::ConfirmKey { key: id, confirmed: confirmed.clone() }
        }
        KeyEvent::CeremonyFailed(failed) => {
            Command::FailCeremony { key: id, because: failed.because.clone() }
        }
        KeyEvent::Quarantined(quarantined) => {
            Command::QuarantineKey { key: id, quarantined: quarantined.clone() }
        }
        KeyEvent::CeremonyApproved(_) | KeyEvent::Activated(_) | KeyEvent::Assigned(_) => {
            return alone(recorded);
        }
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
        SignerEvent::Enrolled(_) => return alone(recorded),
    };
    again(state, recorded, command)
}
