//! Published vectors of BIP 39 and SLIP-10 (`tests/vectors/SOURCES.md`), and what is refused.

use super::{Curve, HARDENED, Node, NodeError, Words, WordsError};
use crate::{Secret, SecretText};
use std::fmt::Write;

const SEED: &str = "000102030405060708090a0b0c0d0e0f";

fn bytes(hex: &str) -> Secret {
    Secret::new(hex::decode(hex).unwrap())
}

fn text(words: &str) -> SecretText {
    SecretText::new(words.to_owned())
}

/// Numbers of a path in a row of the vectors: `m/0'/1`.
fn numbers(path: &str) -> Vec<u32> {
    let number = |step: &str| match step.strip_suffix('\'') {
        Some(hardened) => hardened.parse::<u32>().unwrap() + HARDENED,
        None => step.parse().unwrap(),
    };
    path.split('/').skip(1).map(number).collect()
}

#[test]
fn keys_below_a_seed_are_those_of_slip_10() {
    let rows = include_str!("../../tests/vectors/slip10.txt");
    let mut count = 0;
    for row in rows.lines() {
        let [curve, seed, path, chain_code, private, public] =
            row.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let curve = match curve {
            "secp256k1" => Curve::Secp256k1,
            "p256" => Curve::P256,
            "ed25519" => Curve::Ed25519,
            other => panic!("{other}"),
        };
        let node = Node::master(curve, &bytes(seed)).unwrap().at(numbers(path)).unwrap();
        assert_eq!(hex::encode(node.chain_code().expose()), chain_code, "{row}");
        assert_eq!(hex::encode(node.secret().expose()), private, "{row}");
        assert_eq!(hex::encode(node.public().unwrap()), public, "{row}");
        count += 1;
    }
    assert_eq!(count, 33);
}

#[test]
fn words_and_seeds_are_those_of_bip_39() {
    let rows = include_str!("../../tests/vectors/bip39-english.txt");
    let mut count = 0;
    for row in rows.lines() {
        let [entropy, words, seed] = row.split('|').collect::<Vec<_>>().try_into().unwrap();
        let made = Words::of(&bytes(entropy)).unwrap();
        assert_eq!(made.to_text().expose(), words);
        let read = Words::parse(&text(words)).unwrap();
        assert_eq!(hex::encode(read.entropy().expose()), entropy);
        assert_eq!(hex::encode(read.seed(&text("TREZOR")).expose()), seed);
        count += 1;
    }
    assert_eq!(count, 24);
}

#[test]
fn words_are_read_whatever_their_case_and_spacing() {
    let mut shouted = String::new();
    for _ in 0..11 {
        write!(shouted, "\tAbandon \n ").unwrap();
    }
    shouted.push_str(" ABOUT ");
    assert_eq!(Words::parse(&text(&shouted)).unwrap().entropy().expose(), [0; 16]);
}

#[test]
fn a_word_that_is_wrong_missing_or_unknown_is_refused() {
    let abandon = |count| vec!["abandon"; count].join(" ");
    assert_eq!(Words::parse(&text(&abandon(12))).err(), Some(WordsError::Checksum));
    assert_eq!(Words::parse(&text(&abandon(11))).err(), Some(WordsError::Count(11)));
    let unknown = format!("{} abundon {}", abandon(4), abandon(7));
    assert_eq!(Words::parse(&text(&unknown)).err(), Some(WordsError::Unknown(5)));
    assert_eq!(Words::of(&Secret::new(vec![0; 31])).err(), Some(WordsError::Entropy(31)));
}

#[test]
fn the_one_word_that_was_changed_is_found_by_its_place_alone() {
    let right = Words::of(&Secret::new(vec![7; 32])).unwrap().to_text();
    let fits = |entropy: &Secret| entropy.expose() == [7; 32];
    for place in [0, 11, 23] {
        let mut words: Vec<&str> = right.expose().split(' ').collect();
        words[place] = if words[place] == "zoo" { "zone" } else { "zoo" };
        assert_eq!(Words::wrong_word(&text(&words.join(" ")), fits), Some(place + 1));
        // An unknown word is found the same way; two wrong ones are not.
        words[place] = "abundon";
        assert_eq!(Words::wrong_word(&text(&words.join(" ")), fits), Some(place + 1));
        words[(place + 3) % 24] = "abundon";
        assert_eq!(Words::wrong_word(&text(&words.join(" ")), fits), None);
    }
}

#[test]
fn a_wrong_word_is_found_in_words_of_every_length() {
    for bytes in [16, 20, 24, 28, 32] {
        let secret = vec![0xa7; bytes];
        let right = Words::of(&Secret::new(secret.clone())).unwrap().to_text();
        let mut words: Vec<&str> = right.expose().split(' ').collect();
        words[5] = "abundon";
        let fits = |entropy: &Secret| entropy.expose() == secret;
        assert_eq!(Words::wrong_word(&text(&words.join(" ")), fits), Some(6), "{bytes}");
    }
    assert_eq!(Words::wrong_word(&text("abandon"), |_| true), None);
}

#[test]
fn a_seed_is_long_enough_and_ed25519_has_hardened_children_alone() {
    let short = Secret::new(vec![1; 15]);
    assert_eq!(Node::master(Curve::Secp256k1, &short).err(), Some(NodeError::Seed(15)));
    let master = Node::master(Curve::Ed25519, &bytes(SEED)).unwrap();
    assert_eq!(master.child(4).err(), Some(NodeError::NotHardened(4)));
}
