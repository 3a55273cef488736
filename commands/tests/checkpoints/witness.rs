//! A witness in this process: the ledger's core and key, and what a test makes it do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use strongroom_commands::checkpoints::{Answer, Submission, Witness};
use strongroom_ledger::{
    AddCheckpoint, KeyName, LogVerifier, Timestamp, TreeHead, WitnessKey, WitnessRefusal, witness,
};
use strongroom_store::BoxFuture;
use tokio::sync::watch;

/// What it does when it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    Willing,
    Away,
    /// Signs with another key than the charter names.
    False,
    /// Signs as often as an answer has room for.
    Chatty,
}

/// A witness. Clones are handles of the same one.
#[derive(Clone)]
pub(crate) struct TestWitness(Arc<Inner>);

struct Inner {
    name: String,
    key: WitnessKey,
    other: WitnessKey,
    log: LogVerifier,
    last: Mutex<Option<TreeHead>>,
    mood: watch::Sender<Mood>,
    /// Answers wait for this.
    open: watch::Sender<bool>,
    asked: AtomicU64,
}

impl TestWitness {
    pub(crate) fn new(name: &str, seed: u8, log: LogVerifier) -> Self {
        let key = |seed| WitnessKey::ed25519(KeyName::new(name).unwrap(), &[seed; 32]).unwrap();
        Self(Arc::new(Inner {
            name: name.to_owned(),
            key: key(seed),
            other: key(seed + 100),
            log,
            last: Mutex::new(None),
            mood: watch::Sender::new(Mood::Willing),
            open: watch::Sender::new(true),
            asked: AtomicU64::new(0),
        }))
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.0.mood.send_replace(mood);
    }

    /// Lets it answer, or makes it wait.
    pub(crate) fn open(&self, open: bool) {
        self.0.open.send_replace(open);
    }

    /// As if it had cosigned this before, perhaps for another server.
    pub(crate) fn has_cosigned(&self, head: TreeHead) {
        *self.0.last.lock().unwrap() = Some(head);
    }

    pub(crate) fn last(&self) -> Option<TreeHead> {
        *self.0.last.lock().unwrap()
    }

    pub(crate) fn asked(&self) -> u64 {
        self.0.asked.load(Ordering::SeqCst)
    }

    fn judge(&self, submission: &Submission) -> Answer {
        let mood = *self.0.mood.borrow();
        if mood == Mood::Away {
            return Answer::Unavailable("away".to_owned());
        }
        let request = AddCheckpoint {
            old: submission.old,
            proof: submission.proof.clone(),
            checkpoint: submission.checkpoint.parse().unwrap(),
        };
        let mut last = self.0.last.lock().unwrap();
        match witness::consider(*last, &self.0.log, &request) {
            Ok(accepted) => {
                assert_eq!(accepted.head().size, submission.size);
                *last = Some(accepted.head());
                let key = if mood == Mood::False { &self.0.other } else { &self.0.key };
                let lines = if mood == Mood::Chatty { 64 } else { 1 };
                let line = |second: u64| {
                    let at = Timestamp::from_micros((1_800_000_000 + second) * 1_000_000).unwrap();
                    key.cosign(&accepted, at).unwrap().to_string()
                };
                Answer::Cosigned((0..lines).map(line).collect())
            }
            Err(WitnessRefusal::Conflict { size }) => Answer::Conflict { size },
            Err(refusal @ WitnessRefusal::Inconsistent(_)) => Answer::Fork(refusal.to_string()),
            Err(refusal) => Answer::Refused(refusal.to_string()),
        }
    }
}

impl Witness for TestWitness {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn cosign<'a>(&'a self, submission: &'a Submission) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            self.0.asked.fetch_add(1, Ordering::SeqCst);
            self.0.open.subscribe().wait_for(|open| *open).await.unwrap();
            self.judge(submission)
        })
    }
}
