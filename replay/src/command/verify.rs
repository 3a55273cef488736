//! `verify` and `chain`. Never says that a log is well where something was not checked.

use crate::output::{Output, Progress};
use crate::pins::{Pins, Place};
use clap::Args;
use strongroom_replay::{Finding, chain, verify_all};

/// All of a log.
#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pins: Pins,
}

impl Verify {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        let expected = self.pins.expected()?;
        let source = self.place.open()?;
        let progress = Progress::of(source.length());
        let verdict = verify_all(source, expected, |head| progress.at(head.position.get()))?;
        progress.end();
        output.verdict(&verdict, &expected);
        Ok(0)
    }
}

/// Its form only.
#[derive(Args)]
pub(crate) struct Chain {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pins: Pins,
}

impl Chain {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        let expected = self.pins.expected()?;
        let source = self.place.open()?;
        let progress = Progress::of(source.length());
        let whole = chain(source, expected, |head| progress.at(head.position.get()))?;
        progress.end();
        output.whole(&whole, &expected);
        Ok(0)
    }
}
