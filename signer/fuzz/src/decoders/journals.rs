//! The signer's files: its journal's lines and its copy of the log. What is taken of a file is a
//! beginning of it that reads the same alone.

use std::io::BufReader;
use strongroom_ledger::{
    Chain,
    export::{Pair, Reader, Writer},
};

#[allow(
    dead_code,
    reason = "the fuzzer compiles a private decoder of the signer a second time, and not all of it is used here"
)]
#[path = "../../../src/journal/line.rs"]
mod line;

/// The journal.
pub(super) fn journal(bytes: &[u8]) -> bool {
    let Ok(found) = line::read(bytes) else { return false };
    let kept = &bytes[..found.end];
    let again = line::read(kept).ok().expect("a beginning that was taken is read");
    assert_eq!((again.end, again.batch, &again.records), (found.end, found.batch, &found.records));
    // Written in one go, the same records are read back.
    let records: Vec<_> = found.records.iter().map(|(_, json)| json.clone()).collect();
    let text = line::write(&records, 1, 1);
    let again = line::read(&text).ok().expect("what was written is read");
    assert_eq!(again.end, text.len());
    assert!(again.records.into_iter().map(|(_, json)| json).eq(records));
    found.end == bytes.len() && found.batch > 0
}

/// The copy of the log.
pub(super) fn copy(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(BufReader::new(bytes));
    let (mut chain, mut pair) = (Chain::start(), Pair::default());
    let mut writer = Writer::new(Vec::new());
    loop {
        match reader.read(&mut pair) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_torn) => return false,
        }
        if chain.extend(&pair.entry, &pair.payload).is_err() {
            return false;
        }
        writer.write(&pair.entry, &pair.payload).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), bytes);
    !bytes.is_empty()
}
