//! btcd on regtest. It has no wallet: its coinbases go to the harness's faucet. Never connects to a
//! peer.
//!
//! btcd removes its regtest database whenever it starts, so the harness keeps the blocks over a restart
//! and submits them again. Its memory pool is lost, as it is on every chain.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Address, Amount, OutPoint, ScriptBuf};
use serde_json::{Value, json};
use strongroom_nodes::{Credentials, Endpoint};

use super::bitcoin_regtest::{BITCOIN, BitcoinRegtest, Network, text};
use super::faucet::Faucet;
use super::process::{Folder, Process, free_port};
use super::{RpcFault, rpc, tool};

const USER: &str = "strongroom";
const PASSWORD: &str = "regtest-only";
/// A coinbase can be spent in the 100th block after its own.
const MATURITY: u64 = 100;

/// A btcd node.
pub struct Btcd {
    process: Option<Process>,
    program: PathBuf,
    rpc_port: u16,
    faucet: Faucet,
    /// btcd's `gettxout` counts outputs as unspent that a transaction in its memory pool spends.
    spent: Mutex<BTreeSet<OutPoint>>,
    folder: Folder,
}

impl Btcd {
    /// btcd in a temporary folder, without blocks.
    pub fn start() -> Self {
        Self::start_on(Folder::temporary(), free_port())
    }

    /// btcd in a folder that stays, with the blocks of its last [`BitcoinRegtest::stop`] there.
    pub fn start_in(folder: &Path, rpc_port: u16) -> Self {
        Self::start_on(Folder::kept(folder), rpc_port)
    }

    fn start_on(folder: Folder, rpc_port: u16) -> Self {
        let program = tool("btcd");
        let (faucet, spent) = (Faucet::new(), Mutex::default());
        let mut node = Self { process: None, program, rpc_port, faucet, spent, folder };
        fs::write(node.password_file(), format!("{PASSWORD}\n")).expect("a password file");
        // Not as arguments: the process list shows them.
        fs::write(
            node.settings(),
            format!("[Application Options]\nrpcuser={USER}\nrpcpass={PASSWORD}\n"),
        )
        .expect("a settings file");
        node.restart();
        node
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port)
    }

    /// The RPC user.
    pub fn user(&self) -> &'static str {
        USER
    }

    /// The file that holds the RPC password.
    pub fn password_file(&self) -> PathBuf {
        self.folder.path().join("rpc-password")
    }

    /// One block in hex a line, from height 1.
    fn chain_file(&self) -> PathBuf {
        self.folder.path().join("chain.hex")
    }

    fn save_chain(&self) {
        let blocks: Vec<String> = (1..=self.height())
            .map(|height| text(&self.must("getblock", json!([self.block_hash(height), 0]))))
            .collect();
        fs::write(self.chain_file(), blocks.join("\n")).expect("the chain can be saved");
    }

    fn load_chain(&self) {
        for block in fs::read_to_string(self.chain_file()).unwrap_or_default().lines() {
            let refusal = self.must("submitblock", json!([block]));
            assert!(refusal.is_null(), "btcd refuses a block of its own: {refusal}");
        }
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("btcd.conf")
    }

    /// Mature, unspent coinbases until their sum reaches `value`, from the lowest block on.
    fn coins(&self, value: Amount) -> Vec<(OutPoint, Amount)> {
        let mut coins = Vec::new();
        let mut total = Amount::ZERO;
        let mut height = 1;
        while total <= value {
            while height + MATURITY > self.height() + 1 {
                self.mine(
                    u32::try_from(height + MATURITY - self.height() - 1).expect("few blocks"),
                );
            }
            let block = self.must("getblock", json!([self.block_hash(height), 1]));
            let id = text(block.pointer("/tx/0").expect("a coinbase"));
            let output = self.must("gettxout", json!([id, 0, true]));
            let coin = OutPoint::new(id.parse().expect("a txid"), 0);
            let worth = output.get("value").and_then(Value::as_f64);
            if let Some(worth) = worth.filter(|_| self.spent.lock().unwrap().insert(coin)) {
                let worth = Amount::from_btc(worth).expect("an amount");
                coins.push((coin, worth));
                total += worth;
            }
            height += 1;
        }
        coins
    }
}

impl BitcoinRegtest for Btcd {
    fn network(&self) -> Network {
        BITCOIN
    }

    fn endpoint(&self) -> Endpoint {
        let credentials =
            Credentials::PasswordFile { user: USER.to_owned(), file: self.password_file() };
        Endpoint::new(&self.url(), credentials).expect("a URL")
    }

    fn rpc(&self, method: &str, params: Value) -> Result<Value, RpcFault> {
        rpc::call(self.rpc_port, Some(&format!("{USER}:{PASSWORD}")), method, &params)
    }

    fn mine(&self, blocks: u32) -> Vec<String> {
        let hashes = self.must("generate", json!([blocks]));
        hashes.as_array().expect("hashes").iter().map(text).collect()
    }

    fn fund(&self, address: &str, value: u64) -> String {
        let value = Amount::from_sat(value);
        let address: Address<_> = address.parse().expect("an address");
        let to: ScriptBuf = address.assume_checked().script_pubkey();
        // The margin pays the fee.
        let coins = self.coins(value + Amount::from_sat(100_000));
        let payment = self.faucet.pay(&coins, to, value).expect("enough coins");
        text(&self.must("sendrawtransaction", json!([serialize_hex(&payment)])))
    }

    fn stop(&mut self) {
        self.save_chain();
        self.process.take().expect("a running node").stop("TERM");
    }

    fn kill(&mut self) {
        self.save_chain();
        self.process = None;
    }

    fn restart(&mut self) {
        self.process = None;
        let folder = self.folder.path();
        let mut command = Command::new(&self.program);
        command
            .args(["--regtest", "--nolisten", "--nodnsseed", "--notls", "--utxocachemaxsize=16"])
            // As on mainnet: on regtest btcd would relay what no other node takes.
            .arg("--rejectnonstd")
            .arg(format!("--configfile={}", self.settings().display()))
            .arg(format!("--datadir={}", folder.join("data").display()))
            .arg(format!("--logdir={}", folder.join("logs").display()))
            .arg(format!("--rpclisten=127.0.0.1:{}", self.rpc_port))
            .arg(format!("--miningaddr={}", BITCOIN.address(&self.faucet.script())));
        let ready = || self.rpc("getblockcount", json!([])).is_ok();
        self.process = Some(Process::start(command, folder, ready));
        self.load_chain();
    }

    fn signal(&self, signal: &str) {
        self.process.as_ref().expect("a running node").signal(signal);
    }
}
