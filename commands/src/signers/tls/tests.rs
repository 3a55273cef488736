//! The pin's rules, against rustls's own server.

use super::*;
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ServerConfig, SupportedProtocolVersion, pki_types::PrivatePkcs8KeyDer, version::TLS12,
};
use tokio::io::duplex;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A self-signed certificate and its key.
struct Party {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Party {
    fn with_key(key: KeyPair) -> Self {
        let params = CertificateParams::new(vec![TLS_NAME.to_owned()]).unwrap();
        Self { certificate: params.self_signed(&key).unwrap().der().clone(), key }
    }

    fn new() -> Self {
        Self::with_key(KeyPair::generate().unwrap())
    }

    fn private(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

/// Whether we would talk to a server that presents `chain` with `key`, when `pinned` is pinned.
async fn talks(
    pinned: &Party,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> bool {
    let us = Party::new();
    let identity = ClientIdentity { certificate: us.certificate.clone(), key: us.private() };
    let ours = client_config(&identity, pinned.certificate.clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let theirs = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let (one, other) = duplex(1 << 16);
    let name = ServerName::try_from(TLS_NAME).unwrap();
    let (ours, _theirs) = tokio::join!(
        TlsConnector::from(ours).connect(name, one),
        TlsAcceptor::from(Arc::new(theirs)).accept(other),
    );
    ours.is_ok()
}

#[tokio::test]
async fn nobody_but_the_holder_of_the_pinned_certificate_is_talked_to() {
    let (pinned, other) = (Party::new(), Party::new());
    let tls13 = [&TLS13];
    let chain = |of: &Party| vec![of.certificate.clone()];
    assert!(talks(&pinned, chain(&pinned), pinned.private(), &tls13).await);
    assert!(!talks(&pinned, chain(&other), other.private(), &tls13).await);
    // The same key in another certificate: what is pinned is the certificate.
    let again = Party::with_key(KeyPair::try_from(pinned.key.serialize_der()).unwrap());
    assert!(!talks(&pinned, chain(&again), again.private(), &tls13).await);
    // Something besides the pinned certificate.
    let more = vec![pinned.certificate.clone(), other.certificate.clone()];
    assert!(!talks(&pinned, more, pinned.private(), &tls13).await);
}

#[tokio::test]
async fn tls_1_2_is_not_spoken() {
    let pinned = Party::new();
    let chain = vec![pinned.certificate.clone()];
    assert!(!talks(&pinned, chain, pinned.private(), &[&TLS12]).await);
}
