//! Tokens that hold the same key, and what is done to one. Only SoftHSM's files are touched: an HSM's
//! vendor has means of its own to replicate a key.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Hsm, SignerProcess};
use crate::regtest::process::bound_to_us;

/// Copies what a token's directory holds.
pub fn replicate(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in from.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            replicate(&path, &target);
        } else {
            std::fs::copy(&path, target).expect("a copy");
        }
    }
}

/// The directory of a signer's one token.
pub fn token(signer: &SignerProcess) -> PathBuf {
    let objects = &signer.hsm.as_ref().expect("a signer with a token").objects;
    let mut tokens = objects.read_dir().expect("a folder");
    tokens.next().expect("a token").expect("an entry").path()
}

/// Gives a signer a token of its own that is the maker's twin, and restarts it with that.
pub fn give_twin(of_maker: &Hsm, to: &mut SignerProcess) {
    let (objects, configuration) = (to.folder.join("tokens"), to.folder.join("softhsm2.conf"));
    replicate(&of_maker.objects, &objects);
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        objects.display()
    );
    std::fs::write(&configuration, text).expect("a file");
    let pin_file = to.folder.join("pin");
    std::fs::copy(&of_maker.pin_file, &pin_file).expect("a copy");
    to.stop();
    to.hsm = Some(Hsm { configuration, pin_file, objects, ..of_maker.clone() });
    to.start();
}

/// Holds the locks of a SoftHSM token's files for as long as it lives: every call that looks at an
/// object hangs.
pub struct Hang(Child);

impl Hang {
    /// Returns when the locks are held.
    pub fn begin(token: &Path) -> Self {
        let program = "import fcntl, glob, sys\n\
            files = [open(path, 'r+') for path in glob.glob(sys.argv[1] + '/*')]\n\
            [fcntl.lockf(file, fcntl.LOCK_EX) for file in files]\n\
            print('held', flush=True)\n\
            sys.stdin.read()\n";
        let mut command = Command::new("python3");
        command.args(["-c", program]).arg(token);
        let mut command = bound_to_us(&command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut held = command.spawn().expect("python3 must be installed");
        let mut line = String::new();
        let said = held.stdout.take().expect("its words");
        BufReader::new(said).read_line(&mut line).expect("a line");
        assert_eq!(line, "held\n");
        Self(held)
    }
}

impl Drop for Hang {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It ends with its input.
        let _ = self.0.wait();
    }
}
