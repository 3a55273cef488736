//! Plain P2TR key-path spends (BIP 86), made with the `bitcoin` crate apart from the product. Never
//! more than a test's pen.

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash as _;
use bitcoin::key::{Keypair, TapTweak as _};
use bitcoin::secp256k1::{All, Message, Secp256k1};
use bitcoin::sighash::{Prevouts, SighashCache, TapSighashType};
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use strongroom_nodes::{RejectionReason, Submission, TransactionId, TransactionStatus};
use strongroom_tests::regtest::{BitcoinRegtest, Core, LITECOIN, start_bitcoin};

/// A key with a P2TR address.
pub(super) struct Spender {
    secp: Secp256k1<All>,
    keypair: Keypair,
}

/// An output of a spender.
pub(super) struct Coin {
    at: OutPoint,
    output: TxOut,
}

/// A signed transaction with one input and one output.
pub(super) struct Spend(Transaction);

impl Spender {
    pub(super) fn new(seed: u8) -> Self {
        let secp = Secp256k1::new();
        let keypair = Keypair::from_seckey_slice(&secp, &[seed; 32]).unwrap();
        Self { secp, keypair }
    }

    pub(super) fn script(&self) -> ScriptBuf {
        ScriptBuf::new_p2tr(&self.secp, self.keypair.x_only_public_key().0, None)
    }

    /// Is paid by the node's purse, in a block.
    pub(super) fn receive(&self, node: &dyn BitcoinRegtest, value: u64) -> Coin {
        let txid = node.fund(&node.network().address(&self.script()), value);
        let raw = node.must("getrawtransaction", serde_json::json!([txid, 0]));
        let raw = hex::decode(raw.as_str().unwrap()).unwrap();
        let transaction: Transaction = bitcoin::consensus::deserialize(&raw).unwrap();
        let script = self.script();
        let index = transaction.output.iter().position(|o| o.script_pubkey == script).unwrap();
        node.mine(1);
        Coin {
            at: OutPoint::new(transaction.compute_txid(), u32::try_from(index).unwrap()),
            output: transaction.output[index].clone(),
        }
    }

    /// Spends a coin; what `value` leaves of it is the fee.
    pub(super) fn spend(&self, coin: &Coin, to: &ScriptBuf, value: u64) -> Spend {
        let mut transaction = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: coin.at,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
                witness: Witness::new(),
            }],
            output: vec![TxOut { value: Amount::from_sat(value), script_pubkey: to.clone() }],
        };
        let hash = SighashCache::new(&transaction)
            .taproot_key_spend_signature_hash(
                0,
                &Prevouts::All(std::slice::from_ref(&coin.output)),
                TapSighashType::Default,
            )
            .unwrap();
        let message = Message::from_digest(hash.to_byte_array());
        let tweaked = self.keypair.tap_tweak(&self.secp, None).to_keypair();
        let signature = self.secp.sign_schnorr_no_aux_rand(&message, &tweaked);
        transaction.input[0].witness = Witness::from_slice(&[signature.serialize()]);
        Spend(transaction)
    }
}

impl Spend {
    pub(super) fn id(&self) -> TransactionId {
        self.0.compute_txid().to_string().parse().unwrap()
    }

    pub(super) fn raw(&self) -> Vec<u8> {
        serialize(&self.0)
    }

    pub(super) fn coin(&self) -> Coin {
        Coin { at: OutPoint::new(self.0.compute_txid(), 0), output: self.0.output[0].clone() }
    }

    pub(super) fn corrupt_signature(&mut self) {
        let mut signature = self.0.input[0].witness[0].to_vec();
        signature[40] ^= 1;
        self.0.input[0].witness = Witness::from_slice(&[signature]);
    }
}

/// Measured with litecoind 0.21.2 and btcd 0.26.2: taproot is active from genesis on both regtests,
/// its outputs are standard, and a key-path spend is relayed and mined in the first block after the
/// first coinbase matures. A wrong signature is refused, so the rule is enforced and not only relayed.
#[tokio::test(flavor = "multi_thread")]
async fn taproot_key_path_spends_work_from_the_start_of_both_regtests() {
    let nodes: [Box<dyn BitcoinRegtest>; 2] = [Box::new(Core::litecoind()), start_bitcoin()];
    for node in nodes {
        let client = node.client();
        let spender = Spender::new(12);
        let coin = spender.receive(node.as_ref(), 10_000_000);
        let mut spend = spender.spend(&coin, &spender.script(), 9_990_000);
        let genuine = spend.raw();
        spend.corrupt_signature();
        let forged = client.submit(spend.id(), &spend.raw(), 0).await.unwrap();
        let Submission::Rejected(rejection) = forged else { panic!("{forged:?}") };
        assert_eq!(rejection.reason, RejectionReason::Invalid, "{}", rejection.message);
        let sent = client.submit(spend.id(), &genuine, 0).await.unwrap();
        assert_eq!(sent, Submission::Accepted);
        node.mine(1);
        let status = client.transaction_status(spend.id(), node.height()).await.unwrap();
        assert!(matches!(status, TransactionStatus::InBlock(at) if at.confirmations == 1));
    }
}

/// The least P2TR output that is relayed. Litecoin's dust relay fee is ten times Bitcoin's.
#[tokio::test(flavor = "multi_thread")]
async fn the_dust_limit_of_a_taproot_output_is_the_networks_own() {
    let nodes: [Box<dyn BitcoinRegtest>; 2] = [Box::new(Core::litecoind()), start_bitcoin()];
    for node in nodes {
        let client = node.client();
        let least = if node.network() == LITECOIN { 3_300 } else { 330 };
        let spender = Spender::new(15);
        // So little that the rest is a fee that nodes still believe in.
        let coin = spender.receive(node.as_ref(), 10_000);
        let dust = spender.spend(&coin, &spender.script(), least - 1);
        let answer = client.submit(dust.id(), &dust.raw(), 0).await.unwrap();
        let Submission::Rejected(rejection) = answer else {
            panic!("{:?}: {answer:?}", node.network())
        };
        assert!(rejection.message.contains("dust"), "{}", rejection.message);
        assert_eq!(rejection.reason, RejectionReason::Invalid);
        let enough = spender.spend(&coin, &spender.script(), least);
        let answer = client.submit(enough.id(), &enough.raw(), 0).await.unwrap();
        assert_eq!(answer, Submission::Accepted);
    }
}
