//! `export`. Never overwrites anything, and checks nothing: damage is evidence.

use crate::output::{Output, Progress};
use crate::pins::Place;
use clap::Args;
use std::fs::OpenOptions;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use strongroom_ledger::export::Writer;
use strongroom_replay::{ExportOptions, Fault, Finding, Source, SourceError, export_folder};

/// A log as files.
#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    place: Place,
    /// One file that does not exist yet: a line for each entry, a line for its payload.
    #[arg(required_unless_present = "out", conflicts_with_all = ["out", "parquet"])]
    file: Option<PathBuf>,
    /// A folder for segments and a manifest. An export that was interrupted goes on.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Entries in a segment.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    segment: u64,
    /// Each segment as Parquet, too.
    #[arg(long)]
    parquet: bool,
}

impl Export {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        let mut source = self.place.open()?;
        let progress = Progress::of(source.length());
        match (&self.out, &self.file) {
            (Some(out), _) => {
                let options = ExportOptions { segment: self.segment, parquet: self.parquet };
                let done = export_folder(&mut source, out, options, |entry| progress.at(entry))?;
                progress.end();
                output.exported(done.last, out);
            }
            (None, Some(file)) => {
                let count = export(&mut source, file, |entry| progress.at(entry))?;
                progress.end();
                output.exported(count, file);
            }
            // The command line asks for one of them.
            (None, None) => {}
        }
        Ok(0)
    }
}

fn export(source: &mut Source, path: &Path, progress: impl Fn(u64)) -> Result<u64, Finding> {
    let failed = |error: &dyn ToString| {
        Finding::of(Fault::Unreadable, format!("{}: {}", path.display(), error.to_string()))
    };
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let file = file.map_err(|error| failed(&error))?;
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, &file));
    let mut count = 0_u64;
    let cut = |error: SourceError, count: u64| {
        let message =
            format!("after entry {count}: {error}; what was read is in {}", path.display());
        Finding::at(error.fault(), count.saturating_add(1), message)
    };
    loop {
        let raw = match source.read() {
            Ok(Some(raw)) => raw,
            Ok(None) => break,
            Err(error) => {
                writer.finish().map_err(|error| failed(&error))?;
                return Err(cut(error, count));
            }
        };
        let written = writer.write(&raw.pair.entry, &raw.pair.payload);
        written.map_err(|error| failed(&error))?;
        count = count.saturating_add(1);
        progress(count);
    }
    writer.finish().map_err(|error| failed(&error))?;
    file.sync_all().map_err(|error| failed(&error))?;
    Ok(count)
}
