//! The nodes that this server is configured with, by network. Never asks one anything by itself.

use std::collections::{BTreeMap, BTreeSet};
use strongroom_chains::WrongFamily;
use strongroom_domain::{Family, Network};
use strongroom_nodes::{BitcoinNode, ChainNode, EthereumNode};

/// One node for each network that is served. Shared by the payment saga and the deposit watcher.
#[derive(Default)]
pub struct ChainNodes {
    bitcoin: BTreeMap<Network, BitcoinNode>,
    ethereum: BTreeMap<Network, EthereumNode>,
}

impl ChainNodes {
    /// No nodes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the node of a network of Bitcoin's family; a second one takes the first one's place.
    pub fn add_bitcoin(&mut self, network: Network, node: BitcoinNode) -> Result<(), WrongFamily> {
        belongs(network, Family::Bitcoin)?;
        self.bitcoin.insert(network, node);
        Ok(())
    }

    /// Adds the node of a network of Ethereum's family; a second one takes the first one's place.
    pub fn add_ethereum(
        &mut self,
        network: Network,
        node: EthereumNode,
    ) -> Result<(), WrongFamily> {
        belongs(network, Family::Ethereum)?;
        self.ethereum.insert(network, node);
        Ok(())
    }

    /// The node of a network of Bitcoin's family.
    pub fn bitcoin(&self, network: Network) -> Option<&BitcoinNode> {
        self.bitcoin.get(&network)
    }

    /// The node of a network of Ethereum's family.
    pub fn ethereum(&self, network: Network) -> Option<&EthereumNode> {
        self.ethereum.get(&network)
    }

    /// The node of a network, of whichever family.
    pub fn node(&self, network: Network) -> Option<&dyn ChainNode> {
        match network.family() {
            Family::Bitcoin => self.bitcoin(network).map(|node| node as &dyn ChainNode),
            Family::Ethereum => self.ethereum(network).map(|node| node as &dyn ChainNode),
        }
    }

    /// Every network that has a node.
    pub fn networks(&self) -> BTreeSet<Network> {
        self.bitcoin.keys().chain(self.ethereum.keys()).copied().collect()
    }
}

fn belongs(network: Network, expected: Family) -> Result<(), WrongFamily> {
    if network.family() == expected { Ok(()) } else { Err(WrongFamily { network, expected }) }
}
