//! The three programs, built from this tree as it stands. Never one that lies around from before.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Once;

use serde::{Deserialize, Serialize};

use crate::regtest::process::bound_to_us;

/// Where the programs are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds what is not up to date, in the profile of the running program.
    pub fn built() -> Self {
        static BUILT: Once = Once::new();
        let exe = std::env::current_exe().expect("the running program");
        let folder = exe
            .ancestors()
            .find(|path| path.file_name().is_some_and(|name| name == "debug" || name == "release"));
        let folder = folder.expect("a program of cargo's").to_owned();
        let release = folder.ends_with("release");
        BUILT.call_once(|| {
            let mut build = Command::new(std::env::var("CARGO").unwrap_or("cargo".into()));
            build.args(["build", "--quiet", "--locked", "--bins"]);
            for package in ["strongroom-api", "strongroom-signer", "strongroom-replay"] {
                build.args(["-p", package]);
            }
            if release {
                build.arg("--release");
            }
            build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
            let done = bound_to_us(&build).status();
            assert!(done.is_ok_and(|status| status.success()), "the programs must build");
        });
        Self { folder }
    }

    /// `strongroom`
    pub fn server(&self) -> Command {
        Command::new(self.folder.join("strongroom"))
    }

    /// `strongroom-signer`
    pub fn signer(&self) -> Command {
        Command::new(self.folder.join("strongroom-signer"))
    }

    /// `strongroom-replay`
    pub fn replay(&self) -> Command {
        Command::new(self.folder.join("strongroom-replay"))
    }
}

/// Runs a command to its end; a panic with what it said where it fails. Its standard output.
pub(crate) fn run(command: &Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a command to its end, whatever that is.
pub(crate) fn output(command: &Command) -> Output {
    let mut bound = bound_to_us(command);
    bound.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}
