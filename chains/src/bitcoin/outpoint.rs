//! Transaction ids and outpoints between the log's text and Bitcoin's bytes. Never accepts a
//! second spelling.

use crate::TransactionId;
use bitcoin::{OutPoint as Spent, Txid, hashes::Hash};
use strongroom_domain::wallet::OutPoint;

/// As the log writes it.
pub(super) fn written(spent: Spent) -> OutPoint {
    OutPoint { txid: TransactionId::from(spent.txid).to_string(), vout: spent.vout }
}

/// As a transaction holds it; `None` if the id is not one.
pub(super) fn spent(outpoint: &OutPoint) -> Option<Spent> {
    let TransactionId(mut hash) = outpoint.txid.parse().ok()?;
    hash.reverse();
    Some(Spent { txid: Txid::from_byte_array(hash), vout: outpoint.vout })
}

impl From<Txid> for TransactionId {
    /// Bitcoin prints its hashes backwards.
    fn from(txid: Txid) -> Self {
        let mut bytes = txid.to_byte_array();
        bytes.reverse();
        Self(bytes)
    }
}
