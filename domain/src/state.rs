//! The fold of a whole log: what every reader of it, server, signer or auditor, holds to be true.
//! It records what the log says; whether that was right is decided elsewhere.

use crate::{
    AccountId, Aggregate as _, Corrupt, DepositId, Digest, Event, KeyId, Network, PersonId,
    ProposalId, SignerId, Stream, Timestamp, TransferId, WalletId,
    account::Account,
    charter::Charter,
    deposit::Deposit,
    freeze::Freezes,
    key::Key,
    person::Personal,
    price::Prices,
    proposal::Proposal,
    reconciliation::Reconciliation,
    screening::Screenings,
    signer::Signer,
    transfer::{Asked, AttemptFound, AttemptSigned, Paid, Transfer, TransferEvent},
    usage::Usage,
    wallet::Wallet,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A place in the log and the hash of the entry there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Counted from 1; 0 before the first entry.
    pub position: u64,
    /// The entry's leaf hash: SHA-256 over 0x00 and its bytes.
    pub leaf: Digest,
}

/// An event and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// Its entry.
    pub head: Head,
    /// When the entry was written, by the server's clock.
    pub time: Timestamp,
    /// Whose history it belongs to.
    pub stream: Stream,
    /// Its place there, counted from 1.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
}

/// Everything that the log says.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct State {
    /// Up to where it was read.
    pub head: Head,
    /// When that entry was written.
    pub time: Timestamp,
    /// The charter.
    pub charter: Charter,
    /// Every proposal.
    pub proposals: BTreeMap<ProposalId, Proposal>,
    /// Where each open proposal was opened: its statement is bound to that entry.
    pub opened_at: BTreeMap<ProposalId, Head>,
    /// Every account.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Every wallet.
    pub wallets: BTreeMap<WalletId, Wallet>,
    /// Every transfer.
    pub transfers: BTreeMap<TransferId, Transfer>,
    /// Of each transfer that signers may have heard of: the epoch of its key's shares that was in use
    /// then. Those before had ended: no honest signer used them for it.
    pub attempted_in: BTreeMap<TransferId, u32>,
    /// The transactions of sweeps, so that none is taken for somebody's deposit.
    pub swept: BTreeMap<Network, BTreeSet<String>>,
    /// Every deposit.
    pub deposits: BTreeMap<DepositId, Deposit>,
    /// Every key.
    pub keys: BTreeMap<KeyId, Key>,
    /// Every signer.
    pub signers: BTreeMap<SignerId, Signer>,
    /// What the log keeps of people besides their rights.
    pub personal: BTreeMap<PersonId, Personal>,
    /// Every freeze that stands.
    pub freezes: Freezes,
    /// The newest reference prices.
    pub prices: Prices,
    /// What compliance found.
    pub screenings: Screenings,
    /// Every difference that nobody has explained.
    pub reconciliation: Reconciliation,
    /// What was paid where.
    pub paid: Paid,
    /// What was asked for lately, for limits over time.
    pub usage: Usage,
}

impl State {
    /// Records one entry. Entries come in order; the caller has verified the chain.
    pub fn evolve(&mut self, recorded: &Recorded) -> Result<(), Corrupt> {
        self.apply(recorded.stream, &recorded.event)?;
        self.stood_at(recorded.stream, recorded.time);
        if let (Stream::Proposal(id), Event::Proposal(event)) = (recorded.stream, &recorded.event) {
            if event.opens() {
                self.opened_at.insert(id, recorded.head);
            }
            if matches!(self.proposals.get(&id), Some(Proposal::Closed(_)) | None) {
                self.opened_at.remove(&id);
            }
        }
        self.head = recorded.head;
        self.time = recorded.time;
        Ok(())
    }

    /// Takes note of when an entry of this stream stands: the writer learns it after it decided.
    /// A time lock is measured from the entry that approved the transfer.
    pub fn stood_at(&mut self, stream: Stream, time: Timestamp) {
        if let Stream::Transfer(id) = stream
            && let Some(transfer) = self.transfers.get_mut(&id)
        {
            transfer.stood_at(time);
        }
        if let Stream::Proposal(id) = stream
            && let Some(proposal) = self.proposals.get_mut(&id)
        {
            proposal.stood_at(time);
        }
    }

    /// Applies an event to its aggregate only: what a decision does to see its own effects.
    pub fn apply(&mut self, stream: Stream, event: &Event) -> Result<(), Corrupt> {
        match (stream, event) {
            (Stream::Charter, Event::Charter(event)) => self.charter.evolve(event),
            (Stream::Proposal(id), Event::Proposal(event)) => {
                self.proposals.entry(id).or_default().evolve(event)
            }
            (Stream::Account(id), Event::Account(event)) => {
                self.accounts.entry(id).or_default().evolve(event)
            }
            (Stream::Wallet(id), Event::Wallet(event)) => {
                self.wallets.entry(id).or_default().evolve(event)
            }
            (Stream::Transfer(id), Event::Transfer(event)) => {
                let transfer = self.transfers.entry(id).or_default();
                let asked = transfer.asked().cloned();
                // Which of its signed transactions took effect is the server's word.
                let signed = transfer.attempts().is_some_and(|known| !known.complete.is_empty());
                transfer.evolve(event)?;
                if let TransferEvent::AttemptAuthorised(attempt) = event {
                    let key = self.keys.get(&attempt.key).and_then(|key| key.existing().ok());
                    let epoch = key.map_or(1, |active| active.epoch);
                    self.attempted_in.entry(id).or_insert(epoch);
                }
                if let (
                    TransferEvent::AttemptSigned(AttemptSigned { transaction, .. })
                    | TransferEvent::AttemptFound(AttemptFound { transaction, .. }),
                    Some(Asked { sweep: Some(_), intent, .. }),
                ) = (event, &asked)
                {
                    let known = self.swept.entry(intent.network()).or_default();
                    known.insert(transaction.clone());
                }
                if matches!(transfer, Transfer::Closed(_)) {
                    self.attempted_in.remove(&id);
                }
                let paid = asked.filter(|asked| asked.sweep.is_none());
                if let (true, Some(asked)) = (transfer.is_confirmed(), paid) {
                    self.paid.note(&asked);
                }
                match (event, transfer) {
                    (TransferEvent::Requested(requested), _) if requested.proposal.is_some() => {
                        self.usage.count(requested.into());
                    }
                    (_, Transfer::Closed(_)) if signed => self.usage.settle(id),
                    (_, Transfer::Closed(_)) => self.usage.free(id),
                    (_, _) => {}
                }
                Ok(())
            }
            (Stream::Deposit(id), Event::Deposit(event)) => {
                self.deposits.entry(id).or_default().evolve(event)
            }
            (Stream::Key(id), Event::Key(event)) => self.keys.entry(id).or_default().evolve(event),
            (Stream::Person(id), Event::Person(event)) => {
                self.personal.entry(id).or_default().evolve(event)
            }
            (Stream::Signer(id), Event::Signer(event)) => {
                self.signers.entry(id).or_default().evolve(event)
            }
            (Stream::Freezes, Event::Freeze(event)) => self.freezes.evolve(event),
            (Stream::Prices, Event::Price(event)) => self.prices.evolve(event),
            (Stream::Screenings, Event::Screening(event)) => self.screenings.evolve(event),
            (Stream::Reconciliation, Event::Reconciliation(event)) => {
                self.reconciliation.evolve(event)
            }
            (_, event) => Err(Corrupt {
                aggregate: "stream",
                state: "of another kind",
                event: event.kind().0,
            }),
        }
    }

    /// One line by which two parties who read the same log can compare what they hold.
    /// The error is a bug: every key of every map is text.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        // Maps are ordered and fields declared: the bytes are the same everywhere.
        serde_json::to_vec(self).map(|bytes| Digest::of(&bytes))
    }
}
