//! Who a signer is: the key that signs its confirmations, the key that its letters are sealed to, and
//! its TLS certificate. Never writes a secret of these in clear, and never makes a second identity in
//! a data directory.

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use ed25519_dalek::{Signer, SigningKey};
use rand::rngs::OsRng;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use strongroom_ledger::{KeyError, KeyName, WitnessKey};
use strongroom_secrets::{
    DurableFileError, Existing, KeySource, SealError, Sealer, Secret, write_durably,
};
use thiserror::Error;
use uuid::Uuid;

use crate::sealing::{LetterError, SealingKey};

/// The name in every signer's certificate. The certificate itself is what is trusted, not its name.
pub const TLS_NAME: &str = "strongroom-signer";

/// Of the sealed file with all secrets of the identity.
pub(crate) const FILE: &str = "identity.sealed";
pub(crate) const CONTEXT: &str = "strongroom/signer-identity/v1";
/// Of the public file for the charter.
const ENROLMENT: &str = "enrolment.json";
const LONGEST_NAME: usize = 64;
/// What the secret begins with since it holds a witness key. An earlier one began with the id, whose
/// first byte is no letter in this century (RFC 9562 §5.7).
const FORMAT: &[u8] = b"strongroom/2\n";

/// What a signer tells the charter and the server about itself. All of it is public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The signer's id, a UUIDv7.
    pub signer: Uuid,
    /// For people.
    pub name: String,
    /// Ed25519 public key, hex: verifies what the signer confirms.
    pub identity_key: String,
    /// X25519 public key, hex: letters to the signer are sealed to it.
    pub sealing_key: String,
    /// The TLS certificate, PEM: the server accepts this one alone.
    pub tls_certificate: String,
    /// SHA-256 of the certificate's DER, hex: for reading out over the telephone.
    pub tls_certificate_sha256: String,
    /// Ed25519 public key, hex: cosigns checkpoints, and nothing else.
    pub witness_key: String,
}

/// Why there is no identity.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The name cannot be shown safely.
    #[error("a signer's name has 1 to {LONGEST_NAME} letters, digits, spaces, dots or dashes")]
    Name,
    /// The data directory.
    #[error("cannot make the data directory {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The sealed file or the passphrase.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The enrolment file.
    #[error(transparent)]
    Write(#[from] DurableFileError),
    /// The certificate cannot be made.
    #[error("cannot make the TLS certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The enrolment has no JSON form: a bug.
    #[error("cannot write the enrolment: {0}")]
    Json(#[from] serde_json::Error),
    /// The sealed file opens but does not hold an identity.
    #[error("the identity in {} is malformed", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// It is from before signers were witnesses.
    #[error(
        "the identity in {} has no witness key: it is of an earlier format. Make a new signer in \
         another directory and enrol it; this one, and its key shares, stay as they are",
        path.display()
    )]
    Earlier {
        /// The file.
        path: PathBuf,
    },
    /// The sealing key in it is unusable.
    #[error(transparent)]
    Letter(#[from] LetterError),
}

/// A signer's identity, opened. Its secrets are wiped when it is dropped.
pub struct Identity {
    signer: Uuid,
    confirming: SigningKey,
    sealing: SealingKey,
    witness: SigningKey,
    tls_key: Secret,
    certificate: CertificateDer<'static>,
}

impl Identity {
    /// Makes an identity in `directory` (made if missing, mode 0700) and writes its enrolment there.
    ///
    /// A crash in the middle leaves a directory that neither opens nor can be used again: remove it
    /// and start over, nobody has enrolled it yet.
    pub fn create(
        directory: &Path,
        name: &str,
        passphrase: &Secret,
    ) -> Result<Enrolment, IdentityError> {
        Self::create_under(directory, name, &KeySource::passphrase(passphrase))
    }

    /// As [`Identity::create`], sealed under any key.
    pub fn create_under(
        directory: &Path,
        name: &str,
        source: &KeySource,
    ) -> Result<Enrolment, IdentityError> {
        let plain = |letter: char| letter.is_alphanumeric() || " .-".contains(letter);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) {
            return Err(IdentityError::Name);
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|source| IdentityError::Directory { path: directory.to_owned(), source })?;
        let sealer = Sealer::create_under(directory, source)?;
        let (tls_key, certificate) = certificate(name)?;
        let identity = Self {
            signer: Uuid::now_v7(),
            confirming: SigningKey::generate(&mut OsRng),
            sealing: SealingKey::generate(),
            witness: SigningKey::generate(&mut OsRng),
            tls_key,
            certificate: certificate.der().clone(),
        };
        let path = directory.join(FILE);
        sealer.seal_file(&path, CONTEXT, identity.to_secret().expose(), Existing::Keep)?;
        let enrolment = identity.enrolment(name, certificate.pem());
        let mut json = serde_json::to_vec_pretty(&enrolment)?;
        json.push(b'\n');
        write_durably(&directory.join(ENROLMENT), &json, Existing::Keep)?;
        Ok(enrolment)
    }

    /// Opens what [`Identity::create`] made, with the sealer for the directory's other files.
    pub fn open(directory: &Path, passphrase: &Secret) -> Result<(Self, Sealer), IdentityError> {
        Self::open_under(directory, &KeySource::passphrase(passphrase))
    }

    /// As [`Identity::open`], with any key.
    pub fn open_under(
        directory: &Path,
        source: &KeySource,
    ) -> Result<(Self, Sealer), IdentityError> {
        let sealer = Sealer::open_under(directory, source)?;
        let path = directory.join(FILE);
        let secret = sealer.open_file(&path, CONTEXT)?;
        let Some(body) = secret.expose().strip_prefix(FORMAT) else {
            let earlier = Self::is_earlier(secret.expose());
            let malformed = IdentityError::Malformed { path: path.clone() };
            return Err(if earlier { IdentityError::Earlier { path } } else { malformed });
        };
        let identity = Self::from_secret(body).ok_or(IdentityError::Malformed { path })?;
        Ok((identity, sealer))
    }

    /// The signer's id.
    pub fn signer(&self) -> Uuid {
        self.signer
    }

    /// The key that letters to this signer are opened with.
    pub fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    /// The Ed25519 public key that [`Identity::confirm`]'s signatures verify under.
    pub fn confirming_key(&self) -> [u8; 32] {
        self.confirming.verifying_key().to_bytes()
    }

    /// Signs one of the signer's own statements (a ceremony's result, that it swore a transfer off). The
    /// statement's bytes must name their kind: this key signs several, and no transaction.
    pub fn confirm(&self, statement: &[u8]) -> [u8; 64] {
        self.confirming.sign(statement).to_bytes()
    }

    /// The Ed25519 public key that its cosignatures verify under.
    pub fn witness_key(&self) -> [u8; 32] {
        self.witness.verifying_key().to_bytes()
    }

    /// What cosigns checkpoints under `name`: the log's, as its charter says.
    pub(crate) fn witness(&self, name: KeyName) -> Result<WitnessKey, KeyError> {
        WitnessKey::ed25519(name, &zeroize::Zeroizing::new(self.witness.to_bytes()))
    }

    /// The TLS certificate's DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    pub(crate) fn tls_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.tls_key.expose().to_vec()).into()
    }

    fn enrolment(&self, name: &str, pem: String) -> Enrolment {
        Enrolment {
            signer: self.signer,
            name: name.to_owned(),
            identity_key: hex::encode(self.confirming_key()),
            sealing_key: hex::encode(self.sealing.public().to_bytes()),
            tls_certificate: pem,
            tls_certificate_sha256: hex::encode(Sha256::digest(&self.certificate)),
            witness_key: hex::encode(self.witness_key()),
        }
    }

    /// [`FORMAT`] ‖ id (16) ‖ Ed25519 seed (32) ‖ X25519 key (32) ‖ seed of the witness key (32) ‖
    /// length of the TLS key (u32) ‖ it ‖ certificate.
    fn to_secret(&self) -> Secret {
        let length = u32::try_from(self.tls_key.len()).unwrap_or(u32::MAX).to_be_bytes();
        let seed = zeroize::Zeroizing::new(self.confirming.to_bytes());
        let witness = zeroize::Zeroizing::new(self.witness.to_bytes());
        Secret::new(
            [
                FORMAT,
                self.signer.as_bytes().as_slice(),
                seed.as_slice(),
                self.sealing.to_secret().expose(),
                witness.as_slice(),
                &length,
                self.tls_key.expose(),
                &self.certificate,
            ]
            .concat(),
        )
    }

    /// Id (16) ‖ two secret keys ‖ length of the TLS key (u32) ‖ it ‖ certificate: how it was before
    /// there were witness keys.
    fn is_earlier(secret: &[u8]) -> bool {
        let id = secret.first_chunk::<16>().map(|id| Uuid::from_bytes(*id));
        let length = secret.get(80..84).and_then(|bytes| bytes.first_chunk::<4>());
        let length = length.and_then(|bytes| usize::try_from(u32::from_be_bytes(*bytes)).ok());
        id.is_some_and(|id| id.get_version_num() == 7)
            && length.is_some_and(|length| length < secret.len().saturating_sub(84))
    }

    fn from_secret(body: &[u8]) -> Option<Self> {
        let (signer, rest) = body.split_first_chunk::<16>()?;
        let (seed, rest) = rest.split_first_chunk::<32>()?;
        let (sealing, rest) = rest.split_first_chunk::<32>()?;
        let (witness, rest) = rest.split_first_chunk::<32>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (tls_key, certificate) = rest.split_at_checked(length)?;
        Some(Self {
            signer: Uuid::from_bytes(*signer),
            confirming: SigningKey::from_bytes(seed),
            sealing: SealingKey::from_bytes(sealing).ok()?,
            witness: SigningKey::from_bytes(witness),
            tls_key: Secret::new(tls_key.to_vec()),
            certificate: CertificateDer::from(certificate.to_vec()),
        })
    }
}

/// A self-signed certificate (ECDSA P-256): there is no authority, both sides pin.
fn certificate(name: &str) -> Result<(Secret, rcgen::Certificate), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![TLS_NAME.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.self_signed(&key)?;
    Ok((Secret::new(key.serialize_der()), certificate))
}

#[cfg(test)]
mod tests;
