//! The audit tool: reads a log without trusting who wrote it, and says what is wrong with it.
//! Never writes to a log, and never repairs anything.
//!
//! Start at [`Verifier`], which judges one entry after another; [`Source`] is where they come from.

mod as_of;
mod books;
mod compare;
mod diff;
mod explain;
mod export;
mod feed;
mod finding;
mod name;
mod nonces;
mod prepared;
mod quantity;
mod rebuild;
mod source;
mod spine;
mod transactions;
mod verifier;
mod walk;
mod witness;
mod witnessed;

pub use as_of::{
    AccountStanding, KeyStanding, LedgerStanding, Moment, MomentError, ProposalStanding, Standings,
    WalletStanding, as_of,
};
pub use books::{Books, Totals};
pub use compare::{Comparison, Difference, compare};
pub use diff::{Diff, Side, diff};
pub use explain::{Chapter, Explanation, Fact, Held, Life, explain, explain_life};
pub use export::{
    ExportOptions, FORMAT, MANIFEST, Manifest, Named, Segment, SegmentError, Segments,
    export_folder,
};
pub use finding::{Fault, Finding};
pub use name::{Origin, OriginError, Witnessed};
pub use prepared::{Depth, Raw};
pub use quantity::{ledger_account, quantity};
pub use rebuild::rebuild;
pub use source::{Source, SourceError, Stored};
pub use spine::{Expected, Resumed, Spine, Whole};
pub use verifier::{Judged, Verdict, Verifier, chain, verify, verify_all, walk};
pub use witness::{Watch, WitnessAnswer, WitnessKind, make_key, read_key, serve};
pub use witnessed::{Proven, Seen, policy_of, read_checkpoint, read_policy, read_receipt};
