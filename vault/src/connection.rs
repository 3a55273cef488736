//! The connection to one Vault, as its settings say. Never holds a token longer than a request: the
//! file is read anew each time, so that an agent may replace it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use reqwest_of_vaultrs::{Client, ClientBuilder, redirect};
use rustify::clients::reqwest::Client as Http;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use strongroom_secrets::read_secret_text;
use tokio::runtime::{Builder, Runtime};
use vaultrs::{
    api::EndpointMiddleware,
    client::{VaultClient, VaultClientSettingsBuilder},
    error::ClientError,
};

use crate::{Address, VaultError};

/// Where a Vault is and how to speak with it.
#[derive(Debug, Clone)]
pub struct VaultSettings {
    /// Where.
    pub address: Address,
    /// PEM file with the one authority (or certificate) that it is checked by; for HTTPS alone.
    pub ca_certificate: Option<PathBuf>,
    /// File with the token, mode 0600. None for an agent that adds its own.
    pub token_file: Option<PathBuf>,
    /// Where the transit engine is mounted.
    pub mount: String,
    /// Vault's namespace, if it has such.
    pub namespace: Option<String>,
    /// How long a request may take.
    pub time_limit: Duration,
}

/// A Vault. Opens no connection before it is used.
pub struct Vault {
    settings: VaultSettings,
    client: Client,
    runtime: Runtime,
}

impl Vault {
    /// Reads the authority. Nothing is asked of Vault yet: it may be away.
    pub fn new(settings: VaultSettings) -> Result<Self, VaultError> {
        let broken = |error: &dyn std::fmt::Display| VaultError::Client(error.to_string());
        let builder = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(settings.time_limit)
            .connect_timeout(settings.time_limit)
            // The buffers of an idle connection would keep the token and the last answer.
            .pool_max_idle_per_host(0);
        let client = pinned(builder, &settings)?.build().map_err(|error| broken(&error))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("vault")
            .enable_all()
            .build()
            .map_err(|error| broken(&error))?;
        Ok(Self { settings, client, runtime })
    }

    /// For people.
    pub fn address(&self) -> String {
        self.settings.address.shown()
    }

    /// Where the transit engine is mounted.
    pub fn mount(&self) -> &str {
        &self.settings.mount
    }

    /// Makes one request about `key`.
    pub(crate) fn ask<T, F>(&self, key: &str, request: F) -> Result<T, VaultError>
    where
        F: AsyncFnOnce(&VaultClient) -> Result<T, ClientError>,
    {
        let client = self.client()?;
        let answer = self.runtime.block_on(request(&client));
        answer.map_err(|error| VaultError::of(error, &self.address(), key))
    }

    fn client(&self) -> Result<VaultClient, VaultError> {
        let token = self.token()?;
        let address = self.settings.address.base();
        // Everything is set: what is not would be read from the environment.
        let settings = VaultClientSettingsBuilder::default()
            .address(&address)
            .ca_certs(Vec::new())
            .identity(None)
            .token("")
            .verify(true)
            .timeout(Some(self.settings.time_limit))
            .namespace(self.settings.namespace.clone())
            .build()
            .map_err(|error| VaultError::Client(error.to_string()))?;
        let middle = EndpointMiddleware {
            token,
            version: "v1".to_owned(),
            wrap: None,
            namespace: self.settings.namespace.clone(),
        };
        let http = Http::new(&address, self.client.clone());
        Ok(VaultClient { http, middle, settings })
    }

    fn token(&self) -> Result<String, VaultError> {
        let Some(path) = &self.settings.token_file else { return Ok(String::new()) };
        let token = read_secret_text(path)?;
        // It becomes a header: anything else would end the process inside the library.
        if token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(token.expose().to_owned())
        } else {
            Err(VaultError::TokenForm(path.clone()))
        }
    }
}

/// Which peer is believed.
fn pinned(builder: ClientBuilder, settings: &VaultSettings) -> Result<ClientBuilder, VaultError> {
    // Set for all addresses: nothing else may choose a provider, and no authority of the system counts.
    let tls = |roots| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| VaultError::Client(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok::<_, VaultError>(config)
    };
    match (&settings.address, &settings.ca_certificate) {
        (Address::Tls(_), Some(path)) => {
            let bad = |what: String| VaultError::Authority { path: path.clone(), what };
            let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
            let mut roots = rustls::RootCertStore::empty();
            for der in CertificateDer::pem_slice_iter(&pem) {
                let der = der.map_err(|error| bad(format!("{error:?}")))?;
                roots.add(der).map_err(|error| bad(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(bad("it holds no certificate in PEM".to_owned()));
            }
            Ok(builder.https_only(true).tls_backend_preconfigured(tls(roots)?))
        }
        (Address::Tls(_), None) => {
            Err(VaultError::Settings("[vault] needs ca_certificate for an https address"))
        }
        (Address::Loopback(_) | Address::Socket(_), Some(_)) => {
            Err(VaultError::Settings("[vault] has a ca_certificate, but its address is not https"))
        }
        (Address::Loopback(_), None) => {
            Ok(builder.tls_backend_preconfigured(tls(rustls::RootCertStore::empty())?))
        }
        (Address::Socket(path), None) => Ok(builder
            .tls_backend_preconfigured(tls(rustls::RootCertStore::empty())?)
            .unix_socket(path.clone())),
    }
}
