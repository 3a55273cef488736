//! One connection to a signer: many requests on their way at once, each answer found by its
//! request's id. Never asks again by itself: who lost an answer decides that.

use super::{
    Limits,
    wire::{Inbox, encode},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use strongroom_domain::protocol::{Order, Reply};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
    time::{Instant, timeout},
};

/// Frames that wait for the socket; more wait with their callers.
const OUTGOING: usize = 64;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// The connection is over. What was asked may have been done.
    #[error("the connection is over: {0}")]
    Closed(String),
    /// No answer within the limit. What was asked may have been done.
    #[error("no answer in time")]
    Late,
    /// An answer that our protocol does not have.
    #[error("an answer that can't be read: {0}")]
    Malformed(String),
    /// Our own mistake: too long to send.
    #[error("{0}")]
    Unsendable(String),
}

/// An open connection. Closes when it is dropped.
pub(super) struct Link {
    next: AtomicU64,
    outgoing: mpsc::Sender<Vec<u8>>,
    shared: Arc<Shared>,
    limits: Limits,
    tasks: [AbortHandle; 2],
}

struct Shared {
    waiting: Mutex<HashMap<u64, Waiting>>,
    /// Why it is over, once it is.
    over: watch::Sender<Option<String>>,
}

struct Waiting {
    since: Instant,
    answer: oneshot::Sender<Vec<u8>>,
}

impl Link {
    /// Takes over a stream whose handshake is done.
    pub(super) fn open<S>(stream: S, limits: Limits) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reading, writing) = tokio::io::split(stream);
        let (outgoing, frames) = mpsc::channel(OUTGOING);
        let shared = Arc::new(Shared {
            waiting: Mutex::new(HashMap::new()),
            over: watch::Sender::new(None),
        });
        let reader = tokio::spawn(read(Arc::clone(&shared), reading, limits)).abort_handle();
        let writer = tokio::spawn(write(Arc::clone(&shared), writing, frames, limits));
        let tasks = [reader, writer.abort_handle()];
        Self { next: AtomicU64::new(1), outgoing, shared, limits, tasks }
    }

    /// Sends an order and waits for its answer.
    pub(super) async fn ask(&self, order: &Order) -> Result<Reply, LinkError> {
        let unsendable = |error: String| LinkError::Unsendable(error);
        let body = serde_json::to_vec(order).map_err(|error| unsendable(error.to_string()))?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let frame = encode(id, &body).map_err(|error| unsendable(error.to_string()))?;
        let (answer, answered) = oneshot::channel();
        self.shared.lock().insert(id, Waiting { since: Instant::now(), answer });
        let _forget = Forget { shared: &self.shared, id };
        let asked = async {
            // After the request was taken in: whatever ends the connection now finds it there.
            let over = self.shared.over.borrow().is_some();
            if over || self.outgoing.send(frame).await.is_err() {
                return Err(self.over());
            }
            answered.await.map_err(|_over| self.over())
        };
        let body = timeout(self.limits.answer, asked).await.map_err(|_late| LinkError::Late)??;
        serde_json::from_slice(&body).map_err(|error| LinkError::Malformed(error.to_string()))
    }

    /// Waits until the connection is over, and says why.
    pub(super) async fn closed(&self) -> String {
        let mut over = self.shared.over.subscribe();
        let because = over.wait_for(Option::is_some).await;
        because.ok().and_then(|because| because.clone()).unwrap_or_default()
    }

    /// Ends it.
    pub(super) fn close(&self, because: &str) {
        self.shared.end(because.to_owned());
        for task in &self.tasks {
            task.abort();
        }
    }

    fn over(&self) -> LinkError {
        LinkError::Closed(self.shared.over.borrow().clone().unwrap_or_default())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.close("let go");
    }
}

/// Takes a request out of the waiting ones when its caller goes away.
struct Forget<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.shared.lock().remove(&self.id);
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only the first reason is kept: the others follow from it. People read it, so what a library
    /// adds for programmers (`: https://docs…`) is left out.
    fn end(&self, mut because: String) {
        because.truncate(because.find(": https://").unwrap_or(because.len()));
        self.over.send_if_modified(|over| {
            let first = over.is_none();
            if first {
                *over = Some(because);
            }
            first
        });
        self.lock().clear();
    }

    fn deliver(&self, frames: Vec<(u64, Vec<u8>)>) {
        let mut waiting = self.lock();
        for (id, body) in frames {
            // An answer nobody waits for any more is of no use.
            if let Some(asked) = waiting.remove(&id) {
                let _ = asked.answer.send(body);
            }
        }
    }

    fn oldest(&self) -> Option<Instant> {
        self.lock().values().map(|asked| asked.since).min()
    }
}

async fn read<S: AsyncRead>(shared: Arc<Shared>, mut stream: ReadHalf<S>, limits: Limits) {
    let mut inbox = Inbox::default();
    let mut heard = Instant::now();
    let because = loop {
        match timeout(limits.silence, stream.read_buf(inbox.buffer())).await {
            Ok(Ok(0)) => break "the signer closed it".to_owned(),
            Ok(Ok(_)) => heard = Instant::now(),
            Ok(Err(error)) => break error.to_string(),
            // Silence is a fault only while something was asked: a stopped process keeps its
            // connections open.
            Err(_silence) => {
                let asked = shared.oldest().is_some_and(|since| since.elapsed() >= limits.silence);
                if asked && heard.elapsed() >= limits.silence {
                    break "the signer does not answer".to_owned();
                }
                continue;
            }
        }
        match inbox.frames() {
            Ok(frames) => shared.deliver(frames),
            Err(long) => break long.to_string(),
        }
    };
    shared.end(because);
}

async fn write<S: AsyncWrite>(
    shared: Arc<Shared>,
    mut stream: WriteHalf<S>,
    mut frames: mpsc::Receiver<Vec<u8>>,
    limits: Limits,
) {
    while let Some(frame) = frames.recv().await {
        let sent = async {
            stream.write_all(&frame).await?;
            if frames.is_empty() { stream.flush().await } else { Ok(()) }
        };
        let because = match timeout(limits.answer, sent).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_late) => "the signer does not read".to_owned(),
        };
        shared.end(because);
        return;
    }
}

#[cfg(test)]
mod tests;
