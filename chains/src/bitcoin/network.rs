//! What tells one network of Bitcoin's family from another: data only. Nothing here computes.

use crate::WrongFamily;
use strongroom_domain::{Family, Network};

/// One network's constants. There is one per network: get it with [`Chain::of`].
#[derive(PartialEq, Eq, Debug)]
pub struct Chain {
    /// Which network this is.
    pub network: Network,
    /// Human-readable part of its segwit addresses (BIP 173).
    pub hrp: &'static str,
    /// Base58check version byte of P2PKH addresses.
    pub p2pkh: u8,
    /// Base58check version byte of P2SH addresses.
    pub p2sh: u8,
    /// The version byte that P2SH addresses had before: still understood by wallets, but the
    /// same as Bitcoin's, so we refuse it and give the present spelling.
    pub p2sh_legacy: Option<u8>,
    /// An output is dust if spending it would cost more than it holds, at this rate.
    pub dust_rate: SatPerKvb,
    /// The least that nodes relay, and the least that a replacement adds (BIP 125, rule 4).
    pub relay_rate: SatPerKvb,
    /// All the coins that there will ever be, in base units: Core's `MAX_MONEY`.
    pub max_money: u64,
    /// Blocks on top of a transaction, its own included, before we call it final.
    pub confirmations: u32,
    /// Hash of block 0, as nodes print it: tells a node of another network.
    pub genesis: &'static str,
}

/// A fee rate: base units per 1000 virtual bytes (BIP 141), as nodes quote it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SatPerKvb(pub u64);

const BITCOIN: Chain = Chain {
    network: Network::Bitcoin,
    hrp: "bc",
    p2pkh: 0x00,
    p2sh: 0x05,
    p2sh_legacy: None,
    dust_rate: SatPerKvb(3_000),
    relay_rate: SatPerKvb(1_000),
    max_money: 2_100_000_000_000_000,
    confirmations: 6,
    genesis: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
};

const BITCOIN_REGTEST: Chain = Chain {
    network: Network::BitcoinRegtest,
    hrp: "bcrt",
    p2pkh: 0x6f,
    p2sh: 0xc4,
    confirmations: 1,
    genesis: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    ..BITCOIN
};

/// Litecoin Core 0.21: `dustrelayfee` is ten times Bitcoin's, `minrelaytxfee` the same. Its nodes
/// take a replacement (BIP 125) only if they run with `-mempoolreplacement=1`; the default is 0.
const LITECOIN: Chain = Chain {
    network: Network::Litecoin,
    hrp: "ltc",
    p2pkh: 0x30,
    p2sh: 0x32,
    p2sh_legacy: Some(0x05),
    dust_rate: SatPerKvb(30_000),
    relay_rate: SatPerKvb(1_000),
    max_money: 8_400_000_000_000_000,
    // Four times Bitcoin's blocks in the same time.
    confirmations: 24,
    genesis: "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2",
};

const LITECOIN_REGTEST: Chain = Chain {
    network: Network::LitecoinRegtest,
    hrp: "rltc",
    p2pkh: 0x6f,
    p2sh: 0x3a,
    p2sh_legacy: Some(0xc4),
    confirmations: 1,
    genesis: "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9",
    ..LITECOIN
};

impl Chain {
    /// Every network of the family.
    pub const ALL: [&'static Self; 4] = [&BITCOIN, &BITCOIN_REGTEST, &LITECOIN, &LITECOIN_REGTEST];

    /// The constants of `network`, if it is of this family.
    pub const fn of(network: Network) -> Result<&'static Self, WrongFamily> {
        match network {
            Network::Bitcoin => Ok(&BITCOIN),
            Network::BitcoinRegtest => Ok(&BITCOIN_REGTEST),
            Network::Litecoin => Ok(&LITECOIN),
            Network::LitecoinRegtest => Ok(&LITECOIN_REGTEST),
            Network::Ethereum | Network::EthereumDev => {
                Err(WrongFamily { network, expected: Family::Bitcoin })
            }
        }
    }
}
