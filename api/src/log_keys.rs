//! The log's private keys, opened: they sign the log's checkpoints and nothing else. Never printed,
//! never serialised.

use strongroom_commands::checkpoints::CheckpointSigner;
use strongroom_ledger::TreeHead;

/// The log's private keys.
pub struct OpenLogKeys;

impl CheckpointSigner for OpenLogKeys {
    fn sign(&self, _origin: &str, _head: TreeHead) -> Result<String, String> {
        Err("not built yet".to_owned())
    }
}
