//! A PostgreSQL cluster of its own for tests, from Debian's packages (`scripts/install`). Never
//! outlives its owner, however that ends, and never listens on the network.
//!
//! Other crates' tests take this file as a module (`#[path]`): it needs nothing but `tempfile`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "a test without its database fails"
)]
#![allow(dead_code, unreachable_pub, reason = "each test takes of it what it needs")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const READY_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// Waits until its input ends, which is when its owner ends or lets go; then ends the server and
/// removes the folder. The signals of a terminal are not for it.
const KEEPER: &str = r#"trap '' HUP INT TERM
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]; then
  kill -QUIT "$pid"
  while kill -0 "$pid" 2>/dev/null && ! grep -q ') Z ' "/proc/$pid/stat"; do sleep 0.02; done
fi
rm -rf "$1""#;

/// A running server with databases of its own; ended and removed when it is dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    user: Option<String>,
    keeper: Child,
    databases: AtomicU32,
}

impl Cluster {
    /// Makes a cluster in a temporary folder and starts it. Panics where PostgreSQL is missing.
    pub fn start() -> Self {
        let cluster = Self::empty();
        cluster.run("initdb", |command| {
            command.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"]);
            command.args(["--locale=C", "--pgdata"]).arg(cluster.data());
        });
        cluster.configure();
        cluster.restart();
        cluster
    }

    /// A second server from an online backup of this one, which goes on.
    pub fn backup(&self) -> Self {
        let cluster = Self::empty();
        cluster.run("pg_basebackup", |command| {
            command.args(["--no-sync", "--checkpoint=fast", "--username=postgres", "--host"]);
            command.arg(&self.folder).arg("--pgdata").arg(cluster.data());
        });
        cluster.configure();
        cluster.restart();
        cluster
    }

    fn empty() -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("strongroom-postgres-").tempdir().unwrap();
        // The keeper removes it, also when this program is killed.
        let folder = folder.keep();
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let user = unprivileged(&folder);
        Self { folder, programs, user, keeper, databases: AtomicU32::new(0) }
    }

    fn configure(&self) {
        let mut settings = String::from("max_connections = 300\nshared_buffers = 64MB\n");
        settings.push_str("recovery_init_sync_method = syncfs\nlisten_addresses = ''\n");
        writeln!(settings, "unix_socket_directories = '{}'", self.folder.display()).unwrap();
        fs::write(self.data().join("postgresql.auto.conf"), settings).unwrap();
    }

    /// A new, empty database: its URL. The login is the cluster's superuser.
    pub fn database(&self) -> String {
        let name = format!("log{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url("postgres", &name)
    }

    /// The URL of a database for a login.
    pub fn url(&self, login: &str, database: &str) -> String {
        let socket = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{login}@{socket}/{database}")
    }

    /// The folder of the server's socket.
    pub fn socket(&self) -> &Path {
        &self.folder
    }

    /// Runs SQL as the superuser; gives the rows without decoration. Panics where it is refused.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        self.try_sql("postgres", database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// As [`Cluster::sql`], as another login; an error is what the server said.
    pub fn try_sql(&self, login: &str, database: &str, sql: &str) -> Result<String, String> {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h"])
            .arg(&self.folder)
            .args(["-U", login, "-d", database, "-c", sql])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Runs one of PostgreSQL's programs (`pg_dump`, …) against this server; gives its output.
    pub fn program(&self, name: &str, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new(self.programs.join(name))
            .env("PGHOST", &self.folder)
            .env("PGUSER", "postgres")
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Kills the server as a power cut would: no process of it writes another byte.
    pub fn kill(&self) {
        let pid = self.server().expect("a server that runs");
        let children = children_of(pid);
        signal("KILL", &[&[pid], children.as_slice()].concat());
        for process in [&[pid], children.as_slice()].concat() {
            while !is_gone(process) {
                std::thread::sleep(POLL);
            }
        }
        // Nobody may have waited for it yet: then its number would still be taken for a server.
        for lock in [self.data().join("postmaster.pid"), self.folder.join(".s.PGSQL.5432.lock")] {
            fs::remove_file(lock).unwrap();
        }
    }

    /// Starts the server again, after [`Cluster::kill`].
    pub fn restart(&self) {
        self.run("pg_ctl", |command| {
            command.args(["start", "--wait", "--silent", "--pgdata"]).arg(self.data());
            command.arg("--log").arg(self.folder.join("server.log"));
        });
        let start = Instant::now();
        while self.try_sql("postgres", "postgres", "SELECT 1").is_err() {
            assert!(start.elapsed() < READY_WITHIN, "the server does not answer");
            std::thread::sleep(POLL);
        }
    }

    /// The folder of the server's files.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn server(&self) -> Option<u32> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// PostgreSQL's own programs refuse to run as root.
    fn run(&self, name: &str, arguments: impl FnOnce(&mut Command)) {
        let program = self.programs.join(name);
        let mut command = match &self.user {
            None => Command::new(&program),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--regid", &group_of(user), "--clear-groups", "--"]);
                command.arg(&program);
                command
            }
        };
        arguments(&mut command);
        let output = self.folder.join(format!("{name}.out"));
        let out = fs::File::create(&output).unwrap();
        // Not our pipes: the server that pg_ctl starts would keep them open.
        command.current_dir(&self.folder).env("LC_ALL", "C").stdin(Stdio::null());
        command.stdout(out.try_clone().unwrap()).stderr(out).process_group(0);
        let status = command.status().unwrap();
        let server = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        let said = fs::read_to_string(&output).unwrap();
        assert!(status.success(), "{}: {status}\n{said}\n{server}", program.display());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Sends a signal (`KILL`, `STOP`, `CONT`) to processes; those that are gone do not matter.
pub fn signal(name: &str, processes: &[u32]) {
    // By the shell's builtin: std can only kill, and this workspace forbids unsafe code.
    let list: Vec<String> = processes.iter().map(ToString::to_string).collect();
    let script = format!("kill -s {name} {} 2>/dev/null || true", list.join(" "));
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}

/// The folder of PostgreSQL's programs; the newest where there are several.
fn programs() -> PathBuf {
    if let Some(chosen) = std::env::var_os("STRONGROOM_POSTGRES_BIN") {
        return PathBuf::from(chosen);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path())))
        .filter(|(_, path)| path.join("bin/initdb").is_file())
        .max_by_key(|(version, _): &(u32, _)| *version);
    let Some((_, newest)) = newest else {
        panic!(
            "PostgreSQL is not installed: run scripts/install, or set STRONGROOM_POSTGRES_BIN to \
             the folder of initdb"
        )
    };
    newest.join("bin")
}

/// As root, the folder is given to an unprivileged user, who runs the server.
fn unprivileged(folder: &Path) -> Option<String> {
    let ours = fs::metadata(folder).unwrap().uid();
    if ours != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let user = ["postgres", "nobody"]
        .into_iter()
        .find(|user| users.lines().any(|line| line.starts_with(&format!("{user}:"))))
        .expect("a user named postgres or nobody");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let (uid, gid) = ids_of(user);
    std::os::unix::fs::chown(folder, Some(uid), Some(gid)).unwrap();
    Some(user.to_owned())
}

fn ids_of(user: &str) -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with(&format!("{user}:"))).unwrap();
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    (fields.next().unwrap(), fields.next().unwrap())
}

fn group_of(user: &str) -> String {
    ids_of(user).1.to_string()
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|one| one.file_name().to_str()?.parse().ok());
    ids.filter(|process| stat(*process).is_some_and(|(_, of)| of == parent)).collect()
}

fn is_gone(process: u32) -> bool {
    stat(process).is_none_or(|(state, _)| state == 'Z')
}

/// State and parent of a process, proc(5).
fn stat(process: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // They follow the name, which is in parentheses and may hold any character.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
