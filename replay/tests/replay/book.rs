//! A real log: keys, addresses and a signed Ethereum payment that its network would take. The keys
//! are made from fixed seeds and never used anywhere else.

use crate::world::{ETH, Facts, LTC, World, clock, question, transfer};
use k256::ecdsa::{Signature, SigningKey, hazmat::SignPrimitive, signature::hazmat::PrehashSigner};
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Arc;
use strongroom_chains::{
    SignedTx, address_of,
    ethereum::{self, Chain, Gas, UnsignedTx},
    frost::{GroupKey, KeyPath},
};
use strongroom_domain::{
    Bytes, Command, Intent, Network, statement::Answer, transfer::AttemptSigned,
};
use strongroom_ledger::{
    Entry, Hash, Head, Position,
    export::{Pair, Reader, Writer},
    leaf_hash, payload_hash,
};
use strongroom_store::{AuditLog, PostgresLog, SqliteLog};

fn secret(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32].into()).unwrap()
}

fn public(key: &SigningKey) -> [u8; 33] {
    key.verifying_key().to_encoded_point(true).as_bytes().try_into().unwrap()
}

fn eth() -> Facts {
    let of = |seed| address_of(Network::EthereumDev, &public(&secret(seed))).unwrap();
    Facts {
        public_key: Bytes(public(&secret(7)).to_vec()),
        deposit: of(7),
        change: of(7),
        destination: of(8),
    }
}

fn ltc() -> Facts {
    let network = Network::LitecoinRegtest;
    let key = public(&secret(9));
    let child = |change| {
        let path = KeyPath { change, index: 0 };
        let child = GroupKey::from_bytes(&key).unwrap().child(path).unwrap();
        address_of(network, &child.to_bytes()).unwrap()
    };
    let destination = address_of(network, &public(&secret(10))).unwrap();
    Facts { public_key: Bytes(key.to_vec()), deposit: child(0), change: child(1), destination }
}

pub(crate) fn unsigned(intent: &Intent, account_nonce: u64) -> UnsignedTx {
    let gas = Gas { max_fee: 2_000_000_000, max_priority_fee: 1_000_000_000 };
    let chain = Chain::of(Network::EthereumDev).unwrap();
    ethereum::build(chain, intent, account_nonce, gas).unwrap()
}

/// Signed by the key of this seed; the wallet's is 7.
pub(crate) fn signed(unsigned: &UnsignedTx, seed: u8) -> SignedTx {
    let key = secret(seed);
    let digest = unsigned.signing_payload().digest;
    let signature: Signature = key.sign_prehash(&digest).unwrap();
    let signature = signature.normalize_s().unwrap_or(signature);
    unsigned.assemble(&public(&key), &signature.to_bytes().into()).unwrap()
}

/// As [`signed`], with a nonce that nobody should choose.
pub(crate) fn signed_with(unsigned: &UnsignedTx, seed: u8, nonce: u64) -> SignedTx {
    let key = secret(seed);
    let digest = unsigned.signing_payload().digest;
    let nonce = k256::Scalar::from(nonce);
    let (signature, _) = key.as_nonzero_scalar().try_sign_prehashed(nonce, &digest.into()).unwrap();
    let signature = signature.normalize_s().unwrap_or(signature);
    unsigned.assemble(&public(&key), &signature.to_bytes().into()).unwrap()
}

pub(crate) fn house(path: &Path) -> World {
    let (micros, clock) = clock();
    let options = strongroom_store::Options { clock, ..strongroom_store::Options::default() };
    let log = SqliteLog::open_with(path, &options).unwrap();
    World::new(Arc::new(log), micros, ltc(), eth())
}

/// The same house on PostgreSQL.
pub(crate) async fn house_at(url: &str) -> World {
    let (micros, clock) = clock();
    let options = strongroom_store::Options { clock, ..strongroom_store::Options::default() };
    let log = PostgresLog::open(url, &options).await.unwrap();
    World::new(Arc::new(log), micros, ltc(), eth())
}

const HALF: u128 = 500_000_000_000_000_000;

/// Transfer 1 is on the chain, transfer 2 waits for its quorum.
pub(crate) async fn live(world: &mut World) {
    world.found().await;
    world.furnish().await;
    world.see(ETH, 1, 2 * HALF).await.unwrap();
    world.credit(ETH, 1).await.unwrap();
    world.see(LTC, 2, 700_000).await.unwrap();
    world.credit(LTC, 2).await.unwrap();
    let intent = world.intent(ETH, 1, HALF, 100_000_000_000_000);
    world.request(intent.clone(), 1).await.unwrap();
    world.answer(question(1), 0, Answer::Approve).await.unwrap();
    world.answer(question(1), 2, Answer::Approve).await.unwrap();
    pay(world, &intent, 7).await;
    let intent = world.intent(LTC, 2, 5_000, 100);
    world.request(intent, 2).await.unwrap();
    world.answer(question(2), 1, Answer::Approve).await.unwrap();
}

/// Transfer 1 from its approval to its end, signed by the key of this seed.
pub(crate) async fn pay(world: &mut World, intent: &Intent, seed: u8) {
    let unsigned = unsigned(intent, 0);
    world.authorise(1, 1, unsigned.to_bytes(), 42_000_000_000_000).await.unwrap();
    let SignedTx { raw, id } = signed(&unsigned, seed);
    let transaction = id.to_string();
    let signed = AttemptSigned { attempt: 1, raw, transaction };
    world.act(Command::RecordSigned { transfer: transfer(1), signed }).await.unwrap();
    world.act(Command::RecordBroadcast { transfer: transfer(1), attempt: 1 }).await.unwrap();
    world.confirm(1, HALF, 40_000_000_000_000, 0).await.unwrap();
}

/// A log file with a whole log, closed, in a directory of its own.
pub(crate) struct Book {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) log: PathBuf,
}

impl Book {
    pub(crate) async fn written() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log.db");
        live(&mut house(&log)).await;
        Self { directory, log }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Every entry with its payload.
    pub(crate) fn pairs(&self) -> Vec<Pair> {
        let mut bytes = Vec::new();
        AuditLog::open_read_only(&self.log).unwrap().export(&mut bytes).unwrap();
        read(&bytes)
    }

    /// Runs the program on an export of these entries, knowing the right genesis and head.
    pub(crate) fn judged(&self, pairs: &[Pair]) -> (i32, String) {
        let file = self.file("tampered.jsonl");
        std::fs::write(&file, bytes(pairs)).unwrap();
        let right = self.pairs();
        let genesis = leaf_hash(&right[0].entry).to_string();
        let head = head(&right);
        let head = format!("{}:{}", head.position, head.leaf);
        let file = file.to_str().unwrap();
        run(&["verify", file, "--genesis", &genesis, "--expect-head", &head])
    }

    /// The same, knowing nothing.
    pub(crate) fn judged_unpinned(&self, pairs: &[Pair]) -> (i32, String) {
        let file = self.file("tampered.jsonl");
        std::fs::write(&file, bytes(pairs)).unwrap();
        run(&["verify", file.to_str().unwrap()])
    }
}

pub(crate) fn read(bytes: &[u8]) -> Vec<Pair> {
    Reader::new(bytes).map(Result::unwrap).collect()
}

pub(crate) fn bytes(pairs: &[Pair]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for pair in pairs {
        writer.write(&pair.entry, &pair.payload).unwrap();
    }
    writer.finish().unwrap()
}

pub(crate) fn head(pairs: &[Pair]) -> Head {
    let position = Position::new(u64::try_from(pairs.len()).unwrap()).unwrap();
    Head { position, leaf: leaf_hash(&pairs.last().unwrap().entry) }
}

/// What somebody would do who can write the whole log: every hash, place and time fits.
pub(crate) fn rechained(pairs: &[Pair]) -> Vec<Pair> {
    let mut prev = Hash::ZERO;
    let mut position = Position::START;
    let mut time = None;
    let mut sequences = std::collections::BTreeMap::new();
    let again = |pair: &Pair| {
        let mut entry = Entry::parse(&pair.entry).unwrap();
        position = position.next().unwrap();
        let sequence = sequences.entry(entry.stream.clone()).or_insert(0);
        *sequence += 1;
        (entry.position, entry.sequence, entry.prev) = (position, *sequence, prev);
        entry.time = time.map_or(entry.time, |before| entry.time.max(before));
        time = Some(entry.time);
        entry.payload_sha256 = payload_hash(&pair.payload);
        let bytes = entry.encode().unwrap();
        prev = leaf_hash(&bytes);
        Pair { entry: bytes, payload: pair.payload.clone() }
    };
    pairs.iter().map(again).collect()
}

/// Where the first entry of this type stands in the list.
pub(crate) fn find(pairs: &[Pair], kind: &str) -> usize {
    pairs.iter().position(|pair| Entry::parse(&pair.entry).unwrap().r#type == kind).unwrap()
}

/// Runs the program; gives its exit code and what it wrote.
pub(crate) fn run(arguments: &[&str]) -> (i32, String) {
    let mut program = Process::new(env!("CARGO_BIN_EXE_strongroom-replay"));
    let done = program.args(arguments).output().unwrap();
    let mut said = String::from_utf8(done.stdout).unwrap();
    said.push_str(&String::from_utf8(done.stderr).unwrap());
    (done.status.code().unwrap(), said)
}
