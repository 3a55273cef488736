//! Who the log says it is, and whom it says it to. Never over a connection that anybody could read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::PrivatePkcs8KeyDer;
use strongroom_store::conformance::{append_to, verify};
use strongroom_store::{AppendLog, KurrentLog, OpenError, Options};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::stand_in::ProtocolStandIn;

/// `strongroom:geheim` as the server reads it.
const LOGIN: &str = "Basic c3Ryb25ncm9vbTpnZWhlaW0=";

/// TLS in front of a server, for `localhost`; its certificate is written to `ca`.
async fn tls(server: u16, ca: &Path) -> u16 {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(ca, made.cert.pem()).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut near) = acceptor.accept(near).await else { return };
                let mut far = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn a_password_goes_over_tls_to_a_server_that_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, file) = (folder.path().join("ca.pem"), folder.path().join("password"));
    let server = ProtocolStandIn::start().await;
    server.demand_login(LOGIN);
    let port = tls(server.link.port, &ca).await;
    let patience = "discoveryInterval=1&defaultDeadline=2000&retries=1";
    let verified =
        format!("kurrentdb://strongroom@localhost:{port}?{patience}&tlsCaFile={}", ca.display());
    let put = |password: &str| {
        fs::write(&file, password).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        Options { password_file: Some(file.clone()), ..Options::default() }
    };
    let refused = async |url: &str, options: &Options| {
        KurrentLog::open(url, options).await.map(|_| ()).unwrap_err()
    };

    let log = KurrentLog::open(&verified, &put("geheim\n")).await.unwrap();
    log.append(append_to(&[("a", 0)])).await.unwrap();
    assert_eq!(verify(&log).await.len(), 1);
    let provider = format!("{:?}", CryptoProvider::get_default().unwrap());
    assert!(provider.contains("Ring"), "the process speaks TLS through ring: {provider}");

    let denied = refused(&verified, &put("falsch")).await;
    assert!(denied.to_string().contains("Access denied"), "{denied}");
    let strangers = format!("kurrentdb://strongroom@localhost:{port}?{patience}");
    let unverified = refused(&strangers, &put("geheim")).await;
    assert!(matches!(unverified, OpenError::Unavailable(_)), "{unverified}");
    for refused in [
        refused(&verified, &Options::default()).await,
        refused(&format!("{strangers}&tls=false"), &put("geheim")).await,
        refused(&server.url("ledger"), &put("geheim")).await,
    ] {
        assert!(matches!(refused, OpenError::Refused(_)), "{refused}");
        assert!(!format!("{refused} {refused:?}").contains("geheim"));
    }
}
