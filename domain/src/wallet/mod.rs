//! What a key holds on a network: addresses, and coins or a balance with account nonces. Nothing
//! is ever set aside for two transfers at once.

mod balance;
mod event;
mod funds;

pub use balance::{Balance, ReservedNonce};
pub use event::{
    AccountNonceRaised, AccountNonceReleased, AccountNonceReserved, AccountNonceUsed,
    AddressDerived, Coin, CoinAdded, CoinRemoved, CoinsReleased, CoinsReserved, CoinsSpent,
    Created, FundsReceived, FundsReversed, NonceGapFound, OutPoint, OutPointError, Rotation,
    RotationApproved, Swept, Tier, WalletEvent,
};
pub use funds::{Coins, Funds};

use crate::{
    AccountId, Address, AddressPath, Aggregate, Amount, Branch, Corrupt, KeyId, Network, Refusal,
    Rule, TransferId,
};
use serde::Serialize;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// A wallet's life: none, then open.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Wallet(Option<Holding>);

/// An open wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Holding {
    /// Where.
    pub network: Network,
    /// Who signs.
    pub key: KeyId,
    /// How its keys are kept.
    pub tier: Tier,
    /// Its addresses.
    pub addresses: BTreeMap<Address, Derived>,
    /// What it can spend.
    pub funds: Funds,
    /// Where everything goes, once a quorum gave it up.
    pub rotation: Option<RotationApproved>,
}

/// Where an address comes from and whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Derived {
    /// How to derive it from the wallet's key.
    pub path: AddressPath,
    /// Whose deposits arrive there.
    pub account: Option<AccountId>,
}

/// A request to change a wallet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Begin.
    Create(Created),
    /// Add the next address of a branch.
    Derive {
        /// The address.
        derived: AddressDerived,
        /// Whether the key can have more than one address.
        many: bool,
    },
    /// An output became final.
    AddCoin(Coin),
    /// A reorganisation took an output back.
    RemoveCoin(OutPoint),
    /// Set outputs aside. Repeating it for the same outputs is no news.
    ReserveCoins(CoinsReserved),
    /// The balance grew.
    Receive(FundsReceived),
    /// A reorganisation took part of it back.
    Reverse(FundsReversed),
    /// Set the next account nonce aside. Repeating it is no news.
    ReserveNonce(AccountNonceReserved),
    /// Set more of the balance aside with the account nonce.
    RaiseNonce(AccountNonceRaised),
    /// Say that others wait for the account nonce of a transfer that can't go on. Repeating it is
    /// no news.
    FindGap {
        /// Whose nonce.
        transfer: TransferId,
    },
    /// The transfer came to nothing before anybody could have signed.
    Release {
        /// Which.
        transfer: TransferId,
    },
    /// The quorum gave it up. That its successor will do was checked by the caller.
    Rotate(RotationApproved),
    /// A sweep is final.
    Sweep(Swept),
    /// The transfer is final.
    Spend {
        /// Which.
        transfer: TransferId,
        /// Payment and fee together.
        spent: Amount,
    },
}

impl Wallet {
    /// The wallet, once it is created.
    pub fn holding(&self) -> Result<&Holding, Refusal> {
        self.0.as_ref().ok_or_else(|| Refusal::new(Rule::WalletState, "there is no such wallet"))
    }
}

impl Holding {
    /// The index that the branch's next address has.
    pub fn next_index(&self, branch: Branch) -> u32 {
        let taken = self.addresses.values().filter(|known| known.path.branch == branch).count();
        u32::try_from(taken).unwrap_or(u32::MAX)
    }

    /// The rotation, once a quorum agreed to it.
    pub fn rotation(&self) -> Result<&RotationApproved, Refusal> {
        self.rotation.as_ref().ok_or_else(|| {
            Refusal::new(Rule::Sweep, "no quorum has agreed that this wallet is rotated")
        })
    }

    /// Refuses what its successor is there for.
    pub fn check_kept(&self) -> Result<(), Refusal> {
        if self.rotation.is_some() { self.gone() } else { Ok(()) }
    }

    fn gone<T>(&self) -> Result<T, Refusal> {
        let to = self.rotation.as_ref().map(|approved| approved.rotation.successor);
        let because = format!(
            "the wallet was rotated: its successor is wallet {}",
            to.map_or_else(String::new, |id| id.to_string())
        );
        Err(Refusal::new(Rule::WalletRotated, because))
    }

    /// A further rotation to the same successor may let sweeps cost more; another successor may not
    /// take the place of the one that people were told of.
    fn rotate(&self, approved: RotationApproved) -> Result<Vec<WalletEvent>, Refusal> {
        let successor = approved.rotation.successor;
        match &self.rotation {
            Some(known) if known.rotation.successor != successor => self.gone(),
            Some(known) if known.rotation == approved.rotation => {
                Err(Refusal::new(Rule::WalletRotated, "it is rotated exactly so already"))
            }
            Some(_) | None => Ok(vec![approved.into()]),
        }
    }

    fn derive(&self, derived: AddressDerived, many: bool) -> Result<Vec<WalletEvent>, Refusal> {
        let AddressPath { branch, index } = derived.path;
        let is_deposit = matches!(branch, Branch::Deposit);
        if is_deposit && self.rotation.is_some() {
            return self.gone();
        }
        if is_deposit != derived.account.is_some() {
            let because = "deposit addresses belong to an account, change addresses to none";
            return Err(Refusal::new(Rule::AddressState, because));
        }
        if !many && !self.addresses.is_empty() {
            let because = "this wallet's key can't derive: it has one address. Create another \
                           wallet, with a key of its own";
            return Err(Refusal::new(Rule::WalletSingleAddress, because));
        }
        if self.addresses.contains_key(&derived.address) || index != self.next_index(branch) {
            let because = format!("the next address has index {}", self.next_index(branch));
            return Err(Refusal::new(Rule::AddressState, because));
        }
        if index >= 1 << 31 {
            return Err(Refusal::new(Rule::AddressState, "the branch has no further addresses"));
        }
        Ok(vec![derived.into()])
    }
}

impl Aggregate for Wallet {
    const KIND: &'static str = "wallet";
    type Command = Command;
    type Event = WalletEvent;

    fn decide(&self, command: Command) -> Result<Vec<WalletEvent>, Refusal> {
        match command {
            Command::Create(created) if self.0.is_none() => Ok(vec![created.into()]),
            Command::Create(_) => {
                Err(Refusal::new(Rule::IdTaken, "there is a wallet with this id already"))
            }
            Command::Derive { derived, many } => self.holding()?.derive(derived, many),
            Command::AddCoin(coin) => self.holding()?.funds.coins()?.add(coin),
            Command::RemoveCoin(outpoint) => self.holding()?.funds.coins()?.remove(outpoint),
            Command::ReserveCoins(reserved) => self.holding()?.funds.coins()?.reserve(reserved),
            Command::Receive(received) => self.holding()?.funds.balance()?.receive(received),
            Command::Reverse(reversed) => self.holding()?.funds.balance()?.reverse(reversed),
            Command::ReserveNonce(reserved) => self.holding()?.funds.balance()?.reserve(reserved),
            Command::RaiseNonce(raised) => self.holding()?.funds.balance()?.raise(raised),
            Command::FindGap { transfer } => self.holding()?.funds.balance()?.find_gap(transfer),
            Command::Rotate(approved) => self.holding()?.rotate(approved),
            Command::Sweep(swept) => {
                self.holding()?.rotation()?;
                Ok(vec![swept.into()])
            }
            Command::Release { transfer } => self.holding()?.funds.release(transfer),
            Command::Spend { transfer, spent } => self.holding()?.funds.spend(transfer, spent),
        }
    }

    fn evolve(&mut self, event: &WalletEvent) -> Result<(), Corrupt> {
        let state = if self.0.is_some() { "open" } else { "unknown" };
        let corrupt = || Corrupt { aggregate: Self::KIND, state, event: event.kind().0 };
        match (&mut self.0, event) {
            (none @ None, WalletEvent::Created(created)) => {
                *none = Some(Holding {
                    network: created.network,
                    key: created.key,
                    tier: created.tier,
                    addresses: BTreeMap::new(),
                    funds: Funds::of(created.network.family()),
                    rotation: None,
                });
                Ok(())
            }
            (Some(holding), WalletEvent::AddressDerived(derived)) => {
                let known = Derived { path: derived.path, account: derived.account };
                match holding.addresses.insert(derived.address.clone(), known) {
                    None => Ok(()),
                    Some(_) => Err(corrupt()),
                }
            }
            (Some(holding), WalletEvent::RotationApproved(approved)) => {
                holding.rotation = Some(approved.clone());
                Ok(())
            }
            // What moved is in the events of coins and balances around it.
            (Some(_), WalletEvent::Swept(_)) => Ok(()),
            (Some(holding), event) => holding.funds.evolve(event).ok_or_else(corrupt),
            (None, _) => Err(corrupt()),
        }
    }
}
