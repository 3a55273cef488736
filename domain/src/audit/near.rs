//! The moments at which the writer may have decided an entry. It reads its clock before the
//! append waits for its turn, so an entry's time can be a little later. No signature is made on
//! the strength of this: signers measure an expiry by their own clock.

use crate::Timestamp;

/// The longest that an append may wait, in seconds.
const SLACK_S: u64 = 60;

/// A moment before `limit` if the entry of `time` can have been decided then; else `time`.
pub(super) fn before(time: Timestamp, limit: Timestamp) -> Timestamp {
    if time >= limit && time < later(limit) {
        Timestamp::from_micros(limit.micros().saturating_sub(1))
    } else {
        time
    }
}

/// `limit` if the entry of `time` can have been decided then or after; else `time`.
pub(super) fn since(time: Timestamp, limit: Timestamp) -> Timestamp {
    if later(time) >= limit { time.max(limit) } else { time }
}

/// As late as an entry of `time` may stand.
pub(super) fn later(time: Timestamp) -> Timestamp {
    time.plus_seconds(SLACK_S)
}

/// Whether an entry of `time` can have been decided `at` that moment.
pub(super) fn is(time: Timestamp, at: Timestamp) -> bool {
    time <= later(at) && at <= later(time)
}
