//! An honest server over a bad network: it crashes, signers crash, orders and answers are lost, and
//! time passes. It takes the saga's own decisions, and what it needs is in the log or asked again.

use crate::append::{Append, attempt};
use crate::cast::{self, KEY, SIGNERS, THRESHOLD, time};
use crate::flaw::Flaw;
use crate::log::{Ground, Log, LogId, Logs};
use crate::reading::End;
use crate::signer::Holder;
use crate::transaction::{Set, TxId, has, members, one};
use std::collections::BTreeSet;
use strongroom_commands::payment::{
    Next, Setback, Step as Stage, Trouble, after, first_signers, trouble,
};
use strongroom_domain::protocol::Reply;
use strongroom_domain::{Refusal, Rule, SignerId};

/// The one transfer.
pub(crate) const IT: u8 = 0;
/// Tries after which the saga asks others; more of the same changes nothing.
const MOST_TRIES: u8 = 2;

/// A moment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Moment {
    pub(crate) log: LogId,
    pub(crate) tick: u8,
    pub(crate) holders: [Holder; SIGNERS as usize],
    /// Signers that run and can be reached.
    pub(crate) up: Set,
    /// What the saga's task remembers, and loses when it crashes (`payment/drive.rs`): how often in a
    /// row the attempt's signers have failed.
    pub(crate) tries: u8,
    /// What a node was given.
    pub(crate) pool: Set,
    /// What is in the chain.
    pub(crate) mined: Set,
    /// A signer signed what no quorum stood for.
    pub(crate) unfounded: bool,
}

/// What goes wrong between the server and one signer, in one round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loss {
    None,
    Order,
    Answer,
}

/// What becomes of a round of orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Round {
    /// By the place of a signer in the attempt.
    pub(crate) losses: [Loss; THRESHOLD as usize],
    /// The server crashes after it recorded what signers refused.
    pub(crate) crash: bool,
}

/// A round in which nothing is lost.
pub(crate) const QUIET: Round = Round { losses: [Loss::None; 2], crash: false };

/// What stops a transfer for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stops {
    Nothing,
    Freeze,
    TimeLock,
}

/// The honest server's world.
pub(crate) struct Honest {
    pub(crate) flaw: Option<Flaw>,
    /// Whether an officer freezes the wallet, and a quorum lifts that again.
    pub(crate) freezes: bool,
    /// Whether an approved transfer waits for a tick.
    locked: bool,
    pub(crate) logs: Logs,
}

fn ids(set: Set) -> BTreeSet<SignerId> {
    members(set).map(cast::signer).collect()
}

fn set(ids: &[SignerId]) -> Set {
    let named = (0..SIGNERS).filter(|number| ids.contains(&cast::signer(*number)));
    named.fold(0, |set, number| set | one(number))
}

impl Moment {
    pub(crate) fn first() -> Self {
        Self {
            log: 0,
            tick: 0,
            holders: Default::default(),
            up: 0b111,
            tries: 0,
            pool: 0,
            mined: 0,
            unfounded: false,
        }
    }

    /// The server starts again: what it had in memory is gone.
    pub(crate) fn crash(&self) -> Self {
        Self { tries: 0, ..self.clone() }
    }

    /// A signer stops, or starts again from its disk.
    pub(crate) fn toggle(&self, signer: u8, flaw: Option<Flaw>) -> Self {
        let mut next = Self { up: self.up ^ one(signer), ..self.clone() };
        next.holders[usize::from(signer)].restart(flaw);
        next
    }

    /// What the chain can take: one of the transactions that exclude each other.
    pub(crate) fn can_mine(&self, tx: TxId) -> bool {
        has(self.pool, tx) && self.mined == 0
    }
}

impl Honest {
    pub(crate) fn new(flaw: Option<Flaw>, stops: Stops) -> Self {
        let (freezes, locked) = (stops == Stops::Freeze, stops == Stops::TimeLock);
        Self { flaw, freezes, locked, logs: Logs::new(flaw, locked) }
    }

    pub(crate) fn append(&self, moment: &Moment, append: Append) -> Option<Moment> {
        // A date matters only to what a time limits: one date for the rest makes fewer logs.
        let locked = self.locked && matches!(append, Append::Authorise { .. });
        let timed = matches!(
            append,
            Append::Request { .. }
                | Append::Answer { .. }
                | Append::Expire { .. }
                | Append::ProposeLifting
        );
        let at = if timed || locked { moment.tick } else { self.logs.get(moment.log).tick() };
        let log = self.logs.append(moment.log, append, at)?;
        Some(Moment { log, ..moment.clone() })
    }

    /// What the log asks the saga for.
    pub(crate) fn stage(&self, moment: &Moment) -> Stage {
        let log = self.logs.get(moment.log);
        let transfer = log.state().transfers.get(&cast::transfer(IT));
        transfer.map_or(Stage::NotYet, Stage::of)
    }

    pub(crate) fn end(&self, moment: &Moment) -> Option<End> {
        self.logs.get(moment.log).reading.life(IT).end
    }

    pub(crate) fn is_frozen(&self, moment: &Moment) -> bool {
        self.logs.get(moment.log).reading.frozen
    }

    /// A quorum lets payments go on.
    pub(crate) fn lift(&self, moment: &Moment) -> Option<Moment> {
        let answer =
            |person| Append::Answer { question: cast::LIFT, asked: cast::LIFT, person, yes: true };
        let asked = self.append(moment, Append::ProposeLifting)?;
        self.append(&self.append(&asked, answer(0))?, answer(1))
    }

    /// The saga's next step. `None` where it waits.
    pub(crate) fn saga(&self, moment: &Moment, round: Round) -> Option<Moment> {
        match self.stage(moment) {
            // `payment/drive.rs` asks no signer meanwhile.
            Stage::Plan | Stage::Sign if self.is_frozen(moment) => None,
            Stage::NotYet | Stage::Over => None,
            Stage::Plan => {
                let holders: Vec<_> = (0..SIGNERS).map(cast::signer).collect();
                let signers = first_signers(&holders, 2, &ids(moment.up))?;
                self.authorise(moment, set(&signers))
            }
            Stage::Sign => self.sign(moment, round),
            Stage::Submit => {
                let (_, tx) = attempt(self.logs.get(moment.log).state(), IT)?;
                let next = self.append(moment, Append::Broadcast { transfer: IT })?;
                Some(Moment { pool: next.pool | one(tx), ..next })
            }
            Stage::Watch => {
                let (_, tx) = attempt(self.logs.get(moment.log).state(), IT)?;
                has(moment.mined, tx)
                    .then(|| self.append(moment, Append::Confirm { transfer: IT }))
                    .flatten()
            }
        }
    }

    /// Every attempt is the same transaction.
    fn authorise(&self, moment: &Moment, signers: Set) -> Option<Moment> {
        let append = Append::Authorise { transfer: IT, tx: 0, coins: 0b01, signers };
        let next = self.append(moment, append)?;
        Some(Moment { tries: 0, ..next })
    }

    /// Orders to the attempt's signers: all give their part, or the saga looks for a way on.
    fn sign(&self, moment: &Moment, round: Round) -> Option<Moment> {
        let log = self.logs.get(moment.log);
        let signers = attempt_signers(&log)?;
        let mut next = moment.clone();
        let mut troubles = Vec::new();
        for (signer, loss) in members(signers).zip(round.losses) {
            let reached = has(moment.up, signer) && loss != Loss::Order;
            let away = Trouble::Away("no answer".to_owned());
            let answer =
                if reached { self.order(&mut next, &log, signer) } else { Err(away.clone()) };
            match answer {
                Ok(()) if loss == Loss::None => {}
                Ok(()) => troubles.push((signer, away)),
                Err(_) if loss == Loss::Answer => troubles.push((signer, away)),
                Err(trouble) => troubles.push((signer, trouble)),
            }
        }
        if troubles.is_empty() {
            return self.append(&next, Append::Signed { transfer: IT });
        }
        self.setback(next, signers, &troubles, round.crash)
    }

    /// What a signer does with an order to sign, who has read all of the log.
    fn order(&self, moment: &mut Moment, log: &Log, signer: u8) -> Result<(), Trouble> {
        let holder = &mut moment.holders[usize::from(signer)];
        let ground = log.grounds.iter().find(|of| of.transfer == IT && of.until.is_none());
        let refused = |refusal| trouble(cast::signer(signer), Reply::Refused(refusal));
        let Some(ground) = ground.filter(|ground| self.stands(*holder, ground, moment.tick)) else {
            let refusal = log.refusal(IT, time(moment.tick));
            return Err(refused(
                refusal
                    .unwrap_or_else(|| Refusal::new(Rule::SignerExpired, "nothing is given twice")),
            ));
        };
        if !holder.signs(signer, ground, moment.tick, self.flaw) {
            let because = "sworn off, or another attempt was consumed";
            return Err(refused(Refusal::new(Rule::SignerAttemptConsumed, because)));
        }
        moment.unfounded |= !ground.stands(moment.tick, holder.is_in_time(ground));
        holder.consume(log, ground);
        // It has read all there is, whenever it acts.
        holder.read = 0;
        Ok(())
    }

    fn stands(&self, holder: Holder, ground: &Ground, tick: u8) -> bool {
        let again = holder.is_in_time(ground) && self.flaw != Some(Flaw::GivesNothingTwice);
        ground.allows(tick, again)
    }

    /// `payment/drive.rs`: what signers refuse is recorded, and the saga's own rule says how to go on.
    fn setback(
        &self,
        mut moment: Moment,
        current: Set,
        troubles: &[(u8, Trouble)],
        crash: bool,
    ) -> Option<Moment> {
        let tries = (moment.tries + 1).min(MOST_TRIES);
        let mut away = 0;
        for (signer, trouble) in troubles {
            match trouble {
                Trouble::Again(_) if tries < MOST_TRIES => {}
                Trouble::Again(_) | Trouble::Away(_) => away |= one(*signer),
                Trouble::Refused(_) => {
                    let refused = Append::Refused { transfer: IT, signer: *signer };
                    moment = self.append(&moment, refused).unwrap_or(moment);
                }
                Trouble::Abort { because, .. } => panic!("no signer cheats here: {because}"),
            }
        }
        if crash {
            return Some(moment.crash());
        }
        moment.tries = tries;
        let holders: Vec<_> = (0..SIGNERS).map(cast::signer).collect();
        let current: Vec<_> = members(current).map(cast::signer).collect();
        let refused = self.logs.get(moment.log).reading.life(IT).refused;
        let next = after(Setback {
            holders: &holders,
            threshold: 2,
            current: &current,
            refused: &ids(refused),
            live: &ids(moment.up),
            away: &ids(away),
            tries: u32::from(tries),
            complete: false,
            over: self.logs.get(moment.log).reading.is_over(IT, moment.tick),
        });
        match next {
            Next::Again | Next::Wait(_) => Some(moment),
            Next::Attempt(_) if self.flaw == Some(Flaw::AsksNobodyElse) => Some(moment),
            Next::Attempt(signers) => self.authorise(&moment, set(&signers)).or(Some(moment)),
            Next::Fail(_) => Some(self.give_up(moment)),
        }
    }

    /// Asks all who can be reached to swear it off; if enough do, it fails.
    fn give_up(&self, mut moment: Moment) -> Moment {
        let log = self.logs.get(moment.log);
        let mut words = 0;
        for signer in members(moment.up) {
            let holder = &mut moment.holders[usize::from(signer)];
            if holder.swears(&log, IT, self.flaw) {
                words |= one(signer);
            }
            holder.read = 0;
        }
        if self.flaw == Some(Flaw::NeverGivesUp) {
            return moment;
        }
        self.append(&moment, Append::Fail { transfer: IT, words }).unwrap_or(moment)
    }

    /// Whether the transfer comes to its end from here if nothing goes wrong any more and no signer
    /// comes back. People lift what they froze, time locks end, and otherwise the clock stands still.
    /// The chain takes what a node was given.
    pub(crate) fn comes_to_an_end(&self, moment: &Moment) -> bool {
        let mut now = moment.clone();
        for _ in 0..40 {
            if self.end(&now).is_some() {
                return true;
            }
            let mut next = if self.is_frozen(&now) {
                self.lift(&now).unwrap_or_else(|| now.clone())
            } else if self.is_locked(&now) {
                Moment { tick: now.tick + 1, ..now.clone() }
            } else {
                self.saga(&now, QUIET).unwrap_or_else(|| now.clone())
            };
            if next.mined == 0 {
                next.mined |= members(next.pool).next().map_or(0, one);
            }
            if next == now {
                return false;
            }
            now = next;
        }
        false
    }

    fn is_locked(&self, moment: &Moment) -> bool {
        let log = self.logs.get(moment.log);
        let Some(transfer) = log.state().transfers.get(&cast::transfer(IT)) else { return false };
        let asked = transfer.asked().and_then(strongroom_domain::transfer::Asked::released_at);
        asked.is_some_and(|released_at| time(moment.tick) < released_at)
    }

    /// Whether what the log calls confirmed is in the chain, and nothing else can be.
    pub(crate) fn is_true(&self, moment: &Moment) -> bool {
        match self.end(moment) {
            Some(End::Confirmed | End::Abandoned) => moment.mined != 0,
            Some(End::Failed | End::CalledOff) => {
                let given = moment.holders.iter().filter(|holder| holder.holds(0)).count();
                moment.pool == 0 && moment.mined == 0 && given < 2
            }
            None => true,
        }
    }

    /// Whether the approval is over, and a signer has committed itself: to its part of the
    /// transaction, or to have none. Then neither may be enough without the one that is down.
    pub(crate) fn ran_out(&self, moment: &Moment) -> bool {
        let committed = moment.holders.iter().any(|holder| *holder != Holder::default());
        committed && self.logs.get(moment.log).reading.is_over(IT, moment.tick)
    }
}

/// Whom the current attempt names.
fn attempt_signers(log: &Log) -> Option<Set> {
    let transfer = log.state().transfers.get(&cast::transfer(IT))?;
    let current = &transfer.attempts()?.current;
    assert_eq!(current.key, KEY);
    Some(set(&current.signers))
}
