//! What this signer has consumed, sworn off and cosigned. An attempt is consumed on disk before a key is used,
//! and what was consumed is never forgotten while its transfer lives. Two attempts of one
//! transfer are both consumed only if at most one of them can ever take effect.

mod bans;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use strongroom_chains::{Realisation, UnsignedTx};
use strongroom_domain::{
    Bytes, Digest, Head, Network, Refusal, Rule, Timestamp, TransferId, charter::LogResumed,
};

use crate::{
    journal::{Journal, JournalError},
    sights::{Known, Mark, Sighted},
};

pub use bans::Banned;

/// A line of the journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Record {
    /// The log was verified, and its copy is on disk, up to here.
    Verified(Head),
    /// An attempt may have been signed by now.
    Consumed(Consumed),
    /// No attempt of this transfer was consumed, and none will be.
    Abstained(TransferId),
    /// A checkpoint may have been cosigned by now.
    Cosigned(Cosigned),
    /// The log goes on from an earlier entry, as a quorum agreed: what was verified and cosigned
    /// before binds no more. What was consumed and sworn off does.
    Resumed(LogResumed),
    /// What starts a wait was seen.
    Sighted(Sighted),
    /// A holder was caught cheating: this signer uses these shares with it no more.
    Banned(Banned),
    /// By when entries were there. Written before the head that it is about.
    Marked(Mark),
}

/// A tree that this signer has put its name to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosigned {
    /// Of which log, under which name.
    pub origin: String,
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Digest,
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
    /// Of a child: the transaction that it spends from. It takes effect only if that does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Bytes>,
}

/// Every consumption that still matters, and the journal that remembers all.
pub struct Consumptions {
    journal: Journal,
    open: Mutex<Open>,
    cosigned: Mutex<Option<Cosigned>>,
    resumed: Option<LogResumed>,
    known: Known,
    reading: Mutex<Reading>,
}

/// How far apart marks are at least, in seconds. What was read after the last one before a crash is
/// seen again.
const MARK_EVERY_S: u64 = 10;

#[derive(Default)]
struct Reading {
    /// When entries were read last.
    at: Option<Timestamp>,
    marked: Option<Mark>,
}

#[derive(Default)]
struct Open {
    by_transfer: BTreeMap<TransferId, Vec<Kept>>,
    /// Transfers that were sworn off.
    abstained: BTreeSet<TransferId>,
    banned: BTreeSet<Banned>,
    acknowledged: Head,
}

struct Kept {
    consumed: Consumed,
    durable: bool,
}

/// A consumption that every later order sees, and that a crash may still lose. No key is used on
/// the strength of it: [`Consumptions::settle`] it first.
#[must_use = "nothing may be signed before it is settled"]
pub struct Noted {
    consumed: Consumed,
    head: Head,
    durable: bool,
}

/// Why a transfer was not sworn off.
#[derive(Debug, thiserror::Error)]
pub enum AbstainError {
    /// It was consumed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The journal can't be written: nothing was said.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Open {
    /// Orders run at the same time, and what they judged may reach the journal in another order:
    /// what was acknowledged never goes back.
    fn acknowledge(&mut self, head: Head) {
        if head.position > self.acknowledged.position {
            self.acknowledged = head;
        }
    }
}

impl Consumptions {
    /// Reads the journal.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let opened = Journal::open::<Record>(path)?;
        if let Some(cut) = opened.cut {
            tracing::warn!(bytes = cut.bytes, "cut the torn end of the journal");
        }
        let mut open = Open::default();
        let (mut cosigned, mut resumed, mut known) = (None, None, Known::default());
        let mut unmarked = None;
        for record in opened.records {
            match record {
                Record::Verified(head) => open.acknowledge(head),
                Record::Cosigned(head) => cosigned = Some(head),
                Record::Sighted(sighted) => known.sights.push(sighted),
                Record::Marked(mark) => {
                    unmarked.get_or_insert(open.acknowledged.position);
                    known.marks.push(mark);
                }
                Record::Resumed(certificate) => {
                    let from = certificate.resumption.from;
                    // Other entries will stand where these did.
                    known.marks.retain(|mark| mark.position <= from.position);
                    known.sights.clear();
                    unmarked = unmarked.map(|known: u64| known.min(from.position));
                    open.acknowledged = from;
                    (cosigned, resumed) = (None, Some(certificate));
                }
                Record::Banned(banned) => drop(open.banned.insert(banned)),
                Record::Abstained(transfer) => drop(open.abstained.insert(transfer)),
                Record::Consumed(consumed) => {
                    let kept = open.by_transfer.entry(consumed.transfer).or_default();
                    if !kept.iter().any(|kept| kept.consumed == consumed) {
                        kept.push(Kept { consumed, durable: true });
                    }
                }
            }
        }
        known.unmarked = unmarked.unwrap_or(open.acknowledged.position);
        let (open, cosigned) = (Mutex::new(open), Mutex::new(cosigned));
        let reading = Mutex::default();
        Ok(Self { journal: opened.journal, open, cosigned, resumed, known, reading })
    }

    /// What the journal had of this signer's own time when it was opened. Whoever asks first has it.
    pub fn known(&mut self) -> Known {
        std::mem::take(&mut self.known)
    }

    /// Entries were read at that time. The journal has it with the next head.
    pub fn read(&self, at: Timestamp) {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).at = Some(at);
    }

    /// Witnesses had cosigned entries by then. A crash before it returns makes waits longer.
    pub fn keep_mark(&self, mark: Mark) -> Result<(), JournalError> {
        self.journal.append_durable(&[Record::Marked(mark)])
    }

    /// How far the log was verified, and by when it was.
    fn verified(&self, head: Head, is_last: bool) -> Vec<Record> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = reading.at.map(|by| Mark { position: head.position, by });
        let is_due = |mark: &Mark| {
            reading.marked.is_none_or(|last| {
                // Also after the clock was set back.
                let set_back = mark.by < last.by;
                last.position < mark.position
                    && (is_last || set_back || last.by.plus_seconds(MARK_EVERY_S) <= mark.by)
            })
        };
        let mark = mark.filter(is_due);
        reading.marked = mark.or(reading.marked);
        mark.map(Record::Marked).into_iter().chain([Record::Verified(head)]).collect()
    }

    /// Keeps further ones. A crash before it returns makes their waits longer, never shorter.
    pub fn keep_sights(&self, sights: Vec<Sighted>) -> Result<(), JournalError> {
        if sights.is_empty() {
            return Ok(());
        }
        let records: Vec<_> = sights.into_iter().map(Record::Sighted).collect();
        self.journal.append_durable(&records)
    }

    /// The last head that the journal holds: the log copy must reach it.
    pub fn acknowledged(&self) -> Head {
        self.lock().acknowledged
    }

    /// Notes that an attempt is being consumed, judged at `head`; from here on no other order can
    /// consume one that it does not exclude. Call it while the log can't move on, and
    /// [`Self::settle`] it after.
    pub fn note(
        &self,
        consumed: Consumed,
        new: &Realisation<'_>,
        head: Head,
    ) -> Result<Noted, Refusal> {
        let mut open = self.lock();
        if open.abstained.contains(&consumed.transfer) {
            let because = "this signer has sworn that it has no part in this transfer";
            return Err(Refusal::new(Rule::SignerAttemptConsumed, because));
        }
        let known = open.acknowledged.position >= head.position;
        let earlier = open.by_transfer.entry(consumed.transfer).or_default();
        for before in earlier.iter().filter(|kept| kept.consumed.unsigned != consumed.unsigned) {
            exclusive(&before.consumed, new)?;
        }
        let kept = earlier.iter().find(|kept| kept.consumed == consumed);
        // A repeated order adds nothing to the journal: it could fill the disk.
        let durable = known && kept.is_some_and(|kept| kept.durable);
        if kept.is_none() {
            earlier.push(Kept { consumed: consumed.clone(), durable: false });
        }
        Ok(Noted { consumed, head, durable })
    }

    /// Makes a consumption durable, together with the head that it was judged at.
    ///
    /// A crash before it returns leaves the attempt consumed or not, and nothing signed; the same
    /// order then gives the same transaction again.
    pub fn settle(&self, noted: Noted) -> Result<(), JournalError> {
        let Noted { consumed, head, durable } = noted;
        if durable {
            return Ok(());
        }
        let mut records = self.verified(head, false);
        records.push(Record::Consumed(consumed.clone()));
        self.journal.append_durable(&records)?;
        let mut open = self.lock();
        open.acknowledge(head);
        let kept = open.by_transfer.get_mut(&consumed.transfer);
        // Gone where its transfer ended meanwhile.
        if let Some(kept) = kept.into_iter().flatten().find(|kept| kept.consumed == consumed) {
            kept.durable = true;
        }
        Ok(())
    }

    /// What was cosigned last. Nobody cosigns while somebody holds this.
    pub fn cosigned(&self) -> MutexGuard<'_, Option<Cosigned>> {
        // It is written only after the journal has it.
        self.cosigned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers, durably, that a tree of the log that was verified up to `head` is being cosigned.
    ///
    /// A crash before it returns leaves it cosigned or not, and no signature outside.
    pub fn cosign(
        &self,
        last: &mut MutexGuard<'_, Option<Cosigned>>,
        cosigned: Cosigned,
        head: Head,
    ) -> Result<(), JournalError> {
        // A repeated order adds nothing to the journal: it could fill the disk.
        if last.as_ref() == Some(&cosigned) {
            return Ok(());
        }
        let mut records = self.verified(head, false);
        records.push(Record::Cosigned(cosigned.clone()));
        self.journal.append_durable(&records)?;
        self.lock().acknowledge(head);
        **last = Some(cosigned);
        Ok(())
    }

    /// The last resumption that this signer's operator let it follow.
    pub const fn resumed(&self) -> Option<&LogResumed> {
        self.resumed.as_ref()
    }

    /// Remembers, durably, that the log goes on from an earlier entry. The caller has checked the
    /// certificate, cuts the copy after it, and opens everything again.
    pub fn resume(self, certificate: &LogResumed) -> Result<(), JournalError> {
        self.journal.append_durable(&[Record::Resumed(certificate.clone())])
    }

    /// Remembers how far the log was verified.
    pub fn acknowledge(&self, head: Head) -> Result<(), JournalError> {
        self.journal.append_durable(&self.verified(head, true))?;
        self.lock().acknowledge(head);
        Ok(())
    }

    /// Swears a transfer off, durably. Refused where an attempt of it was consumed: then a signature
    /// may exist, and this signer gives its part of the same one to whoever asks again.
    ///
    /// A crash before it returns leaves it sworn off or not, and nobody was told.
    pub fn abstain(&self, transfer: TransferId) -> Result<(), AbstainError> {
        {
            let mut open = self.lock();
            if open.by_transfer.get(&transfer).is_some_and(|kept| !kept.is_empty()) {
                let because = "an attempt of it was consumed: a signature may exist";
                return Err(Refusal::new(Rule::SignerAttemptConsumed, because).into());
            }
            // Before it is durable, so that an order that runs at the same time sees it.
            open.abstained.insert(transfer);
        }
        self.journal.append_durable(&[Record::Abstained(transfer)])?;
        Ok(())
    }

    /// Whether exactly these bytes were consumed for a transfer: they may have been signed.
    pub fn holds(&self, transfer: TransferId, unsigned: &Bytes) -> bool {
        let open = self.lock();
        let kept = open.by_transfer.get(&transfer);
        kept.into_iter().flatten().any(|kept| kept.durable && kept.consumed.unsigned == *unsigned)
    }

    /// A transfer is over: no order of it can be authorised any more.
    pub fn forget(&self, transfers: impl IntoIterator<Item = TransferId>) {
        let mut open = self.lock();
        for transfer in transfers {
            open.by_transfer.remove(&transfer);
            open.abstained.remove(&transfer);
        }
    }

    /// Forgets everything that `over` says is over.
    pub fn retain(&self, alive: impl Fn(TransferId) -> bool) {
        let mut open = self.lock();
        open.by_transfer.retain(|transfer, _| alive(*transfer));
        open.abstained.retain(|transfer| alive(*transfer));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing that can panic leaves it half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn exclusive(before: &Consumed, new: &Realisation<'_>) -> Result<(), Refusal> {
    let parse = |bytes| UnsignedTx::parse(before.network, bytes);
    let parent = before.parent.as_ref().map(parse).transpose();
    // What can't be read may be anything.
    if let (Ok(transaction), Ok(parent)) = (parse(&before.unsigned), parent)
        && new.is_safe_beside(&Realisation { transaction: &transaction, parent: parent.as_ref() })
    {
        return Ok(());
    }
    let because = format!(
        "attempt {} was consumed, and both it and this one could take effect",
        before.attempt
    );
    Err(Refusal::new(Rule::SignerAttemptConsumed, because))
}

#[cfg(test)]
mod tests;
