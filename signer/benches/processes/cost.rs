//! What something took: by the clock, and of the processor, in all processes that had a part.

use std::fs;
use std::ops::{AddAssign, Sub};
use std::time::Instant;

/// Nanoseconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) wall: u64,
    /// Of the processor, in the measured processes.
    pub(crate) theirs: u64,
    /// Of the processor, in this one.
    pub(crate) own: u64,
}

impl Cost {
    /// Of the processor, everywhere.
    pub(crate) const fn cpu(self) -> u64 {
        self.theirs.saturating_add(self.own)
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.theirs += other.theirs;
        self.own += other.own;
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            wall: self.wall.saturating_sub(other.wall),
            theirs: self.theirs.saturating_sub(other.theirs),
            own: self.own.saturating_sub(other.own),
        }
    }
}

/// Several of the same thing.
#[derive(Default)]
pub(crate) struct Costs(Vec<Cost>);

impl Costs {
    pub(crate) fn push(&mut self, cost: Cost) {
        self.0.push(cost);
    }

    /// The median of each.
    pub(crate) fn typical(&self) -> Cost {
        let median = |of: fn(&Cost) -> u64| {
            let mut all: Vec<u64> = self.0.iter().map(of).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        Cost {
            wall: median(|cost| cost.wall),
            theirs: median(|cost| cost.theirs),
            own: median(|cost| cost.own),
        }
    }
}

/// Nanoseconds that the threads of a process that still live have run.
fn processor(process: &str) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let run = tasks.filter_map(|task| {
        // A thread may end meanwhile.
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    run.sum()
}

/// Something that is being measured.
pub(crate) struct Meter {
    processes: Vec<String>,
    before: (u64, u64),
    started: Instant,
}

impl Meter {
    fn read(processes: &[String]) -> (u64, u64) {
        // A running thread's time is counted when it leaves the processor.
        std::thread::yield_now();
        (processes.iter().map(|id| processor(id)).sum(), processor("self"))
    }

    /// Of this process and these.
    pub(crate) fn start(processes: &[u32]) -> Self {
        let processes: Vec<_> = processes.iter().map(ToString::to_string).collect();
        let before = Self::read(&processes);
        Self { processes, before, started: Instant::now() }
    }

    pub(crate) fn stop(self) -> Cost {
        let wall = u64::try_from(self.started.elapsed().as_nanos()).unwrap();
        let (theirs, own) = Self::read(&self.processes);
        let (before, own_before) = self.before;
        Cost { wall, theirs: theirs.saturating_sub(before), own: own.saturating_sub(own_before) }
    }
}

/// Does something, and says what it took this process and these.
pub(crate) fn cost<T>(processes: &[u32], run: impl FnOnce() -> T) -> (Cost, T) {
    let meter = Meter::start(processes);
    let result = run();
    (meter.stop(), result)
}

/// Milliseconds, for people.
pub(crate) fn ms(nanoseconds: u64) -> String {
    let ms = nanoseconds as f64 / 1e6;
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

/// A ratio, for people.
pub(crate) fn times(ours: u64, theirs: u64) -> String {
    format!("{:.2} x", ours as f64 / theirs.max(1) as f64)
}
