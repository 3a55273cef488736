//! One signer as the server sees it: where it is, who it must be, how far it has read. Never
//! connects to a signer under an id whose certificate the charter does not name.

use super::{
    ClientIdentity, Limits, SignerEndpoint, TlsError,
    link::Link,
    tls::{TLS_NAME, client_config, read_certificate},
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::sync::Arc;
use strongroom_domain::{Digest, SignerId, State};
use tokio::{net::TcpStream, sync::watch, time::timeout};
use tokio_rustls::TlsConnector;

/// What is known of a signer.
#[derive(Clone)]
pub(super) enum Standing {
    /// Not reached.
    Away {
        /// What the server saw.
        because: String,
    },
    /// It does not hold our log, or will not take it: nothing is ordered from it.
    OtherLog {
        /// How that shows.
        because: String,
    },
    /// It answers.
    Here {
        /// Over this connection.
        link: Arc<Link>,
        /// It has verified the log up to here.
        acknowledged: u64,
        /// It has seen a checkpoint that counts up to here.
        covered: u64,
    },
}

/// How far a signer must have come before it is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    /// It must have verified the log up to here.
    pub(super) read: u64,
    /// It must have seen a checkpoint that counts up to here.
    pub(super) covered: u64,
}

impl Needed {
    /// For an order that rests on an entry.
    pub(super) const fn order(position: u64) -> Self {
        Self { read: position, covered: position }
    }

    /// For a cosignature over a tree of so many entries.
    pub(super) const fn cosignature(size: u64) -> Self {
        Self { read: size, covered: 0 }
    }
}

impl Standing {
    /// Why it can't be asked yet.
    pub(super) fn short_of(&self, needed: Needed) -> String {
        match self {
            Self::Away { because } | Self::OtherLog { because } => because.clone(),
            Self::Here { acknowledged, .. } if *acknowledged < needed.read => {
                let read = needed.read;
                format!("it has read the log up to {acknowledged}, {read} is needed")
            }
            Self::Here { covered, .. } => {
                let least = needed.covered;
                format!("it has seen checkpoints up to {covered}, {least} is needed")
            }
        }
    }
}

/// One configured signer.
pub(super) struct Peer {
    pub(super) signer: SignerId,
    pub(super) standing: watch::Sender<Standing>,
    pub(super) limits: Limits,
    address: String,
    certificate: Digest,
    tls: Arc<ClientConfig>,
    changed: Arc<watch::Sender<u64>>,
    accused: watch::Sender<Option<String>>,
}

impl Peer {
    pub(super) fn new(
        identity: &ClientIdentity,
        endpoint: SignerEndpoint,
        changed: Arc<watch::Sender<u64>>,
        limits: Limits,
    ) -> Result<Self, TlsError> {
        let certificate = read_certificate(&endpoint.certificate_pem)?;
        let because = "not tried yet".to_owned();
        Ok(Self {
            signer: endpoint.signer,
            standing: watch::Sender::new(Standing::Away { because }),
            limits,
            address: endpoint.address,
            certificate: Digest::of(&certificate),
            tls: client_config(identity, certificate)?,
            changed,
            accused: watch::Sender::new(None),
        })
    }

    /// Notes that it says our log is not the one that it has seen: its session ends with that.
    pub(super) fn accuse(&self, because: String) {
        self.accused.send_replace(Some(because));
    }

    /// Forgets what it said against our log in an earlier session.
    pub(super) fn acquit(&self) {
        self.accused.send_replace(None);
    }

    /// Waits until it says something against our log.
    pub(super) async fn accused(&self) -> String {
        let mut accused = self.accused.subscribe();
        let because = accused.wait_for(Option::is_some).await;
        because.ok().and_then(|because| because.clone()).unwrap_or_default()
    }

    /// Notes where it stands now; whoever waits for a change between here and not here hears of it.
    pub(super) fn stands(&self, standing: Standing) {
        let here = |standing: &Standing| matches!(standing, Standing::Here { .. });
        let now = here(&standing);
        let before = self.standing.send_replace(standing);
        if here(&before) != now {
            self.changed.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// The connection, once the signer has come far enough. `None` if it does not come back, or does
    /// not get so far, within the limits.
    pub(super) async fn ready(&self, needed: Needed) -> Option<Arc<Link>> {
        let mut standing = self.standing.subscribe();
        let back = standing.wait_for(|standing| !matches!(standing, Standing::Away { .. }));
        // What it returns locks the sender: let it go at once.
        drop(timeout(self.limits.absence, back).await.ok()?.ok()?);
        let ready = standing.wait_for(|standing| match standing {
            Standing::Here { acknowledged, covered, .. } => {
                *acknowledged >= needed.read && *covered >= needed.covered
            }
            Standing::Away { .. } | Standing::OtherLog { .. } => true,
        });
        match &*timeout(self.limits.patience, ready).await.ok()?.ok()? {
            Standing::Here { link, .. } => Some(Arc::clone(link)),
            Standing::Away { .. } | Standing::OtherLog { .. } => None,
        }
    }

    /// Whether the charter enrols this signer under the configured certificate.
    pub(super) fn enrolled(&self, state: &State) -> Result<(), String> {
        let standing = state.charter.standing().map_err(|refusal| refusal.because)?;
        let enrolment = standing.signers.get(&self.signer);
        let enrolment = enrolment.ok_or("the charter does not enrol it")?;
        if enrolment.tls_certificate_sha256 == self.certificate {
            return Ok(());
        }
        Err(format!(
            "the configured certificate has SHA-256 {}, the charter names {}",
            self.certificate, enrolment.tls_certificate_sha256
        ))
    }

    /// Connects and shakes hands.
    pub(super) async fn connect(&self) -> Result<Link, String> {
        let connecting = async {
            let socket = TcpStream::connect(&self.address).await?;
            socket.set_nodelay(true)?;
            let name = ServerName::try_from(TLS_NAME).map_err(std::io::Error::other)?;
            TlsConnector::from(Arc::clone(&self.tls)).connect(name, socket).await
        };
        match timeout(self.limits.connect, connecting).await {
            Ok(Ok(stream)) => Ok(Link::open(stream, self.limits)),
            Ok(Err(error)) => Err(format!("{}: {error}", self.address)),
            Err(_late) => Err(format!("{}: no connection in time", self.address)),
        }
    }
}
