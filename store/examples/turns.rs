//! One side of a comparison with programs that cannot be linked with ours: `benches-es` starts it
//! and takes turns with it. Never decides how long a turn lasts.
//!
//! `turns LOCATION`: opens a new log there; for each line `WRITERS MILLISECONDS` on standard input
//! lets that many writers append for so long, and answers with a line: appends, seconds, and each
//! append's microseconds.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, reason = "it answers on standard output")]

#[expect(dead_code, reason = "shared with the benches, which use the rest")]
#[path = "../benches/workload/mod.rs"]
mod workload;

use std::io::Write;
use std::time::Duration;

use strongroom_store::{LogLocation, Options};
use tokio::runtime::Runtime;

fn main() {
    let location = std::env::args().nth(1).unwrap();
    // A bench's server listens on a socket only, so its URL names no host.
    let location = if location.starts_with("postgres") {
        LogLocation::Postgres(location)
    } else {
        location.parse().unwrap()
    };
    let runtime = Runtime::new().unwrap();
    let log = runtime.block_on(location.open(&Options::default())).unwrap();
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (writers, length) = line.split_once(' ').unwrap();
        let length = Duration::from_millis(length.parse().unwrap());
        let done = runtime.block_on(workload::write(&log, writers.parse().unwrap(), 0, length));
        let taken: Vec<_> = done.taken.iter().map(|one| one.as_micros().to_string()).collect();
        println!("{} {} {}", taken.len(), done.spent.as_secs_f64(), taken.join(" "));
        std::io::stdout().flush().unwrap();
    }
}
