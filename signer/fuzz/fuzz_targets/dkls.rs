//! The decoder `dkls` of `src/decoders` on whatever libFuzzer finds. Never decides what is right.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strongroom_signer_fuzz::decoders::decoder;

fuzz_target!(|bytes: &[u8]| {
    decoder("dkls")(bytes);
});
