//! An entry with its payload, as the server pushes it: what is taken has one spelling.

use strongroom_domain::{EntryParts, Recorded};
use strongroom_ledger::{Chain, EntryRef, leaf_hash};

/// Two lines: the entry and its payload.
pub(super) fn read(bytes: &[u8]) -> bool {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (Some(line), Some(payload)) = (lines.next(), lines.next()) else { return false };
    let _ = Chain::start().extend(line, payload);
    let Ok(entry) = EntryRef::parse(line) else { return false };
    assert_eq!(entry.encode().unwrap(), line);
    let read = Recorded::read(EntryParts {
        position: entry.position.get(),
        leaf: *leaf_hash(line).as_bytes(),
        time: &entry.time.to_string(),
        stream: entry.stream,
        sequence: entry.sequence,
        kind: entry.r#type,
        version: entry.version,
        payload,
    });
    let Ok(read) = read else { return false };
    assert_eq!(read.event.encode().unwrap(), payload);
    assert_eq!(read.event.kind(), (entry.r#type, entry.version));
    assert_eq!(read.stream.to_string(), entry.stream);
    true
}
