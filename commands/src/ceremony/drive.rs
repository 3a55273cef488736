//! One task for each ceremony under way. Never remembers anything that the log should; what it
//! keeps are sealed letters, which their senders give once.

mod rounds;

use super::{
    Shared, Step,
    next::{Trouble, by_receiver, trouble},
    step,
};
use crate::{CommandError, Request, signers::OrderError};
use futures::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use strongroom_domain::{
    Actor, Command, KeyId, Refusal, Rule, SignerId, Stream,
    key::{Confirmed, Key, RoundOnePublished},
    protocol::{Order, Reply, Sealed},
};
use strongroom_store::{Position, Record};
use tokio::{task::JoinSet, time::sleep};

/// The event that sets a ceremony in motion.
const APPROVED: &str = "key.ceremony-approved";

/// Round two's letters, by who gave them.
type Letters = BTreeMap<SignerId, Vec<Sealed>>;

/// What ends a try.
enum Stop {
    /// Ask again after a pause.
    Wait(String),
    /// The ceremony comes to nothing.
    Fail(String),
    /// The bus has stopped.
    Halt(String),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Wait(because) => Self::Wait(because),
            Trouble::Forgotten(because) | Trouble::Fail(because) => Self::Fail(because),
        }
    }
}

/// Follows the log for approved ceremonies. Never returns, unless the log has stopped.
pub(super) async fn follow(shared: Arc<Shared>) {
    // The subscription first: what happens between the two looks is seen twice, never missed.
    let next = shared.bus.log().head().position.next().unwrap_or(Position::FIRST);
    let mut news = shared.bus.log().subscribe(next);
    let mut tasks = JoinSet::new();
    let mut driven: BTreeSet<KeyId> = shared.bus.read(|state| {
        let under_way = state.keys.iter().filter(|(_, key)| matches!(key, Key::Ceremony(_)));
        under_way.map(|(id, _)| *id).collect()
    });
    for id in &driven {
        tasks.spawn(drive(Arc::clone(&shared), *id));
    }
    loop {
        tokio::select! {
            batch = news.next_batch() => match batch {
                Ok(batch) => for id in batch.iter().filter_map(approved) {
                    if driven.insert(id) {
                        tasks.spawn(drive(Arc::clone(&shared), id));
                    }
                },
                Err(error) => {
                    tracing::error!(%error, "ceremonies can't follow the log");
                    return;
                }
            },
            Some(ended) = tasks.join_next() => match ended {
                Ok(id) => drop(driven.remove(&id)),
                Err(error) => tracing::error!(%error, "a ceremony's task died: a bug"),
            },
        }
    }
}

fn approved(record: &Record) -> Option<KeyId> {
    if record.entry.r#type != APPROVED {
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
    let mut letters = Letters::new();
    loop {
        let next = shared.bus.read(|state| state.keys.get(&key).map(step));
        let tried = match next {
            None | Some(Step::Over) => break,
            Some(Step::Alone(signer)) => shared.alone(key, signer).await,
            Some(Step::Begin(signers)) => shared.begin(key, signers).await,
            Some(Step::Exchange(signers)) => shared.exchange(key, signers, &mut letters).await,
            Some(Step::Rounds(signers)) => shared.rounds(key, signers).await,
        };
        let waits = match tried {
            Ok(()) => None,
            Err(Stop::Wait(because)) => Some(because),
            Err(Stop::Fail(because)) => match shared.fail(key, because).await {
                Ok(()) => None,
                Err(Stop::Wait(because) | Stop::Fail(because)) => Some(because),
                Err(Stop::Halt(because)) => return halted(key, &because),
            },
            Err(Stop::Halt(because)) => return halted(key, &because),
        };
        let rests = waits.is_some();
        shared.waits_for(key, waits);
        if rests {
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(settings.longest_pause);
        } else {
            pause = settings.shortest_pause;
        }
    }
    shared.waits_for(key, None);
    key
}

fn halted(key: KeyId, because: &str) -> KeyId {
    tracing::error!(%key, because, "the ceremony is left where it is");
    key
}

impl Shared {
    async fn execute(&self, key: KeyId, command: Command, actor: Actor) -> Result<(), Stop> {
        match self.bus.execute(Request::new(command, actor).within(key.0)).await {
            Ok(_) => Ok(()),
            Err(CommandError::Refused(refusal)) => Err(refused(&refusal)),
            Err(error @ (CommandError::Conflict { .. } | CommandError::Unavailable { .. })) => {
                Err(Stop::Wait(error.to_string()))
            }
            Err(error @ (CommandError::Corrupt { .. } | CommandError::KeyReused { .. })) => {
                Err(Stop::Halt(error.to_string()))
            }
        }
    }

    async fn fail(&self, key: KeyId, because: String) -> Result<(), Stop> {
        tracing::error!(%key, because, "the ceremony fails");
        self.execute(key, Command::FailCeremony { key, because }, Actor::Saga).await
    }

    /// What the log's head says, every signer must have read, and a checkpoint must cover: what was
    /// published is in there.
    pub(super) async fn ask(&self, signer: SignerId, order: Order) -> Result<Reply, Trouble> {
        let at_least = self.bus.log().head().position.get();
        let covered = self.checkpoints.cover(at_least).await;
        covered.map_err(|error| Trouble::Wait(error.to_string()))?;
        self.signers.order(signer, &order, at_least).await.map_err(|error| match error {
            OrderError::Malformed { .. } => Trouble::Fail(error.to_string()),
            OrderError::Unknown { .. }
            | OrderError::Unreachable { .. }
            | OrderError::Lost { .. }
            | OrderError::OtherLog { .. } => Trouble::Wait(error.to_string()),
        })
    }

    async fn confirm(&self, key: KeyId, confirmed: Confirmed) -> Result<(), Stop> {
        let actor = Actor::Signer(confirmed.signer);
        tracing::info!(%key, signer = %confirmed.signer, "a holder confirms the key");
        self.execute(key, Command::ConfirmKey { key, confirmed }, actor).await
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`trouble` judges every other answer")]
    async fn alone(&self, key: KeyId, signer: SignerId) -> Result<(), Stop> {
        match self.ask(signer, Order::BeginCeremony { key }).await? {
            Reply::Confirmed { confirmed } => self.confirm(key, confirmed).await,
            other => Err(trouble(signer, other).into()),
        }
    }

    /// Round one, from those whose package the log does not have.
    async fn begin(&self, key: KeyId, signers: Vec<SignerId>) -> Result<(), Stop> {
        let asked = signers.iter().map(|signer| self.ask(*signer, Order::BeginCeremony { key }));
        let answers = join_all(asked).await;
        let mut stop = Ok(());
        for (signer, answer) in signers.into_iter().zip(answers) {
            match answer {
                Ok(Reply::RoundOne { package }) => {
                    let published = RoundOnePublished { signer, package };
                    let command = Command::PublishRoundOne { key, published };
                    self.execute(key, command, Actor::Signer(signer)).await?;
                }
                // What the others published stands all the same; a failure comes before waiting.
                Ok(other) => stop = worse(stop, trouble(signer, other).into()),
                Err(trouble) => stop = worse(stop, trouble.into()),
            }
        }
        stop
    }

    /// Round two: everyone seals a letter for each other, then everyone finishes with its letters.
    async fn exchange(
        &self,
        key: KeyId,
        signers: Vec<SignerId>,
        given: &mut Letters,
    ) -> Result<(), Stop> {
        let asked = signers.iter().map(|signer| self.ask(*signer, Order::ContinueCeremony { key }));
        for (signer, answer) in signers.iter().copied().zip(join_all(asked).await) {
            match answer {
                Ok(Reply::RoundTwo { sealed }) => drop(given.insert(signer, sealed)),
                Ok(other) => match trouble(signer, other) {
                    // It has finished, and its answer was lost; or it was restarted. Finishing tells.
                    Trouble::Forgotten(because) => tracing::warn!(%key, because, "no letters"),
                    trouble @ (Trouble::Wait(_) | Trouble::Fail(_)) => return Err(trouble.into()),
                },
                Err(trouble) => return Err(trouble.into()),
            }
        }
        let mut letters = by_receiver(given.clone());
        let asked = signers.iter().map(|signer| {
            let sealed = letters.remove(signer).unwrap_or_default();
            self.ask(*signer, Order::FinishCeremony { key, sealed })
        });
        let answers = join_all(asked).await;
        let mut stop = Ok(());
        for (signer, answer) in signers.into_iter().zip(answers) {
            match answer {
                Ok(Reply::Confirmed { confirmed }) if confirmed.signer == signer => {
                    self.confirm(key, confirmed).await?;
                }
                Ok(other) => stop = worse(stop, trouble(signer, other).into()),
                Err(trouble) => stop = worse(stop, trouble.into()),
            }
        }
        stop
    }
}

/// A command of the ceremony was refused.
fn refused(refusal: &Refusal) -> Stop {
    // It is over by now: the next look tells.
    if refusal.rule == Rule::KeyState {
        Stop::Wait(refusal.to_string())
    } else {
        Stop::Fail(refusal.to_string())
    }
}

/// The one of two reasons that matters more.
fn worse(one: Result<(), Stop>, other: Stop) -> Result<(), Stop> {
    match (one, other) {
        (Err(halt @ Stop::Halt(_)), _) | (_, halt @ Stop::Halt(_)) => Err(halt),
        (Err(fail @ Stop::Fail(_)), _) | (_, fail @ Stop::Fail(_)) => Err(fail),
        (_, wait @ Stop::Wait(_)) => Err(wait),
    }
}
