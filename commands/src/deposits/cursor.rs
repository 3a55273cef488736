//! How far a network's blocks were read: a note to save work, never a record. Losing it, or finding
//! one that does not fit, means reading blocks again.

use serde::{Deserialize, Serialize};
use std::{fs, io, path::PathBuf};
use strongroom_domain::{Head, Network, deposit::BlockRef};

/// How far blocks were read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// The last blocks that were read, lowest first; what they held is in the log, and so is what
    /// all blocks below held. Those that are not on the chain any more are stale, and read again.
    pub blocks: Vec<BlockRef>,
    /// The head of the log at that time. Where the log has another entry there, or none, it is
    /// another log or an older copy, and what the blocks held may be missing from it.
    pub log: Head,
}

/// Where cursors are kept. Both calls may fail: they say so by tracing, and work is done again.
pub trait Cursors: Send + Sync {
    /// The network's cursor, if there is one that can be read.
    fn load(&self, network: Network) -> Option<Cursor>;

    /// Keeps the network's cursor.
    fn save(&self, network: Network, cursor: &Cursor);
}

/// Cursors as one small file for each network. Files are replaced whole and not synced: one that a
/// crash takes back or tears is stale, which does no harm.
#[derive(Clone, Debug)]
pub struct CursorFolder(PathBuf);

impl CursorFolder {
    /// In this folder, which must exist.
    pub const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn file(&self, network: Network) -> PathBuf {
        self.0.join(format!("deposits-{network}.cursor"))
    }
}

impl Cursors for CursorFolder {
    fn load(&self, network: Network) -> Option<Cursor> {
        let file = self.file(network);
        let read = match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            read => read,
        };
        let cursor = read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(Into::into));
        cursor
            .inspect_err(|error: &io::Error| {
                tracing::warn!(file = %file.display(), %error, "no cursor: blocks are read again");
            })
            .ok()
    }

    fn save(&self, network: Network, cursor: &Cursor) {
        let file = self.file(network);
        let next = file.with_extension("next");
        let saved = serde_json::to_vec(cursor)
            .map_err(io::Error::from)
            .and_then(|bytes| fs::write(&next, bytes))
            .and_then(|()| fs::rename(&next, &file));
        if let Err(error) = saved {
            let file = file.display();
            tracing::warn!(%file, %error, "the cursor is not saved: a restart reads blocks again");
        }
    }
}
