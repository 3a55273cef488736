//! Whatever is read as a checkpoint is printed as it was. Never accepts a second spelling.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom_ledger::Checkpoint;

fuzz_target!(|text: &str| {
    if let Ok(read) = text.parse::<Checkpoint>() {
        assert_eq!(read.to_string(), text);
    }
});
