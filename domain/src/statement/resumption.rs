//! What the governance quorum signs so that a log goes on from an earlier entry.

use crate::{PersonId, charter::Resumption};

/// What each of the governance quorum signs so that the log may go on from an earlier entry.
pub fn resumption(resumption: &Resumption, approver: PersonId) -> String {
    let Resumption { log, number, abandoned, from } = resumption;
    format!(
        "Strongroom resumption statement, version 1\n\n\
         I, approver {approver},\nAGREE that this log goes on from an earlier entry, and that all \
         entries behind it are given up.\n\n\
         Log:          {log}\n\
         Resumption:   number {number}\n\
         Given up:     up to entry {} with hash {}\n\
         Goes on from: entry {} with hash {}\n",
        abandoned.position, abandoned.leaf, from.position, from.leaf,
    )
}
