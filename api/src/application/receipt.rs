//! A receipt: an entry with its payload, its audit path and a checkpoint that counts (C2SP
//! tlog-proof). Never anything that its holder has to ask somebody about.

use strongroom_commands::checkpoints::Counting;
use strongroom_ledger::Hash;
use strongroom_store::Record;

use super::Failure;

/// The receipt of an entry under a checkpoint that covers it.
pub(super) fn text(
    _record: &Record,
    _path: Vec<Hash>,
    _counting: &Counting,
) -> Result<String, Failure> {
    Err(Failure::Unavailable("receipts are not built yet".to_owned()))
}
