//! How many complete withdrawals a second, from request to signed, on this machine: real server,
//! real signers, real nodes; request and both approvals over REST, each approval with its own
//! signature. Prints where the processors' time went. It asserts nothing about speed.

#![allow(clippy::print_stdout, reason = "printing figures is what this program is for")]
#![allow(
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "a measurement: it stops at the first thing that is not as it must be"
)]

use std::time::{Duration, Instant};

use clap::Parser;
use strongroom_domain::Network;
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::withdrawals::{Withdrawals, raise_limit, signings};

/// Withdrawals per second, from request to signed.
#[derive(Parser)]
struct Arguments {
    /// `ethereum-dev` (HSM) or `litecoin-regtest` (2-of-3 FROST, one coin each).
    #[arg(long, default_value = "ethereum-dev")]
    network: Network,
    /// How many withdrawals.
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// How many clients ask at once.
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// What the server lets one token ask in a second: three tokens ask for everything here.
    #[arg(long, default_value_t = 100_000)]
    requests_per_second: u32,
    /// Measure approvals instead: how long each takes, from its request to the durable event.
    #[arg(long)]
    approvals: bool,
    /// Begin at most so many approvals in a second. Without it each client begins its next one at
    /// once, which measures what the machine can do and not what a person waits for.
    #[arg(long, requires = "approvals")]
    per_second: Option<u32>,
}

fn main() {
    let arguments = Arguments::parse();
    let root = tempfile::tempdir().expect("a folder");
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    raise_limit(&mut strongroom, arguments.requests_per_second);
    let load = Withdrawals::prepare(&strongroom, arguments.network, arguments.count);
    if arguments.approvals {
        approvals(&arguments, &load);
        strongroom.stop();
        return;
    }
    // A profiler may wait for this line.
    println!("asking begins, server {}", strongroom.server.id());
    let before = processor_times(&strongroom, arguments.network);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let started = Instant::now();
    runtime.block_on(load.make(arguments.count, arguments.clients));
    let approved = started.elapsed();
    drop(signings(&strongroom, arguments.count));
    let signed = started.elapsed();
    let after = processor_times(&strongroom, arguments.network);
    let count = arguments.count as f64;
    println!("network            {}", arguments.network);
    println!("withdrawals        {}, {} clients", arguments.count, arguments.clients);
    println!("all approved after {approved:?}: {:.0} a second", count / approved.as_secs_f64());
    println!("all signed after   {signed:?}: {:.0} a second", count / signed.as_secs_f64());
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        let spent = after.saturating_sub(*before).as_secs_f64();
        println!("  {name:<10} {:>7.2} ms of processor a withdrawal", spent * 1000.0 / count);
    }
    strongroom.stop();
}

/// Prints how long approvals take.
fn approvals(arguments: &Arguments, load: &Withdrawals) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let &Arguments { count, clients, per_second, .. } = arguments;
    let begun = Instant::now();
    let mut took = runtime.block_on(load.first_approvals(count, clients, per_second));
    took.sort_unstable();
    let part = |hundredths: usize| took.get(count * hundredths / 100).or(took.last()).copied();
    println!("approvals          {count}, {clients} clients, at most {per_second:?} a second");
    println!("with their requests {:?}", begun.elapsed());
    for hundredths in [50, 95, 99] {
        println!("p{hundredths:<3}               {:?}", part(hundredths).unwrap_or_default());
    }
}

/// Processor time of each process so far: ours, the chain's node, this program.
fn processor_times(strongroom: &Deployment, network: Network) -> Vec<(String, Duration)> {
    let mut all = vec![("server".to_owned(), processor_time(strongroom.server.id()))];
    for (number, signer) in strongroom.signers.iter().enumerate() {
        all.push((format!("signer-{}", number + 1), processor_time(signer.process())));
    }
    let node = match network.family() {
        strongroom_domain::Family::Ethereum => "anvil",
        strongroom_domain::Family::Bitcoin => "litecoind",
    };
    let own = std::process::id();
    let nodes = children(own).into_iter().filter(|id| name(*id).starts_with(node));
    all.push((node.to_owned(), nodes.map(processor_time).sum()));
    all.push(("load".to_owned(), processor_time(own)));
    all
}

/// User and system time together (proc(5), fields 14 and 15).
fn processor_time(id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 =
        after.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    Duration::from_millis(ticks * 10)
}

fn name(id: u32) -> String {
    std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default()
}

/// The processes that this thread's process started (its main thread did).
fn children(of: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children"));
    text.unwrap_or_default().split_whitespace().filter_map(|id| id.parse().ok()).collect()
}
