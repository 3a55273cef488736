//! Does to a deployment what a storm's script says, and mends it again at the time that the script
//! says. It waits for nothing but the clock and for processes to start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::cable::{Cable, Mode};
use super::payer::now;
use super::reckoning::Spell;
use super::storm::{Blow, Fault, POOL};
use crate::deployment::{Hang, Server, SignerProcess, token};

/// What a storm has hold of.
pub(super) struct Weather<'a> {
    pub(super) server: &'a mut Server,
    pub(super) signers: &'a mut [SignerProcess],
    pub(super) cables: &'a [Cable],
    hangs: BTreeMap<usize, Hang>,
    tokens: BTreeMap<usize, PathBuf>,
}

impl<'a> Weather<'a> {
    pub(super) fn new(
        server: &'a mut Server,
        signers: &'a mut [SignerProcess],
        cables: &'a [Cable],
    ) -> Self {
        let tokens = POOL.iter().map(|member| (*member, token(&signers[*member]))).collect();
        Self { server, signers, cables, hangs: BTreeMap::new(), tokens }
    }

    /// The whole script, from now on. Everything is mended at its end. What came when by the clock.
    pub(super) fn rage(&mut self, blows: &[Blow]) -> Vec<Spell> {
        let (began, mut spells) = (Instant::now(), Vec::<Spell>::new());
        let mut turns: Vec<(Duration, bool, Blow)> = Vec::new();
        for blow in blows {
            turns.push((blow.at, true, *blow));
            turns.push((blow.until(), false, *blow));
        }
        turns.sort_by_key(|(when, begins, _)| (*when, *begins));
        for (when, begins, blow) in turns {
            std::thread::sleep(when.saturating_sub(began.elapsed()));
            if begins {
                println!("   storm     {blow}");
                self.strike(blow.fault);
                spells.push(Spell { fault: blow.fault, from: now(), until: u64::MAX });
            } else {
                self.mend(blow.fault);
                let over = spells.iter_mut().rfind(|spell| spell.fault == blow.fault);
                over.expect("it began").until = now();
            }
        }
        spells
    }

    fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::SignerKilled(one) => self.signers[one].kill(),
            Fault::SignerHangs(one) => self.signers[one].signal("STOP"),
            Fault::CableCut(one) => self.cables[one].is_now(Mode::Cut),
            Fault::CableSilent(one) => self.cables[one].is_now(Mode::Silent),
            Fault::TwoKilled(one, other) => {
                self.signers[one].kill();
                self.signers[other].kill();
            }
            Fault::TokenGone(one) => self.unplug(one),
            Fault::TokenHangs(one) => {
                self.hangs.insert(one, Hang::begin(&self.tokens[&one]));
            }
            Fault::PoolGone => POOL.iter().for_each(|one| self.unplug(*one)),
            Fault::ServerKilled => self.server.kill(),
            Fault::ServerHangs => self.server.signal("STOP"),
        }
    }

    fn mend(&mut self, fault: Fault) {
        match fault {
            Fault::SignerKilled(one) => self.signers[one].start(),
            Fault::SignerHangs(one) => self.signers[one].signal("CONT"),
            Fault::CableCut(one) | Fault::CableSilent(one) => {
                self.cables[one].is_now(Mode::Whole);
            }
            Fault::TwoKilled(one, other) => {
                self.signers[one].start();
                self.signers[other].start();
            }
            Fault::TokenGone(one) => self.plug_in(one),
            Fault::TokenHangs(one) => drop(self.hangs.remove(&one)),
            Fault::PoolGone => POOL.iter().for_each(|one| self.plug_in(*one)),
            Fault::ServerKilled => self.server.start(),
            Fault::ServerHangs => self.server.signal("CONT"),
        }
    }

    fn unplugged(&self, signer: usize) -> PathBuf {
        self.signers[signer].folder.join("unplugged")
    }

    fn unplug(&self, signer: usize) {
        std::fs::rename(&self.tokens[&signer], self.unplugged(signer)).expect("a token");
    }

    fn plug_in(&self, signer: usize) {
        std::fs::rename(self.unplugged(signer), &self.tokens[&signer]).expect("a token");
    }
}
