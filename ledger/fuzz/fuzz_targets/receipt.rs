//! Whatever is read as a receipt is printed as it was, and only the golden one proves something.
//! Never accepts a second spelling.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom_ledger::{Receipt, WitnessPolicy};

const POLICY: &str = include_str!("../../tests/golden/policy.txt");

fuzz_target!(|text: &str| {
    if let Ok(read) = text.parse::<Receipt>() {
        assert_eq!(read.to_string(), text);
        let policy: WitnessPolicy = POLICY.parse().expect("the golden policy");
        if let Ok(checked) = read.verify(&policy) {
            // The only checkpoint that anybody signed has five entries.
            assert_eq!(checked.checkpoint().head().size, 5);
        }
    }
});
