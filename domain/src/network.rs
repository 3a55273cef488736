//! Networks and the assets that live on them, as names. What a network's addresses or
//! transactions look like is never decided here: that is `chains`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One chain family shares its formats; its networks differ in data only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// UTXO chains that speak Bitcoin Core's formats.
    Bitcoin,
    /// Account chains that run the Ethereum Virtual Machine.
    Ethereum,
}

/// A network that a wallet can live on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Bitcoin's main network.
    Bitcoin,
    /// Bitcoin in regression-test mode.
    BitcoinRegtest,
    /// Litecoin's main network.
    Litecoin,
    /// Litecoin in regression-test mode.
    LitecoinRegtest,
    /// Ethereum's main network, chain id 1.
    Ethereum,
    /// A development chain (anvil, hardhat), chain id 31337.
    EthereumDev,
}

/// A name that no network has.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no network is called `{0}`: expected one of {names}", names = Network::names())]
pub struct NetworkError(String);

impl Network {
    /// Every network.
    pub const ALL: [Self; 6] = [
        Self::Bitcoin,
        Self::BitcoinRegtest,
        Self::Litecoin,
        Self::LitecoinRegtest,
        Self::Ethereum,
        Self::EthereumDev,
    ];

    /// Its name in events, requests and statements.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bitcoin => "bitcoin",
            Self::BitcoinRegtest => "bitcoin-regtest",
            Self::Litecoin => "litecoin",
            Self::LitecoinRegtest => "litecoin-regtest",
            Self::Ethereum => "ethereum",
            Self::EthereumDev => "ethereum-dev",
        }
    }

    /// The family whose formats it uses.
    pub const fn family(self) -> Family {
        match self {
            Self::Bitcoin | Self::BitcoinRegtest | Self::Litecoin | Self::LitecoinRegtest => {
                Family::Bitcoin
            }
            Self::Ethereum | Self::EthereumDev => Family::Ethereum,
        }
    }

    /// The asset that its fees are paid in.
    pub const fn native_asset(self) -> Asset {
        Asset(self)
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        Self::ALL
            .into_iter()
            .find(|network| network.name() == text)
            .ok_or_else(|| NetworkError(text.to_owned()))
    }
}

/// An asset on a network. So far each network's native one; tokens will be further forms of the
/// same text, `<network>/<what>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Asset(Network);

/// Text that names no asset.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "no asset is called `{0}`: expected `<network>/<symbol>`, for example `litecoin-regtest/ltc`"
)]
pub struct AssetError(String);

impl Asset {
    /// The network that it lives on.
    pub const fn network(self) -> Network {
        self.0
    }

    /// Its ticker, as people know it.
    pub const fn symbol(self) -> &'static str {
        match self.0 {
            Network::Bitcoin | Network::BitcoinRegtest => "BTC",
            Network::Litecoin | Network::LitecoinRegtest => "LTC",
            Network::Ethereum | Network::EthereumDev => "ETH",
        }
    }

    /// The name of its base unit.
    pub const fn base_unit(self) -> &'static str {
        match self.0 {
            Network::Bitcoin | Network::BitcoinRegtest => "satoshi",
            Network::Litecoin | Network::LitecoinRegtest => "litoshi",
            Network::Ethereum | Network::EthereumDev => "wei",
        }
    }

    /// Base units per unit, as a power of ten.
    pub const fn decimals(self) -> u8 {
        match self.0.family() {
            Family::Bitcoin => 8,
            Family::Ethereum => 18,
        }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.symbol().to_lowercase())
    }
}

impl FromStr for Asset {
    type Err = AssetError;

    fn from_str(text: &str) -> Result<Self, AssetError> {
        Network::ALL
            .into_iter()
            .map(Self)
            .find(|asset| asset.to_string() == text)
            .ok_or_else(|| AssetError(text.to_owned()))
    }
}

impl TryFrom<String> for Asset {
    type Error = AssetError;

    fn try_from(text: String) -> Result<Self, AssetError> {
        text.parse()
    }
}

impl From<Asset> for String {
    fn from(asset: Asset) -> Self {
        asset.to_string()
    }
}
