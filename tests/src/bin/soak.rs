//! Withdrawals under a scripted storm of signer, HSM and server failures: how many were delayed, and
//! whether any was lost. Ends with 1 where anything was not as it must be. It asserts no speed.

#![allow(clippy::print_stdout, reason = "printing figures is what this program is for")]
#![allow(clippy::expect_used, reason = "a measurement: it stops where it can't go on")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use strongroom_tests::soak::Soak;
use strongroom_tests::soak::storm::Climate;

/// Withdrawals under a storm of failures.
#[derive(Parser)]
struct Arguments {
    /// What the storm is drawn from: the same seed, the same storm.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long it is.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// How long withdrawals are made before it, in seconds: what delays are held against.
    #[arg(long, default_value_t = 60)]
    calm_s: u64,
    /// Between two requests on each of the three wallets, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    pace_ms: u64,
    /// Between the beginnings of two failures, in seconds, at most.
    #[arg(long, default_value_t = 6)]
    gap_s: u64,
    /// How long a failure lasts, in seconds, at most.
    #[arg(long, default_value_t = 10)]
    lasts_s: u64,
    /// Where everything lies, and stays afterwards; else a folder that is removed.
    #[arg(long)]
    root: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir().expect("a folder");
    let root = arguments.root.as_deref().unwrap_or(temporary.path());
    let soak = Soak {
        seed: arguments.seed,
        calm: Duration::from_secs(arguments.calm_s),
        climate: Climate {
            gap: (Duration::from_millis(500), Duration::from_secs(arguments.gap_s)),
            lasts: (Duration::from_millis(500), Duration::from_secs(arguments.lasts_s)),
            length: Duration::from_mins(arguments.minutes),
        },
        pace: Duration::from_millis(arguments.pace_ms),
        block: Duration::from_secs(1),
    };
    let report = soak.run(root);
    println!("\n{report}");
    ExitCode::from(u8::from(!report.broken.is_empty()))
}
