//! Where the sequencer takes the time of an entry from. Never used to decide anything else.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use strongroom_ledger::Timestamp;

/// Tells the time. The sequencer keeps entries from running backwards even where a clock does.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The clock of this machine.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros())
            .ok()
            .and_then(Timestamp::from_micros)
            .unwrap_or(Timestamp::MAX)
    })
}
