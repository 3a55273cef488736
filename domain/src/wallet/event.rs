//! What happened to a wallet. Stored for ever: a shape is never edited, only succeeded.

use crate::{
    AccountId, Address, AddressPath, Amount, Asset, DepositId, KeyId, Network, PersonId,
    ProposalId, TransferId, WalletId, account::JournalEntry, event::events,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

events! {
    /// A wallet's events.
    WalletEvent {
        /// A key began to hold funds on a network.
        Created = "wallet.created", 1;
        /// It has another address.
        AddressDerived = "wallet.address-derived", 1;
        /// It can spend another output (Bitcoin family).
        CoinAdded = "wallet.coin-added", 1;
        /// A reorganisation took an output back.
        CoinRemoved = "wallet.coin-removed", 1;
        /// Outputs are set aside for a transfer.
        CoinsReserved = "wallet.coins-reserved", 1;
        /// They are free again: the transfer came to nothing.
        CoinsReleased = "wallet.coins-released", 1;
        /// They are spent, finally.
        CoinsSpent = "wallet.coins-spent", 1;
        /// Its balance grew (Ethereum family).
        FundsReceived = "wallet.funds-received", 1;
        /// A reorganisation took part of its balance back.
        FundsReversed = "wallet.funds-reversed", 1;
        /// An account nonce is set aside for a transfer.
        AccountNonceReserved = "wallet.account-nonce-reserved", 1;
        /// More of the balance is set aside with it: the transfer's fee cap was raised.
        AccountNonceRaised = "wallet.account-nonce-raised", 1;
        /// A transfer that can't go on holds an account nonce that later ones wait for.
        NonceGapFound = "wallet.nonce-gap-found", 1;
        /// It is free again: the transfer came to nothing.
        AccountNonceReleased = "wallet.account-nonce-released", 1;
        /// It is used, finally, and the balance has shrunk.
        AccountNonceUsed = "wallet.account-nonce-used", 1;
        /// A quorum wants everything that it holds in its successor, whose key is another.
        RotationApproved = "wallet.rotation-approved", 1;
        /// A sweep is final: its successor holds what it held.
        Swept = "wallet.swept", 1;
    }
}

/// How its keys are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Signers online, automatic after the quorum.
    Hot,
}

/// An output of a transaction.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OutPoint {
    /// Transaction id, 64 lower-case hex digits in the order that nodes print.
    pub txid: String,
    /// Which output.
    pub vout: u32,
}

/// Text that names no output.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not an outpoint: expected `<64 hex digits>:<number>`")]
pub struct OutPointError(String);

impl fmt::Display for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.txid, self.vout)
    }
}

impl FromStr for OutPoint {
    type Err = OutPointError;

    fn from_str(text: &str) -> Result<Self, OutPointError> {
        let refuse = || OutPointError(text.to_owned());
        let (txid, vout) = text.split_once(':').ok_or_else(refuse)?;
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let number: u32 = vout.parse().map_err(|_| refuse())?;
        let canonical = txid.len() == 64 && txid.bytes().all(digits) && number.to_string() == vout;
        if canonical { Ok(Self { txid: txid.to_owned(), vout: number }) } else { Err(refuse()) }
    }
}

impl TryFrom<String> for OutPoint {
    type Error = OutPointError;

    fn try_from(text: String) -> Result<Self, OutPointError> {
        text.parse()
    }
}

impl From<OutPoint> for String {
    fn from(outpoint: OutPoint) -> Self {
        outpoint.to_string()
    }
}

/// An output that a wallet can spend.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coin {
    /// Where it is.
    pub outpoint: OutPoint,
    /// What it is worth.
    pub amount: Amount,
    /// Which of the wallet's addresses it was paid to.
    pub path: AddressPath,
}

/// A wallet began.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Created {
    /// Where.
    pub network: Network,
    /// Who signs.
    pub key: KeyId,
    /// How its keys are kept.
    pub tier: Tier,
}

/// It has another address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressDerived {
    /// In its canonical spelling.
    pub address: Address,
    /// How to derive it from the wallet's key again.
    pub path: AddressPath,
    /// Whose deposits arrive there. `None` exactly for change addresses.
    pub account: Option<AccountId>,
}

/// It can spend another output.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoinAdded {
    /// The output.
    pub coin: Coin,
}

/// A reorganisation took an output back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoinRemoved {
    /// Which.
    pub outpoint: OutPoint,
}

/// Outputs are set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoinsReserved {
    /// For which transfer.
    pub transfer: TransferId,
    /// Which.
    pub outpoints: Vec<OutPoint>,
}

/// They are free again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoinsReleased {
    /// For which transfer they were.
    pub transfer: TransferId,
}

/// They are spent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoinsSpent {
    /// By which transfer.
    pub transfer: TransferId,
}

/// Its balance grew.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundsReceived {
    /// By what.
    pub deposit: DepositId,
    /// By how much.
    pub amount: Amount,
}

/// Its balance shrank again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundsReversed {
    /// What is gone.
    pub deposit: DepositId,
    /// How much.
    pub amount: Amount,
}

/// An account nonce is set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountNonceReserved {
    /// For which transfer.
    pub transfer: TransferId,
    /// Which.
    pub account_nonce: u64,
    /// Payment and fee cap: what of the balance it sets aside.
    pub amount: Amount,
}

/// More is set aside with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountNonceRaised {
    /// For which transfer.
    pub transfer: TransferId,
    /// Payment and the new fee cap: what it sets aside from now on.
    pub amount: Amount,
}

/// Later transactions of the account wait for this one, which will never come: from now on signers
/// may sign one with its account nonce that pays nobody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NonceGapFound {
    /// Whose nonce it is.
    pub transfer: TransferId,
    /// Which.
    pub account_nonce: u64,
}

/// It is free again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountNonceReleased {
    /// For which transfer it was.
    pub transfer: TransferId,
}

/// It is used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountNonceUsed {
    /// By which transfer.
    pub transfer: TransferId,
    /// Payment and fee: what the balance has shrunk by.
    pub spent: Amount,
}

/// A quorum wants everything that it holds in its successor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationApproved {
    /// Where to and at whose cost.
    pub rotation: Rotation,
    /// The question that was answered.
    pub proposal: ProposalId,
    /// Who asked it.
    pub maker: PersonId,
}

/// Where everything that a wallet holds goes, and at whose cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Which wallet is given up.
    pub wallet: WalletId,
    /// Where everything goes. On the same network, with a key of its own.
    pub successor: WalletId,
    /// Whose claim bears the network's fees: the institution's own, never a client's by chance.
    pub fees_from: AccountId,
    /// The most that the network may take for one sweep, in base units of the native asset. What is
    /// worth less stays where it is.
    pub fee_cap: Amount,
}

/// Its successor holds what it held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swept {
    /// By which transfer.
    pub transfer: TransferId,
    /// In what the entries are.
    pub asset: Asset,
    /// From this wallet's place in the ledger to its successor's.
    pub entries: Vec<JournalEntry>,
}
