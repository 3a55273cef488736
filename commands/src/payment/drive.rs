//! One task for each transfer: looks at what the log says, takes the next step, waits where it must.
//! Never remembers anything that the log should: a task that dies is replaced by the next start.

use super::{
    saga::{Pause, Progress, Recorded, Saga, Stopped},
    signing::{Task, Troubles, Unsigned},
    step::{Next, Setback, Step, Trouble, after},
};
use crate::recorded;
use std::{collections::BTreeSet, sync::Arc};
use strongroom_domain::{
    Actor, Command, Event, Refusal, SignerId, Stream, TransferId,
    key::Quarantined,
    transfer::{
        AttemptAuthorised, AttemptRefused, AttemptSigned, Attempts, Transfer, TransferEvent,
    },
};
use strongroom_store::{PAGE_LIMIT, Position, Record};
use tokio::task::JoinSet;

/// The event that sets a transfer in motion.
const APPROVED: &str = "transfer.approved";

/// Tries after which a signer that always asks for another one counts as away.
const PATIENCE: u32 = 6;

/// Follows the log for approved transfers. Never returns, unless the log or the bus has stopped.
pub(super) async fn follow(saga: Arc<Saga>) {
    // The subscription first: what happens between the two looks is seen twice, never missed.
    let next = saga.bus.log().head().position.next().unwrap_or(Position::FIRST);
    let mut news = saga.bus.log().subscribe(next);
    let mut tasks = JoinSet::new();
    let mut driven: BTreeSet<TransferId> = saga.bus.read(|state| {
        let alive = state.transfers.iter().filter(|(_, transfer)| is_driven(transfer));
        alive.map(|(id, _)| *id).collect()
    });
    tracing::info!(transfers = driven.len(), "the payment saga starts");
    for id in &driven {
        tasks.spawn(drive(Arc::clone(&saga), *id));
    }
    loop {
        tokio::select! {
            batch = news.next_batch() => match batch {
                Ok(batch) => for id in batch.iter().filter_map(approved) {
                    if driven.insert(id) {
                        tasks.spawn(drive(Arc::clone(&saga), id));
                    }
                },
                Err(error) => {
                    tracing::error!(%error, "the payment saga can't follow the log");
                    return;
                }
            },
            Some(ended) = tasks.join_next() => match ended {
                Ok(id) => drop(driven.remove(&id)),
                Err(error) => tracing::error!(%error, "a transfer's task died: a bug"),
            },
        }
    }
}

fn is_driven(transfer: &Transfer) -> bool {
    match Step::of(transfer) {
        Step::Plan | Step::Sign | Step::Submit | Step::Watch => true,
        Step::NotYet | Step::Over => false,
    }
}

fn approved(record: &Record) -> Option<TransferId> {
    if record.entry.r#type != APPROVED {
        return None;
    }
    match record.entry.stream.parse() {
        Ok(Stream::Transfer(id)) => Some(id),
        _ => None,
    }
}

/// What a task remembers between steps. Losing it does no harm.
#[derive(Default)]
struct Run {
    /// A position at which the log shows the current attempt.
    at_least: Option<u64>,
    /// Tries in a row of the current attempt.
    tries: u32,
    /// Who did not answer at the last try.
    away: BTreeSet<SignerId>,
    /// Past the pivot: as many holders as it takes have given their part.
    complete: bool,
    /// This process saw the transaction being signed.
    fresh: bool,
}

/// Drives one transfer until its chain has the last word.
async fn drive(saga: Arc<Saga>, id: TransferId) -> TransferId {
    let mut pause = Pause::of(&saga.settings);
    let mut run = Run::default();
    let mut signers = saga.signers.changes();
    loop {
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
            Ok(Progress::Watched | Progress::Over) => {
                saga.waits.clear(id);
                return id;
            }
            Err(stopped) => {
                tracing::error!(transfer = %id, %stopped, "the transfer is left where it is");
                return id;
            }
        }
    }
}

async fn step(saga: &Saga, id: TransferId, run: &mut Run) -> Result<Progress, Stopped> {
    let Some(transfer) = saga.bus.read(|state| state.transfers.get(&id).cloned()) else {
        return Ok(Progress::Over);
    };
    match (Step::of(&transfer), &transfer) {
        (Step::Plan, Transfer::Approved(asked)) => {
            let planned = saga.plan(id, asked).await?;
            if let Progress::Authorised(position) = planned {
                run.at_least = Some(position);
            }
            Ok(planned)
        }
        (Step::Sign, Transfer::Signing(attempts)) => sign(saga, id, attempts, run).await,
        (Step::Submit, Transfer::Signed(attempts)) => saga.submit(id, attempts, run.fresh).await,
        (Step::Watch, Transfer::Broadcast(attempts)) => Ok(saga.watch(id, attempts, run.fresh)),
        _ => Ok(Progress::Over),
    }
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
    match task.sign(saga).await {
        Ok(signed) => {
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
        Err(Unsigned::Troubles(troubles)) => setback(saga, id, attempts, run, troubles).await,
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

/// A cryptographic abort is never tried again: nobody uses the key until a quorum decides.
async fn quarantine(
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
    for (signer, trouble) in troubles {
        tracing::warn!(transfer = %id, %signer, ?trouble, "a signer did not sign");
        match trouble {
            Trouble::Again(_) if run.tries < PATIENCE => {}
            Trouble::Again(_) | Trouble::Away(_) => drop(run.away.insert(signer)),
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
    let plan = saga.bus.read(|state| {
        super::planning::active(state, attempts.current.key).map(|active| active.plan.clone())
    });
    let plan = match plan {
        Ok(plan) => plan,
        Err(refusal) => return Ok(Progress::Wait(refusal.to_string())),
    };
    let next = after(Setback {
        holders: &plan.participants,
        threshold: usize::from(plan.threshold),
        current: &attempts.current.signers,
        refused: &refused,
        live: &saga.signers.live(),
        away: &run.away,
        tries: run.tries,
        complete: run.complete,
    });
    match next {
        Next::Again => Ok(Progress::Wait("a signer did not sign yet".to_owned())),
        Next::Wait(because) => Ok(Progress::Wait(because)),
        Next::Fail(because) => {
            let threshold = usize::from(plan.threshold);
            match saga.abstentions(id, &plan.participants, threshold).await {
                Ok(abstentions) => saga.give_up(id, because, abstentions).await,
                Err(short) => Ok(Progress::Wait(format!("{because}; {short}"))),
            }
        }
        Next::Attempt(signers) => another(saga, id, attempts, run, signers).await,
    }
}

async fn record_refusal(
    saga: &Saga,
    transfer: TransferId,
    attempt: u32,
    signer: SignerId,
    refusal: Refusal,
) -> Result<(), Stopped> {
    let Refusal { rule, because } = refusal;
    let refused = AttemptRefused { attempt, signer, rule, because };
    let command = Command::RecordRefusal { transfer, refused };
    match saga.execute(transfer, command, Actor::Signer(signer)).await? {
        Recorded::Done(_) => {}
        Recorded::Refused(refusal) => {
            tracing::warn!(%transfer, %signer, %refusal, "a refusal was not recorded");
        }
    }
    Ok(())
}

/// The same transaction, for other signers. It excludes every attempt before it.
async fn another(
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
    let command = Command::AuthoriseAttempt { transfer: id, attempt, spends };
    match saga.execute(id, command, Actor::Saga).await? {
        Recorded::Done(outcome) => {
            let at_least = outcome.positions.map(|(_, last)| last);
            *run = Run { at_least, complete: run.complete, ..Run::default() };
            Ok(Progress::On)
        }
        Recorded::Refused(refusal) => Ok(Progress::Wait(refusal.to_string())),
    }
}

/// What is set aside for the transfer already.
fn spent(
    state: &strongroom_domain::State,
    attempts: &Attempts,
    id: TransferId,
) -> Result<strongroom_domain::Spends, Refusal> {
    use strongroom_domain::{Rule, Spends, wallet::Funds};
    let nothing = || Refusal::new(Rule::WalletReserved, "nothing is set aside for this transfer");
    let holding = super::planning::holding(state, attempts.asked.intent.wallet)?;
    match &holding.funds {
        Funds::Coins(coins) => {
            let mine = coins.reserved.get(&id).ok_or_else(nothing)?;
            Ok(Spends::Coins(mine.keys().cloned().collect()))
        }
        Funds::Balance(balance) => {
            let mine = balance.reserved.get(&id).ok_or_else(nothing)?;
            Ok(Spends::AccountNonce(mine.account_nonce))
        }
    }
}

/// Everyone who refused this transfer's transaction, in whichever attempt. All attempts of a
/// transfer have the same transaction.
async fn refusals(saga: &Saga, id: TransferId) -> Result<BTreeSet<SignerId>, String> {
    let log = saga.bus.log();
    let stream = Stream::Transfer(id).to_string();
    let (mut refused, mut from) = (BTreeSet::new(), 1);
    loop {
        let page = log.read_stream(&stream, from, PAGE_LIMIT).await;
        let page = page.map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { return Ok(refused) };
        from = last.entry.sequence.saturating_add(1);
        for record in &page {
            let read = recorded(record).map_err(|error| error.to_string())?;
            if let Event::Transfer(TransferEvent::AttemptRefused(by)) = read.event {
                refused.insert(by.signer);
            }
        }
    }
}
