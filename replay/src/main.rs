//! The program `strongroom-replay`. Never writes anywhere but to standard output, standard error,
//! and the one new file of `export`.

mod output;

use clap::{Args, Parser, Subcommand};
use output::Output;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use strongroom_ledger::{Hash, Head, Position};
use strongroom_projections::ReadOnly;
use strongroom_replay::{Expected, Fault, Finding, Source, Verifier, compare, verify};

/// Checks a Strongroom log without trusting who wrote it.
#[derive(Parser)]
#[command(name = "strongroom-replay", version, after_help = output::exit_codes())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks every entry: hashes, order, signatures, quorums, policies, transactions, balances.
    Verify {
        /// A server's SQLite file, or an export.
        source: PathBuf,
        #[command(flatten)]
        pins: Pins,
    },
    /// Checks a log, and holds a server's read model against it. The server may be running.
    Compare {
        /// A server's SQLite file, or an export.
        source: PathBuf,
        /// The server's read model (`read.db`).
        read_model: PathBuf,
        #[command(flatten)]
        pins: Pins,
    },
    /// Writes a log as an export: a line for each entry, a line for its payload. Checks nothing.
    Export {
        /// A server's SQLite file, or an export.
        source: PathBuf,
        /// A file that does not exist yet.
        file: PathBuf,
    },
}

#[derive(Args)]
struct Pins {
    /// The leaf of entry 1, as you know it from elsewhere. Without it any whole log will do.
    #[arg(long, value_name = "HASH")]
    genesis: Option<Hash>,
    /// An entry that the log must contain, as you know it from elsewhere. Without it nobody can
    /// tell that entries were cut off the end, or that the last one was changed.
    #[arg(long, value_name = "POSITION:LEAF", value_parser = pinned_head)]
    expect_head: Option<Head>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

fn pinned_head(text: &str) -> Result<Head, String> {
    let refuse =
        || format!("`{text}` is no head: expected a position from 1, a colon, 64 hex digits");
    let (position, leaf) = text.split_once(':').ok_or_else(refuse)?;
    let position = position.parse().ok().and_then(Position::new);
    let position = position.filter(|at| *at > Position::START).ok_or_else(refuse)?;
    Ok(Head { position, leaf: leaf.parse().map_err(|_| refuse())? })
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Verify { source, pins } => run(pins.json, |output| check(&source, &pins, output)),
        Command::Compare { source, read_model, pins } => {
            run(pins.json, |output| held(&source, &read_model, &pins, output))
        }
        Command::Export { source, file } => run(false, |_| export(&source, &file)),
    };
    ExitCode::from(done)
}

/// Does it, and says how it went.
fn run(json: bool, work: impl FnOnce(&Output) -> Result<u8, Finding>) -> u8 {
    let output = Output { json };
    work(&output).unwrap_or_else(|finding| {
        output.finding(&finding);
        finding.fault.exit_code()
    })
}

fn open(path: &Path) -> Result<Source, Finding> {
    Source::open(path).map_err(|error| Finding::of(Fault::Unreadable, error.to_string()))
}

fn expected(pins: &Pins) -> Expected {
    Expected { genesis: pins.genesis, head: pins.expect_head }
}

fn check(source: &Path, pins: &Pins, output: &Output) -> Result<u8, Finding> {
    let mut source = open(source)?;
    let mut verifier = Verifier::new(expected(pins));
    let verdict = verify(&mut source, &mut verifier, output::progress)?;
    output.verdict(&verdict, pins.expect_head);
    Ok(0)
}

fn held(source: &Path, model: &Path, pins: &Pins, output: &Output) -> Result<u8, Finding> {
    let mut source = open(source)?;
    let unreadable = |error: &dyn ToString| Finding::of(Fault::Unreadable, error.to_string());
    let model = ReadOnly::open(model).map_err(|error| unreadable(&error))?;
    let comparison = compare(&mut source, expected(pins), &model, output::progress)?;
    output.comparison(&comparison);
    Ok(if comparison.differences.is_empty() { 0 } else { Fault::Differs.exit_code() })
}

fn export(source: &Path, path: &Path) -> Result<u8, Finding> {
    let mut source = open(source)?;
    let unwritable = |error: &dyn ToString| {
        Finding::of(Fault::Unreadable, format!("{}: {}", path.display(), error.to_string()))
    };
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut out = BufWriter::new(file.map_err(|error| unwritable(&error))?);
    let count = source.export(&mut out).map_err(|error| unwritable(&error))?;
    out.flush().map_err(|error| unwritable(&error))?;
    out.get_ref().sync_all().map_err(|error| unwritable(&error))?;
    output::exported(count, path);
    Ok(0)
}
