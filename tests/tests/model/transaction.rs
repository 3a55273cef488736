//! Transactions without their bytes: which coins one spends, whom it pays, what it costs. How a
//! chain writes one down is tested elsewhere; here an unsigned transaction is its number.

use crate::cast::{self, NETWORK};
use strongroom_domain::{Address, Amount, Bytes, Effect};

/// A set of transactions, signers, transfers or coins, by number.
pub(crate) type Set = u16;

/// The set of one.
pub(crate) const fn one(number: u8) -> Set {
    1 << number
}

pub(crate) const fn has(set: Set, number: u8) -> bool {
    set & one(number) != 0
}

/// The members of a set, in order.
pub(crate) fn members(set: Set) -> impl Iterator<Item = u8> {
    (0..16).filter(move |number| has(set, *number))
}

/// A transaction, by its place in [`ALL`].
pub(crate) type TxId = u8;

/// Whom a transaction pays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pays {
    Payee,
    Thief,
    /// Everything comes back: it only makes the others impossible.
    Nobody,
}

/// What one does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transaction {
    pub(crate) transfer: u8,
    /// The coins that it spends.
    pub(crate) coins: Set,
    pub(crate) pays: Pays,
    pub(crate) fee: u128,
}

/// What the transfers' attempts can be.
pub(crate) const ALL: &[Transaction] = &[
    Transaction { transfer: 0, coins: 1, pays: Pays::Payee, fee: 1 },
    // The same for a higher fee.
    Transaction { transfer: 0, coins: 1, pays: Pays::Payee, fee: 2 },
    // Of another coin: it does not exclude the first two.
    Transaction { transfer: 0, coins: 2, pays: Pays::Payee, fee: 1 },
    // Pays a thief.
    Transaction { transfer: 0, coins: 1, pays: Pays::Thief, fee: 1 },
    Transaction { transfer: 0, coins: 1, pays: Pays::Nobody, fee: 3 },
    Transaction { transfer: 1, coins: 2, pays: Pays::Payee, fee: 1 },
    Transaction { transfer: 1, coins: 1, pays: Pays::Payee, fee: 1 },
];

/// The transactions of a transfer.
pub(crate) fn of(transfer: u8) -> impl Iterator<Item = TxId> {
    (0..).zip(ALL).filter(move |(_, tx)| tx.transfer == transfer).map(|(id, _)| id)
}

pub(crate) fn get(id: TxId) -> &'static Transaction {
    &ALL[usize::from(id)]
}

/// As an attempt bears it.
pub(crate) fn bytes(id: TxId) -> Bytes {
    Bytes(vec![id])
}

/// The way back. `None` for bytes that nobody here writes.
pub(crate) fn parse(bytes: &Bytes) -> Option<TxId> {
    let [id] = bytes.array()?;
    (usize::from(id) < ALL.len()).then_some(id)
}

impl Transaction {
    /// Whether at most one of the two can ever be in a chain.
    pub(crate) const fn excludes(&self, other: &Self) -> bool {
        self.coins & other.coins != 0
    }

    pub(crate) fn is_cancellation(&self) -> bool {
        self.pays == Pays::Nobody
    }

    /// What it would do, as `chains` reads it from the bytes.
    pub(crate) fn effect(&self) -> Effect {
        let thief: Address = "thief".parse().unwrap();
        Effect {
            network: NETWORK,
            destination: if self.pays == Pays::Payee { cast::destination() } else { thief },
            amount: Amount::new(cast::AMOUNT),
            fee: Amount::new(self.fee),
        }
    }
}
