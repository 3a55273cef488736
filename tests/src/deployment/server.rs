//! The server process and its configuration.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::regtest::process::{Process, answers, assert_free};

use super::{Networks, Programs, SignerProcess};

/// The server, running or not.
pub struct Server {
    /// Its folder: configuration, log.
    pub folder: PathBuf,
    /// Its data: the log, the read model.
    pub data: PathBuf,
    /// Where it listens.
    pub port: u16,
    programs: Programs,
    process: Option<Process>,
}

impl Server {
    /// Writes `strongroom.toml`.
    pub(super) fn configure(
        programs: &Programs,
        root: &Path,
        signers: &[SignerProcess],
        networks: &Networks,
        port: u16,
    ) -> Self {
        let folder = root.join("server");
        let data = folder.join("data");
        let mut text = format!(
            "listen = \"127.0.0.1:{port}\"\ndata = {data:?}\npassphrase_file = {:?}\n",
            folder.join("passphrase")
        );
        for signer in signers {
            let _ = write!(
                text,
                "\n[[signers]]\nid = \"{}\"\naddress = \"127.0.0.1:{}\"\ncertificate_file = {:?}\n",
                signer.id,
                signer.port,
                signer.certificate()
            );
        }
        text.push_str(&networks.configuration(&folder));
        std::fs::write(folder.join("strongroom.toml"), text).expect("a file");
        Self { folder, data, port, programs: programs.clone(), process: None }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it and waits until it answers. Panics where another program has its port.
    pub fn start(&mut self) {
        assert_free(self.port);
        let mut command = self.programs.server();
        command.arg("serve").arg("--config").arg(self.folder.join("strongroom.toml"));
        let ready = || answers(self.port, "/healthz");
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

    /// What it has logged.
    pub fn log(&self) -> PathBuf {
        self.folder.join("strongroom.log")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("a running server").id()
    }
}
