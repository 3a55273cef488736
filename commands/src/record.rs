//! From a stored record to what the domain folds. Never changes a byte on the way.

use strongroom_domain::{Recorded, UnreadableEntry};
use strongroom_store::Record;

/// Reads a record's event.
pub fn recorded(record: &Record) -> Result<Recorded, UnreadableEntry> {
    let entry = &record.entry;
    Recorded::read(strongroom_domain::EntryParts {
        position: entry.position.get(),
        leaf: *record.leaf().as_bytes(),
        time: &entry.time.to_string(),
        stream: &entry.stream,
        sequence: entry.sequence,
        kind: &entry.r#type,
        version: entry.version,
        payload: &record.payload,
    })
}
