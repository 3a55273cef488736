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
}

/// What was set aside for a transfer, and what became of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Aside {
    placed: u8,
    freed: u8,
    spent: u8,
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
    approvals: Set,
    /// The tick at which its approval is over.
    expires: u8,
    hold: Aside,
    coins: Aside,
}

/// What the log says of all of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Reading {
    lives: [Life; TRANSFERS as usize],
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
        let position = u16::try_from(recorded.head.position).unwrap();
        for transfer in 0..TRANSFERS {
            if concerns(recorded.stream, &payload, transfer) {
                self.lives[usize::from(transfer)].note((kind, &payload), position);
            }
        }
    }

    /// Whether enough people who are willing, and did not ask themselves, have approved. By a
    /// clock that shows `tick`, or none.
    pub(crate) fn stands(&self, transfer: u8, tick: Option<u8>) -> bool {
        let life = self.life(transfer);
        let genuine = members(life.approvals).filter(|person| {
            cast::is_willing(transfer, *person) && cast::approver(*person) != cast::maker(transfer)
        });
        life.end.is_none() && genuine.count() >= 2 && tick.is_none_or(|tick| tick < life.expires)
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

impl Life {
    fn note(&mut self, (kind, payload): (&str, &Value), position: u16) {
        match kind {
            "transfer.requested" => self.asked = true,
            "proposal.opened" => {
                let expires: Timestamp = payload["expires_at"].as_str().unwrap().parse().unwrap();
                self.expires = cast::tick(expires);
            }
            "proposal.approved" => {
                let person = payload["approver"].as_str().unwrap();
                let number = (0..cast::APPROVERS)
                    .find(|number| cast::approver(*number).to_string() == person);
                self.approvals |= number.map_or(0, one);
            }
            "transfer.attempt-authorised" => self.attempts += 1,
            "account.hold-placed" => self.hold.placed += 1,
            "account.hold-voided" => self.hold.freed += 1,
            "account.hold-posted" => self.hold.spent += 1,
            "wallet.coins-reserved" => self.coins.placed += 1,
            "wallet.coins-released" => self.coins.freed += 1,
            "wallet.coins-spent" => self.coins.spent += 1,
            _ => {
                let end = match kind {
                    "transfer.refused" | "transfer.rejected" | "transfer.cancelled"
                    | "transfer.expired" => End::CalledOff,
                    "transfer.failed" => End::Failed,
                    "transfer.confirmed" => End::Confirmed,
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
    if let Stream::Proposal(of) = stream {
        return of == cast::proposal(transfer);
    }
    stream == Stream::Transfer(id) || payload["transfer"] == id.to_string()
}
