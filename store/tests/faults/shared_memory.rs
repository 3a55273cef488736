//! The index of the write-ahead log that connections of one machine share. Never outlives its
//! last connection: SQLite makes it again from the log.

use std::collections::BTreeMap;
use std::io::Error;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use sqlite_vfs::wip::{WalIndex, WalIndexLock};

const REGION: usize = 32768;
/// SQLite writes aligned words; half of a cache line is more than any of them.
const PIECE: usize = 32;

/// What the connections to one file share.
#[derive(Default)]
pub(crate) struct Shared {
    regions: BTreeMap<u32, (u64, Box<[u8]>)>,
    /// Slot → connections that hold it, and whether alone.
    held: BTreeMap<u8, Vec<(u64, WalIndexLock)>>,
    connections: u64,
    made: u64,
}

/// One connection's view. The crate copies the whole index to and fro, so what others wrote in the
/// meantime must survive: only pieces that this connection changed are written.
pub(crate) struct Index {
    id: u64,
    shared: Arc<Mutex<Shared>>,
    seen: BTreeMap<u32, (u64, Box<[u8]>)>,
}

impl Index {
    pub(crate) fn new(shared: Arc<Mutex<Shared>>) -> Self {
        let id = {
            let mut shared = shared.lock().unwrap();
            shared.connections += 1;
            shared.made += 1;
            shared.made
        };
        Self { id, shared, seen: BTreeMap::new() }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        let mut shared = self.shared.lock().unwrap();
        for holders in shared.held.values_mut() {
            holders.retain(|(id, _)| *id != self.id);
        }
        shared.connections -= 1;
        if shared.connections == 0 {
            shared.regions.clear();
        }
    }
}

impl WalIndex for Index {
    fn map(&mut self, region: u32) -> Result<[u8; REGION], Error> {
        let mut shared = self.shared.lock().unwrap();
        let fresh = || (0, vec![0; REGION].into_boxed_slice());
        let (version, bytes) = shared.regions.entry(region).or_insert_with(fresh);
        self.seen.insert(region, (*version, bytes.clone()));
        let mut out = [0; REGION];
        out.copy_from_slice(bytes);
        Ok(out)
    }

    fn lock(&mut self, slots: Range<u8>, lock: WalIndexLock) -> Result<bool, Error> {
        let mut shared = self.shared.lock().unwrap();
        let others = |slot: &u8| {
            shared.held.get(slot).into_iter().flatten().filter(|(id, _)| *id != self.id)
        };
        let free = slots.clone().all(|slot| match lock {
            WalIndexLock::None => true,
            WalIndexLock::Shared => others(&slot).all(|(_, how)| *how == WalIndexLock::Shared),
            WalIndexLock::Exclusive => others(&slot).next().is_none(),
        });
        if free {
            for slot in slots {
                let holders = shared.held.entry(slot).or_default();
                holders.retain(|(id, _)| *id != self.id);
                if lock != WalIndexLock::None {
                    holders.push((self.id, lock));
                }
            }
        }
        Ok(free)
    }

    fn delete(self) -> Result<(), Error> {
        Ok(())
    }

    fn pull(&mut self, region: u32, data: &mut [u8; REGION]) -> Result<(), Error> {
        let shared = self.shared.lock().unwrap();
        if let Some((version, bytes)) = shared.regions.get(&region) {
            let (seen, copy) = self.seen.entry(region).or_insert_with(|| (0, bytes.clone()));
            // What this connection wrote without a lock stays its own until it is pushed.
            if seen != version {
                data.copy_from_slice(bytes);
                copy.copy_from_slice(bytes);
                *seen = *version;
            }
        }
        Ok(())
    }

    fn push(&mut self, region: u32, data: &[u8; REGION]) -> Result<(), Error> {
        let mut shared = self.shared.lock().unwrap();
        let Some((version, bytes)) = shared.regions.get_mut(&region) else { return Ok(()) };
        let Some((seen, copy)) = self.seen.get_mut(&region) else { return Ok(()) };
        if copy[..] == data[..] {
            return Ok(());
        }
        let pieces = data.chunks(PIECE).zip(copy.chunks_mut(PIECE)).zip(bytes.chunks_mut(PIECE));
        for ((mine, before), theirs) in pieces {
            if mine != before {
                theirs.copy_from_slice(mine);
                before.copy_from_slice(mine);
            }
        }
        let current = *seen == *version;
        *version += 1;
        if current {
            *seen = *version;
        }
        Ok(())
    }
}
