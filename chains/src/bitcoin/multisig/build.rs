//! Makes the unsigned transaction of a plan. Never chooses anything: coins, change and fee are the
//! plan's, destination and amount are the intent's.

use super::{
    super::{
        BuildError, Chain, Destination, Plan,
        build::{balances, input, output, sort},
        outpoint,
    },
    Descriptor, Offered, ReadError, UnsignedTx,
    unsigned::{MAX_KEPT, Spent},
};
use bitcoin::{Transaction, TxOut, absolute::LockTime, consensus::encode, transaction::Version};
use strongroom_domain::{
    AddressPath, Bytes, Intent,
    wallet::{Coin, OutPoint},
};

/// Why there is no transaction of a multisig wallet.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MultisigBuildError {
    /// By the rules that all our transactions obey.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Whoever signs must see it.
    #[error("the transaction that made the coin {coin} is missing, or is another")]
    NoPrevious {
        /// Which coin.
        coin: OutPoint,
    },
    /// The wallet has no such address.
    #[error("the descriptor has no address {path}")]
    NoAddress {
        /// Which.
        path: AddressPath,
    },
    /// The log would not hold it.
    #[error(
        "{coins} coins take {found} bytes with the transactions that made them, and the log keeps \
         {MAX_KEPT} of one transaction: spend fewer or smaller ones at a time"
    )]
    TooLarge {
        /// How many it spends.
        coins: usize,
        /// How many bytes.
        found: usize,
    },
    /// The plan is for nothing.
    #[error("what was built is refused by our own reader: {0}")]
    Malformed(#[from] ReadError),
}

/// The unsigned transaction: version 2, no lock time, replaceable (BIP 125), inputs and outputs in the
/// order of BIP 69. `previous` gives the whole transaction that made a coin, as the network has it;
/// only P2WSH wallets ask for it.
pub fn build(
    chain: &'static Chain,
    descriptor: &Descriptor,
    intent: &Intent,
    plan: &Plan,
    change: AddressPath,
    previous: impl Fn(&OutPoint) -> Option<Bytes>,
) -> Result<UnsignedTx, MultisigBuildError> {
    if intent.network() != chain.network {
        let (found, expected) = (intent.network(), chain.network);
        return Err(BuildError::Network { found, expected }.into());
    }
    let destination =
        Destination::parse(chain, intent.destination.as_str()).map_err(BuildError::Destination)?;
    let mut outputs = vec![output(intent.amount, destination.script())?];
    if let Some(amount) = plan.change {
        let scripts = descriptor.scripts(change);
        let scripts = scripts.ok_or(MultisigBuildError::NoAddress { path: change })?;
        outputs.push(output(amount, scripts.output)?);
    }
    if !balances(plan, intent.amount) {
        return Err(BuildError::Unbalanced.into());
    }
    spending(chain, descriptor, &plan.inputs, outputs, change, previous)
}

/// The one form of a transaction that spends these coins into these outputs.
pub(super) fn spending(
    chain: &'static Chain,
    descriptor: &Descriptor,
    coins: &[Coin],
    mut outputs: Vec<TxOut>,
    change: AddressPath,
    previous: impl Fn(&OutPoint) -> Option<Bytes>,
) -> Result<UnsignedTx, MultisigBuildError> {
    sort(&mut outputs);
    let mut coins = coins.to_vec();
    coins.sort_by(|a, b| a.outpoint.cmp(&b.outpoint));
    let transaction = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: coins.iter().map(|coin| input(&coin.outpoint)).collect::<Result<_, _>>()?,
        output: outputs,
    };
    let spent = coins.iter().map(|coin| {
        let scripts = descriptor.scripts(coin.path);
        let scripts = scripts.ok_or(MultisigBuildError::NoAddress { path: coin.path })?;
        let made = output(coin.amount, scripts.output.clone())?;
        let needed = UnsignedTx::needs_previous(descriptor.shape());
        let previous = if needed { Some(whole(coin, &previous)?) } else { None };
        Ok(Spent { output: made, path: coin.path, scripts, previous })
    });
    let spent = spent.collect::<Result<_, MultisigBuildError>>()?;
    let own = descriptor.scripts(change);
    let returns = transaction.output.iter().map(|paid| {
        let own = own.as_ref().filter(|own| own.output == paid.script_pubkey)?;
        Some((change, own.clone()))
    });
    let returns = returns.collect();
    let built = UnsignedTx { chain, descriptor: descriptor.clone(), transaction, spent, returns };
    // Reading proves what building only puts together: the coins are what they are said to be.
    let bytes = built.to_bytes();
    let (coins, found) = (coins.len(), bytes.as_slice().len());
    if found > MAX_KEPT {
        return Err(MultisigBuildError::TooLarge { coins, found });
    }
    let read = Offered::read(chain, descriptor, bytes.as_slice())?;
    Ok(read.unsigned)
}

fn whole(
    coin: &Coin,
    previous: &impl Fn(&OutPoint) -> Option<Bytes>,
) -> Result<Transaction, MultisigBuildError> {
    let refuse = || MultisigBuildError::NoPrevious { coin: coin.outpoint.clone() };
    let raw = previous(&coin.outpoint).ok_or_else(refuse)?;
    let parsed = encode::deserialize(raw.as_slice());
    let parsed = parsed.or_else(|_| encode::deserialize(&without_extension(raw.as_slice())));
    let mut found: Transaction = parsed.map_err(|_| refuse())?;
    let wanted = outpoint::spent(&coin.outpoint).ok_or_else(refuse)?;
    if found.compute_txid() != wanted.txid {
        return Err(refuse());
    }
    // The id does not commit to witnesses, so they prove nothing and only weigh.
    for input in &mut found.input {
        input.witness.clear();
    }
    Ok(found)
}

/// Litecoin's nodes write a transaction that takes coins out of the extension block with a flag of its own
/// (LIP 2) and an empty field behind the outputs; neither is part of its id. Other bytes come back as they
/// are.
fn without_extension(raw: &[u8]) -> Vec<u8> {
    if let Some((version, [0, 8, rest @ ..])) = raw.split_first_chunk::<4>()
        && let Some(([inner @ .., 0], lock_time)) = rest.split_last_chunk::<4>()
    {
        return [version.as_slice(), inner, lock_time].concat();
    }
    raw.to_vec()
}
