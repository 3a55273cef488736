//! What a transaction should offer (EIP-1559). Never caps it: the intent's fee cap does.

use serde::Deserialize;
use serde_json::json;

use super::EthereumNode;
use super::quantity::Quantity;
use crate::NodeError;

/// Wei per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeSuggestion {
    /// The base fee of the next block, which is burnt. It can rise by an eighth with each block.
    pub next_base_fee: u128,
    /// What makes a block's builder take it soon.
    pub priority_fee: u128,
}

impl FeeSuggestion {
    /// A `max_fee_per_gas` that stays enough for about five full blocks in a row: twice the base
    /// fee, plus the priority fee. What is not needed is not paid. `None` beyond 128 bits.
    pub fn max_fee(&self) -> Option<u128> {
        self.next_base_fee.checked_mul(2)?.checked_add(self.priority_fee)
    }
}

pub(super) async fn suggestion(node: &EthereumNode) -> Result<FeeSuggestion, NodeError> {
    #[derive(Deserialize)]
    struct History {
        /// One for each block asked for, and the next one's.
        #[serde(rename = "baseFeePerGas")]
        base_fees: Vec<Quantity>,
    }
    const METHOD: &str = "eth_feeHistory";
    let history: History = node.ask(METHOD, json!(["0x1", "latest", []])).await?;
    let [_, Quantity(next_base_fee)] = *history.base_fees.as_slice() else {
        return Err(node.rpc.malformed(METHOD, "not two base fees for one block"));
    };
    let Quantity(priority_fee) = node.ask("eth_maxPriorityFeePerGas", json!([])).await?;
    Ok(FeeSuggestion { next_base_fee, priority_fee })
}
