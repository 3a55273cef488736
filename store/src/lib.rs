//! The append-only log: the ports that every backend implements, SQLite, and one in memory.
//!
//! Never decides anything: it knows bytes, streams and positions, no rule of custody and no HTTP.
//!
//! What is read here was durable before it could be seen, and an append that was answered is
//! durable. A backend that cannot say so any more stops for good.

mod adoption;
mod append;
mod audit;
mod clock;
pub mod conformance;
pub mod copy;
mod export_file;
mod kurrent;
mod location;
mod log;
mod memory;
mod numbering;
mod open;
mod password;
mod postgres;
mod proof;
mod raw;
mod read;
mod sql;
mod sqlite;
mod subscription;
mod tree;

pub use adoption::Adoption;
pub use append::{
    Append, AppendError, Appended, EVENTS_LIMIT, Expected, Idempotency, NewEvent, Positions,
    StoredOutcome,
};
pub use audit::{AuditExportError, AuditLog};
pub use clock::{Clock, system_clock};
pub use export_file::ExportFile;
pub use kurrent::{KurrentAudit, KurrentLog};
pub use location::{LocationError, LogLocation};
pub use log::{AppendLog, BoxFuture, ReadLog};
pub use memory::MemoryLog;
pub use open::{OpenError, Options};
pub use password::Password;
pub use postgres::{ImportError, PostgresAudit, PostgresLog, import_postgres_es};
pub use proof::{consistency, inclusion, tree_head};
pub use raw::{RawLog, RawOutcome, RawRow};
pub use read::{PAGE_BYTES, PAGE_LIMIT, ReadError, Record};
pub use sqlite::{SqliteLog, backup::BackupError};
pub use subscription::Subscription;

/// The format that the log is made of, for those who only name the store.
pub use strongroom_ledger::{self as ledger, Head, Position};
