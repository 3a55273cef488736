//! One history: a log on a machine that fails, its writers, and what must hold all the while.
//! Never continues after a broken rule: it says which, and its seed.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use strongroom_store::ledger::payload_hash;
use strongroom_store::{
    Append, AppendError, AppendLog, Appended, BoxFuture, Expected, Head, Idempotency, NewEvent,
    OpenError, Options, PAGE_LIMIT, Position, ReadError, ReadLog, Record, SqliteLog,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::disk::{End, Fault};
use crate::gate::Gate;
use crate::model::{Answer, Model, head_of, root_at};
use crate::plan::Plan;
use crate::random::Random;
use crate::report::Report;
use crate::vfs::Machine;

/// The name of the rule that was broken, and how.
pub(crate) type Broken = String;

type Attempt = BoxFuture<'static, Result<Appended, AppendError>>;

pub(crate) struct History {
    random: Random,
    machine: Arc<Machine>,
    directory: TempDir,
    gate: Gate,
    runtime: Runtime,
    model: Model,
    options: Options,
    large: bool,
    lies: bool,
    /// Whether a sync has lied and power was cut since, so that anything may be lost.
    betrayed: bool,
    made: u64,
    /// The last head that anybody could read since the last restart.
    seen: Head,
    pub(crate) report: Report,
    pub(crate) trace: Vec<String>,
}

impl History {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let directory = tempfile::tempdir().unwrap();
        let machine = Machine::new(directory.path().to_str().unwrap(), random.next());
        let gate = Gate::default();
        let options = Options {
            queue: if random.once_in(3) { 3 } else { 4096 },
            batch: if random.once_in(3) { 2 } else { 1024 },
            readers: 1,
            streams: if random.once_in(3) { 1 } else { 100_000 },
            clock: gate.clock(),
            ..Options::default()
        };
        let large = random.once_in(24);
        let lies = random.once_in(3);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self {
            random,
            machine,
            directory,
            gate,
            runtime,
            model: Model::default(),
            options,
            large,
            lies,
            betrayed: false,
            made: 0,
            seen: Head::EMPTY,
            report: Report::default(),
            trace: Vec::new(),
        }
    }

    /// Whether one batch is made while another is stored, so that the order of reads is not the
    /// seed's.
    pub(crate) fn overlaps(&self) -> bool {
        self.options.batch == 2
    }

    /// Says the same of the same history, wherever its files are.
    fn tell(&mut self, step: &str) {
        self.trace.push(step.replace(self.directory.path().to_str().unwrap(), ""));
    }

    /// Runs it to its end.
    pub(crate) fn run(&mut self) -> Result<(), Broken> {
        self.report.histories += 1;
        for run in 0..2 + self.random.below(4) {
            let used = self.machine.disk().used();
            let plan = Plan::draw(&mut self.random, used, self.lies);
            self.tell(&format!("run {run}: {plan:?}, {used} bytes used"));
            self.machine.disk().arm(plan.faults.clone());
            self.one_run(&plan)?;
            let lied = self.machine.disk().fired().contains("lying sync");
            let fired = self.machine.disk().fired().clone();
            let end = self.machine.restart(plan.end, Vec::new());
            self.tell(&format!("it ended by {end:?} after {fired:?}"));
            self.report.runs += 1;
            for what in &fired {
                self.report.fired(what);
            }
            self.betrayed |= lied || self.machine.disk().owes();
            if self.betrayed && end == End::PowerCut {
                return self.after_a_lie();
            }
            if self.random.once_in(3) && self.interrupted_opening(end)? == End::PowerCut {
                self.betrayed |= self.machine.disk().owes();
                if self.betrayed {
                    return self.after_a_lie();
                }
            }
            self.after_an_honest_end()?;
        }
        Ok(())
    }

    fn open(&self) -> Result<SqliteLog, OpenError> {
        self.machine.open(&self.options)
    }

    fn one_run(&mut self, plan: &Plan) -> Result<(), Broken> {
        self.seen = Head::EMPTY;
        let Some(mut log) = self.open_in_trouble()? else { return Ok(()) };
        for _ in 0..plan.steps {
            let stopped = log.stop_reason().is_some();
            match self.random.below(if stopped { 8 } else { 12 }) {
                0..6 => {
                    self.append_some(&log)?;
                    if self.random.once_in(2) {
                        self.read(&log)?;
                    }
                }
                6 | 7 => self.read(&log)?,
                8 => self.second_writer()?,
                9 if self.random.once_in(3) => {
                    self.tell("closed and opened");
                    drop(log);
                    let Some(again) = self.open_in_trouble()? else { return Ok(()) };
                    log = again;
                }
                _ => self.repeat(&log)?,
            }
        }
        self.read(&log)?;
        if log.stop_reason().is_some() {
            self.report.stops += 1;
        }
        Ok(())
    }

    /// A machine in trouble may refuse to open a log, but not find damage where there is none.
    fn open_in_trouble(&mut self) -> Result<Option<SqliteLog>, Broken> {
        let opened = self.open();
        let fired = self.machine.disk().fired().clone();
        match opened {
            Ok(log) => Ok(Some(log)),
            Err(error) if fired.is_empty() => Err(format!("it does not open: {error}")),
            Err(OpenError::Damaged(error)) => {
                Err(format!("an honest disk is called damaged: {error}"))
            }
            Err(error) => {
                self.tell(&format!("not opened: {error}"));
                self.report.opens_refused += 1;
                Ok(None)
            }
        }
    }

    /// Whoever opens a log after a fault may go down in doing so.
    fn interrupted_opening(&mut self, before: End) -> Result<End, Broken> {
        let fault = match self.random.below(3) {
            0 => Fault::Kill { at: self.random.scaled(40) },
            _ => Fault::PowerCut { at: self.random.scaled(40) },
        };
        self.machine.disk().arm(vec![fault]);
        let log = self.open_in_trouble()?;
        let end = self.machine.restart(End::Kill, Vec::new());
        drop(log);
        self.tell(&format!("after {before:?}, an opening with {fault:?} ended by {end:?}"));
        self.report.openings_interrupted += 1;
        Ok(end)
    }

    fn second_writer(&mut self) -> Result<(), Broken> {
        match self.machine.open_second(&self.options) {
            Err(OpenError::Locked { .. }) => {
                self.report.second_writers += 1;
                Ok(())
            }
            Err(other) => Err(format!("a second writer is refused otherwise: {other}")),
            Ok(_) => Err("a second writer has the log".to_owned()),
        }
    }

    fn fresh(&mut self) -> Append {
        self.made += 1;
        let mut streams: Vec<u64> = (0..4).collect();
        let count = 1 + self.random.index(3);
        while streams.len() > count {
            let gone = self.random.index(streams.len());
            streams.remove(gone);
        }
        let expected = streams.iter().map(|number| {
            let stream = format!("stream:{number}");
            Expected { sequence: self.model.sequence(&stream), stream }
        });
        let expected: Vec<_> = expected.collect();
        let id = self.made;
        let mut events = Vec::new();
        for number in 0..self.random.below(4) {
            let stream = expected[self.random.index(expected.len())].stream.clone();
            let most = if self.large { 700_000 } else { 6000 };
            let fill = "x".repeat(usize::try_from(self.random.scaled(most)).unwrap());
            let payload = format!(r#"{{"append":{id},"event":{number},"fill":"{fill}"}}"#);
            let payload = payload.into_bytes();
            events.push(NewEvent { stream, r#type: "test.happened".into(), version: 1, payload });
        }
        let keyed = self.random.once_in(2);
        let idempotency = keyed.then(|| Idempotency {
            caller: format!("caller:{}", id % 3),
            key: format!("key-{id}"),
            request_sha256: payload_hash(&id.to_be_bytes()),
            outcome: format!("answer to {id}").into_bytes(),
        });
        Append {
            expected,
            events,
            actor: "person:test".to_owned(),
            command: Uuid::from_u128(u128::from(id)),
            correlation: Uuid::from_u128(2),
            causation: None,
            idempotency,
        }
    }

    /// One append alone, or one and then several that share a batch: writers of the same streams,
    /// of whom the first wins.
    fn append_some(&mut self, log: &SqliteLog) -> Result<(), Broken> {
        let first = self.fresh();
        let together = if self.random.once_in(2) { self.random.index(7) } else { 0 };
        self.gate.shut();
        let mut leader = log.append(first.clone());
        let leader = self.wait_at_the_gate(&mut leader).map_or_else(|| Ok(leader), Err);
        let mut appends = vec![first];
        let mut attempts = Vec::new();
        // A sequencer that is gone takes no batch; whether it is gone yet would be chance.
        if leader.is_ok() {
            for _ in 0..together {
                let append = self.fresh();
                attempts.push(log.append(append.clone()));
                appends.push(append);
            }
        }
        self.gate.open();
        let mut answers = vec![leader.map_or_else(|ready| ready, |it| self.runtime.block_on(it))];
        answers.extend(attempts.into_iter().map(|it| self.runtime.block_on(it)));
        self.settle(log, &appends, answers)
    }

    /// `Some` with the answer if there is one before the sequencer has come to the gate.
    fn wait_at_the_gate(&self, attempt: &mut Attempt) -> Option<Result<Appended, AppendError>> {
        loop {
            if self.gate.holds() {
                return None;
            }
            match attempt.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(answer) => return Some(answer),
                Poll::Pending => std::thread::yield_now(),
            }
        }
    }

    /// Holds answers against the model, in the order of the queue.
    fn settle(
        &mut self,
        log: &SqliteLog,
        appends: &[Append],
        answers: Vec<Result<Appended, AppendError>>,
    ) -> Result<(), Broken> {
        let mut stopped = false;
        for (number, (append, answer)) in appends.iter().zip(answers).enumerate() {
            self.remember(append);
            self.report.appends += 1;
            match answer {
                Err(AppendError::Stopped { reason }) => {
                    if self.machine.disk().fired().is_empty() {
                        return Err(format!("it stopped without a fault: {reason}"));
                    }
                    self.model.unknown.push(append.clone());
                    stopped = true;
                }
                Err(AppendError::Unavailable { .. }) if number > self.options.queue => {
                    self.report.queue_full += 1;
                }
                answer if stopped => {
                    return Err(format!("append {number} was answered after a stop: {answer:?}"));
                }
                answer => {
                    let expected = self.model.answer(append);
                    if !Model::agrees(&expected, &answer) {
                        let of = append.command.as_u128();
                        return Err(format!("append {of} must be {expected:?}, was {answer:?}"));
                    }
                    match expected {
                        Answer::Appended(_) => self.report.acknowledged += 1,
                        Answer::Refused(AppendError::KeyUsed(_)) => self.report.repeats += 1,
                        Answer::Refused(_) => self.report.refused += 1,
                    }
                }
            }
        }
        if stopped && log.stop_reason().is_none() {
            return Err("it stopped, but does not say so".to_owned());
        }
        self.tell(&format!("{} appends, stopped: {stopped}", appends.len()));
        Ok(())
    }

    fn remember(&mut self, append: &Append) {
        if append.idempotency.is_some() && !self.model.keyed.contains(append) {
            self.model.keyed.push(append.clone());
        }
    }

    /// A caller that has lost its answer asks again: with what it now knows of the streams, or as
    /// it did the first time, or with another body under the same key.
    fn repeat(&mut self, log: &SqliteLog) -> Result<(), Broken> {
        if self.model.keyed.is_empty() {
            return Ok(());
        }
        let at = self.random.index(self.model.keyed.len());
        let mut append = self.model.keyed[at].clone();
        match self.random.below(4) {
            0 => {}
            1 => {
                let other = payload_hash(b"another body");
                append.idempotency.as_mut().unwrap().request_sha256 = other;
                if self.model.stored(&append).is_none() {
                    return Ok(());
                }
            }
            _ => {
                for of in &mut append.expected {
                    of.sequence = self.model.sequence(&of.stream);
                }
            }
        }
        let answer = self.runtime.block_on(log.append(append.clone()));
        let keyed = self.model.keyed.len();
        let settled = self.settle(log, &[append], vec![answer]);
        // The first form stays the one that is repeated.
        self.model.keyed.truncate(keyed);
        settled
    }

    /// Waits until the sequencer is idle: what it does after its answers would otherwise run
    /// beside what is done next.
    fn wait_until_idle(&mut self, log: &SqliteLog) {
        let nothing =
            Append { expected: vec![], events: vec![], idempotency: None, ..Self::blank() };
        for _ in 0..2 {
            let _ = self.runtime.block_on(log.append(nothing.clone()));
        }
    }

    fn blank() -> Append {
        Append {
            expected: vec![],
            events: vec![],
            actor: "person:test".to_owned(),
            command: Uuid::nil(),
            correlation: Uuid::nil(),
            causation: None,
            idempotency: None,
        }
    }

    /// Reads what is new, and something old.
    fn read(&mut self, log: &SqliteLog) -> Result<(), Broken> {
        self.wait_until_idle(log);
        let head = log.head();
        if log.stop_reason().is_none() && head.position.get() != self.model.len() {
            return Err(format!("its head is {head:?}, {} were appended", self.model.len()));
        }
        if head.position.get() > self.model.len() {
            return Err(format!("its head {head:?} is beyond what was acknowledged"));
        }
        self.seen = head;
        let new = self.model.witnessed().size + 1;
        let old = 1 + self.random.below(self.model.len() + 1);
        [new, old].into_iter().try_for_each(|from| self.read_from(log, from))
    }

    fn read_from(&mut self, log: &SqliteLog, from: u64) -> Result<(), Broken> {
        let page = log.read_from(Position::new(from).unwrap(), PAGE_LIMIT);
        match self.runtime.block_on(page) {
            Ok(page) => {
                self.report.reads += 1;
                page.iter().try_for_each(|record| self.model.read(record))
            }
            Err(error) => self.read_failed(&error),
        }
    }

    fn read_failed(&mut self, error: &ReadError) -> Result<(), Broken> {
        let fired = self.machine.disk().fired().clone();
        self.tell(&format!("not read: {error}"));
        self.report.reads_refused += 1;
        match error {
            _ if fired.is_empty() => Err(format!("it is not read: {error}")),
            ReadError::Corrupt { .. } | ReadError::Chain(_) => {
                Err(format!("an honest disk is read as damaged: {error}"))
            }
            _ => Ok(()),
        }
    }

    fn all(&self, log: &SqliteLog) -> Result<Vec<Record>, ReadError> {
        let mut records: Vec<Record> = Vec::new();
        loop {
            let next = Position::new(u64::try_from(records.len()).unwrap() + 1).unwrap();
            let page = self.runtime.block_on(log.read_from(next, PAGE_LIMIT))?;
            if page.is_empty() {
                return Ok(records);
            }
            records.extend(page);
        }
    }

    /// The disk kept its word: everything acknowledged is there, and nothing else but what was
    /// under way.
    fn after_an_honest_end(&mut self) -> Result<(), Broken> {
        let log = self.open().map_err(|error| format!("it does not open again: {error}"))?;
        let verified = log.verify_all().map_err(|error| format!("it is damaged: {error}"))?;
        let records = self.all(&log).map_err(|error| format!("it is not read: {error}"))?;
        if verified != log.head() || verified != head_of(&records) {
            return Err(format!("it verifies to {verified:?}, its head is {:?}", log.head()));
        }
        if u64::try_from(records.len()).unwrap() < self.model.len() {
            return Err(format!(
                "{} entries were acknowledged, {} are there",
                self.model.len(),
                records.len()
            ));
        }
        let (made, lost) = self.model.resolve(&records)?;
        self.report.made_after_all += made;
        self.report.never_made += lost;
        records.iter().try_for_each(|record| self.model.read(record))?;
        if root_at(&records, self.seen.position.get()).is_none() {
            return Err(format!("head {:?} was seen, and is gone", self.seen));
        }
        for append in std::mem::take(&mut self.model.keyed) {
            let key = append.idempotency.as_ref().unwrap();
            let found = self.runtime.block_on(log.outcome(&key.caller, &key.key));
            let found = found.map_err(|error| format!("an outcome is not read: {error}"))?;
            // A refusal that was under way leaves no entry to tell by.
            if append.events.is_empty() && self.model.stored(&append).is_none() && found.is_some() {
                self.model.answer(&Append { expected: vec![], ..append.clone() });
            }
            if found.as_ref() != self.model.stored(&append) {
                let stored = self.model.stored(&append);
                return Err(format!("key {} keeps {found:?}, not {stored:?}", key.key));
            }
            self.model.keyed.push(append);
        }
        drop(log);
        self.report.reopened += 1;
        // Closed in peace, so that the next run starts from a disk that owes nothing but lies.
        Ok(())
    }

    /// The disk lied: what it lost must be found as damage, or be missed by a witness.
    fn after_a_lie(&mut self) -> Result<(), Broken> {
        let kept = self.model.witnessed();
        let log = match self.open() {
            Ok(log) => log,
            Err(error) => {
                self.tell(&format!("refused: {error}"));
                self.report.lies_found_at_opening += 1;
                return Ok(());
            }
        };
        let records = match log.verify_all().and_then(|_| self.all(&log)) {
            Ok(records) => records,
            Err(error) => {
                self.tell(&format!("damaged: {error}"));
                self.report.lies_found_by_verifying += 1;
                return Ok(());
            }
        };
        let certain = self.model.entries.len();
        for record in records.iter().take(certain) {
            self.model.read(record)?;
        }
        if records.len() >= certain {
            self.report.lies_without_loss += 1;
            return Ok(());
        }
        self.report.lies_cut_short += 1;
        if u64::try_from(records.len()).unwrap() >= kept.size {
            return Ok(());
        }
        // The witness kept a larger tree: the log is shorter, which it says at once. Were it to go
        // on, it would come back to that size with another root.
        self.report.noticed_by_a_witness += 1;
        self.outgrow(&log, kept)
    }

    fn outgrow(
        &mut self,
        log: &SqliteLog,
        kept: strongroom_store::ledger::TreeHead,
    ) -> Result<(), Broken> {
        for number in 0.. {
            if log.head().position.get() >= kept.size {
                break;
            }
            let stream = format!("later:{number}");
            let mut append = Self::blank();
            append.expected = vec![Expected { stream: stream.clone(), sequence: 0 }];
            let payload = b"{}".to_vec();
            append.events =
                vec![NewEvent { stream, r#type: "test.happened".into(), version: 1, payload }];
            if self.runtime.block_on(log.append(append)).is_err() {
                self.report.lies_found_by_appending += 1;
                return Ok(());
            }
        }
        let records = self.all(log).map_err(|error| format!("it is not read: {error}"))?;
        if root_at(&records, kept.size) == Some(kept.root) {
            return Err("another history has the root that a witness keeps".to_owned());
        }
        Ok(())
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.machine.scrap();
    }
}
