//! What the regtest nodes of the Bitcoin family have in common. Never assumes a wallet in the node.

use bitcoin::Script;
use bitcoin::bech32::{Fe32, Hrp, segwit};
use serde_json::Value;
use strongroom_nodes::{BitcoinNode, BlockHash, Endpoint};

use super::{Btcd, Core, RpcFault, find};

/// A chain for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The first part of its segwit addresses.
    pub hrp: &'static str,
    /// Its genesis block.
    pub genesis: &'static str,
}

/// Bitcoin's regression test chain.
pub const BITCOIN: Network = Network {
    hrp: "bcrt",
    genesis: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
};

/// Litecoin's regression test chain.
pub const LITECOIN: Network = Network {
    hrp: "rltc",
    genesis: "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9",
};

impl Network {
    /// The address of a segwit output script, in this chain's spelling.
    pub fn address(&self, script: &Script) -> String {
        let version = script.witness_version().expect("a segwit output script");
        let program = script.as_bytes().get(2..).expect("a witness program");
        let version = Fe32::try_from(version.to_num()).expect("at most 16");
        let hrp = Hrp::parse(self.hrp).expect("a valid prefix");
        segwit::encode(hrp, version, program).expect("a valid witness program")
    }

    /// The genesis block's hash.
    pub fn genesis(&self) -> BlockHash {
        self.genesis.parse().expect("32 bytes")
    }
}

/// A running regtest node: litecoind, bitcoind or btcd.
///
/// Stopped or killed nodes keep their folder and port until they are dropped.
pub trait BitcoinRegtest: Send {
    /// Its chain.
    fn network(&self) -> Network;

    /// Where and how a client reaches it; stays the same over restarts.
    fn endpoint(&self) -> Endpoint;

    /// A raw call, for what this trait does not have.
    fn rpc(&self, method: &str, params: Value) -> Result<Value, RpcFault>;

    /// Mines blocks with what waits in the memory pool; their hashes, lowest first.
    fn mine(&self, blocks: u32) -> Vec<String>;

    /// Pays base units to an address from the harness's own coins, with RBF signalled or not, as
    /// the node likes; the txid. Mines what it needs to have coins, but not the payment itself.
    fn fund(&self, address: &str, value: u64) -> String;

    /// Ends it in good order.
    fn stop(&mut self);

    /// Ends it with SIGKILL.
    fn kill(&mut self);

    /// Starts it again on the same folder and port.
    fn restart(&mut self);

    /// Sends a signal by name, such as `STOP` and `CONT` for a node that hangs.
    fn signal(&self, signal: &str);

    /// [`Self::rpc`], with a panic for a fault.
    fn must(&self, method: &str, params: Value) -> Value {
        let shown = params.to_string();
        self.rpc(method, params).unwrap_or_else(|fault| panic!("{method} {shown}: {fault:?}"))
    }

    /// The height of the tip.
    fn height(&self) -> u64 {
        self.must("getblockcount", Value::Array(vec![])).as_u64().expect("a height")
    }

    /// The block at a height.
    fn block_hash(&self, height: u64) -> String {
        text(&self.must("getblockhash", serde_json::json!([height])))
    }

    /// Replaces the last `depth` blocks by as many and one more. The transactions in them return to
    /// the memory pool and are mined again; see [`Core::reorganise_away`] for one that is not.
    fn reorganise(&self, depth: u32) -> Vec<String> {
        self.take_back(depth);
        self.mine(depth.checked_add(1).expect("a small depth"))
    }

    /// Invalidates the last `depth` blocks: the tip is lower afterwards.
    fn take_back(&self, depth: u32) {
        let lowest = self.height().checked_sub(u64::from(depth) - 1).expect("enough blocks");
        self.must("invalidateblock", serde_json::json!([self.block_hash(lowest)]));
    }

    /// A client of the kind under test, connected to it.
    fn client(&self) -> BitcoinNode {
        BitcoinNode::new(self.endpoint(), self.network().genesis()).expect("a client")
    }
}

/// The Bitcoin node that this machine has: bitcoind, else btcd; a panic without both.
pub fn start_bitcoin() -> Box<dyn BitcoinRegtest> {
    if find("bitcoind").is_some() { Box::new(Core::bitcoind()) } else { Box::new(Btcd::start()) }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("text, not {value}")).to_owned()
}
