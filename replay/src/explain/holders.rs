//! The story of a key, a signer or a wallet, told from a log that was verified on the way: who could use it
//! when, and who agreed. Never whether a signer could be reached: that is the server's word.

use super::{Chapter, Fact, person};
use crate::{
    finding::{Fault, Finding},
    source::Source,
    spine::Expected,
    verifier::{Judged, Verifier, walk},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_domain::{
    Event, FreezeId, Head, KeyId, ProposalId, SignerId, State, Stream, TransferId, WalletId,
    charter::{CharterEvent, SignerChange, Standing},
    key::{Key, KeyChange, KeyEvent},
    signer::{Signer, SignerEvent},
    wallet::Rotation,
};
use strongroom_ledger::TreeHead;

/// Whose story.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// A key's.
    Key(KeyId),
    /// A signer's.
    Signer(SignerId),
    /// A wallet's.
    Wallet(WalletId),
}

/// A key's, a signer's or a wallet's life.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Life {
    /// Its stream: `key-<id>`, `signer-<id>` or `wallet-<id>`.
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

pub(super) struct Story {
    pub(super) of: Held,
    /// Questions about it.
    pub(super) proposals: BTreeSet<ProposalId>,
    /// Who holds each key.
    pub(super) holders: BTreeMap<KeyId, BTreeSet<SignerId>>,
    /// Which wallet each key signs for.
    pub(super) wallets: BTreeMap<KeyId, WalletId>,
    /// Wallets that have a successor.
    pub(super) given_up: BTreeSet<WalletId>,
    /// What moves to it.
    pub(super) sweeps: BTreeSet<TransferId>,
    /// Freezes of the wallet.
    pub(super) freezes: BTreeSet<FreezeId>,
    chapter: Chapter,
}

/// Verifies a log and tells the story of a key, signer or wallet.
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
        Held::Wallet(_) => "Who could spend from it, and where everything went",
    };
    let mut story = Story {
        of,
        proposals: BTreeSet::new(),
        holders: BTreeMap::new(),
        wallets: BTreeMap::new(),
        given_up: BTreeSet::new(),
        sweeps: BTreeSet::new(),
        freezes: BTreeSet::new(),
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

/// How a wallet stands.
fn stands(state: &State, id: WalletId) -> Option<&'static str> {
    let holding = state.wallets.get(&id)?.holding().ok()?;
    let key = state.keys.get(&holding.key).and_then(|key| key.existing().ok());
    Some(match (&holding.rotation, key.is_some_and(|key| key.retired)) {
        (_, true) => "given up, its key is retired",
        (Some(_), false) => "given up",
        (None, false) => "open",
    })
}

fn how(state: &State, of: Held) -> Result<(String, String), Finding> {
    let (name, found) = match of {
        Held::Key(id) => (Stream::Key(id).to_string(), state.keys.get(&id).map(Key::name)),
        Held::Signer(id) => {
            (Stream::Signer(id).to_string(), state.signers.get(&id).map(Signer::name))
        }
        Held::Wallet(id) => (Stream::Wallet(id).to_string(), stands(state, id)),
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
            (Stream::Wallet(id), Event::Wallet(event)) => self.wallet((state, standing), id, event),
            (Stream::Transfer(id), Event::Transfer(event)) => self.sweep(id, event),
            (Stream::Freezes, Event::Freeze(event)) => self.frozen(standing, event),
            _ => None,
        }
    }

    /// Whether a signer is the one of the story, or holds the key of it.
    pub(super) fn cares_for(&self, signer: SignerId) -> bool {
        match self.of {
            Held::Signer(id) => id == signer,
            Held::Key(id) => self.holders.get(&id).is_some_and(|who| who.contains(&signer)),
            Held::Wallet(id) => self
                .holders
                .iter()
                .any(|(key, who)| self.wallets.get(key) == Some(&id) && who.contains(&signer)),
        }
    }

    pub(super) fn uses(&self, key: KeyId) -> bool {
        match self.of {
            Held::Key(id) => id == key,
            Held::Signer(id) => self.holders.get(&key).is_some_and(|who| who.contains(&id)),
            Held::Wallet(id) => self.wallets.get(&key) == Some(&id),
        }
    }

    pub(super) fn is_rotated(&self, rotation: &Rotation) -> bool {
        self.is_about(rotation.wallet) || self.of == Held::Wallet(rotation.successor)
    }

    pub(super) fn changes(&self, change: &KeyChange) -> bool {
        match self.of {
            Held::Key(id) => id == change.key,
            Held::Wallet(id) => self.wallets.get(&change.key) == Some(&id),
            Held::Signer(id) => {
                change.dropped.contains(&id)
                    || change.joining.is_some_and(|joining| joining.signer == id)
                    || self.holders.get(&change.key).is_some_and(|who| who.contains(&id))
            }
        }
    }

    fn concerns_key(&self, id: KeyId, event: &KeyEvent) -> bool {
        let signer = match self.of {
            Held::Key(mine) => return mine == id,
            Held::Signer(signer) => signer,
            // Who said what in a ceremony is the key's own story.
            Held::Wallet(wallet) => {
                let said =
                    matches!(event, KeyEvent::RoundOnePublished(_) | KeyEvent::RoundPublished(_));
                return self.wallets.get(&id) == Some(&wallet) && !said;
            }
        };
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
            SignerEvent::Quarantined(of) => {
                let mut says = vec![
                    format!("{} quarantined signer {id}: {}", person(standing, of.by), of.because),
                    "From here on no other signer works with it.".to_owned(),
                ];
                let held = self.holders.iter().filter(|(_, who)| who.contains(&id));
                says.extend(held.map(|(key, who)| match self.wallets.get(key) {
                    Some(wallet) => {
                        let all = who.len();
                        format!("It is one of {all} holders of key {key}, of wallet {wallet}.")
                    }
                    None => format!("It is one of {} holders of key {key}.", who.len()),
                }));
                Some(says)
            }
            SignerEvent::Released(_) => Some(vec![format!("A quorum trusts signer {id} again.")]),
            SignerEvent::Reached(_) | SignerEvent::Lost(_) => None,
        }
    }
}
