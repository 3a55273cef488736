//! Where a Vault is. Never an address to which a token would travel in clear.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use thiserror::Error;
use url::{Host, Url};

/// The only addresses that there are: HTTPS; HTTP to this machine itself (a Vault Agent or Proxy); a
/// Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `https://host:port`; its certificate is checked against one file of authorities.
    Tls(Url),
    /// `http://127.0.0.1:port` or `http://[::1]:port`.
    Loopback(Url),
    /// `unix:/path`.
    Socket(PathBuf),
}

/// Why something is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not one of the three forms.
    #[error(
        "the Vault address {0:?} is none: write https://host:port, http://127.0.0.1:port (an agent \
         on this machine), or unix:/path/of/its/socket"
    )]
    Form(String),
    /// HTTP to another machine.
    #[error(
        "the Vault address {0:?} would send the token in clear: write https://, or 127.0.0.1 for an \
         agent on this machine"
    )]
    Clear(String),
    /// More than where it is.
    #[error(
        "the Vault address {0:?} has a path, a query or a name in it: write https://host:port alone"
    )]
    More(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let form = || AddressError::Form(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            let path = Path::new(path);
            return if path.is_absolute() {
                Ok(Self::Socket(path.to_owned()))
            } else {
                Err(form())
            };
        }
        let url = Url::parse(text).map_err(|_any| form())?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let here = match url.host().ok_or_else(form)? {
            Host::Domain(_) => false,
            Host::Ipv4(address) => IpAddr::V4(address).is_loopback(),
            Host::Ipv6(address) => IpAddr::V6(address).is_loopback(),
        };
        match (url.scheme(), here, bare) {
            ("https" | "http", _, false) => Err(AddressError::More(text.to_owned())),
            ("https", _, true) => Ok(Self::Tls(url)),
            ("http", true, true) => Ok(Self::Loopback(url)),
            ("http", false, true) => Err(AddressError::Clear(text.to_owned())),
            _ => Err(form()),
        }
    }
}

impl Address {
    /// For requests. Over a socket the host's name has no meaning.
    pub(crate) fn base(&self) -> String {
        match self {
            Self::Tls(url) | Self::Loopback(url) => url.as_str().trim_end_matches('/').to_owned(),
            Self::Socket(_) => "http://vault".to_owned(),
        }
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Tls(_) | Self::Loopback(_) => self.base(),
            Self::Socket(path) => format!("unix:{}", path.display()),
        }
    }
}
