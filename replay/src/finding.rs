//! What can be wrong with a log, each kind with an exit code of its own. Never two kinds under one
//! code: scripts tell them apart by it.

use strongroom_domain::{DecodeError, Unreadable, UnreadableEntry, audit::Violation};
use strongroom_ledger::{ChainError, Hash, Head};

/// One kind of damage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The source can't be read at all.
    Unreadable,
    /// Bytes that are no entry, or a payload that is no event.
    Malformed,
    /// An entry or payload is not the one that was chained.
    Altered,
    /// An entry is not there.
    Missing,
    /// An entry is there twice, or one was added.
    Repeated,
    /// All entries are there, in another order.
    OutOfOrder,
    /// The log ends too early.
    Truncated,
    /// Another log than the pinned one.
    OtherGenesis,
    /// The pinned head is not in this log.
    OtherHead,
    /// What happened was not allowed to.
    Violation,
    /// Written by a newer build.
    UnknownVersion,
    /// Debits and credits, or what follows from them, disagree.
    Unbalanced,
    /// A read model says something else than its log.
    Differs,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Unreadable,
        Self::Malformed,
        Self::Altered,
        Self::Missing,
        Self::Repeated,
        Self::OutOfOrder,
        Self::Truncated,
        Self::OtherGenesis,
        Self::OtherHead,
        Self::Violation,
        Self::UnknownVersion,
        Self::Unbalanced,
        Self::Differs,
    ];

    /// What the program ends with. 0 is a log without fault, 2 a wrong command line.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Unreadable => 3,
            Self::Malformed => 10,
            Self::Altered => 11,
            Self::Missing => 12,
            Self::Repeated => 13,
            Self::OutOfOrder => 14,
            Self::Truncated => 15,
            Self::OtherGenesis => 16,
            Self::OtherHead => 17,
            Self::Violation => 20,
            Self::UnknownVersion => 21,
            Self::Unbalanced => 22,
            Self::Differs => 30,
        }
    }

    /// Its name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable-source",
            Self::Malformed => "malformed-entry",
            Self::Altered => "altered-entry",
            Self::Missing => "missing-entry",
            Self::Repeated => "repeated-entry",
            Self::OutOfOrder => "out-of-order",
            Self::Truncated => "truncated",
            Self::OtherGenesis => "other-genesis",
            Self::OtherHead => "other-head",
            Self::Violation => "violation",
            Self::UnknownVersion => "unknown-version",
            Self::Unbalanced => "unbalanced",
            Self::Differs => "differs",
        }
    }

    /// What it means, for `--help`.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Unreadable => "the source or the read model can't be read",
            Self::Malformed => "bytes that are no entry, or a payload that is no event",
            Self::Altered => "an entry or payload was changed: a hash does not fit",
            Self::Missing => "an entry is missing",
            Self::Repeated => "an entry is there twice, or one was added",
            Self::OutOfOrder => "entries stand in another order",
            Self::Truncated => "the log ends too early",
            Self::OtherGenesis => "entry 1 is not the one of --genesis",
            Self::OtherHead => "the entry of --expect-head is another one",
            Self::Violation => "an entry breaks a rule of custody",
            Self::UnknownVersion => "an event that only a newer build knows",
            Self::Unbalanced => "debits and credits disagree",
            Self::Differs => "the read model says something else than the log (compare)",
        }
    }
}

/// What is wrong, where, and how.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Finding {
    /// Which kind.
    pub fault: Fault,
    /// The entry, where there is one.
    pub position: Option<u64>,
    /// What was expected and what was found, for a person.
    pub message: String,
}

impl Finding {
    /// A fault at an entry.
    pub fn at(fault: Fault, position: u64, message: impl Into<String>) -> Self {
        Self { fault, position: Some(position), message: message.into() }
    }

    /// A fault of the whole.
    pub fn of(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, position: None, message: message.into() }
    }

    pub(crate) fn truncated(found: Head, expected: impl std::fmt::Display) -> Self {
        let position = found.position.get();
        let message = format!("the log ends at entry {position}, expected {expected}: it was cut");
        Self::at(Fault::Truncated, position, message)
    }

    pub(crate) fn genesis(expected: Hash, found: Hash) -> Self {
        let message = format!("entry 1 has leaf {found}, expected the pinned genesis {expected}");
        Self::at(Fault::OtherGenesis, 1, message)
    }
}

impl From<ChainError> for Finding {
    fn from(error: ChainError) -> Self {
        let (fault, position) = match &error {
            ChainError::Malformed { position, .. } => (Fault::Malformed, position),
            ChainError::Gap { expected, .. } => (Fault::Missing, expected),
            ChainError::Swapped { expected, .. } => (Fault::OutOfOrder, expected),
            ChainError::PrevMismatch { position, .. }
            | ChainError::PayloadMismatch { position, .. } => (Fault::Altered, position),
            ChainError::SequenceGap { position, expected, found, .. } if found > expected => {
                (Fault::Missing, position)
            }
            ChainError::TimeBackwards { position, .. } => (Fault::OutOfOrder, position),
            ChainError::Repeated { found: position, .. }
            | ChainError::SequenceGap { position, .. }
            | ChainError::Full { position } => (Fault::Repeated, position),
        };
        Self::at(fault, position.get(), error.to_string())
    }
}

impl From<UnreadableEntry> for Finding {
    fn from(error: UnreadableEntry) -> Self {
        let fault = match &error.reason {
            Unreadable::Event(DecodeError::Unknown { .. }) => Fault::UnknownVersion,
            Unreadable::Event(DecodeError::Malformed { .. })
            | Unreadable::Time(_)
            | Unreadable::Stream(_)
            | Unreadable::Spelling { .. } => Fault::Malformed,
        };
        Self::at(fault, error.position, error.to_string())
    }
}

impl From<Violation> for Finding {
    fn from(error: Violation) -> Self {
        let position = match &error {
            Violation::Corrupt { position, .. }
            | Violation::Unlawful { position, .. }
            | Violation::Order { position, .. } => *position,
        };
        Self::at(Fault::Violation, position, error.to_string())
    }
}
