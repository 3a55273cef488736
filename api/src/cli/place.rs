//! Which log a command is about. Never takes a password but from a file.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use strongroom_store::{AppendLog, LocationError, LogLocation, OpenError, Options, RawLog};

use crate::data_directory::DataDirectory;

/// The log of a server, where it is not in the data directory.
#[derive(Args, Clone, Debug, Default)]
pub struct Place {
    /// Where the log is, as in `[log_store]`: a path, `sqlite:PATH`,
    /// `postgres://user@host:port/database` or `kurrentdb://host:port`. Default: the data
    /// directory's own.
    #[arg(long = "log", value_name = "LOCATION")]
    pub location: Option<String>,
    /// File with the password of the log's server; mode 0600.
    #[arg(long = "log-password-file", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

impl Place {
    /// Opens the log for writing: nobody else may have it.
    pub async fn open(&self, data: &DataDirectory) -> Result<Arc<dyn AppendLog>, OpenError> {
        open(&self.location(data)?, self.password_file.as_ref()).await
    }

    /// Opens the log for reading, also while a server has it.
    pub async fn audit(&self, data: &DataDirectory) -> Result<Box<dyn RawLog>, OpenError> {
        audit(&self.location(data)?, self.password_file.as_ref()).await
    }

    fn location(&self, data: &DataDirectory) -> Result<LogLocation, OpenError> {
        self.location.as_deref().map_or_else(|| Ok(LogLocation::Sqlite(data.log())), location)
    }
}

/// Reads a place. Not by the parser of arguments: that one repeats what it refuses, which may hold
/// a password.
pub(super) fn location(text: &str) -> Result<LogLocation, OpenError> {
    text.parse().map_err(|error: LocationError| OpenError::Refused(error.to_string()))
}

/// Opens a log for writing.
pub(super) async fn open(
    location: &LogLocation,
    password_file: Option<&PathBuf>,
) -> Result<Arc<dyn AppendLog>, OpenError> {
    location.open(&options(password_file)).await
}

/// Opens a log for reading what stands there.
pub(super) async fn audit(
    location: &LogLocation,
    password_file: Option<&PathBuf>,
) -> Result<Box<dyn RawLog>, OpenError> {
    location.audit(&options(password_file)).await
}

pub(super) fn options(password_file: Option<&PathBuf>) -> Options {
    Options { password_file: password_file.cloned(), ..Options::default() }
}
