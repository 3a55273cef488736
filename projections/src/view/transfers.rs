//! Transfers and their stories. Never shows an attempt without its transfer.

use super::{View, cells::Cells, entry};
use crate::{
    change::text,
    error::QueryError,
    page::Page,
    rows::{AttemptRow, PartialRow, RefusalRow, TransferRow, TransferStory},
    states::TransferState,
};
use strongroom_domain::{AccountId, Intent, Stream, TransferId, WalletId, deposit::BlockRef};

/// Which transfers. What is `None` does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TransferFilter {
    /// How far they are.
    pub state: Option<TransferState>,
    /// Which wallet pays.
    pub wallet: Option<WalletId>,
    /// Whose claim becomes smaller.
    pub account: Option<AccountId>,
}

impl View<'_> {
    /// Transfers.
    pub fn transfers(
        &self,
        filter: TransferFilter,
        page: Page,
    ) -> Result<Vec<TransferRow>, QueryError> {
        let TransferFilter { state, wallet, account } = filter;
        let filters = [
            state.map(|state| ("state", text(state))),
            wallet.map(|wallet| ("wallet", text(wallet))),
            account.map(|account| ("account", text(account))),
        ];
        let filters = filters.into_iter().flatten().collect();
        self.list(page.select("SELECT * FROM transfers", "position", filters), transfer)
    }

    /// One transfer.
    pub fn transfer(&self, id: TransferId) -> Result<Option<TransferRow>, QueryError> {
        self.one("SELECT * FROM transfers WHERE transfer = ?1", text(id), transfer)
    }

    /// One transfer and everything that was said about it.
    pub fn transfer_story(&self, id: TransferId) -> Result<Option<TransferStory>, QueryError> {
        let Some(transfer) = self.transfer(id)? else { return Ok(None) };
        let attempts = "SELECT * FROM attempts WHERE transfer = ?1 ORDER BY attempt";
        let refusals = "SELECT * FROM refusals WHERE transfer = ?1 ORDER BY position";
        let partials = "SELECT * FROM partials WHERE transfer = ?1 ORDER BY position";
        let entries = "SELECT * FROM entries WHERE stream IN (?1, ?2) ORDER BY position";
        let own = text(Stream::Transfer(id));
        let asked = transfer.proposal.map_or_else(|| own.clone(), |id| text(Stream::Proposal(id)));
        Ok(Some(TransferStory {
            proposal: match transfer.proposal {
                Some(id) => self.proposal(id)?,
                None => None,
            },
            attempts: self.list((attempts.to_owned(), vec![text(id)]), attempt)?,
            refusals: self.list((refusals.to_owned(), vec![text(id)]), refusal)?,
            partials: self.list((partials.to_owned(), vec![text(id)]), partial)?,
            entries: self.list((entries.to_owned(), vec![own, asked]), entry)?,
            transfer,
        }))
    }
}

fn transfer(cells: &Cells<'_>) -> Result<TransferRow, QueryError> {
    let id = cells.parse("transfer")?;
    let intent = Intent {
        transfer: id,
        account: cells.parse("account")?,
        wallet: cells.parse("wallet")?,
        asset: cells.parse("asset")?,
        amount: cells.parse("amount")?,
        destination: cells.parse("destination")?,
        fee_cap: cells.parse("fee_cap")?,
    };
    let block = cells.maybe_number("block_height")?.zip(cells.maybe_text("block_hash")?);
    Ok(TransferRow {
        transfer: id,
        position: cells.number("position")?,
        requested_at: cells.parse("requested_at")?,
        intent,
        maker: cells.parse("maker")?,
        proposal: cells.maybe_parse("proposal")?,
        decision: cells.json("decision")?,
        client: cells.maybe_parse("client")?,
        delay_s: cells.number("delay_s")?,
        approved_at: cells.maybe_parse("approved_at")?,
        state: cells.parse("state")?,
        changed_position: cells.number("changed_position")?,
        changed_at: cells.parse("changed_at")?,
        attempt: cells.maybe_number("attempt")?,
        transaction: cells.maybe_text("transaction_id")?,
        rule: cells.maybe_parse("rule")?,
        because: cells.maybe_text("because")?,
        block: block.map(|(height, hash)| BlockRef { height, hash }),
        paid: cells.maybe_parse("paid")?,
        fee: cells.maybe_parse("fee")?,
    })
}

fn attempt(cells: &Cells<'_>) -> Result<AttemptRow, QueryError> {
    Ok(AttemptRow {
        attempt: cells.number("attempt")?,
        position: cells.number("position")?,
        authorised_at: cells.parse("authorised_at")?,
        purpose: cells.text("purpose")?,
        unsigned: cells.parse("unsigned")?,
        fee: cells.parse("fee")?,
        key: cells.parse("key")?,
        signers: cells.json("signers")?,
        raw: cells.maybe_parse("raw")?,
        transaction: cells.maybe_text("transaction_id")?,
        signed_position: cells.maybe_number("signed_position")?,
        signed_at: cells.maybe_parse("signed_at")?,
        broadcast_position: cells.maybe_number("broadcast_position")?,
        broadcast_at: cells.maybe_parse("broadcast_at")?,
    })
}

fn refusal(cells: &Cells<'_>) -> Result<RefusalRow, QueryError> {
    Ok(RefusalRow {
        position: cells.number("position")?,
        refused_at: cells.parse("refused_at")?,
        transfer: cells.parse("transfer")?,
        attempt: cells.number("attempt")?,
        signer: cells.parse("signer")?,
        rule: cells.parse("rule")?,
        because: cells.text("because")?,
    })
}

fn partial(cells: &Cells<'_>) -> Result<PartialRow, QueryError> {
    Ok(PartialRow {
        position: cells.number("position")?,
        signed_at: cells.parse("signed_at")?,
        transfer: cells.parse("transfer")?,
        attempt: cells.number("attempt")?,
        place: cells.number("place")?,
    })
}
