//! The program `strongroom-replay`. Never writes anywhere but to standard output, standard error,
//! and the new files that a command is told to make.

mod command;
mod output;
mod pins;

use clap::{Parser, Subcommand};
use output::Output;
use std::process::ExitCode;

/// Checks a Strongroom log without trusting who wrote it.
///
/// A SOURCE is a server's SQLite file, an export (one file, or a folder with a manifest), `-` for an
/// export on standard input, or a store: sqlite:PATH, postgres://USER@HOST/DATABASE,
/// kurrentdb://HOST.
#[derive(Parser)]
#[command(name = "strongroom-replay", version, after_help = output::exit_codes())]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// One JSON object instead of text.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Checks every entry: hashes, order, signatures, quorums, policies, transactions, balances.
    Verify(command::verify::Verify),
    /// Checks form, hashes, order and tree only, quickly. No rule of custody is checked.
    Chain(command::verify::Chain),
    /// Checks a log, and holds a server's read model against it. The server may be running.
    Compare(command::compare::Compare),
    /// Makes a read model from nothing, from a log that is verified on the way.
    Rebuild(command::rebuild::Rebuild),
    /// Checks a receipt: one entry, proven to anybody who knows the log's and witnesses' keys.
    Receipt(command::receipt::CheckReceipt),
    /// Prints the witness policy that a log's charter makes (C2SP tlog-policy).
    Policy(command::receipt::Policy),
    /// Watches logs for others: cosigns a checkpoint only if it continues the one before.
    Witness(command::witness::Witness),
    /// Tells the story of a transfer from a verified log: a page that a judge could read.
    Explain(command::explain::Explain),
    /// Says what stood at a moment: balances, policy, people, wallets, keys, open questions.
    AsOf(command::as_of::AsOf),
    /// Finds the first entry where two logs part.
    Diff(command::diff::DiffLogs),
    /// Writes a log as an export. Checks nothing.
    Export(command::export::Export),
}

fn main() -> ExitCode {
    let Cli { command, json } = Cli::parse();
    let output = Output { json };
    let done = match &command {
        Command::Verify(verify) => verify.run(&output),
        Command::Chain(chain) => chain.run(&output),
        Command::Compare(compare) => compare.run(&output),
        Command::Rebuild(rebuild) => rebuild.run(&output),
        Command::Receipt(receipt) => receipt.run(&output),
        Command::Policy(policy) => policy.run(&output),
        Command::Witness(witness) => witness.run(&output),
        Command::Explain(explain) => explain.run(&output),
        Command::AsOf(as_of) => as_of.run(&output),
        Command::Diff(diff) => diff.run(&output),
        Command::Export(export) => export.run(&output),
    };
    ExitCode::from(done.unwrap_or_else(|finding| {
        output.finding(&finding);
        finding.fault.exit_code()
    }))
}
