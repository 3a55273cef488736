//! When this signer itself saw what starts a wait or fills a limit. The times of entries are the
//! server's word: told late of something that is dated long ago, a signer would find a wait over that
//! nobody had time to use. Never makes a wait shorter, or a limit wider, than the log says.

mod marks;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Address, Event, Network, ProposalId, Recorded, Refusal, Rule, SignerId, State, Stream,
    Timestamp, TransferId,
    charter::{CharterEvent, PolicyChanged, SignerChange},
    policy::LONGEST_WAIT_S,
    proposal::{Proposal, ProposalEvent, Subject},
    transfer::{Closed, Requested, Transfer, TransferEvent},
    usage::{Late, Sight},
};

pub use marks::Mark;
use marks::{Marks, Wait, is_prompt};

/// What started a wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// The approval of a payment with a time lock.
    Transfer(TransferId),
    /// The approval of a policy that comes into force later.
    Policy(ProposalId),
    /// A policy with new destinations.
    Listed(ProposalId),
}

/// A line of the journal: when the entry that starts a wait was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighted {
    /// What it starts.
    pub of: Awaited,
    /// From when the wait counts: the entry's own time where it came promptly, else when it came.
    pub from: Timestamp,
}

/// What the journal holds of a signer's own time.
#[derive(Clone, Default, Debug)]
pub struct Known {
    /// Of what starts a wait.
    pub sights: Vec<Sighted>,
    /// Of all entries.
    pub marks: Vec<Mark>,
    /// Up to here the log was read before marks were kept: dates are taken on trust.
    pub unmarked: u64,
}

/// Every wait that is not over for certain, and every request whose date is not taken on trust.
#[derive(Default)]
pub struct Sights {
    /// As the journal has them, until all of the copy was read: nothing stands in the log twice.
    known: BTreeMap<Awaited, Timestamp>,
    marks: Marks,
    /// Requests and destinations up to here count by their dates.
    trusted: u64,
    waits: BTreeMap<Awaited, Wait>,
    /// Policies in force that came too soon for this signer, and their delays.
    policies: Vec<(Wait, u64)>,
    /// New destinations that it heard of late.
    listed: BTreeMap<ProposalId, (Wait, BTreeSet<(Network, Address)>)>,
    late: Late,
    unwritten: Vec<Sighted>,
}

impl Sights {
    /// With what the journal holds.
    pub fn new(known: Known) -> Self {
        let Known { sights, marks, unmarked } = known;
        let known = sights.into_iter().map(|sighted| (sighted.of, sighted.from)).collect();
        Self { known, marks: Marks::new(marks), trusted: unmarked, ..Self::default() }
    }

    /// All of the copy was read: what follows is seen when it comes.
    pub fn opened(&mut self) {
        self.known.clear();
        self.marks = Marks::default();
    }

    /// Takes note of a verified entry that came at `now`. What the journal does not know of is seen
    /// now: a crash before it was written makes a wait longer.
    pub fn note(&mut self, recorded: &Recorded, state: &State, me: SignerId, now: Timestamp) {
        match (recorded.stream, &recorded.event) {
            (Stream::Transfer(id), Event::Transfer(event)) => {
                self.transfer(id, event, (recorded, state), now);
            }
            (Stream::Proposal(id), Event::Proposal(ProposalEvent::QuorumReached(_)))
                if delay_of_policy(state, id) > 0 =>
            {
                let wait = self.see(Awaited::Policy(id), recorded, now);
                self.waits.insert(Awaited::Policy(id), wait);
            }
            (_, Event::Charter(CharterEvent::PolicyChanged(changed))) => {
                self.policies.retain(|(wait, delay_s)| wait.from().plus_seconds(*delay_s) > now);
                let waited = self.waits.remove(&Awaited::Policy(changed.proposal));
                let delay_s = delay_of_policy(state, changed.proposal);
                self.policies.extend(waited.map(|wait| (wait, delay_s)));
                self.list(changed, (recorded, state), now);
            }
            // The quorum that enrolled this signer knew which policy stood, and the others counted
            // what was asked for. Of a payment that waits it said nothing: its time lock counts for
            // this signer as for any other.
            (_, Event::Charter(CharterEvent::SignersChanged(changed))) => {
                if matches!(&changed.change, SignerChange::Enrol(signer) if signer.id == me) {
                    self.trust(recorded.head.position);
                }
            }
            (Stream::Proposal(id), Event::Proposal(_))
                if matches!(state.proposals.get(&id), Some(Proposal::Closed(_))) =>
            {
                self.waits.remove(&Awaited::Policy(id));
            }
            _ => {}
        }
    }

    fn transfer(
        &mut self,
        id: TransferId,
        event: &TransferEvent,
        (recorded, state): (&Recorded, &State),
        now: Timestamp,
    ) {
        if let TransferEvent::Requested(requested) = event {
            self.ask(requested, (recorded, state), now);
        } else if let TransferEvent::AttemptSigned(_) | TransferEvent::AttemptFound(_) = event {
            self.late.signed(id);
        } else if let TransferEvent::Approved(_) = event {
            let asked = state.transfers.get(&id).and_then(Transfer::asked);
            let of = Awaited::Transfer(id);
            if asked.is_some_and(|asked| asked.delay_s > 0) {
                let wait = self.see(of, recorded, now);
                self.waits.insert(of, wait);
                return;
            }
            // A policy that is tightened later may still ask it to wait.
            let wait = self.wait(of, recorded, now);
            if wait.is_late() {
                self.waits.insert(of, wait);
            }
        }
        let Some(Transfer::Closed(closed)) = state.transfers.get(&id) else { return };
        self.waits.remove(&Awaited::Transfer(id));
        if !matches!(closed, Closed::Confirmed | Closed::Abandoned) {
            self.late.free(id);
        }
    }

    fn ask(
        &mut self,
        requested: &Requested,
        (recorded, state): (&Recorded, &State),
        now: Timestamp,
    ) {
        let wait = self.wait(Awaited::Transfer(requested.intent.transfer), recorded, now);
        if wait.is_late() && wait.position > self.trusted {
            let sight = Sight { position: wait.position, dated: wait.dated, from: wait.seen };
            self.late.note(&state.usage, requested.into(), sight);
        }
    }

    fn list(
        &mut self,
        changed: &PolicyChanged,
        (recorded, state): (&Recorded, &State),
        now: Timestamp,
    ) {
        let Ok(standing) = state.charter.standing() else { return };
        let since = &standing.destinations_since;
        let stands = |(network, address): &(Network, Address)| {
            since.get(network).is_some_and(|all| all.contains_key(address))
        };
        self.listed.retain(|_, (wait, addresses)| {
            wait.from().plus_seconds(LONGEST_WAIT_S) > now && addresses.iter().any(stands)
        });
        let all = since.iter().flat_map(|(network, all)| all.iter().map(move |of| (*network, of)));
        let new = all.filter(|(_, (_, since))| **since == changed.at);
        let new: BTreeSet<_> = new.map(|(network, (of, _))| (network, of.clone())).collect();
        if new.is_empty() {
            return;
        }
        let wait = self.see(Awaited::Listed(changed.proposal), recorded, now);
        if wait.is_late() && wait.position > self.trusted {
            self.listed.insert(changed.proposal, (wait, new));
        }
    }

    fn trust(&mut self, position: u64) {
        self.trusted = self.trusted.max(position);
        self.waits.retain(|of, _| matches!(of, Awaited::Transfer(_)));
        self.policies.clear();
        self.listed.clear();
        self.late.clear();
    }

    /// When an entry was there for certain.
    fn wait(&self, of: Awaited, recorded: &Recorded, now: Timestamp) -> Wait {
        let position = recorded.head.position;
        let read = self.marks.by(position).map_or(now, |by| by.min(now));
        let seen = self.known.get(&of).map_or(read, |from| read.min(*from));
        Wait { position, dated: recorded.time, seen }
    }

    /// As [`Self::wait`], to be kept in the journal.
    fn see(&mut self, of: Awaited, recorded: &Recorded, now: Timestamp) -> Wait {
        let wait = self.wait(of, recorded, now);
        if !self.known.contains_key(&of) {
            self.unwritten.push(Sighted { of, from: wait.from() });
        }
        wait
    }

    /// Witnesses had cosigned these entries by then. Returns whether that is news.
    pub fn prove(&mut self, mark: Mark) -> bool {
        let waits = self.waits.values_mut();
        let policies = self.policies.iter_mut().map(|(wait, _)| wait);
        let listed = self.listed.values_mut().map(|(wait, _)| wait);
        let mut news = self.late.prove(mark.position, mark.by, is_prompt);
        for wait in waits.chain(policies).chain(listed) {
            news |= wait.prove(mark);
        }
        self.listed.retain(|_, (wait, _)| wait.is_late());
        news
    }

    /// What the journal does not hold yet.
    pub fn unwritten(&mut self) -> Vec<Sighted> {
        std::mem::take(&mut self.unwritten)
    }

    /// Requests whose dates are not taken on trust.
    pub const fn late(&self) -> &Late {
        &self.late
    }

    /// How many entries it remembers something of.
    pub fn held(&self) -> usize {
        let journal = self.known.len().saturating_add(self.marks.len());
        let waits = self.waits.len().saturating_add(self.policies.len());
        [waits, self.listed.len(), self.late.len(), self.unwritten.len()]
            .into_iter()
            .fold(journal, usize::saturating_add)
    }

    /// Whether a transfer's time lock, and that of the policy in force, are over by this signer's
    /// clock.
    pub fn demand_waited(
        &self,
        transfer: TransferId,
        delay_s: u64,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let approved = self.waits.get(&Awaited::Transfer(transfer));
        if let Some(wait) = approved {
            waited("its approval", wait, delay_s, now)?;
        }
        let mut policies = self.policies.iter();
        policies.try_for_each(|(wait, delay_s)| waited("the policy in force", wait, *delay_s, now))
    }

    /// Whether a destination has been on the list for long enough by this signer's clock.
    pub fn demand_cooled(
        &self,
        (network, address): (Network, &Address),
        cooling_off_s: u64,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let is_new = |(of, known): &(Network, Address)| *of == network && known == address;
        let mut late = self.listed.values().filter(|(_, new)| new.iter().any(is_new));
        late.try_for_each(|(wait, _)| waited("the destination", wait, cooling_off_s, now))
    }
}

fn waited(what: &str, wait: &Wait, delay_s: u64, now: Timestamp) -> Result<(), Refusal> {
    let until = wait.from().plus_seconds(delay_s);
    if now >= until {
        return Ok(());
    }
    let because = format!("this signer heard of {what} late, and waits until {until}");
    Err(Refusal::new(Rule::TimeLock, because))
}

/// How long the policy that a proposal asks for waits once it is approved; 0 for any other question.
fn delay_of_policy(state: &State, proposal: ProposalId) -> u64 {
    let answers = state.proposals.get(&proposal).and_then(Proposal::answers);
    let opened = answers.map(|answers| &answers.opened);
    opened
        .filter(|opened| matches!(opened.subject, Subject::PolicyForm2(_)))
        .map_or(0, |opened| opened.delay_s)
}

#[cfg(test)]
mod tests;
