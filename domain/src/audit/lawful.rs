//! Whether one entry was allowed, given everything before it. The events that carry authority
//! are proven anew from their evidence; the others must be what their aggregate would have
//! decided. Nothing here takes the writer's word.

use super::refuse;
use crate::{
    Aggregate as _, Event, Recorded, Refusal, Rule, State, Stream,
    account::{self, AccountEvent, LedgerAccount},
    charter::CharterEvent,
    decision,
    deposit::Deposit,
    key::{self, Key, KeyEvent},
    policy::Quorum,
    proposal::{self, Answers, Opened, Proposal, ProposalEvent, Subject},
    statement::{self, Answer},
    transfer::{self, Transfer, TransferEvent},
    wallet::{self, WalletEvent},
};

pub(super) fn check(state: &State, recorded: &Recorded) -> Result<(), Refusal> {
    let first = recorded.head.position == 1;
    let founding = matches!(recorded.event, Event::Charter(CharterEvent::Founded(_)));
    if first != founding {
        return refuse(Rule::CharterState, "the charter, and nothing else, is entry 1");
    }
    match (recorded.stream, &recorded.event) {
        (Stream::Charter, Event::Charter(event)) => charter(state, event),
        (Stream::Proposal(id), Event::Proposal(event)) => proposal(state, recorded, id, event),
        (Stream::Account(id), Event::Account(event)) => account(state, id, event),
        (Stream::Wallet(id), Event::Wallet(event)) => wallet(state, id, event),
        (Stream::Transfer(id), Event::Transfer(event)) => transfer(state, id, event),
        (Stream::Key(id), Event::Key(event)) => key(state, id, event),
        // What a node or the network said proves nothing and moves nothing by itself.
        (Stream::Deposit(_), Event::Deposit(_)) | (Stream::Signer(_), Event::Signer(_)) => Ok(()),
        (_, event) => refuse(
            Rule::IdTaken,
            format!("{} can't stand in stream {}", event.kind().0, recorded.stream),
        ),
    }
}

fn charter(state: &State, event: &CharterEvent) -> Result<(), Refusal> {
    match event {
        CharterEvent::Founded(founded) => {
            founded.charter.check()?;
            founded.check_signatures()
        }
        CharterEvent::PolicyChanged(change) => {
            let standing = state.charter.standing()?;
            standing.check_next_policy(&change.policy)?;
            let answers = reached(state, change.proposal)?;
            match &answers.opened.subject {
                Subject::PolicyChange(policy) if *policy == change.policy => {
                    satisfied(answers, &standing.governance)
                }
                _ => refuse(Rule::ProposalNotOpen, "the quorum approved something else"),
            }
        }
    }
}

/// The answers of a proposal whose quorum was reached.
fn reached(state: &State, id: crate::ProposalId) -> Result<&Answers, Refusal> {
    match state.proposals.get(&id) {
        Some(Proposal::QuorumReached(answers)) => Ok(answers),
        _ => refuse(Rule::ProposalNotOpen, "its quorum was not reached"),
    }
}

/// Whether enough distinct members of `quorum`, none of them the maker, have approved. Their
/// signatures were verified when the answers were recorded.
pub(super) fn satisfied(answers: &Answers, quorum: &Quorum) -> Result<(), Refusal> {
    let opened = &answers.opened;
    let counted = answers
        .approvals
        .keys()
        .filter(|person| quorum.group.contains(person) && **person != opened.maker)
        .count();
    if counted < usize::from(quorum.approvals) {
        let because = format!("{counted} approvals of the group, {} needed", quorum.approvals);
        return refuse(Rule::SignerQuorum, because);
    }
    Ok(())
}

fn proposal(
    state: &State,
    recorded: &Recorded,
    id: crate::ProposalId,
    event: &ProposalEvent,
) -> Result<(), Refusal> {
    let current = state.proposals.get(&id).cloned().unwrap_or_default();
    match event {
        ProposalEvent::Opened(opened) => opened_under_policy(state, opened),
        ProposalEvent::Approved(by) => {
            let evidence = (by.approver, &by.key, &by.signature);
            answered(state, recorded, (id, &current), Answer::Approve, evidence)
        }
        ProposalEvent::Declined(by) => {
            let evidence = (by.approver, &by.key, &by.signature);
            answered(state, recorded, (id, &current), Answer::Decline, evidence)
        }
        ProposalEvent::QuorumReached(_) => match &current {
            Proposal::Open(answers) => satisfied(answers, &answers.opened.quorum),
            _ => refuse(Rule::ProposalNotOpen, "the proposal is not open"),
        },
        // These take authority away; none can give any.
        ProposalEvent::Rejected(_)
        | ProposalEvent::Expired(_)
        | ProposalEvent::Cancelled(_)
        | ProposalEvent::Fulfilled(_)
        | ProposalEvent::Burnt(_) => Ok(()),
    }
}

fn opened_under_policy(state: &State, opened: &Opened) -> Result<(), Refusal> {
    let standing = state.charter.standing()?;
    standing.demand(opened.maker, crate::charter::Role::Initiator)?;
    if opened.policy_version != standing.policy.version {
        return refuse(Rule::PolicyInvalid, "it names another policy than the one in force");
    }
    let demanded = match &opened.subject {
        Subject::Transfer { intent, known_as } => {
            let known = standing.policy.label(intent.network(), &intent.destination);
            if known != Some(known_as) {
                let because = "the allowlist knows the destination by another name";
                return refuse(Rule::DestinationAllowlist, because);
            }
            standing.policy.evaluate(intent).allowed()?.clone()
        }
        Subject::KeyCeremony(plan) => {
            plan.check()?;
            standing.governance.clone()
        }
        Subject::PolicyChange(policy) => {
            standing.check_next_policy(policy)?;
            standing.governance.clone()
        }
    };
    if opened.quorum != demanded {
        return refuse(Rule::SignerQuorum, "the policy demands another quorum");
    }
    Ok(())
}

fn answered(
    state: &State,
    recorded: &Recorded,
    (id, current): (crate::ProposalId, &Proposal),
    answer: Answer,
    evidence: (crate::PersonId, &crate::Bytes, &crate::Bytes),
) -> Result<(), Refusal> {
    let Proposal::Open(answers) = current else {
        return refuse(Rule::ProposalNotOpen, "the proposal is not open");
    };
    let standing = state.charter.standing()?;
    let place = decision::place(state, id)?;
    let answer = statement::verify_answer(standing, &place, answers, answer, evidence)?;
    current.decide(proposal::Command::Answer { answer, now: recorded.time }).map(drop)
}

fn account(state: &State, id: crate::AccountId, event: &AccountEvent) -> Result<(), Refusal> {
    let current = state.accounts.get(&id).cloned().unwrap_or_default();
    match event {
        AccountEvent::Opened(_) => Ok(()),
        AccountEvent::HoldPlaced(hold) => {
            let (transfer, amount) = (hold.transfer, hold.amount);
            let asset = current.claim()?.asset;
            current.decide(account::Command::PlaceHold { transfer, asset, amount }).map(drop)
        }
        AccountEvent::HoldPosted(posted) => {
            let held = current.claim()?.holds.get(&posted.transfer).copied().unwrap_or_default();
            let total = posted
                .entries
                .iter()
                .try_fold(crate::Amount::ZERO, |sum, entry| sum.checked_add(entry.amount));
            let out = |entry: &account::JournalEntry| {
                entry.debit == LedgerAccount::Client(id)
                    && matches!(entry.credit, LedgerAccount::Custody(_))
            };
            if total.is_none_or(|total| total > held) || !posted.entries.iter().all(out) {
                return refuse(Rule::HoldState, "a hold posts no more than it set aside");
            }
            Ok(())
        }
        AccountEvent::HoldVoided(_) => Ok(()),
        AccountEvent::Posted(posted) => from_deposit(state, id, posted),
    }
}

/// What a deposit may move: its own amount, between its wallet and its account.
fn from_deposit(
    state: &State,
    id: crate::AccountId,
    posted: &account::Posted,
) -> Result<(), Refusal> {
    let current = state.accounts.get(&id).cloned().unwrap_or_default();
    let seen = match state.deposits.get(&posted.deposit) {
        Some(deposit @ (Deposit::Credited(seen) | Deposit::Reorganised(seen))) => (deposit, seen),
        _ => return refuse(Rule::DepositState, "only a deposit that is final moves anything"),
    };
    let (deposit, seen) = seen;
    let (account, wallet, amount) = (id, seen.wallet, seen.amount);
    let expected = match deposit {
        Deposit::Credited(_) => {
            account::Command::Credit { account, deposit: posted.deposit, wallet, amount }
        }
        Deposit::Reorganised(_) | Deposit::Confirming(_) | Deposit::Unknown => {
            account::Command::Reverse { account, deposit: posted.deposit, wallet, amount }
        }
    };
    let would = current.decide(expected)?;
    if seen.account != id || would != [AccountEvent::Posted(posted.clone())] {
        return refuse(Rule::AccountState, "it moves something else than its deposit");
    }
    Ok(())
}

fn wallet(state: &State, id: crate::WalletId, event: &WalletEvent) -> Result<(), Refusal> {
    let current = state.wallets.get(&id).cloned().unwrap_or_default();
    match event {
        WalletEvent::Created(created) => match state.keys.get(&created.key) {
            Some(Key::Active(active)) if active.wallet.is_none() => Ok(()),
            _ => refuse(Rule::KeyState, "a wallet needs an active key that signs for no other"),
        },
        WalletEvent::CoinsReserved(reserved) => {
            current.decide(wallet::Command::ReserveCoins(reserved.clone())).map(drop)
        }
        WalletEvent::AccountNonceReserved(reserved) => {
            current.decide(wallet::Command::ReserveNonce(reserved.clone())).map(drop)
        }
        // Signers derive addresses again before they sign; the rest is what a node said.
        WalletEvent::AddressDerived(_)
        | WalletEvent::CoinAdded(_)
        | WalletEvent::CoinRemoved(_)
        | WalletEvent::CoinsReleased(_)
        | WalletEvent::CoinsSpent(_)
        | WalletEvent::FundsReceived(_)
        | WalletEvent::FundsReversed(_)
        | WalletEvent::AccountNonceReleased(_)
        | WalletEvent::AccountNonceUsed(_) => Ok(()),
    }
}

fn transfer(state: &State, id: crate::TransferId, event: &TransferEvent) -> Result<(), Refusal> {
    let current = state.transfers.get(&id).cloned().unwrap_or_default();
    match event {
        TransferEvent::Requested(requested) => {
            let policy = &state.charter.standing()?.policy;
            let again = policy.evaluate(&requested.intent);
            if again != requested.decision || requested.intent.transfer != id {
                return refuse(Rule::SignerPolicy, "the policy decides otherwise");
            }
            if again.allowed().is_ok() == requested.proposal.is_some() {
                Ok(())
            } else {
                refuse(Rule::SignerPolicy, "a proposal exists exactly where the policy allows it")
            }
        }
        TransferEvent::Approved(_) => {
            let Transfer::AwaitingApproval(asked) = &current else { return current.not_now() };
            let Some(proposal) = asked.proposal else {
                return refuse(Rule::SignerQuorum, "no quorum was asked");
            };
            let answers = reached(state, proposal)?;
            approved_this(answers, asked)?;
            satisfied(answers, &answers.opened.quorum)
        }
        TransferEvent::AttemptAuthorised(attempt) => {
            current.decide(transfer::Command::Authorise(attempt.clone()))?;
            super::standing::check_attempt(state, &current, attempt).map(drop)
        }
        // These record what happened outside; none gives authority.
        TransferEvent::Refused(_)
        | TransferEvent::AttemptRefused(_)
        | TransferEvent::AttemptSigned(_)
        | TransferEvent::AttemptBroadcast(_)
        | TransferEvent::Confirmed(_)
        | TransferEvent::Failed(_)
        | TransferEvent::Rejected(_)
        | TransferEvent::Cancelled(_)
        | TransferEvent::Expired(_) => Ok(()),
    }
}

/// Whether the question that was answered is the transfer that was asked for.
pub(super) fn approved_this(answers: &Answers, asked: &transfer::Asked) -> Result<(), Refusal> {
    match &answers.opened.subject {
        Subject::Transfer { intent, .. } if *intent == asked.intent => Ok(()),
        _ => refuse(Rule::SignerQuorum, "the quorum approved something else"),
    }
}

fn key(state: &State, id: crate::KeyId, event: &KeyEvent) -> Result<(), Refusal> {
    let current = state.keys.get(&id).cloned().unwrap_or_default();
    match event {
        KeyEvent::CeremonyRequested(requested) => requested.plan.check(),
        KeyEvent::CeremonyApproved(_) => {
            let Key::Requested(requested) = &current else {
                return refuse(Rule::KeyState, "no ceremony was asked for");
            };
            let answers = reached(state, requested.proposal)?;
            match &answers.opened.subject {
                Subject::KeyCeremony(plan) if *plan == requested.plan => {
                    satisfied(answers, &answers.opened.quorum)
                }
                _ => refuse(Rule::SignerQuorum, "the quorum approved something else"),
            }
        }
        KeyEvent::RoundOnePublished(published) => {
            current.decide(key::Command::PublishRoundOne(published.clone())).map(drop)
        }
        KeyEvent::Confirmed(confirmed) => {
            decision::check_confirmation(state, id, confirmed)?;
            current.decide(key::Command::Confirm(confirmed.clone())).map(drop)
        }
        KeyEvent::Activated(activated) => {
            let Key::Ceremony(ceremony) = &current else {
                return refuse(Rule::KeyState, "no ceremony is under way");
            };
            let agrees = |confirmed: &key::Confirmed| {
                confirmed.public_key == activated.public_key
                    && confirmed.public_package == activated.public_package
            };
            let all = ceremony.confirmed.len() == ceremony.plan.participants.len();
            if all && ceremony.confirmed.values().all(agrees) {
                Ok(())
            } else {
                refuse(Rule::CeremonyDisagreement, "not every holder confirmed this key")
            }
        }
        KeyEvent::Assigned(assigned) => {
            current.decide(key::Command::Assign(assigned.clone())).map(drop)
        }
        KeyEvent::CeremonyFailed(_) | KeyEvent::Quarantined(_) => Ok(()),
    }
}
