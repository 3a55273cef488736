//! Attempts of a multisig wallet: each signer of it gives its own signatures, and each part is recorded as
//! it comes, so that nothing is asked for twice. Never takes a part that it has not verified over exactly
//! the authorised transaction.

use super::{Task, Troubles, Unsigned};
use crate::payment::{
    saga::{Recorded, Saga, Stopped},
    step::{Trouble, trouble},
};
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_chains::{
    SignedTx, UnsignedTx,
    bitcoin::multisig::{self, Partial, Places},
};
use strongroom_domain::{
    Actor, Bytes, Command, SignerId,
    protocol::{Order, Reply},
    transfer::PartiallySigned,
};

/// What an attempt of a multisig wallet has, and what it is of.
pub(in crate::payment) struct Parts {
    pub(in crate::payment) places: Places,
    pub(in crate::payment) unsigned: multisig::UnsignedTx,
    /// By place, counted from 0 as the descriptor does.
    pub(in crate::payment) given: BTreeMap<usize, Partial>,
}

impl Parts {
    /// What the log has of the attempt, verified again.
    pub(in crate::payment) fn of(task: &Task) -> Result<Self, String> {
        let UnsignedTx::Multisig(unsigned) = &task.unsigned else {
            return Err("the attempt is no multisig wallet's".to_owned());
        };
        let places = Places::of_key(&task.active).map_err(|error| error.to_string())?;
        let mut given = BTreeMap::new();
        for (place, signatures) in &task.partials {
            let partial = read(*place, signatures)
                .filter(|partial| unsigned.check_partial(partial).is_ok())
                .ok_or_else(|| format!("the part of cosigner {place} is not valid"))?;
            given.insert(partial.place, partial);
        }
        Ok(Self { places, unsigned: unsigned.clone(), given })
    }

    /// How many more it takes.
    pub(in crate::payment) fn missing(&self) -> usize {
        self.places.descriptor.threshold().saturating_sub(self.given.len())
    }

    fn combined(&self) -> Result<SignedTx, String> {
        let given: Vec<Partial> = self.given.values().cloned().collect();
        self.unsigned.combine(&given).map_err(|error| error.to_string())
    }
}

/// A part as the log has it, whose places count from 1.
pub(in crate::payment) fn read(place: u16, signatures: &[Bytes]) -> Option<Partial> {
    let place = usize::from(place).checked_sub(1)?;
    let signatures = signatures.iter().map(Bytes::array).collect::<Option<Vec<_>>>()?;
    Some(Partial { place, signatures })
}

/// A part as the log will have it.
pub(in crate::payment) fn written(attempt: u32, partial: &Partial) -> Option<PartiallySigned> {
    let place = u16::try_from(partial.place.checked_add(1)?).ok()?;
    let signatures = partial.signatures.iter().map(|one| Bytes(one.to_vec())).collect();
    Some(PartiallySigned { attempt, place, signatures })
}

impl Task {
    /// Asks signers for their parts until there are enough. Who has refused is not asked. A crash here
    /// leaves some parts recorded, and perhaps one that its signer gives again.
    pub(in crate::payment) async fn by_cosigners(
        &self,
        saga: &Saga,
        refused: &BTreeSet<SignerId>,
    ) -> Result<Result<SignedTx, Unsigned>, Stopped> {
        let covered = saga.checkpoints.cover(self.at_least).await;
        if let Err(error) = covered {
            return Ok(Err(Unsigned::Uncovered(error.to_string())));
        }
        let mut parts = match Parts::of(self) {
            Ok(parts) => parts,
            Err(because) => return Ok(Err(Unsigned::Halted(because))),
        };
        let live = saga.signers.fit(self.active_key());
        let mut waiting: Vec<SignerId> = self.signers.clone();
        waiting.retain(|signer| {
            let place = parts.places.signers.get(signer);
            let given = place.is_some_and(|place| parts.given.contains_key(place));
            !given && !refused.contains(signer)
        });
        // Who can be reached comes first; all that are left are asked where those don't suffice.
        waiting.sort_by_key(|signer| !live.contains(signer));
        let mut troubles = Troubles::new();
        while parts.missing() > 0 && !waiting.is_empty() {
            let rest = waiting.split_off(parts.missing().min(waiting.len()));
            let asking = waiting.iter().map(|signer| self.part(saga, *signer, &parts));
            for (signer, given) in join_all(asking).await {
                match given {
                    Ok(partial) => {
                        if let Some(because) = self.record(saga, &partial).await? {
                            return Ok(Err(Unsigned::Uncovered(because)));
                        }
                        parts.given.insert(partial.place, partial);
                    }
                    Err(trouble) => drop(troubles.insert(signer, trouble)),
                }
            }
            waiting = rest;
        }
        Ok(if parts.missing() == 0 {
            parts.combined().map_err(Unsigned::Halted)
        } else {
            Err(Unsigned::Troubles(troubles))
        })
    }

    /// `Some`: why it was not recorded.
    async fn record(&self, saga: &Saga, partial: &Partial) -> Result<Option<String>, Stopped> {
        let Some(written) = written(self.attempt, partial) else {
            return Ok(Some("a place beyond all that a wallet has".to_owned()));
        };
        let command = Command::RecordPartial { transfer: self.transfer, partial: written };
        Ok(match saga.execute(self.transfer, command, Actor::Saga).await? {
            Recorded::Done(_) => None,
            Recorded::Refused(refusal) => Some(refusal.to_string()),
        })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`trouble` judges every other answer")]
    async fn part(
        &self,
        saga: &Saga,
        signer: SignerId,
        parts: &Parts,
    ) -> (SignerId, Result<Partial, Trouble>) {
        let Self { transfer, attempt, .. } = *self;
        let told = self.ask(saga, signer, Order::SignAlone { transfer, attempt }).await;
        let given = told.and_then(|reply| match reply {
            Reply::Signatures { signatures } => Ok(signatures),
            other => Err(trouble(signer, other)),
        });
        // A signature that is none proves nothing against the key: the others go on without it.
        let unfit = || Trouble::Away(format!("signer {signer} gave no valid signature"));
        let partial = given.and_then(|signatures| {
            let place = parts.places.signers.get(&signer).copied().ok_or_else(unfit)?;
            let signatures = signatures.iter().map(Bytes::array).collect::<Option<Vec<_>>>();
            let partial = Partial { place, signatures: signatures.ok_or_else(unfit)? };
            parts.unsigned.check_partial(&partial).map_err(|_| unfit())?;
            Ok(partial)
        });
        (signer, partial)
    }
}
