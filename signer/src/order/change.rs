//! Changing the shares of a key, as the log shows a quorum agreed: round by round, and the new share
//! on disk before this signer says that it has one. What a restart loses is begun again under another
//! epoch, never gone on with.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use strongroom_domain::{
    Bytes, KeyId, LogId, Refusal, Rule, SignerId,
    key::{Active, Change as UnderWay, EpochConfirmed, Protocol},
    protocol::{Reply, Sealed, Work},
    statement,
};
use strongroom_secrets::Secret;

use super::{
    Signer, Trouble, demand_witnesses,
    letters::Post,
    making::{failed, of_another_history},
    refuse,
};
use crate::{
    frost::{ChangePlan, KeyShare, ShareChange, ShareName},
    threshold::{ByHolder, Heard, Machine as _, Said, Step},
};

/// Changes are named by their key and epoch.
static NO_SESSION: Bytes = Bytes(Vec::new());

/// Changes under way, by key: the last epoch that was begun of each. In memory only.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<KeyId, Arc<Mutex<Part>>>);

/// This signer's part in one.
struct Part {
    epoch: u32,
    machine: Option<ShareChange>,
    /// What it said, by round: whoever asks again hears the same.
    said: Vec<(Bytes, Vec<Sealed>)>,
}

/// A change that this signer has a part in, as its log has it.
pub(super) struct Mine {
    log: LogId,
    pub(super) active: Active,
    pub(super) change: UnderWay,
    /// Its number in the protocol afterwards.
    pub(super) holder: u16,
}

impl Changes {
    fn of(&mut self, key: KeyId, epoch: u32) -> Result<Arc<Mutex<Part>>, Refusal> {
        let part = self.0.entry(key).or_insert_with(|| Part::of(epoch));
        let known = part.lock().unwrap_or_else(PoisonError::into_inner).epoch;
        if known > epoch {
            let because = "a later change of the key was begun";
            return Err(Refusal::new(Rule::SignerProtocol, because));
        }
        if known < epoch {
            *part = Part::of(epoch);
        }
        Ok(Arc::clone(part))
    }
}

impl Part {
    fn of(epoch: u32) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { epoch, machine: None, said: Vec::new() }))
    }
}

impl Mine {
    pub(super) fn work(&self) -> Work {
        Work::Change { key: self.active.plan.key, epoch: self.change.epoch }
    }

    fn post(&self) -> Post<'_> {
        Post {
            work: self.work(),
            session: &NO_SESSION,
            protocol: self.active.plan.protocol,
            holders: &self.change.holders,
        }
    }

    fn number(&self, signer: SignerId) -> Option<u16> {
        self.change.index_of(signer)
    }

    /// Who gets its share of the helpers. Without helpers who joins has one: its operator restored
    /// it from a backup, and it takes part like everyone else.
    pub(super) fn joiner(&self) -> Option<u16> {
        let joining = self.change.asked.joining;
        joining.filter(|_| !self.change.asked.helpers.is_empty()).map(|joining| joining.index)
    }

    pub(super) fn helpers(&self) -> impl Iterator<Item = u16> {
        self.change.asked.helpers.iter().filter_map(|helper| self.number(*helper))
    }

    /// Whether this signer comes to hold the key, or its number, by this change.
    pub(super) fn joins(&self) -> bool {
        self.joiner() == Some(self.holder)
    }

    /// Whether it comes to hold the key by a share of before that officers' pieces give it.
    pub(super) fn restores(&self) -> bool {
        let joining = self.change.asked.joining;
        self.change.asked.helpers.is_empty()
            && joining.is_some_and(|joining| joining.index == self.holder)
    }

    /// What all said in a round, by number: the log is the broadcast channel.
    fn spoken(&self, round: u16) -> ByHolder<Vec<u8>> {
        let said = self.change.rounds.get(&round).into_iter().flatten();
        said.filter_map(|(signer, bytes)| Some((self.number(*signer)?, bytes.0.clone()))).collect()
    }
}

impl Signer {
    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A round of a change.
    pub(super) fn change(
        &self,
        (key, epoch): (KeyId, u32),
        round: u16,
        letters: &[Sealed],
    ) -> Result<Reply, Trouble> {
        let mine = self.change_under_way((key, epoch), round)?;
        match mine.active.plan.protocol {
            Protocol::FrostSecp256k1Tr => self.change_frost(&mine, round, letters),
            Protocol::Dkls23Secp256k1 | Protocol::FrostEd25519 => {
                self.change_in_rounds(&mine, round, letters)
            }
            Protocol::Pkcs11Secp256k1
            | Protocol::Pkcs11P256
            | Protocol::Pkcs11Ed25519
            | Protocol::Pkcs11Rsa2048
            | Protocol::VaultEd25519
            | Protocol::MultisigP2wsh
            | Protocol::MultisigP2tr => refuse(
                Rule::SignerProtocol,
                format!("a {} key has no shares to change", mine.active.plan.protocol.name()),
            ),
        }
    }

    /// The change, if the log shows it approved and this signer part of it, and nobody quarantined
    /// has a part. What it rests on is on disk and covered.
    fn change_under_way(&self, (key, epoch): (KeyId, u32), round: u16) -> Result<Mine, Trouble> {
        let mut follower = self.follower_mut();
        // What is acted upon is on disk first: it can't be another log after a crash.
        follower.commit()?;
        let state = follower.audited()?.state();
        let Some(known) = state.keys.get(&key) else {
            return refuse(Rule::SignerLogBehind, "this signer has not read of that key");
        };
        let wrong = |refusal: Refusal| Refusal::new(Rule::SignerKey, refusal.because);
        let active = known.existing().map_err(wrong)?;
        if active.epochs_asked < epoch {
            return refuse(Rule::SignerLogBehind, "this signer has not read of that change");
        }
        let change = active.change_under_way(epoch).map_err(wrong)?;
        let log = demand_witnesses(state)?.log;
        strongroom_domain::check_trusted(state, change.holders.values())?;
        follower.demand_covered(follower.grounds().of_change(key, round))?;
        match change.index_of(self.id) {
            Some(holder) => {
                Ok(Mine { log, active: active.clone(), change: change.clone(), holder })
            }
            None => refuse(Rule::SignerNotInSet, "this signer has no part in that change"),
        }
    }

    pub(super) fn share_name(&self, mine: &Mine) -> ShareName {
        ShareName { key: mine.active.plan.key.0, signer: self.id.0, epoch: mine.change.epoch }
    }

    fn change_frost(&self, mine: &Mine, round: u16, letters: &[Sealed]) -> Result<Reply, Trouble> {
        let name = self.share_name(mine);
        let part = self.changes().of(mine.active.plan.key, mine.change.epoch)?;
        let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
        let place = usize::from(round).checked_sub(1);
        if let Some((message, letters)) = place.and_then(|place| part.said.get(place)) {
            return Ok(Reply::Spoke { message: message.clone(), letters: letters.clone() });
        }
        // A repeated order, perhaps after a restart: the share is there.
        if name.path(&self.directory).exists() {
            if !mine.change.rounds.get(&1).is_some_and(|said| said.contains_key(&self.id)) {
                return Err(of_another_history(name.epoch));
            }
            let share = KeyShare::load(&self.sealer, &self.directory, name)
                .map_err(|error| Trouble::Corrupt(error.to_string(), None))?;
            return self.confirm_frost(mine, &share);
        }
        if place != Some(part.said.len()) {
            return refuse(Rule::SignerProtocol, "this signer has no such round in memory");
        }
        self.ready_to_seal()?;
        let stepped = match part.machine.take() {
            None if round == 1 => self.begin_frost(mine, name)?,
            None => return refuse(Rule::SignerProtocol, "this signer's part has failed"),
            Some(machine) => match self.heard_of_change(mine, round, letters, &machine) {
                Ok((spoken, letters)) => machine
                    .step(&Heard { spoken: &spoken, letters: &letters })
                    .map_err(|error| {
                        tracing::error!(%error, signer = %self.id, "a change of shares failed");
                        failed(&error, &mine.post())
                    })?,
                // What came is not what is due: the machine waits on.
                Err(trouble) => {
                    part.machine = Some(machine);
                    return Err(trouble);
                }
            },
        };
        match stepped {
            Step::Said(machine, Said { spoken, letters }) => {
                let letters = self.seal_letters(&mine.post(), round, &letters)?;
                let message = Bytes(spoken);
                part.machine = Some(machine);
                part.said.push((message.clone(), letters.clone()));
                Ok(Reply::Spoke { message, letters })
            }
            Step::Done(share) => {
                // A crash before this leaves no share: this holder never confirms, another change
                // begins. A crash after it leaves one that signs nothing before the log says so.
                share
                    .store(&self.sealer, &self.directory)
                    .map_err(|error| Trouble::Unavailable(error.to_string()))?;
                self.confirm_frost(mine, &share)
            }
        }
    }

    fn begin_frost(&self, mine: &Mine, name: ShareName) -> Result<Step<ShareChange>, Trouble> {
        if mine.change.rounds.get(&1).is_some_and(|said| said.contains_key(&self.id)) {
            let because = "this signer published its first round and was restarted since: begin \
                           another change";
            return refuse(Rule::SignerProtocol, because);
        }
        let plan = ChangePlan {
            holder: mine.holder,
            holders: mine.change.holders.keys().copied().collect(),
            joiner: mine.joiner(),
            helpers: mine.helpers().collect(),
        };
        let corrupt = |error: &dyn std::fmt::Display| Trouble::Corrupt(error.to_string(), None);
        let public = strongroom_chains::frost::GroupPublic::from_bytes(
            mine.active.public_package.as_slice(),
        )
        .map_err(|error| corrupt(&error))?;
        let key = mine.active.plan.key;
        let held = ShareName { epoch: mine.active.epoch, ..name };
        let own = if mine.restores() {
            let restored = self.restored(mine, held)?;
            let secret = restored.secret();
            let share = KeyShare::from_backup(held, mine.holder, secret, public.clone());
            Some(Arc::new(share.map_err(|error| corrupt(&error))?))
        } else if mine.joins() {
            None
        } else {
            Some(self.share(key, &mine.active)?)
        };
        let begun = ShareChange::begin(name, plan, &public, own.as_deref());
        let (machine, said) = begun.map_err(|error| failed(&error, &mine.post()))?;
        Ok(Step::Said(machine, said))
    }

    /// What the machine awaits: what the log shows of the round before, and the letters.
    fn heard_of_change(
        &self,
        mine: &Mine,
        round: u16,
        letters: &[Sealed],
        machine: &ShareChange,
    ) -> Result<(ByHolder<Vec<u8>>, ByHolder<Secret>), Trouble> {
        let before = round.saturating_sub(1);
        let spoken = mine.spoken(before);
        let letters = self.open_letters(&mine.post(), before, letters)?;
        let awaited = machine.awaits();
        if awaited.spoken.len() > spoken.len() {
            let because = format!("round {before} is not complete in the log");
            return refuse(Rule::SignerLogBehind, because);
        }
        match awaited.check(&Heard { spoken: &spoken, letters: &letters }) {
            Ok(()) => Ok((spoken, letters)),
            Err(error) => refuse(Rule::SignerProtocol, error.to_string()),
        }
    }

    fn confirm_frost(&self, mine: &Mine, share: &KeyShare) -> Result<Reply, Trouble> {
        let public = share.public();
        let package =
            public.to_bytes().map_err(|error| Trouble::Corrupt(error.to_string(), None))?;
        Ok(self.confirm_epoch(mine, public.key().to_bytes().to_vec(), package))
    }

    /// This signer's word that it has its share of the new epoch, durably.
    pub(super) fn confirm_epoch(
        &self,
        mine: &Mine,
        public_key: Vec<u8>,
        package: Vec<u8>,
    ) -> Reply {
        let (key, epoch) = (mine.active.plan.key, mine.change.epoch);
        let (public_key, public_package) = (Bytes(public_key), Bytes(package));
        let of = (key, epoch);
        let text =
            statement::epoch_confirmation(mine.log, of, self.id, &public_key, &public_package);
        let signature = Bytes(self.identity.confirm(text.as_bytes()).to_vec());
        let signer = self.id;
        let confirmed = EpochConfirmed { signer, epoch, public_key, public_package, signature };
        Reply::EpochConfirmed { confirmed }
    }
}
