//! Reads signed transactions, ours and other people's, for what the ledger needs of them. Never
//! checks a signature: nodes have done that.

use super::{Chain, Destination, outpoint};
use crate::TransactionId;
use bitcoin::{Transaction, consensus::encode};
use strongroom_domain::{Address, Amount, wallet::OutPoint};

/// What a signed transaction spends and pays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedView {
    /// Its id.
    pub id: TransactionId,
    /// The coins that it spends, in the order of its inputs.
    pub spends: Vec<OutPoint>,
    /// What it pays, in the order of its outputs; no address where the script has none.
    pub pays: Vec<(Option<Address>, Amount)>,
}

/// Bytes that are not a transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a canonical transaction (BIP 144): {reason}")]
pub struct NotATransaction {
    reason: String,
}

/// Reads the raw bytes that go over the network.
pub fn decode_signed(chain: &Chain, raw: &[u8]) -> Result<SignedView, NotATransaction> {
    let refuse = |reason: &dyn ToString| NotATransaction { reason: reason.to_string() };
    let transaction: Transaction = encode::deserialize(raw).map_err(|error| refuse(&error))?;
    if encode::serialize(&transaction) != raw {
        return Err(refuse(&"it has a second encoding"));
    }
    let address = |script: &bitcoin::Script| Destination::from_script(script)?.spell(chain).ok();
    Ok(SignedView {
        id: transaction.compute_txid().into(),
        spends: transaction
            .input
            .iter()
            .map(|input| outpoint::written(input.previous_output))
            .collect(),
        pays: transaction
            .output
            .iter()
            .map(|paid| (address(&paid.script_pubkey), Amount::new(paid.value.to_sat().into())))
            .collect(),
    })
}
