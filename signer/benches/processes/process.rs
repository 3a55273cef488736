//! A signer's process with its own folder, and the one connection to it. It checks nothing that the
//! signer answers, and kills the process when it is dropped.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject as _},
    version::TLS13,
};
use strongroom_domain::Digest;
use strongroom_domain::charter::Enrolment;
use strongroom_secrets::read_secret;
use strongroom_signer::identity::Identity;
use strongroom_signer::order::{Parts, Signer};

/// Built by cargo for this bench.
const PROGRAM: &str = env!("CARGO_BIN_EXE_strongroom-signer");
const POLL: Duration = Duration::from_millis(10);

/// The only client that the signers answer.
pub(crate) struct Coordinator {
    certificate: rcgen::Certificate,
    key: rcgen::KeyPair,
}

/// A signer that was made, running or not.
pub(crate) struct Process {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

/// A connection by mutual TLS.
pub(crate) struct Link(StreamOwned<ClientConnection, TcpStream>);

impl Coordinator {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["coordinator".to_owned()]).unwrap();
        Self { certificate: parameters.self_signed(&key).unwrap(), key }
    }
}

fn run(arguments: &[&str]) -> String {
    let done = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

impl Process {
    /// Makes a signer with its own command.
    pub(crate) fn make(root: &Path, number: usize, coordinator: &Coordinator) -> Self {
        let folder = root.join(format!("signer-{number}"));
        fs::create_dir(&folder).unwrap();
        let passphrase = folder.join("passphrase");
        fs::write(&passphrase, "of a bench alone\n").unwrap();
        fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(folder.join("coordinator.pem"), coordinator.certificate.pem()).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "listen = \"127.0.0.1:{port}\"\ndata = \"{}\"\nserver_certificate = \"{}\"\n\
             [sealing]\npassphrase_file = \"{}\"\n",
            folder.join("data").display(),
            folder.join("coordinator.pem").display(),
            passphrase.display(),
        );
        fs::write(folder.join("signer.toml"), settings).unwrap();
        let made = Self { folder, port, child: None };
        let (data, passphrase) = (made.data(), passphrase.to_str().unwrap().to_owned());
        let name = format!("signer-{number}");
        let data = data.to_str().unwrap();
        run(&["init", "--name", &name, "--data", data, "--passphrase-file", &passphrase]);
        made
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn said(&self, name: &str) -> String {
        let text = fs::read(self.data().join("enrolment.json")).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        json[name].as_str().unwrap().to_owned()
    }

    pub(crate) fn enrolment(&self) -> Enrolment {
        Enrolment {
            id: self.said("signer").parse().unwrap(),
            identity_key: self.said("identity_key").parse().unwrap(),
            sealing_key: self.said("sealing_key").parse().unwrap(),
            tls_certificate_sha256: self.said("tls_certificate_sha256").parse().unwrap(),
            witness_key: self.said("witness_key").parse().unwrap(),
        }
    }

    pub(crate) fn pin(&self, genesis: Digest) {
        let data = self.data();
        run(&["pin", "--data", data.to_str().unwrap(), "--genesis", &genesis.to_string()]);
    }

    /// Starts it and connects to it.
    pub(crate) fn start(&mut self, coordinator: &Coordinator) -> Link {
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let started = Command::new(PROGRAM)
            .args(["serve", "--config"])
            .arg(self.folder.join("signer.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let child = self.child.insert(started.unwrap());
        let socket = loop {
            assert!(child.try_wait().unwrap().is_none(), "see {}/log", self.folder.display());
            if let Ok(socket) = TcpStream::connect(("127.0.0.1", self.port)) {
                break socket;
            }
            std::thread::sleep(POLL);
        };
        socket.set_nodelay(true).unwrap();
        let mut roots = RootCertStore::empty();
        let certificate = self.said("tls_certificate");
        roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![coordinator.certificate.der().clone()],
                PrivatePkcs8KeyDer::from(coordinator.key.serialize_der()).into(),
            )
            .unwrap();
        let name = "strongroom-signer".try_into().unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        Link(StreamOwned::new(tls, socket))
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let asked =
            Command::new("sh").args(["-c", "kill \"$0\"", &child.id().to_string()]).status();
        assert!(asked.unwrap().success());
        child.wait().unwrap();
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The same signer, in this process.
    pub(crate) fn here(&self, genesis: Digest) -> Signer {
        let passphrase = read_secret(&self.folder.join("passphrase")).unwrap();
        let (identity, sealer) = Identity::open(&self.data(), &passphrase).unwrap();
        let directory = self.data();
        let parts = Parts { identity, sealer, directory, token: None, vault: None, genesis };
        Signer::open(parts).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Link {
    pub(crate) fn send(&mut self, body: &[u8]) {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        self.0.write_all(&[length.as_slice(), &[7; 8], body].concat()).unwrap();
        self.0.flush().unwrap();
    }

    pub(crate) fn receive(&mut self) -> Vec<u8> {
        let mut header = [0; 12];
        self.0.read_exact(&mut header).unwrap();
        let length = u32::from_be_bytes(header[..4].try_into().unwrap());
        let mut body = vec![0; length.try_into().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        body
    }
}
