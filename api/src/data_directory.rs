//! The server's data directory: where the log, the tokens and the server's own keys are. Never
//! hands out a secret without the passphrase, and never makes a second identity in one directory.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::log_keys::OpenLogKeys;
use ed25519_dalek::SigningKey;
use ml_dsa::Keypair as _;
use rand::{RngCore as _, rngs::OsRng};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use strongroom_secrets::{DurableFileError, Existing, SealError, Sealer, Secret, write_durably};

const LOG_KEY: &str = "log-key.sealed";
const LOG_KEY_CONTEXT: &str = "strongroom/log-key/v1";
const ML_DSA_KEY: &str = "log-key-ml-dsa-44.sealed";
const ML_DSA_KEY_CONTEXT: &str = "strongroom/log-key-ml-dsa-44/v1";
const TLS_KEY: &str = "server-key.sealed";
const TLS_KEY_CONTEXT: &str = "strongroom/server-tls-key/v1";
const CERTIFICATE: &str = "server.pem";
const IDENTITY: &str = "server.json";
/// The name in the server's certificate. Signers pin the certificate itself, not its name.
const TLS_NAME: &str = "strongroom-server";

/// A directory that [`DataDirectory::create`] has filled.
#[derive(Clone, Debug)]
pub struct DataDirectory(PathBuf);

/// What the server tells of itself. All of it is public.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Ed25519 public key of the log, hex: goes into the charter.
    pub log_key: String,
    /// ML-DSA-44 public key of the log, hex: goes into the charter too.
    pub log_key_ml_dsa_44: String,
    /// The server's TLS client certificate, PEM: signers accept this one alone.
    pub tls_certificate: String,
    /// SHA-256 of its DER, hex: for reading out over the telephone.
    pub tls_certificate_sha256: String,
}

/// Why a data directory can't be made or used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file system.
    #[error("cannot {step} {}: {source}", path.display())]
    Io {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The passphrase, or a sealed file.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A public file.
    #[error(transparent)]
    Write(#[from] DurableFileError),
    /// The certificate.
    #[error("cannot make the TLS certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A public file that is not what it should be.
    #[error("{} is damaged: {reason}. Restore the directory from its backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// The server's side of mutual TLS with signers.
pub struct TlsIdentity {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Its key, PKCS #8 DER.
    pub key: Secret,
}

impl DataDirectory {
    /// Makes the directory (mode 0700) with the log's two keys and a TLS identity, sealed under
    /// `passphrase`. Refused where there is one already.
    ///
    /// A crash in the middle leaves a directory that does not open: remove it and start over,
    /// nobody knows its keys yet.
    pub fn create(path: &Path, passphrase: &Secret) -> Result<Identity, DataError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| {
            DataError::Io { step: "make the directory", path: path.to_owned(), source }
        })?;
        let sealer = Sealer::create(path, passphrase)?;
        let log_key = SigningKey::generate(&mut OsRng);
        let seed = Secret::new(log_key.to_bytes().to_vec());
        sealer.seal_file(&path.join(LOG_KEY), LOG_KEY_CONTEXT, seed.expose(), Existing::Keep)?;
        let (seed, log_key_ml_dsa_44) = ml_dsa_44();
        let file = path.join(ML_DSA_KEY);
        sealer.seal_file(&file, ML_DSA_KEY_CONTEXT, seed.expose(), Existing::Keep)?;
        let (key, certificate) = certificate()?;
        sealer.seal_file(&path.join(TLS_KEY), TLS_KEY_CONTEXT, key.expose(), Existing::Keep)?;
        let pem = certificate.pem();
        write_durably(&path.join(CERTIFICATE), pem.as_bytes(), Existing::Keep)?;
        let identity = Identity {
            log_key: hex::encode(log_key.verifying_key().to_bytes()),
            log_key_ml_dsa_44,
            tls_certificate: pem,
            tls_certificate_sha256: hex::encode(Sha256::digest(certificate.der())),
        };
        let file = path.join(IDENTITY);
        let json = serde_json::to_vec_pretty(&identity).map_err(|error| DataError::Damaged {
            path: file.clone(),
            reason: error.to_string(),
        })?;
        write_durably(&file, &json, Existing::Keep)?;
        Ok(identity)
    }

    /// A directory that was made before. Looks only at its public part.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let directory = Self(path.to_owned());
        directory.identity()?;
        Ok(directory)
    }

    /// The public part.
    pub fn identity(&self) -> Result<Identity, DataError> {
        let path = self.0.join(IDENTITY);
        let bytes = read(&path)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| DataError::Damaged { path, reason: error.to_string() })
    }

    /// The log's file.
    pub fn log(&self) -> PathBuf {
        self.0.join("log.db")
    }

    /// The read model's file: may be removed while no server runs.
    pub fn read_model(&self) -> PathBuf {
        self.0.join("read.db")
    }

    /// The newest checkpoint that counts.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint")
    }

    /// What webhooks are still to be told.
    pub fn webhooks(&self) -> PathBuf {
        self.0.join("webhooks.db")
    }

    /// The API tokens' file.
    pub fn access(&self) -> PathBuf {
        self.0.join("access.db")
    }

    /// The nonces of requests that machines signed: worth nothing a minute later.
    pub fn nonces(&self) -> PathBuf {
        self.0.join("nonces.db")
    }

    /// What opens and seals the directory's secrets. Slow on purpose: it derives the sealing key.
    pub fn sealer(&self, passphrase: &Secret) -> Result<Sealer, DataError> {
        Ok(Sealer::open(&self.0, passphrase)?)
    }

    /// Opens the TLS identity and the log's keys. As slow as [`Self::sealer`].
    pub fn keys(&self, passphrase: &Secret) -> Result<(TlsIdentity, OpenLogKeys), DataError> {
        self.keys_by(&self.sealer(passphrase)?)
    }

    /// The TLS identity and the log's keys.
    pub fn keys_by(&self, sealer: &Sealer) -> Result<(TlsIdentity, OpenLogKeys), DataError> {
        let key = sealer.open_file(&self.0.join(TLS_KEY), TLS_KEY_CONTEXT)?;
        let path = self.0.join(CERTIFICATE);
        let certificate = CertificateDer::from_pem_slice(&read(&path)?)
            .map_err(|error| DataError::Damaged { path, reason: error.to_string() })?;
        let ed25519 = sealer.open_file(&self.0.join(LOG_KEY), LOG_KEY_CONTEXT)?;
        let ml_dsa_44 = sealer.open_file(&self.0.join(ML_DSA_KEY), ML_DSA_KEY_CONTEXT)?;
        let tls = TlsIdentity { certificate: certificate.to_vec(), key };
        Ok((tls, OpenLogKeys::new(ed25519, ml_dsa_44)))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    fs::read(path).map_err(|source| DataError::Io { step: "read", path: path.to_owned(), source })
}

/// A new ML-DSA-44 key (FIPS 204): its seed ξ, and the public key in hex.
fn ml_dsa_44() -> (Secret, String) {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    OsRng.fill_bytes(seed.as_mut_slice());
    let key = ml_dsa::SigningKey::<ml_dsa::MlDsa44>::from_seed(&(*seed).into());
    (Secret::new(seed.to_vec()), hex::encode(key.verifying_key().encode()))
}

/// A self-signed certificate (ECDSA P-256): there is no authority, both sides pin.
fn certificate() -> Result<(Secret, rcgen::Certificate), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![TLS_NAME.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, TLS_NAME);
    let certificate = params.self_signed(&key)?;
    Ok((Secret::new(key.serialize_der()), certificate))
}
