//! The whole of what can happen: one command, decided over every aggregate that it concerns, in
//! one atomic set of events. Nothing here is recorded.

mod ceremony;
mod custody;
mod freeze;
mod key_backup;
mod key_change;
mod payment;
mod people;
mod policy_change;
mod price;
mod proposal;
mod reconciliation;
mod request;
mod rotation;
mod screening;
mod signers;
mod stuck;

pub(crate) use custody::{created_wallet, opened_account};
pub use freeze::check as check_frozen;
pub use key_change::{planned_change, restoring_change};
pub use payment::set_aside;
pub(crate) use payment::{check_released, check_signers, fail as failed};
pub(crate) use people::{described_person, erased_person};
pub use proposal::place;
pub use request::judge;
pub(crate) use request::{judge_again, judge_as_seen};
pub use rotation::left as left_to_sweep;
pub use signers::check_trusted;
pub(crate) use stuck::change_of;

use crate::{
    Aggregate as _, Bytes, Command, Digest, Event, Refusal, Rule, SignerId, State, Stream,
    Timestamp, charter,
    key::{Asked, Proof},
    signer,
};
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

    fn weigh(mut self, stream: Stream) -> Self {
        self.weighed.insert(stream);
        self
    }

    fn with<E: Into<Event>>(mut self, stream: Stream, events: Vec<E>) -> Self {
        self.add(stream, events);
        self
    }
}

/// Decides a command on the state of the log. `now` is the server's clock.
#[expect(clippy::too_many_lines, reason = "one arm for each command, and nothing else")]
pub fn decide(state: &State, command: Command, now: Timestamp) -> Result<Decision, Refusal> {
    use Command as C;
    match command {
        C::FoundCharter(founded) => found_v2(state, founded),
        C::Found(founded) => found(state, founded),
        C::ResumeLog(certificate) => resume(state, certificate),
        C::ProposePolicy { proposal, policy, maker, expires_at } => {
            proposal::propose_policy(state, proposal, policy, (maker, expires_at), now)
        }
        C::Propose { proposal, subject, maker, expires_at } => {
            proposal::propose(state, proposal, subject, (maker, expires_at), now)
        }
        C::EnactPolicy { proposal } => policy_change::enact(state, proposal, now),
        C::VetoProposal { proposal, by } => policy_change::veto(state, proposal, by),
        C::TightenPolicy { policy, by } => policy_change::tighten(state, policy, by, now),
        C::DescribePerson { person, described, by } => {
            people::describe(state, person, described, by)
        }
        C::ErasePerson { person, erased, by } => people::erase(state, person, erased, by),
        C::RequestCeremony { proposal, plan, maker, expires_at } => {
            let asked = Asked { plan, cosigners: Vec::new(), proposal, proof: Proof::NotAsked };
            ceremony::request(state, asked, (maker, expires_at), now)
        }
        C::RequestKey { proposal, plan, cosigners, maker, expires_at } => {
            let asked = Asked { plan, cosigners, proposal, proof: Proof::Awaited };
            ceremony::request(state, asked, (maker, expires_at), now)
        }
        C::PublishRound { key, published } => ceremony::publish_round(state, key, published),
        C::ProveKey { key, proven } => ceremony::prove(state, key, proven),
        C::ProveCosigner { key, proven } => ceremony::prove_cosigner(state, key, proven),
        C::BackUpKey { key, backed_up } => key_backup::back_up(state, key, backed_up, now),
        C::DrillKey { key, drilled } => key_backup::drill(state, key, drilled, now),
        C::OpenAccount { account, client, asset, by } => {
            custody::open_account(state, account, (client, asset), by)
        }
        C::CreateWallet { wallet, network, key, tier, by } => {
            custody::create_wallet(state, wallet, (network, key, tier), by)
        }
        C::DeriveAddress { wallet, derived } => custody::derive_address(state, wallet, derived),
        C::RequestTransfer { intent, proposal, maker, expires_at } => {
            request::request(state, intent, proposal, (maker, expires_at), now)
        }
        C::AnswerProposal { proposal, answer, approver, key, evidence } => {
            proposal::answer(state, proposal, answer, (approver, &key, &evidence), now)
        }
        C::CancelProposal { proposal, by } => proposal::cancel(state, proposal, by),
        C::ExpireProposal { proposal } => proposal::expire(state, proposal, now),
        C::PublishRoundOne { key, published } => ceremony::publish(state, key, published),
        C::ConfirmKey { key, confirmed } => ceremony::confirm(state, key, confirmed),
        C::FailCeremony { key, because } => ceremony::fail(state, key, because),
        C::QuarantineKey { key, quarantined } => ceremony::quarantine(state, key, quarantined),
        C::RequestKeyChange { proposal, change, maker, expires_at } => {
            key_change::request(state, (proposal, change), (maker, expires_at), now)
        }
        C::ConfirmEpoch { key, confirmed } => key_change::confirm(state, key, confirmed),
        C::RetryKeyChange { key, helpers, because } => {
            key_change::retry(state, key, helpers, because)
        }
        C::FailKeyChange { key, because } => key_change::fail(state, key, because),
        C::QuarantineSigner { signer, quarantined } => {
            signers::quarantine(state, signer, quarantined)
        }
        C::HaltKey { key, halted } => ceremony::halt(state, key, halted),
        C::Freeze(set) => freeze::set(state, set),
        C::StopTransfer { transfer, stopped } => payment::stop(state, transfer, stopped),
        C::QuotePrice(quoted) => price::quote(state, quoted, now),
        C::RecordScreening(recorded) => screening::record(state, recorded, now),
        C::FindDifference(found) => reconciliation::find(state, found),
        C::ResolveDifference(resolved) => reconciliation::resolve(state, resolved),
        C::ReachSigner { signer } => custody::reach(state, signer),
        C::LoseSigner { signer, because } => custody::lose(state, signer, because),
        C::SeeDeposit { deposit, seen } => custody::see(state, deposit, seen),
        C::CreditDeposit { deposit, confirmations } => {
            custody::credit(state, deposit, confirmations)
        }
        C::ReorganiseDeposit { deposit } => custody::reorganise(state, deposit),
        C::AuthoriseAttempt { transfer, attempt, spends } => {
            payment::authorise(state, transfer, attempt, spends, now)
        }
        C::RecordRefusal { transfer, refused } => payment::refused(state, transfer, refused),
        C::RecordPartial { transfer, partial } => payment::partial(state, transfer, partial),
        C::RecordSigned { transfer, signed } => payment::signed(state, transfer, signed),
        C::RecordFound { transfer, found } => payment::found(state, transfer, found),
        C::RecordBroadcast { transfer, attempt } => payment::broadcast(state, transfer, attempt),
        C::ConfirmTransfer { transfer, confirmed, change } => {
            payment::confirm(state, transfer, confirmed, change)
        }
        C::AuthoriseReturn { transfer, returned } => {
            stuck::authorise_return(state, transfer, returned)
        }
        C::AbandonTransfer { transfer, abandoned, change } => {
            stuck::abandon(state, transfer, abandoned, change)
        }
        C::RequestSweep(requested) => rotation::request(state, requested),
        C::RetireKey { wallet } => rotation::retire(state, wallet),
        C::FindNonceGap { transfer } => stuck::find_gap(state, transfer),
        C::FailTransfer { transfer, because, abstentions } => {
            stuck::check_gap(state, transfer)?;
            payment::fail(state, transfer, because, abstentions)
        }
        C::FailTransferOnChain { transfer, attempt, fee, because, block: _ } => {
            payment::fail_on_chain(state, transfer, attempt, (fee, because))
        }
    }
}

/// The charter, and every signer that it names.
fn found(state: &State, founded: charter::Founded) -> Result<Decision, Refusal> {
    let enrolled = founded
        .charter
        .signers
        .iter()
        .map(|signer| (signer.id, signer.identity_key.clone(), signer.tls_certificate_sha256));
    let enrolled = enrolled.collect();
    let events = state.charter.decide(charter::Command::Found(founded))?;
    Ok(enrol(events, enrolled))
}

/// As [`found`], of a log without groups.
fn found_v2(state: &State, founded: charter::FoundedV2) -> Result<Decision, Refusal> {
    let enrolled = founded
        .charter
        .signers
        .iter()
        .map(|signer| (signer.id, signer.identity_key.clone(), signer.tls_certificate_sha256));
    let enrolled = enrolled.collect();
    let events = state.charter.decide(charter::Command::FoundV2(founded))?;
    Ok(enrol(events, enrolled))
}

/// As [`found`], of a log that was founded before there were witnesses. For readers: no command
/// leads here.
pub(crate) fn founded_v1(state: &State, founded: charter::FoundedV1) -> Result<Decision, Refusal> {
    if state.charter.standing().is_ok() {
        return Err(Refusal::new(Rule::CharterState, "this log has a charter already"));
    }
    founded.check()?;
    let enrolled = founded
        .charter
        .signers
        .iter()
        .map(|signer| (signer.id, signer.identity_key.clone(), signer.tls_certificate_sha256));
    let enrolled = enrolled.collect();
    Ok(enrol(vec![founded.into()], enrolled))
}

fn enrol(events: Vec<charter::CharterEvent>, enrolled: Vec<(SignerId, Bytes, Digest)>) -> Decision {
    let mut decision = Decision::default().with(Stream::Charter, events);
    for (id, identity_key, tls_certificate_sha256) in enrolled {
        let event = signer::Enrolled { identity_key, tls_certificate_sha256 };
        decision.add(Stream::Signer(id), vec![signer::SignerEvent::from(event)]);
    }
    decision
}

/// Its place is the proof that nothing stands behind the entry that the quorum named.
fn resume(state: &State, certificate: charter::LogResumed) -> Result<Decision, Refusal> {
    let head = state.head;
    let events = state.charter.decide(charter::Command::Resume { certificate, head })?;
    Ok(Decision::default().with(Stream::Charter, events))
}
