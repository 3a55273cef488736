//! A cosigner's key as descriptors write it (BIP 380): an extended key with its origin, or one plain
//! key of a device that can't derive. Never a private one.

use super::super::SECP;
use bitcoin::{
    NetworkKind,
    bip32::{ChildNumber, DerivationPath, Fingerprint, KeySource, Xpub},
    hashes::{Hash, hash160},
    secp256k1::PublicKey,
};
use std::{fmt, str::FromStr};
use strongroom_domain::{AddressPath, Branch};

/// A cosigner's public key, without the derivation steps behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyExpression {
    /// An extended key (BIP 32): each address has a child of it. Always of the main network here:
    /// [`KeyExpression::text`] writes it for others.
    Extended {
        /// The master key's fingerprint.
        fingerprint: Fingerprint,
        /// From the master key to this one.
        origin: DerivationPath,
        /// It.
        xpub: Xpub,
    },
    /// One compressed key, the same in every address.
    Fixed(PublicKey),
}

/// Why a text is no cosigner's key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyExpressionError {
    /// A secret where none may be.
    #[error(
        "this is a private key: expected the public one, and take the private one off this machine"
    )]
    Private,
    /// Not of the form.
    #[error(
        "expected `[<fingerprint>/<path>]<xpub or tpub>` or a compressed public key in hex: {because}"
    )]
    Form {
        /// What is wrong.
        because: &'static str,
    },
    /// The origin is of another key.
    #[error(
        "the origin has {steps} steps, the extended key is at depth {depth}: one of them is of another key"
    )]
    Origin {
        /// Steps of the path.
        steps: usize,
        /// As the key says.
        depth: u8,
    },
}

impl KeyExpression {
    /// As descriptors for this kind of network write it: `xpub…` or `tpub…`.
    pub fn text(&self, kind: NetworkKind) -> String {
        match self {
            Self::Fixed(key) => key.to_string(),
            Self::Extended { fingerprint, origin, xpub } => {
                let xpub = Xpub { network: kind, ..*xpub };
                let steps: String = origin
                    .into_iter()
                    .map(|step| match step {
                        ChildNumber::Normal { index } => format!("/{index}"),
                        ChildNumber::Hardened { index } => format!("/{index}h"),
                    })
                    .collect();
                format!("[{fingerprint}{steps}]{xpub}")
            }
        }
    }

    /// Whether each address has a key of its own.
    pub const fn derives(&self) -> bool {
        matches!(self, Self::Extended { .. })
    }

    /// The key at an address, and where it comes from. `None` beyond index 2^31.
    pub(super) fn at(&self, path: AddressPath) -> Option<(PublicKey, KeySource)> {
        match self {
            Self::Fixed(key) => {
                let own = hash160::Hash::hash(&key.serialize()).to_byte_array();
                let [a, b, c, d, ..] = own;
                let source = (Fingerprint::from([a, b, c, d]), DerivationPath::master());
                Some((*key, source))
            }
            Self::Extended { fingerprint, origin, xpub } => {
                let steps = steps(path)?;
                let child = xpub.derive_pub(&*SECP, &steps).ok()?;
                Some((child.public_key, (*fingerprint, origin.extend(steps))))
            }
        }
    }

    /// Which address a key's source leads to, if it is a child of this one.
    pub(super) fn leads_to(&self, (from, path): &KeySource) -> Option<AddressPath> {
        let Self::Extended { fingerprint, origin, .. } = self else { return None };
        let own: &[ChildNumber] = origin.as_ref();
        let whole: &[ChildNumber] = path.as_ref();
        let [branch, ChildNumber::Normal { index }] = whole.strip_prefix(own)? else { return None };
        let branch = match branch {
            ChildNumber::Normal { index: 0 } => Branch::Deposit,
            ChildNumber::Normal { index: 1 } => Branch::Change,
            ChildNumber::Normal { .. } | ChildNumber::Hardened { .. } => return None,
        };
        (from == fingerprint).then_some(AddressPath { branch, index: *index })
    }

    /// What two expressions of one key have in common, whatever they say of its origin.
    pub(super) fn material(&self) -> [u8; 33] {
        match self {
            Self::Fixed(key) => key.serialize(),
            Self::Extended { xpub, .. } => xpub.public_key.serialize(),
        }
    }
}

/// `xprv`, `tprv` and the like, where a key stands: those letters come about in public keys too.
fn is_private(text: &str) -> bool {
    let key = text.rsplit_once(']').map_or(text, |(_, key)| key);
    key.get(1..4) == Some("prv")
}

/// The two steps behind an extended key.
pub(super) fn steps(path: AddressPath) -> Option<[ChildNumber; 2]> {
    let branch = match path.branch {
        Branch::Deposit => 0,
        Branch::Change => 1,
    };
    let index = ChildNumber::from_normal_idx(path.index).ok()?;
    Some([ChildNumber::Normal { index: branch }, index])
}

/// For the main network, which is also how the log has it.
impl fmt::Display for KeyExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(NetworkKind::Main))
    }
}

impl FromStr for KeyExpression {
    type Err = KeyExpressionError;

    /// Takes `h`, `H` and `'` for hardened steps, and keys of main and test networks.
    fn from_str(text: &str) -> Result<Self, KeyExpressionError> {
        let form = |because| KeyExpressionError::Form { because };
        if is_private(text) {
            return Err(KeyExpressionError::Private);
        }
        let Some(rest) = text.strip_prefix('[') else {
            if text.starts_with("xpub") || text.starts_with("tpub") {
                return Err(form("an extended key needs its origin in brackets before it"));
            }
            let compressed = text.len() == 66 && !text.bytes().any(|b| b.is_ascii_uppercase());
            let key = PublicKey::from_str(text).ok().filter(|_| compressed);
            return key
                .map(Self::Fixed)
                .ok_or_else(|| form("neither begins with `[` nor is 66 hex digits"));
        };
        let (source, key) =
            rest.split_once(']').ok_or_else(|| form("the bracket is not closed"))?;
        let (fingerprint, path) =
            source.split_once('/').map_or((source, None), |(f, p)| (f, Some(p)));
        if fingerprint.len() != 8 || fingerprint.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(form("a fingerprint is 8 lower-case hex digits"));
        }
        let fingerprint =
            fingerprint.parse().map_err(|_| form("a fingerprint is 8 lower-case hex digits"))?;
        let origin = match path {
            None => DerivationPath::master(),
            Some("") => return Err(form("the origin's path ends with `/`")),
            Some(path) => path
                .replace('H', "h")
                .parse::<DerivationPath>()
                .map_err(|_| form("the origin's path is none (BIP 32)"))?,
        };
        let xpub: Xpub =
            key.parse().map_err(|_| form("what follows the origin is no extended public key"))?;
        let last = origin.into_iter().last().copied().unwrap_or(ChildNumber::Normal { index: 0 });
        if usize::from(xpub.depth) != origin.len() || last != xpub.child_number {
            return Err(KeyExpressionError::Origin { steps: origin.len(), depth: xpub.depth });
        }
        if origin.is_empty() && xpub.fingerprint() != fingerprint {
            return Err(form("a master key has its own fingerprint"));
        }
        let xpub = Xpub { network: NetworkKind::Main, ..xpub };
        Ok(Self::Extended { fingerprint, origin, xpub })
    }
}

impl KeyExpression {
    /// As the head of a PSBT lists it (BIP 174, `PSBT_GLOBAL_XPUB`): some devices ask for it.
    pub(super) fn global(&self, network: NetworkKind) -> Option<(Xpub, KeySource)> {
        let Self::Extended { fingerprint, origin, xpub } = self else { return None };
        Some((Xpub { network, ..*xpub }, (*fingerprint, origin.clone())))
    }
}
