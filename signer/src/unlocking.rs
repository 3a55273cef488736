//! Opening a signer's secrets by the key that its settings name. Never tries another key than that
//! one, and never gives up on one that is only away.

use std::{sync::Arc, thread, time::Duration};

use strongroom_secrets::{KeySource, Sealer, SecretFileError, read_secret};
use strongroom_vault::{Vault, VaultError, VaultSettings};
use thiserror::Error;

use crate::{
    config::{Config, Sealing, TokenConfig, VaultConfig},
    identity::{Identity, IdentityError},
    kek::{TokenKek, VaultKek},
    pkcs11::{TimedToken, Token, TokenError, TokenSettings},
};

/// Between two tries to open what is sealed under a key that is away.
const PAUSE: Duration = Duration::from_secs(2);

/// Why secrets were not opened.
#[derive(Debug, Error)]
pub enum UnlockError {
    /// The passphrase's file.
    #[error(transparent)]
    Passphrase(#[from] SecretFileError),
    /// The token's library or its settings.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Vault's settings.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A key of a place that the settings do not name.
    #[error("[sealing] names a key of {0}, and the settings do not say where that is")]
    Nowhere(&'static str),
    /// The sealed files.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl UnlockError {
    fn is_unavailable(&self) -> bool {
        matches!(self, Self::Identity(IdentityError::Seal(error)) if error.is_unavailable())
    }
}

/// Who holds keys for this signer. There is one of each in a process.
#[derive(Clone, Default)]
pub struct Holders {
    /// Its token.
    pub token: Option<TimedToken>,
    /// Its Vault.
    pub vault: Option<Arc<Vault>>,
}

impl Holders {
    /// As the settings say. A token or a Vault that is away is no reason to stop: it is tried again
    /// whenever it is used.
    pub fn open(config: &Config) -> Result<Self, UnlockError> {
        Self::of(config.token.as_ref(), config.vault.as_ref())
    }

    /// As [`Holders::open`], from two of its parts.
    pub fn of(
        token: Option<&TokenConfig>,
        vault: Option<&VaultConfig>,
    ) -> Result<Self, UnlockError> {
        let token = token.map(attach).transpose()?;
        let vault = vault.map(client).transpose()?;
        Ok(Self { token, vault })
    }

    /// What seals this signer's files.
    pub fn source(&self, sealing: &Sealing) -> Result<KeySource, UnlockError> {
        Ok(match sealing {
            Sealing::Passphrase(file) => KeySource::Passphrase(Arc::new(read_secret(file)?)),
            Sealing::Token(label) => {
                let token = self.token.clone().ok_or(UnlockError::Nowhere("a token"))?;
                KeySource::Held(Arc::new(TokenKek::new(token, label.clone())))
            }
            Sealing::Vault(name) => {
                let vault = self.vault.clone().ok_or(UnlockError::Nowhere("a Vault"))?;
                KeySource::Held(Arc::new(VaultKek::new(vault, name.clone())))
            }
        })
    }
}

/// Opens the identity, with the sealer of the directory's other files. As long as the key is away, it
/// waits: nobody restarts a signer because a Vault was sealed for an hour.
pub fn unlock(config: &Config, holders: &Holders) -> Result<(Identity, Sealer), UnlockError> {
    let source = holders.source(&config.sealing)?;
    let mut said = String::new();
    loop {
        let error = match Identity::open_under(&config.data, &source) {
            Ok(opened) => return Ok(opened),
            Err(error) => UnlockError::from(error),
        };
        if !error.is_unavailable() {
            return Err(error);
        }
        let text = error.to_string();
        if text != said {
            tracing::warn!("waiting for the key that seals this signer's files: {text}");
            said = text;
        }
        thread::sleep(PAUSE);
    }
}

/// As [`unlock`], for a command that somebody waits for: says at once that the key is away.
pub fn unlock_now(config: &Config, holders: &Holders) -> Result<(Identity, Sealer), UnlockError> {
    Ok(Identity::open_under(&config.data, &holders.source(&config.sealing)?)?)
}

fn attach(config: &TokenConfig) -> Result<TimedToken, UnlockError> {
    let TokenConfig { module, label, serial, pin_file, sessions, call_limit_s, keep_alive_s } =
        config.clone();
    let settings = TokenSettings { module, label, serial, pin_file, sessions };
    let token = Arc::new(Token::later(settings)?);
    let (limit, pause) = (call_limit_s.get(), keep_alive_s.get());
    let token = TimedToken::new(token, Duration::from_secs(limit), Duration::from_secs(pause));
    // With the clock: a library that hangs keeps nobody from being a witness.
    if let Err(problem) = token.run(Token::probe) {
        tracing::error!(%problem, "the token can't be used yet");
    }
    Ok(token)
}

fn client(config: &VaultConfig) -> Result<Arc<Vault>, UnlockError> {
    let VaultConfig { address, ca_certificate, token_file, mount, namespace, time_limit_s } =
        config.clone();
    let settings = VaultSettings {
        address: address.parse().map_err(VaultError::from)?,
        ca_certificate,
        token_file,
        mount,
        namespace,
        time_limit: Duration::from_secs(time_limit_s.get()),
    };
    Ok(Arc::new(Vault::new(settings)?))
}
