//! Every log that a run has come to, as a tree of appends: each is decided, audited and read once,
//! and from then on known by a number. States hold numbers, so that they are small and hash fast.

use crate::append::{Append, attempt};
use crate::cast::{self, TICKS, TRANSFERS, tick, time};
use crate::flaw::Flaw;
use crate::reading::Reading;
use crate::transaction::{self, Pays, Set, TxId, has, one};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use strongroom_domain::audit::{Audited, Authorised};
use strongroom_domain::transfer::{AttemptAuthorised, Transfer};
use strongroom_domain::wallet::Funds;
use strongroom_domain::{
    Digest, Event, Head, Recorded, Refusal, State, Stream, Timestamp, TransferId, decide,
};

/// A log, by its number.
pub(crate) type LogId = u32;

/// Entries of a log between which a signer would answer the same to one order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ground {
    /// The first of them.
    pub(crate) from: u16,
    /// The last, if there is one.
    pub(crate) until: Option<u16>,
    pub(crate) transfer: u8,
    pub(crate) tx: TxId,
    /// Whom the attempt names.
    pub(crate) signers: Set,
    /// The ticks at which the product lets a signer sign.
    allowed: Set,
    /// The ticks at which it does for what was consumed in time.
    again: Set,
    /// Signed transactions of the same kind: a signer that consumed one of them is in time too.
    pub(crate) alike: Set,
    /// Whether the transaction does what was approved, with the coins that were set aside.
    pub(crate) fits: Fits,
    /// The ticks at which a quorum stands, as [`Reading`] sees it.
    stands: Set,
    /// The ticks at which one stands for what was consumed in time.
    stood: Set,
}

/// What a signer's check of an attempt's bytes says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fits {
    pub(crate) effect: bool,
    pub(crate) coins: bool,
}

impl Ground {
    /// Whether the product lets a signer sign now. `again`: it has consumed this transaction.
    pub(crate) fn allows(&self, tick: u8, again: bool) -> bool {
        has(if again { self.again } else { self.allowed }, tick)
    }

    /// Whether it should.
    pub(crate) fn stands(&self, tick: u8, again: bool) -> bool {
        has(if again { self.stood } else { self.stands }, tick)
    }

    fn same(&self, other: &Self) -> bool {
        let open = |ground: &Self| Self { from: 0, until: None, ..*ground };
        open(self) == open(other)
    }
}

/// The fold of a log: audited, unless a flaw has got something past the audit.
#[derive(Clone)]
enum Fold {
    Audited(Box<Audited>),
    Believed(Box<State>),
}

impl Fold {
    fn state(&self) -> &State {
        match self {
            Self::Audited(audited) => audited.state(),
            Self::Believed(state) => state,
        }
    }
}

/// A log.
pub(crate) struct Log {
    fold: Fold,
    /// For a flaw: the same, read by somebody who passes over every freeze.
    blind: Option<Box<Audited>>,
    pub(crate) reading: Reading,
    pub(crate) length: u16,
    /// Where signers may sign, in the order of the entries.
    pub(crate) grounds: Vec<Ground>,
    /// The first entry from which each transfer can be sworn off.
    pub(crate) asked_at: [u16; TRANSFERS as usize],
    /// What does not hold of it.
    pub(crate) wrong: Option<String>,
}

impl Log {
    pub(crate) fn state(&self) -> &State {
        self.fold.state()
    }

    /// The tick of its last entry.
    pub(crate) fn tick(&self) -> u8 {
        tick(self.state().time)
    }

    /// Why a signer that has read all of it would not sign now, if it would not.
    pub(crate) fn refusal(&self, transfer: u8, now: Timestamp) -> Option<Refusal> {
        let (number, _) = attempt(self.state(), transfer)?;
        match &self.fold {
            Fold::Audited(audited) => {
                audited.authorised(cast::transfer(transfer), number, now).err()
            }
            Fold::Believed(_) => None,
        }
    }

    fn write(&mut self, event: (Stream, Event), time: Timestamp, flaw: Option<Flaw>) -> bool {
        let recorded = recorded(self.state().head, event, time);
        let written = match &mut self.fold {
            Fold::Audited(audited) => {
                audited.extend(&recorded).map_err(|violation| violation.to_string())
            }
            Fold::Believed(state) => state.evolve(&recorded).map_err(|error| error.to_string()),
        };
        if let Err(error) = written {
            self.wrong = Some(format!("what is decided can be read: {error}"));
            return false;
        }
        if let Some(blind) = self.blind.as_mut().filter(|_| recorded.stream != Stream::Freezes) {
            let position = blind.head().position + 1;
            let head = Head { position, ..recorded.head };
            blind.extend(&Recorded { head, ..recorded.clone() }).unwrap();
        }
        self.length = u16::try_from(recorded.head.position).unwrap();
        self.reading.note(&recorded);
        for transfer in 0..TRANSFERS {
            if self.asked_at[usize::from(transfer)] == 0 && self.reading.life(transfer).asked {
                self.asked_at[usize::from(transfer)] = self.length;
            }
            self.judge(transfer, flaw);
        }
        true
    }

    /// What signers who have read this far would say of a transfer.
    fn judge(&mut self, transfer: u8, flaw: Option<Flaw>) {
        let now = self.ground(transfer, flaw);
        let until = self.length - 1;
        let open = self
            .grounds
            .iter_mut()
            .find(|ground| ground.transfer == transfer && ground.until.is_none());
        match (open, now) {
            (Some(open), Some(now)) if open.same(&now) => return,
            (Some(open), _) => open.until = Some(until),
            (None, _) => {}
        }
        self.grounds.extend(now);
    }

    fn ground(&self, transfer: u8, flaw: Option<Flaw>) -> Option<Ground> {
        let id = cast::transfer(transfer);
        let state = self.state();
        let Transfer::Signing(attempts) = state.transfers.get(&id)? else { return None };
        let current = &attempts.current;
        let (number, tx) = attempt(state, transfer)?;
        let believes = flaw == Some(Flaw::BelievesTheLog);
        let asks = |tick: u8, again: bool| match &self.fold {
            Fold::Audited(audited) if !believes => {
                let audited = self.blind.as_ref().unwrap_or(audited);
                authorises(audited, (id, number), time(tick), again)
            }
            Fold::Audited(_) | Fold::Believed(_) => believes,
        };
        let allowed = ticks(|tick| match flaw {
            Some(Flaw::IgnoresExpiry) => asks(tick, true),
            Some(Flaw::IgnoresTimeLock) => (tick..TICKS).any(|later| asks(later, false)),
            _ => asks(tick, false),
        });
        let again = ticks(|tick| asks(tick, true));
        let cancels = transaction::get(tx).is_cancellation();
        let stands = |again| ticks(|tick| self.reading.stands((transfer, cancels), tick, again));
        let alike = attempts.complete.values().filter_map(|signed| {
            let tx = transaction::parse(&signed.authorised.unsigned)?;
            (transaction::get(tx).is_cancellation() == cancels).then(|| one(tx))
        });
        (allowed != 0 || again != 0).then(|| Ground {
            from: self.length,
            until: None,
            transfer,
            tx,
            signers: (0..cast::SIGNERS)
                .filter(|number| current.signers.contains(&cast::signer(*number)))
                .fold(0, |set, number| set | one(number)),
            allowed,
            again,
            alike: alike.fold(0, |set, tx| set | tx),
            fits: self.fits(id, current),
            stands: stands(false),
            stood: stands(true),
        })
    }

    /// As `signer/src/check.rs`, on transactions without bytes.
    fn fits(&self, id: TransferId, attempt: &AttemptAuthorised) -> Fits {
        let holding = self.state().wallets[&cast::WALLET].holding().unwrap();
        let Funds::Coins(coins) = &holding.funds else { panic!("a wallet with coins") };
        let tx = transaction::get(transaction::parse(&attempt.unsigned).unwrap());
        let mine = coins.reserved.get(&id);
        let spends = transaction::members(tx.coins).map(cast::outpoint);
        let spends: Vec<_> = spends.collect();
        let coins = mine.is_some_and(|mine| mine.keys().eq(spends.iter()));
        let Fold::Audited(audited) = &self.fold else {
            return Fits { effect: tx.pays == Pays::Payee, coins };
        };
        let audited = self.blind.as_ref().unwrap_or(audited);
        // Whether it may be signed is not asked here, so at any time will do.
        let authorised = (0..TICKS)
            .find_map(|tick| audited.authorised_again(id, attempt.attempt, time(tick)).ok());
        let realises = |of: Authorised<'_>| {
            let effect = tx.effect();
            let does = match of.returns() {
                None => effect.realises(of.intent()).is_ok(),
                Some(_) => tx.is_cancellation() && effect.fee <= of.intent().fee_cap,
            };
            does && effect.fee == of.attempt().fee
        };
        Fits { effect: authorised.is_some_and(realises), coins }
    }
}

fn authorises(
    audited: &Audited,
    (id, number): (TransferId, u32),
    now: Timestamp,
    again: bool,
) -> bool {
    if again {
        audited.authorised_again(id, number, now).is_ok()
    } else {
        audited.authorised(id, number, now).is_ok()
    }
}

fn ticks(holds: impl Fn(u8) -> bool) -> Set {
    (0..TICKS).filter(|tick| holds(*tick)).fold(0, |set, tick| set | one(tick))
}

/// The next entry. Its leaf commits to what the entry says and to all before it, as the log's own
/// does.
fn recorded(head: Head, (stream, event): (Stream, Event), time: Timestamp) -> Recorded {
    let payload = String::from_utf8(event.encode().unwrap()).unwrap();
    let fields = [
        head.leaf.to_string(),
        stream.to_string(),
        event.kind().0.to_owned(),
        payload,
        time.to_string(),
    ];
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    let position = head.position + 1;
    let head = Head { position, leaf: Digest::tagged("model", &fields) };
    // Nothing here reads it.
    let sequence = position;
    Recorded { head, time, stream, sequence, event }
}

type Known = HashMap<(LogId, Append, u8), Option<LogId>>;

/// All logs so far.
pub(crate) struct Logs {
    flaw: Option<Flaw>,
    all: RwLock<Vec<Arc<Log>>>,
    known: Mutex<Known>,
}

impl Logs {
    /// With the funded one as the first.
    pub(crate) fn new(flaw: Option<Flaw>, locked: bool) -> Self {
        let fold = Fold::Audited(Box::default());
        let mut log = Log {
            fold,
            blind: (flaw == Some(Flaw::IgnoresFreezes)).then(Box::default),
            reading: Reading::default(),
            length: 0,
            grounds: Vec::new(),
            asked_at: Default::default(),
            wrong: None,
        };
        for next in cast::prelude(locked) {
            let command = next(log.state());
            for event in decide(log.state(), command, time(0)).unwrap().events {
                assert!(log.write(event, time(0), flaw), "{:?}", log.wrong);
            }
        }
        Self { flaw, all: RwLock::new(vec![Arc::new(log)]), known: Mutex::default() }
    }

    pub(crate) fn get(&self, id: LogId) -> Arc<Log> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&all[usize::try_from(id).unwrap()])
    }

    pub(crate) fn count(&self) -> usize {
        self.all.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The log after this append, whose entries are dated `at`. `None` where no rule allows it, or
    /// nothing would change.
    pub(crate) fn append(&self, id: LogId, append: Append, at: u8) -> Option<LogId> {
        // Held meanwhile, so that each append has one number.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (id, append, at);
        if let Some(found) = known.get(&key) {
            return *found;
        }
        let next = self.extend(&self.get(id), append, at).map(|log| {
            let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
            all.push(Arc::new(log));
            u32::try_from(all.len() - 1).unwrap()
        });
        known.insert(key, next);
        next
    }

    fn extend(&self, log: &Log, append: Append, at: u8) -> Option<Log> {
        let events = append.events(log.state(), time(at)).ok()?;
        if events.is_empty() || at < log.tick() {
            return None;
        }
        let unaudited = self.flaw.is_some_and(Flaw::is_unaudited);
        let fold = match (&log.fold, append) {
            (Fold::Audited(audited), Append::SayApproved { .. } | Append::FailUnheard { .. })
                if unaudited =>
            {
                Fold::Believed(Box::new(audited.state().clone()))
            }
            (fold, _) => fold.clone(),
        };
        let mut next = Log {
            fold,
            blind: log.blind.clone(),
            reading: log.reading,
            length: log.length,
            grounds: log.grounds.clone(),
            asked_at: log.asked_at,
            wrong: None,
        };
        for event in events {
            if !next.write(event, time(at), self.flaw) {
                return Some(next);
            }
        }
        if let Fold::Audited(audited) = &next.fold
            && !audited.is_whole()
        {
            next.wrong = Some("what is decided is whole".to_owned());
        }
        if next.wrong.is_none() {
            next.wrong = next.reading.check(next.state()).err().map(str::to_owned);
        }
        Some(next)
    }
}
