//! Where seeds lie, and how those are made that only a machine can say. Seeds that come from running
//! signers were taken from their wire and their files. Never made by the code that is tried.

use std::path::PathBuf;

use crate::decoders;

/// Messages above are kept once, and not for every use, in bytes.
const LONG: usize = 16 * 1024;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

/// Name and bytes of each seed of a target, in order.
pub(crate) fn of(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(file, _)| file.strip_prefix(name).is_some_and(|rest| rest.starts_with('-')))
        .map(|(file, path)| (file, std::fs::read(path).unwrap()))
        .collect();
    found.sort();
    found
}

/// Not what once was a finding, nor a message of a session that is over.
pub(crate) fn real(file: &str) -> bool {
    !file.contains("-finding-") && !file.contains("-other-")
}

/// `STRONGROOM_NEW_SEEDS=1` writes those that machines say.
#[test]
fn machines_say_what_their_seeds_say() {
    let write = std::env::var_os("STRONGROOM_NEW_SEEDS").is_some();
    let keep = |name: String, bytes: &[u8]| {
        if write {
            std::fs::write(folder().join(name), bytes).unwrap();
        }
    };
    let mut taken = 0;
    for (number, kind) in (0_u8..).zip(decoders::ROUNDS) {
        let message = decoders::message_of_round(kind);
        keep(format!("round-{number:02}"), &[number, 1]);
        if message.len() < LONG {
            keep(format!("round-other-{number:02}"), &[&[number, 0], message.as_slice()].concat());
        }
        if kind.name.starts_with("ecdsa") {
            assert!(decoders::decoder("dkls")(&message), "{}", kind.name);
            // Of the long ones one of each kind is enough.
            if number != 23 {
                keep(format!("dkls-{number:02}"), &message);
            }
            taken += 1;
        }
    }
    assert_eq!(taken, 11);
    let letter = decoders::seal_letter();
    assert!(decoders::decoder("letter")(&letter));
    keep("letter-0".to_owned(), &letter);
    for (number, bytes) in decoders::public_packages().iter().enumerate() {
        assert!(decoders::decoder("package")(bytes));
        keep(format!("package-{number}"), bytes);
    }
    for (number, bytes) in decoders::frost_seeds().iter().enumerate() {
        assert!(decoders::decoder("frost")(bytes));
        keep(format!("frost-{number}"), bytes);
    }
    keep("envelope-0".to_owned(), &[1]);
    keep("words-0".to_owned(), &[0]);
    keep(
        "words-1".to_owned(),
        b"legal winner thank year wave sausage worth useful legal winner thank yellow",
    );
}
