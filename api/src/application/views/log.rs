//! The log and the caller, as callers see them.

use super::views;

views! {
    /// An entry of the log. The leaf is SHA-256 over a zero byte and `entry`'s bytes.
    LogEvent {
        /// Its place, from 1.
        position: u64,
        /// When it was written.
        time: String,
        /// Whose history.
        stream: String,
        /// What happened: the event's stored type.
        kind: String,
        /// Its leaf hash.
        leaf: String,
        /// The entry, byte by byte as it is stored and hashed.
        entry: String,
        /// Its payload, likewise.
        payload: String,
    }
    /// A page of entries.
    EventPage {
        /// The entries.
        items: Vec<LogEvent>,
        /// `after` of the next page, where there may be one.
        next: Option<u64>,
        /// `after` of whoever wants to go on from here, now or later.
        cursor: u64,
    }
    /// The log's last durable entry.
    LogHead {
        /// Its place.
        position: u64,
        /// Its leaf hash.
        leaf: String,
    }
    /// The newest checkpoint of the log that counts.
    Checkpoint {
        /// The log's name in it.
        origin: String,
        /// The entries that it covers.
        size: u64,
        /// The root of their tree.
        root: String,
        /// The entries of the log.
        entries: u64,
        /// Seconds since this server saw it counting.
        age_s: u64,
        /// The witnesses that cosigned it.
        cosigned_by: Vec<String>,
        /// The witnesses whose last word was no cosignature.
        silent: Vec<SilentWitness>,
        /// Why no newer one counts, where a round has failed.
        trouble: Option<String>,
    }
    /// A witness that did not cosign when it was asked last.
    SilentWitness {
        /// Its name.
        name: String,
        /// What it said, or why it could not be asked.
        because: String,
    }
    /// Who the caller is.
    Me {
        /// By which way in: `session`, `token` or `machine`.
        via: String,
        /// The token's id, where it is one.
        token: Option<String>,
        /// The person's or the machine's id.
        person: String,
        /// Roles that the way in and the charter both give.
        roles: Vec<String>,
        /// When a session's person last proved who they are.
        stepped_up_at: Option<String>,
    }
}
