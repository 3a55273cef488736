//! The program `strongroom-signer` as an operator runs it: what it waits for, what it leaves on disk and
//! in memory. Nothing but the real program and a real Vault is run here.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rcgen::{CertificateParams, KeyPair};

use super::{vault::TestVault, write_private};

const PASSPHRASE: &str = "canary-passphrase-5d1c7e20";
const WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// A signer's folder: settings, secrets, data.
struct Home {
    folder: tempfile::TempDir,
    port: u16,
}

/// A running one; killed when dropped.
struct Running(Child);

impl Home {
    /// With a passphrase at hand, and the rest of the settings.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_private(&folder.path().join("passphrase"), PASSPHRASE);
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        fs::write(folder.path().join("server.pem"), server.pem()).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder, port }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes settings that seal like this.
    fn settings(&self, name: &str, sealing: &str) -> PathBuf {
        let text = format!(
            "listen = '127.0.0.1:{}'\ndata = '{}'\nserver_certificate = '{}'\n{sealing}",
            self.port,
            self.path("data").display(),
            self.path("server.pem").display(),
        );
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn passphrase(&self) -> PathBuf {
        let file = self.path("passphrase");
        let sealing = format!("[sealing]\npassphrase_file = '{}'\n", file.display());
        self.settings("passphrase.toml", &sealing)
    }

    fn vault(&self, vault: &TestVault) -> PathBuf {
        let sealing = format!("[sealing]\nvault_key = \"kek\"\n{}", vault.table());
        self.settings("vault.toml", &sealing)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom-signer"));
        command.args(words).current_dir(self.folder.path());
        command
    }

    fn done(&self, words: &[&str]) -> Output {
        let output = self.command(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", told(&output));
        output
    }

    fn init(&self, settings: &Path) {
        let (data, settings) = (self.path("data"), settings.display().to_string());
        let data = data.to_str().unwrap();
        self.done(&["init", "--data", data, "--name", "signer 1", "--config", &settings]);
        self.done(&["pin", "--data", data, "--genesis", &"ab".repeat(32)]);
    }

    /// Started, not yet ready.
    fn serve(&self, settings: &Path) -> Running {
        let mut command = self.command(&["serve", "--config"]);
        command.arg(settings).stdin(Stdio::null()).stdout(Stdio::null());
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        Running(command.stderr(log).spawn().unwrap())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn listens(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < WITHIN, "{what} did not come: {}", self.log());
            thread::sleep(POLL);
        }
    }
}

impl Running {
    fn id(&self) -> u32 {
        self.0.id()
    }

    fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        let sent =
            Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    fn end(mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn told(output: &Output) -> String {
    [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat()
}

#[test]
fn a_signer_that_starts_before_its_vault_waits_for_it() {
    let (home, vault) = (Home::new(), TestVault::start());
    vault.make_kek("kek");
    let settings = home.vault(&vault);
    home.init(&settings);
    vault.seal();
    let running = home.serve(&settings);
    home.until("a word about the wait", || home.log().contains("waiting for the key"));
    assert!(home.log().contains("can't be used now"), "{}", home.log());
    assert!(!home.listens());
    vault.unseal();
    home.until("listening", || home.listens());
    // Without its Vault it runs on.
    vault.seal();
    assert!(home.listens());
    running.signal("TERM");
    assert!(running.end().success(), "{}", home.log());
    let token = fs::read_to_string(vault.token_file()).unwrap();
    assert!(!home.log().contains(token.trim()));
}

#[test]
fn a_wrong_key_stops_the_start_with_a_word_about_what_is_right() {
    let (home, vault) = (Home::new(), TestVault::start());
    vault.make_kek("kek");
    home.init(&home.vault(&vault));
    let refused = home.command(&["serve", "--config"]).arg(home.passphrase()).output().unwrap();
    assert!(!refused.status.success());
    let words = told(&refused);
    assert!(words.contains("is sealed under a Vault key, not under a passphrase"), "{words}");
    assert!(!words.contains(PASSPHRASE));
}

#[test]
fn an_operator_makes_the_wrapping_key_and_a_signer_under_it() {
    let home = Home::new();
    let (configuration, tokens) = (home.path("softhsm2.conf"), home.path("tokens"));
    fs::create_dir(&tokens).unwrap();
    fs::write(&configuration, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    write_private(&home.path("pin"), "123456");
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "strongroom"])
        .args(["--so-pin", "654321", "--pin", "123456"])
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .expect("softhsm2-util must be installed (Debian: softhsm2)");
    assert!(made.status.success(), "{}", told(&made));
    let settings = home.settings(
        "token.toml",
        &format!(
            "[sealing]\ntoken_key = \"files\"\n[token]\nmodule = {:?}\nlabel = \"strongroom\"\n\
             pin_file = '{}'\n",
            std::env::var("STRONGROOM_SOFTHSM_MODULE")
                .unwrap_or_else(|_| "/usr/lib/softhsm/libsofthsm2.so".to_owned()),
            home.path("pin").display(),
        ),
    );
    let settings = settings.to_str().unwrap();
    let run =
        |words: &[&str]| home.command(words).env("SOFTHSM2_CONF", &configuration).output().unwrap();
    let data = home.path("data");
    let init = ["init", "--data", data.to_str().unwrap(), "--name", "s", "--config", settings];
    let early = run(&init);
    assert!(!early.status.success(), "no key is made by chance: {}", told(&early));
    let made = run(&["wrapping-key", "--config", settings]);
    assert!(made.status.success(), "{}", told(&made));
    let again = run(&["wrapping-key", "--config", settings]);
    assert!(!again.status.success(), "never a second one: {}", told(&again));
    let made = run(&init);
    assert!(made.status.success(), "after a failed try, too: {}", told(&made));
    let refused = run(&["serve", "--config", home.passphrase().to_str().unwrap()]);
    assert!(!refused.status.success());
}

#[test]
fn a_reseal_by_the_program_may_be_killed_at_any_time() {
    let (home, vault) = (Home::new(), TestVault::start());
    vault.make_kek("kek");
    let (old, new) = (home.passphrase(), home.vault(&vault));
    home.init(&old);
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let words = ["reseal", "--config", old, "--to", new];
    for wait in [0, 60, 150, 250, 350, 450] {
        let mut child =
            home.command(&words).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(told(&home.done(&words)).contains("2 files resealed"));
    assert!(told(&home.done(&words)).contains("2 files resealed"), "done again, nothing changes");
    let running = home.serve(Path::new(new));
    home.until("listening", || home.listens());

    let beside = home.command(&words).output().unwrap();
    assert!(!beside.status.success(), "not beside the running signer: {}", told(&beside));
    drop(running);
    let back = ["reseal", "--config", new, "--to", old];
    home.done(&back);
    let _running = home.serve(Path::new(old));
    home.until("listening", || home.listens());
}

/// A field of /proc/<pid>/status, without its unit.
fn status(id: u32, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn its_memory_is_locked_and_its_core_limit_nothing() {
    let home = Home::new();
    home.init(&home.passphrase());
    let running = home.serve(&home.passphrase());
    home.until("listening", || home.listens());
    let limits = fs::read_to_string(format!("/proc/{}/limits", running.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    assert!(status(running.id(), "VmLck:") > 0);
    let log = home.log();
    assert!(log.contains("core dumps: off; debuggers: shut out; memory: "), "{log}");
    // Where the system allows it, all of it; the log says which.
    let all = limits.lines().find(|line| line.starts_with("Max locked memory")).unwrap();
    assert_eq!(all.contains("unlimited"), log.contains("memory: locked"), "{all}\n{log}");
}

#[test]
fn under_a_limit_the_pages_of_secrets_are_locked_and_the_log_says_so() {
    let home = Home::new();
    home.init(&home.passphrase());
    let settings = home.passphrase();
    // As another user, for whom limits hold; root gives them back to itself.
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_strongroom-signer");
    let script = "ulimit -S -l 256 && ulimit -H -l 256 && exec \"$@\"";
    command.args(["-c", script, "sh"]);
    if is_root() {
        give_away(home.folder.path());
        command.args(["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]);
    }
    command.args([program, "serve", "--config"]).arg(&settings).current_dir(home.folder.path());
    let log = File::create(home.path("log")).unwrap();
    let running = Running(command.stderr(log).spawn().unwrap());
    home.until("listening", || home.listens());
    assert!(
        home.log().contains("the pages of secrets are locked, up to 262144 bytes"),
        "{}",
        home.log()
    );
    let locked = status(running.id(), "VmLck:");
    assert!(locked > 0 && locked <= 256, "{locked} KiB");

    // Nor may another process of the same user look at its memory.
    let mut look = Command::new("cat");
    look.arg(format!("/proc/{}/maps", running.id())).stderr(Stdio::null()).stdout(Stdio::null());
    if is_root() {
        look.uid(NOBODY.parse().unwrap()).gid(NOBODY.parse().unwrap());
    }
    assert!(!look.status().unwrap().success(), "a process of the same user reads its memory");
}

const NOBODY: &str = "65534";

fn is_root() -> bool {
    status(std::process::id(), "Uid:") == 0
}

/// Lets another user run a signer there.
fn give_away(folder: &Path) {
    let owner = format!("{NOBODY}:{NOBODY}");
    let done = Command::new("chown").args(["-R", &owner]).arg(folder).status();
    assert!(done.is_ok_and(|status| status.success()));
}

/// Starts it with core dumps allowed, ends it by a signal that leaves one, and says whether it did.
fn dumps(mut command: Command, folder: &Path, ready: impl Fn()) -> bool {
    let program = command.get_program().to_owned();
    let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    command = Command::new("sh");
    command.args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh"]).arg(program).args(words);
    let quiet = command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    let running = Running(quiet.stderr(Stdio::null()).spawn().unwrap());
    ready();
    running.signal("QUIT");
    running.end().core_dumped()
}

#[test]
fn an_abort_leaves_no_core_and_no_secret_behind() {
    let home = Home::new();
    home.init(&home.passphrase());
    let folder = tempfile::tempdir().unwrap();
    let mut other = Command::new("sleep");
    other.arg("60");
    let others = dumps(other, folder.path(), || thread::sleep(Duration::from_millis(200)));
    let settings = home.passphrase();
    let mut signer = home.command(&["serve", "--config"]);
    signer.arg(settings);
    let ours = dumps(signer, folder.path(), || home.until("listening", || home.listens()));
    assert!(!ours, "a core was dumped");
    // What this machine does with a program that is not ours, so that the above says something.
    println!("an ordinary program leaves a core here: {others}");
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(PASSPHRASE.len()).any(|window| window == PASSPHRASE.as_bytes()));
    }
}

/// All memory of a process that can be written: its heap, stacks and data. Only root may.
fn memory(id: u32) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let maps = fs::read_to_string(format!("/proc/{id}/maps")).unwrap();
    let file = File::open(format!("/proc/{id}/mem")).unwrap();
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let at = |text| u64::from_str_radix(text, 16).unwrap();
        let mut part = vec![0; usize::try_from(at(end) - at(start)).unwrap()];
        if file.read_exact_at(&mut part, at(start)).is_ok() {
            all.extend_from_slice(&part);
        }
    }
    all
}

#[test]
fn a_running_signer_has_neither_its_passphrase_nor_vaults_token_in_memory() {
    if !is_root() {
        // Nobody else can look, which is the point; and that nobody can, another test shows.
        let home = Home::new();
        home.init(&home.passphrase());
        let running = home.serve(&home.passphrase());
        home.until("listening", || home.listens());
        assert!(File::open(format!("/proc/{}/mem", running.id())).is_err());
        return;
    }
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
    let home = Home::new();
    home.init(&home.passphrase());
    let running = home.serve(&home.passphrase());
    home.until("listening", || home.listens());
    let found = memory(running.id());
    assert!(has(&found, "passphrase.toml"), "the memory that was read is the signer's");
    assert!(!has(&found, PASSPHRASE), "the passphrase is still in memory");
    drop(running);

    let (home, vault) = (Home::new(), TestVault::start());
    vault.make_kek("kek");
    home.init(&home.vault(&vault));
    let running = home.serve(&home.vault(&vault));
    home.until("listening", || home.listens());
    let token = fs::read_to_string(vault.token_file()).unwrap();
    let found = memory(running.id());
    assert!(has(&found, "vault.toml"), "the memory that was read is the signer's");
    assert!(!has(&found, token.trim()), "Vault's token is still in memory");
}
