//! A read model with its one writer, its readers, and those who wait for it. Never answers from
//! two moments at once.

use crate::{
    apply,
    error::{Behind, OpenError, QueryError, RunError},
    fold::Item,
    reader::Pool,
    schema,
    view::View,
};
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_domain::Head;
use tokio::sync::watch;
use tokio::time::Instant;

/// Questions that are answered at the same time.
const READERS: usize = 4;

/// A read model. Clones are handles of the same one.
#[derive(Clone)]
pub struct Projections {
    writer: Arc<Mutex<Connection>>,
    readers: Arc<Pool>,
    reached: Arc<watch::Sender<Head>>,
}

impl Projections {
    /// Opens the read model at `path`, or makes one; one of an older build is made again. Refuses
    /// a file that is something else.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let writer = schema::writer(path)?;
        let head = apply::head(&writer)?;
        Ok(Self {
            readers: Arc::new(Pool::open(path, READERS)?),
            writer: Arc::new(Mutex::new(writer)),
            reached: Arc::new(watch::Sender::new(head)),
        })
    }

    /// The last entry that the tables hold.
    pub fn head(&self) -> Head {
        *self.reached.borrow()
    }

    /// Tells of every batch that was made.
    pub fn heads(&self) -> watch::Receiver<Head> {
        self.reached.subscribe()
    }

    /// Waits until the tables hold the entry at `position`.
    pub async fn wait_for(&self, position: u64, deadline: Instant) -> Result<(), Behind> {
        let mut reached = self.reached.subscribe();
        let there = reached.wait_for(|head| head.position >= position);
        // The sender lives as long as this handle, so only the deadline ends the wait early.
        if let Ok(Ok(_)) = tokio::time::timeout_at(deadline, there).await {
            return Ok(());
        }
        Err(Behind { wanted: position, reached: self.head().position })
    }

    /// Asks about one moment. Blocks: from async code use [`Self::read`].
    pub fn view<T>(
        &self,
        ask: impl FnOnce(&View<'_>) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        self.readers.with(|reader| reader.view(ask))
    }

    /// Asks about one moment, on a thread that may block.
    pub async fn read<T, F>(&self, ask: F) -> Result<T, QueryError>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, QueryError> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || readers.with(|reader| reader.view(ask)))
            .await
            .unwrap_or(Err(QueryError::Closed))
    }

    /// Applies entries that follow the head, all or none.
    pub(crate) async fn apply(&self, items: Vec<Item>) -> Result<Head, RunError> {
        self.write(move |db| apply::batch(db, &items)).await
    }

    /// The head, after whatever a run that was dropped may still be writing.
    pub(crate) async fn settled(&self) -> Result<Head, RunError> {
        self.write(|db| Ok(apply::head(db)?)).await
    }

    /// Forgets everything.
    pub(crate) async fn empty(&self) -> Result<Head, RunError> {
        self.write(|db| {
            apply::empty(db)?;
            Ok(apply::head(db)?)
        })
        .await
    }

    async fn write<F>(&self, work: F) -> Result<Head, RunError>
    where
        F: FnOnce(&Connection) -> Result<Head, RunError> + Send + 'static,
    {
        let this = self.clone();
        let written = tokio::task::spawn_blocking(move || {
            let db = this.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let head = work(&db)?;
            // Under the lock, so that heads are told in the order in which they were made.
            this.reached.send_replace(head);
            Ok(head)
        });
        written.await.unwrap_or(Err(RunError::Closed))
    }
}
