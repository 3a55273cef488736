//! The story of a key or of a signer, told from a log that was verified on the way: who could use it
//! when, and who agreed. Never whether a signer could be reached: that is the server's word.

use super::{Chapter, Fact, person};
use crate::{
    finding::{Fault, Finding},
    source::Source,
    spine::Expected,
    verifier::{Judged, Verifier, walk},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};
use strongroom_domain::{
    Event, Head, KeyId, ProposalId, SignerId, State, Stream, WalletId,
    charter::{CharterEvent, SignerChange, Standing},
    key::{Key, KeyChange, KeyEvent},
    proposal::{ProposalEvent, Subject},
    signer::{Signer, SignerEvent},
};
use strongroom_ledger::TreeHead;

/// Whose story.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// A key's.
    Key(KeyId),
    /// A signer's.
    Signer(SignerId),
}

/// A key's or a signer's life.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Life {
    /// Its stream: `key-<id>` or `signer-<id>`.
    pub subject: String,
    /// How it stands, in a word.
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
    /// What happened.
    pub chapters: Vec<Chapter>,
}

struct Story {
    of: Held,
    /// Questions about it.
    proposals: BTreeSet<ProposalId>,
    /// Who holds each key.
    holders: BTreeMap<KeyId, BTreeSet<SignerId>>,
    /// Which wallet each key signs for.
    wallets: BTreeMap<KeyId, WalletId>,
    chapter: Chapter,
}

/// Verifies a log and tells the story of a key or signer.
pub fn explain_life(
    source: Source,
    expected: Expected,
    of: Held,
    mut progress: impl FnMut(u64),
) -> Result<Life, Finding> {
    let mut verifier = Verifier::new(expected);
    let title = match of {
        Held::Key(_) => "Who could use it, and who agreed",
        Held::Signer(_) => "What it held, and who trusted it",
    };
    let mut story = Story {
        of,
        proposals: BTreeSet::new(),
        holders: BTreeMap::new(),
        wallets: BTreeMap::new(),
        chapter: Chapter { title, facts: Vec::new() },
    };
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
    let (subject, standing) = how(state, of)?;
    let charter = super::standing(&verifier)?;
    Ok(Life {
        subject,
        state: standing,
        log: charter.log.to_string(),
        origin: charter.origin(),
        genesis,
        head: state.head,
        tree: verifier.tree(),
        chapters: vec![story.chapter],
    })
}

fn how(state: &State, of: Held) -> Result<(String, String), Finding> {
    let (name, found) = match of {
        Held::Key(id) => (Stream::Key(id).to_string(), state.keys.get(&id).map(Key::name)),
        Held::Signer(id) => {
            (Stream::Signer(id).to_string(), state.signers.get(&id).map(Signer::name))
        }
    };
    match found {
        Some(word) => Ok((name, word.to_owned())),
        None => Err(Finding::of(Fault::NotThere, format!("{name} is not in this log"))),
    }
}

impl Story {
    fn note(&mut self, judged: Judged<'_>) -> Result<(), Finding> {
        let recorded = judged.recorded;
        let standing = super::standing(judged.verifier)?;
        let Some(says) =
            self.told((judged.verifier.state(), standing), recorded.stream, &recorded.event)
        else {
            return Ok(());
        };
        self.chapter.facts.push(Fact {
            position: recorded.head.position,
            leaf: recorded.head.leaf.to_string(),
            time: recorded.time,
            event: recorded.event.kind().0,
            says,
            statement: None,
            payload: serde_json::from_slice(&judged.pair.payload).unwrap_or_default(),
        });
        Ok(())
    }

    fn told(
        &mut self,
        (state, standing): (&State, &Standing),
        stream: Stream,
        event: &Event,
    ) -> Option<Vec<String>> {
        match (stream, event) {
            (Stream::Key(id), Event::Key(event)) => {
                let about = self.concerns_key(id, event);
                if let KeyEvent::Assigned(of) = event {
                    self.wallets.insert(id, of.wallet);
                }
                let says = self.key((state, standing), id, event);
                about.then_some(says)
            }
            (Stream::Signer(id), Event::Signer(event)) => self.signer(standing, id, event),
            (_, Event::Charter(CharterEvent::SignersChanged(changed))) => {
                let signer = changed.change.signer();
                self.cares_for(signer).then(|| match &changed.change {
                    SignerChange::Enrol(_) => vec![format!("A quorum enrolled signer {signer}.")],
                    SignerChange::Retire { .. } => vec![format!(
                        "A quorum retired signer {signer}: it holds no key and cosigns no more."
                    )],
                })
            }
            (Stream::Proposal(id), Event::Proposal(event)) => self.proposal(standing, id, event),
            _ => None,
        }
    }

    /// Whether a signer is the one of the story, or holds the key of it.
    fn cares_for(&self, signer: SignerId) -> bool {
        match self.of {
            Held::Signer(id) => id == signer,
            Held::Key(id) => self.holders.get(&id).is_some_and(|who| who.contains(&signer)),
        }
    }

    /// Whether the wallet's key is the story's, or held by the signer of it.
    fn rotates(&self, wallet: WalletId) -> bool {
        self.wallets.iter().any(|(key, of)| {
            let mine = match self.of {
                Held::Key(id) => *key == id,
                Held::Signer(id) => self.holders.get(key).is_some_and(|who| who.contains(&id)),
            };
            mine && *of == wallet
        })
    }

    fn changes(&self, change: &KeyChange) -> bool {
        match self.of {
            Held::Key(id) => id == change.key,
            Held::Signer(id) => {
                change.dropped.contains(&id)
                    || change.joining.is_some_and(|joining| joining.signer == id)
                    || self.holders.get(&change.key).is_some_and(|who| who.contains(&id))
            }
        }
    }

    fn concerns_key(&self, id: KeyId, event: &KeyEvent) -> bool {
        let Held::Signer(signer) = self.of else { return self.of == Held::Key(id) };
        let holds = self.holders.get(&id).is_some_and(|who| who.contains(&signer));
        if let KeyEvent::ChangeRequested(of) = event {
            return self.changes(&of.change);
        }
        if let KeyEvent::EpochAdvanced(of) = event {
            return holds || of.holders.values().any(|holder| *holder == signer);
        }
        if let KeyEvent::EpochConfirmed(by) = event {
            return by.signer == signer;
        }
        if let KeyEvent::Confirmed(by) = event {
            return by.signer == signer;
        }
        if let KeyEvent::RoundOnePublished(_) | KeyEvent::RoundPublished(_) = event {
            return false;
        }
        holds
    }

    fn key(
        &mut self,
        (state, standing): (&State, &Standing),
        id: KeyId,
        event: &KeyEvent,
    ) -> Vec<String> {
        let active = state.keys.get(&id).and_then(|key| key.existing().ok());
        if let KeyEvent::Activated(of) = event {
            let who = active.map(strongroom_domain::key::Active::signers).unwrap_or_default();
            let mut says = vec![format!("Key {id} exists: public key {}.", of.public_key)];
            says.extend(who.iter().map(|signer| format!("Held by signer {signer}.")));
            self.holders.insert(id, who.into_iter().collect());
            return says;
        }
        if let KeyEvent::EpochAdvanced(of) = event {
            let now: BTreeSet<SignerId> = of.holders.values().copied().collect();
            let before = self.holders.insert(id, now.clone()).unwrap_or_default();
            let mut says = vec![format!(
                "From here on the shares of epoch {} sign for key {id}, whose public key and \
                 addresses stay; every older share is of no use with them.",
                of.epoch
            )];
            says.extend(
                before.difference(&now).map(|who| format!("Signer {who} no longer holds it.")),
            );
            says.extend(now.difference(&before).map(|who| format!("Signer {who} joins.")));
            says.extend(now.intersection(&before).map(|who| format!("Signer {who} stays.")));
            return says;
        }
        if let KeyEvent::CeremonyRequested(_) | KeyEvent::CeremonyRequestedV1(_) = event
            && let Some(key) = state.keys.get(&id)
            && let strongroom_domain::key::Key::Requested(asked) = key
        {
            self.holders.insert(id, asked.plan.participants.iter().copied().collect());
        }
        super::key_lines::key(standing, id, event)
    }

    fn signer(
        &self,
        standing: &Standing,
        id: SignerId,
        event: &SignerEvent,
    ) -> Option<Vec<String>> {
        if !self.cares_for(id) {
            return None;
        }
        match event {
            SignerEvent::Enrolled(of) => Some(vec![format!(
                "The charter names signer {id}, identity key {}.",
                of.identity_key
            )]),
            SignerEvent::Quarantined(of) => Some(vec![
                format!("{} quarantined signer {id}: {}", person(standing, of.by), of.because),
                "From here on no other signer works with it.".to_owned(),
            ]),
            SignerEvent::Released(_) => Some(vec![format!("A quorum trusts signer {id} again.")]),
            SignerEvent::Reached(_) | SignerEvent::Lost(_) => None,
        }
    }

    /// Questions about it, and what became of them.
    fn proposal(
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
            Subject::KeyCeremony(plan) => {
                let mine = match self.of {
                    Held::Key(id) => plan.key == id,
                    Held::Signer(id) => plan.participants.contains(&id),
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
            Subject::ReleaseKey { key } => (self.of == Held::Key(*key))
                .then(|| format!("may key {key}, which is quarantined, sign again?")),
            Subject::Rotate(rotation) => self.rotates(rotation.wallet).then(|| {
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
