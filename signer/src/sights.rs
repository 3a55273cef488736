//! When this signer itself saw what starts a wait. The times of entries are the server's word: told
//! late of an approval that is dated long ago, a signer would find a time lock over that nobody had
//! time to use. Never makes a wait shorter than the log says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Event, ProposalId, Recorded, Refusal, Rule, SignerId, State, Stream, Timestamp, TransferId,
    charter::{CharterEvent, SignerChange},
    proposal::{Proposal, ProposalEvent, Subject},
    transfer::TransferEvent,
};

/// How much later than it is dated an entry may come and still count from its date, in seconds.
const PROMPT_S: u64 = 60;

/// What started a wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// The approval of a payment with a time lock.
    Transfer(TransferId),
    /// The approval of a policy that comes into force later.
    Policy(ProposalId),
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

/// Every wait that is not over for certain.
#[derive(Default)]
pub struct Sights {
    /// As the journal has them: a restart sees nothing anew.
    known: BTreeMap<Awaited, Timestamp>,
    waits: BTreeMap<Awaited, Timestamp>,
    /// Until then this signer keeps to no policy, because the one in force came too soon for it.
    policy_until: Option<Timestamp>,
    unwritten: Vec<Sighted>,
}

impl Sights {
    /// With what the journal holds.
    pub fn new(known: impl IntoIterator<Item = Sighted>) -> Self {
        let known = known.into_iter().map(|sighted| (sighted.of, sighted.from)).collect();
        Self { known, ..Self::default() }
    }

    /// Takes note of a verified entry that came at `seen`. What the journal does not know of is seen
    /// now: a crash before it was written makes a wait longer.
    pub fn note(&mut self, recorded: &Recorded, state: &State, me: SignerId, seen: Timestamp) {
        match (recorded.stream, &recorded.event) {
            (Stream::Transfer(id), Event::Transfer(TransferEvent::Approved(_))) => {
                let asked = state.transfers.get(&id).and_then(|transfer| transfer.asked());
                if asked.is_some_and(|asked| asked.delay_s > 0) {
                    self.see(Awaited::Transfer(id), recorded.time, seen);
                }
            }
            (Stream::Proposal(id), Event::Proposal(ProposalEvent::QuorumReached(_)))
                if delay_of_policy(state, id) > 0 =>
            {
                self.see(Awaited::Policy(id), recorded.time, seen);
            }
            (_, Event::Charter(CharterEvent::PolicyChanged(changed))) => {
                let from = self.waits.remove(&Awaited::Policy(changed.proposal));
                let delay = delay_of_policy(state, changed.proposal);
                let until = from.map(|from| from.plus_seconds(delay));
                self.policy_until = self.policy_until.max(until);
            }
            // The quorum that enrolled this signer knew which policy stood. Of a payment that waits it
            // said nothing: its time lock counts for this signer as for any other.
            (_, Event::Charter(CharterEvent::SignersChanged(changed))) => {
                if matches!(&changed.change, SignerChange::Enrol(signer) if signer.id == me) {
                    self.no_policy_waits();
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

    fn no_policy_waits(&mut self) {
        self.waits.retain(|of, _| matches!(of, Awaited::Transfer(_)));
        self.policy_until = None;
    }

    fn see(&mut self, of: Awaited, dated: Timestamp, seen: Timestamp) {
        let from = self.known.get(&of).copied().unwrap_or_else(|| {
            let from = if seen <= dated.plus_seconds(PROMPT_S) { dated } else { seen };
            self.unwritten.push(Sighted { of, from });
            from
        });
        self.waits.insert(of, from);
    }

    /// A transfer has ended: nothing waits for it.
    pub fn forget(&mut self, transfer: TransferId) {
        self.waits.remove(&Awaited::Transfer(transfer));
    }

    /// What the journal does not hold yet.
    pub fn unwritten(&mut self) -> Vec<Sighted> {
        let unwritten = std::mem::take(&mut self.unwritten);
        self.known.extend(unwritten.iter().map(|sighted| (sighted.of, sighted.from)));
        unwritten
    }

    /// Whether a transfer's own time lock, and that of the policy in force, are over by this signer's
    /// clock.
    pub fn demand_waited(
        &self,
        transfer: TransferId,
        delay_s: u64,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let refuse = |what: &str, until: Timestamp| {
            let because = format!("this signer heard of {what} late, and waits until {until}");
            Err(Refusal::new(Rule::TimeLock, because))
        };
        let from = self.waits.get(&Awaited::Transfer(transfer));
        match (from.map(|from| from.plus_seconds(delay_s)), self.policy_until) {
            (Some(until), _) if now < until => refuse("its approval", until),
            (_, Some(until)) if now < until => refuse("the policy in force", until),
            _ => Ok(()),
        }
    }
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
