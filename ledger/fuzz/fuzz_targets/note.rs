//! Whatever is read as a note is printed as it was. Never accepts a second spelling.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom_ledger::Note;

fuzz_target!(|text: &str| {
    if let Ok(read) = text.parse::<Note>() {
        assert_eq!(read.to_string(), text);
    }
});
