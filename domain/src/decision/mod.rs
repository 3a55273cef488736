//! The whole of what can happen: one command, decided over every aggregate that it concerns, in
//! one atomic set of events. Nothing here is recorded.

mod ceremony;
mod custody;
mod payment;
mod proposal;

pub(crate) use custody::{created_wallet, opened_account};
pub(crate) use payment::check_signers;
pub use payment::set_aside;
pub use proposal::place;

use crate::{Command, Event, Refusal, State, Stream, Timestamp, charter};
use std::collections::BTreeSet;

/// Events that are appended together or not at all.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Decision {
    /// In the order of their entries. Empty where the command is no news.
    pub events: Vec<(Stream, Event)>,
    /// Streams whose state was weighed: they too must not have moved when this is appended.
    pub weighed: BTreeSet<Stream>,
}

impl Decision {
    fn weighing(streams: impl IntoIterator<Item = Stream>) -> Self {
        Self { events: Vec::new(), weighed: streams.into_iter().collect() }
    }

    fn add<E: Into<Event>>(&mut self, stream: Stream, events: Vec<E>) {
        self.events.extend(events.into_iter().map(|event| (stream, event.into())));
        self.weighed.insert(stream);
    }

    fn with<E: Into<Event>>(mut self, stream: Stream, events: Vec<E>) -> Self {
        self.add(stream, events);
        self
    }
}

/// Decides a command on the state of the log. `now` is the server's clock.
pub fn decide(state: &State, command: Command, now: Timestamp) -> Result<Decision, Refusal> {
    use Command as C;
    match command {
        C::FoundCharter(founded) => found(state, founded),
        C::ProposePolicy { proposal, policy, maker, expires_at } => {
            proposal::propose_policy(state, proposal, policy, (maker, expires_at), now)
        }
        C::RequestCeremony { proposal, plan, maker, expires_at } => {
            ceremony::request(state, proposal, plan, (maker, expires_at), now)
        }
        C::OpenAccount { account, client, asset, by } => {
            custody::open_account(state, account, (client, asset), by)
        }
        C::CreateWallet { wallet, network, key, tier, by } => {
            custody::create_wallet(state, wallet, (network, key, tier), by)
        }
        C::DeriveAddress { wallet, derived } => custody::derive_address(state, wallet, derived),
        C::RequestTransfer { intent, proposal, maker, expires_at } => {
            payment::request(state, intent, proposal, (maker, expires_at), now)
        }
        C::AnswerProposal { proposal, answer, approver, key, signature } => {
            proposal::answer(state, proposal, answer, (approver, &key, &signature), now)
        }
        C::CancelProposal { proposal, by } => proposal::cancel(state, proposal, by),
        C::ExpireProposal { proposal } => proposal::expire(state, proposal, now),
        C::PublishRoundOne { key, published } => ceremony::publish(state, key, published),
        C::ConfirmKey { key, confirmed } => ceremony::confirm(state, key, confirmed),
        C::FailCeremony { key, because } => ceremony::fail(state, key, because),
        C::QuarantineKey { key, quarantined } => ceremony::quarantine(state, key, quarantined),
        C::ReachSigner { signer } => custody::reach(state, signer),
        C::LoseSigner { signer, because } => custody::lose(state, signer, because),
        C::SeeDeposit { deposit, seen } => custody::see(state, deposit, seen),
        C::CreditDeposit { deposit, confirmations } => {
            custody::credit(state, deposit, confirmations)
        }
        C::ReorganiseDeposit { deposit } => custody::reorganise(state, deposit),
        C::AuthoriseAttempt { transfer, attempt, spends } => {
            payment::authorise(state, transfer, attempt, spends)
        }
        C::RecordRefusal { transfer, refused } => payment::refused(state, transfer, refused),
        C::RecordSigned { transfer, signed } => payment::signed(state, transfer, signed),
        C::RecordBroadcast { transfer, attempt } => payment::broadcast(state, transfer, attempt),
        C::ConfirmTransfer { transfer, confirmed, change } => {
            payment::confirm(state, transfer, confirmed, change)
        }
        C::FailTransfer { transfer, because, abstentions } => {
            payment::fail(state, transfer, because, abstentions)
        }
        C::FailTransferOnChain { transfer, attempt, fee, because, block: _ } => {
            payment::fail_on_chain(state, transfer, attempt, (fee, because))
        }
    }
}

/// The charter, and every signer that it names.
fn found(state: &State, founded: charter::Founded) -> Result<Decision, Refusal> {
    use crate::{Aggregate as _, signer};
    let enrolled: Vec<_> = founded
        .charter
        .signers
        .iter()
        .map(|signer| {
            let event = signer::Enrolled {
                identity_key: signer.identity_key.clone(),
                tls_certificate_sha256: signer.tls_certificate_sha256,
            };
            (signer.id, signer::SignerEvent::from(event))
        })
        .collect();
    let events = state.charter.decide(charter::Command::Found(founded))?;
    let mut decision = Decision::default().with(Stream::Charter, events);
    for (id, event) in enrolled {
        decision.add(Stream::Signer(id), vec![event]);
    }
    Ok(decision)
}
