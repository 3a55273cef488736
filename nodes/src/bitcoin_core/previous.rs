//! The whole transaction that made a coin. Never takes a node's word for whose it is: the caller compares
//! the id.
//!
//! `getrawtransaction` finds it in the memory pool and, where there is an index, in any block. Without
//! one, the set of unspent outputs says how deep the coin lies, and so which block has it.

use serde::Deserialize;
use serde_json::json;

use super::{BitcoinNode, Outpoint, absent_if, off_chain_is_absent};
use crate::{BlockHash, NodeError};

/// `gettxout`, as far as it says where the coin is.
#[derive(Deserialize)]
struct Told {
    bestblock: BlockHash,
    confirmations: u64,
}

#[derive(Deserialize)]
struct Header {
    height: u64,
}

/// `None` where the node has no such coin, or a reorganisation moved it while we looked.
pub(super) async fn of(node: &BitcoinNode, coin: &Outpoint) -> Result<Option<Vec<u8>>, NodeError> {
    let id = coin.transaction.to_string();
    let answer = node.ask::<String>("getrawtransaction", json!([id, 0])).await;
    if let Some(raw) = absent_if(answer, |code, _| code == -5)? {
        return bytes(node, &raw).map(Some);
    }
    let told: Option<Told> = node.ask("gettxout", json!([id, coin.index, true])).await?;
    let Some(Told { bestblock, confirmations: deep @ 1.. }) = told else { return Ok(None) };
    let answer = node.ask::<Header>("getblockheader", json!([bestblock.to_string(), true])).await;
    let Some(best) = off_chain_is_absent(answer)? else { return Ok(None) };
    let Some(height) = best.height.saturating_add(1).checked_sub(deep) else { return Ok(None) };
    let Some(block) = node.block_hash(height).await? else { return Ok(None) };
    let asked = json!([id, 0, block.to_string()]);
    let answer = node.ask::<String>("getrawtransaction", asked).await;
    match absent_if(answer, |code, _| code == -5)? {
        Some(raw) => bytes(node, &raw).map(Some),
        None => Ok(None),
    }
}

pub(super) fn bytes(node: &BitcoinNode, raw: &str) -> Result<Vec<u8>, NodeError> {
    hex::decode(raw).map_err(|_| node.rpc.malformed("getrawtransaction", "it is no hex"))
}
