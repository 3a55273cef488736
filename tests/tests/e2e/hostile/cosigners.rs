//! A multisig wallet of two signers with files and a cosigner that is nobody's process: its honest
//! ceremony, and its honest payments. The signers' orders are given by hand, one after the other.

use bitcoin::bip32::{ChildNumber, DerivationPath, Xpriv, Xpub};
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::{Message, Secp256k1};
use bitcoin::{NetworkKind, OutPoint as Spent, Sequence, Transaction, TxIn, TxOut, Witness};
use bitcoin::{absolute::LockTime, transaction::Version};
use std::collections::BTreeMap;
use strongroom_chains::bitcoin::multisig::{
    Descriptor, KeyExpression, Partial, Places, Shape, build,
};
use strongroom_chains::bitcoin::{self as utxo, Plan};
use strongroom_chains::{UnsignedTx, key_address, spend_proof};
use strongroom_domain::deposit::{BlockRef, Seen};
use strongroom_domain::key::{CeremonyPlan, Cosigner, CosignerProven, Protocol, Proven};
use strongroom_domain::protocol::{Reply, Work};
use strongroom_domain::wallet::{AddressDerived, Coin, OutPoint, Tier};
use strongroom_domain::{
    AccountId, Amount, Bytes, ClientId, Command, DepositId, Digest, Intent, KeyId, Network,
    ProposalId, Spends, WalletId, statement,
};
use uuid::Uuid;

use super::forge::Forge;
use super::rounds::{Said, step};
use super::transactions::{Asked, CHANGE, COIN, Custody, DEPOSIT, FEE};
use super::world::World;

pub(super) const NETWORK: Network = Network::LitecoinRegtest;
/// Who holds a key in a file.
pub(super) const HOLDERS: [usize; 2] = [0, 1];

/// A cosigner whose account key the test holds.
pub(super) fn account(number: u8) -> (Xpriv, Cosigner) {
    let secp = Secp256k1::new();
    let seed = Digest::of(&[number; 9]).0;
    let master = Xpriv::new_master(NetworkKind::Main, &seed).unwrap();
    let origin: DerivationPath = "48h/2h/0h/2h".parse().unwrap();
    let own = master.derive_priv(&secp, &origin).unwrap();
    let fingerprint = master.fingerprint(&secp);
    let xpub = Xpub::from_priv(&secp, &own);
    let key = KeyExpression::Extended { fingerprint, origin, xpub }.to_string();
    let name = format!("offline-{number}").try_into().unwrap();
    (own, Cosigner { name, key })
}

/// A wallet of two signers and one cosigner, of whom two sign.
pub(super) struct Shared {
    pub(super) custody: Custody,
    pub(super) descriptor: Descriptor,
    /// The transactions that made its coins.
    pub(super) previous: BTreeMap<String, Bytes>,
}

/// Asks for the key, and has it approved.
pub(super) fn asked(
    world: &mut World,
    protocol: Protocol,
    cosigner: Cosigner,
) -> (KeyId, ProposalId) {
    let (key, proposal) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
    let participants = HOLDERS.map(|of| world.id(of)).to_vec();
    let plan = CeremonyPlan { key, protocol, threshold: 2, participants };
    let (maker, expires_at) = (world.forge.people.maker, world.forge.time.plus_seconds(86_400));
    let cosigners = vec![cosigner];
    world.forge.run(Command::RequestKey { proposal, plan, cosigners, maker, expires_at });
    (key, proposal)
}

impl World {
    pub(super) fn descriptor_round(&self, of: usize, key: KeyId, round: u16) -> Reply {
        let none = Said::default();
        step(&mut self.reader(of), Work::Ceremony { key }, &Bytes::default(), round, none)
    }

    pub(super) fn expressions(&self, key: KeyId) -> Said {
        let (work, none) = (Work::Ceremony { key }, Bytes::default());
        self.round(&HOLDERS, work, &none, (1, &Said::default())).0
    }

    /// An honest ceremony.
    pub(super) fn unproven(&mut self, protocol: Protocol) -> (KeyId, Xpriv, Cosigner) {
        let (secret, cosigner) = account(1);
        let (key, proposal) = asked(self, protocol, cosigner.clone());
        self.forge.agree(proposal);
        let said = self.expressions(key);
        self.publish(key, 1, &said);
        for of in HOLDERS {
            let Reply::Confirmed { confirmed } = self.descriptor_round(of, key, 2) else {
                panic!("no word for the descriptor");
            };
            self.forge.run(Command::ConfirmKey { key, confirmed });
        }
        (key, secret, cosigner)
    }

    /// A wallet, after every cosigner's part of the proof.
    pub(super) fn shared(&mut self, protocol: Protocol) -> Shared {
        let (key, secret, cosigner) = self.unproven(protocol);
        self.proves_each(key, &secret, &cosigner);
        self.hold(key)
    }

    fn proves_each(&mut self, key: KeyId, secret: &Xpriv, cosigner: &Cosigner) {
        let active = self.forge.state.keys[&key].active().unwrap().clone();
        let places = Places::of_key(&active).unwrap();
        let log = self.forge.state.charter.standing().unwrap().log;
        let text = statement::spend_proof(log, key, 1, active.proven_as());
        let digest = spend_proof::digest(&text);
        let own = sign(secret, [2, 1], places.descriptor.shape(), digest);
        let mut parts = vec![(places.cosigners[&cosigner.name], Bytes(own.to_vec()))];
        for of in HOLDERS {
            let work = Work::Proof { key, epoch: 1 };
            let reply = step(&mut self.reader(of), work, &Bytes(vec![1; 16]), 1, Said::default());
            let Reply::Signatures { signatures } = reply else { panic!("{reply:?}") };
            parts.push((places.signers[&self.id(of)], signatures[0].clone()));
        }
        parts.sort();
        let mut signatures = Vec::new();
        for (at, signature) in parts {
            let place = u16::try_from(at).unwrap() + 1;
            let proven = CosignerProven { epoch: 1, place, signature: signature.clone() };
            self.forge.run(Command::ProveCosigner { key, proven });
            signatures.push(signature);
        }
        spend_proof::verify_proof(&active, 1, &text, &signatures).unwrap();
        let proven = Proven { epoch: 1, signatures };
        self.forge.run(Command::ProveKey { key, proven });
    }

    /// A wallet on a key, with an account and both addresses.
    fn hold(&mut self, key: KeyId) -> Shared {
        let (wallet, account) = (WalletId(Uuid::now_v7()), AccountId(Uuid::now_v7()));
        let signers = HOLDERS.map(|of| self.id(of)).to_vec();
        let forge = &mut self.forge;
        let by = forge.people.maker;
        let network = NETWORK;
        forge.run(Command::CreateWallet { wallet, network, key, tier: Tier::Hot, by });
        let (client, asset) = (ClientId(Uuid::now_v7()), NETWORK.native_asset());
        forge.run(Command::OpenAccount { account, client, asset, by });
        let active = forge.state.keys[&key].active().unwrap().clone();
        for (path, account) in [(DEPOSIT, Some(account)), (CHANGE, None)] {
            let address = key_address(&active, NETWORK, path).unwrap();
            let derived = AddressDerived { address, path, account };
            forge.run(Command::DeriveAddress { wallet, derived });
        }
        let custody = Custody {
            network,
            key,
            wallet,
            account,
            deposit: key_address(&active, NETWORK, DEPOSIT).unwrap(),
            public_key: [0; 33],
            package: active.public_package.clone(),
            signers,
        };
        let descriptor = Places::of_key(&active).unwrap().descriptor;
        Shared { custody, descriptor, previous: BTreeMap::new() }
    }

    /// Both give their part of an honest payment, and the two together are a transaction.
    #[track_caller]
    pub(super) fn pays_together(&mut self, shared: &mut Shared) {
        let coin = shared.fund(&mut self.forge);
        let asked = shared.custody.ask_and_approve(&mut self.forge);
        shared.authorise(
            &mut self.forge,
            &asked,
            1,
            (shared.honest(&asked.intent, &coin), FEE),
            &coin,
        );
        self.both_sign(shared, &asked, 1);
    }

    #[track_caller]
    pub(super) fn both_sign(&self, shared: &Shared, asked: &Asked, attempt: u32) {
        let transfer = asked.intent.transfer;
        let active = self.forge.state.keys[&shared.custody.key].active().unwrap();
        let places = Places::of_key(active).unwrap();
        let current = &self.forge.state.transfers[&transfer].attempts().unwrap().current;
        let parsed = UnsignedTx::parse(NETWORK, &current.unsigned).unwrap();
        let UnsignedTx::Multisig(unsigned) = parsed else { panic!("of one key") };
        let part = |of: usize| {
            let reply = self.reader(of).sign_alone(transfer, attempt);
            let Reply::Signatures { signatures } = reply else { panic!("{reply:?}") };
            let signatures = signatures.iter().map(|one| one.array().unwrap()).collect();
            Partial { place: places.signers[&self.id(of)], signatures }
        };
        unsigned.combine(&HOLDERS.map(part)).unwrap();
    }
}

/// By a key below an account, as wallets of that shape sign.
fn sign(account: &Xpriv, path: [u32; 2], shape: Shape, digest: [u8; 32]) -> [u8; 64] {
    let secp = Secp256k1::new();
    let steps = path.map(|step| ChildNumber::from_normal_idx(step).unwrap());
    let key = account.derive_priv(&secp, &steps).unwrap();
    let message = Message::from_digest(digest);
    match shape {
        Shape::P2wsh => secp.sign_ecdsa(&message, &key.private_key).serialize_compact(),
        Shape::P2tr => *secp.sign_schnorr_no_aux_rand(&message, &key.to_keypair(&secp)).as_ref(),
    }
}

impl Shared {
    /// A deposit, seen and credited, with the transaction that made it.
    pub(super) fn fund(&mut self, forge: &mut Forge) -> Coin {
        let chain = utxo::Chain::of(NETWORK).unwrap();
        let to = utxo::Destination::parse(chain, self.custody.deposit.as_str()).unwrap();
        let (coin, previous) = made(to.script(), COIN);
        let txid = coin.outpoint.txid.clone();
        self.previous.insert(txid.clone(), previous);
        let place = format!("{txid}:0");
        let deposit = DepositId::of(NETWORK, &place);
        let seen = Seen {
            wallet: self.custody.wallet,
            address: self.custody.deposit.clone(),
            account: self.custody.account,
            amount: Amount::new(COIN),
            place,
            block: BlockRef { height: 7, hash: txid },
        };
        forge.run(Command::SeeDeposit { deposit, seen });
        forge.run(Command::CreditDeposit { deposit, confirmations: 3 });
        coin
    }

    pub(super) fn honest(&self, intent: &Intent, coin: &Coin) -> Bytes {
        self.over(&self.descriptor, intent, std::slice::from_ref(coin), FEE)
    }

    /// A transaction by the product's own builder, for whatever intent and wallet.
    pub(super) fn over(
        &self,
        descriptor: &Descriptor,
        intent: &Intent,
        coins: &[Coin],
        fee: u128,
    ) -> Bytes {
        let sum: u128 = coins.iter().map(|coin| coin.amount.units()).sum();
        let change = sum - intent.amount.units() - fee;
        let plan = Plan {
            inputs: coins.to_vec(),
            change: (change > 0).then(|| Amount::new(change)),
            fee: Amount::new(fee),
        };
        let chain = utxo::Chain::of(NETWORK).unwrap();
        let previous = |coin: &OutPoint| self.previous.get(&coin.txid).cloned();
        build(chain, descriptor, intent, &plan, CHANGE, previous).unwrap().to_bytes()
    }

    #[track_caller]
    pub(super) fn authorise(
        &self,
        forge: &mut Forge,
        asked: &Asked,
        number: u32,
        (unsigned, fee): (Bytes, u128),
        coin: &Coin,
    ) {
        let mut attempt = self.custody.attempt(unsigned, fee);
        attempt.attempt = number;
        let spends = Spends::Coins(vec![coin.outpoint.clone()]);
        self.custody.authorise(forge, asked, attempt, spends);
    }

    /// The same wallet with a stranger's key instead of the offline cosigner's, or besides all of them.
    pub(super) fn foreign(&self, instead: bool) -> Descriptor {
        let stranger: KeyExpression = account(66).1.key.parse().unwrap();
        let own: KeyExpression = account(1).1.key.parse().unwrap();
        let kept = self.descriptor.keys().iter().filter(|key| !instead || **key != own).cloned();
        let keys = kept.chain([stranger]).collect();
        Descriptor::new(self.descriptor.shape(), 2, keys).unwrap()
    }
}

/// A transaction that pays so much to a script, and the coin.
pub(super) fn made(script_pubkey: bitcoin::ScriptBuf, amount: u128) -> (Coin, Bytes) {
    let nonce = Digest::of(Uuid::now_v7().as_bytes());
    let spent = Spent { txid: bitcoin::Txid::from_byte_array(nonce.0), vout: 0 };
    let input = TxIn {
        previous_output: spent,
        script_sig: bitcoin::ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let value = bitcoin::Amount::from_sat(u64::try_from(amount).unwrap());
    let transaction = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![TxOut { value, script_pubkey }],
    };
    let outpoint = format!("{}:0", transaction.compute_txid()).parse().unwrap();
    let coin = Coin { outpoint, amount: Amount::new(amount), path: DEPOSIT };
    (coin, Bytes(encode::serialize(&transaction)))
}
