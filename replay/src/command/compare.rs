//! `compare`. Never writes to the read model.

use crate::output::{Output, Progress};
use crate::pins::{Pins, Place};
use clap::Args;
use std::path::PathBuf;
use strongroom_projections::ReadOnly;
use strongroom_replay::{Fault, Finding, compare};

/// A read model against its log.
#[derive(Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    place: Place,
    /// The server's read model (`read.db`).
    read_model: PathBuf,
    /// Where the read model is made again for a while: as much room as it takes itself.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    #[command(flatten)]
    pins: Pins,
}

impl Compare {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        let expected = self.pins.expected()?;
        let source = self.place.open()?;
        let model = ReadOnly::open(&self.read_model)
            .map_err(|error| Finding::of(Fault::Unreadable, error.to_string()))?;
        let progress = Progress::of(source.length());
        let scratch = self.scratch.clone().unwrap_or_else(std::env::temp_dir);
        let comparison =
            compare(source, expected, &model, &scratch, |position| progress.at(position))?;
        progress.end();
        output.comparison(&comparison);
        Ok(if comparison.differences.is_empty() { 0 } else { Fault::Differs.exit_code() })
    }
}
