//! The unsigned transaction as a PSBT (BIP 174, 371) in the one form that we make: whoever holds
//! an [`UnsignedTx`] knows that it has this form. Never drops or repairs what it does not know.

use super::{Chain, Destination, outpoint};
use bitcoin::{Amount as Sats, Psbt, Sequence, TxOut, absolute::LockTime, transaction::Version};
use std::collections::BTreeSet;
use strongroom_domain::{Bytes, wallet::OutPoint};

/// More than any transaction that nodes relay.
const MAX_BYTES: usize = 1_000_000;

/// Version 2, lock time 0, every input replaceable and taproot with its key and coin, nothing
/// signed, nothing else. Whom it pays is not checked yet: see [`UnsignedTx::effect`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnsignedTx {
    pub(super) chain: &'static Chain,
    pub(super) psbt: Psbt,
    /// The coins spent, in the order of the inputs.
    pub(super) spent: Vec<(TxOut, Destination)>,
}

/// Why bytes are not an unsigned transaction that we would sign.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not worth reading.
    #[error("{found} bytes are more than the log keeps of one transaction")]
    TooLong {
        /// How many.
        found: usize,
    },
    /// Not the format at all.
    #[error("not a PSBT (BIP 174): {reason}")]
    NotAPsbt {
        /// Which rule it breaks.
        reason: String,
    },
    /// A second encoding of the same, or something after its end.
    #[error("not the canonical encoding: something is out of order, or left over at the end")]
    NotCanonical,
    /// A field that we never write.
    #[error("a field that is not accounted for: expected each input's coin and taproot key only")]
    UnknownField,
    /// A signature that would leave part of the transaction open.
    #[error("input {input} asks for another sighash type: expected none, which signs everything")]
    SighashType {
        /// Which input.
        input: usize,
    },
    /// Other rules for the same bytes.
    #[error("transaction version {found}: expected 2")]
    Version {
        /// The version found.
        found: i32,
    },
    /// Valid only later.
    #[error("lock time {found}: expected 0")]
    LockTime {
        /// As in the transaction.
        found: u32,
    },
    /// Not replaceable, or locked for a time.
    #[error("input {input} has sequence {found:#010x}: expected 0xfffffffd (BIP 125)")]
    Sequence {
        /// Which input.
        input: usize,
        /// As in the transaction.
        found: u32,
    },
    /// Spends nothing.
    #[error("no inputs")]
    NoInputs,
    /// Never valid.
    #[error("two inputs spend the coin {coin}")]
    SameCoinTwice {
        /// Which.
        coin: OutPoint,
    },
    /// What it spends is not said.
    #[error("input {input} lacks the output that it spends, or its taproot internal key")]
    Incomplete {
        /// Which input.
        input: usize,
    },
    /// Not ours, or not how we sign.
    #[error("input {input} is not the taproot output of its internal key without scripts (BIP 86)")]
    NotKeyPath {
        /// Which input.
        input: usize,
    },
    /// Money of somebody else.
    #[error("input {input} is not on an address of this wallet")]
    ForeignInput {
        /// Which input.
        input: usize,
    },
    /// Data, or a script that we can't name.
    #[error("output {output} has a script that is no address on this network")]
    UnknownScript {
        /// Which output.
        output: usize,
    },
    /// All of it goes back to the wallet.
    #[error("no output is a payment: expected one that is not change")]
    NoPayment,
    /// One too many.
    #[error("output {output} is a second payment: expected one, and at most one output of change")]
    SecondPayment {
        /// Which output.
        output: usize,
    },
    /// One too many.
    #[error("output {output} is a second output of change: expected at most one")]
    SecondChange {
        /// Which output.
        output: usize,
    },
    /// Somebody else would be paid by what should pay nobody.
    #[error("output {output} does not go back to the wallet's change: expected nothing else")]
    Outward {
        /// Which output.
        output: usize,
    },
    /// Nothing comes back, or more than one output does.
    #[error("{found} outputs: expected one, which brings everything back to the wallet")]
    Returns {
        /// How many.
        found: usize,
    },
    /// Creates money, or more than there is.
    #[error("the outputs are worth more than the inputs, or more than all the money there is")]
    Money,
}

impl UnsignedTx {
    /// Reads the PSBT. Refuses all that [`super::build`] would not have written.
    pub fn parse(chain: &'static Chain, bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BYTES {
            return Err(DecodeError::TooLong { found: bytes.len() });
        }
        let psbt = Psbt::deserialize(bytes)
            .map_err(|error| DecodeError::NotAPsbt { reason: error.to_string() })?;
        if psbt.serialize() != bytes {
            return Err(DecodeError::NotCanonical);
        }
        Self::of(chain, psbt)
    }

    /// The PSBT's bytes: the one encoding of this transaction.
    pub fn to_bytes(&self) -> Bytes {
        self.psbt.serialize().into()
    }

    /// The network that it is for.
    pub const fn chain(&self) -> &'static Chain {
        self.chain
    }

    /// What the network will call it: signatures don't change it (BIP 141).
    pub fn id(&self) -> crate::TransactionId {
        self.psbt.unsigned_tx.compute_txid().into()
    }

    /// The coins that it spends, in the order of the inputs.
    pub fn spends(&self) -> impl Iterator<Item = OutPoint> + '_ {
        self.psbt.unsigned_tx.input.iter().map(|input| outpoint::written(input.previous_output))
    }

    /// Whether at most one of the two can ever confirm: they spend a coin in common.
    pub fn excludes(&self, other: &Self) -> bool {
        let mine: BTreeSet<OutPoint> = self.spends().collect();
        self.chain == other.chain && other.spends().any(|coin| mine.contains(&coin))
    }

    /// Whether all that it spends are outputs of `parent`: then it can't confirm unless that does.
    pub fn depends_on(&self, parent: &Self) -> bool {
        let parent_id = parent.psbt.unsigned_tx.compute_txid();
        let mut inputs = self.psbt.unsigned_tx.input.iter();
        self.chain == parent.chain && inputs.all(|input| input.previous_output.txid == parent_id)
    }

    pub(super) fn of(chain: &'static Chain, psbt: Psbt) -> Result<Self, DecodeError> {
        check_transaction(&psbt)?;
        let spent = (0..).zip(&psbt.inputs).map(coin_spent).collect::<Result<Vec<_>, _>>()?;
        // Rebuilt from what we know: whatever differs is something that we don't.
        let mut known = Psbt::from_unsigned_tx(psbt.unsigned_tx.clone())
            .map_err(|_| DecodeError::UnknownField)?;
        for (input, theirs) in known.inputs.iter_mut().zip(&psbt.inputs) {
            input.witness_utxo.clone_from(&theirs.witness_utxo);
            input.tap_internal_key = theirs.tap_internal_key;
        }
        if known != psbt {
            return Err(DecodeError::UnknownField);
        }
        let incoming = money(chain, spent.iter().map(|(coin, _)| coin));
        let outgoing = money(chain, &psbt.unsigned_tx.output);
        match (incoming, outgoing) {
            (Some(incoming), Some(outgoing)) if outgoing <= incoming => {
                Ok(Self { chain, psbt, spent })
            }
            _ => Err(DecodeError::Money),
        }
    }
}

/// What outputs are worth together, unless that is more than there is.
fn money<'a>(chain: &Chain, outputs: impl IntoIterator<Item = &'a TxOut>) -> Option<Sats> {
    let mut values = outputs.into_iter().map(|output| output.value);
    let sum = values.try_fold(Sats::ZERO, Sats::checked_add)?;
    (sum.to_sat() <= chain.max_money).then_some(sum)
}

fn check_transaction(psbt: &Psbt) -> Result<(), DecodeError> {
    let transaction = &psbt.unsigned_tx;
    if transaction.version != Version::TWO {
        return Err(DecodeError::Version { found: transaction.version.0 });
    }
    if transaction.lock_time != LockTime::ZERO {
        let found = transaction.lock_time.to_consensus_u32();
        return Err(DecodeError::LockTime { found });
    }
    if transaction.input.is_empty() {
        return Err(DecodeError::NoInputs);
    }
    let mut seen = BTreeSet::new();
    for (input, spend) in transaction.input.iter().enumerate() {
        if spend.sequence != Sequence::ENABLE_RBF_NO_LOCKTIME {
            let found = spend.sequence.to_consensus_u32();
            return Err(DecodeError::Sequence { input, found });
        }
        if !seen.insert(spend.previous_output) {
            let coin = outpoint::written(spend.previous_output);
            return Err(DecodeError::SameCoinTwice { coin });
        }
    }
    Ok(())
}

fn coin_spent(
    (input, fields): (usize, &bitcoin::psbt::Input),
) -> Result<(TxOut, Destination), DecodeError> {
    if fields.sighash_type.is_some() {
        return Err(DecodeError::SighashType { input });
    }
    let (Some(coin), Some(key)) = (&fields.witness_utxo, fields.tap_internal_key) else {
        return Err(DecodeError::Incomplete { input });
    };
    let expected = Destination::p2tr_internal(key);
    if expected.script() == coin.script_pubkey {
        Ok((coin.clone(), expected))
    } else {
        Err(DecodeError::NotKeyPath { input })
    }
}
