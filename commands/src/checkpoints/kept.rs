//! The checkpoint that was kept, held against the log at the start. Never serves a log that is
//! shorter than what its witnesses have cosigned.

use super::{Counting, Policy};
use crate::Bus;
use strongroom_store::{ReadError, tree_head};

/// Why a log is not served.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The kept checkpoint is none.
    #[error(
        "the kept checkpoint does not count ({0}). It was altered, or it is of another log: restore \
         it from the backup of the data directory"
    )]
    Damaged(String),
    /// The log lost its end.
    #[error(
        "this log ends at entry {end}, and its witnesses have cosigned {cosigned} entries: it is a \
         restored older copy, and is not served. Nothing is lost while one signer lives: get the \
         missing entries back from its copy with `strongroom ledger recover --from LOG.JSONL`. If no \
         signer has them, the log can go on by a resumption, which the governance quorum signs"
    )]
    Older {
        /// Its last entry.
        end: u64,
        /// How far the kept checkpoint goes.
        cosigned: u64,
    },
    /// The log lost a resumption, and with it the name that witnesses know it by.
    #[error(
        "this log was resumed {known} times, and its witnesses have cosigned what follows resumption \
         {cosigned}: it is a restored older copy, and is not served. Get the missing entries back \
         from a signer's copy with `strongroom ledger recover --from LOG.JSONL`"
    )]
    BeforeResumption {
        /// The number of the last resumption that it holds.
        known: u32,
        /// The number of the kept checkpoint's.
        cosigned: u32,
    },
    /// The log has another history.
    #[error(
        "the first {0} entries of this log are not those that its witnesses have cosigned: it is \
         another history, and is not served. Verify it with strongroom-replay, and restore the log \
         that the signers hold"
    )]
    Other(u64),
    /// The log can't be read.
    #[error("the log: {0}")]
    Read(#[from] ReadError),
}

/// Holds a kept checkpoint against the log. `None`: it is of an origin that the log has left behind
/// by a resumption, and says nothing about it any more.
pub async fn recall(bus: &Bus, text: &str) -> Result<Option<Counting>, KeptError> {
    let policy = bus.read(|state| {
        let standing = state.charter.standing().map_err(|refusal| refusal.because)?;
        Policy::of(standing)
    });
    let policy = policy.map_err(KeptError::Damaged)?;
    let known = policy.resumptions();
    match policy.resumptions_by(text) {
        Some(number) if number < known => return Ok(None),
        Some(cosigned) if cosigned > known => {
            return Err(KeptError::BeforeResumption { known, cosigned });
        }
        Some(_) | None => {}
    }
    let counting = policy.count(text).map_err(KeptError::Damaged)?;
    let (log, cosigned) = (bus.log(), counting.head.size);
    let end = log.head().position.get();
    if end < cosigned {
        return Err(KeptError::Older { end, cosigned });
    }
    if tree_head(log.as_ref(), cosigned).await?.root != counting.head.root {
        return Err(KeptError::Other(cosigned));
    }
    Ok(Some(counting))
}
