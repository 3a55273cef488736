//! A key's ceremony: who says what, and when. A key exists once all who make it say the same.

use super::{
    Activated, Active, Asked, Ceremony, CeremonyRequested, CeremonyRequestedV1, Confirmed, Custody,
    KeyEvent, Proof, RoundOnePublished, RoundPublished,
};
use crate::{Refusal, Rule, SignerId};
use std::collections::BTreeMap;

impl From<&CeremonyRequestedV1> for Asked {
    fn from(requested: &CeremonyRequestedV1) -> Self {
        Self {
            plan: requested.plan.clone(),
            cosigners: Vec::new(),
            proposal: requested.proposal,
            proof: Proof::NotAsked,
        }
    }
}

impl From<&CeremonyRequested> for Asked {
    fn from(requested: &CeremonyRequested) -> Self {
        Self {
            plan: requested.plan.clone(),
            cosigners: requested.cosigners.clone(),
            proposal: requested.proposal,
            proof: Proof::Awaited,
        }
    }
}

impl From<Asked> for Ceremony {
    fn from(asked: Asked) -> Self {
        Self {
            plan: asked.plan,
            cosigners: asked.cosigners,
            proposal: asked.proposal,
            proof: asked.proof,
            round_one: BTreeMap::new(),
            rounds: BTreeMap::new(),
            confirmed: BTreeMap::new(),
        }
    }
}

impl Active {
    /// As the ceremony left it.
    pub(super) fn made(mut ceremony: Ceremony, activated: &Activated) -> Self {
        let expressions = match ceremony.plan.protocol.custody() {
            Custody::Cosigners => ceremony.rounds.remove(&1).unwrap_or_default(),
            Custody::Shares | Custody::Whole => BTreeMap::new(),
        };
        Self {
            expressions,
            parts: BTreeMap::new(),
            holders: (1..).zip(ceremony.plan.participants.iter().copied()).collect(),
            plan: ceremony.plan,
            public_key: activated.public_key.clone(),
            public_package: activated.public_package.clone(),
            epoch: 1,
            former: BTreeMap::new(),
            epochs_asked: 1,
            change: None,
            backups: BTreeMap::new(),
            drilled: BTreeMap::new(),
            cosigners: ceremony.cosigners,
            proof: ceremony.proof,
            wallet: None,
            retired: false,
            proposal: ceremony.proposal,
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

    pub(super) fn publish(&self, published: RoundOnePublished) -> Result<Vec<KeyEvent>, Refusal> {
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

    /// Rounds follow one another: nobody speaks in one before all have spoken in the one before.
    pub(super) fn publish_round(
        &self,
        published: RoundPublished,
    ) -> Result<Vec<KeyEvent>, Refusal> {
        self.participant(published.signer)?;
        let spoken = |round| self.rounds.get(&round).map_or(0, BTreeMap::len);
        let before = published.round.checked_sub(1);
        let due = match before {
            Some(0) => true,
            Some(before) => spoken(before) == self.plan.participants.len(),
            None => false,
        };
        if !due || published.epoch != 1 {
            let because = format!("round {} is not due", published.round);
            return Err(Refusal::new(Rule::CeremonyDisagreement, because));
        }
        let round = self.rounds.get(&published.round);
        match round.and_then(|round| round.get(&published.signer)) {
            None => Ok(vec![published.into()]),
            Some(package) if *package == published.package => Ok(Vec::new()),
            Some(_) => {
                let because = format!("signer {} published another package", published.signer);
                Err(Refusal::new(Rule::CeremonyDisagreement, because))
            }
        }
    }

    /// A whole key is made by the first participant: the others hold a copy of what it confirmed.
    fn check_turn(&self, signer: SignerId) -> Result<(), Refusal> {
        match (self.plan.protocol.custody(), self.plan.participants.first()) {
            (Custody::Whole, Some(maker))
                if *maker != signer && !self.confirmed.contains_key(maker) =>
            {
                let because = format!("signer {maker} makes the key, and has not confirmed it");
                Err(Refusal::new(Rule::CeremonyDisagreement, because))
            }
            (Custody::Whole | Custody::Shares | Custody::Cosigners, _) => Ok(()),
        }
    }

    pub(super) fn confirm(&self, confirmed: Confirmed) -> Result<Vec<KeyEvent>, Refusal> {
        self.participant(confirmed.signer)?;
        self.check_turn(confirmed.signer)?;
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
