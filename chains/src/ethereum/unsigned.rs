//! The unsigned transaction in the one form that we make: a plain EIP-1559 payment. Whoever holds
//! an [`UnsignedTx`] knows that it has this form. Never carries data: it can't call a contract.

use super::{Chain, address};
use crate::{AddressError, SigningPayload};
use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Bytes as Data, TxKind, U256, keccak256};
use alloy_rlp::Decodable;
use strongroom_domain::{Address, Amount, Bytes, Effect, Intent, Network};

/// What a plain payment costs: Yellow Paper, appendix G, `G_transaction`.
pub const GAS_LIMIT: u64 = 21_000;

/// More than any payment takes.
const MAX_BYTES: usize = 256;

/// EIP-2718's type byte of EIP-1559.
const TYPE: u8 = 2;

/// Type 2, right chain, gas for a plain payment, a recipient, no data, no access list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnsignedTx {
    pub(super) chain: &'static Chain,
    pub(super) payment: TxEip1559,
}

/// What the transaction needs besides its intent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gas {
    /// The most to pay per gas, in wei: `max_fee_per_gas` of EIP-1559.
    pub max_fee: u128,
    /// The most of it that goes to the block's maker: `max_priority_fee_per_gas`.
    pub max_priority_fee: u128,
}

/// Why there is no transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BuildError {
    /// The intent is for elsewhere.
    #[error("the intent is for {found}; expected {expected}")]
    Network {
        /// The intent's network.
        found: Network,
        /// The wallet's network.
        expected: Network,
    },
    /// Where to?
    #[error("the destination: {0}")]
    Destination(#[from] AddressError),
    /// Only a higher cap or cheaper gas helps.
    #[error("the fee could be {fee}, above the cap of {cap}")]
    FeeOverCap {
        /// Gas limit times fee per gas.
        fee: Amount,
        /// What was approved.
        cap: Amount,
    },
    /// What our own decoder would refuse.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}

/// Why bytes are not an unsigned transaction that we would sign.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the format at all.
    #[error("not an EIP-1559 transaction without signature: {reason}")]
    NotEip1559 {
        /// Which rule it breaks.
        reason: String,
    },
    /// A second encoding of the same, or something after its end.
    #[error("not the canonical RLP encoding, or something is left over at the end")]
    NotCanonical,
    /// Valid elsewhere.
    #[error("chain id {found}: expected {expected}")]
    ChainId {
        /// As in the transaction.
        found: u64,
        /// The network's.
        expected: u64,
    },
    /// More than a payment.
    #[error("gas limit {found}: expected {GAS_LIMIT}, what a plain payment takes")]
    GasLimit {
        /// As in the transaction.
        found: u64,
    },
    /// Makes a contract.
    #[error("no recipient, so it would create a contract: expected a payment")]
    NoRecipient,
    /// Calls a contract.
    #[error("{found} bytes of call data: expected none")]
    CallData {
        /// How many.
        found: usize,
    },
    /// Only calls need one.
    #[error("an access list: expected none")]
    AccessList,
    /// Somebody would be paid by what should pay nobody.
    #[error("it sends {amount} to {to}: expected nothing, to the wallet itself")]
    Outward {
        /// Whom.
        to: Address,
        /// How much.
        amount: Amount,
    },
    /// Never valid (EIP-1559).
    #[error("the priority fee {priority} is above the fee {max} that it is part of")]
    PriorityFee {
        /// Per gas, in wei.
        priority: u128,
        /// Per gas, in wei.
        max: u128,
    },
    /// EIP-2681: nonces end below 2^64 - 1.
    #[error("the account nonce is above the highest one (EIP-2681)")]
    AccountNonce,
    /// Above `u128`.
    #[error("an amount or a fee above 2^128 wei")]
    Money,
}

/// The unsigned transaction that realises `intent` as number `account_nonce` of its wallet.
pub fn build(
    chain: &'static Chain,
    intent: &Intent,
    account_nonce: u64,
    gas: Gas,
) -> Result<UnsignedTx, BuildError> {
    if intent.network() != chain.network {
        let expected = chain.network;
        return Err(BuildError::Network { found: intent.network(), expected });
    }
    let to = address::account(chain.network, intent.destination.as_str())?;
    let payment = TxEip1559 {
        chain_id: chain.id,
        nonce: account_nonce,
        gas_limit: GAS_LIMIT,
        max_fee_per_gas: gas.max_fee,
        max_priority_fee_per_gas: gas.max_priority_fee,
        to: TxKind::Call(to),
        value: U256::from(intent.amount.units()),
        access_list: alloy_eips::eip2930::AccessList::default(),
        input: Data::new(),
    };
    let unsigned = UnsignedTx::of(chain, payment)?;
    let fee = unsigned.fee()?;
    if fee > intent.fee_cap {
        return Err(BuildError::FeeOverCap { fee, cap: intent.fee_cap });
    }
    Ok(unsigned)
}

impl UnsignedTx {
    /// Reads the signing form: `0x02 ‖ rlp([…])`, nine fields. Refuses all that [`build`] would
    /// not have written.
    pub fn parse(chain: &'static Chain, bytes: &[u8]) -> Result<Self, DecodeError> {
        let refuse = |reason: &dyn ToString| DecodeError::NotEip1559 { reason: reason.to_string() };
        if bytes.len() > MAX_BYTES {
            return Err(refuse(&"too long for a payment"));
        }
        let Some((&TYPE, mut body)) = bytes.split_first() else {
            return Err(refuse(&"it does not begin with type byte 2"));
        };
        let payment = TxEip1559::decode(&mut body).map_err(|error| refuse(&error))?;
        if payment.encoded_for_signing() != bytes {
            return Err(DecodeError::NotCanonical);
        }
        Self::of(chain, payment)
    }

    pub(super) fn of(chain: &'static Chain, payment: TxEip1559) -> Result<Self, DecodeError> {
        if payment.chain_id != chain.id {
            return Err(DecodeError::ChainId { found: payment.chain_id, expected: chain.id });
        }
        if payment.gas_limit != GAS_LIMIT {
            return Err(DecodeError::GasLimit { found: payment.gas_limit });
        }
        if payment.to.is_create() {
            return Err(DecodeError::NoRecipient);
        }
        if !payment.input.is_empty() {
            return Err(DecodeError::CallData { found: payment.input.len() });
        }
        if !payment.access_list.is_empty() {
            return Err(DecodeError::AccessList);
        }
        let (priority, max) = (payment.max_priority_fee_per_gas, payment.max_fee_per_gas);
        if priority > max {
            return Err(DecodeError::PriorityFee { priority, max });
        }
        if payment.nonce == u64::MAX {
            return Err(DecodeError::AccountNonce);
        }
        let unsigned = Self { chain, payment };
        unsigned.fee()?;
        unsigned.amount()?;
        Ok(unsigned)
    }

    /// Its bytes: the one encoding of this transaction.
    pub fn to_bytes(&self) -> Bytes {
        self.payment.encoded_for_signing().into()
    }

    /// The network that it is for.
    pub const fn chain(&self) -> &'static Chain {
        self.chain
    }

    /// Which transaction of its account it is, from 0.
    pub const fn account_nonce(&self) -> u64 {
        self.payment.nonce
    }

    /// What it offers per gas.
    pub const fn gas(&self) -> Gas {
        Gas {
            max_fee: self.payment.max_fee_per_gas,
            max_priority_fee: self.payment.max_priority_fee_per_gas,
        }
    }

    /// Whether at most one of the two can ever confirm: they have the same account nonce. Both
    /// must be of the same wallet, because the bytes don't say whose they are.
    pub fn excludes(&self, other: &Self) -> bool {
        self.chain == other.chain && self.payment.nonce == other.payment.nonce
    }

    /// Reads back what it would do. Its fee is the most that it can be.
    pub fn effect(&self) -> Result<Effect, DecodeError> {
        let to = self.payment.to.to().ok_or(DecodeError::NoRecipient)?;
        let destination = address::spell(*to).map_err(|_| DecodeError::NoRecipient)?;
        let (amount, fee) = (self.amount()?, self.fee()?);
        Ok(Effect { network: self.chain.network, destination, amount, fee })
    }

    /// Gas limit times the most per gas, in wei.
    pub fn fee(&self) -> Result<Amount, DecodeError> {
        u128::from(self.payment.gas_limit)
            .checked_mul(self.payment.max_fee_per_gas)
            .map(Amount::new)
            .ok_or(DecodeError::Money)
    }

    fn amount(&self) -> Result<Amount, DecodeError> {
        self.payment.value.try_into().map(Amount::new).map_err(|_| DecodeError::Money)
    }

    /// What the wallet's key signs: Keccak-256 of the bytes (EIP-1559).
    pub fn signing_payload(&self) -> SigningPayload {
        SigningPayload { digest: keccak256(self.payment.encoded_for_signing()).0, path: None }
    }
}
