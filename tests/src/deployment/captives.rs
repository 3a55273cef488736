//! Real signers without a server: whoever holds their server's TLS identity is all the server they
//! know. For tests that play a stolen server; never part of a deployment that works.

use std::path::Path;

use strongroom_api::data_directory::{DataDirectory, TlsIdentity};
use strongroom_secrets::read_secret;

use super::{Programs, SignerProcess, programs::run, random_text, write_private};

/// Signers that are not started yet, and what their server would identify itself with.
pub struct Captives {
    /// Three for FROST shares, one with an HSM.
    pub signers: Vec<SignerProcess>,
    /// The one identity that they answer.
    pub identity: TlsIdentity,
}

impl Captives {
    /// Makes all identities in an empty folder, with the product's own commands.
    pub fn init(root: &Path) -> Self {
        let programs = Programs::built();
        let identity = Self::server_identity(&programs, &root.join("server"));
        Self { signers: SignerProcess::init_all(&programs, root), identity }
    }

    /// A server's identity of its own: signers answer it only if they were given its certificate.
    pub fn server_identity(programs: &Programs, folder: &Path) -> TlsIdentity {
        std::fs::create_dir_all(folder).expect("a folder");
        let (data, passphrase) = (folder.join("data"), folder.join("passphrase"));
        write_private(&passphrase, &random_text());
        run(programs
            .server()
            .arg("init")
            .arg("--data")
            .arg(&data)
            .arg("--passphrase-file")
            .arg(&passphrase));
        let secret = read_secret(&passphrase).expect("a passphrase");
        DataDirectory::open(&data).and_then(|data| data.keys(&secret)).expect("an identity").0
    }
}
