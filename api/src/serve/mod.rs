//! Wiring: opens everything in the order in which it is needed, serves, and stops in the opposite
//! order. Never goes on serving what may not be true any more.

use crate::config::{Config, ConfigError};

/// Why there is no server, or not any more.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Serves until a signal says stop.
pub async fn until_told(_config: Config) -> Result<(), ServeError> {
    Ok(())
}
