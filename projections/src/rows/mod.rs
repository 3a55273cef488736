//! What the lists hold, in the words of `domain`. Amounts are base units; `position` is where in
//! the log a thing began. Never computed twice: every row comes out of one query.

mod custody;
mod facts;
mod money;
mod story;

pub use custody::{
    AddressRow, BackupRow, CharterRow, DepositRow, KeyRow, KeyStepRow, SignerRow, WalletRow,
};
pub use facts::{DifferenceRow, FreezeRow, PriceRow, ScreeningRow};
pub use money::{AccountRow, HoldRow, LedgerRow, Sides, TrialRow};
pub use story::{
    AnswerRow, AttemptRow, Decided, PartialRow, ProposalRow, RefusalRow, SubjectKind, TransferRow,
    TransferStory,
};

use serde::Serialize;
use strongroom_domain::{Digest, Timestamp};

/// An entry of the log, without its payload.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EntryRow {
    /// Where.
    pub position: u64,
    /// When.
    pub time: Timestamp,
    /// Whose history.
    pub stream: String,
    /// Its place there.
    pub sequence: u64,
    /// The event's stored type.
    pub kind: String,
    /// Its version.
    pub version: u16,
    /// Who caused it.
    pub actor: String,
    /// The entry's leaf hash.
    pub leaf: Digest,
}
