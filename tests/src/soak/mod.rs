//! A soak: withdrawals at a steady pace on three wallets through the real interface, a calm, then a
//! storm of failures that a seed scripts, then the reckoning. It says what was delayed and lost; whoever
//! runs it decides what is too much.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    reason = "a scaffold that cannot stand is a failed test, which is what a panic says"
)]

mod cable;
mod chain;
mod ground;
mod payer;
mod random;
mod reckoning;
mod report;
pub mod storm;
mod trail;
mod weather;

#[cfg(test)]
mod tests;

pub use report::{RailReport, Report, Slow, Times};

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use self::cable::Cable;
use self::ground::Rail;
use self::payer::{Asked, Payer, now};
use self::reckoning::Spell;
use self::storm::{Blow, Climate};
use self::trail::Trail;
use self::weather::Weather;
use crate::deployment::{Deployment, Desk, Networks};
use crate::journey::PATIENCE;

/// How a soak is run.
#[derive(Clone, Copy, Debug)]
pub struct Soak {
    /// What the storm is drawn from.
    pub seed: u64,
    /// How long withdrawals are asked for before it.
    pub calm: Duration,
    /// How it is.
    pub climate: Climate,
    /// Between two requests on each wallet.
    pub pace: Duration,
    /// Between two blocks.
    pub block: Duration,
}

impl Soak {
    /// Runs it in an empty folder.
    pub fn run(&self, root: &Path) -> Report {
        let asking = self.calm + self.climate.length;
        let count = usize::try_from(asking.as_millis() / self.pace.as_millis()).expect("a number");
        let (mut strongroom, cables, rails) = ground::prepare(root, count);
        let blows = storm::script(self.seed, self.climate);
        println!("   soak      {count} withdrawals on each of {} wallets", rails.len());
        let (asked, spells, storm) = self.storm(&mut strongroom, &cables, &rails, &blows, count);
        println!("   soak      the storm is over");
        let mut trail = Trail::open(&strongroom.log_file());
        let Deployment { networks, .. } = &strongroom;
        mining(networks, self.block, || reckoning::wait(&mut trail, &asked, PATIENCE * 2));
        self.reckon(&mut strongroom, &rails, (&asked, &trail), (&spells, storm))
    }

    /// Everything at once: what was asked, what failed when, and when the storm began.
    fn storm(
        &self,
        strongroom: &mut Deployment,
        cables: &[Cable],
        rails: &[Rail],
        blows: &[Blow],
        count: usize,
    ) -> (Vec<Asked>, Vec<Spell>, u64) {
        let Deployment { desk, networks, signers, server, .. } = strongroom;
        let desk: &Desk = desk;
        mining(networks, self.block, || {
            std::thread::scope(|scope| {
                let began = Instant::now();
                let asking = scope.spawn(|| self.ask(desk, rails, count));
                std::thread::sleep(self.calm.saturating_sub(began.elapsed()));
                let storm = now();
                let spells = Weather::new(server, signers, cables).rage(blows);
                (asking.join().expect("the clients"), spells, storm)
            })
        })
    }

    /// So many withdrawals on each wallet, one after the other begun at its time, whatever became of the
    /// one before.
    fn ask(&self, desk: &Desk, rails: &[Rail], count: usize) -> Vec<Asked> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let patience = self.calm + self.climate.length + PATIENCE;
        runtime.expect("a runtime").block_on(async {
            let payer = Arc::new(Payer::new(desk, rails, patience));
            let mut turn = tokio::time::interval(self.pace);
            let mut asking = JoinSet::new();
            for number in 0..count {
                turn.tick().await;
                for rail in 0..rails.len() {
                    let payer = Arc::clone(&payer);
                    asking.spawn(async move { payer.pay(rail, number).await });
                }
            }
            asking.join_all().await
        })
    }

    fn reckon(
        &self,
        strongroom: &mut Deployment,
        rails: &[Rail],
        (asked, trail): (&[Asked], &Trail),
        (spells, storm): (&[Spell], u64),
    ) -> Report {
        let mut report = Report {
            title: format!(
                "seed {}, calm {:?}, storm {:?}, one withdrawal every {:?} on each wallet",
                self.seed, self.calm, self.climate.length, self.pace
            ),
            repeated: asked.iter().map(|one| u64::from(one.repeated)).sum(),
            ..Report::default()
        };
        let mut kinds = BTreeMap::<_, usize>::new();
        for spell in spells {
            *kinds.entry(spell.fault.name()).or_default() += 1;
        }
        report.blows = kinds.into_iter().collect();
        report.enough_up = enough_up(spells);
        for rail in rails.iter().enumerate() {
            let of = (asked, trail);
            let (one, slow) =
                reckoning::rail(rail, strongroom, of, (spells, storm), &mut report.broken);
            report.rails.push(one);
            report.slowest.extend(slow);
        }
        report.slowest.sort_by_key(|slow| std::cmp::Reverse((slow.while_up, slow.took)));
        report.slowest.truncate(12);
        reckoning::whole(strongroom, trail, &mut report.broken);
        strongroom.stop();
        report
    }
}

/// Of the time from the first failure to the last mending, the part in which every wallet had enough.
fn enough_up(spells: &[Spell]) -> f64 {
    let from = spells.iter().map(|it| it.from).min().unwrap_or(0);
    let until = spells.iter().map(|it| it.until).max().unwrap_or(0).max(from + 1);
    let up = reckoning::while_up(spells, true, from, until);
    up.as_secs_f64() / Duration::from_micros(until - from).as_secs_f64()
}

/// Blocks at a steady pace on every network for as long as `work` takes.
fn mining<T>(networks: &Networks, every: Duration, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for network in networks.all() {
                    networks.mine(network, 1);
                }
                std::thread::sleep(every);
            }
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
