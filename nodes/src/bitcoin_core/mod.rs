//! Client of bitcoind, litecoind and btcd. Never uses the node's wallet: it needs none.
//!
//! The three speak one protocol with differences that are discovered by asking, never configured:
//!
//! | what | bitcoind, litecoind | btcd |
//! |---|---|---|
//! | HTTP status of a fault | 404, 500 | 200 |
//! | `getblock` with verbosity 2 | `tx` | `rawtx` |
//! | height above the tip | code -8 | code -1 |
//! | a block off the best chain | `confirmations` -1 | fault -32603 |
//! | relay minimum | `getmempoolinfo` | `getinfo` |
//! | estimate | `estimatesmartfee` | `estimatefee`, -1 for none |
//! | submit what is in the pool | the txid again | fault -26 or -27 |
//! | small amounts | `0.00001000` | `1e-05` |
//!
//! Litecoin's MWEB (from height 432 on regtest): a block's JSON lists canonical transactions only; its
//! last one, the HogEx, has ordinary inputs and outputs. Confidential inputs and outputs (members
//! `ismweb`, no amount) appear in memory pool answers only; they are left out wherever they stand.
//! A peg-out is an output of a HogEx: it can be spent after 6 blocks (`PEGOUT_MATURITY`), so a Litecoin
//! wallet should ask for at least that many confirmations.

mod amount;
mod block;
mod fees;
mod previous;
mod rejection;
mod status;
mod unspent;
mod whole;

use serde::Deserialize;
use serde_json::json;

use crate::identity::ChainIdentity;
use crate::transport::{Repeat, Transport};
use crate::{
    Answer, BlockHash, ChainNode, Endpoint, NodeError, Submission, Tip, TransactionId,
    TransactionStatus,
};

pub use block::{Block, Outpoint, Output, Transaction};
pub use fees::{FeeBasis, FeeRate};
pub use unspent::{Scan, Unspent};

/// A node that speaks Bitcoin Core's JSON-RPC.
pub struct BitcoinNode {
    rpc: Transport,
    genesis: BlockHash,
    identity: ChainIdentity,
}

impl BitcoinNode {
    /// A client for the chain with this genesis block. Connects at the first call, so that a server
    /// starts while its node is down.
    pub fn new(endpoint: Endpoint, genesis: BlockHash) -> Result<Self, NodeError> {
        Ok(Self {
            rpc: Transport::new(endpoint, "1.0")?,
            genesis,
            identity: ChainIdentity::default(),
        })
    }

    /// Asks for the genesis block and compares it. Every other method does so by itself, once and
    /// after every outage; call this at start-up to refuse a misconfigured node early.
    pub async fn check_chain(&self) -> Result<(), NodeError> {
        let found: BlockHash =
            self.rpc.call("getblockhash", json!([0]), Repeat::Idempotent).await?;
        if found != self.genesis {
            return Err(NodeError::WrongChain {
                node: self.rpc.name().to_owned(),
                expected: self.genesis.to_string(),
                found: found.to_string(),
            });
        }
        self.identity.confirm();
        Ok(())
    }

    /// The best block.
    pub async fn tip(&self) -> Result<Tip, NodeError> {
        #[derive(Deserialize)]
        struct ChainInfo {
            blocks: u64,
            #[serde(rename = "bestblockhash")]
            best: BlockHash,
        }
        let info: ChainInfo = self.ask("getblockchaininfo", json!([])).await?;
        Ok(Tip { height: info.blocks, hash: info.best })
    }

    /// The block at a height of the best chain; `None` above the tip.
    pub async fn block_hash(&self, height: u64) -> Result<Option<BlockHash>, NodeError> {
        absent_if(self.ask("getblockhash", json!([height])).await, |code, message| {
            code == -8 || (code == -1 && message.contains("out of range"))
        })
    }

    /// A block of the best chain with its transactions; `None` when the node does not have it or it
    /// is on another branch.
    pub async fn block(&self, hash: BlockHash) -> Result<Option<Block>, NodeError> {
        let answer = self.ask("getblock", json!([hash.to_string(), 2])).await;
        let Some(found) = off_chain_is_absent(answer)? else { return Ok(None) };
        block::read(found, hash).map_err(|reason| self.rpc.malformed("getblock", &reason))
    }

    /// The fee rate for confirmation within `target` blocks, never under the node's relay minimum.
    pub async fn fee_rate(&self, target: u16) -> Result<FeeRate, NodeError> {
        fees::fee_rate(self, target).await
    }

    /// What is unspent at these addresses, in blocks only. The node reads all of its set for it: give
    /// the endpoint a long time limit on a main network.
    pub async fn unspent(&self, addresses: &[&str]) -> Result<Scan, NodeError> {
        unspent::scan(self, addresses).await
    }

    /// The whole transaction that made a coin that is unspent; `None` where the node has none.
    pub async fn previous(&self, coin: &Outpoint) -> Result<Option<Vec<u8>>, NodeError> {
        previous::of(self, coin).await
    }

    /// A whole transaction, in the memory pool or a block; `since` as in
    /// [`Self::transaction_status`].
    pub async fn transaction(
        &self,
        id: TransactionId,
        since: u64,
    ) -> Result<Option<Vec<u8>>, NodeError> {
        whole::of(self, id, since).await
    }

    /// Whether a coin is there, and nothing in the memory pool spends it.
    pub async fn is_unspent(&self, coin: &Outpoint) -> Result<bool, NodeError> {
        whole::is_unspent(self, coin).await
    }

    /// See [`ChainNode::transaction_status`]. Without a transaction index, blocks are searched from
    /// the tip down to 100 below `since`: one call for each.
    pub async fn transaction_status(
        &self,
        id: TransactionId,
        since: u64,
    ) -> Result<TransactionStatus, NodeError> {
        status::of(self, id, since).await
    }

    /// See [`ChainNode::submit`].
    pub async fn submit(
        &self,
        id: TransactionId,
        raw: &[u8],
        since: u64,
    ) -> Result<Submission, NodeError> {
        self.ensure_chain().await?;
        let sent: Result<TransactionId, NodeError> = self.identity.observe(
            self.rpc.call("sendrawtransaction", json!([hex::encode(raw)]), Repeat::Never).await,
        );
        match sent {
            Ok(told) if told == id => Ok(Submission::Accepted),
            Ok(told) => Err(self.rpc.malformed(
                "sendrawtransaction",
                &format!("the bytes are transaction {told}, the caller meant {id}"),
            )),
            Err(error) => rejection::understand(self, error, id, since).await,
        }
    }

    async fn ensure_chain(&self) -> Result<(), NodeError> {
        if self.identity.is_checked() { Ok(()) } else { self.check_chain().await }
    }

    /// An idempotent call to a node whose chain is checked.
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: serde_json::Value,
    ) -> Result<T, NodeError> {
        self.ensure_chain().await?;
        self.identity.observe(self.rpc.call(method, params, Repeat::Idempotent).await)
    }
}

impl ChainNode for BitcoinNode {
    fn tip(&self) -> Answer<'_, Tip> {
        Box::pin(Self::tip(self))
    }

    fn block_hash(&self, height: u64) -> Answer<'_, Option<BlockHash>> {
        Box::pin(Self::block_hash(self, height))
    }

    fn transaction_status(&self, id: TransactionId, since: u64) -> Answer<'_, TransactionStatus> {
        Box::pin(Self::transaction_status(self, id, since))
    }

    fn submit<'a>(
        &'a self,
        id: TransactionId,
        raw: &'a [u8],
        since: u64,
    ) -> Answer<'a, Submission> {
        Box::pin(Self::submit(self, id, raw, since))
    }
}

/// A refusal that means "there is none" becomes `None`.
fn absent_if<T>(
    answer: Result<T, NodeError>,
    means_absent: impl Fn(i64, &str) -> bool,
) -> Result<Option<T>, NodeError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(NodeError::Rejected { code, message, .. }) if means_absent(code, &message) => Ok(None),
        Err(error) => Err(error),
    }
}

/// For answers about one block: unknown (-5), or known and not on the best chain (btcd).
fn off_chain_is_absent<T>(answer: Result<T, NodeError>) -> Result<Option<T>, NodeError> {
    absent_if(answer, |code, message| {
        code == -5 || (code == -32603 && message.contains("not in the main chain"))
    })
}

/// Whether the node does not have the method at all: btcd says so in two ways.
fn is_unsupported(error: &NodeError) -> bool {
    match error {
        NodeError::Rejected { code, message, .. } => {
            *code == -32601 || (*code == -1 && message.contains("unimplemented"))
        }
        NodeError::Unavailable { .. }
        | NodeError::Malformed { .. }
        | NodeError::WrongChain { .. } => false,
    }
}
