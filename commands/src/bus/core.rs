//! What the bus holds under its lock: the fold, the streams' sequences, the keys that are being
//! run. It decides and applies; it never waits for the disk.

use super::{CommandError, Happened, LoadError, Outcome, Prepared, Request, UnderWay, leaf, name};
use std::collections::{BTreeMap, HashSet};
use strongroom_domain::{
    Decision, Event, Head, ProposalId, Refusal, Rule, State, Stream, Timestamp, decide,
    proposal::{Proposal, ProposalEvent},
    transfer::TransferEvent,
};
use strongroom_ledger::PAYLOAD_LIMIT;
use strongroom_store::{
    Append, AppendLog, Appended, Expected, Idempotency, NewEvent, PAGE_LIMIT, Position, Record,
};

/// The bus's clock.
pub type BusClock = fn() -> Timestamp;

pub(super) struct Core {
    pub(super) state: State,
    /// Idempotency keys whose request is running.
    pub(super) running: HashSet<(String, String)>,
    sequences: BTreeMap<Stream, u64>,
    /// Of the last event that was decided, durable or not.
    position: u64,
    clock: BusClock,
    stopped: Option<String>,
}

impl Core {
    pub(super) async fn load(log: &dyn AppendLog, clock: BusClock) -> Result<Self, LoadError> {
        let mut core = Self {
            state: State::default(),
            running: HashSet::new(),
            sequences: BTreeMap::new(),
            position: 0,
            clock,
            stopped: None,
        };
        let mut next = Position::FIRST;
        loop {
            let page = log.read_from(next, PAGE_LIMIT).await?;
            let Some(last) = page.last() else { return Ok(core) };
            next = last.entry.position.next().unwrap_or(next);
            for record in &page {
                core.load_one(record)?;
            }
        }
    }

    fn load_one(&mut self, record: &Record) -> Result<(), LoadError> {
        let position = record.entry.position.get();
        let unreadable = |because: String| LoadError::Unreadable { position, because };
        let recorded = crate::recorded(record).map_err(|error| unreadable(error.to_string()))?;
        self.sequences.insert(recorded.stream, recorded.sequence);
        self.position = position;
        self.state.evolve(&recorded).map_err(|error| unreadable(error.to_string()))
    }

    /// Whether all that was decided is durable.
    pub(super) const fn is_settled(&self) -> bool {
        self.position == self.state.head.position
    }

    /// The clock, never behind the log.
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)().max(self.state.time)
    }

    /// Decides a request and applies what follows from it.
    pub(super) fn prepare(&mut self, request: &Request) -> Result<Prepared, CommandError> {
        if let Some(because) = &self.stopped {
            return Err(CommandError::Corrupt { because: because.clone() });
        }
        let now = self.now();
        let key = request.idempotency.clone();
        let mut outcome = Outcome {
            subject: request.subject.clone(),
            events: Vec::new(),
            refusal: None,
            positions: None,
        };
        let decision = match decide(&self.state, request.command.clone(), now) {
            Ok(decision) => decision,
            Err(refusal) => {
                outcome.refusal = Some(refusal);
                Decision::default()
            }
        };
        outcome.events = decision.events.iter().map(happened).collect();
        if decision.events.is_empty() && key.is_none() {
            let under_way = UnderWay::default();
            return Ok(Prepared { outcome, under_way, append: None });
        }
        let idempotency = match &key {
            Some(key) => {
                let bytes =
                    serde_json::to_vec(&outcome).map_err(|error| self.stop(error.to_string()))?;
                Some(Idempotency { outcome: bytes, ..Idempotency::from(key) })
            }
            None => None,
        };
        let append = self.append(&decision, request, idempotency)?;
        let next = self.position.saturating_add(1);
        let first = (!decision.events.is_empty()).then_some(next);
        let opened = self.apply(&decision)?;
        let approved = decision.events.iter().filter(|(_, event)| is_approval(event));
        let approved = approved.map(|(stream, _)| *stream).collect();
        let under_way = UnderWay { opened, first, approved };
        Ok(Prepared { outcome, under_way, append: Some(append) })
    }

    fn append(
        &mut self,
        decision: &Decision,
        request: &Request,
        idempotency: Option<Idempotency>,
    ) -> Result<Append, CommandError> {
        let expected = decision.weighed.iter().map(|stream| Expected {
            stream: name(*stream),
            sequence: self.sequences.get(stream).copied().unwrap_or(0),
        });
        let expected = expected.collect();
        let mut events = Vec::with_capacity(decision.events.len());
        for (stream, event) in &decision.events {
            let (kind, version) = event.kind();
            let payload = event.encode().map_err(|error| self.stop(error.to_string()))?;
            // Nothing is applied yet: a size that the log refuses must not stop whoever serves it.
            let (found, most) = (payload.len(), PAYLOAD_LIMIT);
            if found > most {
                let because = format!("{kind} would take {found} bytes: an entry holds {most}");
                return Err(Refusal::new(Rule::EntrySize, because).into());
            }
            let stream = name(*stream);
            events.push(NewEvent { stream, r#type: kind.to_owned(), version, payload });
        }
        Ok(Append {
            expected,
            events,
            actor: request.actor.to_string(),
            command: request.id,
            correlation: request.correlation,
            causation: request.causation,
            idempotency,
        })
    }

    /// Applies a decision to the fold, ahead of the disk. The proposal that it opens, if any: its
    /// event is the last, so that the append's head is the entry its statement is bound to.
    fn apply(&mut self, decision: &Decision) -> Result<Option<ProposalId>, CommandError> {
        let mut opened = None;
        for (stream, event) in &decision.events {
            if let Err(error) = self.state.apply(*stream, event) {
                return Err(self.stop(format!("decided what can't be recorded: {error}")));
            }
            let sequence = self.sequences.entry(*stream).or_default();
            *sequence = sequence.saturating_add(1);
            self.position = self.position.saturating_add(1);
            if let (Stream::Proposal(id), Event::Proposal(event)) = (stream, event) {
                if event.opens() {
                    opened = Some(*id);
                }
                if matches!(self.state.proposals.get(id), Some(Proposal::Closed(_))) {
                    self.state.opened_at.remove(id);
                }
            }
        }
        Ok(opened)
    }

    /// Takes note that an append is durable, where it was to be. Elsewhere, somebody else appends
    /// to this log, and what was decided may be wrong.
    pub(super) fn durable(
        &mut self,
        under_way: &UnderWay,
        appended: &Appended,
    ) -> Result<(), CommandError> {
        let first = appended.positions.map(|positions| positions.first.get());
        if first != under_way.first {
            let because = format!(
                "an append is at position {first:?}, it was to be at {:?}: another writer appends \
                 to this log",
                under_way.first
            );
            return Err(self.stop(because));
        }
        let time = Timestamp::from_micros(appended.time.micros());
        for stream in &under_way.approved {
            self.state.stood_at(*stream, time);
        }
        let head = Head { position: appended.head.position.get(), leaf: leaf(&appended.head) };
        // It may be closed again by what was decided since.
        let open =
            |id: &ProposalId| !matches!(self.state.proposals.get(id), Some(Proposal::Closed(_)));
        if let Some(id) = under_way.opened.filter(open) {
            self.state.opened_at.insert(id, head);
        }
        if head.position > self.state.head.position {
            self.state.head = head;
            self.state.time = time;
        }
        Ok(())
    }

    /// Stops for good.
    pub(super) fn stop(&mut self, because: String) -> CommandError {
        tracing::error!(because, "the command bus has stopped");
        let because = self.stopped.get_or_insert(because).clone();
        CommandError::Corrupt { because }
    }
}

/// Whether a delay is measured from its entry.
const fn is_approval(event: &Event) -> bool {
    matches!(
        event,
        Event::Transfer(TransferEvent::Approved(_))
            | Event::Proposal(ProposalEvent::QuorumReached(_))
    )
}

fn happened((stream, event): &(Stream, Event)) -> Happened {
    Happened { stream: name(*stream), event: event.kind().0.to_owned() }
}
