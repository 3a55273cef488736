//! All that can happen to the honest server, as a model to explore.

use crate::append::Append;
use crate::cast::{self, SIGNERS, TICKS};
use crate::honest::{Honest, IT, Loss, Moment, QUIET, Round};
use crate::transaction::{TxId, one};
use stateright::{Model, Property};
use strongroom_commands::payment::Step as Stage;

/// A transfer that people approved ends while two signers, the server and a node run.
pub(crate) const ENDS: &str = "no approved transfer is stuck while two signers run";
/// With all three, it does whatever has happened.
pub(crate) const ENDS_AT_LAST: &str = "no approved transfer is stuck while all signers run";
/// Neither side says what the chain does not.
pub(crate) const TRUE: &str = "what is confirmed is in the chain, and what failed never is";
pub(crate) const QUORUM: &str = "no signature without a standing quorum";
pub(crate) const SOUND: &str = "the ledger is sound";

/// Attempts that are explored; from each state the run to the end makes as many as it takes.
const ATTEMPTS: u8 = 2;

/// What happens next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// People ask, answer and take back.
    People(Append),
    /// A quorum lifts the freeze.
    Lift,
    /// The server closes a proposal whose time is over.
    Expire,
    /// The saga's next step, and what gets lost in it.
    Saga(Round),
    ServerCrash,
    /// A signer stops, or starts.
    Toggle {
        signer: u8,
    },
    Mine {
        tx: TxId,
    },
    Tick,
}

fn rounds() -> impl Iterator<Item = Round> {
    let losses = [Loss::None, Loss::Order, Loss::Answer];
    let pairs = losses.into_iter().flat_map(move |a| losses.map(|b| [a, b]));
    pairs.flat_map(|losses| [false, true].map(|crash| Round { losses, crash }))
}

impl Honest {
    fn people(&self, moment: &Moment) -> Vec<Append> {
        let log = self.logs.get(moment.log);
        let life = log.reading.life(IT);
        if !life.asked {
            return vec![Append::Request { transfer: IT }];
        }
        let proposal = log.state().proposals.get(&cast::proposal(IT));
        let Some(answers) = proposal.and_then(|proposal| proposal.answers()) else {
            return Vec::new();
        };
        let person = u8::try_from(answers.approvals.len() + answers.declined.len()).unwrap();
        let answer = |yes| Append::Answer { question: IT, asked: IT, person, yes };
        if self.freezes {
            return vec![answer(true)];
        }
        vec![answer(true), answer(false), Append::Cancel { transfer: IT }]
    }

    fn is_approved(&self, moment: &Moment) -> bool {
        !matches!(self.stage(moment), Stage::NotYet | Stage::Over)
    }
}

impl Model for Honest {
    type State = Moment;
    type Action = Step;

    fn init_states(&self) -> Vec<Moment> {
        vec![Moment::first()]
    }

    fn actions(&self, moment: &Moment, steps: &mut Vec<Step>) {
        if self.logs.get(moment.log).wrong.is_some() || moment.unfounded {
            return;
        }
        steps.extend(self.people(moment).into_iter().map(Step::People));
        steps.push(Step::Expire);
        if self.is_frozen(moment) {
            steps.push(Step::Lift);
        } else if self.freezes && self.is_approved(moment) {
            steps.push(Step::People(Append::Freeze));
        }
        match self.stage(moment) {
            Stage::Sign => steps.extend(rounds().map(Step::Saga)),
            Stage::NotYet | Stage::Plan | Stage::Submit | Stage::Watch | Stage::Over => {
                steps.push(Step::Saga(QUIET));
            }
        }
        steps.push(Step::ServerCrash);
        steps.extend((0..SIGNERS).map(|signer| Step::Toggle { signer }));
        steps.extend((0..1).filter(|tx| moment.can_mine(*tx)).map(|tx| Step::Mine { tx }));
        // A freeze is explored while the approval lasts.
        if moment.tick < if self.freezes { 1 } else { TICKS - 1 } {
            steps.push(Step::Tick);
        }
    }

    fn next_state(&self, moment: &Moment, step: Step) -> Option<Moment> {
        let next = match step {
            Step::People(append) => self.append(moment, append)?,
            Step::Lift => self.lift(moment)?,
            Step::Expire => {
                // `payment/expiry.rs` looks only for what nobody signs yet.
                let early = matches!(self.stage(moment), Stage::NotYet | Stage::Plan);
                let expired = early.then(|| self.append(moment, Append::Expire { transfer: IT }));
                expired.flatten()?
            }
            Step::Saga(round) => self.saga(moment, round)?,
            Step::ServerCrash => moment.crash(),
            Step::Toggle { signer } => moment.toggle(signer, self.flaw),
            Step::Mine { tx } => Moment { mined: moment.mined | one(tx), ..moment.clone() },
            Step::Tick => Moment { tick: moment.tick + 1, ..moment.clone() },
        };
        (next != *moment).then_some(next)
    }

    fn within_boundary(&self, moment: &Moment) -> bool {
        let most = if self.freezes { 1 } else { ATTEMPTS };
        self.logs.get(moment.log).reading.life(IT).attempts <= most
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ENDS, |model, moment: &Moment| {
                moment.up.count_ones() < 2
                    || !model.is_approved(moment)
                    || model.ran_out(moment)
                    || model.comes_to_an_end(moment)
            }),
            Property::always(ENDS_AT_LAST, |model, moment: &Moment| {
                let all = Moment { up: 0b111, ..moment.clone() };
                !model.is_approved(moment) || model.comes_to_an_end(&all)
            }),
            Property::always(TRUE, Self::is_true),
            Property::always(QUORUM, |_, moment: &Moment| !moment.unfounded),
            Property::always(SOUND, |model, moment: &Moment| {
                model.logs.get(moment.log).wrong.is_none()
            }),
        ]
    }
}
