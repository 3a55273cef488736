//! What the histories found, each as a story of its own, and the plainest ones. Never random.

use std::sync::Arc;

use strongroom_store::conformance::append_to;
use strongroom_store::{AppendError, AppendLog, OpenError, Options, ReadLog, SqliteLog};
use tempfile::TempDir;

use crate::disk::{End, Fault};
use crate::vfs::Machine;

struct Place {
    machine: Arc<Machine>,
    _directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let machine = Machine::new(directory.path().to_str().unwrap(), 1);
        Self { machine, _directory: directory }
    }

    fn open(&self) -> SqliteLog {
        self.machine.open(&Options::default()).unwrap()
    }

    fn arm(&self, fault: Fault) {
        self.machine.disk().arm(vec![fault]);
    }

    /// The log is dropped after its machine went down: what it still writes is lost.
    fn end(&self, log: SqliteLog, end: End) {
        self.machine.restart(end, Vec::new());
        drop(log);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.machine.scrap();
    }
}

#[test]
fn a_failed_sync_stops_the_log_for_good() {
    let place = Place::new();
    let log = place.open();
    log.append_blocking(append_to(&[("a", 0)])).unwrap();
    place.arm(Fault::SyncFails { at: 1, forgotten: true });
    for _ in 0..3 {
        // The disk is well again at the second one. The log does not try.
        let refused = log.append_blocking(append_to(&[("a", 1)]));
        assert!(matches!(refused, Err(AppendError::Stopped { .. })), "{refused:?}");
    }
    assert!(log.stop_reason().unwrap().contains("disk I/O error"), "{:?}", log.stop_reason());
    assert_eq!(log.head().position.get(), 1);
}

#[test]
fn a_full_disk_stops_the_log_and_loses_nothing() {
    let place = Place::new();
    let log = place.open();
    log.append_blocking(append_to(&[("a", 0)])).unwrap();
    let used = place.machine.disk().used();
    place.arm(Fault::Full { bytes: used + 100 });
    let refused = log.append_blocking(append_to(&[("a", 1)]));
    assert!(matches!(refused, Err(AppendError::Stopped { .. })), "{refused:?}");
    assert!(log.stop_reason().unwrap().contains("full"), "{:?}", log.stop_reason());
    place.end(log, End::Kill);
    let log = place.open();
    assert_eq!(log.head().position.get(), 1);
    log.append_blocking(append_to(&[("a", 1)])).unwrap();
    assert_eq!(log.verify_all().unwrap(), log.head());
}

/// SQLite says "wal" before it commits the change: the first sync of a new log.
#[test]
fn a_log_that_could_not_be_made_write_ahead_is_not_served() {
    for forgotten in [true, false] {
        let place = Place::new();
        place.arm(Fault::SyncFails { at: 1, forgotten });
        let refused = place.machine.open(&Options::default()).map(|_| ());
        assert!(matches!(refused, Err(OpenError::Unavailable(_))), "{refused:?}");
        place.arm(Fault::Kill { at: u64::MAX });
        let log = place.open();
        log.append_blocking(append_to(&[("a", 0)])).unwrap();
        place.end(log, End::PowerCut);
        assert_eq!(place.open().head().position.get(), 1);
    }
}

/// The commit whose sync failed is shown after the restart; the system will never write it.
#[test]
fn what_follows_a_forgotten_commit_is_not_lost_with_it() {
    let place = Place::new();
    let log = place.open();
    log.append_blocking(append_to(&[("a", 0)])).unwrap();
    place.arm(Fault::SyncFails { at: 1, forgotten: true });
    log.append_blocking(append_to(&[("b", 0)])).unwrap_err();
    place.end(log, End::Kill);
    let log = place.open();
    let shown = log.head().position.get();
    assert_eq!(shown, 2, "the system still shows it");
    log.append_blocking(append_to(&[("a", 1)])).unwrap();
    place.end(log, End::PowerCut);
    let log = place.open();
    assert_eq!(log.head().position.get(), 3);
    assert_eq!(log.verify_all().unwrap(), log.head());
}

/// Killed before the sync, the commit is shown at the restart: it must last from then on.
#[test]
fn what_a_restart_shows_is_durable() {
    let place = Place::new();
    let log = place.open();
    log.append_blocking(append_to(&[("a", 0)])).unwrap();
    place.arm(Fault::SyncFails { at: 1, forgotten: true });
    log.append_blocking(append_to(&[("b", 0)])).unwrap_err();
    place.end(log, End::Kill);
    let log = place.open();
    assert_eq!(log.head().position.get(), 2);
    // Nothing is appended: no other sync makes it durable.
    place.end(log, End::PowerCut);
    assert_eq!(place.open().head().position.get(), 2);
}
