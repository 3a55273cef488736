//! What happened to a deposit. Stored for ever: a shape is never edited, only succeeded.

use crate::{AccountId, Address, Amount, WalletId, event::events};
use serde::{Deserialize, Serialize};

events! {
    /// A deposit's events.
    DepositEvent {
        /// It is in a block.
        Seen = "deposit.seen", 1;
        /// It has its confirmations: it is the client's.
        Credited = "deposit.credited", 1;
        /// Its block is not on the chain any more. What was credited is taken back.
        Reorganised = "deposit.reorganised", 1;
        /// It is in a block again.
        SeenAgain = "deposit.seen-again", 1;
    }
}

/// A block, by its place and its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockRef {
    /// Blocks before it.
    pub height: u64,
    /// As its chain's tools write it, in lower-case hex without prefix.
    pub hash: String,
}

/// Something arrived.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The wallet whose address it was.
    pub wallet: WalletId,
    /// The address.
    pub address: Address,
    /// Whose address it was.
    pub account: AccountId,
    /// How much of the network's native asset.
    pub amount: Amount,
    /// The outpoint `txid:vout`, or the transaction's hash.
    pub place: String,
    /// The block it is in.
    pub block: BlockRef,
}

/// It is final.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credited {
    /// Blocks from its own to the tip, both counted.
    pub confirmations: u32,
}

/// Its block is gone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reorganised {
    /// The block that is gone.
    pub block: BlockRef,
}

/// It is in a block again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenAgain {
    /// The block it is in now.
    pub block: BlockRef,
}
