//! What the chain's set of unspent outputs holds at some addresses: `scantxoutset`. Never the
//! memory pool, and never the node's wallet.
//!
//! The node reads its whole set: a moment on a test chain, minutes on a main network, and one scan at
//! a time. btcd has no such call and says so.

use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::amount::{Fraction, base_units};
use super::{BitcoinNode, Outpoint};
use crate::{BlockHash, NodeError, Tip, TransactionId};

/// An unspent output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unspent {
    /// Which.
    pub outpoint: Outpoint,
    /// Base units: satoshis, litoshis.
    pub value: u64,
    /// The locking script's bytes.
    pub script_pubkey: Vec<u8>,
    /// The block that has it.
    pub height: u64,
}

/// All of them, as of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The block.
    pub tip: Tip,
    /// What was unspent after it.
    pub unspent: Vec<Unspent>,
}

#[derive(Deserialize)]
struct Told {
    success: bool,
    height: u64,
    bestblock: BlockHash,
    unspents: Vec<ToldUnspent>,
}

#[derive(Deserialize)]
struct ToldUnspent {
    txid: TransactionId,
    vout: u32,
    amount: Box<RawValue>,
    #[serde(rename = "scriptPubKey")]
    script: String,
    height: u64,
}

pub(super) async fn scan(node: &BitcoinNode, addresses: &[&str]) -> Result<Scan, NodeError> {
    const METHOD: &str = "scantxoutset";
    let of: Vec<_> = addresses.iter().map(|address| format!("addr({address})")).collect();
    let told: Told = node.ask(METHOD, json!(["start", of])).await?;
    let malformed = |reason: &str| node.rpc.malformed(METHOD, reason);
    if !told.success {
        return Err(malformed("the scan was aborted"));
    }
    let mut unspent = Vec::with_capacity(told.unspents.len());
    for found in told.unspents {
        let value = base_units(found.amount.get(), Fraction::Refuse);
        unspent.push(Unspent {
            outpoint: Outpoint { transaction: found.txid, index: found.vout },
            value: value.map_err(|reason| malformed(&reason))?,
            script_pubkey: hex::decode(&found.script)
                .map_err(|_| malformed("a script is no hex"))?,
            height: found.height,
        });
    }
    Ok(Scan { tip: Tip { height: told.height, hash: told.bestblock }, unspent })
}
