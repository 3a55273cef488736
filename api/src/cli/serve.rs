//! `strongroom serve`. Never prints to standard output.

use std::path::PathBuf;

use clap::Args;

use super::CliError;
use crate::{config::Config, serve};

/// What `strongroom serve` needs.
#[derive(Args)]
pub struct Serve {
    /// The configuration (TOML).
    #[arg(long, default_value = "strongroom.toml")]
    pub config: PathBuf,
}

impl Serve {
    /// Serves until it is told to stop, or has to.
    pub fn run(&self) -> Result<(), CliError> {
        let config = Config::read(&self.config).map_err(serve::ServeError::from)?;
        config.log.init();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.map_err(CliError::Runtime)?.block_on(serve::until_told(config))?;
        Ok(())
    }
}
