//! A file key and the program that holds it, on a terminal as a person has one.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use strongroom_tests::deployment::Programs;

use super::{House, NETWORK};

/// One cosigner's machine.
pub(super) struct Cosigner {
    data: PathBuf,
    passphrase: PathBuf,
}

impl Cosigner {
    /// Makes the key at a pseudo-terminal (`script`, util-linux), where its words are shown once.
    pub(super) fn new(programs: &Programs, folder: &Path, number: usize) -> Self {
        let data = folder.join(format!("cosigner-{number}"));
        let passphrase = folder.join(format!("passphrase-{number}"));
        fs::write(&passphrase, "long and never used elsewhere").unwrap();
        fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
        let cosigner = Self { data, passphrase };
        let arguments = [["offline", "new"].map(OsStr::new).as_slice(), &cosigner.file()].concat();
        let piped = programs.signer().args(&arguments).output().unwrap();
        assert!(!piped.status.success(), "words are for a terminal");
        assert!(!cosigner.data.exists());
        let program = programs.signer();
        let words = std::iter::once(program.get_program()).chain(arguments);
        let line = words.map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ");
        let mut terminal = Command::new("script");
        let shown = run(terminal.args(["-qec", &line, "/dev/null"]), "\n").unwrap();
        assert!(shown.contains("24  ") && shown.contains("fingerprint "), "no words");
        cosigner
    }

    pub(super) fn key(&self, programs: &Programs) -> String {
        let arguments = ["xpub", "--path", "48h/2h/0h/2h"].map(OsStr::new);
        let arguments = [arguments.as_slice(), &self.file()].concat();
        offline(programs, arguments, "").unwrap().trim().to_owned()
    }

    /// What the person reads, after typing that.
    pub(super) fn sign(
        &self,
        house: &House,
        psbt: &Path,
        out: &Path,
        typed: &str,
    ) -> Result<String, String> {
        let mut arguments = vec![OsStr::new("sign")];
        arguments.extend(self.file());
        arguments.extend(NETWORK.map(OsStr::new));
        arguments.extend([OsStr::new("--descriptor"), house.descriptor.as_os_str()]);
        arguments.extend([OsStr::new("--psbt"), psbt.as_os_str()]);
        arguments.extend([OsStr::new("--out"), out.as_os_str()]);
        offline(&house.programs, arguments, typed)
    }

    /// Its part of a key's proof, as the program prints it.
    pub(super) fn prove(&self, programs: &Programs, statement: &Path) -> String {
        let mut arguments = vec![OsStr::new("prove")];
        arguments.extend(self.file());
        arguments.extend([OsStr::new("--statement"), statement.as_os_str()]);
        let refused = offline(programs, &arguments, "yes\n").unwrap_err();
        assert!(refused.contains("nothing was signed"), "{refused}");
        offline(programs, arguments, "prove\n").unwrap()
    }

    pub(super) fn file(&self) -> [&OsStr; 4] {
        let (data, passphrase) = (self.data.as_os_str(), self.passphrase.as_os_str());
        [OsStr::new("--data"), data, OsStr::new("--passphrase-file"), passphrase]
    }
}

/// `strongroom-signer offline …`: what it prints, or why it refuses.
pub(super) fn offline(
    programs: &Programs,
    arguments: impl IntoIterator<Item: AsRef<OsStr>>,
    typed: &str,
) -> Result<String, String> {
    run(programs.signer().arg("offline").args(arguments), typed)
}

/// What a program prints after that was typed, or why it refuses.
pub(super) fn run(command: &mut Command, typed: &str) -> Result<String, String> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // Dropped at once: what follows the line is the end.
    let mut input = child.stdin.take().unwrap();
    let _ = input.write_all(typed.as_bytes());
    drop(input);
    let ended = child.wait_with_output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if ended.status.success() { Ok(said(&ended.stdout)) } else { Err(said(&ended.stderr)) }
}
