//! One task for each change of shares under way: rounds, until every holder has confirmed or the
//! change has failed. Remembers letters of the round before, and nothing that the log should; after a
//! crash all rounds are asked for again, and whoever spoke in one says the same.
//!
//! A holder that was restarted has lost its part: the same change is tried again under another epoch,
//! without a person. One that stays silent makes it fail after a while: payments go on with the
//! shares of before, and people ask for a change that drops it.

use super::{
    Settings, Shared,
    next::{Trouble, by_receiver, trouble},
};
use crate::{CommandError, Request};
use futures::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use strongroom_domain::{
    Actor, Bytes, Command, KeyId, Refusal, Rule, SignerId, Stream,
    key::{Change, Quarantined, RoundPublished},
    protocol::{Order, Reply, Sealed, Work},
};
use strongroom_store::{Position, Record};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// The event that sets a change in motion.
const APPROVED: &str = "key.change-approved";

/// More rounds than any protocol has.
const MOST_ROUNDS: u16 = 8;

/// Tries of one change, each with an epoch of its own, before it fails after all.
const MOST_TRIES: u32 = 20;

/// What ends a try.
enum Stop {
    /// Ask again after a pause.
    Wait(String),
    /// Somebody has lost its part: another try, from the first round.
    Again(String),
    /// The change comes to nothing.
    Fail {
        because: String,
        /// Who is proven to have cheated.
        culprit: Option<SignerId>,
    },
    /// The bus has stopped.
    Halt(String),
}

impl Stop {
    fn fail(because: impl Into<String>) -> Self {
        Self::Fail { because: because.into(), culprit: None }
    }

    const fn weight(&self) -> u8 {
        match self {
            Self::Wait(_) => 0,
            Self::Again(_) => 1,
            Self::Fail { culprit: None, .. } => 2,
            Self::Fail { culprit: Some(_), .. } => 3,
            Self::Halt(_) => 4,
        }
    }
}

/// The one that counts. Of holders that are waited for all are named: people must know who is missing.
fn worst(known: Option<Stop>, other: Stop) -> Stop {
    match (known, other) {
        (Some(Stop::Wait(known)), Stop::Wait(other)) => Stop::Wait(format!("{known}; {other}")),
        (Some(known), other) if known.weight() >= other.weight() => known,
        (_, other) => other,
    }
}

/// Follows the log for approved changes. Never returns, unless the log has stopped.
pub(super) async fn follow(shared: Arc<Shared>) {
    // The subscription first: what happens between the two looks is seen twice, never missed.
    let next = shared.bus.log().head().position.next().unwrap_or(Position::FIRST);
    let mut news = shared.bus.log().subscribe(next);
    let mut tasks = JoinSet::new();
    let mut driven: BTreeSet<KeyId> = shared.bus.read(|state| {
        let with_change = |(id, key): (&KeyId, &strongroom_domain::key::Key)| {
            key.existing().is_ok_and(|active| active.change.is_some()).then_some(*id)
        };
        state.keys.iter().filter_map(with_change).collect()
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
                    tracing::error!(%error, "changes of shares can't follow the log");
                    return;
                }
            },
            Some(ended) = tasks.join_next() => match ended {
                // One that was approved while the last one ended is begun here.
                Ok(id) => if shared.approved_change(id).is_some() {
                    tasks.spawn(drive(Arc::clone(&shared), id));
                } else {
                    driven.remove(&id);
                },
                Err(error) => tracing::error!(%error, "a change's task died: a bug"),
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
    let (mut since, mut tries, mut epoch) = (Instant::now(), 0_u32, 0);
    while let Some(change) = shared.approved_change(key) {
        if change.epoch != epoch {
            (epoch, since) = (change.epoch, Instant::now());
        }
        let stop = match shared.change_rounds(key, &change).await {
            Ok(()) => {
                pause = settings.shortest_pause;
                continue;
            }
            Err(Stop::Wait(because)) if since.elapsed() >= patience(&settings, &change) => {
                let seconds = patience(&settings, &change).as_secs();
                Stop::fail(format!(
                    "after {seconds} s of waiting: {because}. Every holder must take part: mend what \
                     is named here and ask again, or ask for a change without it"
                ))
            }
            Err(Stop::Again(because)) if tries >= MOST_TRIES => Stop::fail(because),
            Err(stop) => stop,
        };
        let went = match stop {
            Stop::Wait(because) => Err(Stop::Wait(because)),
            Stop::Again(because) => {
                tries = tries.saturating_add(1);
                shared.retry_change(key, &change, because).await
            }
            Stop::Fail { because, culprit } => shared.fail_change(key, because, culprit).await,
            halt @ Stop::Halt(_) => Err(halt),
        };
        match went {
            Ok(()) => {}
            Err(Stop::Halt(because)) => {
                tracing::error!(%key, because, "the change is left where it is");
                return key;
            }
            Err(Stop::Wait(because) | Stop::Again(because) | Stop::Fail { because, .. }) => {
                shared.waits_for(key, Some(because));
            }
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(settings.longest_pause);
    }
    shared.waits_for(key, None);
    key
}

/// Whose share is restored by hand is not there meanwhile.
const fn patience(settings: &Settings, change: &Change) -> Duration {
    if change.asked.joining.is_some() && change.asked.helpers.is_empty() {
        settings.restoring
    } else {
        settings.patience
    }
}

impl Shared {
    /// The key's change, once its quorum agreed.
    fn approved_change(&self, key: KeyId) -> Option<Change> {
        self.bus.read(|state| {
            let active = state.keys.get(&key)?.existing().ok()?;
            active.change.clone().filter(|change| change.approved)
        })
    }

    async fn record(&self, key: KeyId, command: Command, actor: Actor) -> Result<(), Stop> {
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

    /// All rounds, from the first.
    async fn change_rounds(&self, key: KeyId, change: &Change) -> Result<(), Stop> {
        let mut letters = BTreeMap::new();
        for round in 1..=MOST_ROUNDS {
            let given = self.change_round((key, change), round, letters).await?;
            if given.is_empty() {
                return Ok(());
            }
            letters = by_receiver(given);
        }
        Err(Stop::fail(format!("the change has more than {MOST_ROUNDS} rounds")))
    }

    /// One round: what was said to all goes to the log, letters come back. Nobody spoke: it was the
    /// last.
    async fn change_round(
        &self,
        (key, change): (KeyId, &Change),
        round: u16,
        mut letters: BTreeMap<SignerId, Vec<Sealed>>,
    ) -> Result<BTreeMap<SignerId, Vec<Sealed>>, Stop> {
        let epoch = change.epoch;
        let signers: Vec<SignerId> = change.holders.values().copied().collect();
        let asked = signers.iter().map(|signer| {
            let order = Order::Step {
                work: Work::Change { key, epoch },
                session: Bytes::default(),
                round,
                spoken: Vec::new(),
                letters: letters.remove(signer).unwrap_or_default(),
            };
            self.ask(*signer, order)
        });
        let answers = join_all(asked).await;
        let (mut given, mut stop): (_, Option<Stop>) = (BTreeMap::new(), None);
        for (signer, answer) in signers.into_iter().zip(answers) {
            let taken = match answer {
                Ok(reply) => self.take((key, epoch), (signer, round), reply).await,
                Err(trouble) => Err(trouble.into()),
            };
            match taken {
                Ok(Some(letters)) => drop(given.insert(signer, letters)),
                Ok(None) => {}
                // What the others said stands all the same; the worst is what counts.
                Err(other) => stop = Some(worst(stop, other)),
            }
        }
        stop.map_or(Ok(given), Err)
    }

    /// Records what a signer answered. Its letters, unless it is done.
    async fn take(
        &self,
        (key, epoch): (KeyId, u32),
        (signer, round): (SignerId, u16),
        reply: Reply,
    ) -> Result<Option<Vec<Sealed>>, Stop> {
        let actor = Actor::Signer(signer);
        match reply {
            Reply::Spoke { message: package, letters } => {
                if !package.as_slice().is_empty() {
                    let published = RoundPublished { signer, epoch, round, package };
                    self.record(key, Command::PublishRound { key, published }, actor).await?;
                }
                Ok(Some(letters))
            }
            Reply::EpochConfirmed { confirmed } if confirmed.signer == signer => {
                tracing::info!(%key, epoch, %signer, "a holder has its share of the new epoch");
                self.record(key, Command::ConfirmEpoch { key, confirmed }, actor).await?;
                Ok(None)
            }
            Reply::Refused(refusal) => Err(judged(signer, &refusal)),
            Reply::Corrupt { because, culprit } => {
                Err(Stop::Fail { because: format!("signer {signer}: {because}"), culprit })
            }
            Reply::Status { .. }
            | Reply::RoundOne { .. }
            | Reply::RoundTwo { .. }
            | Reply::Confirmed { .. }
            | Reply::Committed { .. }
            | Reply::Shares { .. }
            | Reply::Abstained { .. }
            | Reply::EpochConfirmed { .. }
            | Reply::Signatures { .. }
            | Reply::Cosigned { .. }
            | Reply::WitnessConflict { .. }
            | Reply::Covered { .. }
            | Reply::Usable
            | Reply::Unavailable { .. } => Err(trouble(signer, reply).into()),
        }
    }

    /// The same change under another epoch, with helpers that answer, as far as there are enough.
    async fn retry_change(&self, key: KeyId, change: &Change, because: String) -> Result<(), Stop> {
        tracing::warn!(%key, epoch = change.epoch, because, "a change of shares begins again");
        let joins = change.asked.joining.map(|joining| joining.signer);
        let live = self.signers.live();
        let stay = change.holders.values().filter(|signer| Some(**signer) != joins);
        let (mut here, away): (Vec<SignerId>, Vec<SignerId>) =
            stay.copied().partition(|signer| live.contains(signer));
        here.extend(away);
        here.truncate(change.asked.helpers.len());
        let command = Command::RetryKeyChange { key, helpers: here, because };
        self.record(key, command, Actor::Saga).await
    }

    /// The shares of before stay. Who is proven to have cheated takes the key with it, until a quorum
    /// decides.
    async fn fail_change(
        &self,
        key: KeyId,
        because: String,
        culprit: Option<SignerId>,
    ) -> Result<(), Stop> {
        tracing::error!(%key, because, ?culprit, "ALARM: a change of shares fails");
        let failed = Command::FailKeyChange { key, because: because.clone() };
        self.record(key, failed, Actor::Saga).await?;
        if culprit.is_some() {
            let quarantined = Quarantined { because, culprit };
            let command = Command::QuarantineKey { key, quarantined };
            // It is quarantined already: as well.
            match self.record(key, command, Actor::Saga).await {
                Ok(()) | Err(Stop::Wait(_)) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Wait(because) => Self::Wait(because),
            Trouble::Forgotten(because) => Self::Again(because),
            Trouble::Fail(because) => Self::fail(because),
        }
    }
}

/// A signer's refusal.
#[expect(clippy::wildcard_enum_match_arm, reason = "of every other rule `trouble` judges")]
fn judged(signer: SignerId, refusal: &Refusal) -> Stop {
    match refusal.rule {
        // Its log shows that the change is over: so will ours.
        Rule::SignerKey => Stop::Wait(format!("signer {signer}: {refusal}")),
        Rule::SignerQuarantined => Stop::fail(refusal.to_string()),
        _ => trouble(signer, Reply::Refused(refusal.clone())).into(),
    }
}

/// A command of the change was refused.
#[expect(clippy::wildcard_enum_match_arm, reason = "what no other look changes ends the change")]
fn refused(refusal: &Refusal) -> Stop {
    match refusal.rule {
        // It is over by now, or another try has begun: the next look tells.
        Rule::KeyState => Stop::Wait(refusal.to_string()),
        Rule::CeremonyDisagreement => Stop::Again(refusal.to_string()),
        _ => Stop::fail(refusal.to_string()),
    }
}
