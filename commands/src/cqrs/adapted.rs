//! An aggregate of the domain as cqrs-es drives it. Never a rule of its own: `handle` is `decide`,
//! `apply` is `evolve`.

use super::{StoredEvent, Told};
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use strongroom_domain::{Aggregate, Corrupt, Refusal};

/// An aggregate, and whether its history held together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Adapted<A> {
    aggregate: A,
    damage: Option<Corrupt>,
}

/// Why a command was not carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HandleError {
    /// Refused: a rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Corrupt: the aggregate's history does not hold together. Stop, and tell a person.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

impl<A> Adapted<A> {
    /// The aggregate; the damage, if an event of its history did not fit.
    pub fn get(&self) -> Result<&A, &Corrupt> {
        match &self.damage {
            Some(damage) => Err(damage),
            None => Ok(&self.aggregate),
        }
    }
}

impl<A> cqrs_es::Aggregate for Adapted<A>
where
    A: Aggregate + Send + Sync,
    A::Command: Send,
    A::Event: StoredEvent,
{
    const TYPE: &'static str = A::KIND;
    type Command = A::Command;
    type Event = Told<A::Event>;
    type Error = HandleError;
    type Services = ();

    async fn handle(
        &mut self,
        command: A::Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), HandleError> {
        let events = self.get().map_err(Clone::clone)?.decide(command)?;
        for event in events {
            // Applies it too.
            sink.write(Told(event), self).await;
        }
        // An event that was decided and does not fit must not be committed.
        self.get().map_err(Clone::clone)?;
        Ok(())
    }

    fn apply(&mut self, event: Told<A::Event>) {
        if self.damage.is_none() {
            self.damage = self.aggregate.evolve(&event.0).err();
        }
    }
}

const NO_SNAPSHOTS: &str =
    "aggregates are folded from the log, never stored: there are no snapshots";

impl<A> Serialize for Adapted<A> {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom(NO_SNAPSHOTS))
    }
}

impl<'de, A> Deserialize<'de> for Adapted<A> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom(NO_SNAPSHOTS))
    }
}
