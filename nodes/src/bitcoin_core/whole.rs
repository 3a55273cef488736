//! A whole transaction by its id, and whether a coin is still there. Never says whether what the node shows
//! is what the caller meant: the caller compares it.

use serde::de::IgnoredAny;
use serde_json::json;

use super::{BitcoinNode, Outpoint, absent_if, previous::bytes, status};
use crate::{NodeError, TransactionId, TransactionStatus};

/// From the memory pool, the index, or the blocks that are searched. `None` where it is in none of them.
pub(super) async fn of(
    node: &BitcoinNode,
    id: TransactionId,
    since: u64,
) -> Result<Option<Vec<u8>>, NodeError> {
    const METHOD: &str = "getrawtransaction";
    let answer = node.ask::<String>(METHOD, json!([id.to_string(), 0])).await;
    if let Some(raw) = absent_if(answer, |code, _| code == -5)? {
        return bytes(node, &raw).map(Some);
    }
    let TransactionStatus::InBlock(place) = status::of(node, id, since).await? else {
        return Ok(None);
    };
    let asked = json!([id.to_string(), 0, place.block.to_string()]);
    match absent_if(node.ask::<String>(METHOD, asked).await, |code, _| code == -5)? {
        Some(raw) => bytes(node, &raw).map(Some),
        // A reorganisation took the block away meanwhile.
        None => Ok(None),
    }
}

/// Whether nothing in a block or in the memory pool spends it. One call.
pub(super) async fn is_unspent(node: &BitcoinNode, coin: &Outpoint) -> Result<bool, NodeError> {
    let asked = json!([coin.transaction.to_string(), coin.index, true]);
    let told: Option<IgnoredAny> = node.ask("gettxout", asked).await?;
    Ok(told.is_some())
}
