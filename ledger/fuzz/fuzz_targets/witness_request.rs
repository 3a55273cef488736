//! Whatever is read as a request to a witness is printed as it was. Never accepts a second spelling.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom_ledger::AddCheckpoint;

fuzz_target!(|text: &str| {
    if let Ok(read) = text.parse::<AddCheckpoint>() {
        assert_eq!(read.to_string(), text);
    }
});
