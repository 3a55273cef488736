//! A block as far as deposits go, the same for all families. Never decides what becomes of one.

use super::{
    Fault,
    address_index::{AddressIndex, Owner},
};
use crate::{Bus, ChainNodes};
use strongroom_domain::{Amount, Family, Network};
use strongroom_nodes::{BitcoinNode, BlockHash, EthereumNode, bitcoin_core, ethereum};

/// A block with what it pays to us.
pub(super) struct Block {
    pub(super) height: u64,
    pub(super) hash: BlockHash,
    pub(super) previous: Option<BlockHash>,
    pub(super) payments: Vec<Payment>,
}

/// Something that a block pays to an address of ours.
pub(super) struct Payment {
    pub(super) owner: Owner,
    pub(super) amount: Amount,
    /// The outpoint, or the transaction's hash.
    pub(super) place: String,
}

/// Reads the block at a height. The addresses are looked up after the block is here: one that is
/// paid in it was given out before.
pub(super) async fn read(
    nodes: &ChainNodes,
    network: Network,
    height: u64,
    (index, bus): (&mut AddressIndex, &Bus),
) -> Result<Block, Fault> {
    let missing = || Fault::Misconfigured { network };
    match network.family() {
        Family::Bitcoin => {
            let node = nodes.bitcoin(network).ok_or_else(missing)?;
            let block = bitcoin_block(node, height).await?;
            bus.read(|state| index.refresh(state));
            Ok(bitcoin_payments(network, &block, index))
        }
        Family::Ethereum => {
            let node = nodes.ethereum(network).ok_or_else(missing)?;
            let block = node.block(height).await?.ok_or(Fault::Moved)?;
            bus.read(|state| index.refresh(state));
            ethereum_payments(node, &block, index).await
        }
    }
}

async fn bitcoin_block(node: &BitcoinNode, height: u64) -> Result<bitcoin_core::Block, Fault> {
    let hash = node.block_hash(height).await?.ok_or(Fault::Moved)?;
    let block = node.block(hash).await?.ok_or(Fault::Moved)?;
    if block.height == height { Ok(block) } else { Err(Fault::Moved) }
}

fn bitcoin_payments(network: Network, block: &bitcoin_core::Block, index: &AddressIndex) -> Block {
    let mut payments = Vec::new();
    for (number, transaction) in block.transactions.iter().enumerate() {
        for output in transaction.outputs.iter().filter(|output| output.value > 0) {
            let Some(owner) = index.owner(&output.script_pubkey) else { continue };
            let place = format!("{}:{}", transaction.id, output.index);
            if number == 0 {
                tracing::warn!(
                    %network, place, account = %owner.account,
                    "a coinbase pays an address of ours: it can't be spent for 100 blocks and is \
                     not credited"
                );
                continue;
            }
            let amount = Amount::new(u128::from(output.value));
            payments.push(Payment { owner: owner.clone(), amount, place });
        }
    }
    Block { height: block.height, hash: block.hash, previous: block.previous, payments }
}

async fn ethereum_payments(
    node: &EthereumNode,
    block: &ethereum::Block,
    index: &AddressIndex,
) -> Result<Block, Fault> {
    let mut payments = Vec::new();
    for transaction in block.transactions.iter().filter(|transaction| transaction.value > 0) {
        let owner = transaction.to.and_then(|to| index.owner(to.as_bytes()));
        let Some(owner) = owner else { continue };
        let receipt = node.receipt(transaction.id).await?;
        let receipt = receipt.filter(|receipt| receipt.block == block.hash).ok_or(Fault::Moved)?;
        if receipt.succeeded {
            payments.push(Payment {
                owner: owner.clone(),
                amount: Amount::new(transaction.value),
                place: transaction.id.to_string(),
            });
        }
    }
    let (height, hash) = (block.height, block.hash);
    let previous = (height > 0).then_some(block.previous);
    Ok(Block { height, hash, previous, payments })
}
