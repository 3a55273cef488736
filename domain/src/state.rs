//! The fold of a whole log: what every reader of it, server, signer or auditor, holds to be true.
//! It records what the log says; whether that was right is decided elsewhere.

use crate::{
    AccountId, Aggregate as _, Corrupt, DepositId, Digest, Event, KeyId, ProposalId, SignerId,
    Stream, Timestamp, TransferId, WalletId, account::Account, charter::Charter, deposit::Deposit,
    key::Key, proposal::Proposal, signer::Signer, transfer::Transfer, wallet::Wallet,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Every deposit.
    pub deposits: BTreeMap<DepositId, Deposit>,
    /// Every key.
    pub keys: BTreeMap<KeyId, Key>,
    /// Every signer.
    pub signers: BTreeMap<SignerId, Signer>,
}

impl State {
    /// Records one entry. Entries come in order; the caller has verified the chain.
    pub fn evolve(&mut self, recorded: &Recorded) -> Result<(), Corrupt> {
        self.apply(recorded.stream, &recorded.event)?;
        if let (Stream::Proposal(id), Event::Proposal(event)) = (recorded.stream, &recorded.event) {
            if matches!(event, crate::proposal::ProposalEvent::OpenedV1(_)) {
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
                self.transfers.entry(id).or_default().evolve(event)
            }
            (Stream::Deposit(id), Event::Deposit(event)) => {
                self.deposits.entry(id).or_default().evolve(event)
            }
            (Stream::Key(id), Event::Key(event)) => self.keys.entry(id).or_default().evolve(event),
            (Stream::Signer(id), Event::Signer(event)) => {
                self.signers.entry(id).or_default().evolve(event)
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
