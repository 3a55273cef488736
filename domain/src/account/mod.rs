//! A client's claim in one asset: double entry with holds. Its available balance never becomes
//! negative; what a reorganisation takes beyond it is a shortfall of its own.

mod event;

pub use event::{
    AccountEvent, HoldPlaced, HoldPosted, HoldRaised, HoldVoided, JournalEntry, LedgerAccount,
    Opened, Posted, Purpose,
};

use crate::{
    AccountId, Aggregate, Amount, Asset, ClientId, Corrupt, DepositId, Refusal, Rule, TransferId,
    WalletId,
};
use serde::Serialize;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// An account's life: none, then open.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Account(Option<Claim>);

/// An open account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Claim {
    /// Whose.
    pub client: ClientId,
    /// In what.
    pub asset: Asset,
    /// Credits less debits: what we owe the client, holds included.
    pub total: Amount,
    /// What the client owes us after a reorganisation.
    pub shortfall: Amount,
    /// Set aside, by transfer.
    pub holds: BTreeMap<TransferId, Amount>,
    /// The sum of the holds: an account can have thousands.
    pending: Amount,
}

/// A request to change an account. `account` names it, because journal entries do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Begin the claim.
    Open {
        /// Whose.
        client: ClientId,
        /// In what.
        asset: Asset,
    },
    /// Credit a final deposit.
    Credit {
        /// This account.
        account: AccountId,
        /// What arrived.
        deposit: DepositId,
        /// Where it is held.
        wallet: WalletId,
        /// How much.
        amount: Amount,
    },
    /// Take back a deposit that the chain took back.
    Reverse {
        /// This account.
        account: AccountId,
        /// What is gone.
        deposit: DepositId,
        /// Where it was held.
        wallet: WalletId,
        /// How much.
        amount: Amount,
    },
    /// Set aside amount and fee cap.
    PlaceHold {
        /// For which transfer.
        transfer: TransferId,
        /// In what the transfer is.
        asset: Asset,
        /// How much.
        amount: Amount,
    },
    /// Set more aside: the transfer's fee cap was raised.
    RaiseHold {
        /// For which transfer.
        transfer: TransferId,
        /// How much from now on.
        amount: Amount,
    },
    /// The transfer is final.
    PostHold {
        /// This account.
        account: AccountId,
        /// Which transfer.
        transfer: TransferId,
        /// Where it was paid from.
        wallet: WalletId,
        /// What reached the destination; zero for a transaction that failed and still cost a fee.
        paid: Amount,
        /// What the network took.
        fee: Amount,
    },
    /// The transfer came to nothing.
    VoidHold {
        /// Which transfer.
        transfer: TransferId,
    },
}

fn overflow() -> Refusal {
    Refusal::new(Rule::AmountInvalid, "the sum is more than the ledger can hold (2^128 base units)")
}

impl Account {
    /// The claim, once it is open.
    pub fn claim(&self) -> Result<&Claim, Refusal> {
        self.0.as_ref().ok_or_else(|| Refusal::new(Rule::AccountState, "there is no such account"))
    }
}

impl Claim {
    /// All that is set aside.
    pub const fn pending(&self) -> Amount {
        self.pending
    }

    /// What can still be set aside.
    pub fn available(&self) -> Amount {
        self.total.checked_sub(self.pending).unwrap_or(Amount::ZERO)
    }

    /// `None` where the transfer has a hold already: the log is damaged.
    fn set_aside(&mut self, hold: &HoldPlaced) -> Option<()> {
        self.pending = self.pending.checked_add(hold.amount)?;
        self.holds.insert(hold.transfer, hold.amount).is_none().then_some(())
    }

    /// `None` where the transfer has no hold: the log is damaged.
    fn let_go(&mut self, transfer: TransferId) -> Option<()> {
        self.pending = self.pending.checked_sub(self.holds.remove(&transfer)?)?;
        Some(())
    }

    /// A deposit covers the client's shortfall before it is the client's.
    fn credit(
        &self,
        account: AccountId,
        wallet: WalletId,
        amount: Amount,
    ) -> Result<Vec<JournalEntry>, Refusal> {
        let covered = amount.min(self.shortfall);
        let rest = amount.checked_sub(covered).ok_or_else(overflow)?;
        self.total.checked_add(rest).ok_or_else(overflow)?;
        let debit = LedgerAccount::Custody(wallet);
        let shortfall = LedgerAccount::Shortfall(account);
        let client = LedgerAccount::Client(account);
        Ok(entries([
            (debit, shortfall, covered, Purpose::ShortfallCovered),
            (debit, client, rest, Purpose::Deposit),
        ]))
    }

    /// A reorganisation can't be refused: what is not available any more becomes a shortfall.
    fn reverse(
        &self,
        account: AccountId,
        wallet: WalletId,
        amount: Amount,
    ) -> Result<Vec<JournalEntry>, Refusal> {
        let from_client = amount.min(self.available());
        let rest = amount.checked_sub(from_client).ok_or_else(overflow)?;
        self.shortfall.checked_add(rest).ok_or_else(overflow)?;
        let credit = LedgerAccount::Custody(wallet);
        let client = LedgerAccount::Client(account);
        let shortfall = LedgerAccount::Shortfall(account);
        Ok(entries([
            (client, credit, from_client, Purpose::Reversal),
            (shortfall, credit, rest, Purpose::Reversal),
        ]))
    }

    fn place(
        &self,
        transfer: TransferId,
        asset: Asset,
        amount: Amount,
    ) -> Result<Vec<AccountEvent>, Refusal> {
        if asset != self.asset {
            let because = format!("the account is in {}, the transfer in {asset}", self.asset);
            return Err(Refusal::new(Rule::AccountState, because));
        }
        if self.holds.contains_key(&transfer) {
            return Err(Refusal::new(Rule::HoldState, "this transfer has a hold already"));
        }
        if !self.shortfall.is_zero() {
            let because = format!(
                "a reorganisation took back {} that had been spent: it must be covered first",
                self.shortfall
            );
            return Err(Refusal::new(Rule::AccountShortfall, because));
        }
        if amount > self.available() {
            let because = format!(
                "amount and fee cap come to {amount}, available are {} of {}",
                self.available(),
                self.asset
            );
            return Err(Refusal::new(Rule::AccountOverdraw, because));
        }
        Ok(vec![HoldPlaced { transfer, amount }.into()])
    }

    fn raise(&self, transfer: TransferId, amount: Amount) -> Result<Vec<AccountEvent>, Refusal> {
        let hold = self.hold(transfer)?;
        let Some(more) = amount.checked_sub(hold).filter(|more| !more.is_zero()) else {
            let because = format!("{hold} is set aside already, not less than {amount}");
            return Err(Refusal::new(Rule::HoldState, because));
        };
        if more > self.available() {
            let because = format!(
                "{more} more would be set aside, available are {} of {}",
                self.available(),
                self.asset
            );
            return Err(Refusal::new(Rule::AccountOverdraw, because));
        }
        Ok(vec![HoldRaised { transfer, amount }.into()])
    }

    fn post(
        &self,
        account: AccountId,
        transfer: TransferId,
        wallet: WalletId,
        (paid, fee): (Amount, Amount),
    ) -> Result<Vec<AccountEvent>, Refusal> {
        let hold = self.hold(transfer)?;
        let taken = paid.checked_add(fee).ok_or_else(overflow)?;
        if taken > hold {
            let because = format!("the transfer took {taken}, its hold is {hold}");
            return Err(Refusal::new(Rule::HoldState, because));
        }
        let (client, custody) = (LedgerAccount::Client(account), LedgerAccount::Custody(wallet));
        let entries = entries([
            (client, custody, paid, Purpose::Payment),
            (client, custody, fee, Purpose::NetworkFee),
        ]);
        Ok(vec![HoldPosted { transfer, entries }.into()])
    }

    fn hold(&self, transfer: TransferId) -> Result<Amount, Refusal> {
        self.holds
            .get(&transfer)
            .copied()
            .ok_or_else(|| Refusal::new(Rule::HoldState, "this transfer has no hold"))
    }

    /// `None` where the entries don't fit this claim: the log is damaged.
    fn post_entries(&mut self, entries: &[JournalEntry]) -> Option<()> {
        for entry in entries {
            match entry.debit {
                LedgerAccount::Client(_) => self.total = self.total.checked_sub(entry.amount)?,
                LedgerAccount::Shortfall(_) => {
                    self.shortfall = self.shortfall.checked_add(entry.amount)?;
                }
                LedgerAccount::Custody(_) => {}
            }
            match entry.credit {
                LedgerAccount::Client(_) => self.total = self.total.checked_add(entry.amount)?,
                LedgerAccount::Shortfall(_) => {
                    self.shortfall = self.shortfall.checked_sub(entry.amount)?;
                }
                LedgerAccount::Custody(_) => {}
            }
        }
        Some(())
    }
}

/// Entries of nothing are left out.
fn entries<const N: usize>(
    all: [(LedgerAccount, LedgerAccount, Amount, Purpose); N],
) -> Vec<JournalEntry> {
    all.into_iter()
        .filter(|(_, _, amount, _)| !amount.is_zero())
        .map(|(debit, credit, amount, purpose)| JournalEntry { debit, credit, amount, purpose })
        .collect()
}

impl Aggregate for Account {
    const KIND: &'static str = "account";
    type Command = Command;
    type Event = AccountEvent;

    fn decide(&self, command: Command) -> Result<Vec<AccountEvent>, Refusal> {
        match command {
            Command::Open { client, asset } if self.0.is_none() => {
                Ok(vec![Opened { client, asset }.into()])
            }
            Command::Open { .. } => {
                Err(Refusal::new(Rule::IdTaken, "there is an account with this id already"))
            }
            Command::Credit { account, deposit, wallet, amount } => {
                let entries = self.claim()?.credit(account, wallet, amount)?;
                Ok(vec![Posted { deposit, entries }.into()])
            }
            Command::Reverse { account, deposit, wallet, amount } => {
                let entries = self.claim()?.reverse(account, wallet, amount)?;
                Ok(vec![Posted { deposit, entries }.into()])
            }
            Command::PlaceHold { transfer, asset, amount } => {
                self.claim()?.place(transfer, asset, amount)
            }
            Command::RaiseHold { transfer, amount } => self.claim()?.raise(transfer, amount),
            Command::PostHold { account, transfer, wallet, paid, fee } => {
                self.claim()?.post(account, transfer, wallet, (paid, fee))
            }
            Command::VoidHold { transfer } => {
                self.claim()?.hold(transfer)?;
                Ok(vec![HoldVoided { transfer }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &AccountEvent) -> Result<(), Corrupt> {
        use AccountEvent as E;
        let state = if self.0.is_some() { "open" } else { "unknown" };
        let corrupt = || Corrupt { aggregate: Self::KIND, state, event: event.kind().0 };
        match (&mut self.0, event) {
            (none @ None, E::Opened(Opened { client, asset })) => {
                *none = Some(Claim {
                    client: *client,
                    asset: *asset,
                    total: Amount::ZERO,
                    shortfall: Amount::ZERO,
                    holds: BTreeMap::new(),
                    pending: Amount::ZERO,
                });
            }
            (Some(claim), E::Posted(posted)) => {
                claim.post_entries(&posted.entries).ok_or_else(corrupt)?;
            }
            (Some(claim), E::HoldPlaced(hold)) => claim.set_aside(hold).ok_or_else(corrupt)?,
            (Some(claim), E::HoldRaised(HoldRaised { transfer, amount })) => {
                claim.let_go(*transfer).ok_or_else(corrupt)?;
                let raised = HoldPlaced { transfer: *transfer, amount: *amount };
                claim.set_aside(&raised).ok_or_else(corrupt)?;
            }
            (Some(claim), E::HoldPosted(posted)) => {
                claim.let_go(posted.transfer).ok_or_else(corrupt)?;
                claim.post_entries(&posted.entries).ok_or_else(corrupt)?;
            }
            (Some(claim), E::HoldVoided(HoldVoided { transfer })) => {
                claim.let_go(*transfer).ok_or_else(corrupt)?;
            }
            _ => return Err(corrupt()),
        }
        Ok(())
    }
}
