//! A writer as a process of its own, which tests kill and stop. Never pretends: its signals are the
//! kernel's.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use strongroom_store::conformance::append_to;
use strongroom_store::{
    AppendError, AppendLog, Idempotency, Options, Position, PostgresAudit, PostgresLog, RawLog,
    ReadLog,
};

use crate::cluster::signal;

const LOG: &str = "STRONGROOM_POSTGRES_TEST_LOG";
const NAME: &str = "STRONGROOM_POSTGRES_TEST_NAME";
const WRITERS: u64 = 16;
const PATIENCE: Duration = Duration::from_mins(2);

/// The process itself. As a test of its own it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writer_process() {
    let Ok(url) = std::env::var(LOG) else { return };
    let name = std::env::var(NAME).unwrap();
    let log = PostgresLog::open_when_free(&url, &Options::default(), PATIENCE).await.unwrap();
    say("serving");
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| tokio::spawn(write(log.clone(), format!("{name}:{number}"))))
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    say("stopped");
}

/// One write call: a line is whole or missing.
fn say(line: &str) {
    std::io::stdout().lock().write_all(format!("says {line}\n").as_bytes()).unwrap();
}

/// Appends to its own stream until the log stops, and says each position once it was acknowledged.
async fn write(log: PostgresLog, stream: String) {
    // The server may be gone before the first one.
    let Ok(first) = log.stream_sequence(&stream).await else { return };
    for sequence in first.. {
        let mut append = append_to(&[(&stream, sequence)]);
        append.idempotency = Some(Idempotency {
            caller: stream.clone(),
            key: sequence.to_string(),
            request_sha256: strongroom_store::ledger::payload_hash(b"body"),
            outcome: sequence.to_string().into_bytes(),
        });
        match log.append(append).await {
            Ok(appended) => {
                let position = appended.positions.unwrap().last;
                say(&format!("acknowledged {stream} {sequence} {position}"));
            }
            Err(AppendError::Unavailable { .. }) => tokio::task::yield_now().await,
            Err(AppendError::Stopped { .. }) => return,
            Err(other) => panic!("{other}"),
        }
    }
}

/// (stream, sequence before, position) of acknowledged appends.
pub(crate) type Acknowledged = BTreeSet<(String, u64, u64)>;

/// A running writer, and what it has said.
pub(crate) struct Writer {
    child: Child,
    lines: Receiver<String>,
    pub(crate) acknowledged: Acknowledged,
}

impl Writer {
    pub(crate) fn start(url: &str, name: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer::writer_process", "--nocapture"])
            .envs([(LOG, url), (NAME, name)])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The test harness prints the name of the test before the first line.
                if let Some((_, said)) = line.split_once("says ") {
                    let _ = send.send(said.to_owned());
                }
            }
        });
        Self { child, lines, acknowledged: BTreeSet::new() }
    }

    /// The next thing that it says; `None` when it has ended.
    fn next(&mut self) -> Option<String> {
        let line = self.lines.recv().ok()?;
        let mut words = line.split(' ');
        if words.next() == Some("acknowledged") {
            let stream = words.next().unwrap().to_owned();
            let mut numbers = words.map(|number| number.parse().unwrap());
            let one = (stream, numbers.next().unwrap(), numbers.next().unwrap());
            assert!(self.acknowledged.insert(one), "acknowledged twice: {line}");
        }
        Some(line)
    }

    /// Waits until it serves the log.
    pub(crate) fn serves(&mut self) {
        while self.next().expect("it serves before it ends") != "serving" {}
    }

    /// Waits for so many more acknowledgements.
    pub(crate) fn acknowledges(&mut self, more: usize) {
        let enough = self.acknowledged.len() + more;
        while self.acknowledged.len() < enough {
            self.next().expect("it goes on");
        }
    }

    /// Waits until it ends by itself because its log stopped; what is in the pipe is read on.
    pub(crate) fn stops(&mut self) {
        let mut last = String::new();
        while let Some(line) = self.next() {
            last = line;
        }
        assert_eq!(last, "stopped");
        assert!(self.child.wait().unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        while self.next().is_some() {}
        self.child.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(name, &[self.child.id()]);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The log verifies from the first entry on, columns and tree included, and every acknowledged
/// append is there, once, with its outcome.
pub(crate) async fn check(url: &str, acknowledged: &Acknowledged) {
    let mut audit = PostgresAudit::open_read_only(url, &Options::default()).await.unwrap();
    let head = audit.verify_all().await.unwrap();
    assert!(head.position.get() >= acknowledged.len() as u64);
    let places: BTreeSet<u64> = acknowledged.iter().map(|(_, _, position)| *position).collect();
    assert_eq!(places.len(), acknowledged.len(), "two appends share a position");
    let mut found = BTreeSet::new();
    let mut after = 0;
    loop {
        let page = audit.raw_after(after, 1000).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.filed;
        for row in page {
            let entry = strongroom_store::ledger::EntryRef::parse(&row.entry).unwrap();
            found.insert((entry.stream.to_owned(), entry.sequence - 1, entry.position.get()));
        }
    }
    let missing: Vec<_> = acknowledged.difference(&found).collect();
    assert!(missing.is_empty(), "acknowledged, but not there: {missing:?}");
    // One in eleven, and the last: each is a question to the server.
    let sample = acknowledged.iter().step_by(11).chain(acknowledged.last());
    for (stream, sequence, position) in sample {
        let kept = audit.outcome(stream, &sequence.to_string()).await.unwrap().unwrap();
        assert_eq!(kept.positions.unwrap().last, Position::new(*position).unwrap());
    }
}
