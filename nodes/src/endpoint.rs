//! Where a node is and how to log in to it. Never holds a password, only the path of its file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(30);

/// The address of a node's RPC interface was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("the node's address is no URL; it should look like http://127.0.0.1:18443")]
    NotAUrl,
    /// Neither http nor https.
    #[error("the node's address must begin with http:// or https://")]
    Scheme,
    /// `http://user:password@host`: it would end in logs and process lists.
    #[error("the node's address holds credentials; name a cookie or password file instead")]
    CredentialsInUrl,
}

/// How to log in. Files are read at each call: nodes write a new cookie at each start.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// The node asks for none (anvil; an Ethereum node on loopback).
    None,
    /// Bitcoin Core's `.cookie`: one line `user:password`.
    CookieFile(PathBuf),
    /// A user and the file that holds the password on its first line.
    PasswordFile {
        /// The RPC user.
        user: String,
        /// The file; should be readable by the server alone.
        file: PathBuf,
    },
}

/// A node's RPC interface.
#[derive(Clone)]
pub struct Endpoint {
    url: reqwest::Url,
    credentials: Credentials,
    time_limit: Duration,
}

impl Endpoint {
    /// An HTTP or HTTPS address, with a limit of 30 seconds for each call.
    ///
    /// HTTPS trusts the public certificate authorities only: a node with a certificate of its own
    /// (btcd's default) must be on loopback with `--notls` or behind a proxy.
    pub fn new(url: &str, credentials: Credentials) -> Result<Self, EndpointError> {
        let url = reqwest::Url::parse(url).map_err(|_| EndpointError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::CredentialsInUrl);
        }
        Ok(Self { url, credentials, time_limit: DEFAULT_TIME_LIMIT })
    }

    /// The limit for one call, its repetitions and their pauses included. Operations that take
    /// several calls (a search through blocks) may take several times as long.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    pub(crate) fn time_limit(&self) -> Duration {
        self.time_limit
    }

    pub(crate) fn url(&self) -> &reqwest::Url {
        &self.url
    }

    /// Host and port: never path or query, where providers put their access keys.
    pub fn name(&self) -> String {
        let host = self.url.host_str().unwrap_or("?");
        match self.url.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    pub(crate) async fn login(&self) -> Result<Option<Login>, String> {
        match &self.credentials {
            Credentials::None => Ok(None),
            Credentials::CookieFile(file) => {
                let line = first_line(file).await?;
                let (user, password) = line
                    .split_once(':')
                    .ok_or_else(|| format!("{} holds no user:password line", file.display()))?;
                Ok(Some(Login {
                    user: user.to_owned(),
                    password: Zeroizing::new(password.to_owned()),
                }))
            }
            Credentials::PasswordFile { user, file } => {
                Ok(Some(Login { user: user.clone(), password: first_line(file).await? }))
            }
        }
    }
}

// By hand: path and query of the URL may hold a provider's access key.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.name())
    }
}

/// A user and password, for the time of one call. The HTTP client copies them into a header that it
/// marks as sensitive and does not print, but does not wipe.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Zeroizing<String>,
}

async fn first_line(file: &Path) -> Result<Zeroizing<String>, String> {
    let text = tokio::fs::read_to_string(file)
        .await
        .map(Zeroizing::new)
        .map_err(|error| format!("its credentials file {}: {error}", file.display()))?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Endpoint, EndpointError};

    #[test]
    fn an_address_with_credentials_in_it_is_refused() {
        for (url, refusal) in [
            ("http://u:p@127.0.0.1:1", EndpointError::CredentialsInUrl),
            ("http://u@127.0.0.1:1", EndpointError::CredentialsInUrl),
            ("ftp://127.0.0.1", EndpointError::Scheme),
            ("127.0.0.1", EndpointError::NotAUrl),
        ] {
            assert_eq!(Endpoint::new(url, Credentials::None).unwrap_err(), refusal, "{url}");
        }
    }

    #[test]
    fn an_endpoint_prints_neither_path_nor_query() {
        let endpoint =
            Endpoint::new("https://example.org/v3/CANARY?k=CANARY", Credentials::None).unwrap();
        assert_eq!(format!("{endpoint:?}"), "Endpoint(example.org:443)");
    }
}
