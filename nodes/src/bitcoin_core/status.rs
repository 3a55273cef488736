//! Where a transaction is, on nodes with and without a transaction index. Never says `Unknown` of a
//! chain that moved while it looked.
//!
//! `getrawtransaction` finds what is in the memory pool and, where there is an index (`-txindex`, bitcoind
//! and btcd), in blocks. Without one, blocks are searched from the tip down, along each block's link to the one
//! below, so that the answer is about one chain; it holds when all outputs are spent, too. The search ends
//! [`REORG_MARGIN`] blocks below the height that the caller names: a reorganisation can put a transaction
//! into a block lower than the tip it was submitted at.

use serde::Deserialize;
use serde_json::json;

use super::{BitcoinNode, absent_if, off_chain_is_absent};
use crate::{BlockHash, Inclusion, NodeError, Tip, TransactionId, TransactionStatus};

/// Deeper than any reorganisation of Bitcoin or Litecoin that was not a catastrophe.
pub(super) const REORG_MARGIN: u64 = 100;
/// How often the chain may move during a search before it counts as unavailable.
const SEARCHES: u32 = 3;

/// `getblock` with verbosity 1, and `getblockheader`.
#[derive(Deserialize)]
struct Header {
    height: u64,
    confirmations: i64,
    #[serde(rename = "previousblockhash")]
    previous: Option<BlockHash>,
    #[serde(default)]
    tx: Vec<TransactionId>,
}

pub(super) async fn of(
    node: &BitcoinNode,
    id: TransactionId,
    since: u64,
) -> Result<TransactionStatus, NodeError> {
    let lowest = since.saturating_sub(REORG_MARGIN);
    for _ in 0..SEARCHES {
        if let Some(status) = indexed(node, id).await? {
            return Ok(status);
        }
        // After the memory pool: a transaction that leaves it now goes into a block that is searched.
        let tip = node.tip().await?;
        if let Some(inclusion) = search(node, id, tip, lowest).await? {
            return Ok(TransactionStatus::InBlock(inclusion));
        }
        if node.tip().await? == tip {
            return Ok(TransactionStatus::Unknown);
        }
    }
    Err(node.rpc.unavailable(format!("its chain moved {SEARCHES} times in a search for {id}")))
}

/// What the memory pool and an index, where there is one, say.
async fn indexed(
    node: &BitcoinNode,
    id: TransactionId,
) -> Result<Option<TransactionStatus>, NodeError> {
    #[derive(Deserialize)]
    struct Found {
        blockhash: Option<BlockHash>,
    }
    let answer = node.ask::<Found>("getrawtransaction", json!([id.to_string(), 1])).await;
    let block = match absent_if(answer, |code, _| code == -5)? {
        None => return Ok(None),
        Some(Found { blockhash: None }) => return Ok(Some(TransactionStatus::InMempool)),
        Some(Found { blockhash: Some(block) }) => block,
    };
    let answer = node.ask::<Header>("getblockheader", json!([block.to_string(), true])).await;
    // An index may still name a block that a reorganisation took away.
    let Some(header) = off_chain_is_absent(answer)? else { return Ok(None) };
    let Some(confirmations) = u64::try_from(header.confirmations).ok().filter(|n| *n > 0) else {
        return Ok(None);
    };
    Ok(Some(TransactionStatus::InBlock(Inclusion {
        height: header.height,
        block,
        confirmations,
        succeeded: true,
    })))
}

async fn search(
    node: &BitcoinNode,
    id: TransactionId,
    tip: Tip,
    lowest: u64,
) -> Result<Option<Inclusion>, NodeError> {
    let mut next = Some(tip.hash);
    let mut expected = tip.height;
    while let Some(block) = next {
        let answer = node.ask::<Header>("getblock", json!([block.to_string(), 1])).await;
        // Gone from the best chain meanwhile: the caller sees that the tip moved.
        let Some(header) = off_chain_is_absent(answer)? else { return Ok(None) };
        let height = header.height;
        if height != expected {
            let reason = format!("block {block} at height {height}, expected {expected}");
            return Err(node.rpc.malformed("getblock", &reason));
        }
        if header.tx.contains(&id) {
            let confirmations = (tip.height - height).saturating_add(1);
            return Ok(Some(Inclusion { height, block, confirmations, succeeded: true }));
        }
        if height <= lowest {
            return Ok(None);
        }
        expected = height.saturating_sub(1);
        next = header.previous;
    }
    Ok(None)
}
