//! What something took: by the clock, and of the processor, in all processes that had a part.

use std::fs;
use std::ops::AddAssign;
use std::time::Instant;

/// Nanoseconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) wall: u64,
    /// Of the measured processes and of this one.
    pub(crate) cpu: u64,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// Several of the same thing.
#[derive(Default)]
pub(crate) struct Costs(Vec<Cost>);

impl Costs {
    pub(crate) fn push(&mut self, cost: Cost) {
        self.0.push(cost);
    }

    /// The median by the clock, and the mean of the processor: its counters are coarse.
    pub(crate) fn typical(&self) -> Cost {
        let mut walls: Vec<u64> = self.0.iter().map(|cost| cost.wall).collect();
        walls.sort_unstable();
        let sum: u64 = self.0.iter().map(|cost| cost.cpu).sum();
        let count = self.0.len().max(1);
        Cost { wall: walls[self.0.len() / 2], cpu: sum / count as u64 }
    }
}

/// Nanoseconds that the threads of a process that still live have run.
pub(crate) fn processor(process: &str) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let run = tasks.filter_map(|task| {
        // A thread may end meanwhile.
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    run.sum()
}

/// Does something, and says what it took this process and these.
pub(crate) fn cost<T>(processes: &[u32], run: impl FnOnce() -> T) -> (Cost, T) {
    let all = || {
        let others = processes.iter().map(|id| processor(&id.to_string()));
        others.sum::<u64>() + processor("self")
    };
    let before = all();
    let started = Instant::now();
    let result = run();
    let wall = u64::try_from(started.elapsed().as_nanos()).unwrap();
    (Cost { wall, cpu: all().saturating_sub(before) }, result)
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
