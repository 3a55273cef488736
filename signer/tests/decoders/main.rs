//! Whatever comes in, a decoder answers: on bytes of any kind, and on real messages that were changed.
//! The rules are those of `signer/fuzz`, which runs them for longer; nothing here is a second copy.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "clippy takes helpers of an integration test for product code"
)]

#[path = "../../fuzz/src/decoders/mod.rs"]
mod decoders;
mod lengths;
mod seeds;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use seeds::{of, real};
// Where the file of the wire's messages that is compiled here a second time looks for it.
use strongroom_signer::threshold;

/// What happens to a message on its way: a few changes, one after the other.
fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, Vec<u8>)>> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..5),
        Just(vec![0xff; 9]),
        Just(vec![0; 4]),
        Just(b"\"}]{[\n".to_vec()),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0..5_u8, bytes), 1..4)
}

fn changed(seed: &[u8], changes: &[(prop::sample::Index, u8, Vec<u8>)]) -> Vec<u8> {
    let mut message = seed.to_vec();
    for (place, how, bytes) in changes {
        let place = place.index(message.len() + 1);
        let end = (place + bytes.len()).min(message.len());
        match how {
            0 => drop(message.splice(place..end, bytes.iter().copied())),
            1 => drop(message.splice(place..place, bytes.iter().copied())),
            2 => message.truncate(place),
            3 => drop(message.drain(place..end)),
            _ => message.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= bytes[0] | 1),
        }
    }
    message
}

/// Never panics, on anything; what a decoder takes it has checked itself.
fn survives(name: &str, cases: u32) {
    let (read, seeds) = (decoders::decoder(name), of(name));
    assert!(!seeds.is_empty(), "no seeds of {name}");
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let any_bytes = prop::collection::vec(any::<u8>(), 0..400);
    let mut runner = TestRunner::new(config.clone());
    let of_any = |bytes: Vec<u8>| {
        read(&bytes);
        Ok(())
    };
    runner.run(&any_bytes, of_any).unwrap();
    let mut runner = TestRunner::new(config);
    let strategy = (any::<prop::sample::Index>(), changes());
    let of_one = |(which, changes): (prop::sample::Index, Vec<_>)| {
        read(&changed(&seeds[which.index(seeds.len())].1, &changes));
        Ok(())
    };
    runner.run(&strategy, of_one).unwrap();
}

macro_rules! survivors {
    ($($test:ident $name:literal $cases:literal)*) => {$(
        #[test]
        fn $test() {
            survives($name, $cases);
        }
    )*};
}

survivors! {
    frames_survive_any_bytes "frame" 512
    orders_survive_any_bytes "order" 512
    answers_survive_any_bytes "reply" 512
    certificates_survive_any_bytes "certificate" 512
    entries_survive_any_bytes "entry" 512
    the_log_copy_survives_any_bytes "copy" 128
    the_journal_survives_any_bytes "journal" 256
    letters_survive_any_bytes "letter" 128
    frosts_messages_survive_any_bytes "frost" 128
    ecdsas_messages_survive_any_bytes "dkls" 256
    packages_survive_any_bytes "package" 256
    transactions_survive_any_bytes "transaction" 256
    offered_psbts_survive_any_bytes "psbt" 128
    signed_transactions_survive_any_bytes "signed" 256
    texts_survive_any_bytes "text" 256
    sealed_files_survive_any_bytes "envelope" 256
    officers_words_survive_any_bytes "words" 256
    machines_survive_any_message "round" 16
}

#[test]
fn every_decoder_has_seeds_that_it_takes_and_a_test() {
    let this = include_str!("main.rs");
    for (name, read) in decoders::ALL {
        let seeds = of(name);
        assert!(seeds.iter().any(|(file, _)| real(file)), "{name} has no seed");
        for (file, bytes) in seeds.iter().filter(|(file, _)| real(file)) {
            assert!(read(bytes), "{file} is refused");
        }
        assert!(this.contains(&format!("any_bytes \"{name}\"")) || *name == "round");
        let target = format!("fuzz/fuzz_targets/{name}.rs");
        let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(target);
        assert!(std::fs::read_to_string(target).unwrap().contains(&format!("decoder(\"{name}\")")));
    }
}

/// 24 kinds of messages: all that holders say to one another in all rounds of all protocols.
#[test]
fn each_of_the_24_kinds_of_messages_is_taken_as_it_is_and_survived_cut_anywhere() {
    assert_eq!(decoders::ROUNDS.len(), 24);
    let read = decoders::decoder("round");
    for (number, kind) in (0_u8..).zip(decoders::ROUNDS) {
        let length = decoders::message_of_round(kind).len();
        for cut in [1, length / 2] {
            let cut = u16::try_from(cut).unwrap_or(u16::MAX).to_be_bytes();
            // A patch that cuts there; the message of another run; nothing.
            read(&[&[number, 1], cut.as_slice(), &[2]].concat());
            read(&[&[number, 1], cut.as_slice(), &[0, 0xff, 0xff, 0xff, 0xff]].concat());
        }
        assert!(!read(&[number, 0]), "{}: nothing is taken for a message", kind.name);
    }
}
