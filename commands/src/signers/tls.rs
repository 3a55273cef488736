//! Mutual TLS with signers: version 1.3 alone, our one client certificate, and the signer's
//! certificate compared byte by byte. Never builds a chain, asks no authority, and reads no name or
//! date out of a certificate.

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    version::TLS13,
};
use std::sync::Arc;

/// Sent as SNI; nothing is decided by it.
pub(super) const TLS_NAME: &str = "strongroom-signer";

/// Who the server is to its signers: a certificate that each of them pins, and its key. No `Debug`:
/// the key is a secret.
pub struct ClientIdentity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// Why a certificate or key can't be used. Never quotes what was read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TlsError {
    /// Not PEM, or not a certificate in it.
    #[error("no certificate: expected one PEM block CERTIFICATE")]
    Certificate,
    /// Not PEM, or not a private key in it.
    #[error("no private key: expected one PEM block PRIVATE KEY")]
    Key,
    /// What rustls does not take.
    #[error("TLS can't be set up with the server's certificate and key: {0}")]
    Setup(String),
}

impl ClientIdentity {
    /// From the PEM text of one certificate and of its private key.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_quotes| TlsError::Key)?;
        Ok(Self { certificate: read_certificate(certificate)?, key })
    }

    /// From the DER of one certificate and of its private key (PKCS #8).
    pub fn from_der(certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let key = PrivateKeyDer::try_from(key).map_err(|_quotes| TlsError::Key)?.clone_key();
        Ok(Self { certificate: CertificateDer::from(certificate.to_vec()), key })
    }
}

/// Reads the first certificate of a PEM text.
pub(super) fn read_certificate(pem: &[u8]) -> Result<CertificateDer<'static>, TlsError> {
    CertificateDer::from_pem_slice(pem).map_err(|_quotes| TlsError::Certificate)
}

/// A set-up that connects to the holder of `pinned`'s private key and nobody else.
pub(super) fn client_config(
    identity: &ClientIdentity,
    pinned: CertificateDer<'static>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let setup = |error: Error| TlsError::Setup(error.to_string());
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Pinned { certificate: pinned, provider: Arc::clone(&provider) });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(setup)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(vec![identity.certificate.clone()], identity.key.clone_key())
        .map_err(setup)?;
    // Each connection proves its key.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.certificate && intermediates.is_empty() {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not offered".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
