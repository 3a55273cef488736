//! Connections that read. Never one that could write.

use crate::{
    error::{OpenError, QueryError},
    schema,
    view::View,
};
use rusqlite::Connection;
use std::path::Path;
use std::sync::{
    Mutex, MutexGuard, PoisonError, TryLockError,
    atomic::{AtomicUsize, Ordering},
};

/// A read model opened for nothing but reading, also while a server writes to it.
pub struct ReadOnly(Connection);

impl ReadOnly {
    /// Opens the read model at `path`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        schema::reader(path.as_ref()).map(Self)
    }

    /// Asks about one moment.
    pub fn view<T>(
        &self,
        ask: impl FnOnce(&View<'_>) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        // Everything that is asked sees the same moment.
        let moment = self.0.unchecked_transaction()?;
        ask(&View::new(&moment))
    }
}

/// A few connections, so that one long question does not hold up the others.
pub(crate) struct Pool {
    connections: Vec<Mutex<ReadOnly>>,
    turn: AtomicUsize,
}

impl Pool {
    pub(crate) fn open(path: &Path, size: usize) -> Result<Self, OpenError> {
        let open = |_| ReadOnly::open(path).map(Mutex::new);
        let connections = (0..size.max(1)).map(open).collect::<Result<_, _>>()?;
        Ok(Self { connections, turn: AtomicUsize::new(0) })
    }

    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&ReadOnly) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        work(&*self.take().ok_or(QueryError::Closed)?)
    }

    /// A free connection, or the one whose turn it is.
    fn take(&self) -> Option<MutexGuard<'_, ReadOnly>> {
        for connection in &self.connections {
            match connection.try_lock() {
                Ok(free) => return Some(free),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.connections.len().max(1);
        let connection = self.connections.get(turn)?;
        Some(connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
