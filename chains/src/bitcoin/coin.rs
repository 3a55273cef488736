//! A coin: an unspent output of the wallet. Never says whether it is still unspent.

use crate::TransactionId;
use bitcoin::{OutPoint as Outpoint, Txid, hashes::Hash};
use serde::{Deserialize, Serialize};
use std::fmt;
use strongroom_domain::{AddressPath, Amount};

/// Which output of which transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoinId {
    /// The transaction that made it.
    pub transaction: TransactionId,
    /// Its place among the outputs, from 0.
    pub output: u32,
}

impl fmt::Display for CoinId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transaction, self.output)
    }
}

/// A coin that the wallet can spend with a taproot key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Coin {
    /// Which output it is.
    pub id: CoinId,
    /// What it holds, in base units.
    pub amount: Amount,
    /// Which of the wallet's addresses it is on.
    pub path: AddressPath,
}

impl From<Outpoint> for CoinId {
    fn from(outpoint: Outpoint) -> Self {
        Self { transaction: outpoint.txid.into(), output: outpoint.vout }
    }
}

impl From<CoinId> for Outpoint {
    fn from(id: CoinId) -> Self {
        let mut hash = id.transaction.0;
        hash.reverse();
        Self { txid: Txid::from_byte_array(hash), vout: id.output }
    }
}

impl From<Txid> for TransactionId {
    /// Bitcoin prints its hashes backwards.
    fn from(txid: Txid) -> Self {
        let mut bytes = txid.to_byte_array();
        bytes.reverse();
        Self(bytes)
    }
}
