//! What can be wrong with a log, each kind with an exit code of its own. Never two kinds under one
//! code: scripts tell them apart by it.

use strongroom_domain::{DecodeError, Rule, Unreadable, UnreadableEntry, audit::Violation};
use strongroom_ledger::{ChainError, Hash, Head};

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $meaning:literal;)*) => {
        /// One kind of damage.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Fault { $($(#[$doc])* $variant,)* }

        impl Fault {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// What the program ends with. 0 is a log without fault, 2 a wrong command line.
            pub const fn exit_code(self) -> u8 {
                match self { $(Self::$variant => $code,)* }
            }

            /// Its name in the output.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, for `--help`.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

faults! {
    /// The source can't be read at all.
    Unreadable = 3, "unreadable-source", "a source can't be read, or an output can't be written";
    /// What was asked for is not in the log.
    NotThere = 4, "not-there", "what was asked for is not in the log (explain, as-of)";
    /// Bytes that are no entry, or a payload that is no event.
    Malformed = 10, "malformed-entry", "bytes that are no entry, or a payload that is no event";
    /// An entry or payload is not the one that was chained.
    Altered = 11, "altered-entry", "an entry or payload was changed: a hash does not fit";
    /// An entry is not there.
    Missing = 12, "missing-entry", "an entry is missing";
    /// An entry is there twice, or one was added.
    Repeated = 13, "repeated-entry", "an entry is there twice, or one was added";
    /// All entries are there, in another order.
    OutOfOrder = 14, "out-of-order", "entries stand in another order";
    /// The log ends too early.
    Truncated = 15, "truncated", "the log ends too early: it was cut, or rolled back";
    /// Another log than the pinned one.
    OtherGenesis = 16, "other-genesis", "entry 1 is not the one of --genesis";
    /// The pinned head is not in this log.
    OtherHead = 17, "other-head", "the entry of --expect-head is another one";
    /// Another history than the one that was witnessed.
    Forked = 18, "forked", "another history than the one that the checkpoint's witnesses saw";
    /// A checkpoint that proves nothing.
    BadCheckpoint = 19, "bad-checkpoint", "the checkpoint or policy does not count, or is of another log";
    /// What happened was not allowed to.
    Violation = 20, "violation", "an entry breaks a rule of custody";
    /// Written by a newer build.
    UnknownVersion = 21, "unknown-version", "an event that only a newer build knows";
    /// Debits and credits, or what follows from them, disagree.
    Unbalanced = 22, "unbalanced", "debits and credits disagree";
    /// One nonce for two signatures: whoever has both has the key.
    NonceReused = 23, "nonce-reused", "two signatures of a key share their nonce: the key is lost";
    /// Somebody's word that is not theirs.
    BadSignature = 24, "bad-signature", "a person's or signer's signature does not verify";
    /// A receipt that proves nothing.
    BadReceipt = 25, "bad-receipt", "the receipt does not prove its entry (receipt)";
    /// An export whose manifest is not about its segments.
    BadManifest = 26, "bad-manifest", "a segment of an export is not the one of its manifest";
    /// A read model says something else than its log.
    Differs = 30, "differs", "the read model says something else than the log (compare)";
    /// One log is the beginning of the other.
    Prefix = 31, "prefix", "one log is the beginning of the other (diff)";
    /// Two logs with a common beginning, or none.
    Parted = 32, "parted", "the logs part at an entry (diff)";
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
        let (fault, position) = match &error {
            Violation::Unlawful { position, refusal } => (fault_of(refusal.rule), *position),
            Violation::Corrupt { position, .. } | Violation::Order { position, .. } => {
                (Fault::Violation, *position)
            }
        };
        Self::at(fault, position, error.to_string())
    }
}

/// A signature that is not whose it says is told from all else that the rules forbid.
fn fault_of(rule: Rule) -> Fault {
    if [Rule::ApprovalSignature, Rule::CharterSignature, Rule::CeremonySignature].contains(&rule) {
        Fault::BadSignature
    } else {
        Fault::Violation
    }
}
