//! Blocks and receipts as the node tells them. Never checks state: the node does.

use serde::Deserialize;

use super::quantity::{Address, Quantity};
use crate::{BlockHash, TransactionId};

/// A block of the best chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Blocks below it.
    pub height: u64,
    /// Its hash.
    pub hash: BlockHash,
    /// The block below; zeros for genesis.
    pub previous: BlockHash,
    /// Its transactions in order. Whether each succeeded says its [`Receipt`].
    pub transactions: Vec<Transaction>,
}

/// A transaction in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its hash.
    pub id: TransactionId,
    /// Who sent and paid for it.
    pub from: Address,
    /// Whom it calls or pays; `None` makes a contract.
    pub to: Option<Address>,
    /// Wei that it moves if it succeeds.
    pub value: u128,
    /// The sender's count of transactions before it.
    pub account_nonce: u64,
}

/// What became of a transaction in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// False if it reverted: the fee is paid, nothing else happened.
    pub succeeded: bool,
    /// Gas that it used.
    pub gas_used: u64,
    /// Wei per gas that it paid, priority fee included.
    pub effective_gas_price: u128,
    /// Wei that it cost beside its value: `gas_used` times `effective_gas_price`.
    pub fee: u128,
    /// The height of its block.
    pub height: u64,
    /// Its block.
    pub block: BlockHash,
}

#[derive(Deserialize)]
pub(super) struct Told {
    number: Quantity,
    hash: BlockHash,
    #[serde(rename = "parentHash")]
    parent: BlockHash,
    transactions: Vec<ToldTransaction>,
}

#[derive(Deserialize)]
struct ToldTransaction {
    hash: TransactionId,
    from: Address,
    to: Option<Address>,
    value: Quantity,
    nonce: Quantity,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToldReceipt {
    transaction_hash: TransactionId,
    status: Quantity,
    gas_used: Quantity,
    effective_gas_price: Quantity,
    block_number: Quantity,
    block_hash: BlockHash,
}

fn word(quantity: Quantity, what: &str) -> Result<u64, String> {
    u64::try_from(quantity.0).map_err(|_| format!("{what} of more than 64 bits"))
}

pub(super) fn read(told: Told) -> Result<Block, String> {
    let transactions = told
        .transactions
        .into_iter()
        .map(|told| {
            Ok(Transaction {
                id: told.hash,
                from: told.from,
                to: told.to,
                value: told.value.0,
                account_nonce: word(told.nonce, "an account nonce")?,
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(Block {
        height: word(told.number, "a height")?,
        hash: told.hash,
        previous: told.parent,
        transactions,
    })
}

pub(super) fn read_receipt(told: &ToldReceipt, asked: TransactionId) -> Result<Receipt, String> {
    if told.transaction_hash != asked {
        return Err(format!("asked for {asked}, told of {}", told.transaction_hash));
    }
    let succeeded = match told.status.0 {
        0 => false,
        1 => true,
        other => return Err(format!("a status of {other}")),
    };
    let fee = told
        .gas_used
        .0
        .checked_mul(told.effective_gas_price.0)
        .ok_or("a fee of more than 128 bits")?;
    Ok(Receipt {
        succeeded,
        gas_used: word(told.gas_used, "gas")?,
        effective_gas_price: told.effective_gas_price.0,
        fee,
        height: word(told.block_number, "a height")?,
        block: told.block_hash,
    })
}
