//! Making keys, as the log shows a quorum agreed. A ceremony's secrets live in memory until there
//! is a share; what others must see the same of is read from the log, never from an order.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

use strongroom_domain::{
    Bytes, KeyId, Rule, SignerId,
    key::{Ceremony as UnderWay, Confirmed, Key, Protocol},
    protocol::{Reply, Sealed},
    statement,
};
use strongroom_secrets::Secret;
use uuid::Uuid;

use super::{Signer, Trouble, demand_witnesses, refuse};
use crate::{
    frost::{Ceremony, CeremonyError, Dealing, Exchange, KeyShare, ShareName},
    grounds::Grounds,
    pkcs11::KeyKind,
    sealing::{Letterhead, SealingPublic},
};

/// Ceremonies under way, by key.
pub(super) type Ceremonies = BTreeMap<KeyId, Stage>;

/// How far one has come.
pub(super) enum Stage {
    /// Round one is out.
    Dealt { dealing: Box<Dealing>, package: Bytes },
    /// Round two is out.
    Exchanged { exchange: Box<Exchange>, sealed: Vec<Sealed> },
}

impl Signer {
    fn ceremonies(&self) -> MutexGuard<'_, Ceremonies> {
        self.ceremonies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ceremony, if the log shows it approved and this signer part of it.
    pub(super) fn under_way(
        &self,
        key: KeyId,
        rests_on: impl FnOnce(&Grounds, KeyId) -> u64,
    ) -> Result<(UnderWay, u16), Trouble> {
        let mut follower = self.follower_mut();
        // What is acted upon is on disk first: it can't be another log after a crash.
        follower.commit()?;
        let state = follower.audited()?.state();
        let ceremony = match state.keys.get(&key) {
            None => {
                return refuse(Rule::SignerLogBehind, "this signer has not read of that key");
            }
            Some(Key::Ceremony(ceremony)) => ceremony.clone(),
            Some(key) => {
                return refuse(Rule::SignerKey, format!("the key is {}", key.name()));
            }
        };
        demand_witnesses(state)?;
        strongroom_domain::check_trusted(state, &ceremony.plan.participants)?;
        follower.demand_covered(rests_on(follower.grounds(), key))?;
        match ceremony.plan.index_of(self.id) {
            Some(holder) => Ok((ceremony, holder)),
            None => refuse(Rule::SignerNotInSet, "this signer has no part in that key"),
        }
    }

    pub(super) fn begin_ceremony(&self, key: KeyId) -> Result<Reply, Trouble> {
        let (ceremony, holder) = self.under_way(key, Grounds::of_beginning)?;
        match ceremony.plan.protocol {
            Protocol::Pkcs11Secp256k1 => self.hold_in_token(key, KeyKind::Secp256k1, &ceremony),
            Protocol::Pkcs11P256 => self.hold_in_token(key, KeyKind::P256, &ceremony),
            Protocol::Pkcs11Ed25519 => self.hold_in_token(key, KeyKind::Ed25519, &ceremony),
            Protocol::Pkcs11Rsa2048 => self.hold_in_token(key, KeyKind::Rsa2048, &ceremony),
            Protocol::FrostSecp256k1Tr => self.deal(key, &ceremony, holder),
            Protocol::VaultEd25519 => self.hold_in_vault(key, &ceremony),
            Protocol::FrostEd25519
            | Protocol::Dkls23Secp256k1
            | Protocol::MultisigP2wsh
            | Protocol::MultisigP2tr => refuse(
                Rule::SignerProtocol,
                format!("a {} key does not begin like this", ceremony.plan.protocol.name()),
            ),
        }
    }

    fn deal(&self, key: KeyId, ceremony: &UnderWay, holder: u16) -> Result<Reply, Trouble> {
        let mut stages = self.ceremonies();
        if let Some(Stage::Dealt { package, .. }) = stages.get(&key) {
            return Ok(Reply::RoundOne { package: package.clone() });
        }
        if stages.contains_key(&key) || ceremony.round_one.contains_key(&self.id) {
            return refuse(
                Rule::SignerProtocol,
                "this signer published its first round and was restarted since: begin another \
                 ceremony",
            );
        }
        let holders = u16::try_from(ceremony.plan.participants.len()).unwrap_or(u16::MAX);
        let begun = Ceremony::new(holder, ceremony.plan.threshold, holders)
            .and_then(Ceremony::begin)
            .map_err(|error| self.failed(ceremony, &error))?;
        let (dealing, package) = (Box::new(begun.0), Bytes(begun.1));
        stages.insert(key, Stage::Dealt { dealing, package: package.clone() });
        Ok(Reply::RoundOne { package })
    }

    pub(super) fn continue_ceremony(&self, key: KeyId) -> Result<Reply, Trouble> {
        let (ceremony, _) = self.under_way(key, Grounds::of_rounds)?;
        let mut stages = self.ceremonies();
        let dealing = match stages.remove(&key) {
            Some(Stage::Dealt { dealing, .. })
                if ceremony.round_one.len() == ceremony.plan.participants.len() =>
            {
                dealing
            }
            Some(dealt @ Stage::Dealt { .. }) => {
                stages.insert(key, dealt);
                return refuse(Rule::SignerLogBehind, "the first round is not complete");
            }
            Some(Stage::Exchanged { exchange, sealed }) => {
                let reply = Reply::RoundTwo { sealed: sealed.clone() };
                stages.insert(key, Stage::Exchanged { exchange, sealed });
                return Ok(reply);
            }
            None => return refuse(Rule::SignerProtocol, "this signer has no part of it in memory"),
        };
        let published = ceremony
            .round_one
            .iter()
            .filter_map(|(id, package)| Some((ceremony.plan.index_of(*id)?, package.0.clone())))
            .collect();
        let (exchange, dealt) =
            dealing.exchange(&published).map_err(|error| self.failed(&ceremony, &error))?;
        let mut sealed = Vec::with_capacity(dealt.len());
        for (holder, secret) in &dealt {
            sealed.push(self.seal(key, &ceremony, *holder, secret)?);
        }
        let exchange = Box::new(exchange);
        stages.insert(key, Stage::Exchanged { exchange, sealed: sealed.clone() });
        Ok(Reply::RoundTwo { sealed })
    }

    pub(super) fn finish_ceremony(&self, key: KeyId, sealed: &[Sealed]) -> Result<Reply, Trouble> {
        let (ceremony, _) = self.under_way(key, Grounds::of_rounds)?;
        let name = ShareName { key: key.0, signer: self.id.0, epoch: 1 };
        // A repeated order, perhaps after a restart: the share is there.
        if name.path(&self.directory).exists() {
            let share = KeyShare::load(&self.sealer, &self.directory, name)?;
            return self.confirm_share(key, &share);
        }
        self.ready_to_seal()?;
        let dealt = self.dealt(key, &ceremony, sealed)?;
        let (exchange, sealed) = self.exchange_of(key)?;
        let made = exchange.finish(name, &dealt).map_err(|error| self.failed(&ceremony, &error));
        let stored = made.and_then(|share| {
            let stored = share.store(&self.sealer, &self.directory).map(|()| share);
            stored.map_err(|error| Trouble::Unavailable(error.to_string()))
        });
        if let Err(Trouble::Refused(_) | Trouble::Unavailable(_)) = stored {
            // A letter that was lost or damaged on its way comes again, and a disk is mended.
            self.ceremonies().insert(key, Stage::Exchanged { exchange, sealed });
        }
        self.confirm_share(key, &stored?)
    }

    /// What all letters of round two say, by number. Opened before the exchange is taken.
    fn dealt(
        &self,
        key: KeyId,
        ceremony: &UnderWay,
        sealed: &[Sealed],
    ) -> Result<BTreeMap<u16, Secret>, Trouble> {
        let mut dealt = BTreeMap::new();
        for letter in sealed {
            let Some(holder) = ceremony.plan.index_of(letter.sender) else {
                return refuse(Rule::SignerProtocol, "a letter from a stranger");
            };
            if dealt.insert(holder, self.unseal(key, letter)?).is_some() {
                return refuse(Rule::SignerProtocol, "two letters from one participant");
            }
        }
        Ok(dealt)
    }

    /// Takes this signer's second round, and what it sealed in it.
    fn exchange_of(&self, key: KeyId) -> Result<(Box<Exchange>, Vec<Sealed>), Trouble> {
        let mut stages = self.ceremonies();
        match stages.remove(&key) {
            Some(Stage::Exchanged { exchange, sealed }) => Ok((exchange, sealed)),
            other => {
                // Asked too early, it has its first round still.
                if let Some(dealt) = other {
                    stages.insert(key, dealt);
                }
                refuse(Rule::SignerProtocol, "this signer has no second round in memory")
            }
        }
    }

    fn confirm_share(&self, key: KeyId, share: &KeyShare) -> Result<Reply, Trouble> {
        let public = share.public();
        let package =
            public.to_bytes().map_err(|error| Trouble::Corrupt(error.to_string(), None))?;
        self.confirm(key, Bytes(public.key().to_bytes().to_vec()), Bytes(package))
    }

    pub(super) fn confirm(
        &self,
        key: KeyId,
        public_key: Bytes,
        package: Bytes,
    ) -> Result<Reply, Trouble> {
        let log = self.follower().audited()?.state().charter.standing()?.log;
        let text = statement::confirmation(log, key, self.id, &public_key, &package);
        let signature = Bytes(self.identity.confirm(text.as_bytes()).to_vec());
        let confirmed =
            Confirmed { signer: self.id, public_key, public_package: package, signature };
        Ok(Reply::Confirmed { confirmed })
    }

    fn seal(
        &self,
        key: KeyId,
        ceremony: &UnderWay,
        holder: u16,
        secret: &Secret,
    ) -> Result<Sealed, Trouble> {
        let place = usize::from(holder).saturating_sub(1);
        let Some(receiver) = ceremony.plan.participants.get(place).copied() else {
            return refuse(Rule::SignerProtocol, "a package for nobody");
        };
        let public = self.sealing_key(receiver)?;
        let head = letterhead(key, self.id, receiver);
        let sealed = self
            .identity
            .sealing()
            .seal(&public, &head, secret)
            .map_err(|error| Trouble::Unavailable(error.to_string()))?;
        Ok(Sealed { sender: self.id, receiver, sealed: Bytes(sealed) })
    }

    fn unseal(&self, key: KeyId, letter: &Sealed) -> Result<Secret, Trouble> {
        let public = self.sealing_key(letter.sender)?;
        let head = letterhead(key, letter.sender, self.id);
        let opened = self.identity.sealing().open(&public, &head, letter.sealed.as_slice());
        match opened {
            Ok(secret) if letter.receiver == self.id => Ok(secret),
            Ok(_) => refuse(Rule::SignerProtocol, "a letter for another signer"),
            Err(error) => refuse(Rule::SignerProtocol, error.to_string()),
        }
    }

    /// The key that the charter enrols for sealing to a signer.
    pub(super) fn sealing_key(&self, signer: SignerId) -> Result<SealingPublic, Trouble> {
        let follower = self.follower();
        let standing = follower.audited()?.state().charter.standing()?;
        let Some(enrolled) = standing.signers.get(&signer) else {
            return refuse(Rule::SignerState, "a signer that is not in the charter");
        };
        SealingPublic::from_bytes(enrolled.sealing_key.as_slice())
            .map_err(|error| Trouble::Corrupt(error.to_string(), Some(signer)))
    }

    /// A failed step: who is proven to have cheated is named.
    fn failed(&self, ceremony: &UnderWay, error: &CeremonyError) -> Trouble {
        let holder = match error {
            CeremonyError::Malformed(holder) => Some(*holder),
            CeremonyError::Culprits(holders) => holders.first().copied(),
            CeremonyError::Parameters { .. }
            | CeremonyError::Senders { .. }
            | CeremonyError::NotMine
            | CeremonyError::Failed(_)
            | CeremonyError::Public(_) => None,
        };
        let place = holder.map(|holder| usize::from(holder).saturating_sub(1));
        let culprit = place.and_then(|place| ceremony.plan.participants.get(place)).copied();
        tracing::error!(%error, signer = %self.id, "a ceremony failed");
        match error {
            CeremonyError::Senders { .. } | CeremonyError::Parameters { .. } => Trouble::Refused(
                strongroom_domain::Refusal::new(Rule::SignerProtocol, error.to_string()),
            ),
            CeremonyError::Malformed(_)
            | CeremonyError::Culprits(_)
            | CeremonyError::NotMine
            | CeremonyError::Failed(_)
            | CeremonyError::Public(_) => Trouble::Corrupt(error.to_string(), culprit),
        }
    }
}

/// A letter of round two of a key's ceremony. The key's id is the session: no key is made twice.
fn letterhead<'a>(key: KeyId, sender: SignerId, receiver: SignerId) -> Letterhead<'a> {
    let session: Uuid = key.0;
    Letterhead {
        protocol: "dkg/frost-secp256k1-tr/1",
        session,
        round: 2,
        sender: sender.0,
        receiver: receiver.0,
    }
}
