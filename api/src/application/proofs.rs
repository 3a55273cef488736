//! What makes others able to check the log by themselves: its newest checkpoint, its tiles, receipts.
//! Never tells anybody of an entry that no published checkpoint covers.

use std::sync::Arc;

use strongroom_commands::checkpoints::Counting;
use strongroom_ledger::Tile;
use strongroom_store::{PAGE_LIMIT, Position, Record, inclusion};

use super::{Application, Failure, views};

/// What the length of an entry in a bundle is written in (C2SP tlog-tiles).
type Length = u16;

impl Application {
    /// The newest checkpoint that counts and is kept.
    pub fn checkpoint(&self) -> Result<Arc<Counting>, Failure> {
        self.checkpoints().published().ok_or_else(|| {
            let because = self.checkpoints().health().trouble;
            let because = because.unwrap_or_else(|| "the first round is under way".to_owned());
            Failure::Unavailable(format!("no checkpoint counts yet: {because}"))
        })
    }

    /// The same in JSON, with how publishing goes.
    pub fn checkpoint_view(&self) -> Result<views::Checkpoint, Failure> {
        let (counting, health) = (self.checkpoint()?, self.checkpoints().health());
        let entries = self.bus().log().head().position.get();
        let age = counting.since.elapsed().unwrap_or_default();
        Ok(views::Checkpoint {
            origin: counting.origin.clone(),
            size: counting.head.size,
            root: counting.head.root.to_string(),
            entries,
            age_s: age.as_secs(),
            cosigned_by: counting.cosigned_by.iter().cloned().collect(),
            silent: health
                .silent
                .into_iter()
                .map(|(name, because)| views::SilentWitness { name, because })
                .collect(),
            trouble: health.trouble,
        })
    }

    /// The checkpoints' part of the metrics.
    pub(super) fn checkpoint_metrics(&self) -> String {
        let health = self.checkpoints().health();
        let published = self.checkpoints().published();
        let size = published.as_ref().map_or(0, |one| one.head.size);
        let cosigned = published.as_ref().map_or(0, |one| one.cosigned_by.len());
        let age = published.map_or(0, |one| one.since.elapsed().unwrap_or_default().as_secs());
        let gauges = [
            ("size gauge", "size", size),
            ("age_seconds gauge", "age_seconds", age),
            ("cosignatures gauge", "cosignatures", u64::try_from(cosigned).unwrap_or(u64::MAX)),
            ("rounds_total counter", "rounds_total", health.counted),
            ("rounds_failed_total counter", "rounds_failed_total", health.failed),
        ];
        let line = |(kind, name, value): (&str, &str, u64)| {
            format!("# TYPE strongroom_checkpoint_{kind}\nstrongroom_checkpoint_{name} {value}\n")
        };
        gauges.into_iter().map(line).collect()
    }

    /// Whose signatures make a checkpoint count (C2SP tlog-policy).
    pub fn witness_policy(&self) -> Result<String, Failure> {
        let policy = self.checkpoints().policy().map_err(Failure::Unavailable)?;
        Ok(policy.text())
    }

    /// A tile's hashes, one after the other.
    pub async fn tile(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let tile = self.published_tile(path, path)?;
        let tiles = self.noted(self.bus().log().tiles(&[tile]).await)?;
        let hashes = tiles.into_iter().flatten();
        Ok(hashes.flat_map(|hash| *hash.as_bytes()).collect())
    }

    /// The entries under a tile of level 0, each after its length.
    pub async fn entry_bundle(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let tile = self.published_tile(&format!("0/{path}"), path)?;
        let (first, end) = tile.leaves().unwrap_or_default();
        let mut bundle = Vec::new();
        let mut next = first;
        while next < end {
            let left = usize::try_from(end.saturating_sub(next)).unwrap_or(PAGE_LIMIT);
            let from = Position::new(next.saturating_add(1)).unwrap_or(Position::FIRST);
            let page = self.bus().log().read_from(from, left.min(PAGE_LIMIT)).await;
            let page = self.noted(page)?;
            if page.is_empty() {
                return self.noted(Err(Failure::Corrupt(format!("entry {from} is missing"))));
            }
            for record in page {
                self.noted(bundled(&mut bundle, &record))?;
                next = next.saturating_add(1);
            }
        }
        Ok(bundle)
    }

    fn published_tile(&self, text: &str, shown: &str) -> Result<Tile, Failure> {
        let tile: Tile = text.parse().map_err(|error: strongroom_ledger::tree::TileError| {
            Failure::Malformed(error.to_string())
        })?;
        let size = self.checkpoints().published().map_or(0, |counting| counting.head.size);
        let known = tile.leaves().is_some_and(|(_, end)| end <= size);
        let missing = || Failure::NotFound { what: "tile", id: shown.to_owned() };
        if known { Ok(tile) } else { Err(missing()) }
    }

    /// The receipt of an entry (C2SP tlog-proof): who has it needs nobody to check it. Waits a while
    /// for the entry to be covered.
    pub async fn receipt(&self, position: u64) -> Result<String, Failure> {
        let log = self.bus().log();
        let missing = || Failure::NotFound { what: "entry", id: position.to_string() };
        let place = Position::new(position).filter(|place| *place <= log.head().position);
        let place = place.filter(|place| place.get() > 0).ok_or_else(missing)?;
        let counting = self.checkpoints().publish(position).await;
        let counting = counting.map_err(|error| Failure::Unavailable(error.to_string()))?;
        let page = self.noted(log.read_from(place, 1).await)?;
        let record = page.first().ok_or_else(missing)?;
        let path = self.noted(inclusion(log.as_ref(), place, counting.head.size).await)?;
        super::receipt::text(record, path, &counting)
    }
}

fn bundled(bundle: &mut Vec<u8>, record: &Record) -> Result<(), Failure> {
    let length = Length::try_from(record.bytes.len()).map_err(|_long| {
        Failure::Corrupt(format!("entry {} is too long for a bundle", record.entry.position))
    })?;
    bundle.extend(length.to_be_bytes());
    bundle.extend(&record.bytes);
    Ok(())
}
