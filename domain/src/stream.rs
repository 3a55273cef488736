//! Names of streams. A name never says anything about a person.

use crate::{AccountId, DepositId, KeyId, PersonId, ProposalId, SignerId, TransferId, WalletId};
use std::{fmt, str::FromStr};

/// Which aggregate's history an entry belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stream {
    /// The only charter.
    Charter,
    /// `proposal-<id>`
    Proposal(ProposalId),
    /// `account-<id>`
    Account(AccountId),
    /// `wallet-<id>`
    Wallet(WalletId),
    /// `transfer-<id>`
    Transfer(TransferId),
    /// `deposit-<id>`
    Deposit(DepositId),
    /// `key-<id>`
    Key(KeyId),
    /// `signer-<id>`
    Signer(SignerId),
    /// `person-<id>`
    Person(PersonId),
    /// All freezes.
    Freezes,
    /// All reference prices.
    Prices,
    /// All screenings.
    Screenings,
    /// All differences.
    Reconciliation,
}

/// Text that names no stream.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` names no stream: expected `charter` or `<aggregate>-<id>`")]
pub struct StreamError(String);

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Charter => f.write_str("charter"),
            Self::Proposal(id) => write!(f, "proposal-{id}"),
            Self::Account(id) => write!(f, "account-{id}"),
            Self::Wallet(id) => write!(f, "wallet-{id}"),
            Self::Transfer(id) => write!(f, "transfer-{id}"),
            Self::Deposit(id) => write!(f, "deposit-{id}"),
            Self::Key(id) => write!(f, "key-{id}"),
            Self::Signer(id) => write!(f, "signer-{id}"),
            Self::Person(id) => write!(f, "person-{id}"),
            Self::Freezes => f.write_str("freezes"),
            Self::Prices => f.write_str("prices"),
            Self::Screenings => f.write_str("screenings"),
            Self::Reconciliation => f.write_str("reconciliation"),
        }
    }
}

impl FromStr for Stream {
    type Err = StreamError;

    fn from_str(text: &str) -> Result<Self, StreamError> {
        let refuse = || StreamError(text.to_owned());
        match text {
            "charter" => return Ok(Self::Charter),
            "freezes" => return Ok(Self::Freezes),
            "prices" => return Ok(Self::Prices),
            "screenings" => return Ok(Self::Screenings),
            "reconciliation" => return Ok(Self::Reconciliation),
            _ => {}
        }
        let (kind, id) = text.split_once('-').ok_or_else(refuse)?;
        match kind {
            "proposal" => id.parse().map(Self::Proposal).map_err(|_| refuse()),
            "account" => id.parse().map(Self::Account).map_err(|_| refuse()),
            "wallet" => id.parse().map(Self::Wallet).map_err(|_| refuse()),
            "transfer" => id.parse().map(Self::Transfer).map_err(|_| refuse()),
            "deposit" => id.parse().map(Self::Deposit).map_err(|_| refuse()),
            "key" => id.parse().map(Self::Key).map_err(|_| refuse()),
            "person" => id.parse().map(Self::Person).map_err(|_| refuse()),
            "signer" => id.parse().map(Self::Signer).map_err(|_| refuse()),
            _ => Err(refuse()),
        }
    }
}
