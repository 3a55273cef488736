//! A hostile server, and signers that keep to their rules: it appends whatever the rules allow, in
//! any order and with any date, shows each signer any part of the log at any moment, asks for every
//! signature, and keeps what it gets for as long as it likes. Nothing it can do is fair.

use crate::append::{Append, attempt};
use crate::cast::{SIGNERS, THRESHOLD, TICKS, TRANSFERS};
use crate::flaw::Flaw;
use crate::log::{Ground, LogId, Logs};
use crate::reading::End;
use crate::server::Bounds;
use crate::signer::Holder;
use crate::transaction::{self, Pays, Set, TxId, has, members, one};
use stateright::{Model, Property};

/// No two transactions of one transfer can both be in the chain.
pub(crate) const ONE_EFFECT: &str = "a transfer has one effect";
/// No transaction in the chain does what nobody approved.
pub(crate) const AS_APPROVED: &str = "what is paid was approved";
/// No signer signs what its own log gives it no reason to.
pub(crate) const QUORUM: &str = "no signature without a standing quorum";
/// Holds and funds are placed once and ended once, and what is decided is lawful.
pub(crate) const SOUND: &str = "the ledger is sound";
/// What the log says came to nothing has no signature, and gets none.
pub(crate) const STAYS_OFF: &str = "what was called off stays off";

/// The model.
pub(crate) struct Hostile {
    bounds: Bounds,
    flaw: Option<Flaw>,
    logs: Logs,
}

/// A moment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Moment {
    log: LogId,
    tick: u8,
    holders: [Holder; SIGNERS as usize],
    /// By transaction: the signers that have given their part of its signature.
    parts: [Set; transaction::ALL.len()],
    /// By transfer: the signers that have sworn it off, and said so.
    words: [Set; TRANSFERS as usize],
    /// What is in the chain.
    mined: Set,
    /// A signer signed what no quorum stood for.
    unfounded: bool,
}

/// What happens next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Append {
        append: Append,
        at: u8,
    },
    /// The signer is shown the log up to this ground of it, and asked.
    Sign {
        signer: u8,
        ground: usize,
    },
    SwearOff {
        signer: u8,
        transfer: u8,
    },
    Restart {
        signer: u8,
    },
    /// The chain takes a transaction whose signature is complete, and none that it excludes.
    Mine {
        tx: TxId,
    },
    Tick,
}

impl Moment {
    fn holder(&self, signer: u8) -> &Holder {
        &self.holders[usize::from(signer)]
    }

    fn is_complete(&self, tx: TxId) -> bool {
        self.parts[usize::from(tx)].count_ones() >= THRESHOLD
    }

    fn can_be_mined(&self, tx: TxId) -> bool {
        let spent = |other: TxId| transaction::get(tx).excludes(transaction::get(other));
        self.is_complete(tx) && !members(self.mined).any(spent)
    }
}

impl Hostile {
    pub(crate) fn new(bounds: Bounds, flaw: Option<Flaw>) -> Self {
        Self { bounds, flaw, logs: Logs::new(flaw, bounds.locked) }
    }

    /// How many logs there were.
    pub(crate) fn logs(&self) -> usize {
        self.logs.count()
    }

    /// What is wrong with the moment's log, in words.
    pub(crate) fn complaint(&self, moment: &Moment) -> Option<String> {
        self.logs.get(moment.log).wrong.clone()
    }

    fn sign(&self, moment: &Moment, signer: u8, ground: &Ground) -> Moment {
        let log = self.logs.get(moment.log);
        let mut next = moment.clone();
        let holder = &mut next.holders[usize::from(signer)];
        next.unfounded |= !ground.stands(moment.tick, holder.is_in_time(ground));
        holder.consume(&log, ground);
        next.parts[usize::from(ground.tx)] |= one(signer);
        next
    }

    fn swear_off(&self, moment: &Moment, signer: u8, transfer: u8) -> Option<Moment> {
        let mut next = moment.clone();
        let words = &mut next.words[usize::from(transfer)];
        let holder = &mut next.holders[usize::from(signer)];
        let sworn =
            !has(*words, signer) && holder.swears(&self.logs.get(moment.log), transfer, self.flaw);
        *words |= one(signer);
        sworn.then_some(next)
    }

    fn restart(&self, moment: &Moment, signer: u8) -> Moment {
        let mut next = moment.clone();
        next.holders[usize::from(signer)].restart(self.flaw);
        next
    }

    /// Whether at most one transaction of each transfer is in the chain, or can still be.
    fn one_effect(&self, moment: &Moment) -> bool {
        (0..self.bounds.transfers).all(|transfer| {
            let mine: Vec<_> =
                transaction::of(transfer).filter(|tx| moment.is_complete(*tx)).collect();
            let exclusive = mine.iter().enumerate().all(|(place, tx)| {
                mine[place + 1..]
                    .iter()
                    .all(|other| transaction::get(*tx).excludes(transaction::get(*other)))
            });
            exclusive && mine.iter().filter(|tx| has(moment.mined, **tx)).count() <= 1
        })
    }

    /// Whether nothing is complete of what has been called off.
    fn stays_off(&self, moment: &Moment) -> bool {
        let log = self.logs.get(moment.log);
        (0..self.bounds.transfers).all(|transfer| {
            let off = matches!(log.reading.life(transfer).end, Some(End::CalledOff | End::Failed));
            !off || !transaction::of(transfer).any(|tx| moment.is_complete(tx))
        })
    }

    fn ended(&self, moment: &Moment, end: End) -> bool {
        self.logs.get(moment.log).reading.life(0).end == Some(end)
    }
}

impl Model for Hostile {
    type State = Moment;
    type Action = Step;

    fn init_states(&self) -> Vec<Moment> {
        vec![Moment {
            log: 0,
            tick: 0,
            holders: Default::default(),
            parts: Default::default(),
            words: Default::default(),
            mined: 0,
            unfounded: false,
        }]
    }

    fn actions(&self, moment: &Moment, steps: &mut Vec<Step>) {
        let log = self.logs.get(moment.log);
        if log.wrong.is_some() || moment.unfounded {
            return;
        }
        let candidates = self.bounds.candidates(&log, &moment.words, moment.tick, self.flaw);
        for (append, at) in candidates {
            if self.logs.append(moment.log, append, at).is_some() {
                steps.push(Step::Append { append, at });
            }
        }
        for signer in 0..SIGNERS {
            for (number, ground) in log.grounds.iter().enumerate() {
                if moment.holder(signer).signs(signer, ground, moment.tick, self.flaw) {
                    steps.push(Step::Sign { signer, ground: number });
                }
            }
            steps
                .extend((0..self.bounds.transfers).map(|t| Step::SwearOff { signer, transfer: t }));
            steps.push(Step::Restart { signer });
        }
        let ready = (0..).take(transaction::ALL.len()).filter(|tx| moment.can_be_mined(*tx));
        steps.extend(ready.map(|tx| Step::Mine { tx }));
        if moment.tick < self.bounds.last_tick.min(TICKS - 1) {
            steps.push(Step::Tick);
        }
    }

    fn next_state(&self, moment: &Moment, step: Step) -> Option<Moment> {
        let next = match step {
            Step::Append { append, at } => {
                let log = self.logs.append(moment.log, append, at)?;
                Moment { log, ..moment.clone() }
            }
            Step::Sign { signer, ground } => {
                let ground = self.logs.get(moment.log).grounds[ground];
                self.sign(moment, signer, &ground)
            }
            Step::SwearOff { signer, transfer } => self.swear_off(moment, signer, transfer)?,
            Step::Restart { signer } => self.restart(moment, signer),
            Step::Mine { tx } => Moment { mined: moment.mined | one(tx), ..moment.clone() },
            Step::Tick => Moment { tick: moment.tick + 1, ..moment.clone() },
        };
        (next != *moment).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_EFFECT, Self::one_effect),
            Property::always(AS_APPROVED, |_, moment: &Moment| {
                members(moment.mined).all(|tx| transaction::get(tx).pays != Pays::Thief)
            }),
            Property::always(QUORUM, |_, moment: &Moment| !moment.unfounded),
            Property::always(SOUND, |model, moment| model.complaint(moment).is_none()),
            Property::always(STAYS_OFF, Self::stays_off),
            Property::sometimes("a transfer is confirmed", |model, moment| {
                model.ended(moment, End::Confirmed) && moment.mined != 0
            }),
            Property::sometimes("a transfer fails by the holders' word", |model, moment| {
                model.ended(moment, End::Failed) && moment.words[0] != 0
            }),
            Property::sometimes("two attempts are signed", |model: &Self, moment: &Moment| {
                let log = model.logs.get(moment.log);
                model.bounds.attempts < 2
                    || attempt(log.state(), 0).is_some_and(|(number, _)| number > 1)
                        && moment.parts.iter().filter(|parts| parts.count_ones() > 1).count() > 1
            }),
        ]
    }
}
