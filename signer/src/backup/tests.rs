//! Which pieces give a share back. Properties over random secrets and choices; nothing here knows
//! how the pieces were made.

use std::collections::BTreeSet;

use proptest::prelude::*;
use strongroom_domain::{Bytes, key::Protocol};
use strongroom_secrets::{
    Secret, SecretText,
    hd::{Words, WordsError},
};

use super::*;

const PROTOCOLS: [Protocol; 2] = [Protocol::FrostSecp256k1Tr, Protocol::FrostEd25519];

/// Below both curves' orders, big-endian and little-endian alike, and not zero.
fn scalar(bytes: [u8; 32]) -> Secret {
    let mut bytes = bytes;
    (bytes[0], bytes[31], bytes[16]) = (0, 0, 1);
    Secret::new(bytes.to_vec())
}

fn typed(split: &Split, who: &[u16]) -> Pieces {
    let piece = |number: &u16| (*number, split.pieces[usize::from(*number) - 1].to_text());
    who.iter().map(piece).collect()
}

/// How many officers, how many are needed, and which of them come.
fn choice() -> impl Strategy<Value = (u16, u16, BTreeSet<u16>)> {
    (2_u16..=10).prop_flat_map(|officers| {
        (2..=officers).prop_flat_map(move |threshold| {
            let least = usize::from(threshold);
            let who = proptest::collection::btree_set(1..=officers, least..=usize::from(officers));
            (Just(officers), Just(threshold), who)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_pieces_that_are_enough_give_the_share_and_fewer_give_nothing(
        secret in any::<[u8; 32]>(),
        (officers, threshold, who) in choice(),
    ) {
        let secret = scalar(secret);
        for protocol in PROTOCOLS {
            let split = split(protocol, &secret, officers, threshold).unwrap();
            prop_assert_eq!(split.commitment.len(), usize::from(threshold));
            let who: Vec<u16> = who.iter().copied().collect();
            let found = rebuild(protocol, &split.commitment, &typed(&split, &who)).unwrap();
            prop_assert!(found == secret);
            let few = usize::from(threshold) - 1;
            let refusal = rebuild(protocol, &split.commitment, &typed(&split, &who[..few])).err();
            let needed = usize::from(threshold);
            prop_assert_eq!(refusal, Some(BackupError::TooFew { found: few, needed }));
        }
    }

    #[test]
    fn a_piece_of_another_backup_or_officer_is_refused(
        first in any::<[u8; 32]>(),
        second in any::<[u8; 32]>(),
    ) {
        let protocol = Protocol::FrostSecp256k1Tr;
        // Another share, and the same one split again: another epoch, key or signer is either.
        let ours = split(protocol, &scalar(first), 3, 2).unwrap();
        for other in [scalar(second), scalar(first)] {
            let other = split(protocol, &other, 3, 2).unwrap();
            let mut pieces = typed(&ours, &[1]);
            pieces.extend(typed(&other, &[2]));
            let refusal = rebuild(protocol, &ours.commitment, &pieces).err();
            prop_assert_eq!(refusal, Some(BackupError::Foreign { number: 2, wrong_word: None }));
        }
        let swapped = typed(&ours, &[1]).remove(&1).unwrap();
        let refusal = check(protocol, &ours.commitment, 2, &swapped).err();
        prop_assert_eq!(refusal, Some(BackupError::Foreign { number: 2, wrong_word: None }));
    }
}

#[test]
fn a_changed_word_is_refused_and_named() {
    let protocol = Protocol::FrostSecp256k1Tr;
    let split = split(protocol, &scalar([9; 32]), 3, 2).unwrap();
    let right = split.pieces[1].to_text();
    let mut checksums = BTreeSet::new();
    for (place, other) in [(0, "zoo"), (7, "abandon"), (23, "zebra"), (4, "strongroom")] {
        let mut words: Vec<&str> = right.expose().split(' ').collect();
        words[place] = other;
        let mut pieces = typed(&split, &[1]);
        pieces.insert(2, SecretText::new(words.join(" ")));
        let refusal = rebuild(protocol, &split.commitment, &pieces).err().unwrap();
        if let BackupError::Words { source, .. } = &refusal {
            checksums.insert(source.to_string());
        }
        let (BackupError::Words { number: 2, wrong_word: named, .. }
        | BackupError::Foreign { number: 2, wrong_word: named }) = refusal
        else {
            panic!("{refusal}");
        };
        assert_eq!(named, Some(place + 1));
    }
    assert!(checksums.contains(&WordsError::Unknown(5).to_string()));
}

/// Another piece 1 that differs in word 3 alone and keeps the checksum, if there is one.
fn same_checksum(split: &Split) -> Option<SecretText> {
    let last = |text: &SecretText| text.expose().rsplit(' ').next().unwrap().to_owned();
    let right = split.pieces[0].to_text();
    let entropy = split.pieces[0].entropy();
    // Word 3 is bits 22 to 32: whoever changes them and keeps the last word keeps the checksum.
    (1_u32..1 << 11).find_map(|change| {
        let mut bytes = entropy.expose().to_vec();
        for (byte, flip) in bytes[1..5].iter_mut().zip((change << 7).to_be_bytes()) {
            *byte ^= flip;
        }
        let words = Words::of(&Secret::new(bytes)).unwrap().to_text();
        (last(&words) == last(&right)).then_some(words)
    })
}

/// One in 256 changed words keeps BIP 39's checksum: the commitment refuses it all the same.
#[test]
fn words_with_a_right_checksum_and_a_wrong_piece_are_refused_and_named() {
    let protocol = Protocol::FrostSecp256k1Tr;
    let (split, text) = (0..9)
        .find_map(|_| {
            let split = split(protocol, &scalar([3; 32]), 2, 2).unwrap();
            let text = same_checksum(&split)?;
            Some((split, text))
        })
        .unwrap();
    assert!(Words::parse(&text).is_ok());
    let refusal = check(protocol, &split.commitment, 1, &text).err();
    assert_eq!(refusal, Some(BackupError::Foreign { number: 1, wrong_word: Some(3) }));
}

#[test]
fn a_backup_has_officers_and_needs_at_least_two() {
    let secret = scalar([1; 32]);
    for (officers, threshold) in [(3, 1), (3, 0), (2, 3), (11, 2), (1, 1), (0, 0)] {
        let refusal = split(Protocol::FrostSecp256k1Tr, &secret, officers, threshold).err();
        assert_eq!(refusal, Some(BackupError::Parameters { officers, threshold }));
    }
}

#[test]
fn what_is_not_in_shares_is_not_split() {
    for protocol in Protocol::ALL {
        let refusal = split(protocol, &scalar([1; 32]), 3, 2).err();
        let in_shares = matches!(protocol.custody(), strongroom_domain::key::Custody::Shares);
        let wanted = if in_shares { None } else { Some(BackupError::Protocol(protocol)) };
        assert_eq!(refusal, wanted);
    }
}

#[test]
fn a_commitment_that_is_none_is_refused() {
    let protocol = Protocol::FrostSecp256k1Tr;
    let split = split(protocol, &scalar([5; 32]), 2, 2).unwrap();
    let pieces = typed(&split, &[1, 2]);
    let mut wrong = split.commitment.clone();
    wrong[1] = Bytes(vec![2; 32]);
    assert_eq!(rebuild(protocol, &wrong, &pieces).err(), Some(BackupError::Commitment));
    assert!(rebuild(protocol, &[], &pieces).is_err());
    // The right points in another order commit to another share.
    let swapped = [split.commitment[1].clone(), split.commitment[0].clone()];
    assert!(rebuild(protocol, &swapped, &pieces).is_err());
}
