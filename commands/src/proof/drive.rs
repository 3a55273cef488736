//! One task for each key that has to prove itself. Never remembers anything that the log should.

use super::{Shared, due, session::Session};
use crate::{CommandError, Request};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};
use strongroom_chains::spend_proof::verify_proof;
use strongroom_domain::{
    Actor, Command, KeyId, SignerId, Stream,
    key::{Active, Custody, Proven},
    statement,
};
use strongroom_store::{Position, Record};
use tokio::{task::JoinSet, time::sleep};

/// The events after which a key may have to prove itself.
const SETS_OFF: [&str; 3] = ["key.activated", "key.epoch-advanced", "key.released"];

/// Why a session brought nothing.
pub(super) enum Stop {
    /// Ask again after a pause, and these last: they did not do their part.
    Wait { because: String, failed: Vec<SignerId> },
    /// The bus has stopped.
    Halt(String),
}

#[expect(clippy::needless_pass_by_value, reason = "an error to be mapped comes by value")]
pub(super) fn wait(because: impl ToString) -> Stop {
    Stop::Wait { because: because.to_string(), failed: Vec::new() }
}

/// Follows the log for keys that have to prove themselves. Never returns, unless the log has stopped.
pub(super) async fn follow(shared: Arc<Shared>) {
    // The subscription first: what happens between the two looks is seen twice, never missed.
    let next = shared.bus.log().head().position.next().unwrap_or(Position::FIRST);
    let mut news = shared.bus.log().subscribe(next);
    let mut tasks = JoinSet::new();
    let mut driven: BTreeSet<KeyId> = shared.bus.read(|state| {
        let unproven = state.keys.iter().filter(|(_, key)| due(key).is_some());
        unproven.map(|(id, _)| *id).collect()
    });
    for id in &driven {
        tasks.spawn(drive(Arc::clone(&shared), *id));
    }
    loop {
        tokio::select! {
            batch = news.next_batch() => match batch {
                Ok(batch) => for id in batch.iter().filter_map(set_off) {
                    if driven.insert(id) {
                        tasks.spawn(drive(Arc::clone(&shared), id));
                    }
                },
                Err(error) => {
                    tracing::error!(%error, "proofs can't follow the log");
                    return;
                }
            },
            Some(ended) = tasks.join_next() => match ended {
                Ok(id) => {
                    driven.remove(&id);
                    // What happened between the task's last look and now.
                    let again = shared.bus.read(|state| {
                        state.keys.get(&id).is_some_and(|key| due(key).is_some())
                    });
                    if again && driven.insert(id) {
                        tasks.spawn(drive(Arc::clone(&shared), id));
                    }
                }
                Err(error) => tracing::error!(%error, "a proof's task died: a bug"),
            },
        }
    }
}

fn set_off(record: &Record) -> Option<KeyId> {
    if !SETS_OFF.contains(&record.entry.r#type.as_str()) {
        return None;
    }
    match record.entry.stream.parse() {
        Ok(Stream::Key(id)) => Some(id),
        _ => None,
    }
}

async fn drive(shared: Arc<Shared>, key: KeyId) -> KeyId {
    let settings = shared.settings;
    let mut pause = settings.shortest_pause;
    // Who failed lately is asked last.
    let mut last: VecDeque<SignerId> = VecDeque::new();
    let unproven = || shared.bus.read(|state| state.keys.get(&key).and_then(due).cloned());
    while let Some(active) = unproven() {
        match shared.try_once(&active, &last).await {
            Ok(()) => {
                tracing::info!(%key, epoch = active.epoch, "the key has shown that it can sign");
                pause = settings.shortest_pause;
            }
            Err(Stop::Wait { because, failed }) => {
                last.retain(|known| !failed.contains(known));
                last.extend(failed);
                shared.waits_for(key, Some(because));
                sleep(pause).await;
                pause = pause.saturating_mul(2).min(settings.longest_pause);
            }
            Err(Stop::Halt(because)) => {
                tracing::error!(%key, because, "the proof is left where it is");
                // Else `follow` would begin it again at once.
                std::future::pending::<()>().await;
            }
        }
    }
    shared.waits_for(key, None);
    key
}

impl Shared {
    /// One session with as many holders as it takes; what verifies is recorded.
    ///
    /// A crash anywhere in it leaves nonces in signers' memories that nobody will ever use.
    async fn try_once(&self, active: &Active, last: &VecDeque<SignerId>) -> Result<(), Stop> {
        let key = active.plan.key;
        let log = self.bus.read(|state| state.charter.standing().map(|standing| standing.log));
        let log = log.map_err(wait)?;
        let text = statement::spend_proof(log, key, active.epoch, active.proven_as());
        if active.plan.protocol.custody() == Custody::Cosigners {
            return self.parts(active, &text).await;
        }
        let live = self.signers.fit(key);
        let signers = choose(active, &live, last).ok_or_else(|| {
            wait(format!(
                "{} holders must show that the key can sign, {} can be reached",
                active.plan.threshold,
                active.signers().iter().filter(|id| live.contains(id)).count()
            ))
        })?;
        let at_least = self.bus.log().head().position.get();
        self.checkpoints.cover(at_least).await.map_err(wait)?;
        let session = Session::new(&self.signers, active, signers, at_least);
        let signatures = session.run(&text).await?;
        verify_proof(active, active.epoch, &text, &signatures).map_err(wait)?;
        let proven = Proven { epoch: active.epoch, signatures };
        self.record(key, Command::ProveKey { key, proven }).await
    }

    pub(super) async fn record(&self, key: KeyId, command: Command) -> Result<(), Stop> {
        match self.bus.execute(Request::new(command, Actor::Saga).within(key.0)).await {
            Ok(_) => Ok(()),
            Err(
                error @ (CommandError::Refused(_)
                | CommandError::Conflict { .. }
                | CommandError::Unavailable { .. }),
            ) => Err(wait(error)),
            Err(error @ (CommandError::Corrupt { .. } | CommandError::KeyReused { .. })) => {
                Err(Stop::Halt(error.to_string()))
            }
        }
    }
}

/// As many live holders as it takes: first those that have not failed, then those that did longest
/// ago.
fn choose(
    active: &Active,
    live: &BTreeSet<SignerId>,
    last: &VecDeque<SignerId>,
) -> Option<Vec<SignerId>> {
    let mut able = active.signers();
    able.retain(|id| live.contains(id));
    able.sort_by_key(|id| {
        last.iter().position(|failed| failed == id).map_or(0, |at| at.saturating_add(1))
    });
    let threshold = usize::from(active.plan.threshold);
    able.truncate(threshold);
    (able.len() == threshold).then_some(able)
}
