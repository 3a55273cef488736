//! What was asked for lately, so that limits over rolling windows are told in a few steps however
//! long the history is. Never forgets what a window of 31 days may need.

use serde::Serialize;

/// What was asked for lately.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Usage {}
