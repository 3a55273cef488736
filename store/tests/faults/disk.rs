//! A disk in memory that fails as real ones do. Never keeps, once its power was cut, what was not
//! synced, except where chance decides so, sector by sector.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind};

use crate::random::Random;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// What goes wrong between two starts. A number counts calls from the start on, the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This sync fails; `forgotten` tells whether the system drops what it could not write, as
    /// Linux does: a later sync then succeeds without it.
    SyncFails { at: u64, forgotten: bool },
    /// From this sync on, syncs succeed and make nothing durable.
    SyncLies { from: u64 },
    /// No file grows beyond this many bytes in all.
    Full { bytes: usize },
    /// This write fails, with a part of it made.
    WriteFails { at: u64 },
    /// This read fails.
    ReadFails { at: u64 },
    /// This read gives less than is there: whoever reads has to go on.
    ReadShort { at: u64 },
    /// The power is cut at this call that changes something, in its middle.
    PowerCut { at: u64 },
    /// The process is killed there: the system keeps what was written.
    Kill { at: u64 },
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    PowerCut,
    Kill,
}

/// Something that was done to a file since it was last synced.
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize { len: usize },
}

#[derive(Default)]
struct File {
    /// What a read gives.
    now: Vec<u8>,
    /// What is on the platter.
    durable: Vec<u8>,
    /// What leads from the one to the other, unless the system forgot some of it.
    changes: Vec<Change>,
    /// Whether the directory's entry is on the platter.
    named: bool,
    /// Whether a sync that lied was the last one.
    owed: bool,
}

#[derive(Default)]
struct Calls {
    syncs: u64,
    writes: u64,
    reads: u64,
    changes: u64,
}

/// The disk of one machine.
pub(crate) struct Disk {
    files: BTreeMap<String, File>,
    /// Files whose removal is not on the platter yet, as they were.
    removed: BTreeMap<String, Vec<u8>>,
    random: Random,
    faults: Vec<Fault>,
    calls: Calls,
    /// Which start this is; a handle of an earlier one is dead.
    start: u64,
    down: Option<End>,
    fired: BTreeSet<&'static str>,
}

fn failed(what: &str) -> Error {
    Error::other(format!("injected: {what}"))
}

impl Disk {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            files: BTreeMap::new(),
            removed: BTreeMap::new(),
            random: Random::new(seed),
            faults: Vec::new(),
            calls: Calls::default(),
            start: 0,
            down: None,
            fired: BTreeSet::new(),
        }
    }

    /// Which start a handle belongs to that is opened now.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// What went wrong since the last start.
    pub(crate) fn fired(&self) -> &BTreeSet<&'static str> {
        &self.fired
    }

    /// What goes wrong from now on.
    pub(crate) fn arm(&mut self, faults: Vec<Fault>) {
        self.faults = faults;
        self.calls = Calls::default();
        self.fired = BTreeSet::new();
    }

    /// Bytes of all files.
    pub(crate) fn used(&self) -> usize {
        self.files.values().map(|file| file.now.len()).sum()
    }

    /// Whether a sync lied, and none was honest since.
    pub(crate) fn owes(&self) -> bool {
        self.files.values().any(|file| file.owed)
    }

    /// Ends the run, if it still goes on, and starts the next one with other faults. Gives how it
    /// ended.
    pub(crate) fn restart(&mut self, end: End, faults: Vec<Fault>) -> End {
        let end = self.down.take().unwrap_or(end);
        if end == End::PowerCut {
            self.lose_what_was_not_synced();
        }
        self.start += 1;
        self.faults = faults;
        self.calls = Calls::default();
        self.fired = BTreeSet::new();
        end
    }

    fn lose_what_was_not_synced(&mut self) {
        for (name, durable) in std::mem::take(&mut self.removed) {
            if !self.files.contains_key(&name) && self.random.once_in(2) {
                let now = durable.clone();
                let back = File { now, durable, changes: Vec::new(), named: true, owed: false };
                self.files.insert(name, back);
            }
        }
        let random = &mut self.random;
        self.files.retain(|_, file| file.named || random.once_in(2));
        for file in self.files.values_mut() {
            file.settle(random);
        }
    }

    fn alive(&self, start: u64) -> Result<(), Error> {
        if self.down.is_some() || start != self.start {
            return Err(failed("this machine is down"));
        }
        Ok(())
    }

    /// Counts a call that changes something; the machine may end in its middle.
    fn changes(&mut self, start: u64) -> Result<bool, Error> {
        self.alive(start)?;
        self.calls.changes += 1;
        let now = self.calls.changes;
        for fault in &self.faults {
            let end = match fault {
                Fault::PowerCut { at } if *at == now => End::PowerCut,
                Fault::Kill { at } if *at == now => End::Kill,
                _ => continue,
            };
            self.down = Some(end);
            self.fired.insert(if end == End::Kill { "kill" } else { "power cut" });
        }
        Ok(self.down.is_none())
    }

    pub(crate) fn open(&mut self, name: &str, create: bool, start: u64) -> Result<(), Error> {
        self.alive(start)?;
        if !create && !self.files.contains_key(name) {
            return Err(ErrorKind::NotFound.into());
        }
        self.files.entry(name.to_owned()).or_default();
        Ok(())
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Result<(), Error> {
        let start = self.start;
        self.changes(start)?;
        let file = self.files.remove(name).ok_or(ErrorKind::NotFound)?;
        if file.named {
            self.removed.insert(name.to_owned(), file.durable);
        }
        Ok(())
    }

    pub(crate) fn len(&self, name: &str, start: u64) -> Result<usize, Error> {
        self.alive(start)?;
        Ok(self.files.get(name).map_or(0, |file| file.now.len()))
    }

    /// Reads what is there, or a part of it, as systems do; 0 bytes at the end of the file.
    pub(crate) fn read(
        &mut self,
        name: &str,
        offset: usize,
        out: &mut [u8],
        start: u64,
    ) -> Result<usize, Error> {
        self.alive(start)?;
        self.calls.reads += 1;
        let now = self.calls.reads;
        let mut there = self.files.get(name).map_or(0, |file| file.now.len());
        if self.faults.contains(&Fault::ReadFails { at: now }) {
            self.fired.insert("failing read");
            return Err(failed("a read failed"));
        }
        if self.faults.contains(&Fault::ReadShort { at: now }) {
            self.fired.insert("short read");
            there = there.min(offset + 1 + self.random.index(out.len()));
        }
        let file = self.files.get(name).ok_or(ErrorKind::NotFound)?;
        let from = offset.min(there);
        let got = &file.now[from..there.min(offset + out.len())];
        out[..got.len()].copy_from_slice(got);
        Ok(got.len())
    }

    pub(crate) fn write(
        &mut self,
        name: &str,
        offset: usize,
        bytes: &[u8],
        start: u64,
    ) -> Result<(), Error> {
        let runs = self.changes(start)?;
        self.calls.writes += 1;
        let now = self.calls.writes;
        let in_part = bytes.len() / 2;
        if !runs {
            self.apply(name, Change::Write { offset, bytes: bytes[..in_part].to_vec() });
            return Err(failed("this machine went down in a write"));
        }
        for fault in self.faults.clone() {
            match fault {
                Fault::WriteFails { at } if at == now => {
                    self.apply(name, Change::Write { offset, bytes: bytes[..in_part].to_vec() });
                    self.fired.insert("failing write");
                    return Err(failed("a write failed"));
                }
                Fault::Full { bytes: most } if self.grown(name, offset + bytes.len()) > most => {
                    self.fired.insert("full disk");
                    return Err(ErrorKind::WriteZero.into());
                }
                _ => {}
            }
        }
        self.apply(name, Change::Write { offset, bytes: bytes.to_vec() });
        Ok(())
    }

    /// The size of all files once this one reaches `end`; 0 if it does not grow.
    fn grown(&self, name: &str, end: usize) -> usize {
        let of = self.files.get(name).map_or(0, |file| file.now.len());
        if end <= of {
            return 0;
        }
        self.used() + end - of
    }

    pub(crate) fn resize(&mut self, name: &str, len: usize, start: u64) -> Result<(), Error> {
        if !self.changes(start)? {
            return Err(failed("this machine went down in a resize"));
        }
        let full = |fault: &Fault| matches!(fault, Fault::Full { bytes } if self.grown(name, len) > *bytes);
        if self.faults.iter().any(full) {
            self.fired.insert("full disk");
            return Err(failed("the disk is full"));
        }
        self.apply(name, Change::Resize { len });
        Ok(())
    }

    fn apply(&mut self, name: &str, change: Change) {
        if let Some(file) = self.files.get_mut(name) {
            change.apply(&mut file.now);
            file.changes.push(change);
        }
    }

    /// Each byte of a file written again, and synced; 0 bytes where it does not exist.
    pub(crate) fn write_again(&mut self, name: &str) -> Result<(), Error> {
        let start = self.start;
        let Some(file) = self.files.get(name) else { return self.alive(start) };
        let bytes = file.now.clone();
        self.write(name, 0, &bytes, start)?;
        self.sync(name, start)
    }

    pub(crate) fn sync(&mut self, name: &str, start: u64) -> Result<(), Error> {
        if !self.changes(start)? {
            return Err(failed("this machine went down in a sync"));
        }
        self.calls.syncs += 1;
        let now = self.calls.syncs;
        for fault in self.faults.clone() {
            match fault {
                Fault::SyncFails { at, forgotten } if at == now => {
                    self.fired.insert("failing sync");
                    if let Some(file) = self.files.get_mut(name).filter(|_| forgotten) {
                        file.changes.clear();
                    }
                    return Err(failed("a sync failed"));
                }
                Fault::SyncLies { from } if now >= from => {
                    self.fired.insert("lying sync");
                    if let Some(file) = self.files.get_mut(name) {
                        file.owed = true;
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        if let Some(file) = self.files.get_mut(name) {
            for change in std::mem::take(&mut file.changes) {
                change.apply(&mut file.durable);
            }
            file.owed = false;
            // SQLite syncs the directory with the first sync of a file that it made.
            if !file.named {
                file.named = true;
                self.removed.clear();
            }
        }
        Ok(())
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[*offset..end].copy_from_slice(bytes);
            }
            Self::Resize { len } => to.resize(*len, 0),
        }
    }
}

impl File {
    /// What is left of the changes when the power is cut: none, all, the first ones, or any of
    /// them, each sector of a write by itself.
    fn settle(&mut self, random: &mut Random) {
        let changes = std::mem::take(&mut self.changes);
        let first = random.index(changes.len() + 1);
        let way = random.below(4);
        for (at, change) in changes.iter().enumerate() {
            match way {
                1 => change.apply(&mut self.durable),
                2 if at < first => change.apply(&mut self.durable),
                2 if at == first => change.apply_torn(&mut self.durable, random),
                3 => change.apply_torn(&mut self.durable, random),
                _ => {}
            }
        }
        self.now.clone_from(&self.durable);
    }
}

impl Change {
    fn apply_torn(&self, to: &mut Vec<u8>, random: &mut Random) {
        match self {
            Self::Write { offset, bytes } => {
                let mut at = *offset;
                let end = offset + bytes.len();
                while at < end {
                    let next = ((at / SECTOR + 1) * SECTOR).min(end);
                    if random.once_in(2) {
                        let bytes = bytes[at - offset..next - offset].to_vec();
                        Self::Write { offset: at, bytes }.apply(to);
                    }
                    at = next;
                }
            }
            Self::Resize { .. } if random.once_in(2) => self.apply(to),
            Self::Resize { .. } => {}
        }
    }
}
