//! One function of each decoder: it reads bytes, panics where a rule does not hold, and says whether
//! they were taken. `cargo test` runs them on seeds that are changed at random
//! (`signer/tests/decoders`), libFuzzer on whatever it finds (`fuzz_targets`). Never softens a check:
//! decoders that are private are compiled here from their own files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it is of tests alone"
)]

mod dkls;
mod entries;
mod envelopes;
mod frames;
mod frost;
mod journals;
mod letters;
mod messages;
mod packages;
mod rounds;
mod texts;
mod transactions;
mod words;

/// Reads bytes and says whether it took them.
pub type Decoder = fn(&[u8]) -> bool;

/// By the name of its target and of its seeds.
pub const ALL: &[(&str, Decoder)] = &[
    ("frame", frames::read),
    ("order", messages::order),
    ("reply", messages::reply),
    ("certificate", messages::certificate),
    ("entry", entries::read),
    ("copy", journals::copy),
    ("journal", journals::journal),
    ("letter", letters::open),
    ("frost", frost::read),
    ("dkls", dkls::read),
    ("round", rounds::hear),
    ("package", packages::read),
    ("transaction", transactions::unsigned),
    ("psbt", transactions::offered),
    ("signed", transactions::signed),
    ("text", texts::read),
    ("envelope", envelopes::open),
    ("words", words::read),
];

/// The decoder of this name.
///
/// # Panics
/// Where there is none.
pub fn decoder(name: &str) -> Decoder {
    ALL.iter().find(|(known, _)| *known == name).expect("a decoder of this name").1
}

pub use frost::seeds as frost_seeds;
pub use letters::seal as seal_letter;
pub use rounds::{KINDS as ROUNDS, message as message_of_round, packages as public_packages};

/// A message that the fixture's own parties made, changed as `patch` says: two bytes of place, one of
/// how (overwrite, insert, cut, double), then the bytes.
fn patched(message: &[u8], patch: &[u8]) -> Vec<u8> {
    let [high, low, how, rest @ ..] = patch else { return message.to_vec() };
    let mut bytes = message.to_vec();
    let place = usize::from(u16::from_be_bytes([*high, *low])).min(bytes.len());
    match how % 4 {
        0 => {
            let end = place.saturating_add(rest.len()).min(bytes.len());
            bytes[place..end].copy_from_slice(&rest[..end - place]);
        }
        1 => drop(bytes.splice(place..place, rest.iter().copied())),
        2 => bytes.truncate(place),
        _ => bytes.extend_from_within(place..),
    }
    bytes
}
