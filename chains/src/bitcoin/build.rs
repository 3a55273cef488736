//! Makes the unsigned transaction of a plan. Never chooses anything: coins, change and fee are the
//! plan's, destination and amount are the intent's.

use super::{Chain, Destination, Plan, UnsignedTx, address::internal_key, outpoint};
use crate::{AddressError, KeyError};
use bitcoin::{
    Amount as Sats, Psbt, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
    absolute::LockTime, secp256k1::XOnlyPublicKey, transaction::Version,
};
use strongroom_domain::{
    AddressPath, Amount, Intent, Network,
    wallet::{Coin, OutPoint},
};

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
    /// Whose is it?
    #[error("the wallet has no key for its address {path}")]
    NoKey {
        /// The address.
        path: AddressPath,
    },
    /// The wallet's key is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The plan is for another transfer.
    #[error("the plan's coins are not worth the amount, its change and its fee")]
    Unbalanced,
    /// A coin that can't be.
    #[error("{outpoint} is not an outpoint: expected `<64 hex digits>:<number>`")]
    OutPoint {
        /// As the plan has it.
        outpoint: OutPoint,
    },
    /// More money than there is.
    #[error("an amount above all the money there is on the network")]
    OutOfRange,
    /// The plan is for nothing.
    #[error("what was built is refused by our own decoder: {0}")]
    Malformed(#[from] super::DecodeError),
}

/// The unsigned transaction: version 2, no lock time, replaceable (BIP 125), inputs and outputs
/// in the order of BIP 69. `key_of` gives the internal key of each of the wallet's addresses;
/// change goes to `change`.
pub fn build(
    chain: &'static Chain,
    intent: &Intent,
    plan: &Plan,
    change: AddressPath,
    key_of: impl Fn(AddressPath) -> Option<[u8; 33]>,
) -> Result<UnsignedTx, BuildError> {
    if intent.network() != chain.network {
        let expected = chain.network;
        return Err(BuildError::Network { found: intent.network(), expected });
    }
    let key = |path| internal(&key_of, path);
    let destination = Destination::parse(chain, intent.destination.as_str())?;
    let mut outputs = vec![output(intent.amount, destination.script())?];
    if let Some(amount) = plan.change {
        outputs.push(output(amount, Destination::p2tr_internal(key(change)?).script())?);
    }
    if !balances(plan, intent.amount) {
        return Err(BuildError::Unbalanced);
    }
    spending(chain, &plan.inputs, outputs, &key_of)
}

/// The internal key of one of the wallet's addresses.
pub(super) fn internal(
    key_of: &impl Fn(AddressPath) -> Option<[u8; 33]>,
    path: AddressPath,
) -> Result<XOnlyPublicKey, BuildError> {
    let key = key_of(path).ok_or(BuildError::NoKey { path })?;
    Ok(internal_key(&key)?)
}

/// The one form of a transaction that spends these coins into these outputs.
pub(super) fn spending(
    chain: &'static Chain,
    coins: &[Coin],
    mut outputs: Vec<TxOut>,
    key_of: &impl Fn(AddressPath) -> Option<[u8; 33]>,
) -> Result<UnsignedTx, BuildError> {
    sort(&mut outputs);
    let mut coins = coins.to_vec();
    // Their text sorts as BIP 69 wants it: by the id as printed, then by number.
    coins.sort_by(|a, b| a.outpoint.cmp(&b.outpoint));
    let inputs = coins.iter().map(|coin| input(&coin.outpoint)).collect::<Result<_, _>>()?;
    let transaction = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs,
        output: outputs,
    };
    let mut psbt = Psbt::from_unsigned_tx(transaction).map_err(|_| BuildError::OutOfRange)?;
    for (input, coin) in psbt.inputs.iter_mut().zip(&coins) {
        let key = internal(key_of, coin.path)?;
        input.tap_internal_key = Some(key);
        input.witness_utxo = Some(output(coin.amount, Destination::p2tr_internal(key).script())?);
    }
    Ok(UnsignedTx::of(chain, psbt)?)
}

/// BIP 69.
pub(super) fn sort(outputs: &mut [TxOut]) {
    outputs.sort_by(|a, b| a.value.cmp(&b.value).then(a.script_pubkey.cmp(&b.script_pubkey)));
}

pub(super) fn balances(plan: &Plan, amount: Amount) -> bool {
    let spent = plan.inputs.iter().try_fold(Amount::ZERO, |sum, c| sum.checked_add(c.amount));
    let paid = amount
        .checked_add(plan.fee)
        .and_then(|sum| sum.checked_add(plan.change.unwrap_or(Amount::ZERO)));
    spent.is_some() && spent == paid
}

pub(super) fn input(coin: &OutPoint) -> Result<TxIn, BuildError> {
    let refuse = || BuildError::OutPoint { outpoint: coin.clone() };
    Ok(TxIn {
        previous_output: outpoint::spent(coin).ok_or_else(refuse)?,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    })
}

pub(super) fn output(amount: Amount, script_pubkey: ScriptBuf) -> Result<TxOut, BuildError> {
    let sats = u64::try_from(amount.units()).map_err(|_| BuildError::OutOfRange)?;
    Ok(TxOut { value: Sats::from_sat(sats), script_pubkey })
}
