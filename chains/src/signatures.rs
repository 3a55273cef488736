//! The signatures that a signed transaction carries, as bytes: what an auditor looks for repeated
//! nonces in. Nothing here verifies them.

use alloy_consensus::{TxEip1559, transaction::RlpEcdsaDecodableTx};
use bitcoin::{Transaction, consensus::encode};
use strongroom_domain::{Bytes, Family};

/// Every signature of a transaction that was checked before: `r ‖ s` of ECDSA on Ethereum, `R ‖ s`
/// of BIP 340 for each input on the Bitcoin family. In each, a first half that comes twice under one
/// key is that key's nonce used twice. `None` for bytes that we would never have signed so.
pub fn signatures(family: Family, raw: &Bytes) -> Option<Vec<[u8; 64]>> {
    match family {
        Family::Bitcoin => {
            let transaction: Transaction = encode::deserialize(raw.as_slice()).ok()?;
            let each = transaction.input.iter().map(|input| input.witness.nth(0)?.try_into().ok());
            each.collect()
        }
        Family::Ethereum => {
            let (_, mut body) = raw.as_slice().split_first()?;
            let (_, signature) = TxEip1559::rlp_decode_with_signature(&mut body).ok()?;
            let mut both = [0; 64];
            let (r, s) = both.split_at_mut(32);
            r.copy_from_slice(&signature.r().to_be_bytes::<32>());
            s.copy_from_slice(&signature.s().to_be_bytes::<32>());
            Some(vec![both])
        }
    }
}
