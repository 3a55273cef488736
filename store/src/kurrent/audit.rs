//! A log on a server, read for audit. Never writes, and hides nothing: what is no entry is passed
//! on as it is.

use strongroom_ledger::{Head, Position, leaf_hash};

use super::connect;
use super::connection::{Connection, ReadFailure};
use super::opening::gone;
use super::record;
use super::refusals::{Refusals, tombstone};
use crate::log::BoxFuture;
use crate::open::{OpenError, Options};
use crate::raw::{RawLog, RawOutcome, RawRow};
use crate::read::{PAGE_BYTES, PAGE_LIMIT, ReadError};

/// A log on a KurrentDB server, for audit. Nothing is checked.
pub struct KurrentAudit {
    connection: Connection,
}

impl KurrentAudit {
    /// Reads the URL and the password file; the server is asked when something is read. Of the
    /// options only the password file counts.
    pub fn open(url: &str, options: &Options) -> Result<Self, OpenError> {
        Ok(Self { connection: connect(url, options)? })
    }

    fn failed(&self, place: Position, failure: ReadFailure) -> ReadError {
        let stream = &self.connection.address.stream;
        match failure {
            ReadFailure::NotFound => gone(place, stream),
            ReadFailure::Tombstone => tombstone(stream),
            ReadFailure::Unavailable(reason) => ReadError::Unavailable { reason },
        }
    }

    async fn last(&self) -> Result<Head, ReadError> {
        let stream = &self.connection.address.stream;
        let last = self.connection.last(stream).await;
        let last = last.map_err(|failure| self.failed(Position::START, failure))?;
        last.map_or(Ok(Head::EMPTY), |event| {
            let position = record::position(event.revision)?;
            Ok(Head { position, leaf: leaf_hash(record::lines(&event).0) })
        })
    }

    async fn page(&self, after: i64, limit: usize) -> Result<Vec<RawRow>, ReadError> {
        let after = u64::try_from(after).unwrap_or(0);
        let place = Position::new(after).unwrap_or(Position::LAST);
        let stream = &self.connection.address.stream;
        let limit = limit.min(PAGE_LIMIT);
        // Revision n is filed as position n + 1, so what follows begins at revision `after`.
        let begun = self.connection.read(stream, after, limit).await;
        let mut reading = match begun {
            Ok(reading) => reading,
            Err(ReadFailure::NotFound) if after == 0 => return Ok(Vec::new()),
            Err(failure) => return Err(self.failed(place, failure)),
        };
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < limit && bytes <= PAGE_BYTES {
            let event = match reading.next().await {
                Ok(Some(event)) => event,
                Err(ReadFailure::NotFound) if after == 0 => break,
                Ok(None) => break,
                Err(failure) => return Err(self.failed(place, failure)),
            };
            let filed = i64::try_from(event.revision.saturating_add(1)).unwrap_or(i64::MAX);
            let (entry, payload) = (record::lines(&event).0.to_vec(), event.data.to_vec());
            bytes += entry.len() + payload.len();
            page.push(RawRow { filed, entry, payload });
        }
        Ok(page)
    }
}

impl KurrentAudit {
    /// Those that stand with their events, and then the refusals.
    async fn answers(&self) -> Result<Vec<RawOutcome>, ReadError> {
        let stream = &self.connection.address.stream;
        let mut found = Vec::new();
        let mut reading = match self.connection.read(stream, 0, usize::MAX).await {
            Ok(reading) => reading,
            Err(ReadFailure::NotFound) => return Ok(found),
            Err(failure) => return Err(self.failed(Position::START, failure)),
        };
        loop {
            let event = match reading.next().await {
                Ok(Some(event)) => event,
                Ok(None) | Err(ReadFailure::NotFound) => break,
                Err(failure) => return Err(self.failed(Position::START, failure)),
            };
            let place = record::position(event.revision)?;
            if let Some(outcome) = record::outcome(place, &event)? {
                let stored = outcome.stored(Some(place));
                let stored = stored.map_err(|why| ReadError::corrupt(place, why))?;
                found.push(RawOutcome::of(outcome.caller, outcome.key, stored));
            }
        }
        found.extend(Refusals::of(stream).all(&self.connection).await?);
        Ok(found)
    }
}

impl RawLog for KurrentAudit {
    fn head(&mut self) -> BoxFuture<'_, Result<Head, ReadError>> {
        Box::pin(self.last())
    }

    fn raw_after(
        &mut self,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RawRow>, ReadError>> {
        Box::pin(self.page(after, limit))
    }

    fn outcomes(&mut self) -> BoxFuture<'_, Result<Vec<RawOutcome>, ReadError>> {
        Box::pin(self.answers())
    }
}
