//! The server process and its configuration.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::regtest::process::{Process, answers, assert_free, free_port};

use super::{Networks, Programs, SignerProcess, programs::output};

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
        (networks, log): (&Networks, Option<&str>),
        port: u16,
    ) -> Self {
        let folder = root.join("server");
        let data = folder.join("data");
        let mut text = format!(
            "listen = \"127.0.0.1:{port}\"\ndata = {data:?}\npassphrase_file = {:?}\n",
            folder.join("passphrase")
        );
        if let Some(location) = log {
            let _ = write!(text, "\n[log_store]\nlocation = {location:?}\n");
        }
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

    /// Has it hold ledger, chains and read model against one another every second, from its next
    /// start on; differences are `owner`'s affair.
    pub fn reconcile(&self, owner: &str) {
        let path = self.folder.join("strongroom.toml");
        let mut text = std::fs::read_to_string(&path).expect("a configuration");
        let _ = write!(text, "\n[reconciliation]\nowner = {owner:?}\nevery_s = 1\n");
        std::fs::write(&path, text).expect("a configuration");
    }

    /// Has it reach one more signer, from its next start on: once the charter enrols it.
    pub fn reach(&self, signer: &SignerProcess) {
        let path = self.folder.join("strongroom.toml");
        let text = std::fs::read_to_string(&path).expect("a configuration");
        let entry = format!(
            "\n[[signers]]\nid = \"{}\"\naddress = \"127.0.0.1:{}\"\ncertificate_file = {:?}\n",
            signer.id,
            signer.port,
            signer.certificate()
        );
        std::fs::write(&path, text + &entry).expect("a configuration");
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

    /// Starts it where it must not serve; what it said when it ended. Panics where it serves.
    pub fn refuses(&self) -> String {
        let mut command = std::process::Command::new("timeout");
        command.arg("60").arg(self.programs.server().get_program());
        command.arg("serve").arg("--config").arg(self.folder.join("strongroom.toml"));
        let ended = output(&command);
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        let said = said + &String::from_utf8_lossy(&ended.stderr);
        // What `timeout` says when it had to end it.
        assert_ne!(ended.status.code(), Some(124), "it serves:\n{said}");
        assert!(!ended.status.success(), "it ended well:\n{said}");
        said
    }

    /// A second server for the same log: a copy of this one's folder, on another port. Its log is
    /// the one that the configuration names; what is left out is made by each server for itself.
    #[must_use]
    pub fn twin(&self, folder: &Path) -> Self {
        let port = free_port();
        let data = folder.join("data");
        std::fs::create_dir_all(&data).expect("a folder");
        for from in [&self.folder, &self.data] {
            for entry in from.read_dir().expect("a folder").flatten() {
                let name = entry.file_name();
                let name = name.to_str().expect("a name");
                let own = ["read.db", "strongroom.log"].iter().any(|own| name.starts_with(own));
                if entry.path().is_file() && !own {
                    let into = if *from == self.data { &data } else { folder };
                    std::fs::copy(entry.path(), into.join(name)).expect("a copy");
                }
            }
        }
        let path = folder.join("strongroom.toml");
        let text = std::fs::read_to_string(&path).expect("a configuration");
        let old = |path: &Path| path.display().to_string();
        let listen = |port: u16| format!("listen = \"127.0.0.1:{port}\"");
        let text = text
            .replace(&listen(self.port), &listen(port))
            .replace(&old(&self.folder), &old(folder));
        std::fs::write(&path, text).expect("a configuration");
        let programs = self.programs.clone();
        Self { folder: folder.to_owned(), data, port, programs, process: None }
    }

    /// Starts it and waits until it says that it stands by. Panics where it serves.
    pub fn stand_by(&mut self) {
        assert_free(self.port);
        let mut command = self.programs.server();
        command.arg("serve").arg("--config").arg(self.folder.join("strongroom.toml"));
        let log = self.log();
        let said = || std::fs::read_to_string(&log).is_ok_and(|text| text.contains("standby"));
        self.process = Some(Process::start(command, &self.folder, said));
        assert!(!answers(self.port, "/healthz"), "a standby serves");
    }

    /// Waits until a standby has taken over.
    pub fn await_service(&self) {
        let started = std::time::Instant::now();
        while !answers(self.port, "/healthz") {
            assert!(started.elapsed() < crate::journey::PATIENCE, "the standby does not take over");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
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

    /// Sends a signal by name, such as `STOP` and `CONT`.
    pub fn signal(&self, signal: &str) {
        self.process.as_ref().expect("a running server").signal(signal);
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("a running server").id()
    }
}
