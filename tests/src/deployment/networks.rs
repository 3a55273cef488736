//! The chain nodes of a deployment. A network without a program on this machine is left out, and
//! whoever asks for it is told so.

use std::fmt::Write as _;
use std::path::Path;

use strongroom_domain::{Family, Network};

use crate::regtest::{Anvil, BitcoinRegtest, Btcd, Core, find};

/// Running nodes.
pub struct Networks {
    /// bitcoind or btcd; none without bitcoind and Go.
    pub bitcoin: Option<BitcoinNode>,
    /// litecoind
    pub litecoin: Core,
    /// anvil
    pub ethereum: Anvil,
}

/// Whichever program speaks for Bitcoin.
pub enum BitcoinNode {
    /// bitcoind
    Core(Box<Core>),
    /// btcd
    Btcd(Box<Btcd>),
}

impl BitcoinNode {
    /// As a node of the family.
    pub fn node(&self) -> &dyn BitcoinRegtest {
        match self {
            Self::Core(core) => core.as_ref(),
            Self::Btcd(btcd) => btcd.as_ref(),
        }
    }

    /// As a node of the family, to stop and start.
    pub fn node_mut(&mut self) -> &mut dyn BitcoinRegtest {
        match self {
            Self::Core(core) => core.as_mut(),
            Self::Btcd(btcd) => btcd.as_mut(),
        }
    }

    fn start() -> Option<Self> {
        if find("bitcoind").is_some() {
            Some(Self::Core(Box::new(Core::bitcoind())))
        } else {
            find("btcd").map(|_| Self::Btcd(Box::new(Btcd::start())))
        }
    }
}

impl Networks {
    /// Starts every node that this machine has.
    pub fn start() -> Self {
        Self {
            bitcoin: BitcoinNode::start(),
            litecoin: Core::litecoind_with(&["-mempoolreplacement=1"]),
            ethereum: Anvil::start(),
        }
    }

    /// Litecoin and Ethereum alone.
    pub fn without_bitcoin() -> Self {
        Self {
            bitcoin: None,
            litecoin: Core::litecoind_with(&["-mempoolreplacement=1"]),
            ethereum: Anvil::start(),
        }
    }

    /// The networks that have a node.
    pub fn all(&self) -> Vec<Network> {
        let bitcoin = self.bitcoin.iter().map(|_| Network::BitcoinRegtest);
        bitcoin.chain([Network::LitecoinRegtest, Network::EthereumDev]).collect()
    }

    /// A node of the Bitcoin family.
    pub fn utxo(&self, network: Network) -> &dyn BitcoinRegtest {
        match (network, &self.bitcoin) {
            (Network::BitcoinRegtest, Some(node)) => node.node(),
            (Network::LitecoinRegtest, _) => &self.litecoin,
            _ => panic!("no node of the Bitcoin family runs for {network}"),
        }
    }

    /// Mines blocks on a network.
    pub fn mine(&self, network: Network, blocks: u32) {
        match network.family() {
            Family::Ethereum => self.ethereum.mine(blocks),
            Family::Bitcoin => drop(self.utxo(network).mine(blocks)),
        }
    }

    pub(super) fn stop(&mut self) {
        if let Some(bitcoin) = &mut self.bitcoin {
            bitcoin.node_mut().stop();
        }
        self.litecoin.stop();
        self.ethereum.stop();
    }

    /// The server's part about nodes.
    pub(super) fn configuration(&self, _folder: &Path) -> String {
        let mut text = String::new();
        match &self.bitcoin {
            Some(BitcoinNode::Core(core)) => {
                let _ = write!(
                    text,
                    "\n[[nodes]]\nnetwork = \"bitcoin-regtest\"\nurl = \"{}\"\ncookie_file = {:?}\n",
                    core.url(),
                    core.cookie_file()
                );
            }
            Some(BitcoinNode::Btcd(btcd)) => {
                let _ = write!(
                    text,
                    "\n[[nodes]]\nnetwork = \"bitcoin-regtest\"\nurl = \"{}\"\nuser = \"{}\"\npassword_file = {:?}\n",
                    btcd.url(),
                    btcd.user(),
                    btcd.password_file()
                );
            }
            None => {}
        }
        let _ = write!(
            text,
            "\n[[nodes]]\nnetwork = \"litecoin-regtest\"\nurl = \"{}\"\ncookie_file = {:?}\n\
             \n[[nodes]]\nnetwork = \"ethereum-dev\"\nurl = \"{}\"\n",
            self.litecoin.url(),
            self.litecoin.cookie_file(),
            self.ethereum.url()
        );
        text
    }
}
