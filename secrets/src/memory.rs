//! What the system does for a process that holds secrets: no core dumps, no debugger, no swap. Never
//! stops a process that the system does this for only in part: [`Hardening`] says what is missing.

use std::{
    fmt::{self, Write as _},
    mem,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::{
    io,
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit},
};

/// Set when secrets are locked one by one.
static EACH: AtomicBool = AtomicBool::new(false);
/// What this process was given.
static GIVEN: OnceLock<Hardening> = OnceLock::new();

/// How much of a process's memory is to stay out of swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// All of it: for a process whose memory is small and often secret.
    All,
    /// The pages that secrets lie on.
    Secrets,
}

/// What was had of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardening {
    core: Result<(), String>,
    dumpable: Result<(), String>,
    memory: Locked,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Locked {
    All,
    /// Up to so many bytes; `None` is without limit.
    Each(Option<u64>),
}

/// Asks for everything, once in a process. To be called first of all, before there is a secret or a
/// second thread.
pub fn harden(wanted: Memory) -> &'static Hardening {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let said = |error: io::Errno| error.to_string();
    GIVEN.get_or_init(|| Hardening {
        core: setrlimit(Resource::Core, none).map_err(said),
        // Also where core dumps go to a program, which the limit does not stop; and no process
        // of the same user may attach or read the memory.
        dumpable: set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(said),
        memory: lock(wanted),
    })
}

/// What [`harden`] had, for the log. `None` in a process that did not ask.
pub fn hardening() -> Option<&'static Hardening> {
    GIVEN.get()
}

fn lock(wanted: Memory) -> Locked {
    let limit = raise_limit();
    // Under a limit, an allocation beyond it would fail and end the process.
    if wanted == Memory::All && limit.is_none() {
        let all = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
        if mlockall(all).is_ok() {
            return Locked::All;
        }
    }
    EACH.store(true, Ordering::Relaxed);
    Locked::Each(limit)
}

/// Takes as much as is allowed. Gives what that is, in bytes; `None` is without limit.
fn raise_limit() -> Option<u64> {
    let unlimited = Rlimit { current: None, maximum: None };
    if setrlimit(Resource::Memlock, unlimited).is_err() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Memlock);
        // What was allowed before stays allowed when this fails.
        let _ = setrlimit(Resource::Memlock, Rlimit { current: maximum, maximum });
    }
    getrlimit(Resource::Memlock).current
}

/// Keeps the pages of these bytes out of swap, if secrets are locked one by one.
///
/// They stay locked until the process ends: locks of a page do not add up, so the end of one secret
/// would unlock its neighbours.
pub(crate) fn keep(bytes: &[u8]) {
    if EACH.load(Ordering::Relaxed)
        && !bytes.is_empty()
        && let Ok(guard) = region::lock(bytes.as_ptr(), bytes.len())
    {
        mem::forget(guard);
    }
}

impl Hardening {
    /// Whether nothing was refused or limited.
    pub fn is_complete(&self) -> bool {
        self.core.is_ok() && self.dumpable.is_ok() && !matches!(self.memory, Locked::Each(Some(_)))
    }
}

impl fmt::Display for Hardening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        match &self.core {
            Ok(()) => line.push_str("core dumps: off"),
            Err(error) => write!(line, "core dumps: NOT OFF ({error})")?,
        }
        match &self.dumpable {
            Ok(()) => line.push_str("; debuggers: shut out"),
            Err(error) => write!(line, "; debuggers: NOT SHUT OUT ({error})")?,
        }
        match self.memory {
            Locked::All => line.push_str("; memory: locked"),
            Locked::Each(None) => line.push_str("; memory: the pages of secrets are locked"),
            Locked::Each(Some(limit)) => write!(
                line,
                "; memory: the pages of secrets are locked, up to {limit} bytes \
                 (RLIMIT_MEMLOCK, in systemd LimitMEMLOCK=infinity)"
            )?,
        }
        f.write_str(&line)
    }
}
