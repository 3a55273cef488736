//! Our aggregates and our log as cqrs-es 0.5 knows them, for programs that are written against it:
//! they read single aggregates, and drive them where nothing else is to be weighed. Never the way
//! of the server: a decision here sees one stream, so whatever spans several (who may ask, whether
//! a deposit's money is there, a quorum) is not asked. The server uses [`crate::Bus`].
//!
//! An append that goes past a running bus stops that bus, as it should: use another log, or no bus.
//! What an auditor makes of a log that was written this way is the auditor's affair: single
//! aggregates are lawful, the whole need not be.
//!
//! Where cqrs-es 0.5 would lead us astray, and what is done here:
//! - `EventSink::write` applies an event to the aggregate, and stores of cqrs-es apply it once more
//!   when they commit. [`LogEventStore`] applies nothing at a commit.
//! - `apply` cannot fail. An event that does not fit is kept as damage, and every later command of
//!   that aggregate fails with it; loading such a stream fails.
//! - `commit` is called for commands without events too. Nothing is appended then.
//! - Stores of cqrs-es do not notice a missing event. This one counts. What one stream can't show
//!   is that its end was cut off: whoever reads the whole log sees that, as every start does.
//! - Aggregates must be serialisable, for snapshots. A snapshot can say something else than the
//!   log, so there are none: both directions refuse.

mod adapted;
mod event;
mod store;
#[cfg(test)]
mod tests;

pub use adapted::{Adapted, HandleError};
pub use event::{StoredEvent, Told};
pub use store::{LoadEventsError, Loaded, LogEventStore};
