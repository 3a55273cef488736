//! What a multisig wallet's attempt waits for, and whether it can still be completed. Never lets a payment
//! fail that cosigners who are no signers could complete: they swear nothing.

use super::{
    drive::{Run, another, completed, quarantine},
    planning,
    refusals::record_refusal,
    refusals::refusals,
    saga::{Progress, Saga, Stopped},
    signing::{Parts, Task, Troubles, Unsigned},
    step::Trouble,
};
use std::collections::BTreeSet;
use strongroom_domain::{Refusal, SignerId, TransferId, key::Active, transfer::Attempts};

/// What the log says of those who sign.
struct Cosigning {
    active: Active,
    trusted: Vec<SignerId>,
    /// Each set of signers that could have signed since the first attempt.
    epochs: Vec<Vec<SignerId>>,
}

/// Gets the current attempt signed, or says what it waits for.
pub(super) async fn sign(
    saga: &Saga,
    id: TransferId,
    attempts: &Attempts,
    run: &mut Run,
    task: Task,
) -> Result<Progress, Stopped> {
    let known = saga.bus.read(|state| {
        let active = planning::active(state, attempts.current.key)?;
        let since = state.attempted_in.get(&id).copied().unwrap_or(1);
        let epochs = active.holders_since(since).map(|of| of.values().copied().collect()).collect();
        let trusted = planning::trusted(state, active);
        Ok::<_, Refusal>(Cosigning { active: active.clone(), trusted, epochs })
    });
    let known = match known {
        Ok(known) => known,
        // The key is quarantined: a quorum decides.
        Err(refusal) => return Ok(Progress::Wait(refusal.to_string())),
    };
    // Who is quarantined is asked no more, and no signer would sign with such a one; whoever was released
    // counts again. What is signed stays signed: it is the same transaction.
    let asked: BTreeSet<_> = attempts.current.signers.iter().collect();
    let missing = Parts::of(&task).map_or(1, |parts| parts.missing());
    if missing > 0 && known.trusted.iter().collect::<BTreeSet<_>>() != asked {
        return another(saga, id, attempts, run, known.trusted).await;
    }
    let refused = match refusals(saga, id).await {
        Ok(refused) => refused,
        Err(because) => return Ok(Progress::Wait(because)),
    };
    match task.by_cosigners(saga, &refused).await? {
        Ok(signed) => {
            let progress = completed(saga, id, attempts, run, signed).await?;
            // Whoever gave the last part could have sent it to the network before.
            run.fresh = false;
            Ok(progress)
        }
        Err(Unsigned::Troubles(troubles) | Unsigned::Unfinished(troubles)) => {
            setback(saga, id, attempts, (&known, refused), troubles).await
        }
        Err(Unsigned::Uncovered(because)) => Ok(Progress::Wait(because)),
        Err(Unsigned::Abort { because, culprit }) => {
            quarantine(saga, id, attempts, because, culprit).await
        }
        Err(Unsigned::Halted(because)) => {
            tracing::error!(transfer = %id, because, "ALARM: an attempt can't be signed");
            Ok(Progress::Wait(because))
        }
    }
}

async fn setback(
    saga: &Saga,
    id: TransferId,
    attempts: &Attempts,
    (known, mut refused): (&Cosigning, BTreeSet<SignerId>),
    troubles: Troubles,
) -> Result<Progress, Stopped> {
    for (signer, trouble) in troubles {
        tracing::warn!(transfer = %id, %signer, ?trouble, "a signer did not sign");
        match trouble {
            Trouble::Again(_) | Trouble::Away(_) => {}
            Trouble::Refused(refusal) => {
                record_refusal(saga, id, attempts.current.attempt, signer, refusal).await?;
                refused.insert(signer);
            }
            Trouble::Abort { because, .. } => return Ok(Progress::Wait(because)),
        }
    }
    let current = saga.bus.read(|state| {
        let attempts = state.transfers.get(&id).and_then(|known| known.attempts()).cloned();
        attempts.ok_or_else(|| "the transfer is over".to_owned())
    });
    let parts = current.and_then(|now| {
        let task = Task::of(saga, id, &now, 0).map_err(|refusal| refusal.to_string())?;
        Parts::of(&task)
    });
    let parts = match parts {
        Ok(parts) => parts,
        Err(because) => return Ok(Progress::Wait(because)),
    };
    let left = Left::of(&parts, &known.active, &refused);
    let (all, cosigners) = (left.signers.len(), left.cosigners.len());
    if all.saturating_add(cosigners) >= parts.missing() {
        return Ok(Progress::Wait(left.told(&parts, saga.is_over(attempts))));
    }
    let because = left.told(&parts, saga.is_over(attempts));
    // What is signed may be on its chain: only the chain ends it.
    if !attempts.complete.is_empty() || attempts.returns.is_some() {
        return Ok(Progress::Wait(because));
    }
    let needed = usize::from(known.active.plan.threshold);
    let Some(needed @ 1..) = needed.checked_sub(known.active.cosigners.len()) else {
        return Ok(Progress::Wait(because));
    };
    match saga.abstentions(id, &known.epochs, needed).await {
        Ok(abstentions) => saga.give_up(id, because, abstentions).await,
        Err(short) => Ok(Progress::Wait(format!("{because}; {short}"))),
    }
}

/// Who may still sign.
struct Left {
    signers: Vec<SignerId>,
    cosigners: Vec<String>,
}

impl Left {
    fn of(parts: &Parts, active: &Active, refused: &BTreeSet<SignerId>) -> Self {
        let open = |place: &usize| !parts.given.contains_key(place);
        let signers = active.signers().into_iter().filter(|signer| !refused.contains(signer));
        let signers = signers.filter(|signer| parts.places.signers.get(signer).is_some_and(open));
        let cosigners = parts.places.cosigners.iter().filter(|(_, place)| open(place));
        Self {
            signers: signers.collect(),
            cosigners: cosigners.map(|(name, _)| name.to_string()).collect(),
        }
    }

    /// For a person to read.
    fn told(&self, parts: &Parts, over: bool) -> String {
        let (given, threshold) = (parts.given.len(), parts.places.descriptor.threshold());
        let mut told = format!("{given} of {threshold} cosigners have signed");
        if over {
            told.push_str("; the approval has run out");
        }
        if !self.signers.is_empty() {
            let names: Vec<_> = self.signers.iter().map(ToString::to_string).collect();
            told = format!("{told}; signers that have not: {}", names.join(", "));
        }
        match self.cosigners.as_slice() {
            [] => format!("{told}; no cosigner is left who could"),
            names => {
                format!("{told}; cosigners who can still complete it: {}", names.join(", "))
            }
        }
    }
}
