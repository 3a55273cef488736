//! Coins for nodes without a wallet: spends the coinbases of a key that everybody knows. Never for
//! anything but regtest.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::{All, Message, Secp256k1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, PublicKey, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, ecdsa,
};

/// Far above any relay minimum, far below any amount that a test looks at.
const FEE: Amount = Amount::from_sat(20_000);

/// A key of regtest coins.
pub(super) struct Faucet {
    secp: Secp256k1<All>,
    key: SecretKey,
}

impl Faucet {
    pub(super) fn new() -> Self {
        let key = SecretKey::from_slice(&[0x5a; 32]).expect("a valid key");
        Self { secp: Secp256k1::new(), key }
    }

    fn public_key(&self) -> PublicKey {
        PublicKey::new(self.key.public_key(&self.secp))
    }

    /// The P2WPKH script that coinbases must pay.
    pub(super) fn script(&self) -> ScriptBuf {
        let hash = self.public_key().wpubkey_hash().expect("a compressed key");
        ScriptBuf::new_p2wpkh(&hash)
    }

    /// A signed payment of `value` to `to`; the rest, less the fee, goes back to the faucet. `None`
    /// when the coins are not enough.
    pub(super) fn pay(
        &self,
        coins: &[(OutPoint, Amount)],
        to: ScriptBuf,
        value: Amount,
    ) -> Option<Transaction> {
        let total = coins.iter().map(|(_, amount)| *amount).sum::<Amount>();
        let change = total.checked_sub(value)?.checked_sub(FEE)?;
        let mut transaction = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: coins.iter().map(|(coin, _)| input(*coin)).collect(),
            output: vec![
                TxOut { value, script_pubkey: to },
                TxOut { value: change, script_pubkey: self.script() },
            ],
        };
        let mut witnesses = Vec::new();
        let mut cache = SighashCache::new(&transaction);
        for (index, (_, amount)) in coins.iter().enumerate() {
            let hash = cache
                .p2wpkh_signature_hash(index, &self.script(), *amount, EcdsaSighashType::All)
                .expect("a P2WPKH input");
            let message = Message::from_digest(hash.to_byte_array());
            let signature = ecdsa::Signature {
                signature: self.secp.sign_ecdsa(&message, &self.key),
                sighash_type: EcdsaSighashType::All,
            };
            witnesses.push(Witness::p2wpkh(&signature, &self.public_key().inner));
        }
        for (input, witness) in transaction.input.iter_mut().zip(witnesses) {
            input.witness = witness;
        }
        Some(transaction)
    }
}

fn input(coin: OutPoint) -> TxIn {
    TxIn {
        previous_output: coin,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    }
}
