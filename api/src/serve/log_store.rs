//! Opens the ledger's log where the configuration says. Never serves a log that another server has:
//! where the backend lets several wait for one log, this one waits as a standby.

use std::{sync::Arc, time::Duration};

use strongroom_store::{AppendLog, LogLocation, OpenError, Options};

use super::ServeError;
use crate::{config::LogStore, data_directory::DataDirectory};

/// Between two looks whether the log is free.
const LOOK: Duration = Duration::from_secs(1);

/// Opens the log. On a server of its own (PostgreSQL, KurrentDB) that is held by another process,
/// this does not return before the log is free: until then nothing listens, so that whoever
/// distributes requests sees a server that is not there. A file that is held is an error at once.
pub(super) async fn open(
    store: &LogStore,
    directory: &DataDirectory,
) -> Result<Arc<dyn AppendLog>, ServeError> {
    let own = || LogLocation::Sqlite(directory.log());
    let location = store.location.clone().unwrap_or_else(own);
    let options = Options { password_file: store.password_file.clone(), ..Options::default() };
    let is_file = matches!(location, LogLocation::Sqlite(_));
    let mut told = false;
    loop {
        match location.open(&options).await {
            Err(OpenError::Locked { .. }) if !is_file => {
                if !told {
                    tracing::warn!(%location, "standby: another server has the log; waiting for it");
                    told = true;
                }
                tokio::time::sleep(LOOK).await;
            }
            // The one that has the log goes on without us, and so does the database's own restart.
            Err(OpenError::Unavailable(because)) if told => {
                tracing::warn!(%location, because, "standby: the log's server is away");
                tokio::time::sleep(LOOK).await;
            }
            Err(error) => return Err(error.into()),
            Ok(log) => {
                if told {
                    tracing::warn!(%location, "the log is free: this server takes over");
                }
                return Ok(log);
            }
        }
    }
}
