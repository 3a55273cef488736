//! Whatever comes over the wire, a decoder answers; and what it takes, it would have written itself.

use dkls23_secp256k1::{
    Party, PublicKeyPackage,
    protocols::signing::{Broadcast3to4, TransmitPhase1to2, TransmitPhase2to3},
};
use k256_of_dkls23::Secp256k1;
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::OnceLock;

use super::{
    super::wire::{Commitments, Offer, Openings, SeedCommitment, SetUp, decode, encode},
    super::{Dkls23, DklsPublic},
    generate,
};
use crate::threshold::{
    Message, RoundError, Session, ThresholdProtocol,
    harness::{Round, honest, run},
};

/// Real messages of one ceremony and one session: what fuzzing starts from.
struct Samples {
    ceremony: Vec<Vec<u8>>,
    letters: Vec<Vec<u8>>,
    signing: Vec<Vec<u8>>,
    sum: Vec<u8>,
    public: Vec<u8>,
    share: Vec<u8>,
}

fn samples() -> &'static Samples {
    static SAMPLES: OnceLock<Samples> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let (mut ceremony, mut letters) = (Vec::new(), Vec::new());
        let shares = honest(generate(2, 2, |_, wire: &mut Round| {
            ceremony.push(wire.spoken[&1].clone());
            letters.push(wire.letters[&2][&1].expose().to_vec());
        }));
        let public = shares[&1].public().to_bytes().unwrap();
        let share = shares[&1].to_secret().unwrap().expose().to_vec();
        let session = Session {
            id: [1; 32],
            signers: [1, 2].into(),
            messages: vec![Message { digest: [3; 32], path: None }],
        };
        let begun = shares
            .into_iter()
            .map(|(holder, share)| (holder, Dkls23::sign(share.into(), session.clone()).unwrap()));
        let (mut signing, mut sum) = (Vec::new(), Vec::new());
        honest(run(begun.collect(), |round, wire| match round {
            1 | 2 => signing.push(wire.letters[&2][&1].expose().to_vec()),
            _ => sum.clone_from(&wire.spoken[&1]),
        }));
        Samples { ceremony, letters, signing, sum, public, share }
    })
}

/// Whatever it is, it is refused, or is its own only encoding.
fn survives<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
    match decode::<T>(bytes, 7) {
        Ok(value) => encode(&value).unwrap() == bytes,
        Err(error) => error == RoundError::Malformed(7),
    }
}

fn all_survive(bytes: &[u8]) -> bool {
    survives::<Offer>(bytes)
        && survives::<Commitments>(bytes)
        && survives::<SeedCommitment>(bytes)
        && survives::<Openings>(bytes)
        && survives::<SetUp>(bytes)
        && survives::<Vec<TransmitPhase1to2>>(bytes)
        && survives::<Vec<TransmitPhase2to3<Secp256k1>>>(bytes)
        && survives::<Vec<Broadcast3to4<Secp256k1>>>(bytes)
        && survives::<(Party, PublicKeyPackage)>(bytes)
        && DklsPublic::from_bytes(bytes).is_ok_and(|public| public.to_bytes().unwrap() == bytes)
            | DklsPublic::from_bytes(bytes).is_err()
}

#[test]
fn what_was_said_is_read_back() {
    let of = samples();
    assert!(decode::<Commitments>(&of.ceremony[1], 1).is_ok());
    assert!(decode::<Openings>(&of.ceremony[2], 1).is_ok());
    assert!(decode::<Offer>(&of.letters[0], 1).is_ok());
    assert!(decode::<SeedCommitment>(&of.letters[1], 1).is_ok());
    assert!(decode::<SetUp>(&of.letters[2], 1).is_ok());
    assert!(decode::<Vec<TransmitPhase1to2>>(&of.signing[0], 1).is_ok());
    assert!(decode::<Vec<TransmitPhase2to3<Secp256k1>>>(&of.signing[1], 1).is_ok());
    assert!(decode::<Vec<Broadcast3to4<Secp256k1>>>(&of.sum, 1).is_ok());
    assert!(decode::<(Party, PublicKeyPackage)>(&of.share, 1).is_ok());
    assert!(DklsPublic::from_bytes(&of.public).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_refused_or_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(all_survive(&bytes));
    }

    #[test]
    fn a_changed_message_is_refused_or_canonical(
        which in 0_usize..10, place in any::<prop::sample::Index>(), flip in 1_u8.., cut in any::<bool>(),
    ) {
        let of = samples();
        let mut all = vec![of.sum.clone(), of.public.clone()];
        all.extend(of.ceremony.iter().chain(&of.letters).chain(&of.signing).cloned());
        let mut bytes = all[which % all.len()].clone();
        let place = place.index(bytes.len());
        if cut { bytes.truncate(place) } else { bytes[place] ^= flip }
        prop_assert!(all_survive(&bytes));
    }

    /// A machine that hears a changed letter ends: with an error, never with a panic.
    #[test]
    fn a_machine_survives_any_letter(
        round in 1_usize..=2, place in any::<prop::sample::Index>(), flip in 1_u8..,
    ) {
        let of = samples();
        let bytes = strongroom_secrets::Secret::new(of.share.clone());
        let share = super::DklsShare::from_secret(super::name(1, 1), &bytes).unwrap();
        let session = Session {
            id: [2; 32],
            signers: [1, 2].into(),
            messages: vec![Message { digest: [3; 32], path: None }],
        };
        let (machine, _) = Dkls23::sign(share.into(), session).unwrap();
        let mut bytes = of.signing[round - 1].clone();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        let letters = [(2, strongroom_secrets::Secret::new(bytes))].into();
        let spoken = std::collections::BTreeMap::new();
        let heard = crate::threshold::Heard { spoken: &spoken, letters: &letters };
        prop_assert!(crate::threshold::Machine::step(machine, &heard).is_err());
    }
}
