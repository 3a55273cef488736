//! A SoftHSM token of its own: real PKCS#11, in software. Never shared between two signers.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{programs::run, random_text, write_private};

/// Where Debian puts the library.
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// A token and how to log in.
#[derive(Clone, Debug)]
pub struct Hsm {
    /// `SOFTHSM2_CONF`
    pub configuration: PathBuf,
    /// The PKCS#11 library.
    pub module: PathBuf,
    /// The token's label.
    pub label: String,
    /// File with its user PIN.
    pub pin_file: PathBuf,
    /// Where the token's objects lie.
    pub objects: PathBuf,
}

impl Hsm {
    /// Initialises a token in `folder`.
    pub fn init(folder: &Path) -> Self {
        let module =
            PathBuf::from(std::env::var("STRONGROOM_SOFTHSM_MODULE").unwrap_or(MODULE.into()));
        assert!(module.is_file(), "{} is missing: run scripts/install", module.display());
        let objects = folder.join("tokens");
        std::fs::create_dir_all(&objects).expect("a folder");
        let configuration = folder.join("softhsm2.conf");
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            objects.display()
        );
        std::fs::write(&configuration, text).expect("a file");
        let (pin_file, label) = (folder.join("pin"), "strongroom".to_owned());
        let pin = random_text();
        write_private(&pin_file, &pin);
        // The tool takes PINs only as arguments; it runs for a moment, on a test's own token.
        run(Command::new("softhsm2-util").env("SOFTHSM2_CONF", &configuration).args([
            "--init-token",
            "--free",
            "--label",
            &label,
            "--pin",
            &pin,
            "--so-pin",
            &random_text(),
        ]));
        Self { configuration, module, label, pin_file, objects }
    }
}
