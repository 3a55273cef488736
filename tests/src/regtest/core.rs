//! litecoind and bitcoind on regtest, with the node's own wallet as a purse for tests. Never connects
//! to a peer.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use strongroom_nodes::{Credentials, Endpoint};

use super::bitcoin_regtest::{BITCOIN, BitcoinRegtest, LITECOIN, Network, text};
use super::process::{Folder, Process, free_port};
use super::{RpcFault, rpc, tool};

/// Coinbases can be spent after 100 blocks.
const MATURITY: u64 = 100;

/// A node of the Bitcoin Core family.
#[derive(Debug)]
pub struct Core {
    process: Option<Process>,
    program: PathBuf,
    network: Network,
    rpc_port: u16,
    settings: Vec<String>,
    folder: Folder,
}

impl Core {
    /// litecoind in a temporary folder, without blocks.
    pub fn litecoind() -> Self {
        Self::litecoind_with(&[])
    }

    /// [`Self::litecoind`] with more arguments. `-mempoolreplacement=1` lets transactions be replaced
    /// (BIP 125), which litecoind does not do by default.
    pub fn litecoind_with(settings: &[&str]) -> Self {
        Self::start(tool("litecoind"), LITECOIN, Folder::temporary(), free_port(), settings)
    }

    /// bitcoind in a temporary folder, without blocks.
    pub fn bitcoind() -> Self {
        Self::start(tool("bitcoind"), BITCOIN, Folder::temporary(), free_port(), &[])
    }

    /// litecoind in a folder that stays, with the blocks it has there.
    pub fn litecoind_in(folder: &Path, rpc_port: u16) -> Self {
        Self::start(tool("litecoind"), LITECOIN, Folder::kept(folder), rpc_port, &[])
    }

    /// bitcoind in a folder that stays, with the blocks it has there.
    pub fn bitcoind_in(folder: &Path, rpc_port: u16) -> Self {
        Self::start(tool("bitcoind"), BITCOIN, Folder::kept(folder), rpc_port, &[])
    }

    fn start(
        program: PathBuf,
        network: Network,
        folder: Folder,
        rpc_port: u16,
        settings: &[&str],
    ) -> Self {
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut node = Self { process: None, program, network, rpc_port, settings, folder };
        node.restart();
        node
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port)
    }

    /// Where the node writes user and password at each start.
    pub fn cookie_file(&self) -> PathBuf {
        self.folder.path().join("regtest/.cookie")
    }

    /// A new address of the node's own wallet.
    pub fn new_address(&self) -> String {
        text(&self.must("getnewaddress", json!(["", "bech32"])))
    }

    /// Mines blocks without what waits in the memory pool.
    pub fn mine_empty(&self, blocks: u32) {
        for _ in 0..blocks {
            self.must("generateblock", json!([self.new_address(), []]));
        }
    }

    /// Removes a confirmed payment of [`BitcoinRegtest::fund`] from the chain for good: takes back
    /// the blocks down to its own, spends its inputs otherwise in a block of the new branch, and
    /// mines that branch to be one block longer than the old one. Returns the txid of the other spend.
    pub fn reorganise_away(&self, txid: &str) -> String {
        let payment = self.must("gettransaction", json!([txid]));
        let depth = payment.get("confirmations").and_then(Value::as_u64).expect("a number");
        let depth = u32::try_from(depth).expect("a small number of confirmations");
        assert!(depth > 0, "{txid} is not confirmed");
        let decoded = self.must("decoderawtransaction", json!([payment.get("hex")]));
        let inputs: Vec<Value> = decoded
            .get("vin")
            .and_then(Value::as_array)
            .expect("inputs")
            .iter()
            .map(|input| json!({ "txid": input.get("txid"), "vout": input.get("vout") }))
            .collect();
        self.take_back(depth);
        // All of the inputs' value but a sliver goes to the miner, who is the same wallet.
        let outputs = json!([{ self.new_address(): "0.00010000" }]);
        let raw = self.must("createrawtransaction", json!([inputs, outputs]));
        let signed = self.must("signrawtransactionwithwallet", json!([raw]));
        let hex = signed.get("hex").expect("a signed transaction");
        self.must("generateblock", json!([self.new_address(), [hex]]));
        self.mine_empty(depth);
        text(self.must("decoderawtransaction", json!([hex])).get("txid").expect("a txid"))
    }

    /// Enough mature coins in the node's wallet for a payment of `value` base units.
    fn fill_purse(&self, value: u64) {
        let target = format!("{}.{:08}", value / 100_000_000, value % 100_000_000);
        let target: f64 = target.parse().expect("a decimal");
        let has_enough = || {
            let balance = self.must("getbalance", json!([]));
            balance.as_f64().expect("a balance") > target
        };
        let mut mined = 0;
        while !has_enough() {
            let height = self.height();
            self.mine(if height > MATURITY { 10 } else { 101 });
            mined += 1;
            assert!(mined < 200, "regtest has no {target} coins to give");
        }
    }

    fn login(&self) -> Option<String> {
        std::fs::read_to_string(self.cookie_file()).ok()
    }

    fn prepare_wallet(&self) {
        // One that a folder brought along is loaded by its name; else it is made.
        if self.rpc("loadwallet", json!(["purse"])).is_err() {
            let made = self.rpc("createwallet", json!(["purse"]));
            let listed = self.must("listwallets", json!([]));
            let there = listed.as_array().is_some_and(|names| names.contains(&json!("purse")));
            assert!(there, "no wallet in the node: {made:?}");
        }
    }
}

impl BitcoinRegtest for Core {
    fn network(&self) -> Network {
        self.network
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new(&self.url(), Credentials::CookieFile(self.cookie_file())).expect("a URL")
    }

    fn rpc(&self, method: &str, params: Value) -> Result<Value, RpcFault> {
        rpc::call(self.rpc_port, self.login().as_deref(), method, &params)
    }

    fn mine(&self, blocks: u32) -> Vec<String> {
        // A new address each time: a block of the same second, parent and coinbase would have the
        // hash of the one that a reorganisation just invalidated.
        let hashes = self.must("generatetoaddress", json!([blocks, self.new_address()]));
        hashes.as_array().expect("hashes").iter().map(text).collect()
    }

    fn fund(&self, address: &str, value: u64) -> String {
        self.fill_purse(value);
        // As text: Core takes decimal strings, and no float comes in between.
        let coins = format!("{}.{:08}", value / 100_000_000, value % 100_000_000);
        text(&self.must("sendtoaddress", json!([address, coins])))
    }

    fn stop(&mut self) {
        self.process.take().expect("a running node").stop("TERM");
    }

    fn kill(&mut self) {
        self.process = None;
    }

    fn restart(&mut self) {
        self.process = None;
        // Left behind by SIGKILL; a login with it would be refused.
        let _ = std::fs::remove_file(self.cookie_file());
        let mut command = Command::new(&self.program);
        command
            .arg("-regtest")
            .arg(format!("-datadir={}", self.folder.path().display()))
            .arg(format!("-rpcport={}", self.rpc_port))
            .args(["-server", "-listen=0", "-connect=0", "-dnsseed=0", "-fallbackfee=0.0001"])
            // Without -txindex, as the product must work; with a small cache, as many run at once.
            .args(["-printtoconsole=0", "-dbcache=16", "-keypool=10"])
            .args(&self.settings);
        let ready = || self.rpc("getblockcount", json!([])).is_ok();
        self.process = Some(Process::start(command, self.folder.path(), ready));
        self.prepare_wallet();
    }

    fn signal(&self, signal: &str) {
        self.process.as_ref().expect("a running node").signal(signal);
    }
}
