//! A place in the log. Never wraps and never exceeds what a JSON number holds exactly.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::entry::MAX_INTEGER;

/// The place of an entry in the log: the first has 1, there are no gaps.
///
/// [`Position::START`] (0) is the place before the first entry: the head of an empty log, or a
/// reader that has read nothing. No entry ever has it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "u64", into = "u64")]
pub struct Position(u64);

/// Why a number is not a [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{found} is no position: the largest is {MAX_INTEGER} (2^53-1)")]
pub struct PositionError {
    /// The number that was offered.
    pub found: u64,
}

impl Position {
    /// Before the first entry.
    pub const START: Self = Self(0);
    /// Of the first entry.
    pub const FIRST: Self = Self(1);
    /// Of the last entry that a log can hold: 2^53-1.
    pub const LAST: Self = Self(MAX_INTEGER);

    /// Accepts 0 ([`Position::START`]) to 2^53-1.
    pub const fn new(position: u64) -> Option<Self> {
        if position <= MAX_INTEGER { Some(Self(position)) } else { None }
    }

    /// As a plain number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position after this one; `None` when the log is full.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(next) => Self::new(next),
            None => None,
        }
    }

    /// The position before this one; `None` at the start.
    pub const fn previous(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(previous) => Some(Self(previous)),
            None => None,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl TryFrom<u64> for Position {
    type Error = PositionError;

    fn try_from(found: u64) -> Result<Self, PositionError> {
        Self::new(found).ok_or(PositionError { found })
    }
}

impl From<Position> for u64 {
    fn from(position: Position) -> Self {
        position.0
    }
}
