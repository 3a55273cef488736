//! One connection to a signer, as whoever holds the server's TLS key can make it. It asks anything,
//! and never checks what it asks.

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject as _},
    version::TLS13,
};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use strongroom_api::data_directory::TlsIdentity;
use strongroom_domain::protocol::{LogEntry, Order, Reply};
use strongroom_domain::{Head, KeyId, TransferId};
use strongroom_tests::deployment::SignerProcess;

use super::forge::Forge;

/// Above every answer that a signer has to think about.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Link(StreamOwned<ClientConnection, TcpStream>);

impl Link {
    /// Connects. Without an identity, without a client certificate.
    pub(super) fn open(signer: &SignerProcess, identity: Option<&TlsIdentity>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(signer.certificate()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            Some(identity) => {
                let key = PrivatePkcs8KeyDer::from(identity.key.expose().to_vec());
                let chain = vec![CertificateDer::from(identity.certificate.clone())];
                config.with_client_auth_cert(chain, key.into()).unwrap()
            }
            None => config.with_no_client_auth(),
        };
        let socket = TcpStream::connect(("127.0.0.1", signer.port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = "strongroom-signer".try_into().unwrap();
        Self(StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket))
    }

    /// Sends bytes as they are.
    pub(super) fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// Sends a frame and reads the next one: an error where the signer closes instead.
    pub(super) fn exchange(&mut self, body: &[u8]) -> std::io::Result<Vec<u8>> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        self.send(&[length.as_slice(), &[7; 8], body].concat())?;
        self.receive()
    }

    pub(super) fn receive(&mut self) -> std::io::Result<Vec<u8>> {
        let mut header = [0; 12];
        self.0.read_exact(&mut header)?;
        let length = u32::from_be_bytes(header[..4].try_into().unwrap());
        let mut body = vec![0; length.try_into().unwrap()];
        self.0.read_exact(&mut body)?;
        Ok(body)
    }

    pub(super) fn ask(&mut self, order: &Order) -> Reply {
        let answer = self.exchange(&serde_json::to_vec(order).unwrap()).unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    pub(super) fn push(&mut self, entries: &[LogEntry]) -> Reply {
        self.ask(&Order::Extend { entries: entries.to_vec() })
    }

    /// How far the signer says that it has read.
    pub(super) fn head(&mut self) -> Head {
        match self.ask(&Order::Status) {
            Reply::Status { head, .. } => head,
            other => panic!("{other:?}"),
        }
    }

    /// Pushes entries that the signer must take in.
    pub(super) fn follow(&mut self, entries: &[LogEntry]) {
        let reply = self.push(entries);
        assert!(matches!(reply, Reply::Status { .. }), "{reply:?}");
    }

    /// Shows it that a checkpoint counts.
    pub(super) fn cover(&mut self, forge: &Forge) {
        let size = forge.head().position;
        let reply = self.ask(&Order::Checkpoint { checkpoint: forge.counting() });
        assert_eq!(reply, Reply::Covered { size });
    }

    pub(super) fn commit(&mut self, transfer: TransferId, attempt: u32) -> Reply {
        self.ask(&Order::Commit { transfer, attempt })
    }

    pub(super) fn sign_alone(&mut self, transfer: TransferId, attempt: u32) -> Reply {
        self.ask(&Order::SignAlone { transfer, attempt })
    }

    pub(super) fn begin(&mut self, key: KeyId) -> Reply {
        self.ask(&Order::BeginCeremony { key })
    }
}
