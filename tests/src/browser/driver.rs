//! The process `chromedriver`. It is killed when it is dropped, and its browsers end with it: they
//! hang on a pipe that it holds.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use crate::regtest::process::{Folder, Process, free_port};
use crate::regtest::tool;

/// A running chromedriver.
pub struct Chromedriver {
    /// Where it listens, on loopback.
    pub(super) port: u16,
    /// The browser that it starts.
    pub(super) chromium: PathBuf,
    // Before the folder: the process writes there.
    _process: Process,
    _folder: Folder,
}

impl Chromedriver {
    /// Starts one on a free port. Panics, saying how to get them, where a program is missing.
    pub fn start() -> Self {
        let (driver, chromium) = (tool("chromedriver"), tool("chromium"));
        let (folder, port) = (Folder::temporary(), free_port());
        let mut command = Command::new(driver);
        command.arg(format!("--port={port}"));
        // Profiles lie where they are removed with everything else.
        command.env("TMPDIR", folder.path());
        // It keeps connections open that ask for the opposite: `answers` would wait for their end.
        let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        let process = Process::start(command, folder.path(), listens);
        Self { port, chromium, _process: process, _folder: folder }
    }
}
