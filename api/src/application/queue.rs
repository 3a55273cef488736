//! Approved withdrawals that wait for their time, and what is frozen: what an officer looks at.
//! Never decides when a lock is over: signers measure that by their own clocks.

use strongroom_domain::{Timestamp, TransferId};
use strongroom_projections::{FreezeRow, Page, TransferFilter, TransferRow, TransferState};

use super::{Application, Caller, Failure};

/// How many are shown: who has more than this waiting has something else to do first.
const SHOWN: u32 = 500;

/// An approved withdrawal that nobody has signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Which.
    pub transfer: TransferId,
    /// What is asked.
    pub row: TransferRow,
    /// When signers may hear of it, by the log's clock.
    pub free_at: Timestamp,
}

/// What waits, soonest first, and what is frozen.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// Approved, and not signed.
    pub waiting: Vec<Waiting>,
    /// Freezes that stand, newest first.
    pub freezes: Vec<FreezeRow>,
}

impl Application {
    /// The queue, as far as the caller may see it.
    pub async fn queue(&self, caller: &Caller) -> Result<Queue, Failure> {
        let found = self.read(|view| {
            let approved = Some(TransferState::Approved);
            let filter = TransferFilter { state: approved, ..TransferFilter::default() };
            let page = Page { limit: SHOWN, after: None, newest_first: true };
            Ok((view.transfers(filter, page)?, view.freezes(page)?))
        });
        let (rows, mut freezes) = found.await?;
        freezes.retain(|freeze| freeze.lifted_at.is_none());
        let mine = rows.into_iter().filter(|row| self.shows(caller, row.intent.account));
        let mut waiting: Vec<_> = mine
            .map(|row| {
                let approved = row.approved_at.unwrap_or(row.requested_at);
                let free_at = approved.plus_seconds(row.delay_s);
                Waiting { transfer: row.transfer, row, free_at }
            })
            .collect();
        waiting.sort_by_key(|one| one.free_at);
        Ok(Queue { waiting, freezes })
    }
}
