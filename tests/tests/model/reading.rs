//! What the log says, read a second time from the stored payloads alone. It knows no rule of the
//! product and uses none of its folds: the properties are judged by this.

use crate::cast::{self, AMOUNT, FEE_CAP, TRANSFERS};
use crate::transaction::{Set, members, one};
use serde_json::Value;
use strongroom_domain::{Recorded, State, Stream, Timestamp};

/// How a transfer ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// Nothing was asked of anybody, or nobody may sign it: its funds are free again.
    CalledOff,
    /// After signers had heard of it.
    Failed,
    /// On the chain.
    Confirmed,
    /// Made impossible on the chain.
    Abandoned,
}

/// What was set aside for a transfer, and what became of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Aside {
    placed: u8,
    freed: u8,
    spent: u8,
}

/// A question that people answer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Question {
    approvals: Set,
    /// The tick at which the quorum was reached.
    reached: Option<u8>,
    /// The tick from which on no answer counts.
    expires: u8,
    /// Ticks that it waits after that.
    delay: u8,
}

/// What the log says of a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Life {
    pub(crate) asked: bool,
    pub(crate) end: Option<End>,
    /// Where the entry of its end stands.
    pub(crate) ended_at: u16,
    /// Transactions that signers may have heard of.
    pub(crate) attempts: u8,
    /// Whether its quorum wants it cancelled.
    abandoned: bool,
    /// Signers that refused an attempt.
    pub(crate) refused: Set,
    hold: Aside,
    coins: Aside,
}

/// What the log says of all of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Reading {
    lives: [Life; TRANSFERS as usize],
    /// Of each transfer.
    payments: [Question; TRANSFERS as usize],
    /// Of the first transfer.
    abandonment: Question,
    pub(crate) frozen: bool,
    /// What the client was credited with, less what was posted.
    owed: u128,
}

impl Aside {
    /// Never twice, and exactly once by the end.
    const fn is_sound(self, live: bool, always: bool) -> bool {
        let ended = self.freed + self.spent;
        let placed = if always { self.placed == 1 } else { self.placed <= 1 };
        placed && ended <= self.placed && if live { ended == 0 } else { ended == self.placed }
    }
}

impl Reading {
    pub(crate) fn life(&self, transfer: u8) -> &Life {
        &self.lives[usize::from(transfer)]
    }

    pub(crate) fn lives(&self) -> &[Life] {
        &self.lives
    }

    /// Reads one entry.
    pub(crate) fn note(&mut self, recorded: &Recorded) {
        let payload: Value = serde_json::from_slice(&recorded.event.encode().unwrap()).unwrap();
        let kind = recorded.event.kind().0;
        let posted = kind == "account.posted" || kind == "account.hold-posted";
        for entry in payload["entries"].as_array().into_iter().flatten().filter(|_| posted) {
            let amount: u128 = entry["amount"].as_str().unwrap().parse().unwrap();
            if kind == "account.posted" {
                self.owed += amount;
            } else {
                self.owed -= amount;
            }
        }
        match kind {
            "freeze.set" => self.frozen = true,
            "freeze.lifted" => self.frozen = false,
            _ => {}
        }
        if let Stream::Proposal(id) = recorded.stream {
            if id == cast::proposal(cast::ABANDON) {
                self.abandonment.note((kind, &payload), recorded.time);
            }
            for (number, payment) in (0..).zip(&mut self.payments) {
                if id == cast::proposal(number) {
                    payment.note((kind, &payload), recorded.time);
                }
            }
        }
        let position = u16::try_from(recorded.head.position).unwrap();
        for transfer in 0..TRANSFERS {
            if concerns(recorded.stream, &payload, transfer) {
                self.lives[usize::from(transfer)].note((kind, &payload), position);
            }
        }
    }

    /// Whether a quorum stands for a payment, or for its cancellation, by a clock that shows `tick`;
    /// and nothing has stopped it. `again`: it was in time once.
    pub(crate) fn stands(&self, (transfer, cancels): (u8, bool), tick: u8, again: bool) -> bool {
        let life = self.life(transfer);
        let open = life.end.is_none() && !self.frozen;
        // Once people want it cancelled, nobody has a reason to sign the payment.
        open && if cancels {
            self.abandonment.stands(cast::ABANDON, tick, again)
        } else {
            !life.abandoned && self.payments[usize::from(transfer)].stands(transfer, tick, again)
        }
    }

    /// Whether the approval's time has run out.
    pub(crate) fn is_over(&self, transfer: u8, tick: u8) -> bool {
        let asked = &self.payments[usize::from(transfer)];
        tick >= asked.expires + asked.delay
    }

    /// Whether all that is set aside is somebody's, once, and the fold says the same. What does
    /// not hold is the answer.
    pub(crate) fn check(&self, state: &State) -> Result<(), &'static str> {
        let owed = state.accounts[&cast::ACCOUNT].claim().unwrap();
        let holding = state.wallets[&cast::WALLET].holding().unwrap();
        let aside = &holding.funds.coins().unwrap().reserved;
        let mut sum = 0;
        for transfer in 0..TRANSFERS {
            let life = self.life(transfer);
            let id = cast::transfer(transfer);
            let lives = life.asked && life.end.is_none();
            if !life.hold.is_sound(lives, lives) {
                return Err("a hold is placed once and ended once");
            }
            if !life.coins.is_sound(lives, false) {
                return Err("coins are set aside once, and released or spent once");
            }
            if lives != owed.holds.contains_key(&id) {
                return Err("exactly what lives has a hold");
            }
            if aside.contains_key(&id) != (life.coins.placed > 0 && lives) {
                return Err("exactly what lives has coins set aside");
            }
            if lives {
                sum += AMOUNT + FEE_CAP;
            }
        }
        if owed.pending().units() != sum {
            return Err("what is held is the sum of what lives");
        }
        if owed.total.units() != self.owed {
            return Err("the client is owed what was credited, less what was posted");
        }
        Ok(())
    }
}

impl Question {
    /// Whether enough people who are willing, and did not ask themselves, have approved.
    fn stands(self, question: u8, tick: u8, again: bool) -> bool {
        let genuine = members(self.approvals).filter(|person| {
            cast::is_willing(question, *person) && cast::approver(*person) != cast::maker(question)
        });
        genuine.count() >= 2
            && (again || tick < self.expires + self.delay)
            && self.reached.is_some_and(|reached| tick >= reached + self.delay)
    }

    fn note(&mut self, (kind, payload): (&str, &Value), time: Timestamp) {
        match kind {
            "proposal.opened" => {
                let expires: Timestamp = payload["expires_at"].as_str().unwrap().parse().unwrap();
                self.expires = cast::tick(expires);
                let delay = payload["delay_s"].as_u64().unwrap_or_default();
                self.delay = cast::ticks(delay);
            }
            "proposal.approved" => {
                let person = payload["approver"].as_str().unwrap();
                let number = (0..cast::APPROVERS)
                    .find(|number| cast::approver(*number).to_string() == person);
                self.approvals |= number.map_or(0, one);
            }
            "proposal.quorum-reached" => self.reached = Some(cast::tick(time)),
            _ => {}
        }
    }
}

impl Life {
    fn note(&mut self, (kind, payload): (&str, &Value), position: u16) {
        match kind {
            "transfer.requested" => self.asked = true,
            "transfer.attempt-authorised" | "transfer.return-authorised" => self.attempts += 1,
            "transfer.attempt-refused" => {
                let signer = payload["signer"].as_str().unwrap();
                let number =
                    (0..cast::SIGNERS).find(|number| cast::signer(*number).to_string() == signer);
                self.refused |= number.map_or(0, one);
            }
            "transfer.abandonment-approved" => self.abandoned = true,
            "account.hold-placed" => self.hold.placed += 1,
            "account.hold-voided" => self.hold.freed += 1,
            "account.hold-posted" => self.hold.spent += 1,
            "wallet.coins-reserved" => self.coins.placed += 1,
            "wallet.coins-released" => self.coins.freed += 1,
            "wallet.coins-spent" => self.coins.spent += 1,
            _ => {
                let end = match kind {
                    "transfer.refused" | "transfer.rejected" | "transfer.cancelled"
                    | "transfer.expired" | "transfer.stopped" => End::CalledOff,
                    "transfer.failed" => End::Failed,
                    "transfer.confirmed" => End::Confirmed,
                    "transfer.abandoned" => End::Abandoned,
                    _ => return,
                };
                (self.end, self.ended_at) = (Some(end), position);
            }
        }
    }
}

/// Whether an entry is about a transfer: by its stream, or because it says so.
fn concerns(stream: Stream, payload: &Value, transfer: u8) -> bool {
    let id = cast::transfer(transfer);
    if matches!(stream, Stream::Proposal(_)) {
        return false;
    }
    stream == Stream::Transfer(id) || payload["transfer"] == id.to_string()
}
