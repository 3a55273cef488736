//! Our log as cqrs-es's event store. Never a second place where events are kept.

use super::{Adapted, HandleError, StoredEvent, Told};
use cqrs_es::{Aggregate as _, AggregateContext, AggregateError, EventEnvelope, EventStore};
use std::{collections::HashMap, marker::PhantomData, sync::Arc};
use strongroom_domain::{Actor, Aggregate, Event, Stream};
use strongroom_store::{
    Append, AppendError, AppendLog, Appended, Expected, NewEvent, PAGE_LIMIT, ReadError, Record,
};
use uuid::Uuid;

type Envelope<A> = EventEnvelope<Adapted<A>>;
type Failure = AggregateError<HandleError>;

/// One kind of aggregate, in a log.
///
/// An aggregate's id is its stream's name without the kind: the UUID of an account; `charter` for
/// the charter. The metadata of a command may name the UUIDs `command`, `correlation` and
/// `causation`; the log has no place for anything else, so anything else is refused. Envelopes
/// come with those, and with `position`, `time` and `actor`.
pub struct LogEventStore<A> {
    log: Arc<dyn AppendLog>,
    actor: Actor,
    kind: PhantomData<fn() -> A>,
}

/// An aggregate as it was loaded, and where its stream stood.
pub struct Loaded<A> {
    aggregate: Adapted<A>,
    stream: String,
    id: String,
    sequence: u64,
}

/// Why a stream can't be loaded. All but the first are corrupt: stop, and tell a person.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LoadEventsError {
    /// No stream has this name.
    #[error("`{id}` is no id of a {kind}: expected a lower-case hyphenated UUID, or `charter`")]
    NotAnId {
        /// What was given.
        id: String,
        /// What was expected.
        kind: &'static str,
    },
    /// An event is missing.
    #[error("stream {stream} has no event {expected}, though it has {last}: the log is damaged")]
    Missing {
        /// Which stream.
        stream: String,
        /// The sequence that was to come next.
        expected: u64,
        /// The stream's last sequence.
        last: u64,
    },
    /// An entry says nothing that this build understands, or belongs elsewhere.
    #[error("stream {stream}, event {sequence}: {because}")]
    Unreadable {
        /// Which stream.
        stream: String,
        /// Which event.
        sequence: u64,
        /// Why.
        because: String,
    },
}

impl<A: Aggregate> LogEventStore<A> {
    /// The aggregates of a log. `actor` is who the entries will say caused them.
    pub fn new(log: Arc<dyn AppendLog>, actor: Actor) -> Self {
        Self { log, actor, kind: PhantomData }
    }

    fn stream(id: &str) -> Result<String, LoadEventsError> {
        let singular = id == "charter" && A::KIND == "charter";
        let name = if singular { id.to_owned() } else { format!("{}-{id}", A::KIND) };
        match name.parse::<Stream>() {
            Ok(_) => Ok(name),
            Err(_) => Err(LoadEventsError::NotAnId { id: id.to_owned(), kind: A::KIND }),
        }
    }
}

impl<A> LogEventStore<A>
where
    A: Aggregate + Send + Sync,
    A::Command: Send,
    A::Event: StoredEvent,
{
    async fn read(&self, id: &str) -> Result<Vec<Envelope<A>>, Failure> {
        let stream = Self::stream(id).map_err(unexpected)?;
        // First, so that what is read is at least this much.
        let last = self.log.stream_sequence(&stream).await.map_err(read_failure)?;
        let mut envelopes: Vec<Envelope<A>> = Vec::new();
        let mut next = 1;
        loop {
            let page = self.log.read_stream(&stream, next, PAGE_LIMIT).await;
            let page = page.map_err(read_failure)?;
            let end = page.is_empty();
            for record in &page {
                let (stream, expected) = (stream.clone(), next);
                if record.entry.sequence != next {
                    return Err(unexpected(LoadEventsError::Missing { stream, expected, last }));
                }
                envelopes.push(envelope(id, record).map_err(unexpected)?);
                next = next.saturating_add(1);
            }
            if end && next <= last {
                return Err(unexpected(LoadEventsError::Missing { stream, expected: next, last }));
            }
            if end {
                return Ok(envelopes);
            }
        }
    }

    fn to_append(
        &self,
        events: &[Told<A::Event>],
        (stream, sequence): (&str, u64),
        metadata: &HashMap<String, String>,
    ) -> Result<Append, Failure> {
        let command = given(metadata, "command")?.unwrap_or_else(Uuid::now_v7);
        let known = ["command", "correlation", "causation"];
        if let Some(strange) = metadata.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(wrong(format!("the log has no place for metadata `{strange}`")));
        }
        let new_event = |event: &Told<A::Event>| {
            let event: Event = event.0.clone().into();
            let (kind, version) = event.kind();
            let payload = event.encode().map_err(unexpected)?;
            Ok(NewEvent { stream: stream.to_owned(), r#type: kind.to_owned(), version, payload })
        };
        Ok(Append {
            expected: vec![Expected { stream: stream.to_owned(), sequence }],
            events: events.iter().map(new_event).collect::<Result<_, Failure>>()?,
            actor: self.actor.to_string(),
            command,
            correlation: given(metadata, "correlation")?.unwrap_or(command),
            causation: given(metadata, "causation")?,
            idempotency: None,
        })
    }
}

impl<A> EventStore<Adapted<A>> for LogEventStore<A>
where
    A: Aggregate + Send + Sync,
    A::Command: Send,
    A::Event: StoredEvent,
{
    type AC = Loaded<A>;

    async fn load_events(&self, id: &str) -> Result<Vec<Envelope<A>>, Failure> {
        self.read(id).await
    }

    async fn load_aggregate(&self, id: &str) -> Result<Loaded<A>, Failure> {
        let stream = Self::stream(id).map_err(unexpected)?;
        let mut aggregate = Adapted::default();
        let mut sequence: u64 = 0;
        for envelope in self.read(id).await? {
            aggregate.apply(envelope.payload);
            sequence = sequence.saturating_add(1);
        }
        match aggregate.get() {
            Err(damage) => Err(unexpected(damage.clone())),
            Ok(_) => Ok(Loaded { aggregate, stream, id: id.to_owned(), sequence }),
        }
    }

    async fn commit(
        &self,
        events: Vec<Told<A::Event>>,
        context: Loaded<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<Envelope<A>>, Failure> {
        if let Err(damage) = context.aggregate.get() {
            return Err(unexpected(damage.clone()));
        }
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let Loaded { stream, id, sequence, .. } = context;
        let append = self.to_append(&events, (&stream, sequence), &metadata)?;
        let told = committed_metadata(&append);
        let appended = self.log.append(append).await.map_err(append_failure)?;
        Ok(committed(&id, sequence, events, (appended, &told)))
    }
}

impl<A> AggregateContext<Adapted<A>> for Loaded<A>
where
    A: Aggregate + Send + Sync,
    A::Command: Send,
    A::Event: StoredEvent,
{
    fn aggregate(&mut self) -> &mut Adapted<A> {
        &mut self.aggregate
    }
}

fn envelope<A>(id: &str, record: &Record) -> Result<Envelope<A>, LoadEventsError>
where
    A: Aggregate + Send + Sync,
    A::Command: Send,
    A::Event: StoredEvent,
{
    let entry = &record.entry;
    let unreadable = |because: String| LoadEventsError::Unreadable {
        stream: entry.stream.clone(),
        sequence: entry.sequence,
        because,
    };
    let event = crate::recorded(record).map_err(|error| unreadable(error.to_string()))?.event;
    let payload = A::Event::own(event)
        .ok_or_else(|| unreadable(format!("{} is no event of a {}", entry.r#type, A::KIND)))?;
    let mut metadata = HashMap::from([
        ("position".to_owned(), entry.position.to_string()),
        ("time".to_owned(), entry.time.to_string()),
        ("actor".to_owned(), entry.actor.clone()),
        ("command".to_owned(), entry.command.to_string()),
        ("correlation".to_owned(), entry.correlation.to_string()),
    ]);
    metadata.extend(entry.causation.map(|id| ("causation".to_owned(), id.to_string())));
    let sequence = usize::try_from(entry.sequence)
        .map_err(|_| unreadable("a sequence beyond this machine's numbers".to_owned()))?;
    Ok(EventEnvelope { aggregate_id: id.to_owned(), sequence, payload: Told(payload), metadata })
}

fn committed_metadata(append: &Append) -> HashMap<String, String> {
    let mut metadata = HashMap::from([
        ("actor".to_owned(), append.actor.clone()),
        ("command".to_owned(), append.command.to_string()),
        ("correlation".to_owned(), append.correlation.to_string()),
    ]);
    metadata.extend(append.causation.map(|id| ("causation".to_owned(), id.to_string())));
    metadata
}

/// What was appended, as queries get it. They have no `time`: only the log knows it by now.
fn committed<A>(
    id: &str,
    before: u64,
    events: Vec<Told<A::Event>>,
    (appended, metadata): (Appended, &HashMap<String, String>),
) -> Vec<Envelope<A>>
where
    A: Aggregate + Send + Sync,
    A::Command: Send,
    A::Event: StoredEvent,
{
    let first = appended.positions.map(|positions| positions.first.get());
    (0_u64..)
        .zip(events)
        .map(|(number, payload)| {
            let sequence = before.saturating_add(1).saturating_add(number);
            let mut metadata = metadata.clone();
            let position = first.map(|first| first.saturating_add(number).to_string());
            metadata.extend(position.map(|position| ("position".to_owned(), position)));
            EventEnvelope {
                aggregate_id: id.to_owned(),
                sequence: usize::try_from(sequence).unwrap_or(usize::MAX),
                payload,
                metadata,
            }
        })
        .collect()
}

fn given(metadata: &HashMap<String, String>, key: &str) -> Result<Option<Uuid>, Failure> {
    let Some(text) = metadata.get(key) else { return Ok(None) };
    let id = Uuid::try_parse(text).map_err(|_| wrong(format!("metadata `{key}` is no UUID")))?;
    Ok(Some(id))
}

fn wrong(because: String) -> Failure {
    AggregateError::UnexpectedError(because.into())
}

fn unexpected(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    AggregateError::UnexpectedError(Box::new(error))
}

fn read_failure(error: ReadError) -> Failure {
    match error {
        ReadError::Unavailable { .. } => AggregateError::DatabaseConnectionError(Box::new(error)),
        ReadError::Corrupt { .. } | ReadError::Chain(_) | ReadError::Closed => unexpected(error),
    }
}

fn append_failure(error: AppendError) -> Failure {
    match error {
        AppendError::Conflict { .. } => AggregateError::AggregateConflict,
        AppendError::Unavailable { .. } => AggregateError::DatabaseConnectionError(Box::new(error)),
        AppendError::KeyUsed(_)
        | AppendError::KeyReused { .. }
        | AppendError::Stopped { .. }
        | AppendError::Invalid { .. } => unexpected(error),
    }
}
