//! Double entry, kept again by somebody else: from the journal entries alone. Never takes a
//! balance from anywhere else.

use crate::finding::{Fault, Finding};
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_domain::{
    Amount, Asset, Event, Recorded, State, Stream,
    account::{AccountEvent, JournalEntry, LedgerAccount},
    wallet::{Swept, WalletEvent},
};

/// Both sides of an account or of a whole asset, in base units.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Totals {
    /// All debits.
    pub debits: Amount,
    /// All credits.
    pub credits: Amount,
}

/// Every account of the ledger.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Books {
    accounts: BTreeMap<(Asset, LedgerAccount), Totals>,
    assets: BTreeMap<Asset, Totals>,
}

impl Books {
    /// Every account with its sides.
    pub fn accounts(&self) -> impl Iterator<Item = (Asset, LedgerAccount, Totals)> {
        self.accounts.iter().map(|((asset, account), totals)| (*asset, *account, *totals))
    }

    /// Both sides of every asset.
    pub const fn assets(&self) -> &BTreeMap<Asset, Totals> {
        &self.assets
    }

    /// Keeps an entry's journal entries, and holds the result against `state`, which has recorded
    /// it too.
    pub fn keep(&mut self, state: &State, recorded: &Recorded) -> Result<(), Finding> {
        if let Event::Wallet(WalletEvent::Swept(swept)) = &recorded.event {
            return self.swept(state, recorded, swept);
        }
        let Stream::Account(id) = recorded.stream else { return Ok(()) };
        let entries = match &recorded.event {
            Event::Account(AccountEvent::Posted(posted)) => &posted.entries,
            Event::Account(AccountEvent::HoldPosted(posted)) => &posted.entries,
            Event::Account(
                AccountEvent::Opened(_)
                | AccountEvent::HoldPlaced(_)
                | AccountEvent::HoldRaised(_)
                | AccountEvent::HoldVoided(_),
            )
            | Event::Charter(_)
            | Event::Proposal(_)
            | Event::Wallet(_)
            | Event::Transfer(_)
            | Event::Deposit(_)
            | Event::Key(_)
            | Event::Signer(_)
            | Event::Person(_)
            | Event::Freeze(_)
            | Event::Price(_)
            | Event::Screening(_)
            | Event::Reconciliation(_) => return Ok(()),
        };
        let unbalanced =
            |message: String| Finding::at(Fault::Unbalanced, recorded.head.position, message);
        let claim = state.accounts.get(&id).and_then(|account| account.claim().ok());
        let Some(claim) = claim else {
            return Err(unbalanced(format!("account {id} moves money and does not exist")));
        };
        for entry in entries {
            self.post(state, claim.asset, entry).map_err(unbalanced)?;
        }
        let all = self.assets.get(&claim.asset).copied().unwrap_or_default();
        if all.debits != all.credits {
            return Err(unbalanced(format!(
                "debits of {} are {}, credits {}",
                claim.asset, all.debits, all.credits
            )));
        }
        let of = |account| self.accounts.get(&(claim.asset, account)).copied().unwrap_or_default();
        let client = of(LedgerAccount::Client(id));
        let shortfall = of(LedgerAccount::Shortfall(id));
        let (owed, owing) = (
            client.credits.checked_sub(client.debits),
            shortfall.debits.checked_sub(shortfall.credits),
        );
        if owed != Some(claim.total) || owing != Some(claim.shortfall) {
            return Err(unbalanced(format!(
                "account {id} has {} and a shortfall of {}, its journal entries come to {owed:?} \
                 and {owing:?}",
                claim.total, claim.shortfall
            )));
        }
        Ok(())
    }

    /// What one wallet held, another holds: no claim changes.
    fn swept(&mut self, state: &State, recorded: &Recorded, swept: &Swept) -> Result<(), Finding> {
        let unbalanced =
            |message: String| Finding::at(Fault::Unbalanced, recorded.head.position, message);
        for entry in &swept.entries {
            let (LedgerAccount::Custody(_), LedgerAccount::Custody(_)) =
                (entry.debit, entry.credit)
            else {
                return Err(unbalanced(format!("a sweep changes a claim: {entry:?}")));
            };
            self.post(state, swept.asset, entry).map_err(unbalanced)?;
        }
        Ok(())
    }

    fn post(&mut self, state: &State, asset: Asset, entry: &JournalEntry) -> Result<(), String> {
        for account in [entry.debit, entry.credit] {
            let found = asset_of(state, account);
            if found != Some(asset) {
                return Err(format!("{account:?} is in {found:?}, expected {asset}"));
            }
        }
        let overflow = || format!("the sums of {asset} pass 2^128 base units");
        let all = self.assets.entry(asset).or_default();
        all.debits = all.debits.checked_add(entry.amount).ok_or_else(overflow)?;
        all.credits = all.credits.checked_add(entry.amount).ok_or_else(overflow)?;
        let debit = self.accounts.entry((asset, entry.debit)).or_default();
        debit.debits = debit.debits.checked_add(entry.amount).ok_or_else(overflow)?;
        let credit = self.accounts.entry((asset, entry.credit)).or_default();
        credit.credits = credit.credits.checked_add(entry.amount).ok_or_else(overflow)?;
        Ok(())
    }

    /// Adds every account up once more, from nothing.
    pub fn check(&self, position: u64) -> Result<(), Finding> {
        let mut again: BTreeMap<Asset, Totals> = BTreeMap::new();
        for (asset, _, totals) in self.accounts() {
            let sum = again.entry(asset).or_default();
            let both =
                sum.debits.checked_add(totals.debits).zip(sum.credits.checked_add(totals.credits));
            let Some((debits, credits)) = both else {
                let message = format!("the sums of {asset} pass 2^128 base units");
                return Err(Finding::at(Fault::Unbalanced, position, message));
            };
            *sum = Totals { debits, credits };
        }
        match again.iter().find(|(_, sum)| sum.debits != sum.credits) {
            Some((asset, sum)) => Err(Finding::at(
                Fault::Unbalanced,
                position,
                format!("debits of {asset} are {}, credits {}", sum.debits, sum.credits),
            )),
            None if again == self.assets => Ok(()),
            None => Err(Finding::at(
                Fault::Unbalanced,
                position,
                format!("accounts add up to {again:?}, entries to {:?}", self.assets),
            )),
        }
    }
}

fn asset_of(state: &State, account: LedgerAccount) -> Option<Asset> {
    match account {
        LedgerAccount::Client(id) | LedgerAccount::Shortfall(id) => {
            Some(state.accounts.get(&id)?.claim().ok()?.asset)
        }
        LedgerAccount::Custody(id) => {
            Some(state.wallets.get(&id)?.holding().ok()?.network.native_asset())
        }
    }
}
