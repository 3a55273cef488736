//! The log's private keys, opened: they sign the log's checkpoints and nothing else. Never printed,
//! never serialised.

use std::sync::{Arc, Mutex, PoisonError};

use strongroom_commands::checkpoints::CheckpointSigner;
use strongroom_ledger::{KeyName, LogKeys, SEED_BYTES, TreeHead};
use strongroom_secrets::Secret;

use crate::clock;

/// The log's private keys.
pub struct OpenLogKeys {
    ed25519: Secret,
    ml_dsa_44: Secret,
    /// For the origin that was signed for last: it changes only with a resumption.
    made: Mutex<Option<Arc<LogKeys>>>,
}

impl OpenLogKeys {
    /// Of both seeds.
    pub const fn new(ed25519: Secret, ml_dsa_44: Secret) -> Self {
        Self { ed25519, ml_dsa_44, made: Mutex::new(None) }
    }

    fn keys(&self, origin: &str) -> Result<Arc<LogKeys>, String> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = made.as_ref().filter(|keys| keys.origin().as_str() == origin) {
            return Ok(Arc::clone(keys));
        }
        let name = KeyName::new(origin).map_err(|error| error.to_string())?;
        let keys = LogKeys::from_seeds(&name, seed(&self.ed25519)?, seed(&self.ml_dsa_44)?);
        let keys = Arc::new(keys.map_err(|error| error.to_string())?);
        *made = Some(Arc::clone(&keys));
        Ok(keys)
    }
}

fn seed(secret: &Secret) -> Result<&[u8; SEED_BYTES], String> {
    secret.expose().try_into().map_err(|_| format!("a seed of the log has {SEED_BYTES} bytes"))
}

impl CheckpointSigner for OpenLogKeys {
    fn sign(&self, origin: &str, head: TreeHead) -> Result<String, String> {
        let now = strongroom_ledger::Timestamp::from_micros(clock::now().micros());
        let now = now.ok_or_else(|| "this machine's clock is beyond the year 9999".to_owned())?;
        let signed = self.keys(origin)?.sign(head, now).map_err(|error| error.to_string())?;
        Ok(signed.note().to_string())
    }
}
