//! The connections that read, on a thread of their own: they outlive no runtime but theirs. Never
//! able to write.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::session::{Target, become_reader};
use crate::log::BoxFuture;
use crate::open::{OpenError, Options};
use crate::read::ReadError;

/// How long a read waits for a free connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends its thread and its connections when it goes.
pub(crate) struct Readers {
    pool: PgPool,
    runtime: Handle,
    _end: oneshot::Sender<()>,
}

impl Readers {
    /// Starts the thread; one connection is made at once, so that a fault is told here.
    pub(crate) async fn open(target: &Target, options: &Options) -> Result<Self, OpenError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| OpenError::Unavailable(error.to_string()))?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("log readers".to_owned());
        // Comes back with an error when the other end goes: that is the end.
        let thread = thread.spawn(move || drop(runtime.block_on(ended)));
        thread.map_err(|error| OpenError::Unavailable(error.to_string()))?;
        let most = u32::try_from(options.readers.max(1)).unwrap_or(u32::MAX);
        let pool = PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_connect(|db, _| Box::pin(become_reader(db)));
        let options = target.options();
        let connected = handle.spawn(pool.connect_with(options)).await;
        let pool = connected.map_err(|error| OpenError::Unavailable(error.to_string()))??;
        Ok(Self { pool, runtime: handle, _end: end })
    }

    /// Reads on a free connection, or waits for one.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, ReadError>>
        + Send
        + 'static,
    ) -> Result<T, ReadError> {
        let pool = self.pool.clone();
        let read = self.runtime.spawn(async move {
            let mut db = pool.acquire().await?;
            work(&mut db).await
        });
        let ended =
            |error: tokio::task::JoinError| ReadError::Unavailable { reason: error.to_string() };
        read.await.map_err(ended)?
    }
}
