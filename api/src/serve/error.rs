//! Why there is no server, or not any more. Never holds a secret.

use std::{io, net::SocketAddr, path::PathBuf};

use strongroom_commands::{bus::LoadError, checkpoints::KeptError};
use strongroom_domain::Network;
use strongroom_projections::RunError;
use strongroom_secrets::SecretFileError;

use crate::{access::AccessError, config::ConfigError, data_directory::DataError};

/// Why there is no server, or not any more.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The passphrase file.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// The log can't be opened.
    #[error("the log: {0}")]
    OpenLog(#[from] strongroom_store::OpenError),
    /// The log can't be followed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The kept checkpoint can't be read.
    #[error("cannot read the kept checkpoint {0}")]
    CheckpointFile(String),
    /// The log is not the one that its witnesses have cosigned.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// An outside witness's configuration.
    #[error("the witness {name}: {reason}")]
    Witness {
        /// Which.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The price source's configuration.
    #[error("the price source: {because}")]
    Prices {
        /// What is wrong.
        because: String,
    },
    /// Nobody founded it.
    #[error("this log has no charter yet: found it with `strongroom charter found`")]
    NoCharter,
    /// The read model can't be opened.
    #[error(transparent)]
    OpenReadModel(#[from] strongroom_projections::OpenError),
    /// The read model can't follow.
    #[error(transparent)]
    ReadModel(#[from] RunError),
    /// A webhook's configuration.
    #[error(transparent)]
    Webhook(#[from] crate::webhooks::EndpointError),
    /// The webhooks' file.
    #[error(transparent)]
    Outbox(#[from] crate::webhooks::OutboxError),
    /// The log can't be followed for webhooks.
    #[error("webhooks: {0}")]
    Webhooks(strongroom_store::ReadError),
    /// The authorisation policy.
    #[error(transparent)]
    Authorisation(#[from] crate::authorisation::PolicyError),
    /// The tokens.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The origin that people sign in at.
    #[error(transparent)]
    Site(#[from] crate::sign_in::SiteError),
    /// What people sign in with cannot be opened.
    #[error("signing in: {0}")]
    SignIn(String),
    /// A signer's certificate.
    #[error("cannot read the certificate {}: {source}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Mutual TLS.
    #[error(transparent)]
    Tls(#[from] strongroom_commands::signers::TlsError),
    /// A node's configuration.
    #[error("the node for {network}: {reason}")]
    Node {
        /// Which network's.
        network: Network,
        /// What is wrong.
        reason: String,
    },
    /// A network of another family: a bug.
    #[error(transparent)]
    Family(#[from] strongroom_chains::WrongFamily),
    /// The deposit watcher can't go on.
    #[error(transparent)]
    Deposits(strongroom_commands::deposits::WatchError),
    /// The address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The socket, after it was opened.
    #[error("the listening socket: {0}")]
    Socket(io::Error),
    /// Signals can't be waited for.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
    /// Corrupt: the server must not go on. A restart reads the log again.
    #[error("stopped: {0}. Restart; if it stops again, verify the log with strongroom-replay")]
    Stopped(String),
}

impl ServeError {
    pub(crate) fn sign_in(failure: impl std::fmt::Display) -> Self {
        Self::SignIn(failure.to_string())
    }
}
