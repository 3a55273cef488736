//! The signer's configuration: where things are. It never holds a secret, only the paths of files
//! that do.

use std::{
    net::SocketAddr,
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// `signer.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub struct Config {
    /// Where to listen. The server connects; a signer never connects to it.
    pub listen: SocketAddr,
    /// Where this signer keeps everything.
    pub data: PathBuf,
    /// What opens its secrets.
    pub sealing: Sealing,
    /// The server's client certificate (PEM): nobody else is answered.
    pub server_certificate: PathBuf,
    /// Its PKCS#11 token, if it has one.
    pub token: Option<TokenConfig>,
    /// Its Vault, if it has one: the only address that a signer connects to.
    pub vault: Option<VaultConfig>,
}

/// What seals a signer's files: exactly one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealing {
    /// A passphrase, in this file; mode 0600.
    Passphrase(PathBuf),
    /// An AES-256 key in the token, with this label.
    Token(String),
    /// A key of Vault's transit engine, with this name.
    Vault(String),
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    listen: SocketAddr,
    data: PathBuf,
    /// Short for `[sealing] passphrase_file`.
    passphrase_file: Option<PathBuf>,
    sealing: Option<SealingTable>,
    server_certificate: PathBuf,
    token: Option<TokenConfig>,
    vault: Option<VaultConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealingTable {
    passphrase_file: Option<PathBuf>,
    token_key: Option<String>,
    vault_key: Option<String>,
}

impl TryFrom<Written> for Config {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { listen, data, passphrase_file, sealing, server_certificate, token, vault } =
            written;
        let sealing = match (passphrase_file, sealing) {
            (Some(file), None) => Sealing::Passphrase(file),
            (None, Some(table)) => table.source()?,
            (Some(_), Some(_)) => {
                return Err("passphrase_file and [sealing] both say what seals: keep one");
            }
            (None, None) => {
                return Err("nothing says what seals the secrets: add [sealing] with \
                            passphrase_file, token_key or vault_key");
            }
        };
        match &sealing {
            Sealing::Token(_) if token.is_none() => {
                Err("[sealing] names a token_key, but there is no [token]")
            }
            Sealing::Vault(_) if vault.is_none() => {
                Err("[sealing] names a vault_key, but there is no [vault]")
            }
            Sealing::Token(name) | Sealing::Vault(name) if !is_name(name) => {
                Err("a key in [sealing] is named by 1 to 64 letters, digits, dots and dashes")
            }
            Sealing::Passphrase(_) | Sealing::Token(_) | Sealing::Vault(_) => {
                Ok(Self { listen, data, sealing, server_certificate, token, vault })
            }
        }
    }
}

impl SealingTable {
    fn source(self) -> Result<Sealing, &'static str> {
        match (self.passphrase_file, self.token_key, self.vault_key) {
            (Some(file), None, None) => Ok(Sealing::Passphrase(file)),
            (None, Some(label), None) => Ok(Sealing::Token(label)),
            (None, None, Some(name)) => Ok(Sealing::Vault(name)),
            _ => Err("[sealing] takes exactly one of passphrase_file, token_key and vault_key: \
                      to move from one to another, use `strongroom-signer reseal`"),
        }
    }
}

/// Whether it can be a label, and a part of a path of Vault's, as it is.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty() && name.len() <= 64 && name.bytes().all(plain)
}

/// A Vault (or OpenBao), or an agent of one on this machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// `https://host:port`, `http://127.0.0.1:port` or `unix:/path`.
    pub address: String,
    /// PEM file with the one authority that it is checked by; for https alone, and needed there.
    pub ca_certificate: Option<PathBuf>,
    /// File with the token, mode 0600, read anew for each request. None for an agent that adds one.
    pub token_file: Option<PathBuf>,
    /// Where the transit engine is mounted.
    #[serde(default = "transit")]
    pub mount: String,
    /// Its namespace, if it has such.
    pub namespace: Option<String>,
    /// How long a request may take, in seconds.
    #[serde(default = "call_limit")]
    pub time_limit_s: NonZeroU64,
}

fn transit() -> String {
    "transit".to_owned()
}

/// A PKCS#11 token.
#[derive(Debug, Clone, Deserialize)]
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

#[cfg(test)]
mod tests;
