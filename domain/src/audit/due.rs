//! What must come next because of what stands before it: events of one decision are appended
//! together, so after the first the others are known. Nothing here decides anything anew.

use super::{near, refuse, standing};
use crate::{
    AccountId, Aggregate as _, Amount, Event, Recorded, Refusal, Rule, State, Stream, TransferId,
    WalletId,
    account::{self, AccountEvent},
    aggregate::so_far,
    decision,
    proposal::{Form, Opened, ProposalEvent},
    transfer::TransferEvent,
    wallet::{self, WalletEvent},
};
use std::collections::VecDeque;

/// The rest of a decision, in order.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Due(VecDeque<Next>);

/// An entry that must follow, as far as what stands before it determines it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Next {
    /// Exactly this.
    Event(Stream, Box<Event>),
    /// This question, with any expiry that its maker may choose: the latest is given.
    Question(Stream, Form, Box<Opened>),
    /// An attempt of this transfer: its funds were just set aside.
    Attempt(TransferId),
    /// Any number of outputs of this transaction that came back to this wallet.
    Change { wallet: WalletId, transaction: String },
    /// The fee of a transaction that failed on its chain.
    Charge { account: AccountId, transfer: TransferId, wallet: WalletId, cap: Amount },
}

impl Due {
    /// Whether nothing must follow.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// After funds were set aside.
    pub(super) fn attempt(transfer: TransferId) -> Self {
        Self([Next::Attempt(transfer)].into())
    }

    /// After the first of a decision's events.
    pub(super) fn rest(state: &State, events: Vec<(Stream, Event)>) -> Self {
        let mut events = events.into_iter();
        let first = events.next();
        let failed = matches!(first, Some((_, Event::Transfer(TransferEvent::Failed(_)))));
        let mut due = VecDeque::new();
        for (stream, event) in events {
            let next = match (stream, event) {
                (_, Event::Proposal(ProposalEvent::OpenedV1(opened))) => {
                    Next::Question(stream, Form::V1, Box::new((&opened).into()))
                }
                (_, Event::Proposal(ProposalEvent::Opened(opened))) => {
                    Next::Question(stream, Form::V2, Box::new(opened))
                }
                (Stream::Account(account), Event::Account(AccountEvent::HoldPosted(posted)))
                    if failed =>
                {
                    let transfer = posted.transfer;
                    match state.transfers.get(&transfer).and_then(|known| known.asked()) {
                        Some(asked) => Next::Charge {
                            account,
                            transfer,
                            wallet: asked.intent.wallet,
                            cap: asked.intent.fee_cap,
                        },
                        None => Next::Event(stream, Box::new(AccountEvent::from(posted).into())),
                    }
                }
                (_, event) => Next::Event(stream, Box::new(event)),
            };
            due.push_back(next);
        }
        let transaction = first.as_ref().and_then(|(stream, event)| returns(state, *stream, event));
        if let (Some(transaction), Some((wallet, at))) = (transaction, spent_at(&due)) {
            due.insert(at, Next::Change { wallet, transaction });
        }
        Self(due)
    }

    /// Whether the entry is the one that must come next. `false` where none must.
    pub(super) fn meets(&mut self, state: &State, recorded: &Recorded) -> Result<bool, Refusal> {
        if let Some(Next::Change { wallet, transaction }) = self.0.front() {
            if is_change(state, (*wallet, transaction), recorded)? {
                return Ok(true);
            }
            self.0.pop_front();
        }
        let Some(next) = self.0.pop_front() else { return Ok(false) };
        let fits = match &next {
            Next::Event(stream, event) => recorded.stream == *stream && recorded.event == **event,
            Next::Question(stream, form, latest) => {
                recorded.stream == *stream && is_question(recorded, *form, latest)
            }
            Next::Attempt(transfer) => {
                standing::is_next_attempt(state, *transfer, recorded)?;
                true
            }
            Next::Charge { account, transfer, wallet, cap } => {
                let fee = charged(state, (*account, *transfer, *wallet), recorded)?;
                if fee > *cap {
                    return refuse(Rule::FeeCap, format!("fee {fee} is above the cap {cap}"));
                }
                self.spend(fee);
                true
            }
            // Handled above: two never stand side by side.
            Next::Change { .. } => false,
        };
        if fits {
            return Ok(true);
        }
        let (found, stream) = (recorded.event.kind().0, recorded.stream);
        refuse(
            Rule::LogUnlawful,
            format!("{found} in {stream} is not what must follow there: {next:?}"),
        )
    }

    /// What was charged is what the wallet's nonce spent.
    fn spend(&mut self, fee: Amount) {
        if let Some(Next::Event(_, event)) = self.0.front_mut()
            && let Event::Wallet(WalletEvent::AccountNonceUsed(used)) = &mut **event
        {
            used.spent = fee;
        }
    }
}

/// The transaction whose outputs come back to the wallet after this event.
fn returns(state: &State, stream: Stream, event: &Event) -> Option<String> {
    let (Stream::Transfer(id), Event::Transfer(event)) = (stream, event) else { return None };
    let known = state.transfers.get(&id)?;
    let sweeps = known.asked().is_some_and(|asked| asked.sweep.is_some());
    // Nothing of a sweep comes back, unless it was cancelled.
    if sweeps && !matches!(event, TransferEvent::Abandoned(_)) {
        return None;
    }
    let (attempt, child) = if let TransferEvent::ConfirmedV1(confirmed) = event {
        (confirmed.attempt, None)
    } else if let TransferEvent::Confirmed(confirmed) = event {
        (confirmed.attempt, confirmed.child)
    } else if let TransferEvent::Abandoned(abandoned) = event {
        (abandoned.attempt, None)
    } else {
        return None;
    };
    decision::change_of(known, attempt, child).map(str::to_owned)
}

/// Behind the event that spends, and of which wallet it is.
fn spent_at(due: &VecDeque<Next>) -> Option<(WalletId, usize)> {
    due.iter().zip(1..).find_map(|(next, after)| match next {
        Next::Event(Stream::Wallet(wallet), _) => Some((*wallet, after)),
        Next::Event(..)
        | Next::Question(..)
        | Next::Attempt(_)
        | Next::Change { .. }
        | Next::Charge { .. } => None,
    })
}

fn is_question(recorded: &Recorded, form: Form, latest: &Opened) -> bool {
    let opened: Opened = match (&recorded.event, form) {
        (Event::Proposal(ProposalEvent::OpenedV1(opened)), Form::V1) => opened.into(),
        (Event::Proposal(ProposalEvent::Opened(opened)), Form::V2) => opened.clone(),
        _ => return false,
    };
    let expected = Opened { expires_at: opened.expires_at, ..latest.clone() };
    opened == expected
        && opened.expires_at > near::before(recorded.time, opened.expires_at)
        && opened.expires_at <= near::later(latest.expires_at)
}

fn is_change(
    state: &State,
    (id, transaction): (WalletId, &str),
    recorded: &Recorded,
) -> Result<bool, Refusal> {
    match (recorded.stream, &recorded.event) {
        (Stream::Wallet(of), Event::Wallet(WalletEvent::CoinAdded(added)))
            if of == id && added.coin.outpoint.txid == transaction =>
        {
            let wallet = so_far(&state.wallets, &id);
            let add = wallet::Command::AddCoin(added.coin.clone());
            Ok(!wallet.decide(add)?.is_empty())
        }
        _ => Ok(false),
    }
}

/// What the entry takes from the hold, if it is the fee and nothing else.
fn charged(
    state: &State,
    (id, transfer, wallet): (AccountId, TransferId, WalletId),
    recorded: &Recorded,
) -> Result<Amount, Refusal> {
    let refused = || Refusal::new(Rule::LogUnlawful, "a failed transfer costs its fee, no more");
    let (Stream::Account(of), Event::Account(AccountEvent::HoldPosted(posted))) =
        (recorded.stream, &recorded.event)
    else {
        return Err(refused());
    };
    let sum = |sum: Amount, entry: &account::JournalEntry| sum.checked_add(entry.amount);
    let fee = posted.entries.iter().try_fold(Amount::ZERO, sum).ok_or_else(refused)?;
    let post =
        account::Command::PostHold { account: id, transfer, wallet, paid: Amount::ZERO, fee };
    let would = so_far(&state.accounts, &id).decide(post)?;
    if of == id && would == [AccountEvent::HoldPosted(posted.clone())] {
        Ok(fee)
    } else {
        Err(refused())
    }
}
