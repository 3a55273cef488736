//! Messages and shares as bytes: postcard, one encoding of each value. Never takes bytes that it would
//! not have written itself, and never leaves a secret in a buffer that nobody clears.

use dkls23_secp256k1::{
    protocols::{
        dkg::{
            TransmitInitMulPhase3to4, TransmitInitZeroSharePhase2to4,
            TransmitInitZeroSharePhase3to4,
        },
        repair::RepairTerm,
    },
    utilities::proofs::DLogProof,
};
use k256_of_dkls23::{Scalar, Secp256k1};
use postcard::ser_flavors::Size;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use strongroom_secrets::Secret;
use zeroize::{Zeroize, Zeroizing};

use crate::threshold::RoundError;

/// Round 1, to all: drawn at random, so that no two ceremonies share a session.
pub(super) type Contribution = [u8; 32];

/// Round 1, to one: a point of the sender's polynomial, and for who joins what it lacks.
#[derive(Serialize, Deserialize)]
pub(super) struct Offer {
    pub(super) fragment: Scalar,
    pub(super) lacking: Lacking,
}

/// What who joins lacks. Of the first two the encoding is the one of an `Option`.
#[derive(Serialize, Deserialize)]
pub(super) enum Lacking {
    Nothing,
    /// A helper's term of its share.
    Term(RepairTerm<Secp256k1>),
    /// It has its secret from a backup: what all holders know besides.
    Common(Common),
}

/// What all holders of an epoch know beside the public package. None of it is secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Common {
    pub(super) session_id: Vec<u8>,
    pub(super) chain_code: [u8; 32],
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.fragment.zeroize();
    }
}

/// Round 2, to all: to what round 3 will open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commitments {
    pub(super) proof: [u8; 32],
    pub(super) chain: Option<[u8; 32]>,
}

/// Round 2, to one.
pub(super) type SeedCommitment = TransmitInitZeroSharePhase2to4;

/// Round 3, to all: what round 2 committed to.
#[derive(Serialize, Deserialize)]
pub(super) struct Openings {
    pub(super) proof: DLogProof<Secp256k1>,
    pub(super) chain: Option<ChainOpening>,
}

/// A part of the chain code that the library mixes into its sessions. No address depends on it.
#[derive(Serialize, Deserialize)]
pub(super) struct ChainOpening {
    pub(super) code: [u8; 32],
    pub(super) salt: Vec<u8>,
}

/// Round 3, to one: the seed that round 2 committed to, and the set-up of multiplications.
#[derive(Serialize, Deserialize)]
pub(super) struct SetUp {
    pub(super) seed: TransmitInitZeroSharePhase3to4,
    pub(super) multiplication: TransmitInitMulPhase3to4<Secp256k1>,
}

impl Drop for SetUp {
    fn drop(&mut self) {
        self.seed.seed.zeroize();
        self.seed.salt.zeroize();
        self.multiplication.seed.zeroize();
    }
}

/// The bytes of something public.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, RoundError> {
    postcard::to_allocvec(value).map_err(|error| RoundError::Own(error.to_string()))
}

/// The bytes of a secret: one buffer of the right length, so that no copy is left behind.
pub(super) fn encode_secret<T: Serialize>(value: &T) -> Result<Secret, RoundError> {
    let own = |error: postcard::Error| RoundError::Own(error.to_string());
    let length = postcard::serialize_with_flavor(value, Size::default()).map_err(own)?;
    let mut bytes = Zeroizing::new(vec![0; length]);
    let written = postcard::to_slice(value, &mut bytes).map_err(own)?.len();
    if written != length {
        return Err(RoundError::Own("a message has two lengths".to_owned()));
    }
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}

/// Reads what [`encode`] or [`encode_secret`] wrote, and nothing else.
pub(super) fn decode<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    sender: u16,
) -> Result<T, RoundError> {
    let malformed = RoundError::Malformed(sender);
    let (value, rest) = postcard::take_from_bytes::<T>(bytes).map_err(|_| malformed.clone())?;
    // Numbers have several encodings in postcard: one of them is the message.
    if rest.is_empty() && encode_secret(&value)?.expose() == bytes {
        Ok(value)
    } else {
        Err(malformed)
    }
}
