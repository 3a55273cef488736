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
    witness::HttpWitness,
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
    witnesses.extend(outside(config, bus)?);
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

/// The outside witnesses that have an address. One that the charter does not name is a mistake; one
/// of the charter's without an address is only never asked.
fn outside(config: &Config, bus: &Bus) -> Result<Vec<Arc<dyn Witness>>, ServeError> {
    let known: Vec<String> = bus
        .read(|state| {
            let standing = state.charter.standing().ok();
            let witnessing = standing.and_then(|standing| standing.witnessing.as_ref());
            witnessing.map(|all| all.outside.iter().map(|one| one.name.clone()).collect())
        })
        .unwrap_or_default();
    for name in known.iter().filter(|name| !config.witnesses.iter().any(|one| one.name == **name)) {
        tracing::warn!(witness = name, "a witness of the charter has no [[witnesses]] address");
    }
    let mut witnesses: Vec<Arc<dyn Witness>> = Vec::new();
    for one in &config.witnesses {
        let refuse = |reason: String| ServeError::Witness { name: one.name.clone(), reason };
        if !known.contains(&one.name) {
            return Err(refuse("the charter names no such outside witness".to_owned()));
        }
        let witness = HttpWitness::new(one.name.clone(), &one.url);
        witnesses.push(Arc::new(witness.map_err(|error| refuse(error.to_string()))?));
    }
    Ok(witnesses)
}
