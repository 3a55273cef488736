//! Client of an Ethereum node's JSON-RPC (EIP-1474). Never uses the node's accounts: it needs none.
//!
//! Sees value that transactions move, not what contracts move inside of them.

mod block;
mod fees;
mod quantity;
mod rejection;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::identity::ChainIdentity;
use crate::transport::{Repeat, Transport};
use crate::{
    Answer, BlockHash, ChainNode, Endpoint, Inclusion, NodeError, Submission, Tip, TransactionId,
    TransactionStatus,
};

pub use block::{Block, Receipt, Transaction};
pub use fees::FeeSuggestion;
use quantity::Quantity;
pub use quantity::{Address, AddressError};

/// At which state of the chain an account is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// After the last block.
    Latest,
    /// After the last block and the account's transactions that wait in the memory pool.
    Pending,
    /// After the block at this height of the best chain.
    Height(u64),
}

impl At {
    fn tag(self) -> String {
        match self {
            Self::Latest => "latest".to_owned(),
            Self::Pending => "pending".to_owned(),
            Self::Height(height) => quantity::hex(height),
        }
    }
}

/// A node that speaks Ethereum's JSON-RPC.
pub struct EthereumNode {
    rpc: Transport,
    chain_id: u64,
    identity: ChainIdentity,
}

impl EthereumNode {
    /// A client for the chain with this id (EIP-155). Connects at the first call, so that a server
    /// starts while its node is down.
    pub fn new(endpoint: Endpoint, chain_id: u64) -> Result<Self, NodeError> {
        Ok(Self {
            rpc: Transport::new(endpoint, "2.0")?,
            chain_id,
            identity: ChainIdentity::default(),
        })
    }

    /// Asks for the chain id and compares it. Every other method does so by itself, once and after
    /// every outage; call this at start-up to refuse a misconfigured node early.
    pub async fn check_chain(&self) -> Result<(), NodeError> {
        let Quantity(found) = self.rpc.call("eth_chainId", json!([]), Repeat::Idempotent).await?;
        if found != u128::from(self.chain_id) {
            return Err(NodeError::WrongChain {
                node: self.rpc.name().to_owned(),
                expected: self.chain_id.to_string(),
                found: found.to_string(),
            });
        }
        self.identity.confirm();
        Ok(())
    }

    /// The best block. Whether it is final is the caller's rule (confirmations).
    pub async fn tip(&self) -> Result<Tip, NodeError> {
        self.header("latest".into())
            .await?
            .ok_or_else(|| self.rpc.malformed("eth_getBlockByNumber", "there is no latest block"))
    }

    /// The block at a height of the best chain; `None` above the tip.
    pub async fn block_hash(&self, height: u64) -> Result<Option<BlockHash>, NodeError> {
        Ok(self.header(quantity::hex(height)).await?.map(|tip| tip.hash))
    }

    /// The block at a height with its transactions; `None` above the tip. To see a reorganisation,
    /// compare `previous` with the hash of the block read before.
    pub async fn block(&self, height: u64) -> Result<Option<Block>, NodeError> {
        const METHOD: &str = "eth_getBlockByNumber";
        let told: Option<block::Told> =
            self.ask(METHOD, json!([quantity::hex(height), true])).await?;
        let Some(told) = told else { return Ok(None) };
        let block = block::read(told).map_err(|reason| self.rpc.malformed(METHOD, &reason))?;
        if block.height != height {
            let reason = format!("asked for height {height}, told of {}", block.height);
            return Err(self.rpc.malformed(METHOD, &reason));
        }
        Ok(Some(block))
    }

    /// What became of a transaction that is in a block; `None` while it is in none.
    pub async fn receipt(&self, id: TransactionId) -> Result<Option<Receipt>, NodeError> {
        const METHOD: &str = "eth_getTransactionReceipt";
        let told: Option<block::ToldReceipt> = self.ask(METHOD, json!([format!("0x{id}")])).await?;
        told.map(|told| block::read_receipt(&told, id))
            .transpose()
            .map_err(|reason| self.rpc.malformed(METHOD, &reason))
    }

    /// How many transactions the account has sent: the `account_nonce` of its next one.
    pub async fn account_nonce(&self, account: Address, at: At) -> Result<u64, NodeError> {
        const METHOD: &str = "eth_getTransactionCount";
        let Quantity(count) = self.ask(METHOD, json!([account.to_string(), at.tag()])).await?;
        u64::try_from(count).map_err(|_| self.rpc.malformed(METHOD, "more than 64 bits"))
    }

    /// The account's balance in wei.
    pub async fn balance(&self, account: Address, at: At) -> Result<u128, NodeError> {
        let Quantity(wei) =
            self.ask("eth_getBalance", json!([account.to_string(), at.tag()])).await?;
        Ok(wei)
    }

    /// What a transaction should offer now to be in one of the next blocks.
    pub async fn fee_suggestion(&self) -> Result<FeeSuggestion, NodeError> {
        fees::suggestion(self).await
    }

    /// See [`ChainNode::transaction_status`]. Ethereum nodes index transactions, so it needs no
    /// height to search from. Nodes that prune their index (geth: 2 350 000 blocks) forget old ones.
    pub async fn transaction_status(
        &self,
        id: TransactionId,
    ) -> Result<TransactionStatus, NodeError> {
        #[derive(Deserialize)]
        struct Found {
            #[serde(rename = "blockHash")]
            block: Option<BlockHash>,
        }
        let found: Option<Found> =
            self.ask("eth_getTransactionByHash", json!([format!("0x{id}")])).await?;
        match found {
            None => return Ok(TransactionStatus::Unknown),
            Some(Found { block: None }) => return Ok(TransactionStatus::InMempool),
            Some(Found { block: Some(_) }) => {}
        }
        // The chain may move between these calls: whatever does not fit together is not confirmed.
        let Some(receipt) = self.receipt(id).await? else {
            return Ok(TransactionStatus::InMempool);
        };
        let tip = self.tip().await?;
        let on_chain = self.block_hash(receipt.height).await? == Some(receipt.block);
        match tip.height.checked_sub(receipt.height) {
            Some(above) if on_chain => Ok(TransactionStatus::InBlock(Inclusion {
                height: receipt.height,
                block: receipt.block,
                confirmations: above.saturating_add(1),
                succeeded: receipt.succeeded,
            })),
            _ => Err(self.rpc.unavailable(format!("its chain moved in a search for {id}"))),
        }
    }

    /// See [`ChainNode::submit`].
    pub async fn submit(&self, id: TransactionId, raw: &[u8]) -> Result<Submission, NodeError> {
        const METHOD: &str = "eth_sendRawTransaction";
        self.ensure_chain().await?;
        let raw = format!("0x{}", hex::encode(raw));
        let sent: Result<TransactionId, NodeError> =
            self.identity.observe(self.rpc.call(METHOD, json!([raw]), Repeat::Never).await);
        match sent {
            Ok(told) if told == id => Ok(Submission::Accepted),
            Ok(told) => Err(self.rpc.malformed(
                METHOD,
                &format!("the bytes are transaction {told}, the caller meant {id}"),
            )),
            Err(error) => rejection::understand(self, error, id).await,
        }
    }

    async fn header(&self, block: String) -> Result<Option<Tip>, NodeError> {
        #[derive(Deserialize)]
        struct Header {
            number: Quantity,
            hash: BlockHash,
        }
        const METHOD: &str = "eth_getBlockByNumber";
        let header: Option<Header> = self.ask(METHOD, json!([block, false])).await?;
        header
            .map(|Header { number: Quantity(number), hash }| match u64::try_from(number) {
                Ok(height) => Ok(Tip { height, hash }),
                Err(_) => Err(self.rpc.malformed(METHOD, "a height of more than 64 bits")),
            })
            .transpose()
    }

    async fn ensure_chain(&self) -> Result<(), NodeError> {
        if self.identity.is_checked() { Ok(()) } else { self.check_chain().await }
    }

    /// An idempotent call to a node whose chain is checked.
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, NodeError> {
        self.ensure_chain().await?;
        self.identity.observe(self.rpc.call(method, params, Repeat::Idempotent).await)
    }
}

impl ChainNode for EthereumNode {
    fn tip(&self) -> Answer<'_, Tip> {
        Box::pin(Self::tip(self))
    }

    fn block_hash(&self, height: u64) -> Answer<'_, Option<BlockHash>> {
        Box::pin(Self::block_hash(self, height))
    }

    fn transaction_status(&self, id: TransactionId, _since: u64) -> Answer<'_, TransactionStatus> {
        Box::pin(Self::transaction_status(self, id))
    }

    fn submit<'a>(
        &'a self,
        id: TransactionId,
        raw: &'a [u8],
        _since: u64,
    ) -> Answer<'a, Submission> {
        Box::pin(Self::submit(self, id, raw))
    }
}
