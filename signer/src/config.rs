//! The signer's configuration: where things are. It never holds a secret, only the paths of files
//! that do.

use std::{
    net::SocketAddr,
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// `signer.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen. The server connects; a signer never does.
    pub listen: SocketAddr,
    /// Where this signer keeps everything.
    pub data: PathBuf,
    /// File with the passphrase that opens its secrets; mode 0600.
    pub passphrase_file: PathBuf,
    /// The server's client certificate (PEM): nobody else is answered.
    pub server_certificate: PathBuf,
    /// Its PKCS#11 token, if it has one.
    pub token: Option<TokenConfig>,
}

/// A PKCS#11 token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The vendor's library.
    pub module: PathBuf,
    /// The token's label.
    pub label: String,
    /// Its serial number, where the label is not unique.
    pub serial: Option<String>,
    /// File with the user PIN; mode 0600.
    pub pin_file: PathBuf,
    /// Sessions at once.
    #[serde(default = "sessions")]
    pub sessions: NonZeroUsize,
    /// How long an order waits for the token, in seconds. Below the server's patience with silence.
    #[serde(default = "call_limit")]
    pub call_limit_s: NonZeroU64,
    /// How often idle sessions are asked for a sign of life, in seconds: below what a firewall
    /// between here and a network HSM forgets a silent connection after.
    #[serde(default = "keep_alive")]
    pub keep_alive_s: NonZeroU64,
}

const fn call_limit() -> NonZeroU64 {
    match NonZeroU64::new(3) {
        Some(seconds) => seconds,
        None => NonZeroU64::MIN,
    }
}

const fn keep_alive() -> NonZeroU64 {
    match NonZeroU64::new(30) {
        Some(seconds) => seconds,
        None => NonZeroU64::MIN,
    }
}

const fn sessions() -> NonZeroUsize {
    match NonZeroUsize::new(4) {
        Some(sessions) => sessions,
        None => NonZeroUsize::MIN,
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not a configuration.
    #[error("{}: {error}", path.display())]
    Toml {
        /// Which.
        path: PathBuf,
        /// Where and what.
        error: toml::de::Error,
    },
}

impl Config {
    /// Reads a configuration file. Relative paths are relative to the working directory.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let at = |source| ConfigError::Io { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(at)?;
        toml::from_str(&text).map_err(|error| ConfigError::Toml { path: path.to_owned(), error })
    }
}
