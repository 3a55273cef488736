//! One unsigned transaction of whichever family: what sagas, signers and auditors use, so that
//! none of them matches on families. Never adds a rule: each family has its own.

use crate::{
    SignedTx, SigningPayload, TransactionId,
    bitcoin::{self, multisig},
    ethereum,
};
use std::collections::BTreeSet;
use strongroom_domain::{
    Address, AddressPath, Amount, Bytes, Effect, Family, Network, wallet::OutPoint,
};

/// Which of the wallet's addresses an address is; `None` for everybody else's.
pub type Ownership<'a> = &'a dyn Fn(&Address) -> Option<AddressPath>;

/// A network was asked for what only another family has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{network} is a network of another family: expected one of the {expected:?} family")]
pub struct WrongFamily {
    /// What was asked.
    pub network: Network,
    /// What would have been right.
    pub expected: Family,
}

/// An unsigned transaction in the one form that its family's `build` makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UnsignedTx {
    /// A PSBT.
    Bitcoin(bitcoin::UnsignedTx),
    /// A PSBT whose coins several cosigners spend.
    Multisig(multisig::UnsignedTx),
    /// An EIP-1559 payment.
    Ethereum(ethereum::UnsignedTx),
}

/// Why bytes are not a transaction that we would sign.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// By Bitcoin's rules.
    #[error(transparent)]
    Bitcoin(#[from] bitcoin::DecodeError),
    /// By those of multisig wallets.
    #[error(transparent)]
    Multisig(#[from] multisig::ReadError),
    /// By Ethereum's rules.
    #[error(transparent)]
    Ethereum(#[from] ethereum::DecodeError),
    /// By Bitcoin's rules for signed ones.
    #[error(transparent)]
    Signed(#[from] bitcoin::NotATransaction),
    /// Our own mistake.
    #[error(transparent)]
    WrongFamily(#[from] WrongFamily),
}

/// Why there is no signed transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AssembleError {
    /// By Bitcoin's rules.
    #[error(transparent)]
    Bitcoin(#[from] bitcoin::AssembleError),
    /// By Ethereum's rules.
    #[error(transparent)]
    Ethereum(#[from] ethereum::AssembleError),
    /// By those of multisig wallets.
    #[error(transparent)]
    Multisig(#[from] multisig::CombineError),
    /// One key makes no transaction of a multisig wallet.
    #[error("a multisig wallet's transaction is combined of its cosigners' signatures")]
    Cosigners,
    /// The wallet's key is no key.
    #[error(transparent)]
    Key(#[from] crate::KeyError),
}

impl UnsignedTx {
    /// Reads what the log holds. Refuses anything that `build` would not have written: unknown
    /// fields, second encodings, other versions, contract calls.
    pub fn parse(network: Network, bytes: &Bytes) -> Result<Self, DecodeError> {
        Ok(match network.family() {
            Family::Bitcoin => {
                let chain = bitcoin::Chain::of(network)?;
                if multisig::UnsignedTx::is_one(bytes.as_slice()) {
                    let unsigned = multisig::UnsignedTx::parse(chain, bytes.as_slice())?;
                    return Ok(Self::Multisig(unsigned));
                }
                Self::Bitcoin(bitcoin::UnsignedTx::parse(chain, bytes.as_slice())?)
            }
            Family::Ethereum => {
                let chain = ethereum::Chain::of(network)?;
                Self::Ethereum(ethereum::UnsignedTx::parse(chain, bytes.as_slice())?)
            }
        })
    }

    /// What the log holds: the one encoding of this transaction.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Bitcoin(unsigned) => unsigned.to_bytes(),
            Self::Multisig(unsigned) => unsigned.to_bytes(),
            Self::Ethereum(unsigned) => unsigned.to_bytes(),
        }
    }

    /// What it would really do. Compare with the approved intent, and trust nothing else.
    pub fn effect(&self, owns: Ownership<'_>) -> Result<Effect, DecodeError> {
        Ok(match self {
            Self::Bitcoin(unsigned) => unsigned.effect(owns)?,
            Self::Multisig(unsigned) => unsigned.effect(owns)?,
            Self::Ethereum(unsigned) => unsigned.effect()?,
        })
    }

    /// Reads back a transaction that must pay nobody: everything comes back to the wallet. Says the
    /// most that it costs.
    pub fn returned(&self, owns: Ownership<'_>) -> Result<Amount, DecodeError> {
        Ok(match self {
            Self::Bitcoin(unsigned) => unsigned.returned(owns)?,
            Self::Multisig(unsigned) => unsigned.returned(owns)?,
            Self::Ethereum(unsigned) => unsigned.returned(owns)?,
        })
    }

    /// What is to be signed, in the order in which [`Self::assemble`] takes the signatures.
    pub fn signing_payloads(
        &self,
        owns: Ownership<'_>,
    ) -> Result<Vec<SigningPayload>, DecodeError> {
        Ok(match self {
            Self::Bitcoin(unsigned) => unsigned.signing_payloads(owns)?,
            Self::Multisig(unsigned) => unsigned.signing_payloads(owns)?,
            Self::Ethereum(unsigned) => vec![unsigned.signing_payload()],
        })
    }

    /// Adds the signatures and verifies each: BIP 340 on Bitcoin, whose inputs name their keys;
    /// `r ‖ s` with low s on Ethereum, under `key`, the wallet's compressed key. Cosigners' signatures
    /// are combined: [`multisig::UnsignedTx::combine`].
    pub fn assemble(
        &self,
        key: &[u8; 33],
        signatures: &[[u8; 64]],
    ) -> Result<SignedTx, AssembleError> {
        Ok(match self {
            Self::Bitcoin(unsigned) => unsigned.assemble(signatures)?,
            Self::Multisig(_) => return Err(AssembleError::Cosigners),
            Self::Ethereum(unsigned) => match signatures {
                [signature] => unsigned.assemble(key, signature)?,
                other => {
                    let found = other.len();
                    return Err(ethereum::AssembleError::Count { found }.into());
                }
            },
        })
    }

    /// Checks that `raw` is this transaction with valid signatures, as [`Self::assemble`] or `combine`
    /// makes it. `key` is the wallet's public key as the log has it.
    pub fn check_signed(&self, key: &Bytes, raw: &Bytes) -> Result<SignedTx, AssembleError> {
        Ok(match self {
            Self::Bitcoin(unsigned) => unsigned.check_signed(raw)?,
            Self::Multisig(unsigned) => unsigned.check_signed(raw)?,
            Self::Ethereum(unsigned) => {
                unsigned.check_signed(&key.array().ok_or(crate::KeyError)?, raw)?
            }
        })
    }

    /// Whether at most one of the two can ever confirm: a common coin, or the same account nonce.
    /// Both must be of the same wallet.
    pub fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bitcoin(one), Self::Bitcoin(two)) => one.excludes(two),
            (Self::Multisig(one), Self::Multisig(two)) => one.excludes(two),
            (Self::Ethereum(one), Self::Ethereum(two)) => one.excludes(two),
            (Self::Bitcoin(_), Self::Ethereum(_) | Self::Multisig(_))
            | (Self::Multisig(_), Self::Bitcoin(_) | Self::Ethereum(_))
            | (Self::Ethereum(_), Self::Bitcoin(_) | Self::Multisig(_)) => false,
        }
    }

    /// Whether it spends outputs of `parent` and nothing else: then it can't confirm unless that does.
    /// Accounts have no outputs.
    pub fn depends_on(&self, parent: &Self) -> bool {
        match (self, parent) {
            (Self::Bitcoin(one), Self::Bitcoin(two)) => one.depends_on(two),
            // A multisig transaction is never pulled along: see `docs/decisions/0039`.
            (Self::Ethereum(_) | Self::Multisig(_), _)
            | (_, Self::Ethereum(_) | Self::Multisig(_)) => false,
        }
    }

    /// The coins that it spends; `None` where accounts pay.
    pub fn spends(&self) -> Option<BTreeSet<OutPoint>> {
        match self {
            Self::Bitcoin(unsigned) => Some(unsigned.spends().collect()),
            Self::Multisig(unsigned) => Some(unsigned.spends().collect()),
            Self::Ethereum(_) => None,
        }
    }

    /// The most that it can cost, in base units of the native asset.
    pub fn fee(&self) -> Result<Amount, DecodeError> {
        Ok(match self {
            Self::Bitcoin(unsigned) => unsigned.fee()?,
            Self::Multisig(unsigned) => unsigned.fee()?,
            Self::Ethereum(unsigned) => unsigned.fee()?,
        })
    }
}

/// A transaction that somebody may have signed for a transfer, and, of a child, the one that it
/// pulls along.
#[derive(Clone, Copy, Debug)]
pub struct Realisation<'a> {
    /// It.
    pub transaction: &'a UnsignedTx,
    /// What it spends from, if it is a child.
    pub parent: Option<&'a UnsignedTx>,
}

impl Realisation<'_> {
    /// Whether at most one of two payments can ever take effect, whoever signs both of these. A child
    /// stands and falls with its parent, so it excludes what its parent excludes.
    pub fn is_safe_beside(&self, other: &Self) -> bool {
        let (root, other_root) = (self.root(), other.root());
        if root != other_root {
            return root.excludes(other_root);
        }
        // One of them is what the other spends from, or both spend the same change.
        self.transaction == other.transaction
            || self.parent.is_none()
            || other.parent.is_none()
            || self.transaction.excludes(other.transaction)
    }

    fn root(&self) -> &UnsignedTx {
        self.parent.unwrap_or(self.transaction)
    }
}

/// The id of a signed transaction that goes over the network.
pub fn transaction_id(network: Network, raw: &Bytes) -> Result<TransactionId, DecodeError> {
    Ok(match network.family() {
        Family::Bitcoin => bitcoin::decode_signed(bitcoin::Chain::of(network)?, raw.as_slice())?.id,
        Family::Ethereum => {
            ethereum::decode_signed(ethereum::Chain::of(network)?, raw.as_slice())?.id
        }
    })
}
