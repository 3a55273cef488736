//! Splitting and joining 32 secret bytes. Never joins pieces that were not each checked against the
//! commitment: interpolation of wrong points gives a wrong secret without a word.

use std::collections::BTreeMap;

use frost_core::{
    Ciphersuite, Identifier, SigningKey,
    keys::{
        self, IdentifierList, KeyPackage, SecretShare, SigningShare,
        VerifiableSecretSharingCommitment,
    },
};
use frost_ed25519::Ed25519Sha512;
use frost_secp256k1_tr::Secp256K1Sha256TR;
use rand::rngs::OsRng;
use strongroom_domain::{Bytes, key::Protocol};
use strongroom_secrets::{
    Secret, SecretText,
    hd::{Words, WordsError},
};

/// The most officers that a share is split among.
const MOST_OFFICERS: u16 = 10;

/// What officers typed: by their number, counted from 1.
pub type Pieces = BTreeMap<u16, SecretText>;

/// A share in pieces.
pub struct Split {
    /// One for each officer, in the order of their numbers.
    pub pieces: Vec<Words>,
    /// Feldman's commitment: as many points as pieces are needed, compressed as the protocol does.
    pub commitment: Vec<Bytes>,
}

/// Why there are no pieces, or no share from them. Never says a word that somebody typed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BackupError {
    /// Not `2 <= threshold <= officers <= 10`.
    #[error(
        "{threshold} of {officers} officers is no backup: it takes 2 <= threshold <= officers <= \
         {MOST_OFFICERS}"
    )]
    Parameters {
        /// How many there are.
        officers: u16,
        /// How many are needed.
        threshold: u16,
    },
    /// Its secret is not in shares, or not in shares that this signer has.
    #[error("this signer has no share of a {} key that could be split", .0.name())]
    Protocol(Protocol),
    /// These are no words of a piece.
    #[error("piece {number}: {source}{}", place(*wrong_word))]
    Words {
        /// Whose piece.
        number: u16,
        /// What is wrong with them.
        source: WordsError,
        /// The one word that is wrong, if it is one.
        wrong_word: Option<usize>,
    },
    /// Words of something else.
    #[error(
        "piece {number} is not of this backup: it is of another key, signer, epoch or officer, or \
         was changed{}",
        place(*wrong_word)
    )]
    Foreign {
        /// Whose piece.
        number: u16,
        /// The one word that is wrong, if it is one.
        wrong_word: Option<usize>,
    },
    /// Too few.
    #[error("{found} pieces, the backup needs {needed}")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The commitment in the log is none.
    #[error("the commitment is malformed")]
    Commitment,
    /// The pieces fit, what came out does not: a bug.
    #[error("the pieces fit the commitment, and what they give does not")]
    Rebuilt,
    /// The share is malformed, or the library refused.
    #[error("the share cannot be split: {0}")]
    Share(String),
}

fn place(wrong_word: Option<usize>) -> String {
    wrong_word.map_or_else(String::new, |place| format!("; word {place} alone is wrong"))
}

/// Splits a share's secret scalar, as its protocol writes it.
pub fn split(
    protocol: Protocol,
    share: &Secret,
    officers: u16,
    threshold: u16,
) -> Result<Split, BackupError> {
    match curve(protocol)? {
        Curve::Secp256k1 => split_on::<Secp256K1Sha256TR>(share, officers, threshold),
        Curve::Ed25519 => split_on::<Ed25519Sha512>(share, officers, threshold),
    }
}

/// Checks one piece. Names the one word that is wrong where that can be told.
pub fn check(
    protocol: Protocol,
    commitment: &[Bytes],
    number: u16,
    piece: &SecretText,
) -> Result<(), BackupError> {
    match curve(protocol)? {
        Curve::Secp256k1 => checked::<Secp256K1Sha256TR>(commitment, number, piece).map(drop),
        Curve::Ed25519 => checked::<Ed25519Sha512>(commitment, number, piece).map(drop),
    }
}

/// Puts the share's scalar together from pieces, each checked first. More than needed are welcome.
pub fn rebuild(
    protocol: Protocol,
    commitment: &[Bytes],
    pieces: &Pieces,
) -> Result<Secret, BackupError> {
    match curve(protocol)? {
        Curve::Secp256k1 => rebuild_on::<Secp256K1Sha256TR>(commitment, pieces),
        Curve::Ed25519 => rebuild_on::<Ed25519Sha512>(commitment, pieces),
    }
}

enum Curve {
    Secp256k1,
    Ed25519,
}

const fn curve(protocol: Protocol) -> Result<Curve, BackupError> {
    match protocol {
        Protocol::FrostSecp256k1Tr | Protocol::Dkls23Secp256k1 => Ok(Curve::Secp256k1),
        Protocol::FrostEd25519 => Ok(Curve::Ed25519),
        Protocol::Pkcs11Secp256k1
        | Protocol::Pkcs11P256
        | Protocol::Pkcs11Ed25519
        | Protocol::Pkcs11Rsa2048
        | Protocol::VaultEd25519
        | Protocol::MultisigP2wsh
        | Protocol::MultisigP2tr => Err(BackupError::Protocol(protocol)),
    }
}

fn split_on<C: Ciphersuite>(
    share: &Secret,
    officers: u16,
    threshold: u16,
) -> Result<Split, BackupError> {
    if threshold < 2 || threshold > officers || officers > MOST_OFFICERS {
        return Err(BackupError::Parameters { officers, threshold });
    }
    let failed = |error: frost_core::Error<C>| BackupError::Share(error.to_string());
    let key = SigningKey::<C>::deserialize(share.expose()).map_err(failed)?;
    let list = IdentifierList::Default;
    let (shares, _) = keys::split(&key, officers, threshold, list, &mut OsRng).map_err(failed)?;
    let mut commitment = Vec::new();
    let mut pieces = Vec::new();
    for number in 1..=officers {
        let found = Identifier::<C>::try_from(number).map_err(failed)?;
        let share = shares.get(&found).ok_or(BackupError::Rebuilt)?;
        commitment = share.commitment().serialize().map_err(failed)?;
        let scalar = Secret::new(share.signing_share().serialize());
        pieces.push(Words::of(&scalar).map_err(|error| BackupError::Share(error.to_string()))?);
    }
    Ok(Split { pieces, commitment: commitment.into_iter().map(Bytes).collect() })
}

type Commitment<C> = VerifiableSecretSharingCommitment<C>;

fn read<C: Ciphersuite>(commitment: &[Bytes]) -> Result<Commitment<C>, BackupError> {
    let points = commitment.iter().map(Bytes::as_slice);
    Commitment::<C>::deserialize(points).map_err(|_any| BackupError::Commitment)
}

/// The piece's key package: it says that it fits.
fn fitting<C: Ciphersuite>(
    commitment: &Commitment<C>,
    number: u16,
    scalar: &Secret,
) -> Option<KeyPackage<C>> {
    let scalar = SigningShare::<C>::deserialize(scalar.expose()).ok()?;
    let number = Identifier::<C>::try_from(number).ok()?;
    KeyPackage::try_from(SecretShare::new(number, scalar, commitment.clone())).ok()
}

fn checked<C: Ciphersuite>(
    commitment: &[Bytes],
    number: u16,
    piece: &SecretText,
) -> Result<KeyPackage<C>, BackupError> {
    let commitment = read::<C>(commitment)?;
    let fits = |scalar: &Secret| fitting(&commitment, number, scalar).is_some();
    match Words::parse(piece) {
        Ok(words) => fitting(&commitment, number, &words.entropy()).ok_or_else(|| {
            BackupError::Foreign { number, wrong_word: Words::wrong_word(piece, fits) }
        }),
        Err(source) => {
            let wrong_word = Words::wrong_word(piece, fits);
            Err(BackupError::Words { number, source, wrong_word })
        }
    }
}

fn rebuild_on<C: Ciphersuite>(
    commitment: &[Bytes],
    pieces: &Pieces,
) -> Result<Secret, BackupError> {
    let needed = commitment.len();
    let mut packages = Vec::new();
    for (number, piece) in pieces {
        packages.push(checked::<C>(commitment, *number, piece)?);
    }
    if packages.len() < needed.max(1) {
        return Err(BackupError::TooFew { found: packages.len(), needed });
    }
    let key = keys::reconstruct::<C>(&packages).map_err(|_any| BackupError::Rebuilt)?;
    let point = frost_core::VerifyingKey::<C>::from(&key).serialize();
    let public = point.map_err(|_any| BackupError::Rebuilt)?;
    if commitment.first().map(Bytes::as_slice) != Some(public.as_slice()) {
        return Err(BackupError::Rebuilt);
    }
    Ok(Secret::new(key.serialize()))
}
