//! Read models: what the log says, in tables that can be asked. Never appends and never decides:
//! everything here is a fold of the log, and can be thrown away and made again.
//!
//! [`Projections`] is a file (`read.db`) that [`Projections::run`] keeps up with a log; questions
//! are put to a [`View`], which is one moment of it.

mod apply;
mod change;
mod error;
mod fold;
mod page;
mod projections;
mod raw;
mod reader;
mod rebuild;
mod rows;
mod runner;
mod schema;
mod states;
mod view;

pub use error::{Behind, OpenError, QueryError, RunError};
pub use page::{PAGE_LIMIT, Page};
pub use projections::Projections;
pub use raw::{RAW_TABLES, RawCell, RawRow, RawTable};
pub use reader::ReadOnly;
pub use rebuild::Rebuild;
pub use rows::{
    AccountRow, AddressRow, AnswerRow, AttemptRow, BackupRow, CharterRow, Decided, DepositRow,
    DifferenceRow, EntryRow, FreezeRow, HoldRow, KeyRow, KeyStepRow, LedgerRow, PartialRow,
    PriceRow, ProposalRow, RefusalRow, ScreeningRow, Sides, SignerRow, SubjectKind, TransferRow,
    TransferStory, TrialRow, WalletRow,
};
pub use states::{
    DepositState, KeyProof, KeyState, KeyStep, ProposalState, SignerState, StateError,
    TransferState,
};
pub use view::{DepositFilter, ProposalFilter, TransferFilter, View};
