//! A signer: what its disk holds, and what it does with an order. The product says whether a quorum
//! stands; consumption is modelled after `signer/src/consumption`, which works on real bytes.

use crate::flaw::Flaw;
use crate::log::{Ground, Log};
use crate::reading::End;
use crate::transaction::{self, Set, TxId, has, members, one};

/// What a signer's disk holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Holder {
    /// How far it has read the log.
    pub(crate) read: u16,
    /// What it has consumed.
    consumed: Set,
    /// The transfers that it has sworn off.
    sworn: Set,
}

impl Holder {
    /// Whether it has consumed this transaction.
    pub(crate) const fn holds(self, tx: TxId) -> bool {
        has(self.consumed, tx)
    }

    /// Whether it has consumed this attempt's transaction, or one of its kind that was signed.
    pub(crate) fn is_in_time(self, ground: &Ground) -> bool {
        self.consumed & (ground.alike | one(ground.tx)) != 0
    }

    /// Whether its own rules let this signer sign what stands on this ground.
    pub(crate) fn signs(self, me: u8, ground: &Ground, tick: u8, flaw: Option<Flaw>) -> bool {
        let unread = ground.until.is_none_or(|until| until >= self.read);
        if !unread || !has(ground.signers, me) || !ground.allows(tick, self.is_in_time(ground)) {
            return false;
        }
        let careless = flaw == Some(Flaw::IgnoresCoins);
        let effect = ground.fits.effect || flaw == Some(Flaw::IgnoresEffect);
        let tx = transaction::get(ground.tx);
        let excludes = |earlier: TxId| {
            let earlier = transaction::get(earlier);
            earlier.transfer != tx.transfer || earlier.excludes(tx) || careless
        };
        effect
            && (ground.fits.coins || careless)
            && !has(self.sworn, ground.transfer)
            && members(self.consumed).all(excludes)
    }

    /// Remembers, on its disk, that it signs this.
    pub(crate) fn consume(&mut self, log: &Log, ground: &Ground) {
        self.reads(log, ground.from);
        self.consumed |= one(ground.tx);
    }

    /// Reads on, and forgets what is over.
    fn reads(&mut self, log: &Log, upto: u16) {
        self.read = self.read.max(upto);
        for (transfer, life) in (0..).zip(log.reading.lives()) {
            let forgets = matches!(life.end, Some(End::Failed | End::Confirmed | End::Abandoned));
            if forgets && life.ended_at <= self.read {
                self.consumed &= !transaction::of(transfer).fold(0, |set, tx| set | one(tx));
                self.sworn &= !one(transfer);
            }
        }
    }

    /// Gives its word to have no part in a transfer, shown as little of the log as it takes.
    pub(crate) fn swears(&mut self, log: &Log, transfer: u8, flaw: Option<Flaw>) -> bool {
        let life = log.reading.life(transfer);
        let from = log.asked_at[usize::from(transfer)].max(self.read);
        if !life.asked || (life.end.is_some() && from >= life.ended_at) {
            return false;
        }
        self.reads(log, from);
        let consumed = transaction::of(transfer).any(|tx| self.holds(tx));
        if consumed && flaw != Some(Flaw::SwearsAnyway) {
            return false;
        }
        self.sworn |= one(transfer);
        true
    }

    /// Loses nothing that matters, unless it is flawed.
    pub(crate) fn restart(&mut self, flaw: Option<Flaw>) {
        match flaw {
            Some(Flaw::ForgetsWhatItSigned) => self.consumed = 0,
            Some(Flaw::ForgetsWhatItSworeOff) => self.sworn = 0,
            _ => {}
        }
    }
}
