//! One round: a head is signed by the log, all witnesses are asked at once, and the round counts
//! with the cosignature that makes enough. Never waits for the slow ones; what they still say is
//! added while nothing newer stands.

use super::{
    Counting, Shared,
    asked::{Asked, Word},
    policy::Policy,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use strongroom_ledger::{Hash, TreeHead};
use strongroom_store::{AppendLog, consistency, tree_head};
use tokio::sync::{Mutex, mpsc, oneshot};

/// A checkpoint that the log has signed, on its way to the witnesses.
pub(super) struct Draft {
    pub(super) head: TreeHead,
    pub(super) note: String,
    log: Arc<dyn AppendLog>,
    number: u64,
    newest: Arc<AtomicU64>,
    /// By the size that they begin at: most witnesses stand at the same one.
    proofs: Mutex<BTreeMap<u64, Arc<Vec<Hash>>>>,
}

impl Draft {
    /// Another round began since.
    pub(super) fn is_stale(&self) -> bool {
        self.newest.load(Ordering::Relaxed) != self.number
    }

    pub(super) fn end_of_log(&self) -> u64 {
        self.log.head().position.get()
    }

    /// That the log of `old` entries is the beginning of this one.
    pub(super) async fn proof(&self, old: u64) -> Result<Arc<Vec<Hash>>, String> {
        let mut proofs = self.proofs.lock().await;
        if let Some(proof) = proofs.get(&old) {
            return Ok(Arc::clone(proof));
        }
        let made = if old == 0 || old == self.head.size {
            Vec::new()
        } else {
            let made = consistency(self.log.as_ref(), old, self.head.size).await;
            made.map_err(|error| format!("our own log: {error}"))?
        };
        let made = Arc::new(made);
        proofs.insert(old, Arc::clone(&made));
        Ok(made)
    }
}

/// Runs one round over the log's head; why it does not count, otherwise.
pub(super) async fn run(shared: &Arc<Shared>, policy: Arc<Policy>) -> Result<u64, String> {
    let log = shared.bus.log();
    let size = log.head().position.get();
    let head = tree_head(log.as_ref(), size).await;
    let head = head.map_err(|error| format!("our own log: {error}"))?;
    let (signer, origin) = (Arc::clone(&shared.signer), policy.origin().to_owned());
    let signing = tokio::task::spawn_blocking(move || signer.sign(&origin, head)).await;
    let note = signing.map_err(|_died| "the task that signs died".to_owned())??;
    let number = shared.newest.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    let newest = Arc::clone(&shared.newest);
    let draft =
        Arc::new(Draft { head, note, log, number, newest, proofs: Mutex::new(BTreeMap::new()) });
    let (told, counted) = oneshot::channel();
    // Of its own: the slow witnesses' words are still taken when the round is over.
    tokio::spawn(collect(Arc::clone(shared), policy, draft, told));
    counted.await.unwrap_or_else(|_died| Err("the task that collects died".to_owned()))
}

async fn collect(
    shared: Arc<Shared>,
    policy: Arc<Policy>,
    draft: Arc<Draft>,
    told: oneshot::Sender<Result<u64, String>>,
) {
    let mut told = Some(told);
    let mut cosigned = match Arc::clone(&policy).begin(&draft.note) {
        Ok(begun) => begun,
        Err(because) => return tell(&mut told, Err(format!("our own checkpoint: {because}"))),
    };
    let mut words = ask_all(&shared, &draft);
    let mut missing = BTreeMap::new();
    while let Some((asked, word)) = words.recv().await {
        let name = asked.witness.name();
        let because = match word {
            Word::Lines(lines) => match cosigned.add(name, &lines) {
                Ok(()) => {
                    shared.health.witness(name, None);
                    match cosigned.counting() {
                        Some(counting) => show(&shared, &mut told, counting),
                        None => continue,
                    }
                    continue;
                }
                Err(because) => because,
            },
            Word::None(because) => because,
            Word::Fork(because) => {
                tracing::error!(witness = name, because, "ALARM: a witness saw another history");
                format!("ALARM: {because}")
            }
        };
        shared.health.witness(name, Some(&because));
        missing.insert(name.to_owned(), because);
    }
    tell(&mut told, Err(policy.short(cosigned.count(), &missing)));
}

fn show(
    shared: &Shared,
    told: &mut Option<oneshot::Sender<Result<u64, String>>>,
    counting: Counting,
) {
    let size = counting.head.size;
    shared.board.show(Arc::new(counting));
    tell(told, Ok(size));
}

fn tell(told: &mut Option<oneshot::Sender<Result<u64, String>>>, result: Result<u64, String>) {
    if let Some(told) = told.take() {
        // The publisher was stopped.
        let _ = told.send(result);
    }
}

/// All witnesses at once. What they say comes as they say it.
fn ask_all(shared: &Shared, draft: &Arc<Draft>) -> mpsc::UnboundedReceiver<(Arc<Asked>, Word)> {
    let (say, words) = mpsc::unbounded_channel();
    for asked in shared.witnesses.iter().map(Arc::clone) {
        let (say, draft) = (say.clone(), Arc::clone(draft));
        tokio::spawn(async move {
            let word = asked.cosign(&draft).await;
            // Nobody listens where the publisher was stopped.
            let _ = say.send((asked, word));
        });
    }
    words
}
