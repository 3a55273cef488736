//! A key's life, from the ceremony that makes it. Only public parts are ever here.

mod backup;
mod change;
mod command;
mod event;
mod making;
mod plan;
mod proof;
mod protocol;

pub use backup::{BackedUp, RecoveryDrilled};
pub use change::{Change, ChangeCommand};
pub use command::Command;
pub use event::{
    Activated, Assigned, CeremonyApproved, CeremonyFailed, CeremonyPlan, CeremonyRequested,
    CeremonyRequestedV1, ChangeApproved, ChangeFailed, ChangeRequested, ChangeRetried, Confirmed,
    Cosigner, CosignerProven, EpochAdvanced, EpochConfirmed, Joining, KeyChange, KeyEvent, Proven,
    Quarantined, QuarantinedBy, Released, Retired, RoundOnePublished, RoundPublished,
};
pub use protocol::{Custody, Protocol};

use crate::{
    Aggregate, Bytes, Corrupt, ProposalId, Refusal, Rule, SignerId, Timestamp, WalletId,
    freeze::check_reason,
};
use serde::Serialize;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// A key's life.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub enum Key {
    /// Never asked for.
    #[default]
    Unknown,
    /// A quorum is being asked.
    Requested(Asked),
    /// Being made.
    Ceremony(Ceremony),
    /// It signs.
    Active(Active),
    /// The ceremony came to nothing.
    Failed,
    /// It exists, and nobody uses it.
    Quarantined(Active),
}

/// A ceremony that a quorum is being asked about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Asked {
    /// What to make.
    pub plan: CeremonyPlan,
    /// Of a multisig key: the cosigners besides the plan's participants.
    pub cosigners: Vec<Cosigner>,
    /// The quorum's proposal.
    pub proposal: ProposalId,
    /// What it will have to prove.
    pub proof: Proof,
}

/// Whether a key has shown that it can sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Proof {
    /// It was asked for when that was not required.
    NotAsked,
    /// It holds nothing before it has.
    Awaited,
    /// It has.
    Given {
        /// With which shares, last.
        epoch: u32,
    },
}

/// A ceremony under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Ceremony {
    /// What to make.
    pub plan: CeremonyPlan,
    /// Of a multisig key: the cosigners besides the plan's participants.
    pub cosigners: Vec<Cosigner>,
    /// The quorum's proposal.
    pub proposal: ProposalId,
    /// What it will have to prove.
    pub proof: Proof,
    /// First-round packages, by participant.
    pub round_one: BTreeMap<SignerId, Bytes>,
    /// Public messages of protocols with more rounds, by round and participant.
    pub rounds: BTreeMap<u16, BTreeMap<SignerId, Bytes>>,
    /// Who made its part.
    pub confirmed: BTreeMap<SignerId, Confirmed>,
}

/// A key that exists.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Active {
    /// How it was made. Who holds it now: [`Active::signers`].
    pub plan: CeremonyPlan,
    /// As [`Protocol::is_public_key`] says.
    pub public_key: Bytes,
    /// The protocol's public key package.
    pub public_package: Bytes,
    /// Which shares of the key are in use: 1 as it was made.
    pub epoch: u32,
    /// Who holds it: by number in the protocol, counted from 1.
    pub holders: BTreeMap<u16, SignerId>,
    /// Who held it in each epoch that was in use before.
    pub former: BTreeMap<u32, BTreeMap<u16, SignerId>>,
    /// The number of the last epoch that was ever tried.
    pub epochs_asked: u32,
    /// A change of its shares that was asked for, or is under way.
    pub change: Option<Change>,
    /// The last backup of each holder's share, of whatever epoch.
    pub backups: BTreeMap<SignerId, BackedUp>,
    /// When the last drill of each was, by its holder's clock.
    pub drilled: BTreeMap<SignerId, Timestamp>,
    /// Of a multisig key: the cosigners besides the holders.
    pub cosigners: Vec<Cosigner>,
    /// Of a multisig key: the key of each holder (BIP 380), as its ceremony published it.
    pub expressions: BTreeMap<SignerId, Bytes>,
    /// Of a multisig key: the parts of its proof so far, by place from 1.
    pub parts: BTreeMap<u16, Bytes>,
    /// Whether it has shown that it can sign.
    pub proof: Proof,
    /// The one wallet that it signs for.
    pub wallet: Option<WalletId>,
    /// Whether it signs nothing any more but sweeps of what comes late.
    pub retired: bool,
    /// The quorum's proposal.
    pub proposal: ProposalId,
}

impl Active {
    /// A holder's number in the protocol, counted from 1.
    pub fn index_of(&self, signer: SignerId) -> Option<u16> {
        self.holders.iter().find(|(_, holder)| **holder == signer).map(|(index, _)| *index)
    }

    /// Who holds it.
    pub fn signers(&self) -> Vec<SignerId> {
        self.holders.values().copied().collect()
    }
}

impl Key {
    /// What it is, in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Requested(_) => "awaiting approval",
            Self::Ceremony(_) => "being made",
            Self::Active(Active { proof: Proof::Awaited, .. }) => "unproven",
            Self::Active(Active { retired: true, .. }) => "retired",
            Self::Active(_) => "active",
            Self::Failed => "failed",
            Self::Quarantined(_) => "quarantined",
        }
    }

    /// The key, if it exists, whether or not it may be used.
    pub fn existing(&self) -> Result<&Active, Refusal> {
        match self {
            Self::Active(active) | Self::Quarantined(active) => Ok(active),
            Self::Unknown | Self::Requested(_) | Self::Ceremony(_) | Self::Failed => {
                Err(Refusal::new(Rule::KeyState, format!("the key is {}", self.name())))
            }
        }
    }

    /// The key, if it may be used.
    pub fn active(&self) -> Result<&Active, Refusal> {
        match self {
            Self::Active(active) => Ok(active),
            Self::Unknown
            | Self::Requested(_)
            | Self::Ceremony(_)
            | Self::Failed
            | Self::Quarantined(_) => {
                Err(Refusal::new(Rule::KeyState, format!("the key is {}", self.name())))
            }
        }
    }
}

impl Aggregate for Key {
    const KIND: &'static str = "key";
    type Command = Command;
    type Event = KeyEvent;

    fn decide(&self, command: Command) -> Result<Vec<KeyEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Request { asked, maker }) => {
                asked.plan.check(&asked.cosigners)?;
                let Asked { plan, cosigners, proposal, proof } = asked;
                if proof == Proof::NotAsked && plan.protocol.custody() == Custody::Cosigners {
                    let because =
                        "a multisig key proves itself: it takes a policy of the second form";
                    return Err(Refusal::new(Rule::CeremonyPlan, because));
                }
                Ok(vec![match proof {
                    Proof::NotAsked => CeremonyRequestedV1 { plan, proposal, maker }.into(),
                    Proof::Awaited | Proof::Given { .. } => {
                        CeremonyRequested { plan, cosigners, proposal, maker }.into()
                    }
                }])
            }
            (_, Command::Request { .. }) => {
                Err(Refusal::new(Rule::IdTaken, "there is a key with this id already"))
            }
            (Self::Requested(_), Command::Approve) => Ok(vec![CeremonyApproved {}.into()]),
            (Self::Ceremony(ceremony), Command::PublishRoundOne(published)) => {
                ceremony.publish(published)
            }
            (Self::Ceremony(ceremony), Command::PublishRound(published)) => {
                ceremony.publish_round(published)
            }
            (Self::Ceremony(ceremony), Command::Confirm(confirmed)) => ceremony.confirm(confirmed),
            (Self::Active(active), Command::Prove(proven)) => active.prove(proven),
            (Self::Active(active), Command::ProveCosigner(proven)) => active.prove_cosigner(proven),
            (Self::Active(active) | Self::Quarantined(active), Command::BackUp(backed_up)) => {
                active.back_up(backed_up)
            }
            (Self::Active(active) | Self::Quarantined(active), Command::Drill(drilled)) => {
                active.drill(drilled)
            }
            // Of a quarantined key too: a refresh without the culprit is how it comes back.
            (Self::Active(active) | Self::Quarantined(active), Command::Change(command)) => {
                active.decide_change(command)
            }
            (
                Self::Active(active) | Self::Quarantined(active),
                Command::PublishRound(published),
            ) => active.publish_change_round(published),
            (Self::Requested(_) | Self::Ceremony(_), Command::Fail { because }) => {
                Ok(vec![CeremonyFailed { because }.into()])
            }
            (Self::Active(Active { wallet: Some(wallet), .. }), Command::Assign(_)) => {
                let because = format!("the key signs for wallet {wallet}: make another one");
                Err(Refusal::new(Rule::KeyState, because))
            }
            (Self::Active(active), Command::Assign(assigned)) => {
                active.check_proven()?;
                Ok(vec![assigned.into()])
            }
            (Self::Active(_), Command::Quarantine(quarantined)) => Ok(vec![quarantined.into()]),
            (Self::Active(_), Command::Halt(quarantined)) => {
                check_reason(&quarantined.because)?;
                Ok(vec![quarantined.into()])
            }
            (Self::Active(active), Command::Retire) if active.retired => Ok(Vec::new()),
            (Self::Active(_), Command::Retire) => Ok(vec![Retired {}.into()]),
            (Self::Quarantined(_), Command::Release { proposal }) => {
                Ok(vec![Released { proposal }.into()])
            }
            (state, _) => Err(Refusal::new(Rule::KeyState, format!("the key is {}", state.name()))),
        }
    }

    fn evolve(&mut self, event: &KeyEvent) -> Result<(), Corrupt> {
        use KeyEvent as E;
        let name = self.name();
        let corrupt = || Corrupt { aggregate: Self::KIND, state: name, event: event.kind().0 };
        if let Self::Active(active) | Self::Quarantined(active) = self
            && let Some(fits) = active.evolve_change(event)
        {
            return if fits { Ok(()) } else { Err(corrupt()) };
        }
        if let Self::Active(active) | Self::Quarantined(active) = self
            && active.evolve_backup(event)
        {
            return Ok(());
        }
        *self = match (std::mem::take(self), event) {
            (Self::Unknown, E::CeremonyRequestedV1(of)) => Self::Requested(of.into()),
            (Self::Unknown, E::CeremonyRequested(of)) => Self::Requested(of.into()),
            (Self::Requested(asked), E::CeremonyApproved(_)) => Self::Ceremony(asked.into()),
            (Self::Ceremony(mut ceremony), E::RoundOnePublished(published)) => {
                ceremony.round_one.insert(published.signer, published.package.clone());
                Self::Ceremony(ceremony)
            }
            (Self::Ceremony(mut ceremony), E::RoundPublished(published)) => {
                let round = ceremony.rounds.entry(published.round).or_default();
                round.insert(published.signer, published.package.clone());
                Self::Ceremony(ceremony)
            }
            (Self::Ceremony(mut ceremony), E::Confirmed(confirmed)) => {
                ceremony.confirmed.insert(confirmed.signer, confirmed.clone());
                Self::Ceremony(ceremony)
            }
            (Self::Ceremony(ceremony), E::Activated(activated)) => {
                Self::Active(Active::made(ceremony, activated))
            }
            (Self::Active(active), E::Proven(proven)) => {
                Self::Active(Active { proof: Proof::Given { epoch: proven.epoch }, ..active })
            }
            (Self::Active(mut active), E::CosignerProven(proven)) => {
                active.parts.insert(proven.place, proven.signature.clone());
                Self::Active(active)
            }
            (Self::Active(active), E::Retired(_)) => {
                Self::Active(Active { retired: true, ..active })
            }
            (Self::Active(active), E::Assigned(assigned)) => {
                Self::Active(Active { wallet: Some(assigned.wallet), ..active })
            }
            (Self::Requested(_) | Self::Ceremony(_), E::CeremonyFailed(_)) => Self::Failed,
            (Self::Active(active), E::Quarantined(_) | E::QuarantinedBy(_)) => {
                Self::Quarantined(active)
            }
            (Self::Quarantined(active), E::Released(_)) => Self::Active(active),
            (_, _) => return Err(corrupt()),
        };
        Ok(())
    }
}
