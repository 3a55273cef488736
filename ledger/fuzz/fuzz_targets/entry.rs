//! Whatever the parser accepts is what the encoder writes. Never accepts a second spelling.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom_ledger::EntryRef;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entry) = EntryRef::parse(bytes) {
        assert_eq!(entry.encode().expect("what was read can be written"), bytes);
    }
});
