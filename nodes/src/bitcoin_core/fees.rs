//! The fee rate to offer. Never caps it: the intent's fee cap does.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::amount::{Fraction, base_units};
use super::{BitcoinNode, is_unsupported};
use crate::NodeError;

/// Offered when the node has no estimate: always on regtest, and on a real chain for some blocks
/// after its start. 10 base units per virtual byte; too low on a busy day, which a fee bump mends.
const FALLBACK: u64 = 10_000;

/// Base units per 1000 virtual bytes, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRate {
    /// Satoshis or litoshis per kvB.
    pub per_kvb: u64,
    /// The least that this node relays now, in the same unit.
    pub floor_per_kvb: u64,
    /// What decided.
    pub basis: FeeBasis,
}

/// What decided a fee rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeeBasis {
    /// The node's estimate for the target.
    Estimate,
    /// The node relays nothing cheaper than this, which is above its estimate or our fallback.
    Floor,
    /// The node has no estimate: 10 000 per kvB.
    Fallback,
}

pub(super) async fn fee_rate(node: &BitcoinNode, target: u16) -> Result<FeeRate, NodeError> {
    let floor = floor(node).await?;
    let (offer, basis) = match estimate(node, target).await? {
        Some(estimate) => (estimate, FeeBasis::Estimate),
        None => (FALLBACK, FeeBasis::Fallback),
    };
    let (per_kvb, basis) = if offer < floor { (floor, FeeBasis::Floor) } else { (offer, basis) };
    Ok(FeeRate { per_kvb, floor_per_kvb: floor, basis })
}

async fn floor(node: &BitcoinNode) -> Result<u64, NodeError> {
    /// Core's family; btcd tells neither.
    #[derive(Deserialize)]
    struct PoolInfo {
        #[serde(rename = "mempoolminfee")]
        admitted: Option<Box<RawValue>>,
        #[serde(rename = "minrelaytxfee")]
        relayed: Option<Box<RawValue>>,
    }
    #[derive(Deserialize)]
    struct NodeInfo {
        relayfee: Box<RawValue>,
    }
    let pool: PoolInfo = node.ask("getmempoolinfo", json!([])).await?;
    let mut floor = None;
    for told in [pool.admitted, pool.relayed].into_iter().flatten() {
        floor = floor.max(Some(read(node, "getmempoolinfo", &told)?));
    }
    if let Some(floor) = floor {
        return Ok(floor);
    }
    let info: NodeInfo = match node.ask("getnetworkinfo", json!([])).await {
        Err(error) if is_unsupported(&error) => node.ask("getinfo", json!([])).await?,
        answer => answer?,
    };
    read(node, "getinfo", &info.relayfee)
}

async fn estimate(node: &BitcoinNode, target: u16) -> Result<Option<u64>, NodeError> {
    #[derive(Deserialize)]
    struct Estimate {
        feerate: Option<Box<RawValue>>,
    }
    match node.ask::<Estimate>("estimatesmartfee", json!([target])).await {
        Ok(Estimate { feerate: Some(told) }) => {
            return read(node, "estimatesmartfee", &told).map(Some);
        }
        Ok(Estimate { feerate: None }) => return Ok(None),
        Err(error) if is_unsupported(&error) => {}
        Err(error) => return Err(error),
    }
    match node.ask::<Box<RawValue>>("estimatefee", json!([target])).await {
        // btcd's word for "no estimate", in some versions beside a fault.
        Ok(told) if told.get().starts_with('-') => Ok(None),
        Ok(told) => read(node, "estimatefee", &told).map(Some),
        Err(NodeError::Rejected { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(node: &BitcoinNode, method: &str, told: &RawValue) -> Result<u64, NodeError> {
    base_units(told.get(), Fraction::RoundUp).map_err(|reason| node.rpc.malformed(method, &reason))
}
