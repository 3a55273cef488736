//! The descriptor of a multisig wallet (BIP 380, 383, 386, 387, 389): the one text that says all of
//! it. Never any other kind of descriptor, and never two texts for one wallet.

use super::{
    super::{Chain, Destination},
    KeyExpression, KeyExpressionError,
    script::{NUMS, Scripts, scripts},
};
use bitcoin::{NetworkKind, bip32::KeySource};
use miniscript::{DescriptorPublicKey, descriptor::checksum::desc_checksum};
use std::{collections::BTreeSet, fmt, ops::RangeInclusive, str::FromStr};
use strongroom_domain::{Address, AddressPath, Network};

/// Cosigners that a wallet may have. Ten signatures fit into what nodes relay many times over.
const COSIGNERS: RangeInclusive<usize> = 3..=10;

/// Where the signatures are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// `wsh(sortedmulti(m,…))`: ECDSA, a witness script.
    P2wsh,
    /// `tr(H,multi_a(m,…))`: BIP 340, a tapscript; nobody can spend by key.
    P2tr,
}

/// A wallet of *m* of *n* cosigners: from 2 of 3 to 9 of 10, always with a key to spare.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Descriptor {
    shape: Shape,
    threshold: u8,
    /// In the order of their texts.
    keys: Vec<KeyExpression>,
}

/// Why a text is no descriptor of a wallet of ours.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DescriptorError {
    /// Something else.
    #[error(
        "expected `wsh(sortedmulti(m,…))` or `tr({NUMS},multi_a(m,…))` with the cosigners' keys, \
         each extended key followed by `/<0;1>/*`: {because}"
    )]
    Shape {
        /// What is wrong.
        because: String,
    },
    /// A key is none.
    #[error("key {place}: {because}")]
    Key {
        /// Counted from 1.
        place: usize,
        /// Why.
        because: KeyExpressionError,
    },
    /// Too few, too many, or none to spare.
    #[error(
        "{threshold} of {cosigners}: expected 3 to 10 cosigners, at least 2 and not all of whom sign"
    )]
    Count {
        /// *m*.
        threshold: usize,
        /// *n*.
        cosigners: usize,
    },
    /// One cosigner would count twice.
    #[error("two cosigners have the same key")]
    SameKey,
    /// All addresses would be one.
    #[error("no cosigner has an extended key: every address would be the same")]
    OneAddress,
    /// Damaged, or retyped.
    #[error("the checksum is missing or wrong: expected `#` and 8 characters at the end (BIP 380)")]
    Checksum,
    /// The same keys in another order are another wallet.
    #[error("the keys are not in the order of their texts: of multi_a, that is another wallet")]
    Order,
}

impl Descriptor {
    /// Of these cosigners, in any order.
    pub fn new(
        shape: Shape,
        threshold: usize,
        mut keys: Vec<KeyExpression>,
    ) -> Result<Self, DescriptorError> {
        let cosigners = keys.len();
        let fits = COSIGNERS.contains(&cosigners) && threshold >= 2 && threshold < cosigners;
        let small = u8::try_from(threshold).ok().filter(|_| fits);
        let threshold = small.ok_or(DescriptorError::Count { threshold, cosigners })?;
        // X-only: keys that differ in their sign alone are one key to BIP 340.
        let distinct: BTreeSet<_> =
            keys.iter().map(|key| key.material().into_iter().skip(1).collect::<Vec<_>>()).collect();
        if distinct.len() != cosigners {
            return Err(DescriptorError::SameKey);
        }
        if !keys.iter().any(KeyExpression::derives) {
            return Err(DescriptorError::OneAddress);
        }
        keys.sort_by_cached_key(ToString::to_string);
        Ok(Self { shape, threshold, keys })
    }

    /// Reads a descriptor that comes from a person or a file: with its checksum.
    pub fn import(text: &str) -> Result<Self, DescriptorError> {
        let (body, checksum) = text.trim().rsplit_once('#').ok_or(DescriptorError::Checksum)?;
        let right = desc_checksum(body).map_err(|_| DescriptorError::Checksum)?;
        if checksum == right { body.parse() } else { Err(DescriptorError::Checksum) }
    }

    /// Where the signatures are counted.
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// *m*: how many cosigners it takes.
    pub fn threshold(&self) -> usize {
        self.threshold.into()
    }

    /// The cosigners' keys, in the order that places count in.
    pub fn keys(&self) -> &[KeyExpression] {
        &self.keys
    }

    /// With its checksum, as wallets of this network import it: both branches in one (BIP 389).
    pub fn export(&self, network: NetworkKind) -> String {
        with_checksum(&self.text(network, "<0;1>"))
    }

    /// For software that does not know BIP 389: the descriptor of addresses that are given out, and
    /// that of change.
    pub fn export_branches(&self, network: NetworkKind) -> [String; 2] {
        ["0", "1"].map(|branch| with_checksum(&self.text(network, branch)))
    }

    /// An address of the wallet; `None` beyond index 2^31.
    pub fn address(&self, chain: &Chain, path: AddressPath) -> Option<Address> {
        Destination::from_script(&self.scripts(path)?.output)?.spell(chain).ok()
    }

    /// Where its spending weighs: see [`super::super::weight`]. What one input adds at most.
    pub fn input_weight(&self) -> super::super::WeightUnits {
        super::size::input(self)
    }

    pub(super) fn scripts(&self, path: AddressPath) -> Option<Scripts> {
        let keys = self.keys.iter().map(|key| Some(key.at(path)?.0)).collect::<Option<_>>()?;
        scripts(self.shape, self.threshold, keys)
    }

    /// Which address such keys lead to: all of a descriptor's go in step. Says nothing of whether the
    /// address has these keys.
    pub(super) fn hinted<'a>(
        &self,
        mut sources: impl Iterator<Item = &'a KeySource>,
    ) -> Option<AddressPath> {
        let first = self.keys.iter().find(|key| key.derives())?;
        sources.find_map(|source| first.leads_to(source))
    }

    fn text(&self, network: NetworkKind, branches: &str) -> String {
        let key = |key: &KeyExpression| match key {
            KeyExpression::Extended { .. } => format!(",{}/{branches}/*", key.text(network)),
            KeyExpression::Fixed(_) => format!(",{}", key.text(network)),
        };
        let keys: String = self.keys.iter().map(key).collect();
        match self.shape {
            Shape::P2wsh => format!("wsh(sortedmulti({}{keys}))", self.threshold),
            Shape::P2tr => format!("tr({NUMS},multi_a({}{keys}))", self.threshold),
        }
    }
}

impl Chain {
    /// Which extended keys its wallets import: those of main networks begin with `xpub`, those of all
    /// others with `tpub`. Litecoin Core reads the same as Bitcoin Core.
    pub const fn key_kind(&self) -> NetworkKind {
        match self.network {
            Network::Bitcoin | Network::Litecoin => NetworkKind::Main,
            Network::BitcoinRegtest
            | Network::LitecoinRegtest
            | Network::Ethereum
            | Network::EthereumDev => NetworkKind::Test,
        }
    }
}

fn with_checksum(text: &str) -> String {
    // The character set has every sign that we write.
    desc_checksum(text).map_or_else(|_| text.to_owned(), |sum| format!("{text}#{sum}"))
}

/// As the log has it: of the main network, without a checksum.
impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(NetworkKind::Main, "<0;1>"))
    }
}

impl FromStr for Descriptor {
    type Err = DescriptorError;

    /// Reads one without a checksum, of any network.
    fn from_str(text: &str) -> Result<Self, DescriptorError> {
        let refuse = |because: &str| DescriptorError::Shape { because: because.to_owned() };
        let (shape, inner) = if let Some(inner) = text.strip_prefix("wsh(sortedmulti(") {
            (Shape::P2wsh, inner)
        } else if let Some(inner) = text.strip_prefix("tr(") {
            let inner = inner.strip_prefix(NUMS);
            let inner = inner.ok_or_else(|| refuse("somebody may be able to spend it by key"))?;
            let inner = inner.strip_prefix(",multi_a(");
            (Shape::P2tr, inner.ok_or_else(|| refuse("its script is not multi_a"))?)
        } else {
            return Err(refuse("it is another kind of descriptor"));
        };
        let inner = inner.strip_suffix("))").ok_or_else(|| refuse("something follows the keys"))?;
        let mut parts = inner.split(',');
        let threshold = parts.next().unwrap_or_default();
        let number = threshold.parse::<u8>().ok().filter(|n| n.to_string() == threshold);
        let threshold = number.ok_or_else(|| refuse("the threshold is no number"))?;
        let keys = (1..).zip(parts).map(|(place, part)| key(place, part));
        let given = keys.collect::<Result<Vec<_>, _>>()?;
        let found = Self::new(shape, threshold.into(), given.clone())?;
        // Sorted scripts don't ask for an order, and other wallets write them in theirs.
        if shape == Shape::P2tr && given != found.keys {
            return Err(DescriptorError::Order);
        }
        // What others are to read, somebody else's parser reads first.
        miniscript::Descriptor::<DescriptorPublicKey>::from_str(&found.to_string())
            .and_then(|descriptor| descriptor.sanity_check())
            .map_err(|error| DescriptorError::Shape { because: error.to_string() })?;
        Ok(found)
    }
}

fn key(place: usize, part: &str) -> Result<KeyExpression, DescriptorError> {
    let parse =
        |text: &str| text.parse().map_err(|because| DescriptorError::Key { place, because });
    if let Some(extended) = part.strip_suffix("/<0;1>/*") {
        return match parse(extended)? {
            KeyExpression::Fixed(_) => {
                let because = format!("key {place} can't derive, and has derivation steps");
                Err(DescriptorError::Shape { because })
            }
            extended @ KeyExpression::Extended { .. } => Ok(extended),
        };
    }
    if part.contains('/') {
        let because = format!("key {place} ends neither with `/<0;1>/*` nor is a plain public key");
        return Err(DescriptorError::Shape { because });
    }
    match parse(part)? {
        fixed @ KeyExpression::Fixed(_) => Ok(fixed),
        KeyExpression::Extended { .. } => {
            let because = format!("key {place} lacks `/<0;1>/*`");
            Err(DescriptorError::Shape { because })
        }
    }
}
