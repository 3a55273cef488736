//! A child process with its own folder. Never outlives its owner: dropped means killed, and so is
//! whatever runs when this program itself is killed.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};

const READY_WITHIN: Duration = Duration::from_mins(1);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// A folder that is removed at the end, or one that stays because the caller chose it.
#[derive(Debug)]
pub(crate) enum Folder {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Folder {
    pub(crate) fn temporary() -> Self {
        let folder = tempfile::Builder::new().prefix("strongroom-regtest-").tempdir();
        Self::Temporary(folder.expect("a temporary folder can be made"))
    }

    pub(crate) fn kept(path: &Path) -> Self {
        fs::create_dir_all(path).expect("the node's folder can be made");
        Self::Kept(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `command` and waits until `ready`. Panics with the end of its log if it ends before
    /// or takes more than a minute.
    pub(crate) fn start(command: Command, folder: &Path, ready: impl Fn() -> bool) -> Self {
        let program = PathBuf::from(command.get_program());
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = folder.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log).expect("a log file");
        let errors = output.try_clone().expect("a second handle of the log file");
        let mut command = bound_to_us(&command);
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = spawn(command)
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let mut process = Self { child, name, log };
        let started = Instant::now();
        loop {
            let answered = ready();
            // After it: what answered could be a stranger on the same port.
            if let Some(status) = process.child.try_wait().expect("a child can be waited for") {
                panic!("{} ended at its start ({status}):\n{}", process.name, process.log_end());
            }
            if answered {
                return process;
            }
            assert!(
                started.elapsed() < READY_WITHIN,
                "{} was not ready within {READY_WITHIN:?}:\n{}",
                process.name,
                process.log_end()
            );
            std::thread::sleep(POLL);
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end (`TERM`, `INT`) and waits until it did; kills it when it does not.
    pub(crate) fn stop(mut self, signal: &str) {
        self.signal(signal);
        let asked = Instant::now();
        while asked.elapsed() < STOPPED_WITHIN {
            if self.child.try_wait().expect("a child can be waited for").is_some() {
                return;
            }
            std::thread::sleep(POLL);
        }
        panic!("{} did not stop within {STOPPED_WITHIN:?}:\n{}", self.name, self.log_end());
    }

    /// Sends a signal by name: `STOP` and `CONT` make a node hang and go on. Returns from a `STOP` when
    /// every thread has stopped, so that nothing is answered afterwards.
    pub(crate) fn signal(&self, signal: &str) {
        // By the shell's builtin: std can only kill, and this workspace forbids unsafe code.
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal, &self.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "no {signal} to {}", self.name);
        while signal == "STOP" && !self.is_stopped() {
            std::thread::sleep(POLL);
        }
    }

    fn is_stopped(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id())).expect("its threads");
        threads.flatten().all(|thread| {
            let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            // proc(5): the state follows the name, which is in parentheses and may hold any character.
            stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
        })
    }

    fn log_end(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let start = log.len().saturating_sub(4000);
        String::from_utf8_lossy(log.get(start..).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same command, killed by the kernel when this program ends, however that happens. `setpriv`
/// becomes the program: the process id stays.
pub(crate) fn bound_to_us(command: &Command) -> Command {
    let mut bound = Command::new("setpriv");
    bound.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        bound.current_dir(folder);
    }
    bound
}

/// Starts a child from a thread that lives as long as this program: the kernel takes the end of the
/// thread that started a child for the end of its parent, see prctl(2), `PR_SET_PDEATHSIG`.
fn spawn(command: Command) -> io::Result<Child> {
    type Request = (Command, mpsc::Sender<io::Result<Child>>);
    static STARTER: OnceLock<Mutex<mpsc::Sender<Request>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (requests, asked) = mpsc::channel::<Request>();
        std::thread::spawn(move || {
            for (mut command, answer) in asked {
                // Nobody listens when the one who asked has panicked: then it ends here.
                if let Err(mpsc::SendError(Ok(mut child))) = answer.send(command.spawn()) {
                    let _ = child.kill();
                    let _ = child.wait();
                }
            }
        });
        Mutex::new(requests)
    });
    let (answer, child) = mpsc::channel();
    let request = (command, answer);
    let asked = starter.lock().unwrap_or_else(PoisonError::into_inner).send(request);
    asked.expect("a thread that starts programs");
    child.recv().expect("a thread that starts programs")
}

/// Panics where somebody listens on a port: they would be taken for what is started there.
pub(crate) fn assert_free(port: u16) {
    let free = TcpListener::bind(("127.0.0.1", port)).is_ok();
    assert!(free, "port {port} is in use: another quick start?");
}

/// Whether a server on loopback answers this path with 200.
pub(crate) fn answers(port: u16, path: &str) -> bool {
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
}

/// A TCP port of loopback that was free a moment ago. Below the range from which the system takes
/// ports for outgoing connections: one of those could sit on a node's port while the node is down.
pub(crate) fn free_port() -> u16 {
    const LOWEST: u32 = 20_000;
    const RANGE: u32 = 12_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test processes that run at the same time begin at different places.
    let start = std::process::id().wrapping_mul(97) % RANGE;
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(next < RANGE, "no free port on loopback");
        let port = u16::try_from(LOWEST + (start + next) % RANGE).expect("below 65536");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
