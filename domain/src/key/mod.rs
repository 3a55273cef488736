//! A key's life, from the ceremony that makes it. Only public parts are ever here.

mod event;

pub use event::{
    Activated, Assigned, CeremonyApproved, CeremonyFailed, CeremonyPlan, CeremonyRequested,
    Confirmed, KeyEvent, Protocol, Quarantined, QuarantinedBy, Released, RoundOnePublished,
};

use crate::{
    Aggregate, Bytes, Corrupt, PersonId, ProposalId, Refusal, Rule, SignerId, WalletId,
    freeze::check_reason,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// A key's life.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub enum Key {
    /// Never asked for.
    #[default]
    Unknown,
    /// A quorum is being asked.
    Requested(CeremonyRequested),
    /// Being made.
    Ceremony(Ceremony),
    /// It signs.
    Active(Active),
    /// The ceremony came to nothing.
    Failed,
    /// It exists, and nobody uses it.
    Quarantined(Active),
}

/// A ceremony under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Ceremony {
    /// What to make.
    pub plan: CeremonyPlan,
    /// The quorum's proposal.
    pub proposal: ProposalId,
    /// First-round packages, by participant.
    pub round_one: BTreeMap<SignerId, Bytes>,
    /// Who made its part.
    pub confirmed: BTreeMap<SignerId, Confirmed>,
}

/// A key that exists.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Active {
    /// How it was made.
    pub plan: CeremonyPlan,
    /// SEC 1 compressed, 33 bytes.
    pub public_key: Bytes,
    /// The protocol's public key package.
    pub public_package: Bytes,
    /// The one wallet that it signs for.
    pub wallet: Option<WalletId>,
    /// The quorum's proposal.
    pub proposal: ProposalId,
}

/// A request to change a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Ask a quorum for it.
    Request {
        /// What to make.
        plan: CeremonyPlan,
        /// The question.
        proposal: ProposalId,
        /// Who asks.
        maker: PersonId,
    },
    /// The quorum agreed.
    Approve,
    /// Record a participant's first message.
    PublishRoundOne(RoundOnePublished),
    /// Record a participant's result. Its signature was verified by the caller.
    Confirm(Confirmed),
    /// Bind it to a wallet.
    Assign(Assigned),
    /// Give up.
    Fail {
        /// Why.
        because: String,
    },
    /// Stop using it.
    Quarantine(Quarantined),
    /// An officer takes it out of use. That they are one was checked by the caller.
    Halt(QuarantinedBy),
    /// The quorum lets it be used again.
    Release {
        /// Whose quorum.
        proposal: ProposalId,
    },
}

impl CeremonyPlan {
    /// A plan that the protocol can carry out.
    pub fn check(&self) -> Result<(), Refusal> {
        let refuse = |because: String| Err(Refusal::new(Rule::CeremonyPlan, because));
        let holders = self.participants.len();
        let distinct: BTreeSet<_> = self.participants.iter().collect();
        if distinct.len() != holders {
            return refuse("a signer takes part twice".to_owned());
        }
        let threshold = usize::from(self.threshold);
        match self.protocol {
            Protocol::FrostSecp256k1Tr if threshold < 2 || threshold > holders || holders > 10 => {
                refuse(format!(
                    "FROST needs 2 to 10 holders, at least 2 of whom sign; this is {threshold} of {holders}"
                ))
            }
            Protocol::Pkcs11Secp256k1 if threshold != 1 || holders != 1 => {
                refuse(format!("a token's key has one holder; this is {threshold} of {holders}"))
            }
            Protocol::FrostSecp256k1Tr | Protocol::Pkcs11Secp256k1 => Ok(()),
        }
    }

    /// A holder's number in the protocol, counted from 1.
    pub fn index_of(&self, signer: SignerId) -> Option<u16> {
        let place = self.participants.iter().position(|holder| *holder == signer)?;
        u16::try_from(place.checked_add(1)?).ok()
    }
}

impl Key {
    /// What it is, in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Requested(_) => "awaiting approval",
            Self::Ceremony(_) => "being made",
            Self::Active(_) => "active",
            Self::Failed => "failed",
            Self::Quarantined(_) => "quarantined",
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

impl Ceremony {
    fn participant(&self, signer: SignerId) -> Result<(), Refusal> {
        if self.plan.participants.contains(&signer) {
            Ok(())
        } else {
            let because = format!("signer {signer} is no participant of this ceremony");
            Err(Refusal::new(Rule::SignerState, because))
        }
    }

    fn publish(&self, published: RoundOnePublished) -> Result<Vec<KeyEvent>, Refusal> {
        self.participant(published.signer)?;
        match self.round_one.get(&published.signer) {
            None => Ok(vec![published.into()]),
            // The saga repeats its steps: the same package again is no news.
            Some(package) if *package == published.package => Ok(Vec::new()),
            Some(_) => {
                let because = format!("signer {} published another package", published.signer);
                Err(Refusal::new(Rule::CeremonyDisagreement, because))
            }
        }
    }

    fn confirm(&self, confirmed: Confirmed) -> Result<Vec<KeyEvent>, Refusal> {
        self.participant(confirmed.signer)?;
        let same = |other: &Confirmed| {
            other.public_key == confirmed.public_key
                && other.public_package == confirmed.public_package
        };
        if !self.confirmed.values().all(same) {
            let because = format!("signer {} made another key than the others", confirmed.signer);
            return Err(Refusal::new(Rule::CeremonyDisagreement, because));
        }
        if self.confirmed.contains_key(&confirmed.signer) {
            return Ok(Vec::new());
        }
        let all = self.confirmed.len().saturating_add(1) == self.plan.participants.len();
        let activated = Activated {
            public_key: confirmed.public_key.clone(),
            public_package: confirmed.public_package.clone(),
        };
        let mut events = vec![confirmed.into()];
        if all {
            events.push(activated.into());
        }
        Ok(events)
    }
}

impl Aggregate for Key {
    const KIND: &'static str = "key";
    type Command = Command;
    type Event = KeyEvent;

    fn decide(&self, command: Command) -> Result<Vec<KeyEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Request { plan, proposal, maker }) => {
                plan.check()?;
                Ok(vec![CeremonyRequested { plan, proposal, maker }.into()])
            }
            (_, Command::Request { .. }) => {
                Err(Refusal::new(Rule::IdTaken, "there is a key with this id already"))
            }
            (Self::Requested(_), Command::Approve) => Ok(vec![CeremonyApproved {}.into()]),
            (Self::Ceremony(ceremony), Command::PublishRoundOne(published)) => {
                ceremony.publish(published)
            }
            (Self::Ceremony(ceremony), Command::Confirm(confirmed)) => ceremony.confirm(confirmed),
            (Self::Requested(_) | Self::Ceremony(_), Command::Fail { because }) => {
                Ok(vec![CeremonyFailed { because }.into()])
            }
            (Self::Active(Active { wallet: Some(wallet), .. }), Command::Assign(_)) => {
                let because = format!("the key signs for wallet {wallet}: make another one");
                Err(Refusal::new(Rule::KeyState, because))
            }
            (Self::Active(_), Command::Assign(assigned)) => Ok(vec![assigned.into()]),
            (Self::Active(_), Command::Quarantine(quarantined)) => Ok(vec![quarantined.into()]),
            (Self::Active(_), Command::Halt(quarantined)) => {
                check_reason(&quarantined.because)?;
                Ok(vec![quarantined.into()])
            }
            (Self::Quarantined(_), Command::Release { proposal }) => {
                Ok(vec![Released { proposal }.into()])
            }
            (state, _) => Err(Refusal::new(Rule::KeyState, format!("the key is {}", state.name()))),
        }
    }

    fn evolve(&mut self, event: &KeyEvent) -> Result<(), Corrupt> {
        use KeyEvent as E;
        let name = self.name();
        *self = match (std::mem::take(self), event) {
            (Self::Unknown, E::CeremonyRequested(requested)) => Self::Requested(requested.clone()),
            (Self::Requested(requested), E::CeremonyApproved(_)) => Self::Ceremony(Ceremony {
                plan: requested.plan,
                proposal: requested.proposal,
                round_one: BTreeMap::new(),
                confirmed: BTreeMap::new(),
            }),
            (Self::Ceremony(mut ceremony), E::RoundOnePublished(published)) => {
                ceremony.round_one.insert(published.signer, published.package.clone());
                Self::Ceremony(ceremony)
            }
            (Self::Ceremony(mut ceremony), E::Confirmed(confirmed)) => {
                ceremony.confirmed.insert(confirmed.signer, confirmed.clone());
                Self::Ceremony(ceremony)
            }
            (Self::Ceremony(ceremony), E::Activated(activated)) => Self::Active(Active {
                plan: ceremony.plan,
                public_key: activated.public_key.clone(),
                public_package: activated.public_package.clone(),
                wallet: None,
                proposal: ceremony.proposal,
            }),
            (Self::Active(active), E::Assigned(assigned)) => {
                Self::Active(Active { wallet: Some(assigned.wallet), ..active })
            }
            (Self::Requested(_) | Self::Ceremony(_), E::CeremonyFailed(_)) => Self::Failed,
            (Self::Active(active), E::Quarantined(_) | E::QuarantinedBy(_)) => {
                Self::Quarantined(active)
            }
            (Self::Quarantined(active), E::Released(_)) => Self::Active(active),
            (_, event) => {
                return Err(Corrupt { aggregate: Self::KIND, state: name, event: event.kind().0 });
            }
        };
        Ok(())
    }
}
