//! anvil: an Ethereum node for development chains. Mines only when told, so that tests know what is in
//! which block. Never forks a real chain.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use strongroom_nodes::ethereum::Address;
use strongroom_nodes::{Credentials, Endpoint, EthereumNode};

use super::bitcoin_regtest::text;
use super::process::{Folder, Process, free_port};
use super::{RpcFault, rpc, tool};

/// An anvil node with ten accounts of 10 000 ether each, whose keys it holds itself.
#[derive(Debug)]
pub struct Anvil {
    process: Option<Process>,
    program: PathBuf,
    port: u16,
    folder: Folder,
}

impl Anvil {
    /// The chain's id.
    pub const CHAIN_ID: u64 = 31_337;

    /// anvil in a temporary folder, at height 0.
    pub fn start() -> Self {
        Self::start_on(Folder::temporary(), free_port())
    }

    /// anvil in a folder that stays, with the state of its last [`Self::stop`].
    pub fn start_in(folder: &Path, port: u16) -> Self {
        Self::start_on(Folder::kept(folder), port)
    }

    fn start_on(folder: Folder, port: u16) -> Self {
        let mut node = Self { process: None, program: tool("anvil"), port, folder };
        node.restart();
        node
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where a client reaches it; stays the same over restarts.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::new(&self.url(), Credentials::None).expect("a URL")
    }

    /// A client of the kind under test, connected to it.
    pub fn client(&self) -> EthereumNode {
        EthereumNode::new(self.endpoint(), Self::CHAIN_ID).expect("a client")
    }

    /// A raw call.
    pub fn rpc(&self, method: &str, params: Value) -> Result<Value, RpcFault> {
        rpc::call(self.port, None, method, &params)
    }

    /// [`Self::rpc`], with a panic for a fault.
    pub fn must(&self, method: &str, params: Value) -> Value {
        let shown = params.to_string();
        self.rpc(method, params).unwrap_or_else(|fault| panic!("{method} {shown}: {fault:?}"))
    }

    /// One of the ten accounts.
    pub fn account(&self, index: usize) -> Address {
        let accounts = self.must("eth_accounts", json!([]));
        text(accounts.get(index).expect("ten accounts")).parse().expect("an address")
    }

    /// Mines blocks with what waits in the memory pool.
    pub fn mine(&self, blocks: u32) {
        self.must("anvil_mine", json!([format!("{blocks:#x}")]));
    }

    /// Mines a block for each transaction at once, or (as at the start) only when told.
    pub fn automine(&self, on: bool) {
        self.must("evm_setAutomine", json!([on]));
    }

    /// Sends wei from the first account; the transaction's hash. Waits for a block as any other.
    pub fn fund(&self, to: &str, wei: u128) -> String {
        self.transfer(0, to, wei)
    }

    /// Sends wei from one of the ten accounts.
    pub fn transfer(&self, from: usize, to: &str, wei: u128) -> String {
        let transaction = json!({
            "from": self.account(from).to_string(), "to": to, "value": format!("{wei:#x}"),
        });
        text(&self.must("eth_sendTransaction", json!([transaction])))
    }

    /// Gives an account this balance, without a transaction.
    pub fn set_balance(&self, account: &str, wei: u128) {
        self.must("anvil_setBalance", json!([account, format!("{wei:#x}")]));
    }

    /// Replaces the last `depth` blocks by as many empty ones. What they held is not mined again.
    pub fn reorganise(&self, depth: u32) {
        self.must("anvil_reorg", json!([depth, []]));
    }

    /// Ends it in good order; it saves its state.
    pub fn stop(&mut self) {
        self.process.take().expect("a running node").stop("INT");
    }

    /// Ends it with SIGKILL. All since the last [`Self::stop`] is lost: anvil keeps its chain in memory.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on the same folder and port.
    pub fn restart(&mut self) {
        self.process = None;
        let mut command = Command::new(&self.program);
        command
            .args(["--host", "127.0.0.1", "--no-mining", "--chain-id"])
            .arg(Self::CHAIN_ID.to_string())
            .arg("--port")
            .arg(self.port.to_string())
            .arg("--state")
            .arg(self.folder.path().join("state.json"));
        let ready = || self.rpc("eth_chainId", json!([])).is_ok();
        self.process = Some(Process::start(command, self.folder.path(), ready));
    }

    /// Sends a signal by name, such as `STOP` and `CONT` for a node that hangs.
    pub fn signal(&self, signal: &str) {
        self.process.as_ref().expect("a running node").signal(signal);
    }
}
