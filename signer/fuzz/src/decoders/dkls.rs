//! Messages of threshold ECDSA, as bytes: each has one encoding. What they mean is tried in
//! [`super::rounds`].

use dkls23_secp256k1::{
    Party, PublicKeyPackage,
    protocols::signing::{Broadcast3to4, TransmitPhase1to2, TransmitPhase2to3},
};
use k256_of_dkls23::Secp256k1;
use serde::{Serialize, de::DeserializeOwned};
use strongroom_signer::threshold::RoundError;

#[allow(
    dead_code,
    unreachable_pub,
    reason = "the fuzzer compiles a private decoder of the signer a second time, and not all of it is used here"
)]
#[path = "../../../src/dkls/wire.rs"]
mod wire;

fn one<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
    match wire::decode::<T>(bytes, 7) {
        Ok(value) => {
            assert_eq!(wire::encode(&value).unwrap(), bytes);
            assert_eq!(wire::encode_secret(&value).unwrap().expose(), bytes);
            true
        }
        Err(error) => {
            assert_eq!(error, RoundError::Malformed(7));
            false
        }
    }
}

pub(super) fn read(bytes: &[u8]) -> bool {
    [
        one::<wire::Contribution>(bytes),
        one::<wire::Offer>(bytes),
        one::<wire::Commitments>(bytes),
        one::<wire::SeedCommitment>(bytes),
        one::<wire::Openings>(bytes),
        one::<wire::SetUp>(bytes),
        one::<Vec<TransmitPhase1to2>>(bytes),
        one::<Vec<TransmitPhase2to3<Secp256k1>>>(bytes),
        one::<Vec<Broadcast3to4<Secp256k1>>>(bytes),
        one::<(Party, PublicKeyPackage)>(bytes),
    ]
    .contains(&true)
}
