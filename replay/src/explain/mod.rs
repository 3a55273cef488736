//! The story of one transfer, told from a log that was verified on the way: every line names the
//! entry that proves it. Never a name: people are known by their ids, in the log as here.

mod attempts;
mod holders;
mod key_lines;
mod lines;
mod money;
mod questions;
mod wallets;

pub use holders::{Held, Life, explain_life};
use lines::person;

use crate::{
    finding::{Fault, Finding},
    source::Source,
    spine::Expected,
    verifier::{Judged, Verifier, walk},
};
use serde::Serialize;
use std::collections::BTreeSet;
use strongroom_domain::{
    Asset, Event, FreezeId, Head, Intent, ProposalId, State, Stream, Timestamp, TransferId,
    account::AccountEvent,
    charter::Standing,
    freeze::FreezeEvent,
    proposal::{Answers, Form, ProposalEvent},
    transfer::TransferEvent,
    wallet::WalletEvent,
};
use strongroom_ledger::TreeHead;

/// A transfer, as a judge could read it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Explanation {
    /// Which.
    pub transfer: TransferId,
    /// How far it is, in a word.
    pub state: String,
    /// The log.
    pub log: String,
    /// The log's name in checkpoints and receipts.
    pub origin: String,
    /// The leaf of entry 1.
    pub genesis: String,
    /// Up to where the log was read and verified.
    pub head: Head,
    /// The Merkle tree up to there.
    pub tree: TreeHead,
    /// What happened, by subject.
    pub chapters: Vec<Chapter>,
}

/// One subject.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Chapter {
    /// Its heading.
    pub title: &'static str,
    /// In the order of the log.
    pub facts: Vec<Fact>,
}

/// One entry, in words.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Fact {
    /// The entry: `GET /api/v1/receipts/{position}` of the server proves it to a stranger.
    pub position: u64,
    /// Its leaf hash.
    pub leaf: String,
    /// When, by the server's clock.
    pub time: Timestamp,
    /// The event's stored type.
    pub event: &'static str,
    /// The first of these lines is the fact, the others are about it.
    pub says: Vec<String>,
    /// What somebody signed, word for word.
    pub statement: Option<String>,
    /// The event as it stands in the log.
    pub payload: serde_json::Value,
}

/// What was gathered so far.
struct Story {
    transfer: TransferId,
    proposal: Option<ProposalId>,
    opened: Option<(Head, Answers)>,
    transaction: Option<String>,
    asset: Option<Asset>,
    intent: Option<Intent>,
    /// Freezes that stopped it and stand.
    frozen_by: BTreeSet<FreezeId>,
    chapters: [Chapter; 5],
}

/// Which part of the story an entry belongs to.
#[derive(Clone, Copy)]
enum Part {
    Request,
    Approval,
    Transaction,
    Money,
    End,
}

/// Verifies a log and tells the story of a transfer.
pub fn explain(
    source: Source,
    expected: Expected,
    transfer: TransferId,
    mut progress: impl FnMut(u64),
) -> Result<Explanation, Finding> {
    let mut verifier = Verifier::new(expected);
    let mut story = Story::new(transfer);
    let mut genesis = String::new();
    walk(
        source,
        &mut verifier,
        |_| false,
        |judged| {
            let head = judged.recorded.head;
            if head.position == 1 {
                genesis = head.leaf.to_string();
            }
            story.note(judged)?;
            progress(head.position);
            Ok(())
        },
    )?;
    let state = verifier.state();
    let known = state.transfers.get(&transfer);
    let Some(known) = known else {
        let message = format!("transfer {transfer} is not in this log");
        return Err(Finding::of(Fault::NotThere, message));
    };
    let standing = standing(&verifier)?;
    Ok(Explanation {
        transfer,
        state: known.name().to_owned(),
        log: standing.log.to_string(),
        origin: standing.origin(),
        genesis,
        head: state.head,
        tree: verifier.tree(),
        chapters: story.chapters.into_iter().filter(|it| !it.facts.is_empty()).collect(),
    })
}

fn standing(verifier: &Verifier) -> Result<&Standing, Finding> {
    let standing = verifier.state().charter.standing();
    standing.map_err(|refusal| Finding::of(Fault::Violation, refusal.to_string()))
}

impl Story {
    fn new(transfer: TransferId) -> Self {
        let titles = [
            "Who asked, and what the policy said",
            "Who was asked, and what they signed",
            "Who signed, and which transaction",
            "What moved",
            "How it ended",
        ];
        let chapters = titles.map(|title| Chapter { title, facts: Vec::new() });
        Self {
            transfer,
            proposal: None,
            opened: None,
            transaction: None,
            asset: None,
            intent: None,
            frozen_by: BTreeSet::new(),
            chapters,
        }
    }

    /// Keeps what is about the transfer.
    fn note(&mut self, judged: Judged<'_>) -> Result<(), Finding> {
        let Some(part) = self.part(judged) else { return Ok(()) };
        let standing = standing(judged.verifier)?;
        let (says, statement) = self.told(judged, standing);
        let recorded = judged.recorded;
        let payload = serde_json::from_slice(&judged.pair.payload).unwrap_or_default();
        let fact = Fact {
            position: recorded.head.position,
            leaf: recorded.head.leaf.to_string(),
            time: recorded.time,
            event: recorded.event.kind().0,
            says,
            statement,
            payload,
        };
        if let Some(chapter) = self.chapters.get_mut(part as usize) {
            chapter.facts.push(fact);
        }
        Ok(())
    }

    /// Which part it belongs to, if any; and what later entries are known by.
    fn part(&mut self, judged: Judged<'_>) -> Option<Part> {
        let recorded = judged.recorded;
        match (recorded.stream, &recorded.event) {
            (Stream::Transfer(id), Event::Transfer(event)) if id == self.transfer => {
                Some(self.of_transfer(event))
            }
            (Stream::Proposal(id), Event::Proposal(event)) if Some(id) == self.proposal => {
                let asked = if let ProposalEvent::OpenedV1(opened) = event {
                    Some(Answers::none(opened.into(), Form::V1))
                } else if let ProposalEvent::Opened(opened) = event {
                    Some(Answers::none(opened.clone(), Form::V2))
                } else {
                    None
                };
                if let Some(asked) = asked {
                    self.opened = Some((recorded.head, asked));
                }
                Some(Part::Approval)
            }
            (Stream::Account(_), Event::Account(event)) => {
                (held_for(event) == Some(self.transfer)).then_some(Part::Money)
            }
            (Stream::Wallet(_), Event::Wallet(event)) => self.is_of(event).then_some(Part::Money),
            (Stream::Freezes, Event::Freeze(event)) => {
                self.is_frozen(judged.verifier.state(), event).then_some(Part::Transaction)
            }
            _ => None,
        }
    }

    fn of_transfer(&mut self, event: &TransferEvent) -> Part {
        match event {
            TransferEvent::RequestedV1(requested) => {
                self.proposal = requested.proposal;
                self.asset = Some(requested.intent.asset);
                self.intent = Some(requested.intent.clone());
                Part::Request
            }
            TransferEvent::Requested(requested) => {
                self.proposal = requested.proposal;
                self.asset = Some(requested.intent.asset);
                self.intent = Some(requested.intent.clone());
                Part::Request
            }
            TransferEvent::SweepRequested(requested) => {
                self.asset = Some(requested.intent.asset);
                self.intent = Some(requested.intent.clone());
                Part::Request
            }
            TransferEvent::Refused(_) => Part::Request,
            TransferEvent::Approved(_) => Part::Approval,
            TransferEvent::AttemptSigned(signed) => {
                self.transaction = Some(signed.transaction.clone());
                Part::Transaction
            }
            TransferEvent::AttemptFound(found) => {
                self.transaction = Some(found.transaction.clone());
                Part::Transaction
            }
            TransferEvent::AttemptAuthorised(_)
            | TransferEvent::ReturnAuthorised(_)
            | TransferEvent::FeeCapRaised(_)
            | TransferEvent::AbandonmentApproved(_)
            | TransferEvent::AttemptRefused(_)
            | TransferEvent::PartiallySigned(_)
            | TransferEvent::AttemptBroadcast(_) => Part::Transaction,
            TransferEvent::ConfirmedV1(_)
            | TransferEvent::Confirmed(_)
            | TransferEvent::Abandoned(_)
            | TransferEvent::Failed(_)
            | TransferEvent::Rejected(_)
            | TransferEvent::Cancelled(_)
            | TransferEvent::Expired(_)
            | TransferEvent::Stopped(_) => Part::End,
        }
    }

    /// Whether a freeze stops it while it is alive, or such a freeze ends.
    fn is_frozen(&mut self, state: &State, event: &FreezeEvent) -> bool {
        let alive = state.transfers.get(&self.transfer).is_some_and(|it| it.asked().is_some());
        let Some(intent) = self.intent.as_ref().filter(|_| alive) else { return false };
        match event {
            FreezeEvent::Lifted(lifted) => self.frozen_by.remove(&lifted.freeze),
            FreezeEvent::Set(set) => {
                let account = state.accounts.get(&intent.account);
                let client = account.and_then(|it| it.claim().ok()).map(|claim| claim.client);
                let covers = client.is_some_and(|client| set.scope.covers(intent, client));
                covers && self.frozen_by.insert(set.freeze)
            }
        }
    }

    /// Whether a wallet sets something aside for it, spends it, or gets its change.
    fn is_of(&self, event: &WalletEvent) -> bool {
        let transfer = match event {
            WalletEvent::CoinsReserved(of) => of.transfer,
            WalletEvent::CoinsReleased(of) => of.transfer,
            WalletEvent::CoinsSpent(of) => of.transfer,
            WalletEvent::AccountNonceReserved(of) => of.transfer,
            WalletEvent::AccountNonceReleased(of) => of.transfer,
            WalletEvent::AccountNonceRaised(of) => of.transfer,
            WalletEvent::NonceGapFound(of) => of.transfer,
            WalletEvent::AccountNonceUsed(of) => of.transfer,
            WalletEvent::Swept(of) => of.transfer,
            WalletEvent::CoinAdded(added) => {
                return self.transaction.as_ref() == Some(&added.coin.outpoint.txid);
            }
            WalletEvent::Created(_)
            | WalletEvent::RotationApproved(_)
            | WalletEvent::AddressDerived(_)
            | WalletEvent::CoinRemoved(_)
            | WalletEvent::FundsReceived(_)
            | WalletEvent::FundsReversed(_) => return false,
        };
        transfer == self.transfer
    }
}

const fn held_for(event: &AccountEvent) -> Option<TransferId> {
    match event {
        AccountEvent::HoldPlaced(of) => Some(of.transfer),
        AccountEvent::HoldRaised(of) => Some(of.transfer),
        AccountEvent::HoldPosted(of) => Some(of.transfer),
        AccountEvent::HoldVoided(of) => Some(of.transfer),
        AccountEvent::Opened(_) | AccountEvent::Posted(_) => None,
    }
}
