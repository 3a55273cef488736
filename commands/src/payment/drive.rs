//! One task for each transfer: looks at what the log says, takes the next step, waits where it must.
//! Never remembers anything that the log should: a task that dies is replaced by the next start.

use super::{
    besides, cosigned,
    refusals::{record_refusal, refusals},
    remedy::Remedy,
    saga::{Pause, Progress, Recorded, Saga, Stopped},
    signing::{Task, Troubles, Unsigned},
    step::{Next, Setback, Step, Trouble, after},
    stuck::{is_to_be_cancelled, spent},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use strongroom_chains::SignedTx;
use strongroom_domain::{
    Actor, Command, Refusal, SignerId, TransferId, check_frozen,
    key::Quarantined,
    transfer::{AttemptAuthorised, AttemptSigned, Attempts, ReturnAuthorised, Returns, Transfer},
};
use tokio::time::{Instant, sleep};

/// The longest that a task sleeps over a time lock or a freeze: the clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// Tries after which a signer that always asks for another one counts as away.
const PATIENCE: u32 = 6;

/// What a task remembers between steps. Losing it does no harm.
#[derive(Default)]
pub(super) struct Run {
    /// A position at which the log shows the current attempt.
    at_least: Option<u64>,
    /// Tries in a row of the current attempt.
    tries: u32,
    /// Who did not answer at the last try.
    away: BTreeSet<SignerId>,
    /// Past the pivot: as many holders as it takes have given their part.
    complete: bool,
    /// This process saw the transaction being signed.
    pub(super) fresh: bool,
    /// How many signed attempts its network's watcher has.
    watched: usize,
    /// When its node was last asked whether others sent it.
    looked: Option<Instant>,
}

/// Why a task ended.
pub(super) enum Ended {
    /// Its network's watcher has it.
    HandedOver(TransferId),
    /// Nothing is left to do, or nothing can be done.
    Over(TransferId),
}

/// Drives one transfer until its chain has the last word.
pub(super) async fn drive(saga: Arc<Saga>, id: TransferId) -> Ended {
    let mut pause = Pause::of(&saga.settings);
    let mut run = Run::default();
    let mut signers = saga.signers.changes();
    let mut thaws = saga.thaws.subscribe();
    loop {
        thaws.mark_unchanged();
        let progress = {
            // Closed never: the saga holds it.
            let _place = saga.places.acquire().await;
            step(&saga, id, &mut run).await
        };
        match progress {
            Ok(Progress::On | Progress::Authorised(_)) => {
                saga.waits.clear(id);
                pause.reset();
            }
            Ok(Progress::Wait(because)) => {
                saga.waits.note(id, &because);
                tokio::select! {
                    () = pause.rest() => {}
                    _ = signers.changed() => {}
                }
            }
            Ok(Progress::Frozen(because)) => {
                saga.waits.note(id, &because);
                tokio::select! {
                    () = sleep(LONGEST_SLEEP) => {}
                    _ = thaws.changed() => {}
                }
            }
            Ok(Progress::Locked(until)) => {
                saga.waits.note(id, &format!("its time lock ends at {until}"));
                let left = until.micros().saturating_sub(saga.bus.now().micros());
                sleep(Duration::from_micros(left).min(LONGEST_SLEEP)).await;
            }
            Ok(Progress::Watched) => {
                saga.waits.clear(id);
                return Ended::HandedOver(id);
            }
            Ok(Progress::Over) => {
                saga.waits.clear(id);
                return Ended::Over(id);
            }
            Err(stopped) => {
                tracing::error!(transfer = %id, %stopped, "the transfer is left where it is");
                return Ended::Over(id);
            }
        }
    }
}

async fn step(saga: &Saga, id: TransferId, run: &mut Run) -> Result<Progress, Stopped> {
    let Some(transfer) = saga.bus.read(|state| state.transfers.get(&id).cloned()) else {
        return Ok(Progress::Over);
    };
    if let Some(attempts) = earlier(&transfer).filter(|of| run.watched < of.complete.len()) {
        // The chain may take any of them while the next one is being made.
        let watched = saga.watch(id, attempts, run.fresh);
        if !matches!(watched, Progress::Watched) {
            return Ok(watched);
        }
        run.watched = attempts.complete.len();
    }
    if let Some(besides) = besides::look(saga, id, &transfer, &mut run.looked).await? {
        return Ok(besides);
    }
    if let Some(held) = held(saga, &transfer) {
        return Ok(held);
    }
    if let Some(attempts) = transfer.attempts()
        && attempts.returns != Some(Returns::Cancellation)
        && saga.bus.read(|state| is_to_be_cancelled(state, id, attempts))
    {
        let remedied = saga.remedy(id, attempts, Remedy::Cancel).await?;
        return Ok(again(run, remedied));
    }
    match (Step::of(&transfer), &transfer) {
        (Step::Plan, Transfer::Approved(asked)) => {
            let planned = saga.plan(id, asked).await?;
            if let Progress::Authorised(position) = planned {
                run.at_least = Some(position);
            }
            Ok(planned)
        }
        (Step::Sign, Transfer::Signing(attempts)) => sign(saga, id, attempts, run).await,
        (Step::Submit, Transfer::Signed(attempts)) => {
            let submitted = saga.submit(id, attempts, run.fresh).await?;
            Ok(again(run, submitted))
        }
        (Step::Watch, Transfer::Broadcast(attempts)) => Ok(saga.watch(id, attempts, run.fresh)),
        _ => Ok(Progress::Over),
    }
}

/// A transfer of which a node may have been given another transaction than the current one.
fn earlier(transfer: &Transfer) -> Option<&Attempts> {
    match transfer {
        Transfer::Signing(attempts) => Some(attempts),
        Transfer::Signed(attempts) => (attempts.complete.len() > 1).then_some(attempts),
        Transfer::Unknown
        | Transfer::AwaitingApproval(_)
        | Transfer::Approved(_)
        | Transfer::Broadcast(_)
        | Transfer::Closed(_) => None,
    }
}

/// What a transfer has to wait for before signers may be asked. They hold to it by themselves.
fn held(saga: &Saga, transfer: &Transfer) -> Option<Progress> {
    let asked = match transfer {
        Transfer::Approved(asked) => asked,
        Transfer::Signing(attempts) => &attempts.asked,
        Transfer::Unknown
        | Transfer::AwaitingApproval(_)
        | Transfer::Signed(_)
        | Transfer::Broadcast(_)
        | Transfer::Closed(_) => return None,
    };
    if let Err(refusal) = saga.bus.read(|state| check_frozen(state, &asked.intent)) {
        return Some(Progress::Frozen(refusal.to_string()));
    }
    if asked.delay_s == 0 {
        return None;
    }
    match asked.released_at() {
        Some(at) if saga.bus.now() >= at => None,
        Some(at) => Some(Progress::Locked(at)),
        None => Some(Progress::Wait("its approval is not durable yet".to_owned())),
    }
}

/// After an attempt was authorised, what was remembered of the one before is forgotten.
fn again(run: &mut Run, progress: Progress) -> Progress {
    if let Progress::Authorised(position) = progress {
        let (complete, watched) = (run.complete, run.watched);
        *run = Run { at_least: Some(position), complete, watched, ..Run::default() };
    }
    progress
}

async fn sign(
    saga: &Saga,
    id: TransferId,
    attempts: &Attempts,
    run: &mut Run,
) -> Result<Progress, Stopped> {
    // What this task reads in the fold it has itself made durable, or an earlier process has: the
    // log's head is behind neither.
    let head = || saga.bus.log().head().position.get();
    let at_least = *run.at_least.get_or_insert_with(head);
    let task = match Task::of(saga, id, attempts, at_least) {
        Ok(task) => task,
        // The key is quarantined: a quorum decides.
        Err(refusal) => return Ok(Progress::Wait(refusal.to_string())),
    };
    if task.is_cosigned() {
        return cosigned::sign(saga, id, attempts, run, task).await;
    }
    // It names somebody who holds the key no more, or is quarantined: others are asked.
    let fits = saga.bus.read(|state| {
        let active = super::planning::active(state, attempts.current.key).ok();
        let trusted = active.map(|active| super::planning::trusted(state, active));
        trusted.is_none_or(|who| attempts.current.signers.iter().all(|id| who.contains(id)))
    });
    if !fits {
        return setback(saga, id, attempts, run, Troubles::new()).await;
    }
    match task.sign(saga).await {
        Ok(signed) => completed(saga, id, attempts, run, signed).await,
        Err(Unsigned::Troubles(troubles)) => setback(saga, id, attempts, run, troubles).await,
        Err(Unsigned::Unfinished(troubles)) => {
            run.complete = true;
            setback(saga, id, attempts, run, troubles).await
        }
        Err(Unsigned::Abort { because, culprit }) => {
            run.complete = true;
            quarantine(saga, id, attempts, because, culprit).await
        }
        Err(Unsigned::Uncovered(because)) => Ok(Progress::Wait(because)),
        Err(Unsigned::Halted(because)) => {
            tracing::error!(transfer = %id, because, "ALARM: an attempt can't be signed");
            Ok(Progress::Wait(because))
        }
    }
}

/// The transaction is whole: from here only forward.
pub(super) async fn completed(
    saga: &Saga,
    id: TransferId,
    attempts: &Attempts,
    run: &mut Run,
    signed: SignedTx,
) -> Result<Progress, Stopped> {
    run.complete = true;
    let signed = AttemptSigned {
        attempt: attempts.current.attempt,
        raw: signed.raw,
        transaction: signed.id.to_string(),
    };
    let command = Command::RecordSigned { transfer: id, signed };
    match saga.execute(id, command, Actor::Saga).await? {
        Recorded::Done(_) => {
            run.fresh = true;
            Ok(Progress::On)
        }
        Recorded::Refused(refusal) => Ok(Progress::Wait(refusal.to_string())),
    }
}

/// A cryptographic abort is never tried again: nobody uses the key until a quorum decides.
pub(super) async fn quarantine(
    saga: &Saga,
    id: TransferId,
    attempts: &Attempts,
    because: String,
    culprit: Option<SignerId>,
) -> Result<Progress, Stopped> {
    let key = attempts.current.key;
    tracing::error!(transfer = %id, %key, because, ?culprit, "ALARM: key quarantined");
    let quarantined = Quarantined { because, culprit };
    let command = Command::QuarantineKey { key, quarantined };
    let waits = "its key is quarantined until a quorum decides".to_owned();
    match saga.execute(id, command, Actor::Saga).await? {
        Recorded::Done(_) => Ok(Progress::Wait(waits)),
        Recorded::Refused(refusal) => Ok(Progress::Wait(format!("{waits}: {refusal}"))),
    }
}

async fn setback(
    saga: &Saga,
    id: TransferId,
    attempts: &Attempts,
    run: &mut Run,
    troubles: Troubles,
) -> Result<Progress, Stopped> {
    run.tries = run.tries.saturating_add(1);
    run.away.clear();
    let mut told = "a signer did not sign yet".to_owned();
    for (signer, trouble) in troubles {
        if let Trouble::Again(because) | Trouble::Away(because) = &trouble {
            told = format!("signer {signer} did not sign yet: {because}");
        }
        tracing::warn!(transfer = %id, %signer, ?trouble, "a signer did not sign");
        match trouble {
            Trouble::Again(_) if run.tries < PATIENCE => {}
            Trouble::Again(_) => drop(run.away.insert(signer)),
            Trouble::Away(because) => {
                if super::planning::pooled(saga, attempts) {
                    saga.signers.lost(signer, attempts.current.key, &because);
                }
                run.away.insert(signer);
            }
            Trouble::Refused(refusal) => {
                record_refusal(saga, id, attempts.current.attempt, signer, refusal).await?;
            }
            Trouble::Abort { because, culprit } => {
                return quarantine(saga, id, attempts, because, culprit).await;
            }
        }
    }
    let refused = match refusals(saga, id).await {
        Ok(refused) => refused,
        Err(because) => return Ok(Progress::Wait(because)),
    };
    let held = saga.bus.read(|state| {
        let active = super::planning::active(state, attempts.current.key)?;
        let since = state.attempted_in.get(&id).copied().unwrap_or(1);
        let epochs: Vec<Vec<SignerId>> = active
            .holders_since(since)
            .map(|holders| holders.values().copied().collect())
            .collect();
        let threshold = usize::from(active.plan.threshold);
        Ok::<_, Refusal>((super::planning::trusted(state, active), epochs, threshold))
    });
    let (holders, epochs, threshold) = match held {
        Ok(held) => held,
        Err(refusal) => return Ok(Progress::Wait(refusal.to_string())),
    };
    let next = after(Setback {
        holders: &holders,
        threshold,
        current: &attempts.current.signers,
        refused: &refused,
        live: &saga.signers.fit(attempts.current.key),
        away: &run.away,
        tries: run.tries,
        complete: run.complete,
        over: saga.is_over(attempts),
    });
    match next {
        Next::Again => Ok(Progress::Wait(told)),
        Next::Wait(because) => Ok(Progress::Wait(because)),
        // What is signed may be on its chain: only the chain ends it.
        Next::Fail(because) if !attempts.complete.is_empty() => Ok(Progress::Wait(because)),
        Next::Fail(because) if attempts.returns.is_some() => Ok(Progress::Wait(because)),
        Next::Fail(_) if saga.leaves_gap(id, attempts) => saga.find_gap(id).await,
        Next::Fail(because) => match saga.abstentions(id, &epochs, threshold).await {
            Ok(abstentions) => saga.give_up(id, because, abstentions).await,
            Err(short) => Ok(Progress::Wait(format!("{because}; {short}"))),
        },
        Next::Attempt(signers) => another(saga, id, attempts, run, signers).await,
    }
}

/// The same transaction, for other signers. It excludes every attempt before it.
pub(super) async fn another(
    saga: &Saga,
    id: TransferId,
    attempts: &Attempts,
    run: &mut Run,
    signers: Vec<SignerId>,
) -> Result<Progress, Stopped> {
    let attempt = AttemptAuthorised {
        attempt: attempts.current.attempt.saturating_add(1),
        signers,
        ..attempts.current.clone()
    };
    let spends = match saga.bus.read(|state| spent(state, attempts, id)) {
        Ok(spends) => spends,
        Err(refusal) => return Ok(Progress::Wait(refusal.to_string())),
    };
    tracing::info!(transfer = %id, attempt = attempt.attempt, "other signers are asked");
    let command = match attempts.returns {
        None => Command::AuthoriseAttempt { transfer: id, attempt, spends },
        Some(returns) => {
            let returned = ReturnAuthorised { returns, attempt };
            Command::AuthoriseReturn { transfer: id, returned }
        }
    };
    match saga.execute(id, command, Actor::Saga).await? {
        Recorded::Done(outcome) => {
            let at_least = outcome.positions.map(|(_, last)| last);
            let (complete, watched) = (run.complete, run.watched);
            *run = Run { at_least, complete, watched, ..Run::default() };
            Ok(Progress::On)
        }
        Recorded::Refused(refusal) => Ok(Progress::Wait(refusal.to_string())),
    }
}
