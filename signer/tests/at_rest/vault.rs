//! A Vault of the tests' own: the server of scripts/vault, a real one, with storage, unsealing, policies
//! and TLS. Never one that pretends: what it refuses, Vault refuses.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use strongroom_vault::{Vault, VaultSettings};

use super::write_private;

const READY_WITHIN: Duration = Duration::from_mins(1);

/// A server, running or not.
pub(crate) struct TestVault {
    home: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
    unseal_key: String,
    root: String,
}

impl TestVault {
    /// Initialised, unsealed, with the engine mounted and the policy of docs/at-rest.md.
    pub(crate) fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        certify(home.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut vault =
            Self { home, port, process: None, unseal_key: String::new(), root: String::new() };
        fs::create_dir(vault.home.path().join("storage")).unwrap();
        vault.run();
        let made =
            vault.must("PUT", "sys/init", &json!({ "secret_shares": 1, "secret_threshold": 1 }));
        made["keys"][0].as_str().unwrap().clone_into(&mut vault.unseal_key);
        made["root_token"].as_str().unwrap().clone_into(&mut vault.root);
        vault.unseal();
        vault.must("POST", "sys/mounts/transit", &json!({ "type": "transit" }));
        vault.must("PUT", "sys/policies/acl/strongroom-signer", &json!({ "policy": POLICY }));
        let token = json!({ "policies": ["strongroom-signer"], "ttl": "1h", "no_parent": true });
        let made = vault.must("POST", "auth/token/create", &token);
        write_private(&vault.token_file(), made["auth"]["client_token"].as_str().unwrap());
        vault
    }

    pub(crate) fn token_file(&self) -> PathBuf {
        self.home.path().join("token")
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.home.path().join("ca.pem")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.home.path().join("vault.sock")
    }

    pub(crate) fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// `[vault]` of a `signer.toml`.
    pub(crate) fn table(&self) -> String {
        format!(
            "[vault]\naddress = '{}'\nca_certificate = '{}'\ntoken_file = '{}'\n",
            self.address(),
            self.authority().display(),
            self.token_file().display()
        )
    }

    pub(crate) fn settings(&self) -> VaultSettings {
        VaultSettings {
            address: self.address().parse().unwrap(),
            ca_certificate: Some(self.authority()),
            token_file: Some(self.token_file()),
            mount: "transit".to_owned(),
            namespace: None,
            time_limit: Duration::from_secs(10),
        }
    }

    pub(crate) fn client(&self) -> Vault {
        Vault::new(self.settings()).unwrap()
    }

    /// A key that may wrap, as an operator makes one.
    pub(crate) fn make_kek(&self, name: &str) {
        self.must("POST", &format!("transit/keys/{name}"), &json!({ "type": "aes256-gcm96" }));
    }

    pub(crate) fn run(&mut self) {
        let _ = fs::remove_file(self.socket());
        let home = self.home.path();
        let log = fs::File::options().create(true).append(true).open(home.join("log")).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program());
        command.arg("-data").arg(home.join("storage")).arg("-socket").arg(self.socket());
        command.args(["-listen", &format!("127.0.0.1:{}", self.port)]);
        command.arg("-certificate").arg(home.join("server.pem"));
        command.arg("-key").arg(home.join("server.key"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().expect("setpriv (util-linux) starts it"));
        let started = Instant::now();
        while self.ask("GET", "sys/seal-status", &Value::Null).is_none() {
            let said = || fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
            assert!(started.elapsed() < READY_WITHIN, "Vault does not start: {}", said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// `STOP` makes it hang, `CONT` go on.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        let sent =
            Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        // A signal is only sent: until every thread has stopped, one of them may still answer.
        while signal == "STOP" && !is_stopped(&id) {
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn seal(&self) {
        self.must("PUT", "sys/seal", &json!({}));
    }

    pub(crate) fn unseal(&self) {
        self.must("PUT", "sys/unseal", &json!({ "key": self.unseal_key }));
    }

    /// One request as root; a panic unless it is done.
    pub(crate) fn must(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body).expect("a Vault that runs");
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// HTTP/1.0 over the socket, where nothing needs a library. `None` while nobody answers.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
        let mut stream = UnixStream::connect(self.socket()).ok()?;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} /v1/{path} HTTP/1.0\r\nHost: vault\r\nX-Vault-Token: {}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.root,
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
    }
}

impl Drop for TestVault {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// What docs/at-rest.md gives a signer: to use its keys and to read what they are, nothing else.
const POLICY: &str = r#"
path "transit/keys/+" { capabilities = ["read", "create", "update"] }
path "transit/encrypt/+" { capabilities = ["update"] }
path "transit/decrypt/+" { capabilities = ["update"] }
path "transit/sign/+" { capabilities = ["update"] }
"#;

fn program() -> PathBuf {
    let named = std::env::var_os("STRONGROOM_VAULTCORE").map(PathBuf::from);
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/bin/vaultcore");
    let program = named.unwrap_or(ours);
    assert!(program.is_file(), "{} is missing: run scripts/install", program.display());
    program
}

/// An authority, and a certificate of it for 127.0.0.1.
fn certify(home: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    fs::write(home.join("ca.pem"), authority.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let server = params.signed_by(&key, &authority).unwrap();
    fs::write(home.join("server.pem"), server.pem()).unwrap();
    write_private(&home.join("server.key"), &key.serialize_pem());
}

/// Whether the kernel says so of each of its threads (`proc_pid_stat(5)`: the state follows the name).
fn is_stopped(process: &str) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
    })
}
