//! The newest checkpoint that counts, as a file of the data directory. Never more than that: it is
//! public, and it says how far a restored log must at least reach.

use std::{fs, io, path::PathBuf};

use strongroom_commands::checkpoints::CheckpointKeeper;
use strongroom_secrets::{Existing, write_durably};

/// The file.
#[derive(Clone, Debug)]
pub struct CheckpointFile(PathBuf);

impl CheckpointFile {
    /// At this place.
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// What was kept; `None` where nothing ever was.
    pub fn read(&self) -> Result<Option<String>, String> {
        match fs::read_to_string(&self.0) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", self.0.display())),
        }
    }
}

impl CheckpointKeeper for CheckpointFile {
    fn keep(&self, checkpoint: &str) -> Result<(), String> {
        write_durably(&self.0, checkpoint.as_bytes(), Existing::Replace)
            .map_err(|error| error.to_string())
    }
}
