//! A receipt: an entry with its payload, its audit path and a checkpoint that counts (C2SP
//! tlog-proof). Never anything that its holder has to ask somebody about.

use strongroom_commands::checkpoints::Counting;
use strongroom_ledger::{Hash, NoteError, Receipt};
use strongroom_store::Record;

use super::Failure;

/// The receipt of an entry under a checkpoint that covers it.
pub(super) fn text(
    record: &Record,
    path: Vec<Hash>,
    counting: &Counting,
) -> Result<String, Failure> {
    let corrupt = |because: String| Failure::Corrupt(format!("a receipt: {because}"));
    let note = counting.text.parse().map_err(|error: NoteError| corrupt(error.to_string()))?;
    let index = record.entry.position.get().saturating_sub(1);
    let (entry, payload) = (record.bytes.clone(), record.payload.clone());
    let receipt = Receipt::new(entry, payload, index, path, note);
    Ok(receipt.map_err(|error| corrupt(error.to_string()))?.to_string())
}
