//! The simulated disks as SQLite's file system. Never touches a real file: only the lock beside a
//! log, which is the product's own, is one.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use sqlite_vfs::{DatabaseHandle, LockKind, OpenAccess, OpenOptions, Vfs};

use strongroom_store::{OpenError, Options, SqliteLog};

use crate::disk::{Disk, End, Fault};
use crate::shared_memory::{Index, Shared};

/// A machine: a disk, and what its processes share in memory.
pub(crate) struct Machine {
    directory: String,
    disk: Mutex<Disk>,
    memory: Mutex<Memory>,
}

/// What is gone when a machine starts again.
#[derive(Default)]
struct Memory {
    locks: BTreeMap<String, Vec<(u64, LockKind)>>,
    indexes: BTreeMap<String, Arc<Mutex<Shared>>>,
    handles: u64,
}

type Machines = Mutex<BTreeMap<String, Arc<Machine>>>;

fn machines() -> &'static Machines {
    static MACHINES: OnceLock<Machines> = OnceLock::new();
    MACHINES.get_or_init(|| {
        // The default of this process: the product opens its log as it always does.
        sqlite_vfs::register("strongroom-faults", Machinery, true).unwrap();
        Mutex::default()
    })
}

impl Machine {
    /// A machine whose disk holds the files of `directory`.
    pub(crate) fn new(directory: &str, seed: u64) -> Arc<Self> {
        let machine = Arc::new(Self {
            directory: directory.to_owned(),
            disk: Mutex::new(Disk::new(seed)),
            memory: Mutex::default(),
        });
        machines().lock().unwrap().insert(directory.to_owned(), Arc::clone(&machine));
        machine
    }

    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    /// See [`Disk::restart`]; whatever the processes shared is gone.
    pub(crate) fn restart(&self, end: End, faults: Vec<Fault>) -> End {
        *self.memory.lock().unwrap() = Memory::default();
        self.disk().restart(end, faults)
    }

    /// Opens the log of this machine.
    ///
    /// The product writes the WAL that it finds again before SQLite opens it, and past SQLite: this
    /// one step is done here as it does it (`write_again` in `store/src/sqlite/schema.rs`).
    pub(crate) fn open(&self, options: &Options) -> Result<SqliteLog, OpenError> {
        let path = format!("{}/log.db", self.directory);
        let written = self.disk().write_again(&format!("{path}-wal"));
        written.map_err(|error| OpenError::Unavailable(error.to_string()))?;
        SqliteLog::open_with(path, options)
    }

    /// Opens the log while another has it.
    pub(crate) fn open_second(&self, options: &Options) -> Result<SqliteLog, OpenError> {
        SqliteLog::open_with(format!("{}/log.db", self.directory), options)
    }

    pub(crate) fn scrap(&self) {
        machines().lock().unwrap().remove(&self.directory);
    }
}

fn machine_of(path: &str) -> Result<Arc<Machine>, Error> {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let found = machines().lock().unwrap().get(directory).map(Arc::clone);
    found.ok_or_else(|| Error::other(format!("no machine has {path}")))
}

struct Machinery;

/// An open file.
pub(crate) struct Handle {
    machine: Arc<Machine>,
    name: String,
    id: u64,
    start: u64,
    writable: bool,
    lock: LockKind,
}

impl Vfs for Machinery {
    type Handle = Handle;

    fn open(&self, name: &str, options: OpenOptions) -> Result<Handle, Error> {
        let machine = machine_of(name)?;
        let create = matches!(options.access, OpenAccess::Create | OpenAccess::CreateNew);
        let start = machine.disk().start();
        machine.disk().open(name, create, start)?;
        let id = {
            let mut memory = machine.memory.lock().unwrap();
            memory.handles += 1;
            memory.handles
        };
        let writable = options.access != OpenAccess::Read;
        Ok(Handle { machine, name: name.to_owned(), id, start, writable, lock: LockKind::None })
    }

    fn delete(&self, name: &str) -> Result<(), Error> {
        machine_of(name)?.disk().remove(name)
    }

    fn exists(&self, name: &str) -> Result<bool, Error> {
        Ok(machine_of(name)?.disk().exists(name))
    }

    fn temporary_name(&self) -> String {
        // A log never needs one: its statements sort nothing that does not fit in memory.
        "nowhere/temporary".to_owned()
    }

    fn random(&self, buffer: &mut [i8]) {
        buffer.fill(7);
    }

    fn sleep(&self, duration: Duration) -> Duration {
        std::thread::sleep(duration);
        duration
    }
}

impl Handle {
    /// Forgotten, with the handle, when its machine started again.
    fn is_current(&self) -> bool {
        self.start == self.machine.disk().start()
    }

    fn take(&mut self, lock: LockKind) -> bool {
        let mut memory = self.machine.memory.lock().unwrap();
        let holders = memory.locks.entry(self.name.clone()).or_default();
        let others = || holders.iter().filter(|(id, _)| *id != self.id);
        let free = match lock {
            LockKind::None => true,
            LockKind::Shared => others().all(|(_, of)| *of < LockKind::Pending),
            LockKind::Reserved => self.writable && others().all(|(_, of)| *of < LockKind::Reserved),
            LockKind::Pending | LockKind::Exclusive => {
                self.writable && others().all(|(_, of)| *of == LockKind::None)
            }
        };
        if free {
            holders.retain(|(id, _)| *id != self.id);
            holders.push((self.id, lock));
            self.lock = lock;
        }
        free
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.is_current() {
            self.take(LockKind::None);
        }
    }
}

impl DatabaseHandle for Handle {
    type WalIndex = Index;

    fn size(&self) -> Result<u64, Error> {
        let len = self.machine.disk().len(&self.name, self.start)?;
        Ok(u64::try_from(len).unwrap())
    }

    fn read_exact_at(&mut self, out: &mut [u8], offset: u64) -> Result<(), Error> {
        let offset = usize::try_from(offset).unwrap();
        let mut got = 0;
        // As SQLite's own layer for Unix does: it reads on until nothing comes.
        while got < out.len() {
            match self.machine.disk().read(&self.name, offset + got, &mut out[got..], self.start)? {
                0 => {
                    out[got..].fill(0);
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                more => got += more,
            }
        }
        Ok(())
    }

    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        let offset = usize::try_from(offset).unwrap();
        self.machine.disk().write(&self.name, offset, bytes, self.start)
    }

    fn sync(&mut self, _data_only: bool) -> Result<(), Error> {
        self.machine.disk().sync(&self.name, self.start)
    }

    fn set_len(&mut self, size: u64) -> Result<(), Error> {
        let size = usize::try_from(size).unwrap();
        self.machine.disk().resize(&self.name, size, self.start)
    }

    fn lock(&mut self, lock: LockKind) -> Result<bool, Error> {
        Ok(self.is_current() && self.take(lock))
    }

    fn unlock(&mut self, lock: LockKind) -> Result<bool, Error> {
        if self.is_current() {
            self.take(lock);
        }
        Ok(true)
    }

    fn reserved(&mut self) -> Result<bool, Error> {
        let memory = self.machine.memory.lock().unwrap();
        let holders = memory.locks.get(&self.name).into_iter().flatten();
        Ok(holders.into_iter().any(|(_, of)| *of >= LockKind::Reserved))
    }

    fn current_lock(&self) -> Result<LockKind, Error> {
        Ok(self.lock)
    }

    fn wal_index(&self, _readonly: bool) -> Result<Index, Error> {
        let mut memory = self.machine.memory.lock().unwrap();
        Ok(Index::new(Arc::clone(memory.indexes.entry(self.name.clone()).or_default())))
    }
}
