//! A change of a key's shares: who holds them afterwards, and how far it has come. The public key and
//! the threshold never change, and until all who will hold it have confirmed, the shares of before
//! are the ones that sign.

use super::{
    Active, ChangeApproved, ChangeFailed, ChangeRequested, ChangeRetried, Custody, EpochAdvanced,
    EpochConfirmed, KeyChange, KeyEvent, Protocol, RoundPublished,
};
use crate::{Bytes, PersonId, ProposalId, Refusal, Rule, SignerId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most that hold a key.
const MOST_HOLDERS: usize = 10;

/// A change that a quorum is being asked about, or that is under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// What should change.
    pub asked: KeyChange,
    /// What the shares will be called.
    pub epoch: u32,
    /// The quorum's proposal.
    pub proposal: ProposalId,
    /// Whether the quorum agreed.
    pub approved: bool,
    /// Who holds the key afterwards: by number in the protocol.
    pub holders: BTreeMap<u16, SignerId>,
    /// Public messages, by round and holder.
    pub rounds: BTreeMap<u16, BTreeMap<SignerId, Bytes>>,
    /// Who has its new share.
    pub confirmed: BTreeMap<SignerId, EpochConfirmed>,
}

/// What can be asked about a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChangeCommand {
    /// Ask a quorum for it.
    Request {
        /// What should change.
        change: KeyChange,
        /// The quorum's proposal.
        proposal: ProposalId,
        /// Who asks.
        maker: PersonId,
    },
    /// The quorum agreed.
    Approve,
    /// Try the same again.
    Retry {
        /// Who helps this time.
        helpers: Vec<SignerId>,
        /// What became of the try before.
        because: String,
    },
    /// Record a holder's result. Its signature was verified by the caller.
    Confirm(EpochConfirmed),
    /// Give up.
    Fail {
        /// Why.
        because: String,
    },
}

fn refuse<T>(rule: Rule, because: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(rule, because))
}

impl KeyChange {
    /// Who would hold the key afterwards, if this can be done to it. Whether signers are enrolled
    /// and trusted is not the key's to know.
    pub fn holders_after(&self, of: &Active) -> Result<BTreeMap<u16, SignerId>, Refusal> {
        let bad = |because: String| refuse(Rule::CeremonyPlan, because);
        if of.plan.protocol.custody() == Custody::Cosigners {
            let because = "each cosigner has a key of its own, and there are no shares: move what the \
                           wallet holds to one of other cosigners (a rotation)";
            return bad(because.to_owned());
        }
        if of.plan.protocol.custody() != Custody::Shares {
            return bad("only a key in shares can have its shares changed".to_owned());
        }
        if let Some(stranger) = self.dropped.iter().find(|id| of.index_of(**id).is_none()) {
            return bad(format!("signer {stranger} does not hold the key"));
        }
        let mut after = of.holders.clone();
        after.retain(|_, holder| !self.dropped.contains(holder));
        self.check_helpers(of, &after)?;
        if let Some(joining) = self.joining {
            if of.index_of(joining.signer).is_some() && !self.dropped.contains(&joining.signer) {
                return bad(format!("signer {} holds the key already", joining.signer));
            }
            let replaces = of.holders.get(&joining.index);
            let replaces = replaces.is_some_and(|holder| self.dropped.contains(holder));
            let free = (1..=u16::MAX).find(|index| !of.holders.contains_key(index));
            if !replaces && Some(joining.index) != free {
                return bad(format!(
                    "who joins has the number of one who is dropped or the first free one, not {}",
                    joining.index
                ));
            }
            after.insert(joining.index, joining.signer);
        }
        let threshold = usize::from(of.plan.threshold);
        if after.len() < threshold || after.len() > MOST_HOLDERS {
            return bad(format!(
                "{} would hold the key: it takes {threshold} to {MOST_HOLDERS}",
                after.len()
            ));
        }
        // Its holders are numbered without gaps (docs/decisions/0029-threshold-ecdsa.md).
        let whole = (1..).zip(after.keys()).all(|(number, index)| number == *index);
        if of.plan.protocol == Protocol::Dkls23Secp256k1 && !whole {
            let because = "of such a key only the last holder can go without somebody in its place";
            return bad(because.to_owned());
        }
        Ok(after)
    }

    fn check_helpers(&self, of: &Active, stay: &BTreeMap<u16, SignerId>) -> Result<(), Refusal> {
        if self.helpers.is_empty() {
            return self.check_restored(of);
        }
        let distinct: BTreeSet<_> = self.helpers.iter().collect();
        let stays = |id: &&SignerId| stay.values().any(|holder| holder == *id);
        let threshold = usize::from(of.plan.threshold);
        if distinct.len() == threshold
            && distinct.len() == self.helpers.len()
            && self.helpers.iter().all(|id| stays(&id))
        {
            return Ok(());
        }
        let because = format!("{threshold} distinct holders that stay must help");
        refuse(Rule::CeremonyPlan, because)
    }

    /// Without helpers the share of who joins comes from a backup: of one who is dropped, and of the
    /// shares in use.
    fn check_restored(&self, of: &Active) -> Result<(), Refusal> {
        let lost = self.joining.and_then(|joining| of.holders.get(&joining.index));
        let backup = lost.filter(|id| self.dropped.contains(id)).and_then(|id| of.backups.get(id));
        if backup.is_some_and(|backup| backup.epoch == of.epoch) {
            return Ok(());
        }
        let because = "without helpers, who joins takes the place of one who is dropped and whose \
                       share of this epoch is backed up";
        refuse(Rule::KeyBackup, because)
    }
}

impl Active {
    /// The change under way, once its quorum agreed.
    pub fn change_under_way(&self, epoch: u32) -> Result<&Change, Refusal> {
        match &self.change {
            Some(change) if change.approved && change.epoch == epoch => Ok(change),
            _ => refuse(Rule::KeyState, format!("no change to epoch {epoch} is under way")),
        }
    }

    fn any_change(&self) -> Result<&Change, Refusal> {
        let none = || Refusal::new(Rule::KeyState, "no change of the key is under way");
        self.change.as_ref().ok_or_else(none)
    }

    fn next_epoch(&self) -> Result<u32, Refusal> {
        let all = || Refusal::new(Rule::KeyState, "the key has had all the epochs there are");
        self.epochs_asked.checked_add(1).ok_or_else(all)
    }

    pub(super) fn decide_change(&self, command: ChangeCommand) -> Result<Vec<KeyEvent>, Refusal> {
        match command {
            ChangeCommand::Request { change, proposal, maker } => {
                if self.change.is_some() {
                    return refuse(Rule::KeyState, "another change of the key is under way");
                }
                change.holders_after(self)?;
                let epoch = self.next_epoch()?;
                Ok(vec![ChangeRequested { change, epoch, proposal, maker }.into()])
            }
            ChangeCommand::Approve => {
                let change = self.any_change()?;
                Ok(vec![ChangeApproved { epoch: change.epoch }.into()])
            }
            ChangeCommand::Retry { helpers, because } => {
                let change = self.any_change()?;
                self.change_under_way(change.epoch)?;
                if helpers.is_empty() != change.asked.helpers.is_empty() {
                    return refuse(
                        Rule::CeremonyPlan,
                        "the quorum agreed to another source of the share of who joins",
                    );
                }
                KeyChange { helpers: helpers.clone(), ..change.asked.clone() }
                    .holders_after(self)?;
                Ok(vec![ChangeRetried { epoch: self.next_epoch()?, helpers, because }.into()])
            }
            ChangeCommand::Confirm(confirmed) => {
                self.change_under_way(confirmed.epoch)?.confirm(confirmed, &self.public_key)
            }
            ChangeCommand::Fail { because } => {
                let change = self.any_change()?;
                Ok(vec![ChangeFailed { epoch: change.epoch, because }.into()])
            }
        }
    }

    pub(super) fn publish_change_round(
        &self,
        published: RoundPublished,
    ) -> Result<Vec<KeyEvent>, Refusal> {
        self.change_under_way(published.epoch)?.publish(published)
    }

    /// Records what happened to its shares; `false` where that could not have happened.
    pub(super) fn evolve_change(&mut self, event: &KeyEvent) -> Option<bool> {
        if let KeyEvent::ChangeRequested(requested) = event {
            Some(self.ask(requested))
        } else if let KeyEvent::ChangeApproved(approved) = event {
            Some(self.during(approved.epoch, |change| change.approved = true))
        } else if let KeyEvent::ChangeRetried(retried) = event {
            Some(self.retry(retried))
        } else if let KeyEvent::RoundPublished(of) = event {
            Some(self.during(of.epoch, |change| {
                let round = change.rounds.entry(of.round).or_default();
                round.insert(of.signer, of.package.clone());
            }))
        } else if let KeyEvent::EpochConfirmed(by) = event {
            Some(self.during(by.epoch, |change| {
                change.confirmed.insert(by.signer, by.clone());
            }))
        } else if let KeyEvent::EpochAdvanced(advanced) = event {
            Some(self.advance(advanced))
        } else if let KeyEvent::ChangeFailed(failed) = event {
            let known = self.during(failed.epoch, |_| ());
            self.change = None;
            Some(known)
        } else {
            None
        }
    }

    fn during(&mut self, epoch: u32, then: impl FnOnce(&mut Change)) -> bool {
        match &mut self.change {
            Some(change) if change.epoch == epoch => {
                then(change);
                true
            }
            _ => false,
        }
    }

    fn ask(&mut self, requested: &ChangeRequested) -> bool {
        let Ok(holders) = requested.change.holders_after(self) else { return false };
        self.epochs_asked = requested.epoch;
        self.change = Some(Change {
            asked: requested.change.clone(),
            epoch: requested.epoch,
            proposal: requested.proposal,
            approved: false,
            holders,
            rounds: BTreeMap::new(),
            confirmed: BTreeMap::new(),
        });
        true
    }

    fn retry(&mut self, retried: &ChangeRetried) -> bool {
        self.epochs_asked = retried.epoch;
        let Some(change) = &mut self.change else { return false };
        change.epoch = retried.epoch;
        change.asked.helpers.clone_from(&retried.helpers);
        change.rounds.clear();
        change.confirmed.clear();
        true
    }

    fn advance(&mut self, advanced: &EpochAdvanced) -> bool {
        let Some(change) = self.change.take() else { return false };
        let before = std::mem::replace(&mut self.holders, advanced.holders.clone());
        self.former.insert(self.epoch, before);
        self.epoch = advanced.epoch;
        self.public_package = advanced.public_package.clone();
        change.epoch == advanced.epoch && change.holders == advanced.holders
    }

    /// Who held it, in each epoch that was in use when the one of number `since` was, or after it.
    /// The present one is the last.
    pub fn holders_since(&self, since: u32) -> impl Iterator<Item = &BTreeMap<u16, SignerId>> {
        self.former.range(since..).map(|(_, holders)| holders).chain([&self.holders])
    }
}

impl Change {
    /// A holder's number in the protocol afterwards.
    pub fn index_of(&self, signer: SignerId) -> Option<u16> {
        self.holders.iter().find(|(_, holder)| **holder == signer).map(|(index, _)| *index)
    }

    fn takes_part(&self, signer: SignerId) -> Result<(), Refusal> {
        if self.index_of(signer).is_some() {
            return Ok(());
        }
        refuse(Rule::SignerState, format!("signer {signer} has no part in this change"))
    }

    /// Rounds follow one another: nobody speaks in one before all have spoken in the one before.
    fn publish(&self, published: RoundPublished) -> Result<Vec<KeyEvent>, Refusal> {
        self.takes_part(published.signer)?;
        let spoken = |round| self.rounds.get(&round).map_or(0, BTreeMap::len);
        let due = match published.round.checked_sub(1) {
            Some(0) => true,
            Some(before) => spoken(before) == self.holders.len(),
            None => false,
        };
        if !due {
            let because = format!("round {} is not due", published.round);
            return refuse(Rule::CeremonyDisagreement, because);
        }
        let round = self.rounds.get(&published.round);
        match round.and_then(|round| round.get(&published.signer)) {
            None => Ok(vec![published.into()]),
            // The saga repeats its steps.
            Some(package) if *package == published.package => Ok(Vec::new()),
            Some(_) => {
                let because = format!("signer {} published another package", published.signer);
                refuse(Rule::CeremonyDisagreement, because)
            }
        }
    }

    fn confirm(
        &self,
        confirmed: EpochConfirmed,
        public_key: &Bytes,
    ) -> Result<Vec<KeyEvent>, Refusal> {
        self.takes_part(confirmed.signer)?;
        let same = |other: &EpochConfirmed| other.public_package == confirmed.public_package;
        if confirmed.public_key != *public_key || !self.confirmed.values().all(same) {
            let because = format!("signer {} made other shares than the others", confirmed.signer);
            return refuse(Rule::CeremonyDisagreement, because);
        }
        if self.confirmed.contains_key(&confirmed.signer) {
            return Ok(Vec::new());
        }
        let all = self.confirmed.len().saturating_add(1) == self.holders.len();
        let advanced = EpochAdvanced {
            epoch: confirmed.epoch,
            holders: self.holders.clone(),
            public_package: confirmed.public_package.clone(),
        };
        let mut events = vec![confirmed.into()];
        if all {
            events.push(advanced.into());
        }
        Ok(events)
    }
}
