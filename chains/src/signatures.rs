//! The signatures that a signed transaction carries, as bytes: what an auditor looks for repeated
//! nonces in. Nothing here verifies them.

use alloy_consensus::{TxEip1559, transaction::RlpEcdsaDecodableTx};
use bitcoin::{Transaction, Witness, consensus::encode, ecdsa};
use strongroom_domain::{Bytes, Family};

/// Every signature of a transaction that was checked before: `r ‖ s` of ECDSA on Ethereum, `R ‖ s`
/// of BIP 340 for each input on the Bitcoin family, of each cosigner where a script counts them. In each, a first half that comes twice under one
/// key is that key's nonce used twice. `None` for bytes that we would never have signed so.
pub fn signatures(family: Family, raw: &Bytes) -> Option<Vec<[u8; 64]>> {
    match family {
        Family::Bitcoin => {
            let transaction: Transaction = encode::deserialize(raw.as_slice()).ok()?;
            let each = transaction.input.iter().map(|input| of_witness(&input.witness));
            Some(each.collect::<Option<Vec<_>>>()?.concat())
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

/// A key path has one item; a script path ends with the script, and with the control block too on
/// taproot (BIP 141, 341). Ours has no branches, so it has 33 bytes, which no multisig script has.
fn of_witness(witness: &Witness) -> Option<Vec<[u8; 64]>> {
    let behind = match witness.last() {
        Some(_) if witness.len() == 1 => 0,
        Some(control) if control.len() == 33 => 2,
        Some(_) => 1,
        None => return None,
    };
    let items = witness.iter().take(witness.len().saturating_sub(behind));
    let signed = items.filter(|item| !item.is_empty());
    let each = signed.map(|item| match (behind, item.try_into()) {
        (0 | 2, Ok(whole)) => Some(whole),
        (1, _) => Some(ecdsa::Signature::from_slice(item).ok()?.signature.serialize_compact()),
        _ => None,
    });
    each.collect()
}
