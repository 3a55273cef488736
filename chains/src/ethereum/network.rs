//! What tells one Ethereum network from another: data only. Nothing here computes.

use crate::WrongFamily;
use strongroom_domain::{Family, Network};

/// One network's constants. There is one per network: get it with [`Chain::of`].
#[derive(PartialEq, Eq, Debug)]
pub struct Chain {
    /// Which network this is.
    pub network: Network,
    /// What every signature is bound to (EIP-155).
    pub id: u64,
    /// Blocks on top of a transaction, its own included, before we call it final: two epochs on
    /// the main network, after which proof of stake finalises.
    pub confirmations: u32,
}

const ETHEREUM: Chain = Chain { network: Network::Ethereum, id: 1, confirmations: 64 };

const ETHEREUM_DEV: Chain = Chain { network: Network::EthereumDev, id: 31_337, confirmations: 1 };

impl Chain {
    /// Every network of the family.
    pub const ALL: [&'static Self; 2] = [&ETHEREUM, &ETHEREUM_DEV];

    /// The constants of `network`, if it is of this family.
    pub const fn of(network: Network) -> Result<&'static Self, WrongFamily> {
        match network {
            Network::Ethereum => Ok(&ETHEREUM),
            Network::EthereumDev => Ok(&ETHEREUM_DEV),
            Network::Bitcoin
            | Network::BitcoinRegtest
            | Network::Litecoin
            | Network::LitecoinRegtest => Err(WrongFamily { network, expected: Family::Ethereum }),
        }
    }
}
