//! Which attempts this signer has consumed. An attempt is consumed on disk before a key is used,
//! and what was consumed is never forgotten while its transfer lives. Two attempts of one
//! transfer are both consumed only if at most one of them can ever take effect.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use strongroom_chains::UnsignedTx;
use strongroom_domain::{Bytes, Head, Network, Refusal, Rule, TransferId};

use crate::journal::{Journal, JournalError};

/// A line of the journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Record {
    /// The log was verified, and its copy is on disk, up to here.
    Verified(Head),
    /// An attempt may have been signed by now.
    Consumed(Consumed),
}

/// An attempt that may have been signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumed {
    /// Of which transfer.
    pub transfer: TransferId,
    /// Which.
    pub attempt: u32,
    /// Where its transaction is valid.
    pub network: Network,
    /// Exactly what may have been signed.
    pub unsigned: Bytes,
}

/// Why an attempt was not consumed.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// An earlier one forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The journal can't be written: nothing was signed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Every consumption that still matters, and the journal that remembers all.
pub struct Consumptions {
    journal: Journal,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    by_transfer: BTreeMap<TransferId, Vec<Consumed>>,
    acknowledged: Head,
}

impl Consumptions {
    /// Reads the journal.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let opened = Journal::open::<Record>(path)?;
        if let Some(cut) = opened.cut {
            tracing::warn!(bytes = cut.bytes, "cut the torn end of the journal");
        }
        let mut open = Open::default();
        for record in opened.records {
            match record {
                Record::Verified(head) => open.acknowledged = head,
                Record::Consumed(consumed) => {
                    open.by_transfer.entry(consumed.transfer).or_default().push(consumed);
                }
            }
        }
        Ok(Self { journal: opened.journal, open: Mutex::new(open) })
    }

    /// The last head that the journal holds: the log copy must reach it.
    pub fn acknowledged(&self) -> Head {
        self.lock().acknowledged
    }

    /// Consumes an attempt, durably, together with the head it was judged at.
    ///
    /// A crash before it returns leaves the attempt consumed or not, and nothing signed; the same
    /// order then gives the same transaction again.
    pub fn consume(
        &self,
        consumed: Consumed,
        unsigned: &UnsignedTx,
        head: Head,
    ) -> Result<(), ConsumeError> {
        {
            let mut open = self.lock();
            let earlier = open.by_transfer.entry(consumed.transfer).or_default();
            for before in earlier.iter().filter(|before| before.unsigned != consumed.unsigned) {
                exclusive(before, unsigned)?;
            }
            // Before it is durable, so that a second order that runs at the same time sees it.
            if !earlier.contains(&consumed) {
                earlier.push(consumed.clone());
            }
            open.acknowledged = head;
        }
        self.journal.append_durable(&[Record::Verified(head), Record::Consumed(consumed)])?;
        Ok(())
    }

    /// Remembers how far the log was verified.
    pub fn acknowledge(&self, head: Head) -> Result<(), JournalError> {
        self.lock().acknowledged = head;
        self.journal.append_durable(&[Record::Verified(head)])
    }

    /// A transfer is over: no order of it can be authorised any more.
    pub fn forget(&self, transfers: impl IntoIterator<Item = TransferId>) {
        let mut open = self.lock();
        for transfer in transfers {
            open.by_transfer.remove(&transfer);
        }
    }

    /// Forgets everything that `over` says is over.
    pub fn retain(&self, alive: impl Fn(TransferId) -> bool) {
        self.lock().by_transfer.retain(|transfer, _| alive(*transfer));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing that can panic leaves it half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn exclusive(before: &Consumed, unsigned: &UnsignedTx) -> Result<(), Refusal> {
    let excludes = UnsignedTx::parse(before.network, &before.unsigned)
        .is_ok_and(|earlier| unsigned.excludes(&earlier));
    if excludes {
        return Ok(());
    }
    let because = format!(
        "attempt {} was consumed, and both it and this one could take effect",
        before.attempt
    );
    Err(Refusal::new(Rule::SignerAttemptConsumed, because))
}
