//! This machine's clock, as the rest of the server tells the time. Never used to decide anything
//! here: decisions get the bus's time.

use std::time::{SystemTime, UNIX_EPOCH};
use strongroom_domain::Timestamp;

/// Now.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
