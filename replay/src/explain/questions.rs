//! Questions to quorums in the story of a key, a signer or a wallet, and what became of them. Never an
//! answer without the person who gave it.

use super::{
    holders::{Held, Story},
    person,
};
use std::fmt::Write as _;
use strongroom_domain::{
    ProposalId,
    charter::Standing,
    proposal::{ProposalEvent, Subject},
};

impl Story {
    /// Questions about it, and what became of them.
    pub(super) fn proposal(
        &mut self,
        standing: &Standing,
        id: ProposalId,
        event: &ProposalEvent,
    ) -> Option<Vec<String>> {
        let opened = match event {
            ProposalEvent::Opened(opened) => Some((&opened.subject, opened.maker)),
            ProposalEvent::OpenedV1(opened) => Some((&opened.subject, opened.maker)),
            ProposalEvent::ApprovedV1(_)
            | ProposalEvent::DeclinedV1(_)
            | ProposalEvent::Approved(_)
            | ProposalEvent::Declined(_)
            | ProposalEvent::QuorumReached(_)
            | ProposalEvent::Vetoed(_)
            | ProposalEvent::Rejected(_)
            | ProposalEvent::Expired(_)
            | ProposalEvent::Cancelled(_)
            | ProposalEvent::Fulfilled(_)
            | ProposalEvent::Burnt(_) => None,
        };
        if let Some((subject, maker)) = opened {
            let asks = self.asks(subject)?;
            self.proposals.insert(id);
            return Some(vec![format!("{} asked: {asks}", person(standing, maker))]);
        }
        if !self.proposals.contains(&id) {
            return None;
        }
        let by = |who, word: &str| vec![format!("{} {word}.", person(standing, who))];
        Some(match event {
            ProposalEvent::Approved(of) => by(of.approver, "approved"),
            ProposalEvent::ApprovedV1(of) => by(of.approver, "approved"),
            ProposalEvent::Declined(of) => by(of.approver, "declined"),
            ProposalEvent::DeclinedV1(of) => by(of.approver, "declined"),
            ProposalEvent::QuorumReached(of) => {
                vec![format!("The quorum was reached by {} approvals.", of.approvers.len())]
            }
            ProposalEvent::Rejected(_) => vec!["Its quorum said no.".to_owned()],
            ProposalEvent::Expired(_) => vec!["Its time ran out.".to_owned()],
            ProposalEvent::Cancelled(_) => vec!["Who asked took it back.".to_owned()],
            ProposalEvent::Fulfilled(_) => vec!["What was approved has happened.".to_owned()],
            ProposalEvent::Burnt(of) => {
                vec![format!("The approvals are void for ever: {}", of.because)]
            }
            ProposalEvent::Vetoed(of) => by(of.by, "vetoed it"),
            ProposalEvent::Opened(_) | ProposalEvent::OpenedV1(_) => return None,
        })
    }

    fn asks(&self, subject: &Subject) -> Option<String> {
        match subject {
            Subject::KeyCeremony(plan) | Subject::MultisigKey { plan, .. } => {
                let mine = match self.of {
                    Held::Key(id) => plan.key == id,
                    Held::Signer(id) => plan.participants.contains(&id),
                    Held::Wallet(_) => false,
                };
                mine.then(|| format!("may key {} be made ({})?", plan.key, plan.protocol.name()))
            }
            Subject::ChangeKey(change) => self.changes(change).then(|| {
                let mut asks = format!("may the shares of key {} change hands?", change.key);
                for gone in &change.dropped {
                    let _ = write!(asks, " Signer {gone} no longer holds it.");
                }
                if let Some(joining) = change.joining {
                    let _ = write!(asks, " Signer {} joins.", joining.signer);
                }
                asks
            }),
            Subject::Signers(change) => {
                let signer = change.signer();
                self.cares_for(signer).then(|| format!("{} {signer}?", change.name()))
            }
            Subject::ReleaseSigner { signer } => {
                self.cares_for(*signer).then(|| format!("may signer {signer} be trusted again?"))
            }
            Subject::ReleaseKey { key } => {
                self.uses(*key).then(|| format!("may key {key}, which is quarantined, sign again?"))
            }
            Subject::Rotate(rotation) => self.is_rotated(rotation).then(|| {
                let (from, to) = (rotation.wallet, rotation.successor);
                format!(
                    "may everything in wallet {from} move to wallet {to}, and the key be retired?"
                )
            }),
            Subject::Transfer { .. }
            | Subject::Payment { .. }
            | Subject::PolicyChange(_)
            | Subject::PolicyForm2(_)
            | Subject::People(_)
            | Subject::Unfreeze { .. }
            | Subject::RaiseFeeCap { .. }
            | Subject::Abandon { .. } => None,
        }
    }
}
