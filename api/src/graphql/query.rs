//! Reads. Every list has the paging of REST's.

use async_graphql::{Context, Object, Result};

use super::{
    error::{error, parse},
    guard::Allowed,
};
use crate::application::{
    AccountFilter, Application, ApprovalFilter, Caller, DepositFilter, Paging, TransactionFilter,
    views,
};

/// The reads.
pub struct Query;

fn application<'a>(context: &Context<'a>) -> Result<&'a Application> {
    context.data::<Application>()
}

/// How many rows a list may have, for the complexity of what is asked of each.
fn rows(limit: Option<u32>) -> usize {
    usize::try_from(limit.unwrap_or(100)).unwrap_or(usize::MAX)
}

#[Object(guard = "Allowed(\"Query\")")]
#[expect(clippy::unused_async, reason = "resolvers are async, whatever they do")]
impl Query {
    /// Who the token says is asking.
    async fn me(&self, context: &Context<'_>) -> Result<views::Me> {
        Ok(context.data::<Caller>()?.view())
    }

    /// Accounts with their balances.
    #[graphql(complexity = "rows(limit).saturating_mul(child_complexity)")]
    async fn accounts(
        &self,
        context: &Context<'_>,
        client: Option<String>,
        limit: Option<u32>,
        after: Option<u64>,
        newest_first: Option<bool>,
    ) -> Result<views::AccountPage> {
        let filter = AccountFilter { client, limit, after, newest_first };
        let caller = context.data::<Caller>()?;
        application(context)?.accounts(caller, filter).await.map_err(|failure| error(&failure))
    }

    /// An account with its balance, holds and addresses.
    async fn account(&self, context: &Context<'_>, id: String) -> Result<views::AccountDetail> {
        let caller = context.data::<Caller>()?;
        application(context)?.account(caller, parse(&id)?).await.map_err(|failure| error(&failure))
    }

    /// Keys.
    #[graphql(complexity = "rows(limit).saturating_mul(child_complexity)")]
    async fn keys(
        &self,
        context: &Context<'_>,
        limit: Option<u32>,
        after: Option<u64>,
        newest_first: Option<bool>,
    ) -> Result<views::KeyPage> {
        let paging = Paging { limit, after, newest_first };
        application(context)?.keys(paging).await.map_err(|failure| error(&failure))
    }

    /// A key.
    async fn key(&self, context: &Context<'_>, id: String) -> Result<views::Key> {
        application(context)?.key(parse(&id)?).await.map_err(|failure| error(&failure))
    }

    /// Wallets.
    #[graphql(complexity = "rows(limit).saturating_mul(child_complexity)")]
    async fn wallets(
        &self,
        context: &Context<'_>,
        limit: Option<u32>,
        after: Option<u64>,
        newest_first: Option<bool>,
    ) -> Result<views::WalletPage> {
        let paging = Paging { limit, after, newest_first };
        application(context)?.wallets(paging).await.map_err(|failure| error(&failure))
    }

    /// A wallet with its addresses.
    async fn wallet(&self, context: &Context<'_>, id: String) -> Result<views::WalletDetail> {
        application(context)?.wallet(parse(&id)?).await.map_err(|failure| error(&failure))
    }

    /// Payments.
    #[graphql(complexity = "rows(limit).saturating_mul(child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "each is an argument of the query")]
    async fn transactions(
        &self,
        context: &Context<'_>,
        state: Option<String>,
        wallet: Option<String>,
        account: Option<String>,
        limit: Option<u32>,
        after: Option<u64>,
        newest_first: Option<bool>,
    ) -> Result<views::TransactionPage> {
        let filter = TransactionFilter { state, wallet, account, limit, after, newest_first };
        let caller = context.data::<Caller>()?;
        application(context)?.transactions(caller, filter).await.map_err(|failure| error(&failure))
    }

    /// A payment and everything that was said about it.
    async fn transaction(
        &self,
        context: &Context<'_>,
        id: String,
    ) -> Result<views::TransactionStory> {
        let caller = context.data::<Caller>()?;
        application(context)?
            .transaction(caller, parse(&id)?)
            .await
            .map_err(|failure| error(&failure))
    }

    /// Proposals: those that wait for answers, unless another state is asked for.
    #[graphql(complexity = "rows(limit).saturating_mul(child_complexity)")]
    async fn approvals(
        &self,
        context: &Context<'_>,
        state: Option<String>,
        limit: Option<u32>,
        after: Option<u64>,
        newest_first: Option<bool>,
    ) -> Result<views::ProposalPage> {
        let filter = ApprovalFilter { state, limit, after, newest_first };
        application(context)?.approvals(filter).await.map_err(|failure| error(&failure))
    }

    /// A proposal, and the statement that an approver would sign (default: the caller, approving).
    async fn approval(
        &self,
        context: &Context<'_>,
        proposal: String,
        approver: Option<String>,
        answer: Option<String>,
    ) -> Result<views::Approval> {
        let caller = context.data::<Caller>()?;
        let approver = approver.map(|id| parse(&id)).transpose()?;
        let answer = answer.map(|word| super::mutation::answer(&word)).transpose()?;
        let approval =
            application(context)?.approval(caller, parse(&proposal)?, approver, answer).await;
        approval.map_err(|failure| error(&failure))
    }

    /// The policy in force.
    async fn policy(&self, context: &Context<'_>) -> Result<views::PolicyInForce> {
        application(context)?.policy().await.map_err(|failure| error(&failure))
    }

    /// The charter, as it was founded.
    async fn charter(&self, context: &Context<'_>) -> Result<views::Charter> {
        application(context)?.charter().await.map_err(|failure| error(&failure))
    }

    /// Entries of the log, byte by byte as they are stored.
    #[graphql(complexity = "rows(limit).saturating_mul(child_complexity)")]
    async fn events(
        &self,
        context: &Context<'_>,
        limit: Option<u32>,
        after: Option<u64>,
    ) -> Result<views::EventPage> {
        let paging = Paging { limit, after, newest_first: None };
        application(context)?.events(paging, None).await.map_err(|failure| error(&failure))
    }

    /// The log's last durable entry.
    async fn log_head(&self, context: &Context<'_>) -> Result<views::LogHead> {
        Ok(application(context)?.log_head())
    }

    /// The newest checkpoint that counts.
    async fn log_checkpoint(&self, context: &Context<'_>) -> Result<views::Checkpoint> {
        application(context)?.checkpoint_view().map_err(|failure| error(&failure))
    }

    /// The receipt of an entry, as text (C2SP tlog-proof).
    async fn receipt(&self, context: &Context<'_>, position: u64) -> Result<String> {
        application(context)?.receipt(position).await.map_err(|failure| error(&failure))
    }

    /// Signers.
    #[graphql(complexity = "rows(limit).saturating_mul(child_complexity)")]
    async fn signers(
        &self,
        context: &Context<'_>,
        limit: Option<u32>,
        after: Option<u64>,
    ) -> Result<views::SignerPage> {
        let paging = Paging { limit, after, newest_first: None };
        application(context)?.signers(paging).await.map_err(|failure| error(&failure))
    }

    /// Deposits.
    #[graphql(complexity = "rows(limit).saturating_mul(child_complexity)")]
    async fn deposits(
        &self,
        context: &Context<'_>,
        state: Option<String>,
        account: Option<String>,
        limit: Option<u32>,
        after: Option<u64>,
        newest_first: Option<bool>,
    ) -> Result<views::DepositPage> {
        let filter = DepositFilter { state, account, limit, after, newest_first };
        let caller = context.data::<Caller>()?;
        application(context)?.deposits(caller, filter).await.map_err(|failure| error(&failure))
    }

    /// The trial balance: debits and credits by asset.
    async fn balances(&self, context: &Context<'_>) -> Result<Vec<views::TrialBalance>> {
        application(context)?.balances().await.map_err(|failure| error(&failure))
    }
}
