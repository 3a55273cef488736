//! Backup and restore of real files. Never asserts how long anything takes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use strongroom_ledger::Position;

use super::BackupError;
use crate::append::AppendError;
use crate::audit::AuditLog;
use crate::conformance::append_to;
use crate::log::ReadLog;
use crate::sqlite::SqliteLog;

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// Appends one event after the other to a stream of its own until `stop`.
fn write(log: &SqliteLog, writer: usize, stop: &AtomicBool) {
    let stream = format!("writer:{writer}");
    let mut sequence = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut append = append_to(&[(&stream, sequence)]);
        append.events[0].payload = vec![b'1'; 2000];
        log.append_blocking(append).unwrap();
        sequence += 1;
    }
}

#[test]
fn a_backup_under_load_is_a_moment_of_the_log_and_restores() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("log.db")).unwrap();
    let stop = AtomicBool::new(false);
    let copies = std::thread::scope(|threads| {
        for writer in 0..4 {
            let (log, stop) = (&log, &stop);
            threads.spawn(move || write(log, writer, stop));
        }
        let mut copies = Vec::new();
        for number in 0..4 {
            // So that there is something new in each, and more than one tile.
            let wanted = Position::new(300 * (number + 1)).unwrap();
            while log.head().position < wanted {
                std::thread::yield_now();
            }
            let before = log.head();
            let to = folder.path().join(format!("copy-{number}.db"));
            let head = log.backup(&to).unwrap();
            assert!(before.position <= head.position && head.position <= log.head().position);
            copies.push((to, head));
        }
        stop.store(true, Ordering::Relaxed);
        copies
    });
    let whole = AuditLog::open_read_only(folder.path().join("log.db")).unwrap();
    for (path, head) in copies {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let copy = AuditLog::open_read_only(&path).unwrap();
        assert_eq!(copy.verify_all().unwrap(), head);
        let at = head.position;
        assert_eq!(copy.read_from(at, 1).unwrap(), whole.read_from(at, 1).unwrap());
        let restored = path.with_extension("restored");
        assert_eq!(SqliteLog::restore(&path, &restored).unwrap(), head);
        let log = SqliteLog::open(&restored).unwrap();
        assert_eq!(log.head(), head);
        log.append_blocking(append_to(&[("after", 0)])).unwrap();
        assert_eq!(log.verify_all().unwrap().position, at.next().unwrap());
    }
    assert!(names(folder.path()).iter().all(|name| !name.contains("draft")));
}

#[test]
fn a_copy_is_one_file_and_can_be_read_where_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("log.db")).unwrap();
    log.append_blocking(append_to(&[("a", 0)])).unwrap();
    let archive = folder.path().join("archive");
    std::fs::create_dir(&archive).unwrap();
    AuditLog::open_read_only(folder.path().join("log.db"))
        .unwrap()
        .backup(&archive.join("copy.db"))
        .unwrap();
    let copy = AuditLog::open_read_only(archive.join("copy.db")).unwrap();
    assert_eq!(copy.verify_all().unwrap(), log.head());
    assert_eq!(names(&archive), ["copy.db"]);
}

#[test]
fn nothing_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("log.db")).unwrap();
    log.append_blocking(append_to(&[("a", 0)])).unwrap();
    for there in ["copy.db", "copy.db-wal", "copy.db-shm", "copy.db-journal"] {
        let there = folder.path().join(there);
        std::fs::write(&there, b"mine").unwrap();
        let refused = log.backup(&folder.path().join("copy.db"));
        let Err(BackupError::Exists { path }) = refused else { panic!("{refused:?}") };
        assert_eq!(path, there);
        assert_eq!(std::fs::read(&there).unwrap(), b"mine");
        std::fs::remove_file(there).unwrap();
    }
    let itself = log.backup(&folder.path().join("log.db"));
    assert!(matches!(itself, Err(BackupError::Exists { .. })), "{itself:?}");
    let nowhere = log.backup(&folder.path().join("missing/copy.db"));
    assert!(matches!(nowhere, Err(BackupError::Unavailable(_))), "{nowhere:?}");
}

#[test]
fn a_damaged_copy_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("log.db")).unwrap();
    for sequence in 0..3 {
        log.append_blocking(append_to(&[("a", sequence)])).unwrap();
    }
    for (number, sql) in [
        "UPDATE entries SET payload = CAST('{}' AS BLOB) WHERE position = 1",
        "UPDATE head SET root = zeroblob(32)",
        "DELETE FROM entries WHERE position = 3",
    ]
    .into_iter()
    .enumerate()
    {
        let copy = folder.path().join(format!("copy-{number}.db"));
        log.backup(&copy).unwrap();
        let raw = Connection::open(&copy).unwrap();
        raw.execute_batch("DROP TRIGGER entries_stay; DROP TRIGGER entries_remain").unwrap();
        raw.execute_batch(sql).unwrap();
        drop(raw);
        let to = folder.path().join("restored.db");
        let refused = SqliteLog::restore(&copy, &to);
        assert!(matches!(refused, Err(BackupError::Damaged(_))), "{sql}: {refused:?}");
        assert!(!to.exists());
    }
    std::fs::write(folder.path().join("text"), b"no database, but long enough to be one").unwrap();
    let to = folder.path().join("restored.db");
    assert!(SqliteLog::restore(&folder.path().join("text"), &to).is_err());
    assert!(SqliteLog::restore(&folder.path().join("missing"), &to).is_err());
    assert!(names(folder.path()).iter().all(|name| !name.contains("draft")));
}

#[test]
fn a_restored_older_copy_is_that_older_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("log.db")).unwrap();
    log.append_blocking(append_to(&[("a", 0)])).unwrap();
    let older = log.backup(&folder.path().join("copy.db")).unwrap();
    log.append_blocking(append_to(&[("a", 1)])).unwrap();
    let to = folder.path().join("restored.db");
    SqliteLog::restore(&folder.path().join("copy.db"), &to).unwrap();
    let restored = SqliteLog::open(&to).unwrap();
    assert_eq!(restored.head(), older);
    let refused = restored.append_blocking(append_to(&[("a", 2)]));
    assert!(matches!(refused, Err(AppendError::Conflict { found: 1, .. })), "{refused:?}");
}
