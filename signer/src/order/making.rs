//! Shares made by machines: rounds of a ceremony, or of a change of shares. What must be the same for
//! all is read from the log, never from an order; what was said once is said again to whoever asks,
//! and never in another way.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use strongroom_domain::{
    Bytes, KeyId, Rule, SignerId,
    key::Protocol,
    protocol::{Reply, Sealed, Work},
};

use super::{Signer, Trouble, letters::Post, refuse};
use crate::{
    frost::ShareName,
    grounds::Grounds,
    threshold::{
        ByHolder, Heard, Machine, Place, RoundError, Said, Step,
        any::{AnyMaking, AnyShare},
    },
};

/// Ceremonies and changes that are remembered, each with up to a megabyte of letters for whoever asks
/// again. Beyond that one that is over is forgotten, or else the oldest: then people ask for another.
const REMEMBERED: usize = 16;

/// Machines under way, by what they are for. In memory only: a restart loses what they drew.
#[derive(Default)]
pub(super) struct Makings {
    /// With their places in the order in which they were begun.
    all: BTreeMap<Work, (u64, Arc<Mutex<Making>>)>,
    begun: u64,
}

struct Making {
    machine: Option<AnyMaking>,
    said: Vec<(Bytes, Vec<Sealed>)>,
}

/// What is being made, as this signer's log has it.
pub(super) struct Asked {
    pub(super) work: Work,
    pub(super) protocol: Protocol,
    pub(super) name: ShareName,
    pub(super) holders: BTreeMap<u16, SignerId>,
    /// What was said to all, by round.
    pub(super) rounds: BTreeMap<u16, BTreeMap<SignerId, Bytes>>,
}

impl Asked {
    fn post<'a>(&'a self, session: &'a Bytes) -> Post<'a> {
        let Self { work, protocol, holders, .. } = self;
        Post { work: *work, session, protocol: *protocol, holders }
    }

    /// What the log shows of a round, by number; `None` where somebody has not spoken yet.
    fn spoken(&self, round: u16) -> Option<ByHolder<Vec<u8>>> {
        let said = self.rounds.get(&round)?;
        let of = |(number, signer): (&u16, &SignerId)| Some((*number, said.get(signer)?.0.clone()));
        self.holders.iter().map(of).collect()
    }
}

impl Makings {
    fn of(&mut self, work: Work) -> Arc<Mutex<Making>> {
        if self.all.len() >= REMEMBERED && !self.all.contains_key(&work) {
            let oldest = self.all.iter().min_by_key(|(_, (begun, making))| {
                // Whoever holds the lock goes on with it just now.
                let goes_on = making.try_lock().is_ok_and(|making| !making.is_over());
                (goes_on || making.try_lock().is_err(), *begun)
            });
            if let Some(oldest) = oldest.map(|(work, _)| *work) {
                self.all.remove(&oldest);
            }
        }
        self.begun = self.begun.saturating_add(1);
        let begun = self.begun;
        let new = || Arc::new(Mutex::new(Making { machine: None, said: Vec::new() }));
        let (_, making) = self.all.entry(work).or_insert_with(|| (begun, new()));
        Arc::clone(making)
    }
}

impl Making {
    /// Its share is on disk, or it failed.
    const fn is_over(&self) -> bool {
        self.machine.is_none() && !self.said.is_empty()
    }
}

impl Signer {
    fn makings(&self) -> MutexGuard<'_, Makings> {
        self.makings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A round of a key's ceremony.
    pub(super) fn make(
        &self,
        key: KeyId,
        round: u16,
        letters: &[Sealed],
    ) -> Result<Reply, Trouble> {
        let rests_on = if round == 1 { Grounds::of_beginning } else { Grounds::of_rounds };
        let (ceremony, holder) = self.under_way(key, rests_on)?;
        let plan = &ceremony.plan;
        if !matches!(plan.protocol, Protocol::Dkls23Secp256k1 | Protocol::FrostEd25519) {
            let because = format!("a {} key is not made in such steps", plan.protocol.name());
            return refuse(Rule::SignerProtocol, because);
        }
        let asked = Asked {
            work: Work::Ceremony { key },
            protocol: plan.protocol,
            name: ShareName { key: key.0, signer: self.id.0, epoch: 1 },
            holders: (1..).zip(plan.participants.iter().copied()).collect(),
            rounds: ceremony.rounds.clone(),
        };
        let holders = u16::try_from(plan.participants.len()).unwrap_or(u16::MAX);
        let place = Place { holder, threshold: plan.threshold, holders };
        let begin = || AnyMaking::generate(asked.protocol, asked.name, place);
        match self.make_share(&asked, round, letters, begin)? {
            Made::Said(reply) => Ok(reply),
            Made::Share(share) => {
                let package = Bytes(package(&share)?);
                self.confirm(key, Bytes(key_of(&share)?), package)
            }
        }
    }

    /// A round of what makes a share; the share, durable, behind the last.
    pub(super) fn make_share(
        &self,
        asked: &Asked,
        round: u16,
        letters: &[Sealed],
        begin: impl FnOnce() -> Result<(AnyMaking, Said), RoundError>,
    ) -> Result<Made, Trouble> {
        let making = self.makings().of(asked.work);
        // One order of a work at a time; the others' go on meanwhile.
        let mut making = making.lock().unwrap_or_else(PoisonError::into_inner);
        let place = usize::from(round).checked_sub(1);
        if let Some((message, letters)) = place.and_then(|place| making.said.get(place)) {
            let (message, letters) = (message.clone(), letters.clone());
            return Ok(Made::Said(Reply::Spoke { message, letters }));
        }
        // A repeated order, perhaps after a restart: the share is there.
        if asked.name.path(&self.directory).exists() {
            if !asked.rounds.get(&1).is_some_and(|said| said.contains_key(&self.id)) {
                return Err(of_another_history(asked.name.epoch));
            }
            let place = (&self.sealer, self.directory.as_path());
            return Ok(Made::Share(AnyShare::load(asked.protocol, place, asked.name)?));
        }
        if place != Some(making.said.len()) {
            return refuse(
                Rule::SignerProtocol,
                "this signer has no such round in memory: if it was restarted, begin another",
            );
        }
        self.ready_to_seal()?;
        let post = asked.post(&EMPTY);
        let stepped = match making.machine.take() {
            None if round == 1 => {
                if asked.rounds.get(&1).is_some_and(|said| said.contains_key(&self.id)) {
                    return refuse(
                        Rule::SignerProtocol,
                        "this signer published its first round and was restarted since: begin \
                         another",
                    );
                }
                begin().map(|(machine, said)| Step::Said(machine, said))
            }
            None => return refuse(Rule::SignerProtocol, "this signer's part has failed"),
            Some(machine) => {
                let before = round.saturating_sub(1);
                match self.heard(asked, before, letters, &machine) {
                    Ok((spoken, letters)) => {
                        machine.step(&Heard { spoken: &spoken, letters: &letters })
                    }
                    // What came is not what is due: the machine waits on.
                    Err(trouble) => {
                        making.machine = Some(machine);
                        return Err(trouble);
                    }
                }
            }
        };
        match stepped {
            Ok(Step::Said(machine, Said { spoken, letters })) => {
                let letters = self.seal_letters(&post, round, &letters)?;
                let message = Bytes(spoken);
                making.machine = Some(machine);
                making.said.push((message.clone(), letters.clone()));
                Ok(Made::Said(Reply::Spoke { message, letters }))
            }
            Ok(Step::Done(share)) => {
                // A crash before this leaves no share: the holder never confirms.
                share
                    .store(&self.sealer, &self.directory)
                    .map_err(|error| Trouble::Unavailable(error.to_string()))?;
                Ok(Made::Share(share))
            }
            Err(error) => {
                tracing::error!(%error, signer = %self.id, "a ceremony failed");
                Err(failed(&error, &post))
            }
        }
    }

    fn heard(
        &self,
        asked: &Asked,
        round: u16,
        letters: &[Sealed],
        machine: &AnyMaking,
    ) -> Result<(ByHolder<Vec<u8>>, ByHolder<strongroom_secrets::Secret>), Trouble> {
        let awaited = machine.awaits();
        // In some rounds there are letters alone.
        let spoken =
            if awaited.spoken.is_empty() { Some(ByHolder::new()) } else { asked.spoken(round) };
        let Some(spoken) = spoken else {
            let because = format!("round {round} is not complete in the log");
            return refuse(Rule::SignerLogBehind, because);
        };
        let letters = self.open_letters(&asked.post(&EMPTY), round, letters)?;
        let complete = awaited.check(&Heard { spoken: &spoken, letters: &letters });
        match complete {
            Ok(()) => Ok((spoken, letters)),
            Err(error) => refuse(Rule::SignerProtocol, error.to_string()),
        }
    }
}

/// A share of this epoch lies here, and by the log this signer has not begun to make one: a quorum let the log
/// go on from before it did. Who else has one of those is not what people agree to now.
pub(super) fn of_another_history(epoch: u32) -> Trouble {
    Trouble::Unavailable(format!(
        "a share of epoch {epoch} lies here from before the log was resumed: this change can't be made, \
         the next one can"
    ))
}

/// Ceremonies and changes are named by their key and epoch.
static EMPTY: Bytes = Bytes(Vec::new());

/// What came of a round.
pub(super) enum Made {
    /// There is another.
    Said(Reply),
    /// It was the last.
    Share(AnyShare),
}

/// The public package as the log has it.
pub(super) fn package(share: &AnyShare) -> Result<Vec<u8>, Trouble> {
    share.package().map_err(|error| Trouble::Corrupt(error.to_string(), None))
}

/// The key as the log has it.
pub(super) fn key_of(share: &AnyShare) -> Result<Vec<u8>, Trouble> {
    share.key().map_err(|error| Trouble::Corrupt(error.to_string(), None))
}

/// A failed round: who is proven to have cheated is named.
pub(super) fn failed(error: &RoundError, post: &Post<'_>) -> Trouble {
    let culprit = error.culprit().and_then(|number| post.signer(number));
    match (culprit, error) {
        (None, RoundError::Senders { .. } | RoundError::Session { .. }) => Trouble::Refused(
            strongroom_domain::Refusal::new(Rule::SignerProtocol, error.to_string()),
        ),
        _ => Trouble::Corrupt(error.to_string(), culprit),
    }
}
