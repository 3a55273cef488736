//! Signer processes. Each has its own folder, passphrase and port; none knows the others.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::regtest::process::{Process, assert_free, free_port};

use super::{Hsm, Programs, programs::run, random_text, write_private};

/// How many signers hold FROST shares; one more has the HSM.
const SHARE_HOLDERS: usize = 3;

/// A signer, running or not.
pub struct SignerProcess {
    /// Its id in the charter.
    pub id: String,
    /// Its folder: configuration, log.
    pub folder: PathBuf,
    /// Its data.
    pub data: PathBuf,
    /// Where it listens.
    pub port: u16,
    /// Its token, for the fourth one.
    pub hsm: Option<Hsm>,
    /// What seals its files instead of the passphrase: tables of its settings.
    sealed_by: Option<String>,
    programs: Programs,
    process: Option<Process>,
}

impl SignerProcess {
    /// Makes the identities of all signers.
    pub fn init_all(programs: &Programs, root: &Path) -> Vec<Self> {
        (1..=SHARE_HOLDERS + 1).map(|number| Self::init(programs, root, number)).collect()
    }

    /// Makes the identity of one more, without a token.
    pub fn one_more(programs: &Programs, root: &Path, number: usize) -> Self {
        Self::make(programs, root, number, false)
    }

    fn init(programs: &Programs, root: &Path, number: usize) -> Self {
        Self::make(programs, root, number, number > SHARE_HOLDERS)
    }

    fn make(programs: &Programs, root: &Path, number: usize, with_token: bool) -> Self {
        let folder = root.join(format!("signer-{number}"));
        let data = folder.join("data");
        std::fs::create_dir_all(&folder).expect("a folder");
        write_private(&folder.join("passphrase"), &random_text());
        let enrolment = run(programs
            .signer()
            .args(["init", "--name", &format!("signer-{number}"), "--data"])
            .arg(&data)
            .arg("--passphrase-file")
            .arg(folder.join("passphrase")));
        let enrolment: serde_json::Value = serde_json::from_str(&enrolment).expect("JSON");
        let id = enrolment["signer"].as_str().expect("an id").to_owned();
        let certificate = enrolment["tls_certificate"].as_str().expect("a certificate");
        std::fs::write(folder.join("certificate.pem"), certificate).expect("a file");
        let hsm = with_token.then(|| Hsm::init(&folder));
        let programs = programs.clone();
        Self { id, folder, data, port: free_port(), hsm, sealed_by: None, programs, process: None }
    }

    /// Its enrolment file.
    pub fn enrolment(&self) -> PathBuf {
        self.data.join("enrolment.json")
    }

    /// Its TLS certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// Pins the log that it will follow.
    pub fn pin(&self, genesis: &str) {
        run(self
            .programs
            .signer()
            .arg("pin")
            .arg("--data")
            .arg(&self.data)
            .args(["--genesis", genesis]));
    }

    fn configuration(&self) -> PathBuf {
        let root = self.folder.parent().expect("a root");
        let mut text = format!(
            "listen = \"127.0.0.1:{}\"\ndata = {:?}\nserver_certificate = {:?}\n",
            self.port,
            self.data,
            root.join("server/data/server.pem"),
        );
        match &self.sealed_by {
            Some(tables) => text.push_str(tables),
            None => text.push_str(&format!(
                "[sealing]\npassphrase_file = {:?}\n",
                self.folder.join("passphrase")
            )),
        }
        if let Some(hsm) = &self.hsm {
            text.push_str(&format!(
                "\n[token]\nmodule = {:?}\nlabel = {:?}\npin_file = {:?}\n",
                hsm.module, hsm.label, hsm.pin_file
            ));
        }
        let path = self.folder.join("signer.toml");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Moves its files to another key, by its own command. It must not be running.
    pub fn reseal(&mut self, tables: &str) {
        let before = self.folder.join("before.toml");
        std::fs::copy(self.configuration(), &before).expect("a file");
        self.sealed_by = Some(tables.to_owned());
        let mut command = self.programs.signer();
        command.arg("reseal").arg("--config").arg(before).arg("--to").arg(self.configuration());
        if let Some(hsm) = &self.hsm {
            command.env("SOFTHSM2_CONF", &hsm.configuration);
        }
        run(&command);
    }

    /// Starts it without waiting: it may wait itself, for the key that seals its files.
    pub fn launch(&mut self) {
        self.start_until(|| true);
    }

    /// Starts it and waits until it listens. Panics where another program has its port.
    pub fn start(&mut self) {
        let address = format!("127.0.0.1:{}", self.port);
        self.start_until(|| std::net::TcpStream::connect(&address).is_ok());
    }

    fn start_until(&mut self, ready: impl Fn() -> bool) {
        assert_free(self.port);
        let mut command = self.programs.signer();
        command.arg("serve").arg("--config").arg(self.configuration());
        if let Some(hsm) = &self.hsm {
            command.env("SOFTHSM2_CONF", &hsm.configuration);
        }
        self.process = Some(Process::start(command, &self.folder, ready));
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        drop(self.process.take());
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop("TERM");
        }
    }

    /// Sends a signal by name, such as `STOP` and `CONT`.
    pub fn signal(&self, signal: &str) {
        self.process.as_ref().expect("a running signer").signal(signal);
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.process.as_ref().expect("a running signer").id()
    }

    /// What it has logged.
    pub fn log(&self) -> PathBuf {
        self.folder.join("strongroom-signer.log")
    }

    /// A command of the token's tools.
    pub fn token_tool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some(hsm) = &self.hsm {
            command.env("SOFTHSM2_CONF", &hsm.configuration);
        }
        command
    }
}
