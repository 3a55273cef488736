//! Whatever is read as a policy is, printed and read again, the same policy. Never panics, and never
//! lets a note without cosignatures count.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom_ledger::{Note, WitnessPolicy};

fuzz_target!(|text: &str| {
    if let Ok(policy) = text.parse::<WitnessPolicy>() {
        assert_eq!(policy.to_string().parse::<WitnessPolicy>().as_ref(), Ok(&policy));
        let note: Note = "text\n\n\u{2014} name AAAAAAA=\n".parse().expect("a note");
        assert!(policy.counts(&note).is_err());
    }
});
