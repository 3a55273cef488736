//! A block as `getblock` with verbosity 2 tells it. Never checks scripts or proof of work: the node does.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::amount::{Fraction, base_units};
use crate::{BlockHash, TransactionId};

/// A block of the best chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Blocks below it.
    pub height: u64,
    /// Its hash.
    pub hash: BlockHash,
    /// The block below; `None` for genesis.
    pub previous: Option<BlockHash>,
    /// Its transactions in order; the first pays the miner.
    pub transactions: Vec<Transaction>,
}

/// A transaction in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its txid.
    pub id: TransactionId,
    /// What it spends, without the coinbase's own input.
    pub inputs: Vec<Outpoint>,
    /// What it pays.
    pub outputs: Vec<Output>,
}

/// An output of an earlier transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outpoint {
    /// The transaction that made it.
    pub transaction: TransactionId,
    /// Its place among that transaction's outputs.
    pub index: u32,
}

/// An amount locked by a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its place among the transaction's outputs.
    pub index: u32,
    /// Base units: satoshis, litoshis.
    pub value: u64,
    /// The locking script's bytes.
    pub script_pubkey: Vec<u8>,
}

/// `getblock`'s answer. Unknown members are passed over: versions add some.
#[derive(Deserialize)]
pub(super) struct Told {
    hash: BlockHash,
    confirmations: i64,
    height: u64,
    #[serde(rename = "previousblockhash")]
    previous: Option<BlockHash>,
    #[serde(rename = "tx")]
    core: Option<Vec<ToldTransaction>>,
    #[serde(rename = "rawtx")]
    btcd: Option<Vec<ToldTransaction>>,
}

#[derive(Deserialize)]
struct ToldTransaction {
    txid: TransactionId,
    vin: Vec<ToldInput>,
    vout: Vec<ToldOutput>,
}

#[derive(Deserialize)]
struct ToldInput {
    txid: Option<TransactionId>,
    vout: Option<u32>,
    coinbase: Option<String>,
    #[serde(default)]
    ismweb: bool,
}

#[derive(Deserialize)]
struct ToldOutput {
    value: Option<Box<RawValue>>,
    n: Option<u32>,
    #[serde(rename = "scriptPubKey")]
    script: Option<ToldScript>,
    #[serde(default)]
    ismweb: bool,
}

#[derive(Deserialize)]
struct ToldScript {
    hex: String,
}

/// `None` when the block is not on the best chain (Core tells such blocks with -1 confirmations).
pub(super) fn read(told: Told, asked: BlockHash) -> Result<Option<Block>, String> {
    if told.hash != asked {
        return Err(format!("asked for block {asked}, told of {}", told.hash));
    }
    if told.confirmations < 1 {
        return Ok(None);
    }
    let transactions = told
        .core
        .or(told.btcd)
        .ok_or("no member tx or rawtx")?
        .into_iter()
        .map(transaction)
        .collect::<Result<_, String>>()?;
    Ok(Some(Block { height: told.height, hash: told.hash, previous: told.previous, transactions }))
}

fn transaction(told: ToldTransaction) -> Result<Transaction, String> {
    let id = told.txid;
    let mut inputs = Vec::with_capacity(told.vin.len());
    for input in told.vin {
        match (input.txid, input.vout) {
            (Some(transaction), Some(index)) => inputs.push(Outpoint { transaction, index }),
            _ if input.coinbase.is_some() || input.ismweb => {}
            _ => return Err(format!("transaction {id} has an input without outpoint")),
        }
    }
    let mut outputs = Vec::with_capacity(told.vout.len());
    for output in told.vout {
        match (output.value, output.n, output.script) {
            (Some(value), Some(index), Some(script)) => outputs.push(Output {
                index,
                value: base_units(value.get(), Fraction::Refuse)
                    .map_err(|reason| format!("output {index} of {id}: {reason}"))?,
                script_pubkey: hex::decode(&script.hex)
                    .map_err(|_| format!("output {index} of {id}: its script is not hex"))?,
            }),
            _ if output.ismweb => {}
            _ => return Err(format!("transaction {id} has an output without amount or script")),
        }
    }
    Ok(Transaction { id, inputs, outputs })
}

#[cfg(test)]
mod tests {
    use super::{Told, read};

    const HASH: &str = "6958dce1e800ad1ae807a6d54e2d954cae1bd347b255eb7f53d33b88d7cd172b";

    fn told(vin: &str, vout: &str, confirmations: i64) -> Told {
        serde_json::from_str(&format!(
            r#"{{"hash":"{HASH}","confirmations":{confirmations},"height":2,
                "tx":[{{"txid":"{HASH}","vin":[{vin}],"vout":[{vout}]}}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn confidential_inputs_and_outputs_are_left_out() {
        let vin = r#"{"ismweb":true,"output_id":"e1"}"#;
        let vout = r#"{"ismweb":true,"output_id":"e1"},
            {"ismweb":false,"value":1e-08,"n":1,"scriptPubKey":{"hex":"51"}}"#;
        let block = read(told(vin, vout, 1), HASH.parse().unwrap()).unwrap().unwrap();
        let [transaction] = block.transactions.as_slice() else { panic!("one transaction") };
        assert!(transaction.inputs.is_empty());
        assert_eq!(transaction.outputs.len(), 1);
        assert_eq!((transaction.outputs[0].index, transaction.outputs[0].value), (1, 1));
        assert_eq!(transaction.outputs[0].script_pubkey, [0x51]);
    }

    #[test]
    fn a_block_off_the_best_chain_is_no_answer() {
        assert_eq!(read(told("", "", -1), HASH.parse().unwrap()), Ok(None));
    }

    #[test]
    fn what_is_no_block_is_refused() {
        let asked = HASH.parse().unwrap();
        assert!(read(told("", "", 1), format!("00{}", &HASH[2..]).parse().unwrap()).is_err());
        assert!(read(told("{}", "", 1), asked).is_err());
        for vout in [
            "{}",
            r#"{"value":1,"n":0}"#,
            r#"{"value":-1,"n":0,"scriptPubKey":{"hex":"51"}}"#,
            r#"{"value":"1","n":0,"scriptPubKey":{"hex":"51"}}"#,
            r#"{"value":1,"n":0,"scriptPubKey":{"hex":"5"}}"#,
        ] {
            assert!(read(told("", vout, 1), asked).is_err(), "{vout}");
        }
    }
}
