//! Puts the publisher of checkpoints together: the log's sealed keys, the signers and the outside
//! witnesses, and the file where the newest one is kept. Never serves a log that is shorter than what
//! its witnesses have cosigned.

use std::{sync::Arc, time::Duration};

use strongroom_commands::{
    Bus,
    checkpoints::{Board, CheckpointSigner, Checkpoints, Parts, Settings, Witness, recall},
    signers::Signers,
};

use super::ServeError;
use crate::{
    checkpoint_file::CheckpointFile,
    config::{CheckpointPace, Config},
};

/// What was kept, held against the log.
pub(super) async fn recalled(bus: &Bus, file: &CheckpointFile) -> Result<Board, ServeError> {
    let Some(text) = file.read().map_err(ServeError::CheckpointFile)? else {
        return Ok(Board::new(None));
    };
    Ok(Board::new(recall(bus, &text).await?.map(Arc::new)))
}

/// Starts publishing.
pub(super) fn start(
    config: &Config,
    (bus, board): (&Bus, Board),
    signers: &Signers,
    signer: Arc<dyn CheckpointSigner>,
    file: CheckpointFile,
) -> Result<Checkpoints, ServeError> {
    let mut witnesses = signers.witnesses(bus);
    witnesses.extend(outside(config)?);
    let CheckpointPace { every_ms, every_entries } = config.checkpoints;
    let settings = Settings {
        every: Duration::from_millis(every_ms.max(1)),
        entries: every_entries.max(1),
        ..Settings::default()
    };
    Ok(Checkpoints::start(Parts {
        bus: bus.clone(),
        board,
        witnesses,
        signer,
        keeper: Arc::new(file),
        changes: signers.changes(),
        settings,
    }))
}

fn outside(_config: &Config) -> Result<Vec<Arc<dyn Witness>>, ServeError> {
    Ok(Vec::new())
}
