//! Where a webhook goes, as the configuration says it. Never a place in our own network, unless the
//! configuration says that, too.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::{Client, Url, redirect::Policy};
use serde::Deserialize;

use super::{
    address::{PublicOnly, is_public},
    secret::{SecretError, Secrets},
};

/// `[[webhooks]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// What it is called here: lower-case letters, digits and hyphens, at most 32.
    pub id: String,
    /// Where messages are posted: https://…, or http:// where `allow_private` is set.
    pub url: String,
    /// The file with its secret, `whsec_…`; mode 0600. Two lines while it is replaced, the new one
    /// first: read again at each delivery.
    pub secret_file: PathBuf,
    /// Which event types, such as `transfer.confirmed`, or `transfer.*` for all of a kind. Default:
    /// all.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether it may be in a private network. Default: no.
    #[serde(default)]
    pub allow_private: bool,
    /// Where in the log to begin when this webhook is new. Default: at its end.
    #[serde(default)]
    pub after: Option<u64>,
    /// How many times a message is tried before it is given up. Default 28: two to three days.
    #[serde(default = "attempts")]
    pub attempts: u32,
    /// The pause after the first failure, in milliseconds; each next one is about twice as long, up
    /// to six hours. Default 1000.
    #[serde(default = "first_pause")]
    pub first_pause_ms: u64,
    /// The longest time for an answer, in seconds. Default 15.
    #[serde(default = "seconds")]
    pub timeout_s: u64,
}

const fn attempts() -> u32 {
    28
}

const fn first_pause() -> u64 {
    1000
}

const fn seconds() -> u64 {
    15
}

/// A webhook that can be delivered to.
pub struct Endpoint {
    config: WebhookConfig,
    url: Url,
    client: Client,
}

/// Why a webhook can't be used: the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Its name.
    #[error("webhook `{0}`: an id is 1 to 32 lower-case letters, digits and hyphens, used once")]
    Name(String),
    /// Its URL. The URL is not repeated: it may hold a password.
    #[error("webhook {id}: {because}")]
    Url {
        /// Which.
        id: String,
        /// What is wrong.
        because: String,
    },
    /// Its secret.
    #[error("webhook {id}: {source}")]
    Secret {
        /// Which.
        id: String,
        /// What is wrong.
        source: SecretError,
    },
}

impl Endpoint {
    /// Checks all of them. Their secrets must be readable now, so that a typo is met at start.
    pub fn all(configured: &[WebhookConfig]) -> Result<Vec<Self>, EndpointError> {
        let mut names = std::collections::BTreeSet::new();
        configured
            .iter()
            .map(|config| {
                if !is_name(&config.id) || !names.insert(&config.id) {
                    return Err(EndpointError::Name(config.id.clone()));
                }
                Self::open(config.clone())
            })
            .collect()
    }

    fn open(config: WebhookConfig) -> Result<Self, EndpointError> {
        let id = config.id.clone();
        let wrong =
            |because: &str| EndpointError::Url { id: id.clone(), because: because.to_owned() };
        let url: Url = config.url.parse().map_err(|_| wrong("the url is none"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("a url with a password is written to logs: leave it out"));
        }
        match (url.scheme(), config.allow_private) {
            ("https", _) | ("http", true) => {}
            _ => return Err(wrong("the url must begin with https://")),
        }
        let host = url.host_str().ok_or_else(|| wrong("the url names no host"))?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
        if literal.is_ok_and(|address| !is_public(address)) && !config.allow_private {
            return Err(wrong("the address is private: set allow_private if it is one of yours"));
        }
        // No proxy from the environment: it would resolve names for us.
        let mut client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(config.timeout_s.clamp(1, 120)))
            .user_agent(concat!("strongroom/", env!("CARGO_PKG_VERSION")));
        if !config.allow_private {
            client = client.dns_resolver(Arc::new(PublicOnly));
        }
        let client = client.build().map_err(|_| wrong("no HTTP client can be made for it"))?;
        let endpoint = Self { config, url, client };
        endpoint.secrets().map_err(|source| EndpointError::Secret { id: id.clone(), source })?;
        Ok(endpoint)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.config.id
    }

    /// Scheme, host and port: what comes behind may be known to nobody else.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Which events it asks for; empty: all.
    pub fn events(&self) -> &[String] {
        &self.config.events
    }

    /// Whether it asks for events of this type.
    pub fn wants(&self, kind: &str) -> bool {
        let events = &self.config.events;
        events.is_empty()
            || events.iter().any(|wanted| match wanted.strip_suffix('*') {
                Some(beginning) => kind.starts_with(beginning),
                None => wanted == kind,
            })
    }

    pub(super) fn after(&self) -> Option<u64> {
        self.config.after
    }

    pub(super) fn attempts(&self) -> u32 {
        self.config.attempts.max(1)
    }

    pub(super) fn first_pause(&self) -> Duration {
        Duration::from_millis(self.config.first_pause_ms.max(1))
    }

    pub(super) fn secrets(&self) -> Result<Secrets, SecretError> {
        Secrets::read(&self.config.secret_file)
    }

    pub(super) fn post(&self) -> reqwest::RequestBuilder {
        self.client.post(self.url.clone())
    }
}

impl WebhookConfig {
    /// With the secret's file below a folder.
    pub(crate) fn below(&mut self, base: &Path) {
        self.secret_file = base.join(&self.secret_file);
    }
}

fn is_name(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(fine)
}
