//! What a soak found, in figures. It judges nothing: what must not be is in `broken`.

use std::fmt;
use std::time::Duration;

/// Multiples of the calm median that count as delays.
pub(super) const MULTIPLES: [u32; 2] = [2, 10];

/// Times of one kind, sorted.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub(super) fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// So many hundredths are no longer than that.
    pub fn part(&self, hundredths: usize) -> Duration {
        let at = (self.0.len() * hundredths / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).copied().unwrap_or_default()
    }

    /// How many are longer.
    pub fn above(&self, limit: Duration) -> usize {
        self.0.iter().filter(|time| **time > limit).count()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p95, p99, max] = [50, 95, 99, 100].map(|part| self.part(part).as_secs_f64());
        write!(f, "p50 {p50:6.2} s  p95 {p95:6.2} s  p99 {p99:6.2} s  max {max:6.2} s")
    }
}

/// One wallet's withdrawals.
#[derive(Clone, Debug, Default)]
pub struct RailReport {
    /// How its key signs, and where.
    pub name: String,
    /// What clients asked for, in the calm and in the storm.
    pub requested: usize,
    /// What the server took, in the end.
    pub acknowledged: usize,
    /// Paid and final, exactly once by the node's own blocks.
    pub confirmed: usize,
    /// Ended without a payment, with a reason in the log or in the answer.
    pub refused: usize,
    /// Acknowledged, and neither paid nor ended with a reason.
    pub lost: usize,
    /// Paid more than once, or paid although it ended otherwise.
    pub wrong: usize,
    /// From the client's first try to the handing over to the network, before the storm.
    pub calm: Times,
    /// The same in the storm.
    pub storm: Times,
    /// Of each withdrawal's time in the storm, that in which enough was up to make it.
    pub while_up: Times,
}

/// A slow withdrawal: how slow, on which wallet, and what failed meanwhile.
#[derive(Clone, Debug)]
pub struct Slow {
    /// From the client's first try to the handing over to the network.
    pub took: Duration,
    /// Of it, the time in which enough was up.
    pub while_up: Duration,
    /// The transfer, and what failed meanwhile.
    pub story: String,
}

/// What a soak found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seed, and how long it was.
    pub title: String,
    /// Each kind of failure and how often it struck.
    pub blows: Vec<(&'static str, usize)>,
    /// The part of the storm in which enough of everything was up.
    pub enough_up: f64,
    /// Each wallet's withdrawals.
    pub rails: Vec<RailReport>,
    /// How often clients had to repeat a request.
    pub repeated: u64,
    /// The slowest ones.
    pub slowest: Vec<Slow>,
    /// What must not be. Empty, or the soak failed.
    pub broken: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let blows: Vec<_> =
            self.blows.iter().map(|(name, count)| format!("{count} × {name}")).collect();
        writeln!(f, "failures      {}", blows.join(", "))?;
        writeln!(f, "enough up     {:.0} % of the storm", self.enough_up * 100.0)?;
        writeln!(f, "requests      {} had to be repeated", self.repeated)?;
        for rail in &self.rails {
            writeln!(f, "{}", rail.name)?;
            writeln!(
                f,
                "  requested {}, acknowledged {}, confirmed {}, refused {}, lost {}, wrong {}",
                rail.requested,
                rail.acknowledged,
                rail.confirmed,
                rail.refused,
                rail.lost,
                rail.wrong
            )?;
            writeln!(f, "  calm      {:4}  {}", rail.calm.count(), rail.calm)?;
            writeln!(f, "  storm     {:4}  {}", rail.storm.count(), rail.storm)?;
            writeln!(f, "  while up        {}", rail.while_up)?;
            let all = rail.storm.count().max(1);
            let share = |count: usize| format!("{count} ({} %)", count * 100 / all);
            let median = rail.calm.part(50);
            for multiple in MULTIPLES {
                let count = rail.storm.above(median * multiple);
                writeln!(f, "  longer than {multiple:2} × calm median  {}", share(count))?;
            }
            for seconds in [5, 30] {
                let count = rail.storm.above(Duration::from_secs(seconds));
                writeln!(f, "  longer than {seconds:2} s             {}", share(count))?;
            }
        }
        for Slow { took, while_up, story } in &self.slowest {
            let (took, up) = (took.as_secs_f64(), while_up.as_secs_f64());
            writeln!(f, "slow  {took:6.2} s, {up:5.2} s of it with enough up  {story}")?;
        }
        for broken in &self.broken {
            writeln!(f, "BROKEN  {broken}")?;
        }
        Ok(())
    }
}
