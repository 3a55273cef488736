//! A whole Strongroom as real processes: server, four signers, an HSM, chain nodes. For tests and
//! the quick start; never product code, and nothing in it is simulated.
//!
//! Everything here blocks and panics, as in [`crate::regtest`]: a scaffold that cannot stand is a
//! failed test.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::unnecessary_debug_formatting,
    clippy::format_push_string,
    clippy::print_stdout,
    reason = "a scaffold that cannot stand is a failed test, which is what a panic says; and TOML \
              wants its paths quoted and escaped"
)]

mod captives;
mod client;
mod desk;
mod hsm;
mod institution;
mod networks;
mod programs;
mod server;
mod signers;
mod twins;

pub use captives::Captives;
pub use client::{Answer, Client};
pub use desk::Desk;
pub use hsm::Hsm;
pub use institution::{APPROVERS, Institution, Person, WAITS_ABOVE, WAITS_S};
pub use networks::Networks;
pub use programs::Programs;
pub use server::Server;
pub use signers::SignerProcess;
pub use twins::{Hang, give_twin, replicate, token};

use std::path::{Path, PathBuf};

use crate::regtest::process::free_port;

/// A running Strongroom.
pub struct Deployment {
    /// Where everything lies: logs, data, configurations.
    pub root: PathBuf,
    /// Where its people sit.
    pub desk: Desk,
    /// Chain nodes.
    pub networks: Networks,
    /// Three with FROST shares, one with the HSM.
    pub signers: Vec<SignerProcess>,
    /// The server.
    pub server: Server,
}

impl Deployment {
    /// Founds an institution in an empty folder and starts everything.
    pub fn found(root: &Path, networks: Networks) -> Self {
        Self::found_at(root, networks, free_port())
    }

    /// As [`Self::found`], with the server on a port of the caller's choice.
    pub fn found_at(root: &Path, networks: Networks, port: u16) -> Self {
        Self::found_with(root, networks, port, None)
    }

    /// As [`Self::found`], with the log where the location says.
    pub fn found_on(root: &Path, networks: Networks, log: &str) -> Self {
        Self::found_with(root, networks, free_port(), Some(log))
    }

    fn found_with(root: &Path, networks: Networks, port: u16, log: Option<&str>) -> Self {
        std::fs::create_dir_all(root).expect("the folder can be made");
        let root = root.canonicalize().expect("a path");
        let programs = Programs::built();
        let mut signers = SignerProcess::init_all(&programs, &root);
        let institution = Institution::found(&programs, &root, &signers, log);
        for signer in &mut signers {
            signer.pin(&institution.genesis);
            signer.start();
        }
        let server = Server::configure(&programs, &root, &signers, (&networks, log), port);
        let ids = signers.iter().map(|signer| signer.id.clone()).collect();
        let on = networks.all();
        let desk = Desk { programs, institution, url: server.url(), signers: ids, networks: on };
        desk.save(&root);
        let mut deployment = Self { root, desk, networks, signers, server };
        deployment.server.start();
        deployment.assert_ours();
        deployment
    }

    /// Whoever answers on the server's port has the log that was founded here.
    fn assert_ours(&self) {
        let institution = &self.desk.institution;
        let first = self.desk.client(&institution.auditor).get("/events?limit=1").ok();
        let leaf = &first["items"][0]["leaf"];
        assert_eq!(*leaf, institution.genesis.as_str(), "a stranger at {}", self.desk.url);
    }

    /// Ends every process in good order.
    pub fn stop(&mut self) {
        self.server.stop();
        for signer in &mut self.signers {
            signer.stop();
        }
        self.networks.stop();
    }

    /// The log on disk.
    pub fn log_file(&self) -> PathBuf {
        self.server.data.join("log.db")
    }
}

/// Writes a file that only its owner reads: passphrases, PINs.
pub(crate) fn write_private(path: &Path, text: &str) {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let mut file =
        options.write(true).create(true).truncate(true).mode(0o600).open(path).expect("a file");
    file.write_all(text.as_bytes()).expect("a written file");
}

/// Random text, for passphrases and PINs.
pub(crate) fn random_text() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
