//! `rebuild`. Never touches a read model that is there.

use crate::output::{Output, Progress};
use crate::pins::{Pins, Place};
use clap::Args;
use std::path::PathBuf;
use strongroom_replay::{Finding, rebuild};

/// A read model from nothing.
#[derive(Args)]
pub(crate) struct Rebuild {
    #[command(flatten)]
    place: Place,
    /// A file that does not exist yet; a server takes it as its `read.db`.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    pins: Pins,
}

impl Rebuild {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        let expected = self.pins.expected()?;
        let source = self.place.open()?;
        let progress = Progress::of(source.length());
        let verdict = rebuild(source, expected, &self.out, |position| progress.at(position))?;
        progress.end();
        output.verdict(&verdict, &expected);
        Ok(0)
    }
}
