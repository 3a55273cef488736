//! Lists and single things out of the read model. Never older than the log was when they were
//! asked for.

use std::collections::BTreeMap;

use serde::Deserialize;
use strongroom_domain::{AccountId, ClientId, KeyId, WalletId};
use strongroom_projections::{
    DepositState, KeyRow, PAGE_LIMIT, Page, ProposalFilter, ProposalState, TransferFilter,
    TransferState,
};
use utoipa::IntoParams;

use super::{Application, Caller, Failure, views};

/// Which part of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// At most so many: 1 to 500, default 100.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub after: Option<u64>,
    /// From the newest to the oldest.
    pub newest_first: Option<bool>,
}

impl Paging {
    pub(super) fn limit(self) -> Result<u32, Failure> {
        let limit = self.limit.unwrap_or(100);
        if (1..=PAGE_LIMIT).contains(&limit) {
            return Ok(limit);
        }
        Err(Failure::Malformed(format!("limit is 1 to {PAGE_LIMIT}, not {limit}")))
    }

    pub(super) fn page(self) -> Result<Page, Failure> {
        let newest_first = self.newest_first.unwrap_or(false);
        Ok(Page { limit: self.limit()?, after: self.after, newest_first })
    }
}

macro_rules! filters {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize, IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<String>,)*
            /// At most so many: 1 to 500, default 100.
            pub limit: Option<u32>,
            /// `next` of the page before.
            pub after: Option<u64>,
            /// From the newest to the oldest.
            pub newest_first: Option<bool>,
        }

        impl $name {
            fn page(&self) -> Result<Page, Failure> {
                let (limit, after, newest_first) = (self.limit, self.after, self.newest_first);
                Paging { limit, after, newest_first }.page()
            }
        }
    )*};
}

filters! {
    /// Which accounts.
    AccountFilter {
        /// Of which client.
        client,
    }
    /// Which payments.
    TransactionFilter {
        /// How far they are.
        state,
        /// From which wallet.
        wallet,
        /// Of which account.
        account,
    }
    /// Which proposals.
    ApprovalFilter {
        /// How far they are. Default `open`: those that wait for answers.
        state,
    }
    /// Which deposits.
    DepositFilter {
        /// How far they are.
        state,
        /// Of which account.
        account,
    }
}

/// A filter's text as what it should be.
fn parse<T>(text: Option<&String>) -> Result<Option<T>, Failure>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|error: T::Err| Failure::Malformed(error.to_string()))
}

/// A list's page as a view of it; `next` where there may be more.
macro_rules! page {
    ($view:ident, $rows:expr, $limit:expr) => {
        page!($view, $rows, $limit, |_row| true)
    };
    // Some rows are not shown to everybody: the page is shorter, and `next` as for everybody.
    ($view:ident, $rows:expr, $limit:expr, $shown:expr) => {{
        let rows = $rows;
        let full = u32::try_from(rows.len()).is_ok_and(|found| found == $limit);
        let next = rows.last().filter(|_| full).map(|row| row.position);
        let shown = rows.into_iter().filter($shown);
        views::$view { items: shown.map(Into::into).collect(), next }
    }};
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method's path is not general enough in the view's lifetime"
)]
impl Application {
    /// Accounts.
    pub async fn accounts(
        &self,
        caller: &Caller,
        filter: AccountFilter,
    ) -> Result<views::AccountPage, Failure> {
        let page = filter.page()?;
        let client = parse::<ClientId>(filter.client.as_ref())?;
        let rows = self.read(move |view| view.accounts(client, page)).await?;
        Ok(page!(AccountPage, rows, page.limit, |row| self.shows(caller, row.account)))
    }

    /// One account, its addresses and holds.
    pub async fn account(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<views::AccountDetail, Failure> {
        self.demand_account(caller, "read-account", id)?;
        let found = self.read(move |view| {
            let Some(account) = view.account(id)? else { return Ok(None) };
            let holds = view.holds(id, Page::oldest(PAGE_LIMIT))?;
            let addresses = view.addresses_of_account(id, Page::oldest(PAGE_LIMIT))?;
            Ok(Some((account, holds, addresses)))
        });
        let (account, holds, addresses) = found
            .await?
            .ok_or_else(|| Failure::NotFound { what: "account", id: id.to_string() })?;
        Ok(views::AccountDetail {
            account: account.into(),
            holds: holds.into_iter().map(Into::into).collect(),
            addresses: addresses.into_iter().map(Into::into).collect(),
        })
    }

    /// Keys.
    pub async fn keys(&self, paging: Paging) -> Result<views::KeyPage, Failure> {
        let page = paging.page()?;
        let rows = self.read(move |view| view.keys(page)).await?;
        let full = u32::try_from(rows.len()).is_ok_and(|found| found == page.limit);
        let next = rows.last().filter(|_| full).map(|row| row.position);
        let items = rows.into_iter().map(|row| self.shown_key(row)).collect();
        Ok(views::KeyPage { items, next })
    }

    /// One key.
    pub async fn key(&self, id: KeyId) -> Result<views::Key, Failure> {
        let row = self.read(move |view| view.key(id)).await?;
        let row = row.ok_or_else(|| Failure::NotFound { what: "key", id: id.to_string() })?;
        Ok(self.shown_key(row))
    }

    fn shown_key(&self, row: KeyRow) -> views::Key {
        let sagas = &self.0.sagas;
        let waiting = sagas.ceremonies.waiting(row.key);
        let waiting = waiting.or_else(|| sagas.proofs.waiting(row.key));
        let backups = self.backups(row.epoch, row.backups.clone());
        let not_backed_up = super::backups::missing(&row);
        views::Key { waiting, backups, not_backed_up, ..views::Key::from(row) }
    }

    /// Wallets.
    pub async fn wallets(&self, paging: Paging) -> Result<views::WalletPage, Failure> {
        let page = paging.page()?;
        let rows = self.read(move |view| view.wallets(page)).await?;
        Ok(page!(WalletPage, rows, page.limit))
    }

    /// One wallet and its first addresses.
    pub async fn wallet(&self, id: WalletId) -> Result<views::WalletDetail, Failure> {
        let found = self.read(move |view| {
            let Some(wallet) = view.wallet(id)? else { return Ok(None) };
            Ok(Some((wallet, view.addresses(id, Page::oldest(PAGE_LIMIT))?)))
        });
        let (wallet, addresses) =
            found.await?.ok_or_else(|| Failure::NotFound { what: "wallet", id: id.to_string() })?;
        let waiting = self.0.sagas.rotations.waiting(id);
        Ok(views::WalletDetail {
            wallet: views::Wallet { waiting, ..views::Wallet::from(wallet) },
            addresses: addresses.into_iter().map(Into::into).collect(),
        })
    }

    /// Payments.
    pub async fn transactions(
        &self,
        caller: &Caller,
        filter: TransactionFilter,
    ) -> Result<views::TransactionPage, Failure> {
        let page = filter.page()?;
        let filter = TransferFilter {
            state: parse::<TransferState>(filter.state.as_ref())?,
            wallet: parse::<WalletId>(filter.wallet.as_ref())?,
            account: parse::<AccountId>(filter.account.as_ref())?,
        };
        let rows = self.read(move |view| view.transfers(filter, page)).await?;
        let waiting = self.0.sagas.payments.all_waiting();
        let waiting: BTreeMap<_, _> =
            waiting.into_iter().map(|(id, because)| (id.to_string(), because)).collect();
        let mut found =
            page!(TransactionPage, rows, page.limit, |row| self.shows(caller, row.intent.account));
        for payment in &mut found.items {
            payment.waiting = waiting.get(&payment.transaction).cloned();
        }
        Ok(found)
    }

    /// Proposals.
    pub async fn approvals(&self, filter: ApprovalFilter) -> Result<views::ProposalPage, Failure> {
        let page = filter.page()?;
        let state = parse::<ProposalState>(filter.state.as_ref())?.unwrap_or(ProposalState::Open);
        let filter = ProposalFilter { state: Some(state), subject: None };
        let rows = self.read(move |view| view.proposals(filter, page)).await?;
        let full = u32::try_from(rows.len()).is_ok_and(|found| found == page.limit);
        let next = rows.last().filter(|_| full).map(|row| row.opened.position);
        Ok(views::ProposalPage { items: rows.into_iter().map(Into::into).collect(), next })
    }

    /// Deposits.
    pub async fn deposits(
        &self,
        caller: &Caller,
        filter: DepositFilter,
    ) -> Result<views::DepositPage, Failure> {
        let page = filter.page()?;
        let filter = strongroom_projections::DepositFilter {
            state: parse::<DepositState>(filter.state.as_ref())?,
            account: parse::<AccountId>(filter.account.as_ref())?,
        };
        let rows = self.read(move |view| view.deposits(filter, page)).await?;
        Ok(page!(DepositPage, rows, page.limit, |row| self.shows(caller, row.account)))
    }

    /// Signers.
    pub async fn signers(&self, paging: Paging) -> Result<views::SignerPage, Failure> {
        let page = paging.page()?;
        let rows = self.read(move |view| view.signers(page)).await?;
        let mut found = page!(SignerPage, rows, page.limit);
        // Of this moment, and in no log.
        for ((signer, key), because) in self.0.sagas.signers.sick() {
            let signer = signer.to_string();
            if let Some(one) = found.items.iter_mut().find(|one| one.signer == signer) {
                one.unusable.push(views::UnusableKey { key: key.to_string(), because });
            }
        }
        Ok(found)
    }

    /// Debits and credits by asset.
    pub async fn balances(&self) -> Result<Vec<views::TrialBalance>, Failure> {
        let rows = self.read(|view| view.trial_balance()).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The charter as it was founded.
    pub async fn charter(&self) -> Result<views::Charter, Failure> {
        let row = self.read(|view| view.charter()).await?;
        let missing = || Failure::NotFound { what: "charter", id: "of this log".to_owned() };
        row.map(Into::into).ok_or_else(missing)
    }

    /// The policy in force.
    pub async fn policy(&self) -> Result<views::PolicyInForce, Failure> {
        let row = self.read(|view| view.charter()).await?;
        let missing = || Failure::NotFound { what: "policy", id: "of this log".to_owned() };
        row.map(Into::into).ok_or_else(missing)
    }
}
