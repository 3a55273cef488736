//! The program `strongroom`. Everything is in the library; here are only the exit codes.

use std::{
    io::{Write as _, stderr, stdout},
    process::ExitCode,
};

use clap::Parser as _;
use strongroom_api::cli::{Arguments, Say};
use strongroom_secrets::{Memory, harden};

fn main() -> ExitCode {
    // Not all memory: its caches are as large as the ledger, and not secret.
    harden(Memory::Secrets);
    let mut out = stdout();
    match Arguments::parse().run(&mut Say::to(&mut out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do where even standard error is closed.
            let _ = writeln!(stderr(), "strongroom: {error}");
            ExitCode::FAILURE
        }
    }
}
