//! What a wallet can spend: coins where the chain has outputs, a balance with account nonces
//! where it has accounts. A coin or nonce is never set aside twice.

use super::balance::Balance;
use super::event::{
    AccountNonceReleased, AccountNonceUsed, Coin, CoinAdded, CoinRemoved, CoinsReleased,
    CoinsReserved, CoinsSpent, OutPoint, WalletEvent,
};
use crate::{Amount, Family, Refusal, Rule, TransferId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a wallet can spend.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub enum Funds {
    /// Bitcoin family.
    Coins(Coins),
    /// Ethereum family.
    Balance(Balance),
}

/// Final outputs.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Coins {
    /// Free ones.
    pub free: BTreeMap<OutPoint, Coin>,
    /// Set aside, by transfer.
    pub reserved: BTreeMap<TransferId, BTreeMap<OutPoint, Coin>>,
    /// Reorganised away while they were set aside or spent: when the chain has them again they
    /// are not free.
    pub gone: BTreeSet<OutPoint>,
}

impl Funds {
    pub(super) fn of(family: Family) -> Self {
        match family {
            Family::Bitcoin => Self::Coins(Coins::default()),
            Family::Ethereum => Self::Balance(Balance::default()),
        }
    }

    /// The coins of a wallet that has coins.
    pub fn coins(&self) -> Result<&Coins, Refusal> {
        match self {
            Self::Coins(coins) => Ok(coins),
            Self::Balance(_) => {
                Err(Refusal::new(Rule::WalletState, "this wallet's chain has no coins"))
            }
        }
    }

    /// The balance of a wallet that has one.
    pub fn balance(&self) -> Result<&Balance, Refusal> {
        match self {
            Self::Balance(balance) => Ok(balance),
            Self::Coins(_) => {
                Err(Refusal::new(Rule::WalletState, "this wallet's chain has no account nonces"))
            }
        }
    }

    /// Whether anything is set aside for any transfer.
    pub fn sets_aside(&self) -> bool {
        match self {
            Self::Coins(coins) => !coins.reserved.is_empty(),
            Self::Balance(balance) => !balance.reserved.is_empty(),
        }
    }

    /// Whether anything is set aside for `transfer`.
    pub fn is_reserved(&self, transfer: TransferId) -> bool {
        match self {
            Self::Coins(coins) => coins.reserved.contains_key(&transfer),
            Self::Balance(balance) => balance.reserved.contains_key(&transfer),
        }
    }

    /// Whether later transactions wait for what is set aside for `transfer`, and it can't go on.
    pub fn is_gap(&self, transfer: TransferId) -> bool {
        match self {
            Self::Coins(_) => false,
            Self::Balance(balance) => balance.gaps.contains(&transfer),
        }
    }

    /// Whether giving back what is set aside for `transfer` would leave later ones waiting.
    pub fn leaves_gap(&self, transfer: TransferId) -> bool {
        match self {
            Self::Coins(_) => false,
            Self::Balance(balance) => balance.is_waited_for(transfer),
        }
    }

    pub(super) fn release(&self, transfer: TransferId) -> Result<Vec<WalletEvent>, Refusal> {
        match self {
            Self::Coins(coins) => {
                coins.of(transfer)?;
                Ok(vec![CoinsReleased { transfer }.into()])
            }
            Self::Balance(balance) => {
                balance.of(transfer)?;
                Ok(vec![AccountNonceReleased { transfer }.into()])
            }
        }
    }

    pub(super) fn spend(
        &self,
        transfer: TransferId,
        spent: Amount,
    ) -> Result<Vec<WalletEvent>, Refusal> {
        match self {
            Self::Coins(coins) => {
                coins.of(transfer)?;
                Ok(vec![CoinsSpent { transfer }.into()])
            }
            Self::Balance(balance) => {
                let reserved = balance.of(transfer)?;
                if spent > reserved.amount {
                    let because = format!("{spent} was spent, {} set aside", reserved.amount);
                    return Err(Refusal::new(Rule::WalletReserved, because));
                }
                Ok(vec![AccountNonceUsed { transfer, spent }.into()])
            }
        }
    }

    /// `None` where the event does not fit: the log is damaged.
    pub(super) fn evolve(&mut self, event: &WalletEvent) -> Option<()> {
        match self {
            Self::Coins(coins) => coins.evolve(event),
            Self::Balance(balance) => balance.evolve(event),
        }
    }
}

impl Coins {
    fn of(&self, transfer: TransferId) -> Result<&BTreeMap<OutPoint, Coin>, Refusal> {
        self.reserved.get(&transfer).ok_or_else(|| {
            Refusal::new(Rule::WalletReserved, "no coins are set aside for this transfer")
        })
    }

    fn known(&self, outpoint: &OutPoint) -> bool {
        let reserved = || self.reserved.values().any(|coins| coins.contains_key(outpoint));
        !self.gone.contains(outpoint) && (self.free.contains_key(outpoint) || reserved())
    }

    pub(super) fn add(&self, coin: Coin) -> Result<Vec<WalletEvent>, Refusal> {
        if self.known(&coin.outpoint) {
            let because = format!("{} is known already", coin.outpoint);
            return Err(Refusal::new(Rule::WalletState, because));
        }
        Ok(vec![CoinAdded { coin }.into()])
    }

    /// Also for a coin that is set aside or spent: its transaction can't confirm without it.
    #[expect(clippy::unnecessary_wraps, reason = "all commands on funds answer alike")]
    pub(super) fn remove(&self, outpoint: OutPoint) -> Result<Vec<WalletEvent>, Refusal> {
        if self.gone.contains(&outpoint) {
            Ok(Vec::new())
        } else {
            Ok(vec![CoinRemoved { outpoint }.into()])
        }
    }

    pub(super) fn reserve(&self, reserved: CoinsReserved) -> Result<Vec<WalletEvent>, Refusal> {
        let wanted: BTreeSet<_> = reserved.outpoints.iter().collect();
        if let Some(mine) = self.reserved.get(&reserved.transfer) {
            if mine.keys().collect::<BTreeSet<_>>() == wanted {
                return Ok(Vec::new());
            }
            let because = "other coins are set aside for this transfer: a further attempt must \
                           spend the same";
            return Err(Refusal::new(Rule::WalletReserved, because));
        }
        if wanted.is_empty() || wanted.len() != reserved.outpoints.len() {
            return Err(Refusal::new(Rule::WalletReserved, "name each coin once, at least one"));
        }
        if let Some(taken) = wanted.iter().find(|outpoint| !self.free.contains_key(**outpoint)) {
            return Err(Refusal::new(Rule::WalletReserved, format!("{taken} is not free")));
        }
        Ok(vec![reserved.into()])
    }

    fn evolve(&mut self, event: &WalletEvent) -> Option<()> {
        use WalletEvent as E;
        match event {
            E::CoinAdded(CoinAdded { coin }) => {
                if self.gone.remove(&coin.outpoint) {
                    return Some(());
                }
                let before = self.free.insert(coin.outpoint.clone(), coin.clone());
                before.is_none().then_some(())
            }
            E::CoinRemoved(CoinRemoved { outpoint }) => {
                let was_free = self.free.remove(outpoint).is_some();
                (was_free || self.gone.insert(outpoint.clone())).then_some(())
            }
            E::CoinsReserved(CoinsReserved { transfer, outpoints }) => {
                let mut mine = BTreeMap::new();
                for outpoint in outpoints {
                    mine.insert(outpoint.clone(), self.free.remove(outpoint)?);
                }
                self.reserved.insert(*transfer, mine).is_none().then_some(())
            }
            E::CoinsReleased(CoinsReleased { transfer }) => {
                for (outpoint, coin) in self.reserved.remove(transfer)? {
                    if !self.gone.remove(&outpoint) {
                        self.free.insert(outpoint, coin);
                    }
                }
                Some(())
            }
            E::CoinsSpent(CoinsSpent { transfer }) => self.reserved.remove(transfer).map(drop),
            E::Created(_)
            | E::RotationApproved(_)
            | E::Swept(_)
            | E::AddressDerived(_)
            | E::FundsReceived(_)
            | E::FundsReversed(_)
            | E::AccountNonceReserved(_)
            | E::AccountNonceRaised(_)
            | E::NonceGapFound(_)
            | E::AccountNonceReleased(_)
            | E::AccountNonceUsed(_) => None,
        }
    }
}
