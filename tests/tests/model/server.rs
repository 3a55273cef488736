//! What a hostile server can try to append to a log, within bounds. It never says what of it is
//! lawful: the product does.

use crate::append::Append;
use crate::cast::{self, TRANSFERS};
use crate::flaw::Flaw;
use crate::log::Log;
use crate::transaction::{self, Pays, Set};
use strongroom_domain::State;
use strongroom_domain::transfer::Transfer;

/// How much there is to explore.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a dimension of its own")]
pub(crate) struct Bounds {
    /// Transfers that are asked for.
    pub(crate) transfers: u8,
    /// Whether people also say no, makers take back and an officer stops.
    pub(crate) quarrels: bool,
    /// Whether an officer freezes the wallet.
    pub(crate) freezes: bool,
    /// Whether an approved transfer waits for a tick.
    pub(crate) locked: bool,
    /// Whether people want the first transfer abandoned.
    pub(crate) abandons: bool,
    /// Whether attempts may spend other coins, and pay others.
    pub(crate) tricks: bool,
    /// Attempts of each transfer.
    pub(crate) attempts: u8,
    /// The last tick of the clock.
    pub(crate) last_tick: u8,
}

impl Bounds {
    /// What the server can try to append. The product says what of it is lawful.
    pub(crate) fn candidates(
        self,
        log: &Log,
        words: &[Set],
        now: u8,
        flaw: Option<Flaw>,
    ) -> Vec<(Append, u8)> {
        let last = log.tick();
        let mut all = Vec::new();
        if self.freezes && !log.reading.frozen {
            all.push((Append::Freeze, last));
        }
        if self.abandons && log.reading.life(0).attempts > 0 {
            all.push((Append::ProposeAbandonment, now));
            let answers = self.answers(log, cast::ABANDON);
            all.extend(dated(answers, last, now));
        }
        for transfer in 0..self.transfers {
            let life = log.reading.life(transfer);
            if !life.asked {
                all.push((Append::Request { transfer }, now));
                continue;
            }
            if life.end.is_some() {
                continue;
            }
            // A date matters only to what a time limits: everything else is dated as early as can
            // be, which leaves the most open.
            all.extend(dated(self.answers(log, transfer), last, now));
            if self.quarrels {
                all.push((Append::Cancel { transfer }, last));
                all.push((Append::Stop { transfer }, last));
            }
            all.push((Append::Expire { transfer }, now));
            if life.attempts < self.attempts {
                let latest = match flaw {
                    Some(Flaw::IgnoresTimeLock) => self.last_tick,
                    _ if self.locked => now,
                    _ => last,
                };
                all.extend(dated(self.attempts(log, transfer), last, latest));
            }
            all.push((Append::Signed { transfer }, last));
            all.push((Append::Confirm { transfer }, last));
            all.push((Append::Abandoned { transfer }, last));
            let words = words[usize::from(transfer)];
            all.push((Append::Fail { transfer, words }, last));
            all.extend(unlawful(log.state(), transfer, flaw).map(|append| (append, last)));
        }
        all
    }

    /// People answer in the order of their numbers: any other order is the same with other names.
    fn answers(self, log: &Log, question: u8) -> Vec<Append> {
        let proposal = log.state().proposals.get(&cast::proposal(question));
        let Some(answers) = proposal.and_then(|proposal| proposal.answers()) else {
            return Vec::new();
        };
        let has_spoken = |person: u8| {
            let id = cast::approver(person);
            answers.approvals.contains_key(&id) || answers.declined.contains(&id)
        };
        let mut all = Vec::new();
        for person in (0..cast::APPROVERS).filter(|person| !has_spoken(*person)) {
            let later = (person..cast::APPROVERS).any(has_spoken);
            // The second transfer tells the members of the group apart.
            let next = (0..person).all(has_spoken) || question == 1;
            if cast::is_willing(question, person) && next && !later {
                all.push(Append::Answer { question, asked: question, person, yes: true });
                if self.quarrels && question == 0 {
                    all.push(Append::Answer { question, asked: question, person, yes: false });
                }
            }
            // A signature that was made for another transfer.
            for asked in (0..self.transfers).filter(|asked| *asked != question) {
                if cast::is_willing(asked, person) {
                    all.push(Append::Answer { question, asked, person, yes: true });
                }
            }
        }
        all
    }

    fn attempts(self, log: &Log, transfer: u8) -> Vec<Append> {
        // The first two whom the log ever names are called 0 and 1.
        let first = (0..TRANSFERS).all(|transfer| log.reading.life(transfer).attempts == 0);
        let pairs: &[Set] = if first { &[0b011] } else { &[0b011, 0b101, 0b110] };
        let mut all = Vec::new();
        for tx in transaction::of(transfer) {
            let known = transaction::get(tx);
            let aside: &[Set] = if self.tricks && !known.is_cancellation() {
                &[0b01, 0b10]
            } else {
                &[known.coins]
            };
            let wanted = match known.pays {
                Pays::Payee => true,
                Pays::Thief => self.tricks,
                Pays::Nobody => self.abandons,
            };
            if !wanted {
                continue;
            }
            for (coins, signers) in aside.iter().flat_map(|c| pairs.iter().map(move |s| (*c, *s))) {
                all.push(Append::Authorise { transfer, tx, coins, signers });
            }
        }
        all
    }
}

/// Each with every date that it can have.
fn dated(answers: Vec<Append>, first: u8, last: u8) -> impl Iterator<Item = (Append, u8)> {
    answers.into_iter().flat_map(move |answer| (first..=last).map(move |at| (answer, at)))
}

/// What no rule allows, and a flaw lets pass.
fn unlawful(state: &State, transfer: u8, flaw: Option<Flaw>) -> Option<Append> {
    match (flaw?, state.transfers.get(&cast::transfer(transfer))?) {
        (Flaw::BelievesTheLog, Transfer::AwaitingApproval(_)) => {
            Some(Append::SayApproved { transfer })
        }
        (Flaw::FailsWithoutWords, Transfer::Signing(_)) => {
            Some(Append::FailUnheard { transfer, release: true })
        }
        (Flaw::KeepsCoins, Transfer::Signing(_)) => {
            Some(Append::FailUnheard { transfer, release: false })
        }
        _ => None,
    }
}
